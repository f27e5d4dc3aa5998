#pragma once
// What several tests of tensors share.

#include "support/torch.hpp"

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>
#include "support/errors.hpp"

/// The same type, shape and values; or both undefined.
inline bool same(const at::Tensor& a, const at::Tensor& b) {
  if (!a.defined() || !b.defined()) {
    return a.defined() == b.defined();
  }
  return a.scalar_type() == b.scalar_type() && a.equal(b);
}

/// Every tensor the same, bit for bit.
inline bool same(const regimen::Batch& a, const regimen::Batch& b) {
  bool extra = a.extra.size() == b.extra.size();
  for (const auto& [name, tensor] : a.extra) {
    extra = extra && b.extra.count(name) == 1 && same(tensor, b.extra.at(name));
  }
  return extra && same(a.data, b.data) && same(a.target, b.target) && same(a.id, b.id) && same(a.origin, b.origin);
}

/// The largest difference of two entries.
inline double furthest(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

/// Pearson's correlation of the entries of two tensors.
inline double correlation(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor x = a.flatten().to(at::kDouble);
  const at::Tensor y = b.flatten().to(at::kDouble);
  return ((x - x.mean()) * (y - y.mean())).mean().item<double>() / (x.std() * y.std()).item<double>();
}

/// n samples of standard normal numbers of this shape, double.
inline at::Tensor drawn(std::uint64_t seed, std::int64_t n, at::IntArrayRef shape) {
  return regimen::Key(seed, at::arange(n, at::kLong)).normal(shape).to(at::kDouble);
}

inline at::Tensor longs(const std::vector<std::int64_t>& values) {
  return at::tensor(values, at::kLong);
}

inline at::Tensor bools(const std::vector<std::int64_t>& values) {
  return longs(values).to(at::kBool);
}

/// The values of chi-square with so many degrees of freedom that lie `sigmas` standard deviations above the middle
/// (Wilson and Hilferty 1931). Chance goes beyond 5 with p = 3e-7, on either side.
inline double chi_square_at(double degrees, double sigmas) {
  const double spread = 2 / (9 * degrees);
  return degrees * std::pow(1 - spread + sigmas * std::sqrt(spread), 3);
}

/// Counts [bins] as they come from equally likely bins: neither too far from equal (p < 3e-7) nor too close (the same).
inline void check_equally_likely(const at::Tensor& counts) {
  const at::Tensor observed = counts.to(at::kDouble);
  const auto bins = static_cast<double>(observed.numel());
  const double expected = observed.sum().item<double>() / bins;
  const double chi_square = ((observed - expected).square() / expected).sum().item<double>();
  CAPTURE(bins, expected, chi_square);
  REQUIRE(expected >= 20);  // below, the statistic does not follow its distribution
  CHECK(chi_square < chi_square_at(bins - 1, 5));
  CHECK(chi_square > chi_square_at(bins - 1, -5));
}

/// `hits` of `trials` as they come with this probability: within 5 standard deviations.
inline void check_share(double hits, double trials, double probability) {
  const double deviation = std::sqrt(trials * probability * (1 - probability));
  CAPTURE(hits, trials, probability);
  CHECK(std::abs(hits - trials * probability) <= 5 * deviation);
}

/// Whether each part is in train mode, in order.
inline std::vector<bool> modes(const torch::nn::Module& module) {
  std::vector<bool> result;
  for (const auto& part : module.modules()) {
    result.push_back(part->is_training());
  }
  return result;
}
