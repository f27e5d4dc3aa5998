#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <string>
#include <vector>

#include "regimen/detail/checksum.hpp"
#include "regimen/detail/json.hpp"
#include "regimen/model.hpp"

namespace regimen::inline v0 {

/// A copy of all parameters and buffers of a model, to come back to: where one experiment branches into several.
///     const regimen::Snapshot start(net);
///     ...
///     start.restore();  // every parameter and buffer, BatchNorm statistics included, bit for bit
class Snapshot {
 public:
  explicit Snapshot(const Model& model) : model_(model) {
    for (const Named& named : tensors(model)) {
      kept_.push_back({named.name, named.tensor.detach().clone()});
    }
  }

  /// Puts the values back into the model that they came from.
  void restore() const { restore(model_); }

  /// Puts the values into another model of the same shape.
  /// Throws Error, before anything is changed, where names, number or shapes differ.
  void restore(const Model& model) const {
    const auto targets = tensors(model);
    detail::require(targets.size() == kept_.size(), "Snapshot.restore: the model's number of parameters and buffers",
                    detail::text(kept_.size()), targets.size());
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      if (targets[i].name != kept_[i].name || targets[i].tensor.sizes() != kept_[i].tensor.sizes()) {
        throw Error("Snapshot.restore: the model's " + targets[i].name + " does not fit the snapshot's " +
                    kept_[i].name);
      }
    }
    const at::NoGradGuard no_grad;
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      at::Tensor target = targets[i].tensor;
      target.copy_(kept_[i].tensor);
    }
  }

  /// Parameters first, then buffers; only read them.
  [[nodiscard]] const std::vector<Named>& tensors() const { return kept_; }

  /// The number of tensors, and their CRC-32.
  [[nodiscard]] std::string manifest() const {
    std::vector<at::Tensor> each;
    for (const Named& named : kept_) {
      each.push_back(named.tensor);
    }
    return detail::json::Object()
        .add("type", "\"Snapshot\"")
        .add("tensors", detail::text(each.size()))
        .add("crc32", detail::json::quoted(detail::crc32_of(each)))
        .text();
  }

 private:
  static std::vector<Named> tensors(const Model& model) {
    std::vector<Named> all = model.named_parameters();
    for (const Named& buffer : model.named_buffers()) {
      all.push_back(buffer);
    }
    return all;
  }

  Model model_;
  std::vector<Named> kept_;
};

}  // namespace regimen::inline v0
