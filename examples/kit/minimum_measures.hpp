#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>

namespace kit {

/// A number that says something of a minimum.
struct MinimumNumber {
  std::string name;    ///< in records: "<measure>" or "<measure>_<number>"
  std::string title;   ///< in tables
  bool larger = true;  ///< whether larger is said to be worse, by those who proposed it
};

/// What the measures of one minimum look at. A part of the images stands for all of them.
struct MinimumData {
  regimen::Source train{};  ///< what the network has fitted: for measures that take forward passes only
  regimen::Source some{};   ///< a part of it, for measures that take dozens of backward passes
  regimen::Source few{};    ///< a part of it, for measures that take hundreds
  regimen::Snapshot start;  ///< the newly initialized network
  int draws = 16;           ///< random draws at most, of those that have an interval
};

/// The measures, by name, whose numbers `minimum_numbers` lists; settings are the phase's.
inline std::map<std::string, regimen::AnyMeasure> minimum_measures(const MinimumData& of) {
  namespace rg = regimen;
  const rg::Draws draws{.least = std::min(8, of.draws), .most = of.draws};
  const rg::Draws fewer{.least = std::min(4, of.draws), .most = std::min(4, of.draws)};
  const rg::TraceOptions traces{.draws = draws, .block = 8};
  const rg::TopOptions top{.tolerance = 1e-2};
  const rg::Integer steps = 10;
  const rg::Integer noises = std::clamp(of.draws, 3, 8);
  const auto gauss_newton = rg::Curvature::gauss_newton;
  std::map<std::string, rg::AnyMeasure> all;
  // Norms and margins.
  const rg::SpectralIteration iteration{.tolerance = 1e-4};
  all["margin"] = rg::MarginPercentile{.data = of.train};
  all["norms"] = rg::NormSummary{.data = of.few, .reference = of.start, .iteration = iteration};
  all["norms_over_margin"] =
      rg::NormSummary{.data = of.train, .reference = of.start, .margin_percent = 10, .iteration = iteration};
  all["path_over_margin"] = rg::PathNormOverMargin{.data = of.train};
  all["l2"] = rg::l2_norm;
  all["distance"] = rg::DistanceFrom{of.start};
  all["relative_distance"] = rg::RelativeDistanceFrom{of.start};
  all["jacobian"] = rg::InputJacobianNorm{.data = of.some};
  all["jacobian_spectral"] = rg::InputJacobianSpectralNorm{.data = of.some};
  // Sharpness.
  all["fisher_rao"] = rg::FisherRao{.data = of.train};
  all["pac_bayes"] = rg::PacBayes{.data = of.train, .start = of.start, .draws = noises};
  all["magnitude_pac_bayes"] =
      rg::PacBayes{.data = of.train, .start = of.start, .magnitude_aware = true, .draws = noises};
  all["average"] = rg::AverageSharpness{.data = of.some, .sigma = 0.01, .draws = draws};
  all["average_adaptive"] = rg::AverageSharpness{.data = of.some, .sigma = 0.1, .adaptive = true, .draws = draws};
  all["worst"] = rg::WorstSharpness{.data = of.some, .rho = 0.1, .steps = steps};
  all["box"] = rg::WorstSharpness{.data = of.some, .rho = 1e-3, .ball = rg::Ball::linf, .steps = steps};
  all["adaptive"] = rg::WorstSharpness{
      .data = of.some, .rho = 0.5, .adaptive = true, .steps = steps, .logits = rg::LogitScale::normalized};
  // Curvature and gradients.
  all["hessian"] = rg::TopEigenvalue{.data = of.some, .top = top};
  all["gauss_newton"] = rg::TopEigenvalue{.data = of.some, .curvature = gauss_newton, .top = top};
  all["hessian_trace"] = rg::HessianTrace{.data = of.some, .trace = traces};
  all["gauss_newton_trace"] = rg::HessianTrace{.data = of.some, .curvature = gauss_newton, .trace = traces};
  all["negative"] = rg::NegativeCurvature{.data = of.few, .density = {.draws = 2, .steps = 20}};
  all["fisher"] = rg::FisherTrace{.data = of.some, .draws = draws};
  all["fisher_matched"] = rg::FisherTrace{.data = of.some, .confidence = 0.9, .draws = draws};
  all["soft_rank"] = rg::SoftRank{.data = of.few, .steps = 20, .draws = fewer};
  all["takeuchi"] = rg::TakeuchiTrace{.data = of.few, .steps = 20, .draws = fewer};
  all["relative_flatness"] = rg::RelativeFlatness{.data = of.some, .trace = traces};
  all["noise"] = rg::GradientNoiseScale{.data = of.some, .draws = draws};
  all["kernel"] = rg::TangentKernelTrace{.data = of.some, .draws = draws};
  all["kernel_top"] = rg::TangentKernelTop{.data = of.few, .top = top};
  all["alignment"] = rg::KernelAlignment{.data = of.few, .centred = true, .sketch = 4, .draws = draws};
  // Predictions.
  all["collapse"] = rg::NeuralCollapse{.data = of.train};
  all["rank"] = rg::FeatureRank{.data = of.train};
  return all;
}

/// `minimum_measures`, and those of a network that take another one or held-out images: all of docs/measures.md but for
/// attacks with reference networks.
inline std::map<std::string, regimen::AnyMeasure> all_measures(const MinimumData& of, const regimen::Model& net,
                                                               const regimen::Source& held_out) {
  namespace rg = regimen;
  std::map<std::string, rg::AnyMeasure> all = minimum_measures(of);
  all["barrier"] =
      rg::Barrier{.data = of.some, .from = of.start, .to = rg::Snapshot(net), .batch_norm = rg::Reestimation{}};
  all["disagreement"] = rg::Disagreement{.other = rg::outputs(net, held_out).output, .data = held_out};
  all["attack"] = rg::ThresholdAttack{.data = of.train, .others = held_out};
  all["gap_attack"] = rg::GapAttack{.data = of.train, .others = held_out};
  all["layer_distances"] = rg::LayerDistances{.start = of.start};
  all["jacobian_square"] = rg::InputJacobianSquare{.data = of.some, .draws = {.least = 8, .most = of.draws}};
  return all;
}

/// Those numbers of `minimum_measures` that tell one minimum from another.
inline std::vector<MinimumNumber> minimum_numbers() {
  return {
      {"margin", "margin, 10th percentile", false},
      {"norms_log_spectral", "spectral norms^2, log product"},
      {"norms_over_margin_log_spectral", "spectral norms^2 / margin^2, log product"},
      {"norms_log_frobenius", "Frobenius norms^2, log product"},
      {"norms_over_margin_log_frobenius", "Frobenius norms^2 / margin^2, log product"},
      {"norms_frobenius_over_spectral", "Frobenius^2 / spectral^2, sum"},
      {"norms_over_margin_complexity", "spectral complexity / margin"},
      {"path_over_margin", "path norm / margin"},
      {"l2", "l2 norm"},
      {"distance", "distance from the start"},
      {"relative_distance", "relative distance"},
      {"jacobian", "input Jacobian, Frobenius"},
      {"jacobian_spectral", "input Jacobian, spectral"},
      {"fisher_rao", "Fisher-Rao norm"},
      {"pac_bayes_flatness", "PAC-Bayes, 1 / sigma^2"},
      {"pac_bayes_from_start", "PAC-Bayes bound from the start"},
      {"magnitude_pac_bayes_flatness", "magnitude-aware, 1 / sigma^2"},
      {"magnitude_pac_bayes_from_start", "magnitude-aware bound"},
      {"average_value", "average sharpness"},
      {"average_adaptive_value", "average sharpness, adaptive"},
      {"worst", "worst sharpness, l2 ball"},
      {"box", "worst sharpness, box"},
      {"adaptive", "worst sharpness, adaptive, logits scaled"},
      {"hessian_largest", "Hessian, largest eigenvalue"},
      {"gauss_newton_largest", "Gauss-Newton, largest eigenvalue"},
      {"hessian_trace_value", "Hessian, trace"},
      {"gauss_newton_trace_value", "Gauss-Newton, trace"},
      {"negative_value", "negative curvature, share"},
      {"fisher_value", "Fisher trace"},
      {"fisher_matched_value", "Fisher trace at equal confidence"},
      {"soft_rank_value", "soft rank of Gauss-Newton"},
      {"takeuchi_value", "Takeuchi trace"},
      {"relative_flatness_value", "relative flatness"},
      {"noise_scale", "gradient noise scale"},
      {"noise_coherence", "gradient coherence", false},
      {"kernel_value", "tangent kernel, trace"},
      {"kernel_top_largest", "tangent kernel, largest eigenvalue"},
      {"alignment_value", "tangent kernel, alignment to labels", false},
      {"collapse", "neural collapse of the outputs, NC1"},
      {"rank_entropy_rank", "entropy rank of the outputs"},
  };
}

}  // namespace kit
