#pragma once
// No LibTorch.

#include <algorithm>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "regimen/report/detail/axis_plan.hpp"
#include "regimen/report/detail/svg_legend.hpp"
#include "regimen/report/detail/svg_series.hpp"
#include "regimen/report/detail/svg_tiles.hpp"
#include "regimen/report/picture.hpp"

/// The layout of one panel, and its shapes.
namespace regimen::inline v0::detail::reports {

inline constexpr const char* axis_colour = "#444444";
inline constexpr const char* grid_colour = "#dddddd";
inline constexpr double tick_length = 4;

/// A text above the plot.
struct Word {
  double x = 0;  ///< left end, in px
  std::string text{};
  std::vector<std::string> lines{};
};

/// The heights of a row of panels from above, in px: each the largest that any of the panels needs.
struct Heights {
  double title = 0;
  double words = 0;
  double plot = 0;
  double below = 0;

  void make_room_for(const Heights& other) {
    title = std::max(title, other.title);
    words = std::max(words, other.words);
    plot = std::max(plot, other.plot);
    below = std::max(below, other.below);
  }
  [[nodiscard]] double all() const { return title + words + plot + below; }
};

/// The layout of a panel, in steps: `left`, then `place`, then `heights`, then `drawn`.
class PanelPlan {
 public:
  PanelPlan(const report::Panel& panel, const std::string& where) : panel_(panel) {
    if (is_tiles()) {
      return;
    }
    plane_.x = {.range = range_of(panel, where, true), .is_log = panel.x.scale == report::Scale::log};
    plane_.y = {.range = range_of(panel, where, false), .is_log = panel.y.scale == report::Scale::log};
    const int most = std::clamp(static_cast<int>(panel.height / 30), 2, 8);
    y_ticks_ = ticks_of(panel.y, plane_.y.range, most);
    double widest_text = 0;
    for (const report::Tick& tick : y_ticks_) {
      widest_text = std::max(widest_text, widest(broken(tick.text, small_size, 1e9), small_size));
    }
    left_ = widest_text + (y_ticks_.empty() ? 2 : tick_length + 5) + (panel.y.label.empty() ? 0 : 20);
  }

  [[nodiscard]] bool is_tiles() const { return !panel_.tiles.rows.empty(); }

  /// The room left of the plot, in px.
  [[nodiscard]] double left() const { return std::max(left_, below_.beyond); }

  /// Lays out the parts that depend on the plot's position; `cell`: the left end of the panel, `width`: its full width.
  void place(double plot_left, double plot_width, double cell, double width) {
    box_.left = is_tiles() ? cell : plot_left;
    box_.width = is_tiles() ? width : plot_width;
    const double room = cell + width - box_.left;
    title_ = panel_.title.empty() ? Texts{} : broken(panel_.title, title_size * bold_width, room);
    subtitle_ = panel_.subtitle.empty() ? Texts{} : broken(panel_.subtitle, small_size, room);
    if (is_tiles()) {
      return;
    }
    plane_.x.begin = box_.left;
    plane_.x.end = box_.right();
    below_ = texts_below(panel_.x, plane_.x);
    place_words(cell + width);
  }

  [[nodiscard]] Heights heights() const {
    Heights result;
    result.title = static_cast<double>(title_.size()) * line_height(title_size) +
                   static_cast<double>(subtitle_.size()) * line_height(small_size);
    result.title += result.title > 0 ? 6 : 0;
    if (is_tiles()) {
      result.plot = TilesPlan(panel_.tiles, box_.width).height();
      return result;
    }
    std::size_t lines = 0;
    for (const Word& word : words_) {
      lines = std::max(lines, word.lines.size());
    }
    result.words = lines > 0 ? static_cast<double>(lines) * line_height(small_size) + 3 : 0;
    result.plot = panel_.height;
    result.below = (below_.ticks.empty() ? 3 : tick_length + 4 + below_.height) + (panel_.x.label.empty() ? 0 : 18);
    return result;
  }

  [[nodiscard]] std::string drawn(double top, const Heights& row, const Styles& styles) {
    std::string result = lines_at(box_.left, top + title_size, title_, {.size = title_size, .bold = true});
    const double titles = static_cast<double>(title_.size()) * line_height(title_size);
    result += lines_at(box_.left, top + titles + small_size, subtitle_, {.colour = soft_colour});
    box_.top = top + row.title + row.words;
    if (is_tiles()) {
      return result + TilesPlan(panel_.tiles, box_.width).drawn(box_.left, top + row.title);
    }
    box_.height = row.plot;
    plane_.y.begin = box_.bottom();
    plane_.y.end = box_.top;
    result += ground();
    for (std::size_t i = 0; i < panel_.series.size(); ++i) {
      result += detail::reports::drawn(panel_.series[i], plane_, box_, styles.of(panel_, i));
    }
    return result + axes() + words();
  }

