#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones.h>

#include <algorithm>
#include <string>
#include <vector>

#include "regimen/base/put_back.hpp"
#include "regimen/evaluate/evaluate.hpp"
#include "regimen/model/model.hpp"

namespace regimen::inline v0::detail {

/// Replaces a model's tensors for its lifetime by those for a path norm: every weight w becomes |w|^p, so that the
/// output for an input of ones is the sum over all paths of the product of |w|^p along the path. BatchNorm in eval mode
/// is an affine map, and is folded: its weight and bias are taken as gamma / sigma and beta - mu gamma / sigma.
///
/// The destructor restores all tensors. `values` are differentiable functions of the parameters.
class PathWeights {
 public:
  /// `epsilon`: the number that the model's BatchNorms add to a variance, which neither names nor buffers tell.
  PathWeights(const Model& model, double p, double epsilon)
      : parameters_(model.named_parameters()), buffers_(model.named_buffers()), epsilon_(epsilon) {
    for (const Named& named : parameters_) {
      values_.push_back(value_of(named, p));
    }
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      put(parameters_[i].tensor, values_[i].detach());
    }
    for (const Named& named : buffers_) {
      const std::string mean_of = owner_of(named.name, "running_mean");
      const std::string variance_of = owner_of(named.name, "running_var");
      if (!mean_of.empty()) {
        put(named.tensor, is_affine(mean_of) ? named.tensor.mul(0) : named.tensor.abs().pow(p).neg());
      } else if (!variance_of.empty()) {
        // With a weight, that carries 1 / sigma: sigma^(2p) soon falls below what epsilon lets through.
        put(named.tensor, is_affine(variance_of) ? named.tensor.mul(0) + (1 - epsilon_)
                                                 : (named.tensor + epsilon_).pow(p) - epsilon_);
      }
    }
  }

  [[nodiscard]] const std::vector<Named>& parameters() const { return parameters_; }
  [[nodiscard]] const std::vector<at::Tensor>& values() const { return values_; }

 private:
  /// The module's name "layer1.bn." for the buffer "layer1.bn.running_mean" and the leaf "running_mean"; "" for another
  /// leaf.
  static std::string owner_of(const std::string& name, const std::string& leaf) {
    if (name.size() < leaf.size() || name.compare(name.size() - leaf.size(), leaf.size(), leaf) != 0) {
      return "";
    }
    const std::string owner = name.substr(0, name.size() - leaf.size());
    return owner.empty() ? "." : owner;
  }

  static at::Tensor find(const std::vector<Named>& all, const std::string& name) {
    const std::string wanted = name.front() == '.' ? name.substr(1) : name;
    const auto found = std::find_if(all.begin(), all.end(), [&](const Named& n) { return n.is_called(wanted); });
    return found == all.end() ? at::Tensor() : found->tensor;
  }

  [[nodiscard]] bool is_affine(const std::string& owner) const { return find(parameters_, owner + "weight").defined(); }

  /// The BatchNorm that a parameter belongs to, searched by all of the parameter's names; "" for none. Throws Error if
  /// there are several with different statistics: a shared tensor cannot be folded into each.
  [[nodiscard]] std::string normalization_of(const Named& named, const std::string& leaf) const {
    std::string found;
    std::vector<std::string> names = named.aliases;
    names.insert(names.begin(), named.name);
    for (const std::string& name : names) {
      const std::string owner = owner_of(name, leaf);
      if (owner.empty() || !find(buffers_, owner + "running_mean").defined() ||
          !find(buffers_, owner + "running_var").defined()) {
        continue;
      }
      if (!found.empty() && !find(buffers_, owner + "running_var").is_same(find(buffers_, found + "running_var"))) {
        throw Error("a path norm folds each BatchNorm into its own weights, but " + names.front() + " and " + name +
                    " are one tensor of two BatchNorms");
      }
      found = owner;
    }
    return found;
  }

  [[nodiscard]] at::Tensor value_of(const Named& named, double p) const {
    if (named.tensor.is_complex()) {
      throw Error("a path norm takes real weights, and " + named.name + " is complex");
    }
    for (const char* const leaf : {"weight", "bias"}) {
      const std::string owner = normalization_of(named, leaf);
      if (!owner.empty()) {
        const at::Tensor mean = find(buffers_, owner + "running_mean");
        const at::Tensor variance = find(buffers_, owner + "running_var");
        const at::Tensor gain = find(parameters_, owner + "weight") / (variance + epsilon_).sqrt();
        const bool is_gain = leaf == std::string("weight");
        return (is_gain ? gain : named.tensor - mean.detach() * gain).abs().pow(p);
      }
    }
    return named.tensor.abs().pow(p);
  }

  void put(const at::Tensor& tensor, const at::Tensor& data) {
    put_back_.add([tensor, own = tensor.detach(), gradient = tensor.grad()] {
      tensor.set_data(own);
      tensor.mutable_grad() = gradient;
    });
    tensor.set_data(data.contiguous(tensor.suggest_memory_format()));
    tensor.mutable_grad() = at::Tensor();
  }

  std::vector<Named> parameters_;
  std::vector<Named> buffers_;
  double epsilon_;
  std::vector<at::Tensor> values_;
  PutBack put_back_;
};

/// The sum of the outputs for one sample of ones, 0-d: the path norm to the power p, for the weights in place.
inline at::Tensor sum_over_paths(const Model& model, at::IntArrayRef sample_shape, const at::TensorOptions& options) {
  std::vector<std::int64_t> shape{1};
  shape.insert(shape.end(), sample_shape.begin(), sample_shape.end());
  return model.forward(Batch{.data = at::ones(shape, options)}).sum();
}

/// Throws Error unless p >= 1 and epsilon is in [0, 1); `who` is the prefix of the names in errors, "PathNorm.".
inline void check_path_norm(double p, double epsilon, const std::string& who) {
  require(p >= 1, who + "p", "at least 1", p);
  require(epsilon >= 0 && epsilon < 1, who + "epsilon", "in [0, 1)", epsilon);
}

/// Device and type of the model's parameters.
inline at::TensorOptions options_of(const Model& model) {
  const auto parameters = model.parameters();
  if (parameters.empty()) {
    throw Error("a path norm takes a model with parameters");
  }
  return parameters.front().detach().options();
}

}  // namespace regimen::inline v0::detail
