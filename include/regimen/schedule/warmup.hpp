#pragma once
// No LibTorch.

#include <cmath>
#include <cstddef>
#include <string>

#include "regimen/schedule/concept.hpp"
#include "regimen/schedule/detail/half_cosine.hpp"

namespace regimen::inline v0 {

/// A straight line from `start` to 1 over `epochs`; 1 afterwards (Goyal et al. 2017). PyTorch's LinearLR.
///     phase.lr_scale = regimen::LinearWarmup{.epochs = 5} * regimen::Cosine{.epochs = 90};
struct LinearWarmup {
  double epochs = 1;  ///< duration, above 0; may be a fraction
  double start = 0;   ///< first value, in [0, 1]

  void check() const {
    detail::require(epochs > 0, "LinearWarmup.epochs", "above 0", epochs);
    detail::require(start >= 0 && start <= 1, "LinearWarmup.start", "in [0, 1]", start);
  }

  double operator()(const Clock& clock) const {
    const double progress = std::fmin(clock.progress(0, epochs), 1.0);
    return start + (1 - start) * progress;
  }
};

/// A straight line from `start` to 1 over `warmup` epochs, then sqrt(warmup / position): the learning rate of the
/// Transformer (Vaswani et al. 2017, eq. 3), scaled to a maximum of 1. The paper counts in optimizer steps: wrap it in
/// `InSteps`.
///     phase.lr_scale = regimen::InSteps{regimen::InverseSquareRoot{.warmup = 4000}};
struct InverseSquareRoot {
  double warmup = 1;  ///< duration of the warmup, above 0; may be a fraction
  double start = 0;   ///< first value, in [0, 1]

  void check() const {
    detail::require(warmup > 0, "InverseSquareRoot.warmup", "above 0", warmup);
    detail::require(start >= 0 && start <= 1, "InverseSquareRoot.start", "in [0, 1]", start);
  }

  double operator()(const Clock& clock) const {
    const double progress = clock.progress(0, warmup);
    return progress < 1 ? start + (1 - start) * progress : std::sqrt(1 / progress);
  }
};

/// The shape of the final fall of `WarmupStableDecay`, for progress from 0 to 1.
enum class Cooldown {
  line,         ///< 1 - progress
  cosine,       ///< half a cosine
  square_root,  ///< 1 - sqrt(progress) (Hägele et al. 2024)
};

[[nodiscard]] inline std::string name_of(Cooldown cooldown) {
  static constexpr const char* names[] = {"line", "cosine", "square_root"};
  return names[static_cast<std::size_t>(cooldown)];
}

/// A straight line from `start` to 1 over `warmup` epochs, then 1, and a fall to `floor` over the last `decay` of all
/// `epochs`; `floor` afterwards (Hu et al. 2024, MiniCPM; Hägele et al. 2024).
///     phase.lr_scale = regimen::WarmupStableDecay{.epochs = 100, .warmup = 2, .decay = 20};
struct WarmupStableDecay {
  double epochs = 0;  ///< total duration, above 0; this and the next two may be fractions
  double warmup = 0;  ///< epochs of rise, at least 0
  double decay = 0;   ///< epochs of fall, at least 0; with `warmup` at most `epochs`
  double start = 0;   ///< first value, in [0, 1]
  double floor = 0;   ///< final value, in [0, 1]
  Cooldown shape = Cooldown::line;

  void check() const {
    detail::require(epochs > 0, "WarmupStableDecay.epochs", "above 0", epochs);
    detail::require(warmup >= 0, "WarmupStableDecay.warmup", "at least 0", warmup);
    // The tolerance is for rounding: 0.1 + 0.2 is more than 0.3.
    detail::require(decay >= 0 && warmup + decay <= epochs * (1 + 1e-9), "WarmupStableDecay.decay",
                    "at least 0, and with warmup at most epochs", decay);
    detail::require(start >= 0 && start <= 1, "WarmupStableDecay.start", "in [0, 1]", start);
    detail::require(floor >= 0 && floor <= 1, "WarmupStableDecay.floor", "in [0, 1]", floor);
  }

  double operator()(const Clock& clock) const {
    if (!clock.reached(warmup)) {
      return start + (1 - start) * clock.progress(0, warmup);
    }
    if (!clock.reached(epochs - decay)) {
      return 1;
    }
    return floor + (1 - floor) * (clock.reached(epochs) ? left(1) : left(clock.progress(epochs - decay, epochs)));
  }

 private:
  [[nodiscard]] double left(double progress) const {
    switch (shape) {
      case Cooldown::cosine:
        return detail::half_cosine(progress);
      case Cooldown::square_root:
        return 1 - std::sqrt(progress);
      default:
        return 1 - progress;
    }
  }
};

}  // namespace regimen::inline v0
