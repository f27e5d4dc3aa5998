#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "regimen/curvature/loss_surface.hpp"
#include "regimen/measure/detail/weight_noise.hpp"

namespace regimen::inline v0::detail {

/// A search for the largest loss near the weights, at w + T u with |u| <= rho, entry by entry T.
///
/// It works in u and never divides by T: a weight whose T is 0 is held, where d / |w| would be NaN and no distance at
/// all.
class Ascent {
 public:
  /// T: [size()] double. box: the largest |u_i| is at most rho in place of the l2 norm.
  Ascent(const LossSurface& surface, at::Tensor scale, double rho, bool box)
      : surface_(surface), scale_(std::move(scale)), rho_(rho), box_(box), here_(look(at::Tensor())) {}

  [[nodiscard]] double loss_here() const { return here_.loss; }

  /// The loss at the point that SAM takes, u = rho T g / |T g|; that at w if the gradient is 0.
  [[nodiscard]] double sam_loss() const {
    const at::Tensor way = uphill(here_.gradient);
    return way.defined() ? surface_.loss_at(scale_ * way * rho_) : here_.loss;
  }

  /// The largest loss of `steps` steps from SAM's point and from each of `restarts` random ones.
  [[nodiscard]] double largest(std::int64_t steps, std::int64_t restarts, std::uint64_t seed) const {
    double best = here_.loss;
    const at::Tensor way = uphill(here_.gradient);
    if (way.defined()) {
      best = std::max(best, climb(way * rho_, steps));
    }
    for (std::int64_t i = 0; i < restarts; ++i) {
      best = std::max(best, climb(random_start(seed, i), steps));
    }
    return best;
  }

 private:
  struct Point {
    at::Tensor u{};  ///< [size()] double
    double loss = 0;
    at::Tensor gradient{};
  };

  [[nodiscard]] Point look(const at::Tensor& u) const {
    if (!u.defined()) {
      const LossSurface::Slope slope = surface_.loss_and_gradient();
      return {u, slope.loss, slope.gradient};
    }
    const auto moved = surface_.displaced(scale_ * u);
    const LossSurface::Slope slope = surface_.loss_and_gradient();
    return {u, slope.loss, slope.gradient};
  }

  /// The step in u of length 1, as the ball measures it, that raises the loss most to first order; undefined if the
  /// gradient is 0 or not finite.
  [[nodiscard]] at::Tensor uphill(const at::Tensor& gradient) const {
    // A NaN among weights that the network does not use has no gradient, and no say.
    const at::Tensor scaled = (scale_ * gradient).masked_fill(gradient == 0, 0);
    const double norm = scaled.norm().item<double>();
    if (!(norm > 0) || !std::isfinite(norm)) {
      return {};
    }
    return box_ ? scaled.sign() : scaled / norm;
  }

  [[nodiscard]] at::Tensor projected(const at::Tensor& u) const {
    if (box_) {
      return u.clamp(-rho_, rho_);
    }
    const double norm = u.norm().item<double>();
    return norm > rho_ ? u * (rho_ / norm) : u;
  }

  /// On the sphere, or anywhere in the box. Weights that are held have no part in it.
  [[nodiscard]] at::Tensor random_start(std::uint64_t seed, std::int64_t number) const {
    if (box_) {
      return uniform_weights(surface_, seed, number) * rho_;
    }
    const at::Tensor way = normal_weights(surface_, seed, number) * (scale_ != 0);
    return way * (rho_ / std::max(way.norm().item<double>(), std::numeric_limits<double>::min()));
  }

  /// The largest loss of projected gradient ascent. The step begins at the ball's diameter, for which a convex loss
  /// rises at once, and is halved, from the best point so far, whenever the loss did not rise.
  [[nodiscard]] double climb(const at::Tensor& from, std::int64_t steps) const {
    Point best = look(from);
    double length = 2 * rho_;
    for (std::int64_t i = 0; i < steps; ++i) {
      const at::Tensor way = uphill(best.gradient);
      if (!way.defined()) {
        break;
      }
      Point next = look(projected(best.u + way * length));
      if (next.loss > best.loss) {
        best = std::move(next);
      } else {
        length /= 2;
      }
    }
    return std::isnan(best.loss) ? here_.loss : best.loss;
  }

  const LossSurface& surface_;
  at::Tensor scale_;
  double rho_;
  bool box_;
  Point here_;
};

}  // namespace regimen::inline v0::detail
