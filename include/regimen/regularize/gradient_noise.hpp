#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "regimen/key/key.hpp"
#include "regimen/key/salts.hpp"
#include "regimen/regularize/concept.hpp"
#include "regimen/regularize/pass.hpp"
#include "regimen/schedule/bounds.hpp"
#include "regimen/tensor/gradients.hpp"
#include "regimen/tensor/real.hpp"

namespace regimen::inline v0 {

/// Adds independent N(0, eta / (1 + t)^gamma) to every number of every gradient, t being the phase's step, from 0
/// (Neelakantan et al. 2015, "Adding Gradient Noise Improves Learning for Very Deep Networks", section 3, who choose
/// eta among 0.01, 0.3 and 1 and fix gamma at 0.55).
///
/// What a number gets is a function of (seed, the parameter's place among those that are trained, its own place in it,
/// step): not of the batch, the device or what else draws. An optimizer that evaluates its closure again sees the
/// same noise. Within `On` the places are those among the selected: give two of them different seeds. Costs two draws
/// and a logarithm a parameter. Throws Error unless eta >= 0 and gamma >= 0, both finite.
struct GradientNoise {
  NotNegative<"GradientNoise.eta"> eta = 0.01;  ///< the variance at the first step
  double gamma = 0.55;                          ///< how fast it falls; 0: not at all
  std::uint64_t seed = 0;

  static constexpr auto gamma_bounds = Bounds::not_negative("GradientNoise.gamma");
  void check() const { gamma_bounds.check(gamma); }

  void gradient(const Pass& pass) const {
    const at::NoGradGuard no_grad;
    // As a schedule, for the step changes it: where steps are recorded it comes from a slot, which outlives this call.
    const Knob deviation = [eta = eta, gamma = gamma](const Clock& clock, const History& history) {
      const double variance = eta(clock, history);
      eta.bounds().check(variance);
      return std::sqrt(variance / std::pow(1.0 + static_cast<double>(clock.step), gamma));
    };
    const at::Tensor scale = pass.now.tensor(deviation);
    for (std::size_t i = 0; i < pass.parameters.size(); ++i) {
      const at::Tensor gradient = pass.parameters[i].grad();
      if (gradient.defined()) {
        detail::require_dense(gradient, "GradientNoise");
        const at::Tensor place =
            at::full({1}, static_cast<std::int64_t>(i), at::TensorOptions().device(gradient.device()).dtype(at::kLong));
        const Key key = Key(seed, place, pass.now).fold(detail::salt::gradient).each_step();
        at::Tensor numbers = detail::as_real(gradient);
        numbers.add_(key.normal(numbers.sizes()).select(0, 0) * scale);
      }
    }
  }
};

}  // namespace regimen::inline v0
