#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <c10/core/Storage.h>
#include <c10/util/intrusive_ptr.h>

#include <algorithm>
#include <cstddef>
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

/// The number of dimensions longer than 1: a factor of each channel, [C, 1, 1], is a vector.
inline std::int64_t long_dimensions(const at::Tensor& tensor) {
  return std::count_if(tensor.sizes().begin(), tensor.sizes().end(), [](std::int64_t length) { return length > 1; });
}

/// Follows the sample and a model's parameters through the operations of a forward pass. What is computed from the
/// sample, or lies in memory that such a tensor was written to, is "of the sample". All else is constant: parameters,
/// masks, and what is computed from them, as a weight that is normalized or transposed.
class WeightTrail {
 public:
  /// The model's parameters, its buffers, and the tensors that it is given.
  WeightTrail(const std::vector<Named>& parameters, const std::vector<Named>& buffers,
              const std::vector<at::Tensor>& sample)
      : tensors_(parameters) {
    for (const Named& named : parameters) {
      const bool is_weight = named.tensor.dim() >= 2 && (named.tensor.is_floating_point() || named.tensor.is_complex());
      sources_.push_back(is_weight ? Sources{named.name} : Sources{});
      parameters_memory_.insert(memory_of(named.tensor));
      if (is_weight && long_dimensions(named.tensor) < 2) {
        vectors_.insert(named.name);
      }
    }
    tensors_.insert(tensors_.end(), buffers.begin(), buffers.end());
    sources_.resize(tensors_.size());
    for (const at::Tensor& given : sample) {
      wrote(given, std::nullopt);
    }
  }

  [[nodiscard]] const std::vector<Named>& tensors() const { return tensors_; }

  /// The parameters without those that have fewer than two dimensions longer than 1.
  [[nodiscard]] Sources without_vectors(Sources names) const {
    for (const std::string& name : vectors_) {
      names.erase(name);
    }
    return names;
  }

  /// The parameters that a constant was computed from; nullopt for a tensor of the sample.
  [[nodiscard]] std::optional<Sources> sources_of(const at::Tensor& tensor) const {
    Sources sources;
    if (const auto memory = memory_.find(memory_of(tensor)); memory != memory_.end()) {
      if (memory->second.of_sample) {
        return std::nullopt;
      }
      sources = memory->second.written;
    }
    if (const auto made = made_.find(tensor.unsafeGetTensorImpl()); made != made_.end()) {
      sources.insert(made->second.second.begin(), made->second.second.end());
      return sources;
    }
    const Named owner = owner_among(tensors_, tensor);
    for (std::size_t i = 0; i < tensors_.size() && !owner.name.empty(); ++i) {
      if (tensors_[i].tensor.is_same(owner.tensor)) {
        sources.insert(sources_[i].begin(), sources_[i].end());
        break;
      }
    }
    return sources;
  }

  /// What an operation on these computes; nullopt if one is of the sample. `all`: all parameters in it.
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

  /// Notes that an operation wrote to a tensor, and so to all that share its memory.
  void wrote(const at::Tensor& tensor, const std::optional<Sources>& from) {
    if (parameters_memory_.count(memory_of(tensor)) > 0) {
      return;  // parameters stay what they are
    }
    Memory& memory = memory_[memory_of(tensor)];
    if (tensor.has_storage() && !memory.storage) {
      memory.storage.emplace(tensor.storage().getWeakStorageImpl());
    } else if (!tensor.has_storage()) {
      memory.tensor = tensor;
    }
    memory.of_sample = memory.of_sample || !from;
    if (from) {
      memory.written.insert(from->begin(), from->end());
    }
  }

  /// Notes what an operation computed, after what it wrote to. A view of a constant is one, whatever gave it its shape.
  void made(const at::Tensor& output, const std::vector<at::Tensor>& inputs, const std::optional<Sources>& from) {
    std::optional<Sources> own = from;
    for (std::size_t i = 0; i < inputs.size() && !own; ++i) {
      own = memory_of(inputs[i]) == memory_of(output) ? sources_of(inputs[i]) : std::nullopt;
    }
    if (own) {
      made_[output.unsafeGetTensorImpl()] = {output, *own};
    } else {
      wrote(output, std::nullopt);
    }
  }

  /// What tensors that share memory have in common.
  static const void* memory_of(const at::Tensor& tensor) {
    return tensor.has_storage() ? static_cast<const void*>(tensor.storage().unsafeGetStorageImpl())
                                : static_cast<const void*>(tensor.unsafeGetTensorImpl());
  }

 private:
  /// Memory that was written to, or that a tensor of the sample lies in. Kept so that no other one gets its address: a
  /// weak pointer does that, and lets go of the numbers.
  struct Memory {
    std::optional<c10::weak_intrusive_ptr<c10::StorageImpl>> storage{};
    at::Tensor tensor{};
    bool of_sample = false;
    Sources written{};  ///< what the constants that were written into it were computed from
  };

  std::vector<Named> tensors_;
  std::vector<Sources> sources_{};  // of each of the model's tensors
  std::set<const void*> parameters_memory_{};
  Sources vectors_{};
  std::map<const void*, Memory> memory_{};
  // Constants, with the tensors themselves, so that no other one gets their address.
  std::map<const void*, std::pair<at::Tensor, Sources>> made_{};
};

}  // namespace regimen::inline v0::detail
