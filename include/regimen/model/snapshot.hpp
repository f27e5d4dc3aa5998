#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "regimen/base/json.hpp"
#include "regimen/model/weights.hpp"
#include "regimen/tensor/checksum.hpp"

namespace regimen::inline v0 {

/// A copy of all parameters and buffers of a model that can be restored, for experiments that branch from one state.
///     const regimen::Snapshot start(net);
///     ...
///     start.restore();  // every parameter and buffer, BatchNorm statistics included, bit for bit
class Snapshot {
 public:
  explicit Snapshot(const Weights& model)
      : model_(model), kept_(model.named_tensors()), parameters_(model.named_parameters().size()) {
    for (Named& named : kept_) {
      named.tensor = named.tensor.detach().clone();
    }
  }

  /// Restores the model that the snapshot was taken from.
  void restore() const { restore(model_); }

  /// Copies the values into another model with the same names and shapes; weights may be tied in one of the two and not
  /// in the other. Throws Error, before anything is changed, if names or shapes differ, or if a tied weight would get
  /// two different values.
  void restore(const Weights& model) const {
    const std::vector<Named> targets = model.named_tensors();
    detail::require(names_in(targets) == names_in(kept_),
                    "Snapshot.restore: the model's number of parameters and buffers", detail::text(names_in(kept_)),
                    names_in(targets));
    std::vector<at::Tensor> values;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      values.push_back(value_for(targets[i], kept_[std::min(i, kept_.size() - 1)]));
    }
    const at::NoGradGuard no_grad;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      at::Tensor target = targets[i].tensor;
      target.copy_(values[i]);
    }
  }

  /// The stored value of a tensor of the model, found by any of its names; undefined if there is none.
  [[nodiscard]] at::Tensor find(const Named& wanted) const {
    const Named* const found = find_by_name(wanted.name);
    if (found != nullptr) {
      return found->tensor;
    }
    for (const std::string& alias : wanted.aliases) {
      if (const Named* const other = find_by_name(alias)) {
        return other->tensor;
      }
    }
    return {};
  }

  /// The stored tensors, to be read only: parameters first, then buffers, each once.
  [[nodiscard]] const std::vector<Named>& tensors() const { return kept_; }

  /// The number of parameters among `tensors()`, where they come first.
  [[nodiscard]] std::size_t parameters() const { return parameters_; }

  /// The manifest: the number of tensors, and the CRC-32s of their numbers and of their names, shapes and types.
  [[nodiscard]] std::string manifest() const {
    std::vector<at::Tensor> each;
    for (const Named& named : kept_) {
      each.push_back(named.tensor);
    }
    return detail::json::Object()
        .add("type", "\"Snapshot\"")
        .add("tensors", detail::text(each.size()))
        .add("crc32", detail::json::quoted(detail::crc32_of(each)))
        .add("kinds_crc32", detail::json::quoted(detail::crc32_of_kinds(kept_)))
        .text();
  }

 private:
  [[nodiscard]] const Named* find_by_name(const std::string& name) const {
    const auto found =
        std::find_if(kept_.begin(), kept_.end(), [&](const Named& kept) { return kept.is_called(name); });
    return found == kept_.end() ? nullptr : &*found;
  }

  /// The number of names, aliases included.
  static std::size_t names_in(const std::vector<Named>& all) {
    std::size_t names = 0;
    for (const Named& named : all) {
      names += 1 + named.aliases.size();
    }
    return names;
  }

  /// The value for a target, checked under all of its names. `beside`: the stored tensor at the target's position, for
  /// errors.
  [[nodiscard]] at::Tensor value_for(const Named& target, const Named& beside) const {
    const Named* const first = find_by_name(target.name);
    if (first == nullptr || first->tensor.sizes() != target.tensor.sizes()) {
      throw Error("Snapshot.restore: the model's " + target.name + " does not fit the snapshot's " +
                  (first == nullptr ? beside.name : first->name));
    }
    for (const std::string& alias : target.aliases) {
      const Named* const other = find_by_name(alias);
      if (other == nullptr) {
        throw Error("Snapshot.restore: the model's " + alias + " does not fit the snapshot's " + beside.name);
      }
      if (other != first && !other->tensor.equal(first->tensor)) {
        throw Error("Snapshot.restore: " + target.name + " and " + alias +
                    " are one tensor in the model, and have two values in the snapshot");
      }
    }
    return first->tensor;
  }

  Weights model_;
  std::vector<Named> kept_;
  std::size_t parameters_;
};

}  // namespace regimen::inline v0
