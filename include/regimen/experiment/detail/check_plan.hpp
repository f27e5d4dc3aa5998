#pragma once
// No LibTorch.

#include <set>
#include <string>

#include "regimen/base/error.hpp"
#include "regimen/experiment/plan.hpp"

namespace regimen::inline v0::experiment::detail {

/// Throws Error for a unit's name that `--unit` and the scripts of schedulers could not tell from others: names are
/// words of a command line and parts of file names.
inline void check_unit_name(const std::string& name) {
  const bool can_begin = !name.empty() && std::string("@-{").find(name.front()) == std::string::npos;
  if (!can_begin || name.find_first_of(" \t\n\r,/\\\"'") != std::string::npos) {
    throw Error("Experiment::plan: a unit is called \"" + name +
                "\"; its name must not be empty, begin with @, - or {, or have white space, commas, slashes or quotes "
                "(experiment::file_name replaces some of them)");
  }
}

/// Throws Error for such names, and for two units, or two jobs, of one name: they would write the same files.
inline void check_plan(const Plan& plan) {
  std::set<std::string> names;
  std::set<std::string> jobs;
  for (const Unit& unit : plan) {
    check_unit_name(unit.name);
    if (!names.insert(unit.name).second) {
      throw Error("Experiment::plan: two units are called " + unit.name + "; give each a name of its own");
    }
    for (const ExpectedJob& job : unit.jobs) {
      if (!jobs.insert(job.name).second) {
        throw Error("Experiment::plan: two jobs are called " + job.name +
                    " and would write the same files; give each a name of its own");
      }
    }
  }
}

}  // namespace regimen::inline v0::experiment::detail
