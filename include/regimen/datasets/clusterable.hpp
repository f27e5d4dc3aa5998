#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <cstdint>
#include <utility>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/key/key.hpp"
#include "regimen/key/salts.hpp"

namespace regimen::inline v0 {

/// The clusterable data of Li, Soltanolkotabi and Oymak, "Gradient Descent with Early Stopping is Provably Robust to
/// Label Noise for Overparameterized Neural Networks" (2020): points on the unit sphere, in clusters whose centres are
/// drawn uniformly from it. Each point lies at the distance `radius` (the paper's epsilon) from its centre, in a
/// direction drawn uniformly: the farthest that the paper allows. All points of a cluster have one class, cluster %
/// classes.
///
/// A point is a function of (`seed`, the key's seed, its id), and id i lies in cluster i % clusters. Ids, points and
/// labels are on the device of the ids. With label noise of an exact share in each cluster, as the paper has it:
///     const regimen::ClusterableData data{.radius = 0.2};
///     const regimen::Batch clean = data.sample(20, /*seed=*/1);
///     const auto noisy = regimen::frozen(clean, regimen::UniformLabels{.classes = 2, .exclude_true = true},
///     /*seed=*/1,
///                                        regimen::exactly_in_each(data.cluster_of(clean.id), 0.2));
struct ClusterableData {
  Integer clusters = 10;
  Integer dimensions = 50;  ///< at least 2
  double radius = 0.2;      ///< distance of each point from its centre, in [0, 2)
  Integer classes = 2;      ///< at least 2
  std::uint64_t seed = 1;   ///< of the centres

  /// Throws Error for a field that is out of its range.
  void check() const {
    detail::require(clusters >= 1, "ClusterableData.clusters", "at least 1", clusters);
    detail::require(dimensions >= 2, "ClusterableData.dimensions", "at least 2", dimensions);
    detail::require(radius >= 0 && radius < 2, "ClusterableData.radius", "in [0, 2)", radius);
    detail::require(classes >= 2, "ClusterableData.classes", "at least 2", classes);
  }

  /// The centres, [clusters, dimensions] float, of norm 1.
  [[nodiscard]] at::Tensor centres() const {
    check();
    const Key key(seed, at::arange(clusters.value, at::kLong));
    return normalized(key.fold(detail::salt::centres).normal({dimensions}));
  }

  /// The cluster of each sample, [N] int64 in [0, clusters): a group for `exactly_in_each`.
  [[nodiscard]] at::Tensor cluster_of(const at::Tensor& ids) const {
    check();
    return ids.remainder(clusters.value);
  }

  /// The points of these ids: data [N, dimensions] float of norm 1, target [N] int64 in [0, classes).
  [[nodiscard]] Batch points(const Key& key) const {
    const at::Tensor cluster = cluster_of(key.ids());
    const at::Tensor centre = centres().to(cluster.device()).index_select(0, cluster);
    const at::Tensor drawn = key.fold(detail::salt::clusters).normal({dimensions});
    const auto without_centre = [&centre](const at::Tensor& rows) {
      return normalized(rows - centre * (rows * centre).sum({1}, /*keepdim=*/true));
    };
    // Twice: where a draw lies nearly along the centre, what is left of it is mostly rounding.
    const at::Tensor across = without_centre(without_centre(drawn));
    const double chord = radius * radius / 2;  // 1 - the cosine of the angle between point and centre
    return {centre * (1 - chord) + across * std::sqrt(chord * (2 - chord)), cluster.remainder(classes.value),
            key.ids()};
  }

  /// Samples with ids 0 to clusters * per_cluster - 1; a larger set begins with a smaller one. Another `seed_of_points`
  /// gives other points of the same clusters, for a test set. Throws Error unless per_cluster >= 1.
  [[nodiscard]] Batch sample(std::int64_t per_cluster, std::uint64_t seed_of_points) const {
    detail::require(per_cluster >= 1, "ClusterableData.sample: per_cluster", "at least 1", per_cluster);
    return points(Key(seed_of_points, at::arange(clusters * per_cluster, at::kLong)));
  }

 private:
  static at::Tensor normalized(const at::Tensor& rows) {
    return rows / rows.square().sum({1}, /*keepdim=*/true).sqrt();
  }
};

}  // namespace regimen::inline v0
