#pragma once

#include <ATen/Parallel.h>
#include <torch/version.h>

#include <cstdint>
#include <string>
#include <vector>

#include "regimen/detail/json.hpp"
#include "regimen/manifest.hpp"
#include "regimen/phase.hpp"
#include "regimen/source/noise.hpp"
#include "regimen/version.hpp"

namespace regimen::inline v0 {

namespace detail {

/// A phase's manifest with what only the run knows.
inline std::string describe_phase(const Phase& phase, const Splits& splits) {
  return json::Object()
      .add("phase", manifest(phase))
      .add("samples", text(phase.data.size().value_or(0)))
      .add("realised_noise", json::number(realised_noise(phase.data, splits.clean)))
      .text();
}

/// The module's type, and every parameter with its shape.
inline std::string describe_model(const Model& model) {
  std::int64_t numbers = 0;
  json::Object shapes;
  for (const Named& named : model.named_parameters()) {
    numbers += named.tensor.numel();
    shapes.add(named.name, manifest(named.tensor.sizes().vec()));
  }
  return json::Object()
      .add("type", json::quoted(model.type()))
      .add("parameters", text(numbers))
      .add("shapes", shapes.text())
      .text();
}

/// Of an observer that has one.
template <class Observer>
void add_manifest(std::vector<std::string>& each, const Observer& observer) {
  if constexpr (HasManifest<Observer>) {
    each.push_back(observer.manifest());
  }
}

/// observers: the manifests of those that have one.
inline std::string describe_run(const Model& model, const std::vector<Phase>& phases, const Splits& splits,
                                const std::vector<std::string>& observers) {
  const auto list = [](const std::vector<std::string>& elements) {
    std::string all;
    for (const std::string& element : elements) {
      all += (all.empty() ? "" : ", ") + element;
    }
    return "[" + all + "]";
  };
  std::vector<std::string> each;
  for (const Phase& phase : phases) {
    each.push_back(describe_phase(phase, splits));
  }
  return json::Object()
      .add("regimen", json::quoted(version))
      .add("libtorch", json::quoted(TORCH_VERSION))
      .add("compiler", json::quoted(__VERSION__))
      .add("device", json::quoted(model.device().str()))
      .add("threads", text(at::get_num_threads()))
      .add("model", describe_model(model))
      .add("phases", list(each))
      .add("clean", splits.clean.manifest())
      .add("test", splits.test.manifest())
      .add("validation", splits.validation.manifest())
      .add("score_every", text(splits.every))
      .add("score_fit_every", text(splits.fit_every))
      .add("score_fit", text(splits.score_fit))
      .add("score_batch", text(splits.batch))
      .add("measures", manifest(splits.measures))
      .add("observers", list(observers))
      .text();
}

}  // namespace detail

/// All that is needed to repeat a run, as JSON: every phase with every field of every primitive, the optimizers'
/// options, seeds, checksums of the data, the label noise realised when a phase begins, the measures, the model's
/// shapes, versions, device and threads; and the observers that have a `manifest()`, as averages of the weights and
/// trackers do: what they make depends on their fields. Of a lambda it can say no more than that it is one.
/// Reads the data of the phases and of `clean` once. `run` gives the same to those who ask its RunBegin for it.
///     std::ofstream("manifest.json") << regimen::manifest(net, phases, splits, average);
template <class... Observers>
[[nodiscard]] std::string manifest(const Model& model, const std::vector<Phase>& phases, const Splits& splits,
                                   const Observers&... observers) {
  std::vector<std::string> each;
  (detail::add_manifest(each, observers), ...);
  return detail::describe_run(model, phases, splits, each);
}

}  // namespace regimen::inline v0
