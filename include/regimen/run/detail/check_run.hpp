#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "regimen/base/text_list.hpp"
#include "regimen/measure/on_part.hpp"
#include "regimen/model/guards.hpp"
#include "regimen/run/detail/check_samples.hpp"
#include "regimen/run/detail/check_single.hpp"
#include "regimen/run/detail/observers.hpp"
#include "regimen/run/detail/resume.hpp"
#include "regimen/run/options.hpp"
#include "regimen/run/phase.hpp"
#include "regimen/run/scoring.hpp"
#include "regimen/source/source.hpp"
#include "regimen/transform/in_turn.hpp"

/// Checks of a whole run. All errors are thrown before the first step, so that no work is lost.
namespace regimen::inline v0::detail {

/// Calls look(part, field name) for everything in a phase that may read scores or measures.
template <class Look>
void for_each_reader(const Phase& phase, Look&& look) {
  const auto look_at_each = [&](const auto& parts, const std::string& field) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      look(parts[i], field + "[" + text(i) + "]");
    }
  };
  look(phase.until, "until");
  look(phase.lr_scale, "lr_scale");
  look(phase.weight_decay_scale, "weight_decay_scale");
  if (phase.momentum) {
    look(*phase.momentum, "momentum");
  }
  look_at_each(phase.augment, "augment");
  look_at_each(phase.preprocess, "preprocess");
  look_at_each(phase.regularize, "regularize");
}

/// Calls check(metric, name of the reader) for each metric that a phase reads.
template <class Check>
void for_each_metric(const Phase& phase, Check&& check) {
  const auto look = [&](const auto& part, const std::string& field) {
    for (const Metric metric : part.metrics()) {
      check(metric, "Phase \"" + phase.name + "\"." + field + " reads " + name_of(metric));
    }
  };
  look(phase.data, "data");
  for_each_reader(phase, look);
}

/// Throws Error if a criterion or a schedule reads a score which is never taken: it would wait forever.
inline void check_metrics(const Phase& phase, const Scoring& scoring) {
  for_each_metric(phase, [&](Metric metric, const std::string& who) {
    if (!scoring.scores(metric)) {
      throw Error(who + ", which is never scored: set that data in Scoring");
    }
  });
}

/// Throws Error if a criterion or a schedule names a measure that is not taken: it would wait forever.
inline void check_measures(const Phase& phase, const Scoring& scoring) {
  const std::vector<std::string> taken = scoring.measure_names();
  for_each_reader(phase, [&](const auto& part, const std::string& field) {
    for (const std::string& name : part.measures()) {
      if (std::find(taken.begin(), taken.end(), name) == taken.end()) {
        std::string numbers;  // of a measure that has several
        for (const std::string& each : taken) {
          if (each.rfind(name + "_", 0) == 0) {
            add_item(numbers, each);
          }
        }
        throw Error("Phase \"" + phase.name + "\"." + field + " reads the measure \"" + name + "\", which " +
                    (numbers.empty() ? "is never taken: add it to Scoring::measures"
                                     : "has several numbers: name one of " + numbers));
      }
    }
  });
}

/// Throws Error if an observer looks at a score which is never taken, as a `Best` does: it would see nothing.
inline void check_observers(const Observers& observers, const Scoring& scoring) {
  for (const auto& [who, metric] : observers.metrics()) {
    if (!scoring.scores(metric)) {
      throw Error(who + " looks at " + name_of(metric) + ", which is never scored: set that data in Scoring");
    }
  }
}

/// Throws Error if a criterion or a schedule reads an accuracy and the loss has none for these targets, as the first
/// scoring shows.
inline void check_scores(const Phase& phase, const Epoch& epoch) {
  for_each_metric(phase, [&](Metric metric, const std::string& who) {
    const Score& score = score_of(epoch, metric);
    if (score.scored() && std::isfinite(score.loss) && std::isnan(value_of(epoch, metric))) {
      throw Error(who +
                  ", which is NaN: this loss has no notion of right for these targets. Give it a correct(), or "
                  "read the loss");
    }
  });
}

/// Throws Error if the optimizer holds no parameter of the model: it is another network's, and this one would not
/// change. It may hold other tensors too, such as a loss's own parameters.
inline void check_optimizer(const Phase& phase, const Weights& model) {
  const std::vector<at::Tensor> parameters = model.parameters();
  for (const at::Tensor& stepped : phase.optimizer.parameters()) {
    for (const at::Tensor& parameter : parameters) {
      if (stepped.is_same(parameter)) {
        return;
      }
    }
  }
  throw Error("Phase \"" + phase.name +
              "\".optimizer holds no parameter of the model: it was made for another network, or before the model's "
              "parameters were replaced");
}

