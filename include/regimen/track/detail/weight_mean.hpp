#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_sub.h>
#include <ATen/ops/full.h>
#include <torch/serialize/archive.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "regimen/model/snapshot.hpp"
#include "regimen/model/weights.hpp"
#include "regimen/tensor/autocast.hpp"

namespace regimen::inline v0::detail {

/// Puts a snapshot's values into a model for the guard's lifetime; the destructor restores the model bit for bit.
class InPlace {
 public:
  InPlace(const Weights& model, const Snapshot& values) : own_(model) { values.restore(model); }
  ~InPlace() { own_.restore(); }
  InPlace(const InPlace&) = delete;
  InPlace& operator=(const InPlace&) = delete;

 private:
  FreshCasts casts_;
  Snapshot own_;
};

/// A running mean of a model's parameters over time, and of its buffers or their last values. Begins with the current
/// values.
class WeightMean {
 public:
  WeightMean(const Weights& model, bool of_buffers)
      : model_(model), mean_(model), parameters_(model.named_parameters().size()), of_buffers_(of_buffers) {
    keep_precisely();
  }

  WeightMean(const WeightMean&) = delete;
  WeightMean& operator=(const WeightMean&) = delete;

  /// mean += share * (values - mean); the first time, and with share 1, mean = values. Integer tensors have no mean:
  /// the last one is kept.
  void move(double share) {
    const at::NoGradGuard no_grad;
    follow();
    std::vector<at::Tensor> means;
    std::vector<at::Tensor> values;
    const std::vector<Named> now = model_.named_tensors();
    for (std::size_t i = 0; i < now.size(); ++i) {
      const at::Tensor value = now[i].tensor.detach();
      const bool has_mean = value.is_floating_point() || value.is_complex();
      if (updates_ == 0 || share == 1 || !has_mean || (i >= parameters_ && !of_buffers_)) {
        means_[i].copy_(value);
      } else {
        means.push_back(means_[i]);
        values.push_back(value.to(means_[i].scalar_type()));
      }
    }
    if (!means.empty()) {
      at::_foreach_add_(means, at::_foreach_sub(values, means), share);
    }
    show();
    ++updates_;
  }

  [[nodiscard]] const Weights& model() const { return model_; }
  [[nodiscard]] const Snapshot& values() const { return mean_; }
  [[nodiscard]] std::int64_t updates() const { return updates_; }

  void save(torch::serialize::OutputArchive& archive) const {
    archive.write("updates", at::full({}, updates_, at::kLong));
    for (std::size_t i = 0; i < means_.size(); ++i) {
      archive.write("mean" + std::to_string(i), means_[i]);
    }
  }

  /// Reads the mean from an archive. Throws Error, before anything is changed, if it is of another model's weights.
  void load(torch::serialize::InputArchive& archive) {
    const at::NoGradGuard no_grad;
    at::Tensor updates;
    archive.read("updates", updates);
    std::vector<at::Tensor> stored(means_.size());
    for (std::size_t i = 0; i < stored.size(); ++i) {
      archive.read("mean" + std::to_string(i), stored[i]);
      if (stored[i].sizes() != means_[i].sizes() || stored[i].scalar_type() != means_[i].scalar_type()) {
        throw Error("the average of " + mean_.tensors()[i].name + " has another shape or type there");
      }
    }
    for (std::size_t i = 0; i < stored.size(); ++i) {
      means_[i].copy_(stored[i]);
    }
    show();
    updates_ = updates.item<std::int64_t>();
  }

 private:
  /// Keeps means of 16-bit weights in 32 bits: a bf16 mean would never change by less than 1/256 of itself.
  void keep_precisely() {
    means_.clear();
    for (const Named& named : mean_.tensors()) {
      const at::ScalarType type = named.tensor.scalar_type();
      means_.push_back(type == at::kHalf || type == at::kBFloat16 ? named.tensor.to(at::kFloat) : named.tensor);
    }
  }

  /// Rounds the means to the weights' types, in the snapshot that users read.
  void show() {
    for (std::size_t i = 0; i < means_.size(); ++i) {
      at::Tensor shown = mean_.tensors()[i].tensor;
      if (!shown.is_same(means_[i])) {
        shown.copy_(means_[i]);
      }
    }
  }

  /// Moves the means to the model's device, which `run` may have changed.
  void follow() {
    if (mean_.tensors().empty() || mean_.tensors().front().tensor.device() == model_.device()) {
      return;
    }
    const std::vector<at::Tensor> means = means_;
    mean_ = Snapshot(model_);
    keep_precisely();
    for (std::size_t i = 0; i < means_.size(); ++i) {
      means_[i].copy_(means[i]);
    }
    show();
  }

  Weights model_;
  Snapshot mean_;                  ///< in the weights' types
  std::vector<at::Tensor> means_;  ///< the same tensors, or more precise ones
  std::size_t parameters_;
  bool of_buffers_;
  std::int64_t updates_ = 0;
};

}  // namespace regimen::inline v0::detail
