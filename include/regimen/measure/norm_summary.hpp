#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "regimen/base/integer.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/norm_products.hpp"
#include "regimen/measure/spectral_norms.hpp"
#include "regimen/model/snapshot.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0 {

/// The numbers of `LogSpectralProduct`, `LogFrobeniusProduct`, `FrobeniusOverSpectral` and `SpectralComplexity` at the
/// cost of one of them, for use at every scoring: "log_spectral", "log_frobenius", "frobenius_over_spectral",
/// "complexity"; and "unconverged", the number of layers whose spectral norm had not converged and is too small. With
/// one of these the other measures are NaN, and the numbers here are what was reached.
///     scoring.measures["norms"] = regimen::NormSummary{.data = train, .margin_percent = 10};
struct NormSummary {
  std::optional<Source> data{};
  Integers sample_shape{};
  Evaluation how{};
  std::optional<Snapshot> reference{};     ///< M of the complexity; 0 without
  std::optional<double> margin_percent{};  ///< in (0, 100]; of all but `FrobeniusOverSpectral`
  SpectralIteration iteration{};
  std::vector<std::string> unheard{};  ///< names of parameters, of which uses that are not heard are left out

  void check() const {
    iteration.check();
    detail::check_percent(margin_percent, "NormSummary.margin_percent");
  }

  [[nodiscard]] std::vector<std::string> names() const {
    return {"log_spectral", "log_frobenius", "frobenius_over_spectral", "complexity", "unconverged"};
  }

  Numbers operator()(const Probe& probe) const {
    check();
    const double margin = detail::margin_for(margin_percent, data, how, probe, "NormSummary");
    const auto maps = detail::layers_for(sample_shape, data, how, probe, unheard, "NormSummary");
    std::vector<double> spectral;
    double unconverged = 0;
    for (const LayerMap& map : maps) {
      const SingularValue norm = spectral_norm(map, iteration);
      spectral.push_back(norm.value);
      unconverged += norm.converged ? 0 : 1;
    }
    return {{"log_spectral", log_spectral_product(spectral) - 2 * std::log(margin)},
            {"log_frobenius", log_frobenius_product(maps) - 2 * std::log(margin)},
            {"frobenius_over_spectral", frobenius_over_spectral(maps, spectral)},
            {"complexity", spectral_complexity(maps, spectral, reference ? &*reference : nullptr) / margin},
            {"unconverged", unconverged}};
  }
};

}  // namespace regimen::inline v0
