#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/config.hpp"
#include "regimen/tensor/named.hpp"

namespace regimen::inline v0::detail {

/// Names of the parameters with two or more dimensions from which a tensor was computed.
using Sources = std::set<std::string>;

/// The tensor of a model of which this is a view or which it is; none: an empty name.
inline Named owner_among(const std::vector<Named>& tensors, const at::Tensor& used) {
  for (const Named& named : tensors) {
    if (named.tensor.is_same(used)) {
      return named;
    }
  }
  for (const Named& named : tensors) {
    if (named.tensor.has_storage() && used.has_storage() && named.tensor.is_alias_of(used)) {
      const std::int64_t from = used.storage_offset() - named.tensor.storage_offset();
      if (from >= 0 && from < named.tensor.numel()) {
        return named;
      }
    }
  }
  return {};
}

/// The tensors in an argument of an operation: one, a list of them, or none.
inline std::vector<at::Tensor> tensors_in(const c10::IValue& value) {
  std::vector<at::Tensor> found;
  if (value.isTensor() && value.toTensor().defined()) {
    found.push_back(value.toTensor());
  } else if (value.isList() && !value.isIntList() && !value.isDoubleList() && !value.isBoolList()) {
    for (const c10::IValue& each : value.toListRef()) {
      if (each.isTensor() && each.toTensor().defined()) {
        found.push_back(each.toTensor());
      }
    }
  }
  return found;
}

/// Follows a model's parameters through the operations of a forward pass: which tensors are computed from them alone,
/// as a weight that is normalized or transposed is, and which parameters meet the sample in an operation that nobody
/// knows.
class WeightTrail {
 public:
  /// The model's parameters and its buffers.
  WeightTrail(const std::vector<Named>& parameters, const std::vector<Named>& buffers) : tensors_(parameters) {
    for (const Named& named : parameters) {
      const bool is_weight = named.tensor.dim() >= 2 && (named.tensor.is_floating_point() || named.tensor.is_complex());
      sources_.push_back(is_weight ? Sources{named.name} : Sources{});
    }
    tensors_.insert(tensors_.end(), buffers.begin(), buffers.end());
    sources_.resize(tensors_.size());
  }

  [[nodiscard]] const std::vector<Named>& tensors() const { return tensors_; }

  /// What a tensor was computed from, if it was from the model's tensors and constants alone; nullopt if the sample is
  /// part of it.
  [[nodiscard]] std::optional<Sources> sources_of(const at::Tensor& tensor) const {
    if (const auto made = made_.find(tensor.unsafeGetTensorImpl()); made != made_.end()) {
      return made->second.second;
    }
    if (tensor.unsafeGetTensorImpl()->is_wrapped_number()) {
      return Sources{};
    }
    const Named owner = owner_among(tensors_, tensor);
    for (std::size_t i = 0; i < tensors_.size() && !owner.name.empty(); ++i) {
      if (tensors_[i].tensor.is_same(owner.tensor)) {
        return sources_[i];
      }
    }
    return std::nullopt;
  }

  /// What an operation on these computes; nullopt if the sample is part of it. `all`: all parameters in it.
  [[nodiscard]] std::optional<Sources> sources_of(const std::vector<at::Tensor>& inputs, Sources& all) const {
    bool constant = true;
    for (const at::Tensor& input : inputs) {
      const std::optional<Sources> own = sources_of(input);
      constant = constant && own.has_value();
      if (own) {
        all.insert(own->begin(), own->end());
      }
    }
    return constant ? std::optional<Sources>(all) : std::nullopt;
  }

  /// Notes what an operation computed.
  void made(const at::Tensor& output, const std::optional<Sources>& from) {
    if (from) {
      made_[output.unsafeGetTensorImpl()] = {output, *from};
    } else {
      made_.erase(output.unsafeGetTensorImpl());  // a constant that the sample was written into
    }
  }

 private:
  std::vector<Named> tensors_;
  std::vector<Sources> sources_{};  // of each of the model's tensors
  // With the tensors themselves, so that no other one gets their address.
  std::map<const void*, std::pair<at::Tensor, Sources>> made_{};
};

}  // namespace regimen::inline v0::detail
