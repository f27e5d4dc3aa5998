#pragma once
// No LibTorch.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <system_error>
#include <variant>
#include <vector>

#include "regimen/base/utf8.hpp"
#include "regimen/report/picture.hpp"
#include "regimen/report/ticks.hpp"

/// Where on its axes a number of a panel lies, in words.
namespace regimen::inline v0::detail::reports {

/// A number with five digits, "0.25", "-3", "1.2e-05"; a whole one below 1e15 with all of its digits; "" for NaN.
inline std::string five_digits(double value) {
  char buffer[32];
  if (std::isnan(value)) {
    return "";
  }
  const bool is_whole = value == std::trunc(value) && std::abs(value) < 1e15;
  const auto end =
      is_whole ? std::to_chars(buffer, buffer + sizeof buffer, value == 0 ? 0 : value, std::chars_format::fixed, 0)
               : std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::general, 5);
  return {buffer, end.ptr};
}

/// Whether the text of a tick is the number at which it stands: "0.33" at 1/3, "20 %" at 20 or 0.2, "10⁻⁵" at 1e-5. A
/// tick of any other text is a name: "vanilla", "20 layers", and "10" at 0, where the places are counted.
inline bool is_number(const report::Tick& tick) {
  std::string text = tick.text;
  if (text.starts_with("\u2212")) {
    text.replace(0, 3, "-");
  }
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string unit(end, static_cast<const char*>(text.data() + text.size()));
  const auto is_near = [&](double said) {
    const std::size_t point = text.find('.');
    const std::size_t digits = point == std::string::npos ? 0 : text.find_first_not_of("0123456789", point + 1);
    const double decimals =
        point == std::string::npos ? 0 : static_cast<double>(std::min(digits, text.size()) - point - 1);
    const double rounding = decimals > 0 ? 0.51 * std::pow(10, -decimals) : 0;
    return std::abs(said - tick.at) <= std::max(0.02 * std::abs(tick.at), rounding);
  };
  if (fault == std::errc{} && unit.empty()) {
    return is_near(value);
  }
  if (fault == std::errc{} && (unit == "%" || unit == " %")) {
    return is_near(value) || std::abs(value / 100 - tick.at) <= 0.02 * std::abs(tick.at);
  }
  return tick.at > 0 && tick.text == power_of_ten(static_cast<int>(std::lround(std::log10(tick.at))));
}

/// The texts along an axis: those of its ticks where they are given, else numbers.
class AxisTexts {
 public:
  explicit AxisTexts(const report::Axis& axis) : ticks_(axis.ticks) {
    named_ = !std::all_of(ticks_.begin(), ticks_.end(), is_number);
  }

  /// Whether a tick is a name rather than its number.
  [[nodiscard]] bool named() const { return named_; }

  /// The tick to which a number belongs, not further away than half the distance of two; null without one.
  [[nodiscard]] const report::Tick* nearest(double x) const {
    const report::Tick* found = nullptr;
    for (const report::Tick& tick : ticks_) {
      found = found == nullptr || std::abs(tick.at - x) < std::abs(found->at - x) ? &tick : found;
    }
    if (found == nullptr || found->at == x) {
      return found;
    }
    double spacing = ticks_.size() == 1 ? 1 : HUGE_VAL;
    for (const report::Tick& tick : ticks_) {
      spacing = &tick == found ? spacing : std::min(spacing, std::abs(tick.at - found->at));
    }
    return std::abs(found->at - x) <= spacing / 2 ? found : nullptr;
  }

  /// The tick that stands at a number; null without one.
  [[nodiscard]] const report::Tick* at(double x) const {
    const report::Tick* const found = nearest(x);
    return found != nullptr && std::abs(found->at - x) <= 1e-9 * std::abs(x) ? found : nullptr;
  }

 private:
  const std::vector<report::Tick>& ticks_;
  bool named_ = false;
};

/// Whether names stand on the y axis and all points at them, as in a forest plot: a row is a y, and its numbers are on
/// the x axis.
inline bool is_sideways(const report::Panel& panel, const AxisTexts& y) {
  const auto is_there = [&](double at) { return std::isnan(at) || y.at(at) != nullptr; };
  return y.named() && std::all_of(panel.series.begin(), panel.series.end(), [&](const report::Series& series) {
           return std::visit(
               [&](const auto& each) {
                 if constexpr (requires { each.y.front() + 1.0; }) {
                   return std::all_of(each.y.begin(), each.y.end(), is_there);
                 } else {
                   return false;
                 }
               },
               series);
         });
}

/// Where a row of a panel's table lies, in words: a group by name, a phase and its epoch, or the number.
class Places {
 public:
  explicit Places(const report::Panel& panel)
      : panel_(panel), sideways_(is_sideways(panel, AxisTexts(panel.y))), texts_(sideways_ ? panel.y : panel.x) {
    const std::vector<report::Stretch>& all = panel.stretches;
    phases_ = !sideways_ && all.size() > 1 && all.front().from == panel.x.from && all.back().to == panel.x.to;
    for (std::size_t i = 1; i < all.size(); ++i) {
      phases_ = phases_ && all[i].from == all[i - 1].to;
    }
  }

  /// Whether rows have names. Phases name their epochs, so "60|0" at the end of one is no name.
  [[nodiscard]] bool named() const { return !phases_ && texts_.named(); }

  [[nodiscard]] bool sideways() const { return sideways_; }

  /// Points that lie beside each other at one name share its row; a line also has places between names.
  [[nodiscard]] double row_of(double x, bool is_line) const {
    const report::Tick* const tick = named() ? is_line ? texts_.at(x) : texts_.nearest(x) : nullptr;
    return tick == nullptr ? x : tick->at;
  }

  /// Whether a row is never left out: one with a name.
  [[nodiscard]] bool is_kept(double row) const { return named() && texts_.at(row) != nullptr; }

  [[nodiscard]] std::string text_of(double row) const {
    for (const report::Stretch& stretch : panel_.stretches) {
      if (phases_ && row <= stretch.to) {
        return stretch.text + ", " + five_digits(row - stretch.from);
      }
    }
    const report::Tick* const tick = phases_ ? nullptr : texts_.at(row);
    return tick == nullptr ? five_digits(row) : on_one_line(tick->text);
  }

  /// The index of a row's phase; 0 without phases.
  [[nodiscard]] std::size_t phase_of(double row) const {
    std::size_t phase = 0;
    while (phases_ && phase + 1 < panel_.stretches.size() && row > panel_.stretches[phase].to) {
      ++phase;
    }
    return phase;
  }

 private:
  const report::Panel& panel_;
  bool sideways_;
  AxisTexts texts_;
  bool phases_ = false;  ///< stretches cover the axis
};

}  // namespace regimen::inline v0::detail::reports
