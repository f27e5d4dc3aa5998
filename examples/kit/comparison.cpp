#include "comparison.hpp"

#include <cstddef>

#include "format.hpp"

namespace ex = regimen::experiment;
namespace rg = regimen;

namespace kit {

using rg::report::Kind;

Comparison compare(const std::string& name, const ex::Results& a, const ex::Results& b) {
  Comparison result{.name = name, .a = ex::over_seeds(a), .b = ex::over_seeds(b)};
  result.lost = ex::paired_by_seed(result.a, result.b);
  return result;
}

Comparisons comparisons_of(const ex::Results& a, const ex::Results& b, const std::string& factor,
                           const std::vector<std::string>& rows, const std::vector<ex::Results>& others) {
  std::vector<ex::Results> arms = others;
  for (const std::string& row : rows) {
    arms.insert(arms.end(), {a.where({{factor, row}}), b.where({{factor, row}})});
  }
  Comparisons group{.seeds = ex::seeds_of_all(arms)};
  for (std::size_t i = 0; i < rows.size() && !group.seeds.empty(); ++i) {
    const std::size_t at = others.size() + 2 * i;
    group.rows.push_back(
        compare(rows[i], ex::of_seeds(arms[at], group.seeds), ex::of_seeds(arms[at + 1], group.seeds)));
  }
  return group;
}

std::string interval_in_words(const rg::Interval& value) {
  return value.n < 2 ? "" : format(" (95 %% interval %.1f to %.1f)", value.low(), value.high());
}

rg::report::Table table_of(const Comparisons& group, const Words& words, const std::string& title,
                           const std::vector<MoreColumn>& more) {
  const auto interval = [](const std::string& name) {
    return rg::report::Column{.name = name, .kind = Kind::interval, .align = rg::report::Align::left, .width = 17};
  };
  std::vector<rg::report::Column> columns{{.key = words.rows, .width = 28},
                                          interval("test, " + words.a),
                                          interval("test, " + words.b),
                                          interval(words.lost + " (points)"),
                                          {.name = "training labels", .width = 17}};
  for (const auto& [column, cell_of] : more) {
    columns.push_back(column);
  }
  rg::report::Table table(columns, title);
  for (const Comparison& row : group.rows) {
    const rg::report::Cell lost = row.diverged() ? rg::report::Cell(rg::report::Missing{"diverged"}) : row.lost;
    std::vector<rg::report::Cell> cells{row.name, row.a.accuracy_cell(), row.b.accuracy_cell(),
                                        group.says_lost ? lost : rg::report::Missing{"not reported"},
                                        format("%6.2f %6.2f %%", 100 * row.a.least_fit, 100 * row.b.least_fit)};
    for (const auto& [column, cell_of] : more) {
      cells.push_back(cell_of(row));
    }
    table.add(std::move(cells));
  }
  return table;
}

rg::report::Table summary_of(const std::vector<Comparisons>& groups, const Words& words,
                             const std::vector<std::string>& measures) {
  std::vector<rg::report::Column> columns;
  for (const auto& [name, value] : groups.empty() ? ex::Factors{} : groups.front().factors) {
    columns.push_back({.name = name});
  }
  columns.push_back({.name = words.rows});
  columns.push_back({.name = "seeds", .kind = Kind::whole});
  std::vector<std::string> numbers;
  for (const std::string& arm : {words.a, words.b}) {
    numbers.insert(numbers.end(), {arm + "_test", arm + "_half_width"});
  }
  numbers.insert(numbers.end(), {words.lost, words.lost + "_half_width"});
  numbers.insert(numbers.end(), {words.a + "_least_fit", words.b + "_least_fit"});
  for (const std::string& measure : measures) {
    numbers.insert(numbers.end(), {words.a + "_" + measure, words.b + "_" + measure});
  }
  for (const std::string& name : numbers) {
    columns.push_back({.name = name, .kind = Kind::number, .csv_digits = 4});
  }
  rg::report::Table table(columns);
  for (const Comparisons& group : groups) {
    for (const Comparison& row : group.rows) {
      std::vector<rg::report::Cell> cells;
      for (const auto& [name, value] : group.factors) {
        cells.emplace_back(value);
      }
      const auto unless = [](bool left_out, const rg::Interval& value) { return left_out ? rg::Interval{} : value; };
      const rg::Interval a = unless(!row.a.diverged.empty(), row.a.mean_accuracy);
      cells.insert(cells.end(), {row.name, a.n});
      for (const rg::Interval& value : {a, unless(!row.b.diverged.empty(), row.b.mean_accuracy),
                                        unless(!group.says_lost || row.diverged(), row.lost)}) {
        cells.insert(cells.end(), {value.mean, value.half_width});
      }
      cells.insert(cells.end(), {row.a.least_fit, row.b.least_fit});
      for (const std::string& measure : measures) {
        cells.insert(cells.end(), {row.a.mean_measure(measure), row.b.mean_measure(measure)});
      }
      table.add(std::move(cells));
    }
  }
  return table;
}

std::string diverged_arms(const Comparisons& group, const Words& words) {
  std::string text;
  const auto add = [&](const Comparison& row, const std::string& arm, const ex::OverSeeds& over) {
    std::string list;
    for (const std::string& seed : over.diverged) {
      list += (list.empty() ? "" : ", ") + seed;
    }
    text += list.empty()
                ? ""
                : "Diverged: " + row.name + " from the " + arm + " " + words.both + " with seed " + list + ".\n";
  };
  for (const Comparison& row : group.rows) {
    add(row, words.a, row.a);
    add(row, words.b, row.b);
  }
  return text;
}

rg::report::Picture picture_of(const Comparisons& group, const std::string& a, const std::string& b) {
  rg::report::ErrorBars of_a{.name = a};
  rg::report::ErrorBars of_b{.name = b};
  rg::report::Bars lost{.width = 0.4, .style = {.colour = rg::report::colour::vermillion}};
  rg::report::Axis rows{.from = -0.6};
  for (const Comparison& row : group.rows) {
    if (row.diverged()) {
      continue;
    }
    const auto place = static_cast<double>(rows.ticks.size());
    rows.ticks.push_back({place, row.name});
    of_a.x.push_back(place - 0.08);
    of_a.y.push_back(row.a.mean_accuracy);
    of_b.x.push_back(place + 0.08);
    of_b.y.push_back(row.b.mean_accuracy);
    lost.x.push_back(place);
    lost.y.push_back(row.lost);
  }
  const std::size_t n = group.seeds.size();
  rg::report::Picture picture{
      .caption = n < 2 ? "One seed, no intervals." : "Bars: 95 % intervals, n = " + std::to_string(n) + " seeds.",
      .columns = 2};
  if (rows.ticks.empty()) {
    return picture;
  }
  rows.to = static_cast<double>(rows.ticks.size()) - 0.4;
  picture.panels.push_back({.x = rows, .y = {.label = "test accuracy (%)"}, .series = {of_a, of_b}});
  if (group.says_lost) {
    picture.panels.push_back({.x = rows, .y = {.label = "test accuracy lost (points)"}, .series = {lost}});
  } else {
    picture.width /= 2;
  }
  return picture;
}

}  // namespace kit
