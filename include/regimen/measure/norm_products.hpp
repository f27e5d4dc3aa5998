#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/data_for.hpp"
#include "regimen/measure/layer_map.hpp"
#include "regimen/measure/layer_maps.hpp"
#include "regimen/measure/margins.hpp"
#include "regimen/measure/norms.hpp"
#include "regimen/measure/singular_value.hpp"
#include "regimen/measure/spectral_norms.hpp"
#include "regimen/model/snapshot.hpp"
#include "regimen/record/history.hpp"
#include "regimen/source/source.hpp"

/// Measures that multiply or add norms of the layers of a network, as bounds of the generalization error do. They have
/// in common: a layer is a `LayerMap`, with the BatchNorm that follows it folded in. A matrix counts once, however
/// often it is used, and a convolution once for each size of the images that it is used on, as these are different
/// operators; see `layer_maps`. Biases do not count. s is the spectral norm of the operator that a layer is on one
/// sample; f the Frobenius norm of its weight, for a convolution of its kernel and not of the operator. The sample is
/// one of zeros of `sample_shape`, if that is given, and else the first of the data. `margin_percent` divides by a
/// percentile of the margins on the data, gamma; the result is NaN if gamma is not positive, since a network that is
/// wrong on so many samples has no such bound. Measures with s are NaN if a spectral norm has not converged;
/// `NormSummary` counts these instead. A parameter that is used in a way that `layer_maps` does not know is an Error,
/// unless its name is in `unheard`: then that use is left out.
namespace regimen::inline v0 {

namespace detail {

/// The layers of the network of a measure. Throws Error if there are none.
inline std::vector<LayerMap> layers_for(const Integers& shape, const std::optional<Source>& data, const Evaluation& how,
                                        const Probe& probe, const std::vector<std::string>& unheard,
                                        const std::string& who) {
  std::vector<LayerMap> maps = all_layers(probe.model, sample_for(shape, data, how, probe, who), who, unheard);
  if (maps.empty()) {
    throw Error(who + " takes a network with a linear layer, a convolution or a product with a matrix");
  }
  return maps;
}

/// The margin to divide by: 1 for no percentile, NaN for one that is not positive.
inline double margin_for(const std::optional<double>& percent, const std::optional<Source>& data, const Evaluation& how,
                         const Probe& probe, const std::string& who) {
  if (!percent) {
    return 1;
  }
  const Source source = data_for(data, probe, who);
  const double margin = percentile(margins(probe.model, source, filled_in(how, probe.how)), *percent);
  return margin > 0 ? margin : unknown;
}

inline void check_percent(const std::optional<double>& percent, const std::string& field) {
  if (percent) {
    require(*percent > 0 && *percent <= 100, field, "in (0, 100]", *percent);
  }
}

inline double squared_norm(const LayerMap& map) {
  return map.folded().square().sum().item<double>();
}

}  // namespace detail

/// The logarithm of the product of the squared spectral norms of layers, sum of log s^2; minus infinity if one is 0.
/// spectral: the layers' spectral norms, as `spectral_norms(maps)` gives them.
[[nodiscard]] inline double log_spectral_product(const std::vector<double>& spectral) {
  double sum = 0;
  for (const double norm : spectral) {
    sum += 2 * std::log(norm);
  }
  return sum;
}

/// The logarithm of the product of the squared Frobenius norms of layers, sum of log f^2; minus infinity if one is 0.
[[nodiscard]] inline double log_frobenius_product(const std::vector<LayerMap>& maps) {
  double sum = 0;
  for (const LayerMap& map : maps) {
    sum += std::log(detail::squared_norm(map));
  }
  return sum;
}

/// The sum over the layers of f^2 / s^2, the stable rank of a matrix; NaN if one is 0. spectral: one number for each
/// map.
[[nodiscard]] inline double frobenius_over_spectral(const std::vector<LayerMap>& maps,
                                                    const std::vector<double>& spectral) {
  detail::require(maps.size() == spectral.size(), "frobenius_over_spectral: spectral.size()",
                  "that of maps, " + detail::text(maps.size()), spectral.size());
  double sum = 0;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    sum += detail::squared_norm(maps[i]) / (spectral[i] * spectral[i]);
  }
  return sum;
}

