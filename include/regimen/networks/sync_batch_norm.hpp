#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/square.h>
#include <ATen/ops/zeros.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/share/active_share.hpp"
#include "regimen/share/data_parallel.hpp"
#include "regimen/share/tree_sum.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

namespace detail {

/// The sum of a tensor [n] over the processes, whose gradient is that of the sum of all processes' losses.
inline at::Tensor differentiable_sum(const DataParallel& share, const at::Tensor& mine) {
  const at::Tensor sum = mine.clone();
  {
    const at::NoGradGuard no_grad;
    sum.copy_(sum_over_processes(share, mine, "the statistics of SyncBatchNorm"));
  }
  if (sum.requires_grad()) {
    sum.register_hook([share](const at::Tensor& gradient) {
      if (at::GradMode::is_enabled()) {
        throw Error("SyncBatchNorm can be differentiated once: its backward pass has no graph (create_graph)");
      }
      return sum_over_processes(share, gradient.contiguous(), "the gradients of SyncBatchNorm");
    });
  }
  return sum;
}

}  // namespace detail

namespace networks {

/// BatchNorm over the whole batch of a run that processes share, instead of over each virtual shard (`SyncBatchNorm` of
/// PyTorch, which LibTorch lacks). In eval mode, and in one process, it is `torch::nn::BatchNorm2d`, as its parameters
/// and buffers are, for inputs [N, C] or [N, C, ...].
///
/// Each process must compute its part of a batch at once, so there are as many virtual shards as processes; the results
/// for different numbers of processes are then equal up to rounding, not to the bit. Throws Error if there are more,
/// and in training if a batch has fewer rows than there are processes, or a run is shared by another DataParallel.
///     const regimen::DataParallel share(group, group.size());
///     torch::nn::Sequential net(convolution, regimen::networks::SyncBatchNorm(share, 64), torch::nn::ReLU(), ...);
///     regimen::run(net, phases, scoring, {.share = share});
class SyncBatchNormImpl : public torch::nn::NormImplBase<2, SyncBatchNormImpl, torch::nn::BatchNormOptions> {
 public:
  SyncBatchNormImpl(DataParallel share, const torch::nn::BatchNormOptions& how)
      : NormImplBase(how), share_(std::move(share)) {
    detail::require(share_.own_shards() <= 1, "SyncBatchNorm: DataParallel.shards",
                    "the number of processes, " + detail::text(share_.size()) +
                        ", for each must compute its part of a batch at once",
                    share_.shards());
    share_.need_rows_everywhere();
  }

  /// x: [N, C] or [N, C, ...]; the result has its shape.
  at::Tensor forward(const at::Tensor& x) {
    _check_input_dim(x);
    const bool is_training = this->is_training() && share_.size() > 1;
    if (is_training) {
      return normalized_together(x);
    }
    const bool own_statistics = this->is_training() || !options.track_running_stats();
    return at::batch_norm(x, weight, bias, running_mean, running_var, own_statistics,
                          own_statistics ? next_momentum() : 0, options.eps(), /*cudnn_enabled=*/true);
  }

 protected:
  void _check_input_dim(const at::Tensor& x) override {
    detail::require(x.dim() >= 2 && x.size(1) == options.num_features(), "SyncBatchNorm: the input",
                    "[N, " + detail::text(options.num_features()) + ", ...]", detail::described(x));
  }

 private:
  /// The part of this batch in the running statistics; counts it.
  double next_momentum() {
    if (!this->is_training() || !options.track_running_stats()) {
      return 0;
    }
    num_batches_tracked += 1;
    return options.momentum() ? *options.momentum()
                              : 1.0 / static_cast<double>(num_batches_tracked.item<std::int64_t>());
  }

  at::Tensor normalized_together(const at::Tensor& x) {
    const DataParallel* const of_run = detail::ActiveShare::current();
    if (of_run != nullptr && !of_run->same_as(share_)) {
      throw Error("SyncBatchNorm: its DataParallel must be that of RunOptions.share: give one value to both");
    }
    const std::int64_t channels = x.size(1);
    std::vector<std::int64_t> others;
    std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim()), 1);
    shape[1] = channels;
    for (std::int64_t i = 0; i < x.dim(); ++i) {
      if (i != 1) {
        others.push_back(i);
      }
    }
    // Sums about the running mean, which all processes have in common: about 0 they would cancel.
    const at::ScalarType type = x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    const at::Tensor shift = options.track_running_stats() ? running_mean.detach().clone().to(type).view(shape)
                                                           : at::zeros(shape, x.options().dtype(type));
    const at::Tensor shifted = x.to(type) - shift;
    const at::Tensor count = at::full({1}, static_cast<double>(x.numel() / channels), shifted.options());
    const at::Tensor sums =
        detail::differentiable_sum(share_, at::cat({shifted.sum(others), at::square(shifted).sum(others), count}));
    const at::Tensor n = sums.narrow(0, 2 * channels, 1).detach();
    const at::Tensor mean = sums.narrow(0, 0, channels) / n;
    const at::Tensor variance = (sums.narrow(0, channels, channels) / n - at::square(mean)).clamp_min(0);
    if (options.track_running_stats()) {
      const at::NoGradGuard no_grad;
      const double momentum = next_momentum();
      running_mean.lerp_((mean + shift.view({-1})).to(running_mean.scalar_type()), momentum);
      running_var.lerp_((variance * n / (n - 1)).to(running_var.scalar_type()), momentum);
    }
    at::Tensor result = (shifted - mean.view(shape)) * at::rsqrt(variance + options.eps()).view(shape);
    if (options.affine()) {
      result = result * weight.view(shape) + bias.view(shape);
    }
    return result.to(x.scalar_type());
  }

  DataParallel share_;
};

TORCH_MODULE(SyncBatchNorm);

}  // namespace networks

}  // namespace regimen::inline v0
