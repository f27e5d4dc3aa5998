#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/tensor/gradients.hpp"
#include "regimen/tensor/named.hpp"

namespace regimen::inline v0 {

/// Loss scaling, which keeps small gradients from vanishing in fp16: the loss is multiplied by a factor before the
/// backward pass, and the gradients are divided by it afterwards. The factor grows after `interval` steps without an
/// overflow and shrinks at each overflow, whose step is skipped (Micikevicius et al. 2018, "Mixed Precision Training",
/// section 3.2; defaults as torch.amp.GradScaler). `run` has one for Precision::fp16. In a loop of your own:
///
///     regimen::LossScaler scaler;
///     scaler.scale(loss).backward();
///     if (scaler.unscale(net->parameters())) { optimizer.step(); }
class LossScaler {
 public:
  struct Rule {
    double initial = 65536;
    double growth = 2;
    double backoff = 0.5;
    std::int64_t interval = 2000;  ///< number of steps without an overflow before the factor grows
  };

  /// Throws Error unless initial > 0, growth > 1, backoff in (0, 1), interval >= 1.
  explicit LossScaler(Rule rule) : rule_(rule), factor_(rule.initial) {
    detail::require(rule.initial > 0 && std::isfinite(rule.initial), "LossScaler.initial", "above 0 and finite",
                    rule.initial);
    detail::require(rule.growth > 1 && std::isfinite(rule.growth), "LossScaler.growth", "above 1 and finite",
                    rule.growth);
    detail::require(rule.backoff > 0 && rule.backoff < 1, "LossScaler.backoff", "in (0, 1)", rule.backoff);
    detail::require(rule.interval >= 1, "LossScaler.interval", "at least 1", rule.interval);
  }
  LossScaler() : LossScaler(Rule{}) {}

  /// loss times the factor, 0-d.
  [[nodiscard]] at::Tensor scale(const at::Tensor& loss) const { return loss * factor_; }

  /// Divides the gradients of these parameters by the factor and updates the factor. Returns false if a gradient is
  /// infinite or NaN: then skip the step. Waits for the device once, as any scaler must whose optimizer cannot skip
  /// steps itself.
  bool unscale(const DistinctTensors& parameters) {
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> gradients;
    for (const at::Tensor& parameter : parameters) {
      if (parameter.grad().defined()) {
        gradients.push_back(detail::present_numbers(detail::gradient_of(parameter)));
      }
    }
    const bool finite = gradients.empty() || divide(gradients);
    adapt(finite);
    return finite;
  }

  /// Unscales gradients that were computed a second time in one step, as in SAM's second pass. The step counts once; an
  /// overflow counts as in `unscale`.
  bool unscale_again(const DistinctTensors& parameters) {
    const std::int64_t steps = steps_;
    const double factor = factor_;
    const bool finite = unscale(parameters);
    if (finite) {
      steps_ = steps;
      factor_ = factor;
    }
    return finite;
  }

  [[nodiscard]] double factor() const { return factor_; }
  [[nodiscard]] std::int64_t steps() const { return steps_; }  ///< without an overflow since the last change

  /// Sets the state of another scaler, after a resume. Throws Error unless factor > 0 and steps >= 0.
  void restore(double factor, std::int64_t steps) {
    detail::require(factor > 0 && std::isfinite(factor), "LossScaler: the restored factor", "above 0 and finite",
                    factor);
    detail::require(steps >= 0, "LossScaler: the restored steps", "at least 0", steps);
    factor_ = factor;
    steps_ = steps;
  }

 private:
  /// Divides the gradients. Returns whether all are finite.
  [[nodiscard]] bool divide(std::vector<at::Tensor>& gradients) const {
    const auto options = gradients.front().options().dtype(at::kFloat);
    at::Tensor overflow = at::zeros({1}, options);
    if (gradients.front().is_cuda()) {
      const at::Tensor inverse = at::full({1}, 1 / factor_, options);
      at::_amp_foreach_non_finite_check_and_unscale_(gradients, overflow, inverse);
    } else {
      for (at::Tensor& gradient : gradients) {
        gradient.mul_(1 / factor_);
        overflow.add_(gradient.isfinite().all().logical_not());
      }
    }
    return overflow.item<float>() == 0;
  }

  void adapt(bool finite) {
    if (!finite) {
      // A factor of 0 could never grow again.
      factor_ = std::max(factor_ * rule_.backoff, static_cast<double>(std::numeric_limits<float>::min()));
      steps_ = 0;
    } else if (++steps_ >= rule_.interval) {
      const double grown = factor_ * rule_.growth;
      factor_ = grown <= std::numeric_limits<float>::max() ? grown : factor_;
      steps_ = 0;
    }
  }

  Rule rule_;
  double factor_;
  std::int64_t steps_ = 0;
};

}  // namespace regimen::inline v0
