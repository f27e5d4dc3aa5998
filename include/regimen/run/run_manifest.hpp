#pragma once

#include <ATen/Parallel.h>
#include <ATen/Version.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "regimen/base/json.hpp"
#include "regimen/base/manifest.hpp"
#include "regimen/base/text_list.hpp"
#include "regimen/base/version.hpp"
#include "regimen/damage/label_noise.hpp"
#include "regimen/run/detail/machine.hpp"
#include "regimen/run/phase.hpp"
#include "regimen/run/scoring.hpp"
#include "regimen/tensor/libtorch.hpp"

namespace regimen::inline v0 {

namespace detail {

/// The tensors of each parameter group of a phase's optimizer, by their names in the model; for tensors that the model
/// does not have, their shape, type and checksum.
inline std::string describe_groups(const Phase& phase, const Weights& model) {
  const std::vector<Named> known = model.named_parameters();
  std::string groups;
  for (const std::vector<at::Tensor>& group : phase.optimizer.groups()) {
    std::string names;
    for (const at::Tensor& tensor : group) {
      const auto named =
          std::find_if(known.begin(), known.end(), [&](const Named& each) { return each.tensor.is_same(tensor); });
      add_item(names, named == known.end() ? manifest_of_tensor(tensor) : json::quoted(named->name));
    }
    add_item(groups, "[" + names + "]");
  }
  return "[" + groups + "]";
}

/// The manifest of a phase, with facts that only the run knows.
inline std::string describe_phase(const Phase& phase, const Scoring& scoring, const Weights& model) {
  json::Object object;
  object.add("phase", manifest(phase)).add("optimizer_steps", describe_groups(phase, model));
  if (phase.carry_optimizer_state) {
    object.add("optimizer_state_crc32", json::quoted(phase.optimizer.state_crc32()));
  }
  return object.add("samples", text(phase.data.size().value_or(0)))
      .add("realised_noise", json::number(realised_noise(phase.data, scoring.clean)))
      .text();
}

/// The model's type and printed structure, every parameter with its shape, those that require no gradient, and a
/// checksum of the values at the run's begin. Not its modes, which `run` sets.
inline std::string describe_model(const Weights& model) {
  json::Object shapes;
  std::vector<std::string> without_gradient;
  for (const Named& named : model.named_parameters()) {
    if (!named.tensor.requires_grad()) {
      without_gradient.push_back(named.name);
    }
    shapes.add(named.name, manifest(named.tensor.sizes().vec()));
    for (const std::string& alias : named.aliases) {
      shapes.add(alias, json::quoted("is " + named.name));
    }
  }
  const std::string weights = model.manifest();  // type, number, checksum
  return weights.substr(0, weights.size() - 1) + ", " +
         json::Object()
             .add("structure", json::quoted(model.structure()))
             .add("shapes", shapes.text())
             .add("without_gradient", manifest(without_gradient))
             .text()
             .substr(1);
}

/// The CPU instructions that LibTorch uses, "AVX2", as it reports them.
inline std::string used_instructions() {
  const std::string config = at::show_config();
  const std::string before = "CPU capability usage: ";
  const auto begin = config.find(before);
  return begin == std::string::npos
             ? ""
             : config.substr(begin + before.size(), config.find('\n', begin) - begin - before.size());
}

/// The machine, on which results depend beside versions: the processor, the instructions used, and the loaded BLAS.
inline std::string describe_machine(const Weights& model) {
  return json::Object()
      .add("device", json::quoted(model.device().str()))
      .add("threads", text(at::get_num_threads()))
      .add("processor", json::quoted(processor()))
      .add("instructions", json::quoted(used_instructions()))
      .add("blas", manifest(loaded_blas()))
      .text();
}

/// The clock from which the run is resumed; null for a new run.
inline std::string describe_resume(const Clock& from) {
  return from == Clock{} ? "null"
                         : json::Object()
                               .add("phase", text(from.phase))
                               .add("epoch", text(from.epoch))
                               .add("batch", text(from.batch))
                               .add("step", text(from.step))
                               .text();
}

/// Adds an observer's manifest if it has one.
template <class Observer>
void add_manifest(std::vector<std::string>& each, const Observer& observer) {
  if constexpr (HasManifest<Observer>) {
    each.push_back(observer.manifest());
  }
}

/// Adds to a manifest all that does not depend on the machine. observers: the manifests of observers that have one.
/// shards: virtual shards of a shared run, 0 for a run of one process.
inline json::Object& add_regime(json::Object& object, const Model& model, const std::vector<Phase>& phases,
                                const Scoring& scoring, const std::vector<std::string>& observers, const Clock& from,
                                int shards) {
  const auto list = [](const std::vector<std::string>& elements) {
    std::string all;
    for (const std::string& element : elements) {
      add_item(all, element);
    }
    return "[" + all + "]";
  };
  std::vector<std::string> each;
  for (const Phase& phase : phases) {
    each.push_back(describe_phase(phase, scoring, model));
  }
  return object.add("resumed_from", describe_resume(from))
      .add("virtual_shards", shards == 0 ? "null" : text(shards))
      .add("model", describe_model(model))
      .add("phases", list(each))
      .add("scoring", manifest(scoring))
      .add("observers", list(observers));
}

/// The manifest of a run, with the arguments of `add_regime`.
inline std::string describe_run(const Model& model, const std::vector<Phase>& phases, const Scoring& scoring,
                                const std::vector<std::string>& observers, const Clock& from, int shards = 0) {
  json::Object object;
  object.add("regimen", json::quoted(version))
      .add("libtorch", json::quoted(libtorch_version))
      .add("compiler", json::quoted(__VERSION__))
      .add("machine", describe_machine(model));
  return add_regime(object, model, phases, scoring, observers, from, shards).text();
}

/// What the processes of a shared run must have in common: all of a manifest that does not depend on the machine, and
/// what they resume from.
inline std::string describe_common(const Model& model, const std::vector<Phase>& phases, const Scoring& scoring,
                                   const std::vector<std::string>& observers, const State& from, int shards,
                                   bool looks_at_steps) {
  json::Object object;
  object.add("regimen", json::quoted(version)).add("libtorch", json::quoted(libtorch_version));
  std::string states;
  std::vector<Phase> anywhere = phases;
  for (Phase& phase : anywhere) {
    phase.execute.device = {};  // each process may have a GPU of its own
    add_item(states, json::quoted(phase.optimizer.state_crc32()));
  }
  object.add("optimizer_states_crc32", "[" + states + "]")
      .add("epochs_before", text(from.history.size()))
      .add("loss_sum_before", json::number(from.loss_sum))
      .add("threads", text(at::get_num_threads()))
      .add("an_observer_looks_at_steps", looks_at_steps ? "true" : "false");
  return add_regime(object, model, anywhere, scoring, observers, from.clock, shards).text();
}

}  // namespace detail

/// Everything needed to repeat a run, as JSON: every phase with all fields of its parts, the optimizers' options, the
/// tensors of their parameter groups, the state that they carry into a phase, random seeds, checksums of the data and
/// of the initial weights, the noise rate when a phase begins, the measures, the model's printed structure and shapes,
/// the clock of a resume, versions, device, processor, BLAS and threads; and the observers that have a `manifest()`,
/// such as averages of the weights and trackers, whose results depend on their fields. A lambda appears as "lambda"
/// only. Reads the data of the phases and of `clean` once. Observers of `run` get the same from its RunBegin.
///     std::ofstream("manifest.json") << regimen::manifest(net, phases, scoring, average);
template <class... Observers>
[[nodiscard]] std::string manifest(const Model& model, const std::vector<Phase>& phases, const Scoring& scoring,
                                   const Observers&... observers) {
  std::vector<std::string> each;
  (detail::add_manifest(each, observers), ...);
  return detail::describe_run(model, phases, scoring, each, Clock{});
}

}  // namespace regimen::inline v0
