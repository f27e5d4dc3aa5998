#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "regimen/run/detail/check_run.hpp"
#include "regimen/run/detail/observers.hpp"
#include "regimen/run/phase.hpp"
#include "regimen/run/run_manifest.hpp"
#include "regimen/run/scoring.hpp"

namespace regimen::inline v0::detail {

/// Tells the observers that a run begins, and what is noteworthy about it. shards: virtual shards of a shared run, else
/// 0.
inline void announce(const Model& model, const std::vector<Phase>& phases, const Scoring& scoring,
                     const Observers& observers, const State& state, int shards) {
  std::vector<std::string> names;
  std::vector<std::int64_t> epochs;
  for (const Phase& phase : phases) {
    names.push_back(phase.name);
    epochs.push_back(phase.epochs);
  }
  const std::vector<std::string> measures = scoring.measure_names();
  const std::function<std::string()> manifest = [&] {
    return describe_run(model, phases, scoring, observers.manifests(), state.clock, shards);
  };
  observers.tell(RunBegin{names, epochs, measures, state.history, manifest});
  for (const Phase& phase : phases) {
    for (const std::string& said : {repeated_parameters(phase, model), untried_last_batch(phase, scoring, model)}) {
      if (!said.empty()) {
        observers.tell(Notice{said});
      }
    }
  }
}

}  // namespace regimen::inline v0::detail
