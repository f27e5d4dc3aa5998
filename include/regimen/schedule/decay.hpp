#pragma once
// No LibTorch.

#include <cmath>
#include <numbers>
#include <vector>

#include "regimen/detail/improvement.hpp"
#include "regimen/schedule.hpp"

namespace regimen::inline v0 {

/// The same at all times.
struct Constant {
  double value = 1;

  double operator()(const Clock& /*clock*/) const { return value; }
};

/// 1 at first, times `factor` at each of the epochs in `at` (counted from 0: {150, 250} changes the 151st epoch).
///     phase.lr_scale = regimen::StepDecay{{150, 250}, 0.1};
struct StepDecay {
  std::vector<int> at;
  double factor = 0.1;

  void check() const { detail::require(factor > 0, "StepDecay.factor", "above 0", factor); }

  double operator()(const Clock& clock) const {
    double scale = 1;
    for (const int epoch : at) {
      scale *= clock.epoch >= epoch ? factor : 1;
    }
    return scale;
  }
};

/// From 1 to `floor` along half a cosine, over `epochs`; `floor` afterwards (Loshchilov and Hutter, SGDR, eq. 5).
struct Cosine {
  double epochs = 0;
  double floor = 0;

  void check() const {
    detail::require(epochs > 0, "Cosine.epochs", "above 0", epochs);
    detail::require(floor >= 0 && floor <= 1, "Cosine.floor", "in [0, 1]", floor);
  }

  double operator()(const Clock& clock) const {
    const double progress = std::fmin(clock.position() / epochs, 1.0);
    return floor + (1 - floor) * 0.5 * (1 + std::cos(std::numbers::pi * progress));
  }
};

/// 1 at first, times `factor` whenever `patience` scorings in a row have not improved on the best one by `by`.
///
/// The count begins anew after each decay, as in PyTorch's ReduceLROnPlateau with its threshold absolute and no
/// cooldown; patience counts scorings, not epochs. Reads `metric`, which the run must score.
struct PlateauDecay {
  double factor = 0.1;
  int patience = 10;
  Metric metric = Metric::fit_loss;
  double by = 1e-4;
  double floor = 0;

  void check() const {
    detail::require(factor > 0 && factor < 1, "PlateauDecay.factor", "in (0, 1)", factor);
    detail::require(patience >= 0, "PlateauDecay.patience", "at least 0", patience);
    detail::require(by >= 0, "PlateauDecay.by", "at least 0", by);
    detail::require(floor >= 0 && floor <= 1, "PlateauDecay.floor", "in [0, 1]", floor);
  }

  double operator()(const Clock& /*clock*/, const History& history) const {
    detail::Improvement improvement(metric, by);
    double scale = 1;
    for (const Epoch& epoch : history) {
      improvement.look(epoch);
      if (improvement.waited() > patience) {
        scale = std::fmax(scale * factor, floor);
        improvement.wait_anew();
      }
    }
    return scale;
  }
};

}  // namespace regimen::inline v0