 private:
  using Texts = std::vector<std::string>;

  void place_words(double right) {
    words_.clear();
    const auto add = [&](double from, double to, const std::string& text) {
      if (!text.empty() && to >= plane_.x.range.from && from <= plane_.x.range.to) {
        words_.push_back({std::max(plane_.x(from), box_.left), text, {}});
      }
    };
    for (const report::Stretch& stretch : panel_.stretches) {
      add(stretch.from, stretch.to, stretch.text);
    }
    for (const report::VerticalMark& mark : panel_.marks) {
      add(mark.at, mark.at, mark.text);
    }
    std::stable_sort(words_.begin(), words_.end(), [](const Word& a, const Word& b) { return a.x < b.x; });
    for (std::size_t i = 0; i < words_.size(); ++i) {
      const double end = i + 1 < words_.size() ? words_[i + 1].x - 5 : right;
      words_[i].lines = broken(words_[i].text, small_size, end - words_[i].x);
    }
  }

  /// The shapes below all series: shaded stretches and the lines at the ticks of y.
  [[nodiscard]] std::string ground() const {
    std::string result;
    for (const report::Stretch& stretch : panel_.stretches) {
      const double from = std::clamp(plane_.x(stretch.from), box_.left, box_.right());
      const double to = std::clamp(plane_.x(stretch.to), box_.left, box_.right());
      result += stretch.colour.empty() ? "" : rectangle({from, box_.top, to - from, box_.height}, stretch.colour);
    }
    for (const report::Tick& tick : y_ticks_) {
      const double y = plane_.y(tick.at);
      result += line({box_.left, y}, {box_.right(), y}, grid_colour);
    }
    return result;
  }

  [[nodiscard]] std::string axes() const {
    std::string result;
    const bool has_bars = std::any_of(panel_.series.begin(), panel_.series.end(), [](const report::Series& series) {
      return std::holds_alternative<report::Bars>(series);
    });
    if (has_bars && plane_.y.range.from < 0 && plane_.y.range.to > 0) {
      result += line({box_.left, plane_.y(0)}, {box_.right(), plane_.y(0)}, axis_colour);
    }
    result += line({box_.left, box_.top}, {box_.left, box_.bottom()}, axis_colour);
    result += line({box_.left, box_.bottom()}, {box_.right(), box_.bottom()}, axis_colour);
    for (const report::Tick& tick : y_ticks_) {
      const double y = plane_.y(tick.at);
      result += line({box_.left - tick_length, y}, {box_.left, y}, axis_colour);
      result += text_at(box_.left - tick_length - 4, y + 4, on_one_line(tick.text), {.anchor = "end"});
    }
    for (std::size_t i = 0; i < below_.ticks.size(); ++i) {
      const double x = plane_.x(below_.ticks[i].at);
      const double y = box_.bottom() + tick_length + small_size + 2;
      result += line({x, box_.bottom()}, {x, box_.bottom() + tick_length}, axis_colour);
      result += below_.turned ? text_at(x + 4, y - 2, below_.lines[i].front(), {.anchor = "end", .turned = -turned_by})
                              : lines_at(x, y, below_.lines[i], {.anchor = "middle"});
    }
    const double ticks = below_.ticks.empty() ? 3 : tick_length + 4 + below_.height;
    result += text_at(box_.left + box_.width / 2, box_.bottom() + ticks + label_size, on_one_line(panel_.x.label),
                      {.size = label_size, .anchor = "middle"});
    result += text_at(box_.left - left_ + label_size, box_.top + box_.height / 2, on_one_line(panel_.y.label),
                      {.size = label_size, .anchor = "middle", .turned = -90});
    return result;
  }

  [[nodiscard]] std::string words() const {
    std::string result;
    for (const report::VerticalMark& mark : panel_.marks) {
      if (plane_.x.range.has(mark.at)) {
        result += line({plane_.x(mark.at), box_.top}, {plane_.x(mark.at), box_.bottom()}, axis_colour);
      }
    }
    for (const Word& word : words_) {
      const double above = static_cast<double>(word.lines.size() - 1) * line_height(small_size);
      result += lines_at(word.x, box_.top - 5 - above, word.lines, {});
    }
    return result;
  }

  const report::Panel& panel_;
  Plane plane_{};
  Box box_{};
  std::vector<report::Tick> y_ticks_{};
  TickTexts below_{};
  Texts title_{};
  Texts subtitle_{};
  std::vector<Word> words_{};
  double left_ = 0;
};

}  // namespace regimen::inline v0::detail::reports
