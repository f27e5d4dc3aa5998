#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "regimen/batch/batch.hpp"
#include "regimen/key/key.hpp"
#include "regimen/transform/concept.hpp"
#include "regimen/transform/in_turn.hpp"

namespace regimen::inline v0 {

/// Transforms one after another, each with its own randomness. If one of them draws partners from the data, as `Mixup`
/// does, the partners go through the transforms before it, by the same draws as when they are trained on: their labels
/// are those that the network sees for them.
struct Chain {
  std::vector<AnyTransform> parts;

  Batch operator()(const Batch& batch, const Key& key) const {
    return detail::in_turn(parts, parts.size(), batch, key);
  }
  void check_data_so_far(const detail::DataSoFar& data, const std::string& who) const {
    detail::check_in_turn(parts, data, [&](std::size_t /*i*/) { return who; });
  }
};

/// Makes a `Chain` of transforms.
///     const auto damage = regimen::chain(regimen::ZeroPixels{.fraction = 0.1}, regimen::UniformLabels{.classes = 10});
template <class... Transforms>
[[nodiscard]] Chain chain(Transforms... transforms) {
  return Chain{{AnyTransform(std::move(transforms))...}};
}

}  // namespace regimen::inline v0
