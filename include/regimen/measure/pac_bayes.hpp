#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/ones_like.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/curvature/loss_surface.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/detail/surface_for.hpp"
#include "regimen/measure/detail/tolerated_noise.hpp"
#include "regimen/model/selector.hpp"
#include "regimen/model/snapshot.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0 {

/// The PAC-Bayes bound's complexity, |w - w0|^2 / (4 sigma^2) + log(m / sigma) + 10, for m samples (Jiang et al. 2020;
/// Dziugaite et al. 2020).
[[nodiscard]] inline double pac_bayes_bound(double squared_distance, double sigma, std::int64_t samples) {
  return squared_distance / (4 * sigma * sigma) + std::log(static_cast<double>(samples) / sigma) + 10;
}

/// The magnitude-aware PAC-Bayes bound's complexity,
/// sum_i log((e^2 + (sigma^2 + 1) |d|^2 / n) / (e^2 + sigma^2 d_i^2)) / 4 + log(m / sigma) + 10 with e = .001, for
/// differences d [n] double of the weights from where they are measured (Jiang et al. 2020; Dziugaite et al. 2020). The
/// code of the latter has the differences from the start in the denominator even for the bound from 0; here both places
/// have the same.
[[nodiscard]] inline double magnitude_pac_bayes_bound(const at::Tensor& differences, double sigma,
                                                      std::int64_t samples) {
  const at::Tensor squares = differences.to(at::kDouble).square();
  const double variance = sigma * sigma;
  const double whole = 1e-6 + (variance + 1) * squares.mean().item<double>();
  const double sum = (whole / (squares * variance + 1e-6)).log().sum().item<double>();
  return sum / 4 + std::log(static_cast<double>(samples) / sigma) + 10;
}

/// The result of `PacBayes`.
struct PacBayesEstimate {
  double sigma = unknown;  ///< infinite if the accuracy never falls far enough, 0 if it does at once
  double low = unknown;    ///< confidence interval of sigma
  double high = unknown;
  double flatness = unknown;     ///< 1 / sigma^2
  double from_origin = unknown;  ///< the bound's complexity with w0 = 0; NaN unless sigma is finite and above 0
  double from_start = unknown;   ///< that with w0 = `PacBayes::start`
  double accuracy = unknown;     ///< without noise
  std::int64_t passes = 0;       ///< forward passes over the data
};

/// A measure: the largest sigma for which the mean accuracy under normal noise N(0, sigma^2 I) on the weights is at
/// least the accuracy without noise - .1, and PAC-Bayes bounds that it gives (Jiang et al. 2020; Dziugaite et al.
/// 2020). With `magnitude_aware` the noise of weight w_i has the standard deviation sigma |w_i|. Its numbers: "sigma",
/// "low" and "high", its confidence interval; "flatness", 1 / sigma^2; "from_origin", the complexity with w0 = 0; and
/// with a `start` "from_start".
///
/// All candidates get the same unit noises, a function of (seed, draw), as do all networks that are compared. Two draws
/// a candidate lead near the crossing, and differences between two sigmas around it give the accuracy's slope over log
/// sigma. All `draws` are taken at one sigma there, and the slope leads the rest of the way, if that is at most
/// `tolerance` or half the interval's width, whichever is more; otherwise they are taken again where it led to. Where
/// no slope can be told, sigma is bisected with all draws for each candidate. Where the mean accuracy crosses the goal
/// several times, one of the crossings is found.
///
/// The interval is the error of the noise, not of the data: Student's t interval of the mean accuracy over the draws,
/// turned into one of log sigma by the slope, whose own error is added. After bisection it is that of the sigmas at
/// which the goal is within that interval. It is too narrow where the goal is within some .05 of the accuracy of
/// guessing, as with drop = .45 and two classes: 80 % in place of 95 %.
///
/// The network is in eval mode, and its BatchNorms are used as they are: their gains and shifts get noise as all
/// trained parameters do, their running statistics none. To leave them out: `parameters = Matrices{}`. Frozen
/// parameters get none, and m is the number of samples. The loss must have an accuracy. With `magnitude_aware`, sigma
/// does not change when a ReLU unit's incoming weights grow and its outgoing ones shrink by one factor, nor with the
/// scale of the logits; the bounds do.
///
/// Costs a forward pass for each draw and some 15 more where accuracies differ little between draws, 3 to 5 passes a
/// draw where they differ much, and up to 30 by bisection. NaN for weights that are not finite. Throws Error for data
/// without samples or end, if no parameter is selected, for a loss without accuracy, if `start` does not fit, and
/// unless drop is in (0, 1), draws >= 3, tolerance in (0, 1) and level in (0, 1).
///     scoring.measures["pac_bayes"] = regimen::PacBayes{.data = train, .start = start};
struct PacBayes {
  std::optional<Source> data{};  ///< the phase's data by default
  Evaluation how{};              ///< settings left at their defaults are the phase's
  AnySelector parameters = AllParameters{};
  std::optional<Snapshot> start{};  ///< w0, the weights before training; none: "from_start" is not given
  bool magnitude_aware = false;     ///< noise in proportion to each weight
  double drop = 0.1;                ///< of accuracy, in (0, 1)
  Integer draws = 16;               ///< noises, at least 3
  double tolerance = 0.1;           ///< of log sigma, how far the slope may lead or the last bracket be wide, in (0, 1)
  double level = 0.95;              ///< confidence level, in (0, 1)
  std::uint64_t seed = 0;           ///< random seed of the noises

