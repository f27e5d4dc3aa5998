#pragma once
// No LibTorch.

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "regimen/base/json.hpp"
#include "regimen/experiment/detail/json_fields.hpp"
#include "regimen/experiment/errors.hpp"
#include "regimen/experiment/plan.hpp"

namespace regimen::inline v0::experiment {

namespace detail {

/// The unit of this name. Throws UsageError if no unit has it.
inline const Unit& unit_called(const Plan& plan, const std::string& name) {
  const auto found = std::find_if(plan.begin(), plan.end(), [&](const Unit& unit) { return unit.name == name; });
  if (found == plan.end()) {
    throw UsageError("--unit must be one of those that --list prints, but is \"" + name + "\"");
  }
  return *found;
}

/// The units of the pack that an index counts, from 1.
inline Plan pack_of(const Plan& plan, std::string_view index, std::size_t pack, const std::string& option) {
  std::size_t number = 0;
  const auto read = std::from_chars(index.data(), index.data() + index.size(), number);
  const std::size_t packs = (plan.size() + pack - 1) / pack;
  if (read.ec != std::errc() || number < 1 || number > packs) {
    throw UsageError(option + " is " + std::string(index) + ", and " +
                     (pack == 1 ? "the units" : "the packs of " + std::to_string(pack)) + " are counted from 1 to " +
                     std::to_string(packs) + ": SLURM's --array=1-" + std::to_string(packs));
  }
  const auto begin = plan.begin() + static_cast<std::ptrdiff_t>((number - 1) * pack);
  const auto count = std::min(pack, plan.size() - (number - 1) * pack);
  return {begin, begin + static_cast<std::ptrdiff_t>(count)};
}

/// A text without white space at its ends.
inline std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

/// The unit that an item of `--list json` names, such as {"unit": "seed1", "seed": "1"}.
inline const Unit& unit_of_item(const Plan& plan, const std::string& item, const std::string& option) {
  const std::vector<JsonField> fields = json_fields(item);
  const auto named =
      std::find_if(fields.begin(), fields.end(), [](const JsonField& field) { return field.path == "unit"; });
  const auto unit = std::find_if(plan.begin(), plan.end(), [&](const Unit& each) {
    return named != fields.end() && regimen::detail::json::quoted(each.name) == named->value;
  });
  if (unit == plan.end()) {
    throw UsageError(option + " must be an item of --list json, but is " + item);
  }
  return *unit;
}

}  // namespace detail

/// The units that `--unit WORD` means: all of them for no word; the one of this name, or those of names with commas
/// between; or for "@VARIABLE" what the
/// variable of the environment holds, as a driver sets it: an index from 1 (SLURM_ARRAY_TASK_ID), a line of `--list`,
/// or an item of `--list json` (HQ_ENTRY). With `pack` units an index counts packs of so many, in the plan's order.
/// Throws UsageError for a name that no unit has, a variable that is not set, an index out of range, and a pack without
/// an index.
inline Plan chosen(const Plan& plan, const std::string& word, int pack = 1) {
  if (word.empty()) {
    return plan;
  }
  if (word.front() != '@') {
    if (pack > 1) {
      throw UsageError("--pack: packs are counted by an index, as in --unit @SLURM_ARRAY_TASK_ID, and --unit is " +
                       word);
    }
    Plan units;
    for (std::size_t begin = 0; begin <= word.size();) {
      const std::size_t end = std::min(word.find(',', begin), word.size());
      const Unit& unit = detail::unit_called(plan, word.substr(begin, end - begin));
      if (std::any_of(units.begin(), units.end(), [&](const Unit& other) { return other.name == unit.name; })) {
        throw UsageError("--unit names " + unit.name + " twice");
      }
      units.push_back(unit);
      begin = end + 1;
    }
    return units;
  }
  const std::string option = "--unit " + word + ": the variable";
  const char* const set = std::getenv(word.c_str() + 1);
  const std::string value(detail::trimmed(set == nullptr ? "" : set));
  if (value.empty()) {
    throw UsageError(option + (set == nullptr ? " is not set" : " is empty"));
  }
  if (value.find_first_not_of("0123456789") == std::string::npos) {
    return detail::pack_of(plan, value, static_cast<std::size_t>(std::max(1, pack)), option);
  }
  if (pack > 1) {
    throw UsageError("--pack: packs are counted by an index, and " + word.substr(1) + " is " + value);
  }
  return {value.front() == '{' ? detail::unit_of_item(plan, value, option) : detail::unit_called(plan, value)};
}

}  // namespace regimen::inline v0::experiment
