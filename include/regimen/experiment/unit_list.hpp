#pragma once
// No LibTorch.

#include <algorithm>
#include <iterator>
#include <string>

#include "regimen/base/json.hpp"
#include "regimen/experiment/plan.hpp"
#include "regimen/experiment/task.hpp"

namespace regimen::inline v0::experiment {

namespace detail {

/// The factors with one value for all jobs of a unit, but those that have the name of another column.
inline Factors common_factors(const Unit& unit) {
  Factors common;
  if (!unit.jobs.empty()) {
    std::copy_if(unit.jobs.front().factors.begin(), unit.jobs.front().factors.end(), std::back_inserter(common),
                 [&](const auto& factor) {
                   return factor.first != "unit" && factor.first != "jobs" &&
                          std::all_of(unit.jobs.begin(), unit.jobs.end(), [&](const ExpectedJob& job) {
                            return std::find(job.factors.begin(), job.factors.end(), factor) != job.factors.end();
                          });
                 });
  }
  return common;
}

inline std::string json_of(const Unit& unit) {
  namespace json = regimen::detail::json;  // std::quoted is found, too, by the type of its argument
  std::string text = "{\"unit\": " + json::quoted(unit.name) + ", \"jobs\": " + std::to_string(unit.jobs.size());
  for (const auto& [name, value] : common_factors(unit)) {
    text += ", " + json::quoted(name) + ": " + json::quoted(value);
  }
  return text + "}";
}

/// A table with a column for each factor that is common to the jobs of every unit.
inline std::string tsv_of(const Plan& plan) {
  Factors columns = plan.empty() ? Factors() : common_factors(plan.front());
  for (const Unit& unit : plan) {
    const Factors has = common_factors(unit);
    std::erase_if(columns, [&](const auto& column) {
      return std::none_of(has.begin(), has.end(), [&](const auto& factor) { return factor.first == column.first; });
    });
  }
  std::string text = "unit\tjobs";
  for (const auto& column : columns) {
    text += "\t" + column.first;
  }
  for (const Unit& unit : plan) {
    text += "\n" + unit.name + "\t" + std::to_string(unit.jobs.size());
    const Factors has = common_factors(unit);
    for (const auto& column : columns) {
      text += "\t" + std::find_if(has.begin(), has.end(), [&](const auto& factor) {
                       return factor.first == column.first;
                     })->second;
    }
  }
  return text + "\n";
}

}  // namespace detail

/// The units as `--list` prints them: their names, one a line; a JSON array of {"unit": NAME, "jobs": COUNT, FACTOR:
/// VALUE, ...}; or a table with tabs between its columns and a line of their names. Factors are those that all jobs of
/// a unit share.
inline std::string list_of(const Plan& plan, UnitList as) {
  if (as == UnitList::tsv) {
    return detail::tsv_of(plan);
  }
  std::string text;
  for (const Unit& unit : plan) {
    text += as == UnitList::json ? (text.empty() ? "[" : ",\n ") + detail::json_of(unit) : unit.name + "\n";
  }
  return as != UnitList::json ? text : text.empty() ? "[]\n" : text + "]\n";
}

}  // namespace regimen::inline v0::experiment
