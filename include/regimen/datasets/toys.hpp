#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/stack.h>

#include <cstdint>
#include <numbers>

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

/// Two interleaved half circles in the plane, as scikit-learn's make_moons: class 0 at (cos t, sin t), class 1 at
/// (1 - cos t, 0.5 - sin t), with t evenly from 0 to pi, plus normal noise of this deviation in each coordinate.
///
/// Sample i has class i % 2; the first per_class / 2 of each class are no sample of the whole moon, so shuffle (as
/// `run` does) or take a `subset` of random ones. data [2 * per_class, 2] float in [-1, 2] x [-0.5, 1] without noise,
/// target int64, 0 or 1. `seed` is that of the noise. Throws Error unless per_class >= 2 and noise >= 0.
///     const auto moons = regimen::two_moons(50);
[[nodiscard]] inline Batch two_moons(std::int64_t per_class, double noise = 0, std::uint64_t seed = 0) {
  detail::require(per_class >= 2, "two_moons: per_class", "at least 2", per_class);
  detail::require(noise >= 0, "two_moons: noise", "at least 0", noise);
  const at::Tensor ids = at::arange(2 * per_class, at::kLong);
  const at::Tensor target = ids.bitwise_and(1);
  const at::Tensor t =
      ids.bitwise_right_shift(1).to(at::kDouble) * (std::numbers::pi / static_cast<double>(per_class - 1));
  const at::Tensor side = 1 - 2 * target.to(at::kDouble);  // +1 for class 0, -1 for class 1
  at::Tensor data = at::stack({target + side * t.cos(), 0.5 * target + side * t.sin()}, 1).to(at::kFloat);
  if (noise > 0) {
    data = data + Key(seed, ids).fold(detail::salt::clusters).normal({2}) * noise;
  }
  return {data, target, ids};
}

}  // namespace regimen::inline v0
