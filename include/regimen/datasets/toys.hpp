#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/stack.h>

#include <cstdint>

#include "regimen/base/error.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/key/key.hpp"
#include "regimen/key/salts.hpp"

namespace regimen::inline v0 {

/// The decision boundary of the best possible classifier of `two_clusters`: class 1 is likelier if data[:, 0] > 0.2,
/// whatever data[:, 1] is. It errs on 7 samples in a million.
inline constexpr double two_clusters_boundary = 0.2;

/// Two round clusters in the plane: the toy data of Liu, Papailiopoulos and Achlioptas, "Bad Global Minima Exist and
/// SGD Can Reach Them" (2020), as in the authors' code: 0.1 * N(2, 1.5^2) in each coordinate, shifted along the first
/// one by -0.65 (class 0) or +0.65 (class 1). So the means are (-0.45, 0.2) and (0.85, 0.2), and the deviation is 0.15.
///
/// Sample i is a function of the key's seed and ids[i], and has class ids[i] % 2. data [N, 2] float, target [N] int64,
/// 0 or 1, on the device of the ids.
[[nodiscard]] inline Batch two_clusters(const Key& key) {
  const at::Tensor target = key.ids().bitwise_and(1);
  const at::Tensor shift = target * 1.3 - 0.65;
  const at::Tensor point = key.fold(detail::salt::clusters).normal({2}) * 0.15 + 0.2;
  return {at::stack({point.select(1, 0) + shift, point.select(1, 1)}, 1), target, key.ids()};
}

/// Samples with ids 0 to 2 * per_class - 1, per_class of each class; a larger set begins with a smaller one. The
/// authors train on 50 of each class and test on 50 more: use another seed for those. Throws Error unless per_class >=
/// 1.
///     const auto train = regimen::two_clusters(50, /*seed=*/1);
///     const auto test = regimen::two_clusters(50, /*seed=*/2);
[[nodiscard]] inline Batch two_clusters(std::int64_t per_class, std::uint64_t seed) {
  detail::require(per_class >= 1, "two_clusters: per_class", "at least 1", per_class);
  return two_clusters(Key(seed, at::arange(2 * per_class, at::kLong)));
}

}  // namespace regimen::inline v0
