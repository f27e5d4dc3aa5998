#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/curvature/loss_surface.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/data_for.hpp"
#include "regimen/measure/detail/ascent.hpp"
#include "regimen/measure/detail/scaled_logits.hpp"
#include "regimen/model/selector.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0 {

/// The norm that bounds a displacement of the weights.
enum class Ball {
  l2,    ///< the root of the sum of squares, of all weights together
  linf,  ///< the largest absolute value: a box
};

[[nodiscard]] inline std::string name_of(Ball ball) {
  return ball == Ball::l2 ? "l2" : "linf";
}

/// The scale of the logits [N, C, ...] that a measure sees.
enum class LogitScale {
  own,         ///< the network's
  normalized,  ///< each vector of C logits divided by its own norm, which moves with the weights
  matched,     ///< one temperature: all logits divided by their mean norm over the data at the network's weights
};

[[nodiscard]] inline std::string name_of(LogitScale scale) {
  return scale == LogitScale::own ? "own" : scale == LogitScale::normalized ? "normalized" : "matched";
}

/// A measure: the worst-case sharpness, by how much the mean loss can grow near the weights,
/// max L(w + d) - L(w) over |d| <= rho (Keskar et al. 2017; Foret et al. 2021), and with `adaptive` over
/// |d / (|w| + eta)| <= rho, entry by entry (Kwon et al. 2021; Andriushchenko et al. 2023).
///
/// A lower bound, as any search: projected gradient ascent from the point that SAM takes, w + rho T^2 g / |T g| with
/// T = |w| + eta or 1, and from random points; the best value is kept, and is at least 0. The step begins at 2 rho and
/// is halved when the loss does not rise, a simpler form of APGD (Croce and Hein 2020). With `steps` = 0 the value is
/// that of SAM's point alone, which may be negative. With eta = 0 a weight that is exactly 0 stays 0.
///
/// The loss is that of all data together, or, with `per`, the maximum is taken for each `per` samples of the source, in
/// its order, and averaged over the samples: m-sharpness (Foret et al. 2021), which is larger. The network
/// is in eval mode and BatchNorm's running statistics stay. Frozen parameters do not move. `adaptive` does not change
/// when a ReLU unit's incoming weights grow and its outgoing ones shrink by one factor (eta = 0), and with
/// LogitScale::normalized, as in Andriushchenko et al. 2023, or ::matched, neither when the last layer's weights and
/// biases grow by a factor. A function of the seed: all networks that are compared get the same random points. NaN if
/// L(w) is not finite.
///
/// Costs 1 + (1 + restarts) * (1 + steps) forward and backward passes at most; without steps a forward and a backward
/// pass, and a forward one more. LogitScale::matched costs one forward pass more, and so
/// does `per`.
/// Throws Error for data without samples or end, if no parameter is selected, unless rho > 0 and eta >= 0, both finite,
/// steps >= 0, restarts >= 0 and per >= 1, and with a LogitScale for outputs that are no logits [N, C, ...].
///     const regimen::WorstSharpness asam{.data = train, .rho = 0.5, .adaptive = true};
///     scoring.measures["sharp"] = asam;
struct WorstSharpness {
  std::optional<Source> data{};  ///< the phase's data by default
  Evaluation how{};              ///< settings left at their defaults are the phase's
  AnySelector parameters = AllParameters{};
  double rho = 0.05;  ///< radius, above 0
  Ball ball = Ball::l2;
  bool adaptive = false;         ///< distances relative to each weight
  double eta = 0;                ///< what `adaptive` adds to |w|, at least 0
  Integer steps = 20;            ///< of ascent from each start, at least 0; 0: one SAM step alone
  Integer restarts = 1;          ///< random starts, at least 0
  std::optional<Integer> per{};  ///< samples of one maximum; none: all
  LogitScale logits = LogitScale::own;
  std::uint64_t seed = 0;  ///< random seed of the random starts

  void check() const {
    detail::require(rho > 0 && std::isfinite(rho), "WorstSharpness.rho", "above 0 and finite", rho);
    detail::require(eta >= 0 && std::isfinite(eta), "WorstSharpness.eta", "at least 0 and finite", eta);
    detail::require(steps >= 0, "WorstSharpness.steps", "at least 0", steps);
    detail::require(restarts >= 0, "WorstSharpness.restarts", "at least 0", restarts);
    detail::require(!per || *per >= 1, "WorstSharpness.per", "at least 1", per.value_or(1));
  }

  double operator()(const Probe& probe) const {
    check();
    const Source source = detail::data_for(data, probe, "WorstSharpness");
    Evaluation settings = detail::filled_in(how, probe.how);
    const auto surface_of = [&](const Source& samples) {
      return LossSurface(probe.model, samples, settings, parameters, "WorstSharpness");
    };
    if (logits != LogitScale::own) {
      const double scale =
          logits == LogitScale::normalized ? 0 : 1 / detail::mean_logit_norm(surface_of(source), logits_name);
      settings.loss = detail::of_scaled_logits(settings.loss, scale, logits_name);
    }
    if (!per) {
      return value(surface_of(source));
    }
    double sum = 0;
    std::int64_t samples = 0;
    const Cursor next = source.read({.batch = *per, .now = settings.now});
    for (Batch batch = next(); batch.size() > 0; batch = next()) {
      const std::int64_t size = batch.size();
      sum += value(surface_of(std::move(batch))) * static_cast<double>(size);
      samples += size;
    }
    return sum / static_cast<double>(samples);
  }

 private:
  static constexpr const char* logits_name = "WorstSharpness.logits";

  [[nodiscard]] double value(const LossSurface& surface) const {
    const at::Tensor scale =
        adaptive ? surface.weights().abs() + eta : at::ones({surface.size()}, surface.vector_options());
    const detail::Ascent ascent(surface, scale, rho, ball == Ball::linf);
    if (!std::isfinite(ascent.loss_here())) {
      return unknown;
    }
    const double found = steps == 0 ? ascent.sam_loss() : ascent.largest(steps, restarts, seed);
    return found - ascent.loss_here();
  }
};

}  // namespace regimen::inline v0
