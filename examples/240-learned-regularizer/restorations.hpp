#pragma once
// What a trained regularizer restores, and the numbers of it.

#include <torch/torch.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <regimen/regimen.hpp>

#include "classical.hpp"
#include "degradation.hpp"
#include "restorer.hpp"

/// Restores by proximal gradient descent with backtracking: the objective never rises, and no sample is reported before
/// its steps are small.
inline rg::ProximalPoint descended(Restorer& restorer, const Problem& problem, double strength) {
  return rg::proximal_descent(
      problem.term, restorer->potential(), problem.start,
      {.strength = strength, .step = potential_rate / strength, .tolerance = 1e-4, .iterations = 500});
}

/// Restores with an implicit regularizer, which has no objective, by Anderson's solver.
inline rg::FixedPoint solved(Restorer& restorer, const Problem& problem) {
  return rg::fixed_point(restorer->step(problem.term), problem.start,
                         rg::Anderson{.tolerance = 1e-3, .iterations = 200, .check_stability = false});
}

inline const std::vector<double>& strengths() {
  static const std::vector<double> all{0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4};
  return all;
}

/// A restoration by a potential whose strength is chosen, as that of a denoiser is.
inline torch::Tensor with_chosen_strength(Restorer& restorer, const Problem& validation, const Problem& test) {
  double strength = 0;
  const auto restore = [&](const Problem& problem, double each) {
    if (!restorer->implicit) {
      return descended(restorer, problem, each).last();
    }
    restorer->set_strength(each);
    return solved(restorer, problem).last();
  };
  const torch::Tensor restored = tuned(validation, test, strengths(), restore, &strength);
  restorer->set_strength(strength);
  return restored;
}

inline const std::vector<double>& tv_strengths() {
  static const std::vector<double> all{0.001, 0.002, 0.004, 0.008, 0.016, 0.03};
  return all;
}

/// The methods without a network.
inline void add_classical(rg::Numbers& numbers, const Problem& validation, const Problem& test) {
  const std::vector<double> tikhonov_strengths{0.003, 0.01, 0.03, 0.1, 0.3, 1};
  numbers["given"] = psnr(test.start, test.truth);
  numbers["tikhonov"] = psnr(tuned(validation, test, tikhonov_strengths, tikhonov), test.truth);
  numbers["tv"] = psnr(tuned(validation, test, tv_strengths(), total_variation), test.truth);
}

/// How the descent of a potential went, and what its curvature allows, with this ending of the names: `rise`, the
/// largest rise of the objective over its size; `curvature`, the largest |eigenvalue| of the Hessian of h at the
/// restorations; `unstable`, the share of restorations that a step without backtracking would leave; `settled`, that of
/// samples at which Picard's iteration converges.
inline void add_descent(rg::Numbers& numbers, Restorer& restorer, const Problem& test, const rg::ProximalPoint& point,
                        const std::string& ending) {
  const torch::Tensor& objective = point.objective;
  const std::int64_t steps = objective.size(0) - 1;
  const torch::Tensor rises = (objective.narrow(0, 1, steps) - objective.narrow(0, 0, steps)) / objective[0];
  const auto share = [](const torch::Tensor& which) { return which.to(torch::kDouble).mean().item<double>(); };
  numbers["rise" + ending] = std::max(0.0, rises.max().item<double>());
  numbers["iterations" + ending] = static_cast<double>(point.iterations);
  numbers["halvings" + ending] = point.halvings.to(torch::kDouble).mean().item<double>();
  numbers["converged" + ending] = share(point.converged);
  const auto h = restorer->potential();
  const auto slope = [&](const torch::Tensor& x) { return h.slope(x); };
  numbers["curvature" + ending] = rg::spectral_radius(slope, point.last()).value.max().item<double>();
  const rg::SpectralRadius radius = rg::spectral_radius(restorer->step(test.term), point.last());
  numbers["unstable" + ending] = share(radius.value > 1);
  numbers["settled" + ending] =
      share(rg::fixed_point(restorer->step(test.term), test.start, rg::Picard{.tolerance = 1e-4, .iterations = 500})
                .converged);
  numbers["strength" + ending] = restorer->strength();
}

/// The solver's cost in a training, on one batch: iterations forward, evaluations backward.
inline void add_solves(rg::Numbers& numbers, Restorer& restorer, const Problem& problem) {
  const rg::Equilibrium found = rg::equilibrium(restorer->step(problem.term), problem.start, training_solvers());
  (found.x - problem.truth).square().mean().backward();
  restorer->zero_grad();
  numbers["forward"] = static_cast<double>(found.forward.iterations);
  numbers["backward"] = static_cast<double>(found.backward->evaluations);
  numbers["failed"] = restorer->solves[1].item<double>() / std::max(1.0, restorer->solves[0].item<double>());
}

/// Restorations and objectives of the first seed, for the picture: a list of tensors in OUT/restored/NAME.
inline constexpr std::int64_t shown = 6;

inline void save_shown(const std::string& out, const std::string& name, const std::vector<torch::Tensor>& tensors) {
  std::ostringstream bytes;
  torch::save(tensors, bytes);
  ex::write_file(out + "/restored/" + name, bytes.str());
}

/// Empty if there is no such file.
inline std::vector<torch::Tensor> load_shown(const std::string& out, const std::string& name) {
  std::vector<torch::Tensor> tensors;
  if (const std::string path = out + "/restored/" + name; std::filesystem::exists(path)) {
    torch::load(tensors, path);
  }
  return tensors;
}

/// The first images, without a graph.
inline torch::Tensor first(const torch::Tensor& images) {
  return images.detach().narrow(0, 0, std::min(shown, images.size(0))).clone();
}