  void check() const {
    detail::require(drop > 0 && drop < 1, "PacBayes.drop", "in (0, 1)", drop);
    detail::require(draws >= 3, "PacBayes.draws", "at least 3", draws);
    detail::require(tolerance > 0 && tolerance < 1, "PacBayes.tolerance", "in (0, 1)", tolerance);
    detail::require(level > 0 && level < 1, "PacBayes.level", "in (0, 1)", level);
  }

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> all{"sigma", "low", "high", "flatness", "from_origin"};
    if (start) {
      all.emplace_back("from_start");
    }
    return all;
  }

  Numbers operator()(const Probe& probe) const {
    const PacBayesEstimate found = estimate(probe);
    Numbers numbers{{"sigma", found.sigma},
                    {"low", found.low},
                    {"high", found.high},
                    {"flatness", found.flatness},
                    {"from_origin", found.from_origin}};
    if (start) {
      numbers["from_start"] = found.from_start;
    }
    return numbers;
  }

  [[nodiscard]] PacBayesEstimate estimate(const Probe& probe) const {
    check();
    const LossSurface surface = detail::surface_for(data, how, parameters, probe, "PacBayes");
    const at::Tensor weights = surface.weights();
    const at::Tensor origin = start ? start_of(surface) : at::Tensor();
    const double size = std::sqrt(weights.square().mean().item<double>());
    if (!std::isfinite(size)) {
      return {};
    }
    detail::ToleratedNoise noise(surface, magnitude_aware ? weights.abs() : at::ones_like(weights), "PacBayes",
                                 {drop, draws, tolerance, level, seed});
    const auto found = noise.find(std::log(0.1 * (magnitude_aware || size == 0 ? 1 : size)));
    PacBayesEstimate result{.sigma = std::exp(found.log_sigma),
                            .low = std::exp(found.low),
                            .high = std::exp(found.high),
                            .accuracy = noise.fit(),
                            .passes = noise.passes()};
    result.flatness = 1 / (result.sigma * result.sigma);
    if (result.sigma > 0 && std::isfinite(result.sigma)) {
      const std::int64_t samples = *surface.data().size();
      result.from_origin = bound(weights, result.sigma, samples);
      result.from_start = start ? bound(weights - origin, result.sigma, samples) : unknown;
    }
    return result;
  }

 private:
  [[nodiscard]] double bound(const at::Tensor& differences, double sigma, std::int64_t samples) const {
    return magnitude_aware ? magnitude_pac_bayes_bound(differences, sigma, samples)
                           : pac_bayes_bound(differences.square().sum().item<double>(), sigma, samples);
  }

  /// The start's values of the weights, [size()] double.
  [[nodiscard]] at::Tensor start_of(const LossSurface& surface) const {
    std::vector<at::Tensor> values;
    for (const Named& named : surface.named_parameters()) {
      const at::Tensor value = start->find(named);
      if (!value.defined() || value.sizes() != named.tensor.sizes()) {
        throw Error("PacBayes.start: the model's " + named.name + " does not fit the snapshot");
      }
      values.push_back(value.to(named.tensor.device()));
    }
    return surface.flat(values);
  }
};

}  // namespace regimen::inline v0
