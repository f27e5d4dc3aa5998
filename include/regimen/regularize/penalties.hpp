#pragma once

#include <ATen/TensorOperators.h>

#include "regimen/regularize/concept.hpp"
#include "regimen/regularize/pass.hpp"
#include "regimen/schedule/bounds.hpp"
#include "regimen/tensor/sums.hpp"

namespace regimen::inline v0 {

/// strength / 2 * the sum of all squared parameters; its gradient is strength * w, as of an optimizer's weight decay.
/// Throws Error unless strength >= 0.
struct L2 {
  NotNegative<"L2.strength"> strength = 5e-4;

  [[nodiscard]] at::Tensor penalty(const Pass& pass) const {
    return detail::sum_of_squares(pass.parameters) * (pass.now.tensor(strength) * 0.5);
  }
};

/// strength * the sum of all absolute parameters. Throws Error unless strength >= 0.
struct L1 {
  NotNegative<"L1.strength"> strength = 1e-5;

  [[nodiscard]] at::Tensor penalty(const Pass& pass) const {
    return detail::sum_of_absolutes(pass.parameters) * pass.now.tensor(strength);
  }
};

/// A mix of L1 and L2 (Zou and Hastie 2005), as in scikit-learn: strength * (l1_share * the sum of all absolute
/// parameters + (1 - l1_share) / 2 * the sum of all squared ones). l1_share 1 is `L1`, 0 is `L2`. Throws Error unless
/// strength >= 0 and l1_share is in [0, 1].
struct ElasticNet {
  NotNegative<"ElasticNet.strength"> strength = 1e-4;
  Share<"ElasticNet.l1_share"> l1_share = 0.5;

  [[nodiscard]] at::Tensor penalty(const Pass& pass) const {
    const at::Tensor share = pass.now.tensor(l1_share);
    const at::Tensor absolutes = detail::sum_of_absolutes(pass.parameters);
    const at::Tensor squares = detail::sum_of_squares(pass.parameters);
    return (absolutes * share + squares * ((1 - share) * 0.5)) * pass.now.tensor(strength);
  }
};

}  // namespace regimen::inline v0
