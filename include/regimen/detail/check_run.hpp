#pragma once

#include <string>
#include <vector>

#include "regimen/detail/guards.hpp"
#include "regimen/phase.hpp"

/// What is wrong with a run as a whole. All of it is said before the first step, so that no work is lost.
namespace regimen::inline v0::detail {

/// A criterion that waits for a score which never comes would wait forever, and in silence.
inline void check_metrics(const Phase& phase, const Splits& splits) {
  const auto check = [&](const std::vector<Metric>& metrics, const char* field) {
    for (const Metric metric : metrics) {
      if (!splits.scores(metric)) {
        throw Error("Phase \"" + phase.name + "\"." + field + " reads " + name_of(metric) +
                    ", which is never scored: set that data in Splits");
      }
    }
  };
  check(phase.until.metrics(), "until");
  check(phase.lr_scale.metrics(), "lr_scale");
}

inline void check_frozen_names(const Phase& phase, const Model& model) {
  for (const std::string& name : phase.freeze) {
    bool found = false;
    for (const Named& named : model.named_parameters()) {
      found = found || FreezeGuard::matches(named.name, {name});
    }
    if (!found) {
      throw Error("Phase \"" + phase.name + "\".freeze names \"" + name +
                  "\", which is no parameter or module of the model");
    }
  }
  bool trains = false;
  for (const Named& named : model.named_parameters()) {
    trains = trains || (named.tensor.requires_grad() && !FreezeGuard::matches(named.name, phase.freeze));
  }
  if (!trains) {
    throw Error("Phase \"" + phase.name + "\".freeze leaves no parameter of the model to train");
  }
}

inline void check_run(const Model& model, const std::vector<Phase>& phases, const Splits& splits,
                      const RunOptions& options) {
  splits.check();
  require(!phases.empty(), "run: phases.size()", "at least 1", phases.size());
  for (const Phase& phase : phases) {
    phase.check();
    check_metrics(phase, splits);
    check_frozen_names(phase, model);
  }
  const int first = options.from.clock.phase;
  require(first >= 0 && first <= static_cast<int>(phases.size()), "RunOptions.from.clock.phase",
          "in [0, phases.size()]", first);
}

}  // namespace regimen::inline v0::detail
