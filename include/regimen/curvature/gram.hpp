#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "regimen/curvature/loss_surface.hpp"
#include "regimen/curvature/output_jacobian.hpp"

namespace regimen::inline v0 {

/// The empirical neural tangent kernel, as an operator: K = J J' with J the Jacobian of all outputs by the weights
/// (Jacot, Gabriel and Hongler 2018). Rows are sample after sample, and within a sample output after output: n samples
/// with C outputs give [n C, n C]. K is a sum over weights, not a mean. `centred`: H K H, where H subtracts the mean
/// over the samples from each output (Cortes, Mohri and Rostamizadeh 2012).
///
/// A product costs 2 F + 3 B and the memory of a batch, a vector of weights and the n C numbers; peers that store K or
/// J need n C times the weights. BatchNorm is in eval mode, so a sample's outputs depend on it alone.
class Gram {
 public:
  /// Costs a forward pass, to learn the number of outputs.
  explicit Gram(LossSurface surface, bool centred = false) : surface_(std::move(surface)), centred_(centred) {
    const at::NoGradGuard no_grad;
    surface_.each_output([this](const at::Tensor& output, const Batch& batch) {
      samples_ += batch.size();
      size_ += output.numel();
    });
  }

  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] std::int64_t samples() const { return samples_; }
  [[nodiscard]] at::Device device() const { return surface_.device(); }

  [[nodiscard]] at::Tensor apply(const at::Tensor& v) const {
    const at::AutoGradMode with_graph(true);
    const at::Tensor from = centre(v);
    at::Tensor weights = at::zeros({surface_.size()}, surface_.vector_options());
    std::int64_t begin = 0;
    surface_.each_output([&](const at::Tensor& output, const Batch& /*batch*/) {
      const at::Tensor part = from.narrow(0, begin, output.numel()).view(output.sizes()).to(output.scalar_type());
      weights.add_(OutputJacobian(surface_, output).transposed_times(part));
      begin += output.numel();
    });
    const std::vector<at::Tensor> as_weights = surface_.unflat(weights);
    std::vector<at::Tensor> parts;
    surface_.each_output([&](const at::Tensor& output, const Batch& /*batch*/) {
      parts.push_back(OutputJacobian(surface_, output).times(as_weights).to(at::kDouble).flatten());
    });
    return centre(at::cat(parts));
  }

 private:
  [[nodiscard]] at::Tensor centre(const at::Tensor& v) const {
    if (!centred_) {
      return v;
    }
    const at::Tensor by_sample = v.view({samples_, -1});
    return (by_sample - by_sample.mean({0}, /*keepdim=*/true)).flatten();
  }

  LossSurface surface_;
  bool centred_;
  std::int64_t samples_ = 0;
  std::int64_t size_ = 0;
};

}  // namespace regimen::inline v0
