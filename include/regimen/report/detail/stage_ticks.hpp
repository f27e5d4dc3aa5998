#pragma once
// No LibTorch.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "regimen/report/ticks.hpp"

namespace regimen::inline v0::detail::reports {

/// A number of epochs, as text below an axis.
struct EpochCount {
  std::string text;
  std::int64_t at = 0;

  /// Whether the two texts would touch on an axis of `axis` epochs, in a panel of half a page.
  [[nodiscard]] bool touches(const EpochCount& other, std::int64_t axis) const {
    const double digit = 0.018 * static_cast<double>(axis);  // its width, in epochs
    const auto digits = static_cast<double>(text.size() + other.text.size());
    return static_cast<double>(std::abs(at - other.at)) < digit * (digits / 2 + 1);
  }
};

/// Ticks of an axis of consecutive phases with these lengths, in epochs. Each phase counts its epochs from 0, and where
/// one ends and the next begins the text is "24|0". The ends of the first and the last phase always have a tick; then
/// the other ends and then round numbers, if there is room for their texts.
inline std::vector<report::Tick> stage_ticks(const std::vector<std::int64_t>& lengths) {
  std::vector<std::int64_t> begins;
  std::int64_t axis = 0;
  for (const std::int64_t length : lengths) {
    begins.push_back(axis);
    axis += length;
  }
  std::vector<EpochCount> placed;
  const auto place_if_free = [&](const EpochCount& count) {
    const auto near = [&](const EpochCount& other) { return count.touches(other, axis); };
    if (std::none_of(placed.begin(), placed.end(), near)) {
      placed.push_back(count);
    }
  };
  const auto boundary = [&](std::size_t i) {
    return EpochCount{std::to_string(lengths[i]) + "|0", begins[i] + lengths[i]};
  };
  if (lengths.size() > 1) {
    placed.push_back(boundary(0));
  }
  placed.push_back({std::to_string(lengths.back()), axis});
  for (std::size_t i = 1; i + 1 < lengths.size(); ++i) {
    place_if_free(boundary(i));
  }
  const auto step = static_cast<std::int64_t>(std::max(5.0, report::nice_step(0, static_cast<double>(axis), 7)));
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    for (std::int64_t epoch = 0; epoch < lengths[i]; epoch += step) {
      place_if_free({std::to_string(epoch), begins[i] + epoch});
    }
  }
  std::vector<report::Tick> ticks;
  for (const EpochCount& count : placed) {
    ticks.push_back({static_cast<double>(count.at), count.text});
  }
  return ticks;
}

}  // namespace regimen::inline v0::detail::reports
