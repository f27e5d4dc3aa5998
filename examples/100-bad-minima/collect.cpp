#include "collect.hpp"

#include <optional>
#include <string>

#include "plan.hpp"
#include "unit.hpp"

namespace rg = regimen;

Results collect(const Settings& settings) {
  Results results;
  for (const Unit& unit : units_of(settings)) {
    bool complete = true;
    const auto add = [&](const std::string& what, const auto& keep) {
      const std::string job = unit.job(what);
      const std::optional<rg::History> history = finished_history(job, settings);
      if (history) {
        keep(job, *history);
        results.jobs.push_back(job);
      }
      complete = complete && history.has_value();
    };
    if (unit.copies > 0) {
      add(memorizing, [&](const std::string&, const rg::History& history) {
        results.memorized.push_back({unit.model, unit.seed, unit.copies, history});
      });
    }
    for (const Regularizers& set : sets_of(settings)) {
      add(set.name(), [&](const std::string& job, const rg::History& history) {
        results.arms.push_back(
            {unit.model, unit.seed, unit.copies, set.name(), history,
             *regimen::experiment::read_score(regimen::experiment::JobFiles{settings.out, job}.score())});
      });
    }
    results.units += complete ? 1 : 0;
    ++results.units_planned;
  }
  return results;
}
