#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

#include "regimen/regularize.hpp"

namespace regimen::inline v0 {

namespace detail {

/// The sum of `term` over all parameters, 0-d; 0 for none.
template <class Term>
at::Tensor sum_over(const std::vector<at::Tensor>& parameters, Term&& term) {
  at::Tensor sum;
  for (const at::Tensor& parameter : parameters) {
    sum = sum.defined() ? sum + term(parameter) : term(parameter);
  }
  return sum.defined() ? sum : at::zeros({});
}

}  // namespace detail

/// strength / 2 * the sum of all squared parameters: its gradient is strength * w, that of an optimizer's weight decay.
/// Throws Error unless strength >= 0.
struct L2 {
  Knob strength = 5e-4;

  static constexpr auto strength_bounds = detail::Bounds::not_negative("L2.strength");
  void check() const { strength_bounds.check(strength); }

  [[nodiscard]] at::Tensor penalty(const Pass& pass) const {
    const auto squares = [](const at::Tensor& w) {
      const at::Tensor flat = w.flatten();
      return flat.dot(flat);
    };
    return detail::sum_over(pass.parameters, squares) * (pass.now.tensor(strength, strength_bounds) * 0.5);
  }
};

/// strength * the sum of all absolute parameters. Throws Error unless strength >= 0.
struct L1 {
  Knob strength = 1e-5;

  static constexpr auto strength_bounds = detail::Bounds::not_negative("L1.strength");
  void check() const { strength_bounds.check(strength); }

  [[nodiscard]] at::Tensor penalty(const Pass& pass) const {
    const auto absolutes = [](const at::Tensor& w) { return w.abs().sum(); };
    return detail::sum_over(pass.parameters, absolutes) * pass.now.tensor(strength, strength_bounds);
  }
};

}  // namespace regimen::inline v0
