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

/// Adds independent normal noise N(0, eta / (1 + t)^gamma) to every entry of every gradient, with t the step of the
/// phase, from 0 (Neelakantan et al. 2015, "Adding Gradient Noise Improves Learning for Very Deep Networks", section 3,
/// who choose eta from 0.01, 0.3 and 1 and fix gamma at 0.55).
///
/// The noise of an entry is a function of (seed, index of the parameter among the trained ones, index in the parameter,
/// step): not of the batch, the device or other draws. An optimizer that calls its closure again gets the same noise.
/// Within `On` parameters are counted among the selected ones: give two of them different seeds. Costs two draws and a
/// logarithm per entry. Throws Error unless eta >= 0 and gamma >= 0, both finite, and for sparse gradients.
struct GradientNoise {
  NotNegative<"GradientNoise.eta"> eta = 0.01;  ///< variance at the first step, at least 0 and finite
  double gamma = 0.55;                          ///< exponent of its decay, at least 0 and finite; 0: no decay
  std::uint64_t seed = 0;

  static constexpr auto gamma_bounds = Bounds::not_negative("GradientNoise.gamma");
  void check() const { gamma_bounds.check(gamma); }

  void gradient(const Pass& pass) const {
    const at::NoGradGuard no_grad;
    // A schedule, as it depends on the step: in recorded steps it is read from a slot, which outlives this call.
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
