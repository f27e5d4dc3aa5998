#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <torch/serialize/archive.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/json.hpp"
#include "regimen/base/manifest.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/evaluate/walk.hpp"
#include "regimen/loss/predicted.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0 {

/// A measure: the share of the samples whose predicted class (the largest of the outputs [N, C]) differs from that of
/// the last scoring; NaN the first time. It falls while a network learns what its labels have in common, and rises when
/// it begins to memorize wrong labels (Label Wave; Yuan, Feng and Liu 2025), which gives a stopping rule for label
/// noise that needs no clean data: `MeasureRises`. Costs one pass over the data at each scoring.
///
/// Unlike other measures it has a state, the last predictions, [n] int64. Copies share it, so make one for each run,
/// and add it to the checkpoint: otherwise the first scoring after a resume gives NaN.
///     regimen::PredictionChanges changes(noisy);
///     scoring.measures["changes"] = changes;
///     phase.until = regimen::MeasureRises{.measure = "changes", .window = 3};
///     regimen::Checkpoint keep("run.pt", {}, net, optimizer, changes);
class PredictionChanges {
 public:
  /// `how`: settings left at their defaults are the phase's; its loss is not used. An output with a NaN predicts no
  /// class, which differs from every class.
  explicit PredictionChanges(Source data, Evaluation how = {})
      : data_(std::move(data)), how_(std::move(how)), last_(std::make_shared<at::Tensor>()) {
    if (!data_.defined() || !data_.size()) {
      throw Error("PredictionChanges takes a source that ends: limit(stream, samples) makes one");
    }
  }

  double operator()(const Probe& probe) const {
    const at::Tensor now = predictions(probe.model, detail::filled_in(how_, probe.how));
    const double changed = last_->defined() ? now.ne(*last_).to(at::kDouble).mean().item<double>() : unknown;
    *last_ = now;
    return changed;
  }

  [[nodiscard]] std::string manifest() const {
    return detail::json::Object()
        .add("type", "\"PredictionChanges\"")
        .add("data", data_.manifest())
        .add("how", regimen::manifest(how_))
        .text();
  }

  /// Clears the last predictions.
  void forget() { *last_ = at::Tensor(); }

  void save(torch::serialize::OutputArchive& archive) const {
    archive.write("predictions", last_->defined() ? *last_ : at::empty({0}, at::kLong), /*is_buffer=*/true);
  }
  void load(torch::serialize::InputArchive& archive) {
    at::Tensor predictions;
    archive.read("predictions", predictions, /*is_buffer=*/true);
    *last_ = predictions.numel() > 0 ? predictions : at::Tensor();
  }

 private:
  /// The predicted classes, [n] int64 on the CPU.
  [[nodiscard]] at::Tensor predictions(const Model& model, const Evaluation& how) const {
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> parts;
    detail::walk(model, data_, how, "PredictionChanges",
                 [&](const Batch& batch) { parts.push_back(predicted_classes(how.execute.forward(model, batch))); });
    return at::cat(parts).to(at::kCPU);
  }

  Source data_;
  Evaluation how_;
  std::shared_ptr<at::Tensor> last_;
};

}  // namespace regimen::inline v0