/// The spectrally normalized complexity of layers, (prod of s) (sum of (|W - M| / s)^(2/3))^(3/2), where |.| is the sum
/// over the outputs of the l2 norms of their incoming weights, ||W' - M'||_{2,1} (Bartlett, Foster and Telgarsky 2017,
/// arXiv 1706.08498). W is a matrix [out, in]; for a convolution the kernel as [out, the rest]. M is the
/// layer in `reference`, BatchNorm folded with its values there, or 0.
[[nodiscard]] inline double spectral_complexity(const std::vector<LayerMap>& maps, const std::vector<double>& spectral,
                                                const Snapshot* reference = nullptr) {
  detail::require(maps.size() == spectral.size(), "spectral_complexity: spectral.size()",
                  "that of maps, " + detail::text(maps.size()), spectral.size());
  std::vector<double> apart;
  for (const LayerMap& map : maps) {
    const at::Tensor rows = reference == nullptr ? map.rows() : map.rows() - map.rows(reference);
    apart.push_back(std::log(rows.norm(2, {1}).sum().item<double>()));
  }
  // The s of a layer cancels in its own term, so that zeros and products beyond a double's range do no harm.
  std::vector<double> terms;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    double others = 0;
    for (std::size_t j = 0; j < maps.size(); ++j) {
      others += j == i ? 0 : std::log(spectral[j]);
    }
    terms.push_back((apart[i] + others) * 2 / 3);
  }
  const double largest = terms.empty() ? 0 : *std::max_element(terms.begin(), terms.end());
  if (largest == -std::numeric_limits<double>::infinity()) {
    return 0;
  }
  double sum = 0;
  for (const double term : terms) {
    sum += std::exp(term - largest);
  }
  return std::exp((largest + std::log(sum)) * 3 / 2);
}

/// The logarithm of the product of the layers' squared spectral norms, sum of log s^2; with `margin_percent` less
/// 2 log gamma (Jiang et al. 2020, arXiv 1912.02178). See above for s, gamma and the sample.
///
/// Costs the spectral norms, a forward pass of one sample, and one over the data for the margins. Deterministic. It
/// does not change when a layer grows and the next one shrinks by one factor, ReLU between them; it does when single
/// units are rescaled. With the margin it does not change with the scale of the last layer. No gradient.
///     regimen::LogSpectralProduct{.data = train, .margin_percent = 10}(net)
struct LogSpectralProduct {
  std::optional<Source> data{};
  Integers sample_shape{};
  Evaluation how{};
  std::optional<double> margin_percent{};  ///< in (0, 100]
  SpectralIteration iteration{};
  std::vector<std::string> unheard{};  ///< names of parameters, of which uses that are not heard are left out

  void check() const {
    iteration.check();
    detail::check_percent(margin_percent, "LogSpectralProduct.margin_percent");
  }

  double operator()(const Probe& probe) const {
    check();
    const double margin = detail::margin_for(margin_percent, data, how, probe, "LogSpectralProduct");
    const auto maps = detail::layers_for(sample_shape, data, how, probe, unheard, "LogSpectralProduct");
    return log_spectral_product(spectral_norms(maps, iteration)) - 2 * std::log(margin);
  }
};

/// The logarithm of the product of the layers' squared Frobenius norms, sum of log f^2; with `margin_percent` less
/// 2 log gamma. Costs no spectral norms; otherwise like `LogSpectralProduct`.
struct LogFrobeniusProduct {
  std::optional<Source> data{};
  Integers sample_shape{};
  Evaluation how{};
  std::optional<double> margin_percent{};  ///< in (0, 100]
  std::vector<std::string> unheard{};      ///< names of parameters, of which uses that are not heard are left out

  void check() const { detail::check_percent(margin_percent, "LogFrobeniusProduct.margin_percent"); }

  double operator()(const Probe& probe) const {
    check();
    const double margin = detail::margin_for(margin_percent, data, how, probe, "LogFrobeniusProduct");
    return log_frobenius_product(detail::layers_for(sample_shape, data, how, probe, unheard, "LogFrobeniusProduct")) -
           2 * std::log(margin);
  }
};

