#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/scalar_tensor.h>

#include "regimen/schedule.hpp"

namespace regimen::inline v0 {

/// The moment at which a part of a regime acts: it turns knobs into numbers.
///
/// Whatever may change while a phase runs comes through here and nowhere else. `tensor` is for arithmetic on the
/// device: a step that is captured once and replayed can refill such a tensor, but not a number.
struct Now {
  Clock clock{};
  const History* history = nullptr;  ///< of the phase so far; none in a loop that keeps none

  [[nodiscard]] double operator()(const Knob& knob) const {
    static const History none;
    return knob(clock, history != nullptr ? *history : none);
  }

  /// The same, checked. Throws Error where a schedule has left the bounds.
  [[nodiscard]] double operator()(const Knob& knob, const detail::Bounds& bounds) const {
    const double value = (*this)(knob);
    bounds.check(value);
    return value;
  }

  /// 0-d; multiplies tensors of any floating type on any device without changing their type.
  [[nodiscard]] at::Tensor tensor(const Knob& knob) const { return at::scalar_tensor((*this)(knob), at::kDouble); }
  [[nodiscard]] at::Tensor tensor(const Knob& knob, const detail::Bounds& bounds) const {
    return at::scalar_tensor((*this)(knob, bounds), at::kDouble);
  }
};

}  // namespace regimen::inline v0
