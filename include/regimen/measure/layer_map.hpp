#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/model/snapshot.hpp"
#include "regimen/tensor/named.hpp"

namespace regimen::inline v0 {

/// A linear map of a network as it ran on one sample: a convolution or a matrix, with the BatchNorm that followed it
/// folded in, or a BatchNorm that followed no such map. Tensors are the model's own.
struct LayerMap {
  enum class Kind {
    matrix,       ///< linear, addmm, mm, matmul
    convolution,  ///< of 1 to 3 dimensions, transposed or not
    scale,        ///< a BatchNorm that follows another operation: a factor for each channel
  };

  /// BatchNorm in eval mode, as the factor gamma / sqrt(variance + epsilon) of each output channel.
  struct Normalization {
    Named gain{};      ///< gamma, [out]; undefined without affine
    Named variance{};  ///< the running variance, [out]
    double epsilon = 0;
  };

  std::string name{};  ///< of the weight, "conv1.weight"; "(computed)" if the weight is no tensor of the model
  Kind kind = Kind::matrix;
  Named parameter{};  ///< the model's tensor that holds the weight
  at::Tensor
      weight{};  ///< as used: matrix [out, in]; kernel [out, in / groups, ...], transposed [in, out / groups, ...]
  std::vector<std::int64_t> input{};  ///< shape of one sample's input, [C, H, W] for a convolution
  std::vector<std::int64_t> stride{}, padding{}, dilation{}, output_padding{};  ///< of a convolution
  bool transposed = false;
  std::int64_t groups = 1;
  std::optional<Normalization> normalization{};
  std::int64_t calls = 1;  ///< how often the network applies it to one sample

  /// The weight with BatchNorm folded in, double, shaped like `weight`; of `Kind::scale` the factors, [channels].
  /// `then`: take the numbers of all tensors from this snapshot. Throws Error for complex weights, and if the snapshot
  /// lacks one of the tensors.
  [[nodiscard]] at::Tensor folded(const Snapshot* then = nullptr) const {
    const at::NoGradGuard no_grad;
    const at::Tensor gain = normalization ? gain_of(*normalization, then) : at::Tensor();
    if (kind == Kind::scale) {
      return gain;
    }
    const at::Tensor given = then == nullptr ? weight : weight_in(*then);
    if (given.is_complex()) {
      throw Error("a layer map takes real weights, and " + name + " is complex");
    }
    const at::Tensor own = given.to(at::kDouble);
    if (!gain.defined()) {
      return own;
    }
    if (!transposed) {
      std::vector<std::int64_t> shape(static_cast<std::size_t>(own.dim()), 1);
      shape[0] = -1;
      return own * gain.view(shape);
    }
    // [in, out / groups, ...]: input channel i belongs to group i / (in / groups), and so do its outputs.
    const at::Tensor by_input = gain.view({groups, -1}).repeat_interleave(own.size(0) / groups, 0);
    return (own.flatten(2) * by_input.unsqueeze(2)).view(own.sizes());
  }

  /// The folded weight as a matrix, [out, the rest], double: for a convolution the kernel, not the operator on images.
  [[nodiscard]] at::Tensor rows(const Snapshot* then = nullptr) const {
    const at::Tensor own = folded(then);
    if (kind == Kind::scale) {
      return own.diag();
    }
    if (!transposed) {
      return own.flatten(1);
    }
    const std::int64_t in = own.size(0) / groups;
    return own.reshape({groups, in, own.size(1), -1}).transpose(1, 2).reshape({groups * own.size(1), -1});
  }

 private:
  static at::Tensor value_of(const Named& named, const Snapshot* then) {
    at::Tensor value = named.tensor;
    if (then != nullptr) {
      value = then->find(named);
      if (!value.defined() || value.sizes() != named.tensor.sizes()) {
        throw Error("LayerMap: the model's " + named.name + " does not fit the snapshot");
      }
      value = value.to(named.tensor.device());
    }
    if (value.is_complex()) {
      throw Error("LayerMap takes real weights, and " + named.name + " is complex");
    }
    return value;
  }

  static at::Tensor gain_of(const Normalization& norm, const Snapshot* then) {
    const at::Tensor scale = (value_of(norm.variance, then).to(at::kDouble) + norm.epsilon).rsqrt();
    return norm.gain.tensor.defined() ? value_of(norm.gain, then).to(at::kDouble) * scale : scale;
  }

  /// The weight in a snapshot: the same view of the parameter's tensor there.
  [[nodiscard]] at::Tensor weight_in(const Snapshot& then) const {
    if (!parameter.tensor.defined()) {
      throw Error("LayerMap: a weight that is computed, as by a parametrization, is in no snapshot");
    }
    const at::Tensor value = value_of(parameter, &then);
    at::Tensor like = parameter.tensor.detach().new_empty_strided(parameter.tensor.sizes(), parameter.tensor.strides());
    like.copy_(value);
    return like.as_strided(weight.sizes(), weight.strides(),
                           weight.storage_offset() - parameter.tensor.storage_offset());
  }
};

}  // namespace regimen::inline v0