/// The sum over the layers of f^2 / s^2, in matrices their stable ranks (Jiang et al. 2020, after Neyshabur et al.
/// 2018, arXiv 1707.09564). Each term is left alone by a factor on a whole layer, so by the scale of the logits too.
/// Otherwise like `LogSpectralProduct`.
struct FrobeniusOverSpectral {
  std::optional<Source> data{};
  Integers sample_shape{};
  Evaluation how{};
  SpectralIteration iteration{};
  std::vector<std::string> unheard{};  ///< names of parameters, of which uses that are not heard are left out

  void check() const { iteration.check(); }

  double operator()(const Probe& probe) const {
    check();
    const auto maps = detail::layers_for(sample_shape, data, how, probe, unheard, "FrobeniusOverSpectral");
    return frobenius_over_spectral(maps, spectral_norms(maps, iteration));
  }
};

/// The spectrally normalized complexity (see `spectral_complexity`) as a measure; with `margin_percent` over gamma, as
/// the bound has it. With a reference, as the start of training, ReLU rescaling changes it. Otherwise like
/// `LogSpectralProduct`.
struct SpectralComplexity {
  std::optional<Source> data{};
  Integers sample_shape{};
  Evaluation how{};
  std::optional<Snapshot> reference{};     ///< M; 0 without
  std::optional<double> margin_percent{};  ///< in (0, 100]
  SpectralIteration iteration{};
  std::vector<std::string> unheard{};  ///< names of parameters, of which uses that are not heard are left out

  void check() const {
    iteration.check();
    detail::check_percent(margin_percent, "SpectralComplexity.margin_percent");
  }

  double operator()(const Probe& probe) const {
    check();
    const double margin = detail::margin_for(margin_percent, data, how, probe, "SpectralComplexity");
    const auto maps = detail::layers_for(sample_shape, data, how, probe, unheard, "SpectralComplexity");
    return spectral_complexity(maps, spectral_norms(maps, iteration), reference ? &*reference : nullptr) / margin;
  }
};

/// A percentile of the margins over the product of the layers' spectral norms (Bartlett, Foster and Telgarsky
/// 2017), signed. The product bounds the Lipschitz constant of a chain of layers that are each used once, and of no
/// network with residual sums. It does not change with a factor on
/// a layer without bias, the last one included. Costs as `LogSpectralProduct`.
struct MarginOverSpectralProduct {
  std::optional<Source> data{};
  Evaluation how{};
  double percent = 10;  ///< in (0, 100]
  SpectralIteration iteration{};
  std::vector<std::string> unheard{};  ///< names of parameters, of which uses that are not heard are left out

  void check() const {
    iteration.check();
    detail::check_percent(percent, "MarginOverSpectralProduct.percent");
  }

  double operator()(const Probe& probe) const {
    check();
    const double margin = MarginPercentile{.data = data, .how = how, .percent = percent}(probe);
    const auto maps = detail::layers_for({}, data, how, probe, unheard, "MarginOverSpectralProduct");
    return margin / std::exp(log_spectral_product(spectral_norms(maps, iteration)) / 2);
  }
};

/// The path norm (see `path_norm`) over a percentile of the margins; NaN if that is not positive. ReLU rescaling does
/// not change it, by layers or by units, nor does the scale of the last layer. Costs one forward pass of one sample and
/// one over the data. Deterministic. No gradient. Throws Error as `path_norm` does.
struct PathNormOverMargin {
  std::optional<Source> data{};
  Evaluation how{};
  double p = 2;           ///< at least 1
  double epsilon = 1e-5;  ///< that of the network's BatchNorms
  double percent = 10;    ///< in (0, 100]

  void check() const {
    detail::check_path_norm(p, epsilon, "PathNormOverMargin.");
    detail::check_percent(percent, "PathNormOverMargin.percent");
  }

  double operator()(const Probe& probe) const {
    check();
    const double margin = detail::margin_for(percent, data, how, probe, "PathNormOverMargin");
    const Batch sample = detail::sample_for({}, data, how, probe, "PathNormOverMargin");
    return path_norm(probe.model, sample.data.sizes().slice(1), p, epsilon) / margin;
  }
};

}  // namespace regimen::inline v0
