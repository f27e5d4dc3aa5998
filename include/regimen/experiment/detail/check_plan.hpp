#pragma once
// No LibTorch.

#include <algorithm>
#include <cctype>
#include <cstring>
#include <set>
#include <string>

#include "regimen/experiment/errors.hpp"
#include "regimen/experiment/plan.hpp"

namespace regimen::inline v0::experiment::detail {

/// Throws UsageError for a unit's name that `--unit`, a shell or a file system could not tell from something else.
inline void check_unit_name(const std::string& name) {
  const auto is_ordinary = [](unsigned char c) {
    return std::isalnum(c) != 0 || (c != 0 && std::strchr("._+=:-", c) != nullptr);
  };
  const auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  if (name.empty() || name.front() == '-' || !std::all_of(name.begin(), name.end(), is_ordinary) ||
      std::all_of(name.begin(), name.end(), is_digit)) {
    throw UsageError("Experiment::plan: a unit is called \"" + name +
                     "\"; a name is of letters, digits and ._+=:- but no number, nor does it begin with -, for it is a "
                     "word of command lines and part of file names");
  }
}

/// Throws UsageError for such names; for two units, or two jobs, of one name, which would write the same files; and
/// for a unit without jobs.
inline void check_plan(const Plan& plan) {
  std::set<std::string> names;
  std::set<std::string> jobs;
  for (const Unit& unit : plan) {
    check_unit_name(unit.name);
    if (!names.insert(unit.name).second) {
      throw UsageError("Experiment::plan: two units are called " + unit.name + "; give each a name of its own");
    }
    if (unit.jobs.empty()) {
      throw UsageError("Experiment::plan: the unit " + unit.name +
                       " has no jobs; it could not be told when it is done");
    }
    for (const ExpectedJob& job : unit.jobs) {
      if (!jobs.insert(job.name).second) {
        throw UsageError("Experiment::plan: two jobs are called " + job.name +
                         " and would write the same files; give each a name of its own");
      }
    }
  }
}

}  // namespace regimen::inline v0::experiment::detail
