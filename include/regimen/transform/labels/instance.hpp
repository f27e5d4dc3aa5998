#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/where.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <string>

#include "regimen/base/integer.hpp"
#include "regimen/key/salts.hpp"
#include "regimen/schedule/bounds.hpp"
#include "regimen/tensor/device_copies.hpp"
#include "regimen/transform/inputs/values.hpp"
#include "regimen/transform/labels/checks.hpp"

namespace regimen::inline v0 {

namespace detail {

/// Directions in which inputs make one class look like another: for each class [features, classes] standard normals,
/// drawn from a seed. As a field of a transform it is written as that number.
class Directions {
 public:
  Directions(std::uint64_t seed = 0) : seed_(seed) {}  // NOLINT: a seed is all that they are

  /// The directions, [classes, features, classes] double on this device.
  [[nodiscard]] at::Tensor on(const at::Device& device, std::int64_t classes, std::int64_t features) const {
    return kept_.on(device, {classes, features, classes}, [&] {
      // Keyed by feature, so that the first features of a larger input have the same directions.
      const Key key = Key(seed_, at::arange(features, at::kLong)).fold(salt::directions);
      return key.normal({classes, classes}).permute({1, 0, 2}).to(at::kDouble).contiguous();
    });
  }

  [[nodiscard]] std::string manifest() const { return text(seed_); }

 private:
  std::uint64_t seed_;
  DeviceCopies kept_;
};

/// The x with P(X <= x) = p for a standard normal X, p in (0, 1).
inline at::Tensor normal_quantile(const at::Tensor& p) {
  return (2 * p - 1).erfinv() * std::numbers::sqrt2;
}

/// P(X <= x) for a standard normal X.
inline at::Tensor normal_share(const at::Tensor& x) {
  return 0.5 * (1 + (x / std::numbers::sqrt2).erf());
}

}  // namespace detail

/// Instance-dependent label noise: the probability of a wrong label is drawn for each sample, and the wrong label
/// depends on the input (Xia et al. 2020, Part-dependent label noise, algorithm 2).
///
/// Sample i has a rate q_i, drawn from the normal N(fraction, spread^2) truncated to [0, 1]. Its label y stays with
/// probability 1 - q_i, and becomes j with q_i * softmax(x_i W_y)_j, where the softmax leaves out y. The W_y, one per
/// class, are standard normals drawn from the seed `directions`; x_i are all entries of the input, as `Normalize` reads
/// them. The mean rate is `fraction` if that is many `spread`s away from 0 and 1; otherwise the truncation moves it
/// towards one half.
///
/// data [N, ...], target [N] int64 in [0, classes) -> the same. Products are in double, so that their rounding, which
/// depends on the batch, hardly ever changes a label. Memory: classes^2 * features doubles; on other devices than the
/// CPU also N * classes * features during a call. Throws Error unless classes >= 2, fraction is in [0, 1] and spread is
/// at least 0 and finite.
///     const auto noisy = regimen::frozen(train, regimen::InstanceLabels{.classes = 10, .fraction = 0.4}, /*seed=*/7);
struct InstanceLabels {
  Integer classes = 0;
  Share<"InstanceLabels.fraction"> fraction = 0.4;
  double spread = 0.1;
  detail::Directions directions{};

  void check() const {
    detail::require(classes >= 2, "InstanceLabels.classes", "at least 2", classes);
    detail::require(spread >= 0 && std::isfinite(spread), "InstanceLabels.spread", "at least 0 and finite", spread);
  }

  Batch operator()(const Batch& batch, const Key& key) const {
    detail::require_labels_below(batch, classes, "InstanceLabels");
    const at::Tensor label = batch.target.to(batch.data.device());
    const at::Tensor alike =
        likeness(batch, label).scatter(1, label.unsqueeze(1), -std::numeric_limits<double>::infinity());
    const at::Tensor limits = at::softmax(alike, 1).cumsum(1);
    const at::Tensor rate = rates(key.fold(0));
    // Given draw < rate, draw / rate is uniform in [0, 1) again.
    const at::Tensor draw = detail::fine_uniform(key.fold(1));
    const at::Tensor other = (limits <= (draw / rate).unsqueeze(1)).sum(1).clamp_max(classes - 1);
    return detail::with_target(batch, at::where(draw < rate, other, label).to(batch.target.device()));
  }

 private:
  /// The products x_i W_y, [N, classes] double.
  [[nodiscard]] at::Tensor likeness(const Batch& batch, const at::Tensor& label) const {
    const at::Tensor inputs = detail::unit_inputs(batch.data, "InstanceLabels").flatten(1).to(at::kDouble);
    const at::Tensor all = directions.on(inputs.device(), classes, inputs.size(1));
    if (!inputs.device().is_cpu()) {  // the number of samples of a class is not known without waiting
      return at::bmm(inputs.unsqueeze(1), all.index_select(0, label)).squeeze(1);
    }
    at::Tensor alike = at::empty({batch.size(), classes}, inputs.options());
    for (std::int64_t c = 0; c < classes; ++c) {
      const at::Tensor places = (label == c).nonzero().flatten();
      if (places.numel() > 0) {
        alike.index_copy_(0, places, inputs.index_select(0, places).matmul(all.select(0, c)));
      }
    }
    return alike;
  }

  /// The rates q_i, [N] double, by inversion of the truncated normal distribution.
  [[nodiscard]] at::Tensor rates(const Key& key) const {
    const at::Tensor middle = key.now().tensor(fraction);
    const at::Tensor draw = detail::fine_uniform(key);
    if (spread == 0) {
      return draw * 0 + middle;
    }
    const at::Tensor below = detail::normal_share((0 - middle) / spread);
    const at::Tensor up_to = detail::normal_share((1 - middle) / spread);
    const at::Tensor rate = middle + spread * detail::normal_quantile(below + draw * (up_to - below));
    return rate.clamp(0, 1);
  }
};

}  // namespace regimen::inline v0
