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

#include "regimen/detail/autocast.hpp"
#include "regimen/snapshot.hpp"
#include "regimen/weights.hpp"

namespace regimen::inline v0::detail {

/// A snapshot's values in a model's place while this lives; then the model has its own again, bit for bit.
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

/// A running mean of a model's parameters over time, and of its buffers or their last values. It begins as they are.
class WeightMean {
 public:
  WeightMean(const Weights& model, bool of_buffers)
      : model_(model), mean_(model), parameters_(model.named_parameters().size()), of_buffers_(of_buffers) {}

  WeightMean(const WeightMean&) = delete;
  WeightMean& operator=(const WeightMean&) = delete;

  /// mean += share * (values - mean); the first time, and with a share of 1, mean = values. Whole numbers have no mean:
  /// the last is kept.
  void move(double share) {
    const at::NoGradGuard no_grad;
    const Snapshot& mean = followed();
    std::vector<at::Tensor> means;
    std::vector<at::Tensor> values;
    const std::vector<at::Tensor> now = values_of_model();
    for (std::size_t i = 0; i < now.size(); ++i) {
      at::Tensor to = mean.tensors()[i].tensor;
      if (updates_ == 0 || share == 1 || !now[i].is_floating_point() || (i >= parameters_ && !of_buffers_)) {
        to.copy_(now[i]);
      } else {
        means.push_back(to);
        values.push_back(now[i]);
      }
    }
    if (!means.empty()) {
      at::_foreach_add_(means, at::_foreach_sub(values, means), share);
    }
    ++updates_;
  }

  [[nodiscard]] const Weights& model() const { return model_; }
  [[nodiscard]] const Snapshot& values() const { return mean_; }
  [[nodiscard]] std::int64_t updates() const { return updates_; }

  void save(torch::serialize::OutputArchive& archive) const {
    archive.write("updates", at::full({}, updates_, at::kLong));
    for (std::size_t i = 0; i < mean_.tensors().size(); ++i) {
      archive.write("mean" + std::to_string(i), mean_.tensors()[i].tensor);
    }
  }

  /// Throws Error, before anything is changed, where the mean is of another model's weights.
  void load(torch::serialize::InputArchive& archive) {
    const at::NoGradGuard no_grad;
    at::Tensor updates;
    archive.read("updates", updates);
    std::vector<at::Tensor> stored(mean_.tensors().size());
    for (std::size_t i = 0; i < stored.size(); ++i) {
      const std::string& name = mean_.tensors()[i].name;
      const at::Tensor& mean = mean_.tensors()[i].tensor;
      archive.read("mean" + std::to_string(i), stored[i]);
      if (stored[i].sizes() != mean.sizes() || stored[i].scalar_type() != mean.scalar_type()) {
        throw Error("the average of " + name + " has another shape or type there");
      }
    }
    for (std::size_t i = 0; i < stored.size(); ++i) {
      at::Tensor to = mean_.tensors()[i].tensor;
      to.copy_(stored[i]);
    }
    updates_ = updates.item<std::int64_t>();
  }

 private:
  [[nodiscard]] std::vector<at::Tensor> values_of_model() const {
    std::vector<at::Tensor> values;
    for (const Named& named : model_.named_tensors()) {
      values.push_back(named.tensor.detach());
    }
    return values;
  }

  /// The mean, where the model is by now: `run` may have moved it to another device.
  const Snapshot& followed() {
    if (!mean_.tensors().empty() && mean_.tensors().front().tensor.device() != model_.device()) {
      const Snapshot there(model_);
      for (std::size_t i = 0; i < there.tensors().size(); ++i) {
        at::Tensor to = there.tensors()[i].tensor;
        to.copy_(mean_.tensors()[i].tensor);
      }
      mean_ = there;
    }
    return mean_;
  }

  Weights model_;
  Snapshot mean_;
  std::size_t parameters_;
  bool of_buffers_;
  std::int64_t updates_ = 0;
};

}  // namespace regimen::inline v0::detail
