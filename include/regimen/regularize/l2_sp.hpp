#pragma once

#include <ATen/TensorOperators.h>

#include "regimen/detail/parameter_names.hpp"
#include "regimen/detail/sums.hpp"
#include "regimen/regularize.hpp"
#include "regimen/snapshot.hpp"

namespace regimen::inline v0 {

/// Pulls the parameters to where they were in a snapshot, "L2-SP" (Li, Grandvalet and Davoine 2018):
/// strength / 2 * the sum of (w - w_start)^2, and elsewhere / 2 * the sum of w^2 over the parameters that the snapshot
/// does not have, by name and shape: those of a new head, say.
///     const regimen::Snapshot pretrained(net);
///     phase.regularize = {regimen::L2SP{.start = pretrained}};
///
/// The snapshot may be another network's. Take it on the device where the model is trained: from elsewhere it would be
/// copied in each step, and such a step cannot be recorded.
/// Throws Error unless strength >= 0 and elsewhere >= 0, if the pass names no model, and if the snapshot has none of
/// the pass's parameters.
struct L2SP {
  Snapshot start;
  Knob strength = 0.1;
  Knob elsewhere = 0.01;

  static constexpr auto strength_bounds = detail::Bounds::not_negative("L2SP.strength");
  static constexpr auto elsewhere_bounds = detail::Bounds::not_negative("L2SP.elsewhere");
  void check() const {
    strength_bounds.check(strength);
    elsewhere_bounds.check(elsewhere);
  }

  [[nodiscard]] at::Tensor penalty(const Pass& pass) const {
    std::vector<at::Tensor> moved;
    std::vector<at::Tensor> others;
    for (const Named& named : detail::with_names(pass.parameters, pass.model, "L2SP")) {
      const at::Tensor from = start_of(named);
      if (from.defined()) {
        moved.push_back(named.tensor - from.to(named.tensor.device(), named.tensor.scalar_type()));
      } else {
        others.push_back(named.tensor);
      }
    }
    if (moved.empty()) {
      throw Error("L2SP.start has none of the parameters that are trained, by name and shape");
    }
    return detail::sum_of_squares(moved) * (pass.now.tensor(strength, strength_bounds) * 0.5) +
           detail::sum_of_squares(others) * (pass.now.tensor(elsewhere, elsewhere_bounds) * 0.5);
  }

 private:
  /// Undefined for a parameter that the snapshot does not have.
  [[nodiscard]] at::Tensor start_of(const Named& parameter) const {
    for (const Named& kept : start.tensors()) {
      if (kept.name == parameter.name && kept.tensor.sizes() == parameter.tensor.sizes()) {
        return kept.tensor;
      }
    }
    return {};
  }
};

}  // namespace regimen::inline v0
