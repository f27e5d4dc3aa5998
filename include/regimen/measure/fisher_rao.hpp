#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include "regimen/base/error.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/curvature/loss_surface.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/evaluate/walk.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/detail/surface_for.hpp"
#include "regimen/model/selector.hpp"
#include "regimen/source/source.hpp"
#include "regimen/tensor/described.hpp"
#include "regimen/tensor/rounding.hpp"

namespace regimen::inline v0 {

namespace detail {

/// The losses of single samples, [N] double, computed in double where the loss can: the differences of a well-fitted
/// sample's losses would be lost in float.
inline at::Tensor each_in_double(const AnyLoss& loss, const at::Tensor& output, const at::Tensor& target) {
  const bool floating = target.defined() && target.is_floating_point();
  try {
    return loss.each(output.to(at::kDouble), floating ? target.to(at::kDouble) : target).to(at::kDouble);
  } catch (const c10::Error&) {  // a module with weights of its own takes their type alone
    return loss.each(output, target).to(at::kDouble);
  }
}

}  // namespace detail

/// A measure: the Fisher-Rao norm of the weights, sqrt(E <w, grad_w l>^2), the mean over the samples, l a sample's loss
/// (Liang, Poggio, Rakhlin and Stokes 2019). With `model_labels` the mean is also over labels drawn from
/// the network's own probabilities, sqrt(E_x sum_c p_c <w, grad_w l_c>^2) with l_c = -log p_c, exactly: their Fisher
/// information. For a network of L + 1 linear layers without biases, and ReLU, <w, grad_w l> = (L + 1) <grad_f l, f>.
///
/// <w, grad_w l> is a derivative along the weights themselves, so two forward passes give it for all samples, with any
/// loss and any network: (l((1 + h) w) - l((1 - h) w)) / 2h. h is the cube root of the parameters' precision, 6e-6 in
/// double, .005 in float. The error grows with depth and confidence: about (h (L + 1) |f|)^2 / 6 of the result, in
/// float negligible for few layers and large for twenty. `step` sets h. The network is in eval mode. Only the selected
/// parameters that are trained are scaled. It does not change when a ReLU unit's incoming weights grow and its outgoing
/// ones shrink by one factor. The logits' scale matters. Not random.
///
/// Costs 2 forward passes. Throws Error for data without samples or end, if no parameter is selected, unless `step` is
/// in [0, 1), and with `model_labels` unless the outputs are logits [N, C].
///     const double norm = regimen::FisherRao{.data = train}(net);
struct FisherRao {
  std::optional<Source> data{};  ///< the phase's data by default
  Evaluation how{};              ///< settings left at their defaults are the phase's
  AnySelector parameters = AllParameters{};
  bool model_labels = false;  ///< labels from the network's softmax, all C of them, in place of the data's; the loss is
                              ///< then cross entropy without class weights, whatever `how.loss` is
  double step = 0;            ///< h, in [0, 1); 0: chosen by the parameters' type

  void check() const { detail::require(step >= 0 && step < 1, "FisherRao.step", "in [0, 1)", step); }

  double operator()(const Probe& probe) const {
    check();
    const at::NoGradGuard no_grad;
    const LossSurface surface = detail::surface_for(data, how, parameters, probe, "FisherRao");
    const double h = step > 0 ? step : std::cbrt(detail::coarsest_epsilon(surface.parameters()));
    const at::Tensor along = surface.weights() * h;
    at::Tensor sum = at::zeros({}, surface.vector_options());
    std::int64_t samples = 0;
    // Both passes batch by batch, as else the losses of all samples had to be kept.
    detail::walk(surface.model(), surface.data(), surface.how(), "FisherRao", [&](const Batch& batch) {
      const auto output_at = [&](const at::Tensor& by) {
        const auto moved = surface.displaced(by);
        return surface.how().execute.forward(surface.model(), batch);
      };
      const at::Tensor after = output_at(along);
      const at::Tensor before = output_at(-along);
      sum.add_(model_labels ? over_all_labels(after, before, h)
                            : ((detail::each_in_double(surface.how().loss, after, batch.target) -
                                detail::each_in_double(surface.how().loss, before, batch.target)) /
                               (2 * h))
                                  .square()
                                  .sum());
      samples += batch.size();
    });
    return std::sqrt(sum.item<double>() / static_cast<double>(samples));
  }

 private:
  /// The sum over the samples of sum_c p_c (d log p_c)^2, from logits [N, C] at (1 + h) w and (1 - h) w. The mean of
  /// the two logits is that at w up to h^2.
  static at::Tensor over_all_labels(const at::Tensor& after, const at::Tensor& before, double h) {
    if (after.dim() != 2 || after.size(1) < 2) {
      throw Error("FisherRao.model_labels takes logits of [N, C], C at least 2, but the output is " +
                  detail::described(after));
    }
    const at::Tensor up = after.to(at::kDouble);
    const at::Tensor down = before.to(at::kDouble);
    const at::Tensor slope = (up.log_softmax(1) - down.log_softmax(1)) / (2 * h);
    return (((up + down) / 2).softmax(1) * slope.square()).sum();
  }
};

}  // namespace regimen::inline v0
