#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/curvature/loss_surface.hpp"
#include "regimen/curvature/output_jacobian.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/detail/surface_for.hpp"
#include "regimen/model/selector.hpp"
#include "regimen/source/source.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// A measure: the Fisher-Rao norm of the weights, sqrt(E <w, grad_w l>^2), the mean over the samples, l a sample's loss
/// (Liang, Poggio, Rakhlin and Stokes 2019). With `model_labels` the mean is also over labels drawn from
/// the network's own probabilities, sqrt(E_x sum_c p_c <w, grad_w l_c>^2) with l_c = -log p_c, exactly: their Fisher
/// information. For a network of L + 1 linear layers without biases, and ReLU, <w, grad_w l> = (L + 1) <grad_f l, f>.
///
/// <w, grad_w l> is exact, from the product of the outputs' Jacobian with w. The samples' mean is that of the loss, by
/// class weights and without ignored samples; with `model_labels` all count equally. The network is in eval mode. Only
/// the selected parameters that are trained count. It does not change when a ReLU unit's incoming weights grow and its
/// outgoing ones shrink by one factor. The logits' scale matters. Not random.
///
/// Costs F + 2 B. Takes losses with `each`. Throws Error for data without samples or end, if no parameter is selected,
/// and with `model_labels` unless the outputs are logits [N, C].
///     const double norm = regimen::FisherRao{.data = train}(net);
struct FisherRao {
  std::optional<Source> data{};  ///< the phase's data by default
  Evaluation how{};              ///< settings left at their defaults are the phase's
  AnySelector parameters = AllParameters{};
  bool model_labels = false;  ///< labels from the network's softmax, all C of them, in place of the data's; the loss is
                              ///< then cross entropy without class weights, whatever `how.loss` is

  double operator()(const Probe& probe) const {
    const LossSurface surface = detail::surface_for(data, how, parameters, probe, "FisherRao");
    const std::vector<at::Tensor> weights = surface.unflat(surface.weights());
    at::Tensor sum = at::zeros({}, surface.vector_options());
    double count = 0;
    const at::AutoGradMode with_graph(true);
    surface.each_output([&](const at::Tensor& output, const Batch& batch) {
      if (model_labels) {
        sum.add_(over_all_labels(surface, output, weights));
        count += static_cast<double>(batch.size());
        return;
      }
      const at::Tensor along = OutputJacobian(surface, surface.losses(output, batch)).times(weights);
      const at::Tensor counted = surface.sample_weights(batch);
      sum.add_((along.square() * counted).sum());
      count += counted.sum().item<double>();
    });
    return std::sqrt(sum.item<double>() / count);
  }

 private:
  /// The sum over the samples of sum_c p_c <w, grad log p_c>^2, the variance of a logit's derivative along w.
  static at::Tensor over_all_labels(const LossSurface& surface, const at::Tensor& output,
                                    const std::vector<at::Tensor>& weights) {
    if (output.dim() != 2 || output.size(1) < 2) {
      throw Error("FisherRao.model_labels takes logits of [N, C], C at least 2, but the output is " +
                  detail::described(output));
    }
    const at::Tensor precise = output.to(at::kDouble);
    const at::Tensor along = OutputJacobian(surface, precise).times(weights);
    const at::Tensor p = precise.detach().softmax(1);
    return (p * (along - (p * along).sum({1}, /*keepdim=*/true)).square()).sum();
  }
};

}  // namespace regimen::inline v0
