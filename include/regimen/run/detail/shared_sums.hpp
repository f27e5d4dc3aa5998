#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_strided.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/view_as_real.h>
#include <ATen/ops/zeros.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/model/weights.hpp"
#include "regimen/share/data_parallel.hpp"
#include "regimen/share/tree_sum.hpp"
#include "regimen/tensor/named.hpp"

namespace regimen::inline v0::detail {

/// What the virtual shards of a step add up to, over all processes of a shared run: gradients, losses, and the changes
/// of buffers, which are BatchNorm's running statistics. All of it is one flat tensor, for one large message costs a
/// twentieth of many small ones.
///
///     begin();
///     for each shard of this process: forward and backward passes, then add(...)
///     add_nothing() for a shard without rows
///     const Totals totals = finish(...);      // gradients and buffers of the model are those of the whole step
class SharedSums {
 public:
  /// parameters: all whose gradients a step may change.
  SharedSums(const DataParallel& share, const Weights& model, const DistinctTensors& parameters)
      : share_(share), model_(model), type_(at::kFloat) {
    for (const at::Tensor& parameter : parameters) {
      if (parameter.requires_grad()) {
        if (parameter.is_complex()) {
          throw Error("RunOptions.share: a parameter of the model is complex, whose gradients are not shared");
        }
        type_ = parameter.scalar_type() == at::kDouble ? at::kDouble : type_;
        parameters_.push_back(parameter);
      }
    }
    for (const Named& named : model.named_buffers()) {
      const at::ScalarType type = named.tensor.scalar_type();
      type_ = type == at::kDouble || type == at::kComplexDouble ? at::kDouble : type_;
    }
  }

  /// What all processes know after a step.
  struct Totals {
    at::Tensor loss;       ///< 0-d
    at::Tensor objective;  ///< 0-d
    bool stop = false;     ///< whether any process is asked to stop
  };

  /// Begins an evaluation of the step.
  void begin() {
    const at::NoGradGuard no_grad;
    averaged_.clear();
    counted_.clear();
    before_.clear();
    size_ = 0;
    for (const at::Tensor& parameter : parameters_) {
      size_ += parameter.numel();
    }
    flags_ = size_;
    size_ += static_cast<std::int64_t>(parameters_.size());
    changes_ = size_;
    for (const Named& named : model_.named_buffers()) {
      const at::Tensor buffer = named.tensor.is_complex() ? at::view_as_real(named.tensor) : named.tensor;
      (buffer.is_floating_point() ? averaged_ : counted_).push_back(buffer);
      size_ += buffer.numel();
    }
    for (const auto* const buffers : {&averaged_, &counted_}) {
      for (const at::Tensor& buffer : *buffers) {
        before_.push_back(buffer.clone());
      }
    }
    averaged_before_ = flat(averaged_, type_);
    last_ = size_;
    size_ += last_numbers;
  }

  /// Adds the evaluation of a shard, and puts the buffers back for the next one. `weight`: its share of the step's
  /// samples.
  void add(double weight, bool is_first, const at::Tensor& loss, const at::Tensor& objective) {
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> parts;  // of one flat row, in its order
    std::vector<double> flags;
    for (const at::Tensor& parameter : parameters_) {
      const at::Tensor& gradient = parameter.grad();
      parts.push_back(gradient.defined() ? in_order_of(parameter, gradient) : zeros(parameter.numel()));
      flags.push_back(gradient.defined() ? 1 : 0);
    }
    parts.push_back(at::tensor(flags, zeros(0).options()));
    parts.push_back(change_of(flat(averaged_, type_), averaged_before_) * weight);
    std::size_t i = averaged_.size();
    for (const at::Tensor& buffer : counted_) {  // a counter goes on as in one shard
      const at::Tensor& before = before_[i++];
      parts.push_back(is_first ? (buffer.to(at::kLong) - before.to(at::kLong)).to(type_).reshape(-1)
                               : zeros(buffer.numel()));
    }
    parts.push_back(loss.to(type_).reshape(1));
    parts.push_back(objective.to(type_).reshape(1));
    parts.push_back(zeros(last_numbers - 2));
    sum_.add(at::cat(parts));
    i = 0;
    for (const auto* const buffers : {&averaged_, &counted_}) {
      for (const at::Tensor& buffer : *buffers) {
        buffer.copy_(before_[i++]);
      }
    }
  }

  void add_nothing() { sum_.add(zeros(size_)); }

