#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "regimen/schedule/bounds.hpp"
#include "regimen/tensor/device_copies.hpp"
#include "regimen/transform/labels/checks.hpp"

namespace regimen::inline v0 {

/// Replaces the label c of a share of the samples by to[c]: class-dependent label noise in which a class becomes the
/// one that it resembles. A class with to[c] = c never changes, so with such classes fewer than `fraction` of all
/// labels change.
///
/// target [N] int64 in [0, to.size()) -> the same; data is shared. The samples chosen by a smaller fraction are among
/// those chosen by a larger one. Throws Error unless to has at least 2 entries, all in [0, to.size()), and fraction is
/// in [0, 1].
///     const regimen::ClassMap cats_are_dogs{.to = regimen::cifar10_confusions(), .fraction = 0.4};
struct ClassMap {
  detail::Table<std::int64_t> to{};
  Share<"ClassMap.fraction"> fraction = 1;

  void check() const {
    detail::require(to.size() >= 2, "ClassMap.to.size()", "at least 2", to.size());
    for (const std::int64_t label : to.elements()) {
      detail::require(label >= 0 && label < classes(), "ClassMap.to", "in [0, " + detail::text(classes()) + ")", label);
    }
  }

  Batch operator()(const Batch& batch, const Key& key) const {
    detail::require_labels_below(batch, classes(), "ClassMap");
    const at::Tensor table =
        to.kept().on(batch.target.device(), {classes()}, [this] { return at::tensor(to.elements(), at::kLong); });
    const at::Tensor other = table.index_select(0, batch.target);
    return detail::with_target(batch, at::where(key.chance(fraction), other, batch.target));
  }

 private:
  [[nodiscard]] std::int64_t classes() const { return static_cast<std::int64_t>(to.size()); }
};

/// A map of each class to the next one of its group, cyclically; a class that is alone in its group to itself.
/// groups[c]: the number of class c's group.
[[nodiscard]] inline std::vector<std::int64_t> circular_within(const std::vector<std::int64_t>& groups) {
  const std::size_t classes = groups.size();
  std::vector<std::int64_t> to(classes);
  for (std::size_t c = 0; c < classes; ++c) {
    std::size_t next = (c + 1) % classes;
    while (groups[next] != groups[c]) {
      next = (next + 1) % classes;
    }
    to[c] = static_cast<std::int64_t>(next);
  }
  return to;
}

/// The map for digits (Patrini et al. 2017): 2 to 7, 3 to 8, 7 to 1, 5 and 6 to each other.
[[nodiscard]] inline std::vector<std::int64_t> mnist_confusions() {
  return {0, 1, 7, 8, 4, 6, 5, 1, 8, 9};
}

/// The map for CIFAR-10 (Patrini et al. 2017): truck to automobile, bird to airplane, deer to horse, cat and dog to
/// each other.
[[nodiscard]] inline std::vector<std::int64_t> cifar10_confusions() {
  return {0, 1, 0, 5, 7, 3, 6, 7, 8, 1};
}

/// The superclass, in [0, 20), of each of CIFAR-100's classes, in [0, 100); each superclass has five classes.
[[nodiscard]] inline std::vector<std::int64_t> cifar100_superclasses() {
  return {4,  1,  14, 8,  0,  6,  7,  7,  18, 3,  3,  14, 9,  18, 7,  11, 3,  9,  7,  11,   //
          6,  11, 5,  10, 7,  6,  13, 15, 3,  15, 0,  11, 1,  10, 12, 14, 16, 9,  11, 5,    //
          5,  19, 8,  8,  15, 13, 14, 17, 18, 10, 16, 4,  17, 4,  2,  0,  17, 4,  18, 17,   //
          10, 3,  2,  12, 12, 16, 12, 1,  9,  19, 2,  10, 0,  1,  16, 12, 9,  13, 15, 13,   //
          16, 19, 2,  4,  6,  19, 5,  5,  8,  19, 18, 1,  2,  15, 6,  0,  17, 8,  14, 13};  //
}

/// The map for CIFAR-100 (Patrini et al. 2017): each class to the next one of its superclass, cyclically.
///
/// Code that is often copied takes classes 0 to 4, 5 to 9 and so on for superclasses. They are not: classes are
/// numbered alphabetically. For a comparison with its results use `circular_within` of 0, 0, 0, 0, 0, 1, ...
[[nodiscard]] inline std::vector<std::int64_t> cifar100_confusions() {
  return circular_within(cifar100_superclasses());
}

}  // namespace regimen::inline v0
