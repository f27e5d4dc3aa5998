#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/key/key.hpp"
#include "regimen/key/salts.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// The data of the theory of benign overfitting (Bartlett, Long, Lugosi and Tsigler 2020): features x ~ N(0, diag(
/// spectrum)) and labels y = x . theta + noise * g, with g standard normal.
///
/// A sample is a function of (the key's seed, its id): another number of samples, or another order, changes none of
/// them. Samples of one seed with another theta or noise have the same features. Data, labels and ids are on the ids'
/// device.
///     const regimen::GaussianFeatures data{.spectrum = regimen::spiked_spectrum(5, 2000, 2), .noise = 0.5};
///     const regimen::Batch train = data.sample(100, /*seed=*/1);
///     const double risk = data.excess_risk(regimen::minimum_norm_solution(train.data, train.target));
struct GaussianFeatures {
  std::vector<double> spectrum{};     ///< variance of each feature, at least 0: see `spiked_spectrum`
  at::Tensor theta{};                 ///< [p]; undefined: zeros, so that labels are noise alone
  double noise = 0;                   ///< standard deviation of the labels' noise, at least 0
  at::ScalarType type = at::kDouble;  ///< of data and labels, floating

  /// Throws Error for a field that is out of its range, or a theta of another length.
  void check() const {
    detail::require(!spectrum.empty(), "GaussianFeatures.spectrum.size()", "at least 1", spectrum.size());
    for (std::size_t i = 0; i < spectrum.size(); ++i) {
      detail::require(std::isfinite(spectrum[i]) && spectrum[i] >= 0,
                      "GaussianFeatures.spectrum[" + detail::text(i) + "]", "finite and at least 0", spectrum[i]);
    }
    detail::require(std::isfinite(noise) && noise >= 0, "GaussianFeatures.noise", "finite and at least 0", noise);
    if (theta.defined() && (theta.dim() != 1 || theta.size(0) != features() || !theta.is_floating_point())) {
      throw Error("GaussianFeatures.theta must be of [" + detail::text(features()) + "], one for each variance, not " +
                  detail::described(theta));
    }
    if (theta.defined() && !theta.isfinite().all().item<bool>()) {
      throw Error("GaussianFeatures.theta must be finite");
    }
    if (!at::isFloatingType(type)) {
      throw Error("GaussianFeatures.type must be floating, but is " + std::string(at::toString(type)));
    }
  }

  /// The number of features, p.
  [[nodiscard]] std::int64_t features() const { return static_cast<std::int64_t>(spectrum.size()); }

  /// The spectrum as a tensor, [p] double.
  [[nodiscard]] at::Tensor variances() const { return at::tensor(spectrum, at::kDouble); }

  /// The samples of these ids: data [N, p], target [N].
  [[nodiscard]] Batch points(const Key& key) const {
    check();
    const at::Device device = key.ids().device();
    const at::Tensor drawn = key.fold(detail::salt::features).normal({features()}).to(at::kDouble);
    const at::Tensor x = drawn.mul_(variances().sqrt().to(device));
    // Not by matmul, which rounds a row by where it lies in the block: a label is a function of its id alone.
    at::Tensor y =
        theta.defined() ? (x * theta.detach().to(device, at::kDouble)).sum({1}) : at::zeros({key.size()}, x.options());
    if (noise > 0) {
      y = y + key.fold(detail::salt::noise).normal().to(at::kDouble) * noise;
    }
    return {x.to(type), y.to(type), key.ids()};
  }

  /// Samples with ids 0 to n - 1; a larger set begins with a smaller one. Throws Error unless n >= 1.
  [[nodiscard]] Batch sample(std::int64_t n, std::uint64_t seed) const {
    detail::require(n >= 1, "GaussianFeatures.sample: n", "at least 1", n);
    return points(Key(seed, at::arange(n, at::kLong)));
  }

  /// The excess risk E (x . w - x . theta)^2 of weights w [p] over new points, exactly: the sum of the squares of
  /// w - theta times the variances. Throws Error for another shape.
  [[nodiscard]] double excess_risk(const at::Tensor& w) const {
    check();
    if (!w.defined() || w.dim() != 1 || w.size(0) != features() || !w.is_floating_point()) {
      throw Error("GaussianFeatures.excess_risk takes w of [" + detail::text(features()) + "], not " +
                  detail::described(w));
    }
    const at::Tensor off = w.detach().to(at::kCPU, at::kDouble);
    return ((theta.defined() ? off - theta.to(at::kCPU, at::kDouble) : off).square() * variances())
        .sum()
        .item<double>();
  }
};

}  // namespace regimen::inline v0
