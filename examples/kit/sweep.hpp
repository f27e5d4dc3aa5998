#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <regimen/experiment/results.hpp>
#include <regimen/report/series.hpp>
#include <regimen/report/table.hpp>
#include <regimen/statistics/log_log_slope.hpp>
#include <regimen/statistics/mean.hpp>

#include "format.hpp"

namespace kit {

/// How a column shows a measure's values of all seeds.
enum class Over {
  interval,  ///< their mean with its Student-t interval
  mean,      ///< their mean; for what is no random number, too
  percent,   ///< their mean, in percent
  largest,   ///< the largest magnitude
  power,     ///< the same, as a power of ten: "4e-12"
};

/// A column of a sweep's table.
struct SweepColumn {
  std::string title{};
  std::string measure{};  ///< its name in the record
  int digits = 2;
  Over over = Over::interval;
};

/// Results that differ in one factor, a whole number that is varied, and in their seeds.
///     const kit::Sweep widths(results, {{"part", "lazy"}}, "width", {32, 64, 128});
class Sweep {
 public:
  /// `fixed`: the factors that all results of the sweep have in common. Values without a result are left out.
  Sweep(const regimen::experiment::Results& results, const regimen::experiment::Factors& fixed,
        const std::string& varied, const std::vector<int>& values) {
    for (const int value : values) {
      regimen::experiment::Factors wanted = fixed;
      wanted.emplace_back(varied, std::to_string(value));
      if (auto found = results.where(wanted); !found.empty()) {
        settings_.push_back(value);
        found_.emplace(value, std::move(found));
      }
    }
  }

  /// The varied factor's values that there are results of, in their order.
  [[nodiscard]] const std::vector<int>& settings() const { return settings_; }
  [[nodiscard]] bool empty() const { return settings_.empty(); }

  /// A measure at one setting, of each seed.
  [[nodiscard]] std::vector<double> values(int at, const std::string& measure) const {
    return found_.at(at).values([&](const auto& each) { return each.measure(measure); });
  }
  [[nodiscard]] regimen::Interval mean(int at, const std::string& measure) const {
    return regimen::mean_interval(values(at, measure));
  }

  /// The largest magnitude over the seeds; NaN if one of the values is.
  [[nodiscard]] double largest(int at, const std::string& measure) const {
    double most = 0;
    for (const double value : values(at, measure)) {
      most = std::isnan(value) || std::abs(value) > most ? std::abs(value) : most;
    }
    return most;
  }
  /// The largest magnitude over all settings and seeds; NaN if one of the values is.
  [[nodiscard]] double largest(const std::string& measure) const {
    double most = 0;
    for (const int at : settings_) {
      const double here = largest(at, measure);
      most = std::isnan(here) || here > most ? here : most;
    }
    return most;
  }

  /// The exponent of a measure as a power of the setting, of each seed alone; NaN if one of the numbers is not above 0,
  /// or not finite: a network that diverged.
  [[nodiscard]] regimen::Interval exponent(const std::string& measure) const {
    std::map<std::string, std::pair<std::vector<double>, std::vector<double>>> by_seed;
    for (const int at : settings_) {
      for (const auto& result : found_.at(at)) {
        auto& [x, y] = by_seed[result.factor("seed")];
        x.push_back(at);
        y.push_back(result.measure(measure));
      }
    }
    std::vector<double> exponents;
    for (const auto& [seed, points] : by_seed) {
      const auto& y = points.second;
      const bool fit = std::all_of(y.begin(), y.end(), [](double value) { return value > 0 && std::isfinite(value); });
      if (y.size() >= 2) {
        exponents.push_back(fit ? regimen::log_log_slope(points.first, y) : regimen::unknown);
      }
    }
    return regimen::mean_interval(exponents);
  }

  /// A row for each setting, over `unit` with its digits, and a column for each measure.
  [[nodiscard]] regimen::report::Table table(const std::string& title, const std::string& head,
                                             const std::vector<SweepColumn>& columns, double unit = 1,
                                             int digits = 0) const {
    using regimen::report::Kind;
    std::vector<regimen::report::Column> all{{.name = head, .kind = Kind::number, .digits = digits}};
    for (const SweepColumn& column : columns) {
      constexpr Kind kinds[] = {Kind::interval, Kind::number, Kind::percent, Kind::number, Kind::text};
      all.push_back({.name = column.title,
                     .key = column.measure + (column.over == Over::largest ? "_largest" : ""),
                     .kind = kinds[static_cast<std::size_t>(column.over)],
                     .digits = column.digits,
                     .align = regimen::report::Align::right});
    }
    regimen::report::Table result(std::move(all), title);
    for (const int at : settings_) {
      std::vector<regimen::report::Cell> cells{at / unit};
      for (const SweepColumn& column : columns) {
        cells.push_back(cell(at, column));
      }
      result.add(std::move(cells));
    }
    return result;
  }

  /// A measure against the setting over `unit`, with its intervals; without points if there are no results.
  [[nodiscard]] regimen::report::ErrorBars bars(const std::string& measure, const std::string& name,
                                                const std::string& colour, double unit = 1) const {
    regimen::report::ErrorBars result{.name = name, .style = {.colour = colour}};
    for (const int at : settings_) {
      result.x.push_back(at / unit);
      result.y.emplace_back(mean(at, measure));
    }
    return result;
  }

 private:
  [[nodiscard]] regimen::report::Cell cell(int at, const SweepColumn& column) const {
    switch (column.over) {
      case Over::interval:
        return mean(at, column.measure);
      case Over::largest:
        return largest(at, column.measure);
      case Over::power:
        return format("%.0e", largest(at, column.measure));
      default:
        return mean(at, column.measure).mean;
    }
  }

  std::vector<int> settings_{};
  std::map<int, regimen::experiment::Results> found_{};
};

}  // namespace kit
