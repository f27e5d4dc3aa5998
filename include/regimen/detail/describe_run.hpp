#pragma once

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <torch/version.h>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "regimen/detail/json.hpp"
#include "regimen/manifest.hpp"
#include "regimen/phase.hpp"
#include "regimen/version.hpp"

namespace regimen::inline v0 {

/// The share of the samples of `data` whose label differs from that of the clean sample that they came from, in [0, 1];
/// NaN where the two cannot be compared (streams, soft targets, samples unknown to `clean`). Reads both sources once.
///     regimen::realised_noise(regimen::frozen(train, regimen::UniformLabels{.classes = 10}, 7), train);  // about 0.9
[[nodiscard]] inline double realised_noise(const Source& data, const Source& clean) {
  if (!data.defined() || !clean.defined() || !data.size() || !clean.size()) {
    return unknown;
  }
  const auto is_labels = [](const at::Tensor& t) {
    return t.defined() && t.dim() == 1 && t.scalar_type() == at::kLong;
  };
  std::unordered_map<std::int64_t, std::int64_t> truth;
  const Cursor next_clean = clean.read({.batch = 4096});
  for (Batch batch = next_clean(); batch.size() > 0; batch = next_clean()) {
    if (!is_labels(batch.target)) {
      return unknown;
    }
    const at::Tensor ids = batch.source_id().cpu().contiguous();
    const at::Tensor labels = batch.target.cpu().contiguous();
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      truth[ids.data_ptr<std::int64_t>()[i]] = labels.data_ptr<std::int64_t>()[i];
    }
  }
  std::int64_t changed = 0;
  std::int64_t samples = 0;
  const Cursor next = data.read({.batch = 4096});
  for (Batch batch = next(); batch.size() > 0; batch = next()) {
    if (!is_labels(batch.target)) {
      return unknown;
    }
    const at::Tensor ids = batch.source_id().cpu().contiguous();
    const at::Tensor labels = batch.target.cpu().contiguous();
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      const auto found = truth.find(ids.data_ptr<std::int64_t>()[i]);
      if (found == truth.end()) {
        return unknown;
      }
      changed += found->second != labels.data_ptr<std::int64_t>()[i] ? 1 : 0;
      ++samples;
    }
  }
  return samples == 0 ? unknown : static_cast<double>(changed) / static_cast<double>(samples);
}

namespace detail {

/// A phase's manifest with what only the run knows.
inline std::string describe_phase(const Phase& phase, const Splits& splits) {
  return json::Object()
      .add("phase", manifest(phase))
      .add("samples", text(phase.data.size().value_or(0)))
      .add("realised_noise", json::number(realised_noise(phase.data, splits.clean)))
      .text();
}

/// All that is needed to repeat a run, as JSON.
inline std::string describe_run(const Model& model, const std::vector<Phase>& phases, const Splits& splits) {
  std::string each;
  for (const Phase& phase : phases) {
    each += (each.empty() ? "" : ", ") + describe_phase(phase, splits);
  }
  std::int64_t parameters = 0;
  for (const at::Tensor& parameter : model.parameters()) {
    parameters += parameter.numel();
  }
  std::vector<std::string> measures;
  for (const auto& measure : splits.measures) {
    measures.push_back(measure.first);
  }
  return json::Object()
      .add("regimen", json::quoted(version))
      .add("libtorch", json::quoted(TORCH_VERSION))
      .add("compiler", json::quoted(__VERSION__))
      .add("device", json::quoted(model.device().str()))
      .add("threads", text(at::get_num_threads()))
      .add("parameters", text(parameters))
      .add("phases", "[" + each + "]")
      .add("clean", splits.clean.manifest())
      .add("test", splits.test.manifest())
      .add("validation", splits.validation.manifest())
      .add("score_every", text(splits.every))
      .add("score_fit_every", text(splits.fit_every))
      .add("score_fit", text(splits.score_fit))
      .add("score_batch", text(splits.batch))
      .add("measures", manifest(measures))
      .text();
}

}  // namespace detail
}  // namespace regimen::inline v0
