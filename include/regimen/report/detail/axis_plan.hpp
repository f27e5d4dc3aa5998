#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "regimen/report/detail/svg_text.hpp"
#include "regimen/report/picture.hpp"
#include "regimen/report/series.hpp"
#include "regimen/report/ticks.hpp"

/// The range, ticks and positions of an axis.
namespace regimen::inline v0::detail::reports {

struct Range {
  double from = unknown;
  double to = unknown;

  /// Widens the range to include a number; NaN and infinity are ignored.
  void add(double value) {
    if (std::isfinite(value)) {
      from = std::isnan(from) ? value : std::min(from, value);
      to = std::isnan(to) ? value : std::max(to, value);
    }
  }
  [[nodiscard]] bool is_empty() const { return std::isnan(from); }
  [[nodiscard]] bool has(double value) const { return value >= from && value <= to; }
};

/// A map from the numbers of an axis to px.
struct Projection {
  Range range{};
  double begin = 0;  ///< px of range.from
  double end = 1;    ///< px of range.to
  bool is_log = false;

  [[nodiscard]] double operator()(double value) const {
    const double share = is_log ? std::log(value / range.from) / std::log(range.to / range.from)
                                : (value - range.from) / (range.to - range.from);
    return begin + (end - begin) * share;
  }
};

/// Whether a series of this kind may reach the end of its axis.
inline bool is_tight(const report::Series& series, bool is_x) {
  return std::holds_alternative<report::HeatGrid>(series) ||
         (is_x && (std::holds_alternative<report::Lines>(series) || std::holds_alternative<report::Band>(series)));
}

/// The range of all numbers on an axis, with a margin.
inline Range chosen_range(const report::Panel& panel, bool is_x, bool is_log) {
  Range range;
  bool tight = true;
  bool has_bars = false;
  bool has_grid = false;  // it fills the axes
  const auto see = [&](double value, const char*, std::size_t) { range.add(value); };
  for (const report::Series& series : panel.series) {
    tight = tight && is_tight(series, is_x);
    has_bars = has_bars || std::holds_alternative<report::Bars>(series);
    has_grid = has_grid || std::holds_alternative<report::HeatGrid>(series);
    is_x ? see_x(series, see) : see_y(series, see);
  }
  for (const report::Stretch& stretch : panel.stretches) {
    range.add(is_x ? stretch.from : unknown);
    range.add(is_x ? stretch.to : unknown);
  }
  for (const report::VerticalMark& mark : panel.marks) {
    range.add(is_x ? mark.at : unknown);
  }
  if (range.is_empty()) {
    return is_log ? Range{0.1, 1} : Range{0, 1};
  }
  tight = tight || has_grid;
  if (is_log) {
    const double room = range.from == range.to ? 2 : tight ? 1 : std::pow(range.to / range.from, 0.05);
    return {range.from / room, range.to * room};
  }
  const double size = range.from == range.to ? std::max(std::abs(range.from), 1e-300) : range.to - range.from;
  const double room = range.from == range.to ? (range.from == 0 ? 1 : 0.1 * size) : tight ? 0 : 0.05 * size;
  const bool on_foot = has_bars && !is_x && range.from != range.to;  // bars stand on 0, with no room below
  return {range.from - (on_foot && range.from == 0 ? 0 : room), range.to + (on_foot && range.to == 0 ? 0 : room)};
}

/// The range of an axis: its given ends, else chosen ones. Throws Error if a given end leaves no room for the numbers
/// on the axis.
inline Range range_of(const report::Panel& panel, const std::string& where, bool is_x) {
  const report::Axis& axis = is_x ? panel.x : panel.y;
  Range range = chosen_range(panel, is_x, axis.scale == report::Scale::log);
  range.from = std::isnan(axis.from) ? range.from : axis.from;
  range.to = std::isnan(axis.to) ? range.to : axis.to;
  require(range.from < range.to && std::isfinite(range.to - range.from), where + (is_x ? ".x.to" : ".y.to"),
          "a finite number above from, which is " + text(range.from) + " (give both, or none)", range.to);
  return range;
}

/// The ticks of an axis with room for about `most` ticks.
inline std::vector<report::Tick> ticks_of(const report::Axis& axis, const Range& range, int most) {
  if (!axis.has_ticks) {
    return {};
  }
  if (axis.ticks.empty()) {
    return axis.scale == report::Scale::log ? report::log_ticks(range.from, range.to, most)
                                            : report::nice_ticks(range.from, range.to, most);
  }
  std::vector<report::Tick> inside;
  std::copy_if(axis.ticks.begin(), axis.ticks.end(), std::back_inserter(inside),
               [&](const report::Tick& tick) { return range.has(tick.at); });
  return inside;
}

/// The texts below an x axis: in lines, or turned if there is no room for lines.
struct TickTexts {
  std::vector<report::Tick> ticks{};
  std::vector<std::vector<std::string>> lines{};
  bool turned = false;
  double height = 0;  ///< below the axis, in px
  double beyond = 0;  ///< room for the texts left of the axis, in px
};

inline constexpr double turned_by = 35;  ///< degrees

/// The least distance of two neighbouring ticks, in px; `width` for fewer than two.
inline double spacing_of(const std::vector<report::Tick>& ticks, const Projection& at, double width) {
  double spacing = width;
  std::vector<double> places;
  for (const report::Tick& tick : ticks) {
    places.push_back(at(tick.at));
  }
  std::sort(places.begin(), places.end());
  for (std::size_t i = 1; i < places.size(); ++i) {
    spacing = std::min(spacing, places[i] - places[i - 1]);
  }
  return spacing;
}

/// Whether texts in lines would touch each other.
inline bool touch(const TickTexts& texts, const Projection& at) {
  for (std::size_t i = 0; i < texts.ticks.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      const double room = std::abs(at(texts.ticks[i].at) - at(texts.ticks[k].at));
      if (room < (widest(texts.lines[i], small_size) + widest(texts.lines[k], small_size)) / 2 + 5) {
        return true;
      }
    }
  }
  return false;
}