/// A notice for an optimizer that updates a tensor twice per step, because LibTorch lists it under each of its names;
/// else empty.
inline std::string repeated_parameters(const Phase& phase, const Weights& model) {
  const std::vector<at::Tensor> stepped = phase.optimizer.parameters();
  if (DistinctTensors(stepped).size() == stepped.size()) {
    return "";
  }
  std::string which;
  for (const Named& named : model.named_parameters()) {
    const auto same = [&](const at::Tensor& other) { return other.is_same(named.tensor); };
    if (which.empty() && std::count_if(stepped.begin(), stepped.end(), same) > 1) {
      which = named.name + (named.aliases.empty() ? "" : ", which is " + named.aliases.front() + " too,");
    }
  }
  return "the optimizer of phase \"" + phase.name + "\" lists " + (which.empty() ? "a parameter" : which) +
         " twice, and steps it twice a step: make it from regimen::Model(net).parameters(), where each is listed once";
}

/// Throws Error for fp16 with LBFGS. In fp16 a step whose gradients overflow is skipped, before the optimizer's step;
/// an optimizer that computes gradients within its step would step along infinities.
inline void check_evaluations(const Phase& phase) {
  if (phase.execute.precision == Precision::fp16 && phase.optimizer.evaluates_again()) {
    throw Error("Phase \"" + phase.name +
                "\".execute.precision must be fp32, tf32 or bf16 with torch::optim::LBFGS, which evaluates its closure "
                "several times a step, but is fp16: a step whose gradients overflow could not be left out");
  }
}

inline void check_execution(const Phase& phase, const std::vector<Phase>& phases, const Model& model) {
  phase.execute.check(model);
  if (phase.execute.device_for(model) != phases.front().execute.device_for(model)) {
    throw Error("Phase \"" + phase.name + "\".execute.device must be that of the first phase, \"" +
                phases.front().execute.device + "\", but is \"" + phase.execute.device + "\"");
  }
  if (phase.execute.fused && !phase.optimizer.fusible()) {
    throw Error(
        "Phase \"" + phase.name +
        "\".execute.fused must be false: of the optimizers only torch::optim::SGD, given as itself, has a fused step");
  }
}

/// Checks the data of all transforms: partners of Mixup with other labels, for one, would undo label noise.
inline void check_transforms(const Phase& phase) {
  const auto named = [&](const std::string& field) {
    return [&phase, field](std::size_t i) { return "Phase \"" + phase.name + "\"." + field + "[" + text(i) + "]"; };
  };
  check_in_turn(phase.augment, {phase.data, phase.data}, named("augment"));
  const Source augmented_data = looked_at(phase.data, phase.augment, phase.augment.size());
  check_in_turn(phase.preprocess, {phase.data, augmented_data}, named("preprocess"));
}

inline void check_frozen_names(const Phase& phase, const Weights& model) {
  const std::vector<Named> parameters = model.named_parameters();
  const std::vector<Part> parts = model.parts();
  for (const std::string& name : phase.freeze) {
    const auto named = [&](const Named& each) { return each.matches({name}); };
    const auto is_part = [&](const Part& part) { return part.name == name && !name.empty(); };
    if (std::none_of(parameters.begin(), parameters.end(), named) &&
        std::none_of(parts.begin(), parts.end(), is_part)) {
      throw Error("Phase \"" + phase.name + "\".freeze names \"" + name +
                  "\", which is no parameter or module of the model");
    }
  }
  for (const std::string& name : phase.eval) {
    if (std::none_of(parts.begin(), parts.end(), [&](const Part& part) { return part.name == name; })) {
      throw Error("Phase \"" + phase.name + "\".eval names \"" + name + "\", which is no module of the model");
    }
  }
  const bool trains = std::any_of(parameters.begin(), parameters.end(), [&](const Named& each) {
    return each.tensor.requires_grad() && !each.matches(phase.freeze);
  });
  if (!trains && phase.freeze.empty()) {
    throw Error("run: no parameter of the model requires a gradient (requires_grad)");
  }
  if (!trains) {
    throw Error("Phase \"" + phase.name + "\".freeze leaves no parameter of the model to train");
  }
}

/// Throws Error for a model without parameters, for which the other errors would be misleading.
inline void check_parameters(const Weights& model) {
  if (model.parameters().empty()) {
    throw Error(
        "run: the model has no parameters to train. A TorchScript module that went through torch.jit.freeze keeps its "
        "weights as constants: script or trace it without freezing");
  }
}

inline void check_run(const Model& model, const std::vector<Phase>& phases, const Scoring& scoring,
                      const RunOptions& options) {
  scoring.check();
  require(!phases.empty(), "run: phases.size()", "at least 1", phases.size());
  check_parameters(model);
  for (const Phase& phase : phases) {
    phase.check();
    check_metrics(phase, scoring);
    check_measures(phase, scoring);
    check_optimizer(phase, model);
    check_evaluations(phase);
    check_execution(phase, phases, model);
    check_frozen_names(phase, model);
    check_transforms(phase);
  }
  check_resume(phases, options.from);
  for (std::size_t i = 0; i < phases.size(); ++i) {
    check_samples(phases[i], static_cast<int>(i), scoring, model.device());
    check_single_samples(phases[i], static_cast<int>(i), scoring, model, options.share);
  }
}

}  // namespace regimen::inline v0::detail
