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

/// One after another, each with randomness of its own. Partners that one of them draws from the data, as `Mixup` does,
/// go through those before it, by the same draws as everywhere: their labels are the ones that they are shown with.
struct Chain {
  std::vector<AnyTransform> parts;

  Batch operator()(const Batch& batch, const Key& key) const {
    return detail::in_turn(parts, parts.size(), batch, key);
  }
  void check_data_so_far(const detail::DataSoFar& data, const std::string& who) const {
    detail::check_in_turn(parts, data, [&](std::size_t /*i*/) { return who; });
  }
};

/// One after another.
///     const auto damage = regimen::chain(regimen::ZeroPixels{.fraction = 0.1}, regimen::UniformLabels{.classes = 10});
template <class... Transforms>
[[nodiscard]] Chain chain(Transforms... transforms) {
  return Chain{{AnyTransform(std::move(transforms))...}};
}

}  // namespace regimen::inline v0