inline TickTexts laid_out(std::vector<report::Tick> ticks, const Projection& at, bool may_break) {
  TickTexts result{.ticks = std::move(ticks)};
  const double width = at.end - at.begin;
  const double room = may_break ? spacing_of(result.ticks, at, width) - 6 : width;
  std::size_t most_lines = 0;
  for (const report::Tick& tick : result.ticks) {
    result.lines.push_back(broken(tick.text, small_size, room));
    most_lines = std::max(most_lines, result.lines.back().size());
  }
  result.height = static_cast<double>(most_lines) * line_height(small_size);
  return result;
}

/// The texts turned, each on one line.
inline TickTexts turned(TickTexts texts, const Projection& at) {
  constexpr double radians = turned_by * 3.14159265358979323846 / 180;
  texts.turned = true;
  texts.height = 0;
  for (std::size_t i = 0; i < texts.ticks.size(); ++i) {
    texts.lines[i] = {on_one_line(texts.ticks[i].text)};
    const double width = text_width(texts.lines[i].front(), small_size);
    texts.height = std::max(texts.height, width * std::sin(radians) + small_size);
    texts.beyond = std::max(texts.beyond, width * std::cos(radians) + small_size - (at(texts.ticks[i].at) - at.begin));
  }
  return texts;
}

/// Whether a text ends farther right than the margin beside the panel allows.
inline bool juts_out(const TickTexts& texts, const Projection& at) {
  constexpr double most = 9;
  for (std::size_t i = 0; i < texts.ticks.size(); ++i) {
    if (at(texts.ticks[i].at) + widest(texts.lines[i], small_size) / 2 > at.end + most) {
      return true;
    }
  }
  return false;
}

/// Ticks and texts of an x axis: as many chosen ticks as have room, or the given ones, broken or turned.
inline TickTexts texts_below(const report::Axis& axis, const Projection& at) {
  if (!axis.has_ticks) {
    return {};
  }
  if (axis.ticks.empty()) {
    for (int most = 8; most > 1; --most) {
      TickTexts texts = laid_out(ticks_of(axis, at.range, most), at, false);
      if (!touch(texts, at)) {
        return texts;
      }
    }
    return laid_out(ticks_of(axis, at.range, 1), at, false);
  }
  const std::vector<report::Tick> given = ticks_of(axis, at.range, 0);
  TickTexts texts = laid_out(given, at, false);
  if (touch(texts, at) || juts_out(texts, at)) {
    texts = laid_out(given, at, true);
  }
  return touch(texts, at) ? turned(std::move(texts), at) : texts;
}

}  // namespace regimen::inline v0::detail::reports
