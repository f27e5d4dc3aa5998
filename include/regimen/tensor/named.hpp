#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/config.hpp"

namespace regimen::inline v0 {

/// A tensor of a model with its name, "layer1.weight".
struct Named {
  std::string name;
  at::Tensor tensor;
  std::vector<std::string> aliases{};  ///< further names: of a tied weight, or of a layer that is registered twice

  /// Whether one of the tensor's names is in the list or begins with "an entry.": a layer's name stands for all its
  /// tensors.
  [[nodiscard]] bool matches(const std::vector<std::string>& names) const {
    const auto fits = [&](const std::string& own) {
      return std::any_of(names.begin(), names.end(),
                         [&](const std::string& wanted) { return own == wanted || own.rfind(wanted + ".", 0) == 0; });
    };
    return fits(name) || std::any_of(aliases.begin(), aliases.end(), fits);
  }

  /// Whether `wanted` is one of the tensor's names.
  [[nodiscard]] bool is_called(const std::string& wanted) const {
    return name == wanted || std::find(aliases.begin(), aliases.end(), wanted) != aliases.end();
  }
};

/// A list of tensors in order, without repetitions. LibTorch's `parameters()` lists a tensor under each of its names,
/// so a tied weight would be penalized, clipped or divided twice.
///     regimen::DistinctTensors(net->parameters()).size()
class DistinctTensors {
 public:
  DistinctTensors() = default;
  DistinctTensors(std::vector<at::Tensor> tensors) : tensors_(std::move(tensors)) {  // NOLINT: a list is one
    std::vector<const void*> seen;
    const auto again = [&seen](const at::Tensor& tensor) {
      const void* const which = tensor.unsafeGetTensorImpl();
      const auto place = std::lower_bound(seen.begin(), seen.end(), which);
      if (place != seen.end() && *place == which) {
        return true;
      }
      seen.insert(place, which);
      return false;
    };
    tensors_.erase(std::remove_if(tensors_.begin(), tensors_.end(), again), tensors_.end());
  }
  DistinctTensors(std::initializer_list<at::Tensor> tensors) : DistinctTensors(std::vector<at::Tensor>(tensors)) {}

  operator const std::vector<at::Tensor>&() const { return tensors_; }  // NOLINT: it is a list

  [[nodiscard]] auto begin() const { return tensors_.begin(); }
  [[nodiscard]] auto end() const { return tensors_.end(); }
  [[nodiscard]] std::size_t size() const { return tensors_.size(); }
  [[nodiscard]] bool empty() const { return tensors_.empty(); }
  [[nodiscard]] const at::Tensor& operator[](std::size_t i) const { return tensors_[i]; }
  [[nodiscard]] const at::Tensor& front() const { return tensors_.front(); }
  [[nodiscard]] const at::Tensor& back() const { return tensors_.back(); }

 private:
  std::vector<at::Tensor> tensors_;
};

}  // namespace regimen::inline v0