  /// Sums over all shards of all processes, and gives gradients and buffers to the model. `signature` in [0, 4096) is a
  /// number that all processes must have in common: of the step's data.
  Totals finish(std::int64_t signature, bool stop) {
    const at::NoGradGuard no_grad;
    at::Tensor mine = sum_.take();
    mine[last_ + 2].fill_(static_cast<double>(signature));
    mine[last_ + 3].fill_(stop ? 1 : 0);
    const at::Tensor sum = sum_over_processes(share_, mine, "the gradients of a step");
    const at::Tensor known =
        at::_cast_Double(at::cat({sum.narrow(0, flags_, changes_ - flags_), sum.narrow(0, last_ + 2, 2)})).cpu();
    const double* numbers = known.data_ptr<double>();
    const std::int64_t count = changes_ - flags_;
    if (numbers[count] != static_cast<double>(signature * share_.size())) {
      throw Error(
          "RunOptions.share: the processes do not read the same samples in this step: the data of each must be the "
          "same, in the same order");
    }
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      at::Tensor& parameter = parameters_[i];
      const at::Tensor gradient = part(sum, begin, parameter);
      parameter.mutable_grad() = numbers[i] > 0 ? gradient.to(parameter.scalar_type()) : at::Tensor();
      begin += parameter.numel();
    }
    begin = changes_;
    for (const auto* const buffers : {&averaged_, &counted_}) {
      for (const at::Tensor& buffer : *buffers) {
        const at::Tensor change = sum.narrow(0, begin, buffer.numel()).view(buffer.sizes());
        if (buffer.is_floating_point()) {
          buffer.add_(change.to(buffer.scalar_type()));
        } else {
          buffer.copy_(buffer.to(at::kLong) + change.to(at::kLong));
        }
        begin += buffer.numel();
      }
    }
    return {sum[last_], sum[last_ + 1], numbers[count + 1] > 0};
  }

 private:
  static constexpr std::int64_t last_numbers = 4;  // loss, objective, signature, stop

  /// What has been added to buffers: 0 where nothing has changed, be it infinite or NaN, as in masks.
  static at::Tensor change_of(const at::Tensor& now, const at::Tensor& before) {
    const at::Tensor is_same = now.eq(before).logical_or(now.isnan().logical_and(before.isnan()));
    return (now - before).masked_fill(is_same, 0);
  }

  [[nodiscard]] at::Tensor zeros(std::int64_t length) const {
    return at::zeros({length}, at::TensorOptions().device(model_.device()).dtype(type_));
  }

  [[nodiscard]] at::Tensor flat(const std::vector<at::Tensor>& tensors, at::ScalarType type) const {
    std::vector<at::Tensor> parts{zeros(0)};
    for (const at::Tensor& tensor : tensors) {
      parts.push_back(tensor.to(type).reshape(-1));
    }
    return at::cat(parts);
  }

  /// A parameter's gradient, flat, in the parameter's order in memory.
  [[nodiscard]] at::Tensor in_order_of(const at::Tensor& parameter, const at::Tensor& gradient) const {
    if (gradient.is_sparse()) {
      throw Error(
          "RunOptions.share: a parameter's gradient is sparse, as of an embedding with sparse(true); give the layer "
          "sparse(false)");
    }
    at::Tensor result = gradient.to(type_);
    if (!parameter.is_non_overlapping_and_dense()) {
      return result.reshape(-1);
    }
    if (result.strides() != parameter.strides()) {
      result = at::empty_strided(parameter.sizes(), parameter.strides(), result.options()).copy_(result);
    }
    return result.as_strided({result.numel()}, {1}, result.storage_offset());
  }

  /// The part of a flat tensor for a parameter, in the parameter's shape and order in memory.
  static at::Tensor part(const at::Tensor& flat, std::int64_t begin, const at::Tensor& parameter) {
    const at::Tensor numbers = flat.narrow(0, begin, parameter.numel());
    return parameter.is_non_overlapping_and_dense()
               ? numbers.as_strided(parameter.sizes(), parameter.strides(), numbers.storage_offset())
               : numbers.view(parameter.sizes());
  }

  const DataParallel& share_;
  const Weights& model_;
  at::ScalarType type_;
  std::vector<at::Tensor> parameters_;
  std::vector<at::Tensor> averaged_;  ///< buffers of floating point
  std::vector<at::Tensor> counted_;   ///< the other buffers
  std::vector<at::Tensor> before_;    ///< all of them as the step found them
  at::Tensor averaged_before_;
  std::int64_t flags_ = 0;    ///< places in the flat tensor: whether each parameter has a gradient,
  std::int64_t changes_ = 0;  ///< the buffers,
  std::int64_t last_ = 0;     ///< and the last numbers
  std::int64_t size_ = 0;
  TreeSum sum_;
};

}  // namespace regimen::inline v0::detail
