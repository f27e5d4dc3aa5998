#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
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
    buffers_.clear();
    before_.clear();
    size_ = 0;
    for (const at::Tensor& parameter : parameters_) {
      size_ += parameter.numel();
    }
    flags_ = size_;
    size_ += static_cast<std::int64_t>(parameters_.size());
    changes_ = size_;
    for (const Named& named : model_.named_buffers()) {
      buffers_.push_back(named.tensor.is_complex() ? at::view_as_real(named.tensor) : named.tensor);
      before_.push_back(buffers_.back().clone());
      size_ += buffers_.back().numel();
    }
    last_ = size_;
    size_ += last_numbers;
  }

  /// Adds the evaluation of a shard, and puts the buffers back for the next one. `weight`: its share of the step's
  /// samples.
  void add(double weight, bool is_first, const at::Tensor& loss, const at::Tensor& objective) {
    const at::NoGradGuard no_grad;
    at::Tensor row = zero_row();
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      const at::Tensor& gradient = parameters_[i].grad();
      if (gradient.defined()) {
        if (gradient.is_sparse()) {
          throw Error(
              "RunOptions.share: a parameter's gradient is sparse, as of an embedding with sparse(true); give the "
              "layer sparse(false)");
        }
        part(row, begin, parameters_[i]).copy_(gradient);
        row[flags_ + static_cast<std::int64_t>(i)].fill_(1);
      }
      begin += parameters_[i].numel();
    }
    begin = changes_;
    for (std::size_t i = 0; i < buffers_.size(); ++i) {
      at::Tensor& buffer = buffers_[i];
      const bool averages = buffer.is_floating_point();
      if (averages || is_first) {  // a counter goes on as in one shard
        const at::Tensor change = change_of(buffer, before_[i]).to(type_) * (averages ? weight : 1.0);
        row.narrow(0, begin, buffer.numel()).copy_(change.reshape(-1));
      }
      buffer.copy_(before_[i]);
      begin += buffer.numel();
    }
    row[last_].copy_(loss);
    row[last_ + 1].copy_(objective);
    sum_.add(std::move(row));
  }

  void add_nothing() { sum_.add(zero_row()); }

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
          "same, "
          "in the same order");
    }
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      at::Tensor& parameter = parameters_[i];
      const at::Tensor gradient = part(sum, begin, parameter);
      parameter.mutable_grad() = numbers[i] > 0 ? gradient.to(parameter.scalar_type()) : at::Tensor();
      begin += parameter.numel();
    }
    begin = changes_;
    for (std::size_t i = 0; i < buffers_.size(); ++i) {
      const at::Tensor change = sum.narrow(0, begin, buffers_[i].numel()).view(buffers_[i].sizes());
      if (buffers_[i].is_floating_point()) {
        buffers_[i].add_(change.to(buffers_[i].scalar_type()));
      } else {
        buffers_[i].copy_(buffers_[i].to(at::kLong) + change.to(at::kLong));
      }
      begin += buffers_[i].numel();
    }
    return {sum[last_], sum[last_ + 1], numbers[count + 1] > 0};
  }

 private:
  static constexpr std::int64_t last_numbers = 4;  // loss, objective, signature, stop

  /// What has been added to a buffer: 0 where nothing has changed, be it infinite or NaN, as in masks.
  static at::Tensor change_of(const at::Tensor& now, const at::Tensor& before) {
    if (!now.is_floating_point()) {
      return now.to(at::kLong) - before.to(at::kLong);
    }
    const at::Tensor is_same = now.eq(before).logical_or(now.isnan().logical_and(before.isnan()));
    return (now - before).masked_fill(is_same, 0);
  }

  [[nodiscard]] at::Tensor zero_row() const {
    return at::zeros({size_}, at::TensorOptions().device(model_.device()).dtype(type_));
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
  std::vector<at::Tensor> buffers_;
  std::vector<at::Tensor> before_;  ///< the buffers as the step found them
  std::int64_t flags_ = 0;          ///< places in the flat tensor: whether each parameter has a gradient,
  std::int64_t changes_ = 0;        ///< the buffers,
  std::int64_t last_ = 0;           ///< and the last numbers
  std::int64_t size_ = 0;
  TreeSum sum_;
};

}  // namespace regimen::inline v0::detail
