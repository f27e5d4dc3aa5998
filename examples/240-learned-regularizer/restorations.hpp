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

/// Restores by proximal gradient descent with backtracking, so that the objective never rises, until a step changes x
/// by less than 1e-4 of its size; at most 500 steps.
inline rg::ProximalPoint descended(Restorer& restorer, const Problem& problem) {
  const double strength = restorer->strength();
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

/// Sets the strength that a denoiser restores best with.
inline Chosen choose_strength(Restorer& restorer, const Problem& validation) {
  const Chosen best = chosen(validation, strengths(), [&](const Problem& problem, double each) {
    restorer->set_strength(each);
    return restorer->implicit ? solved(restorer, problem).last() : descended(restorer, problem).last();
  });
  restorer->set_strength(best.strength);
  return best;
}

/// The methods without a network. Returns the restoration by total variation.
inline torch::Tensor add_classical(rg::Numbers& numbers, const Problem& validation, const Problem& test) {
  const std::vector<double> tikhonov_strengths{0.003, 0.01, 0.03, 0.1, 0.3, 1};
  const std::vector<double> tv_strengths{0.001, 0.002, 0.004, 0.008, 0.016, 0.03};
  const torch::Tensor by_tv = tuned(validation, test, tv_strengths, total_variation);
  numbers["given"] = psnr(test.start, test.truth);
  numbers["tikhonov"] = psnr(tuned(validation, test, tikhonov_strengths, tikhonov), test.truth);
  numbers["tv"] = psnr(by_tv, test.truth);
  return by_tv;
}

inline double share_of(const torch::Tensor& which) {
  return which.to(torch::kDouble).mean().item<double>();
}

/// How the descent of a potential went, and what its curvature allows, with this ending of the names: `rise`, the
/// largest rise of the objective in a step over its size; `curvature`, the largest |eigenvalue| of the Hessian of h at
/// the restorations, as far as it was found; `unstable`, the share of restorations that a step without backtracking
/// would leave; `settled`, that of samples at which Picard's iteration converges.
inline void add_descent(rg::Numbers& numbers, Restorer& restorer, const Problem& test, const rg::ProximalPoint& point,
                        const std::string& ending) {
  const torch::Tensor& objective = point.objective;
  const std::int64_t steps = objective.size(0) - 1;
  const torch::Tensor before = objective.narrow(0, 0, steps), after = objective.narrow(0, 1, steps);
  numbers["rise" + ending] = std::max(0.0, ((after - before) / before).max().item<double>());
  numbers["iterations" + ending] = static_cast<double>(point.iterations);
  numbers["halvings" + ending] = point.halvings.to(torch::kDouble).mean().item<double>();
  numbers["converged" + ending] = share_of(point.converged);
  const auto h = restorer->potential();
  const auto slope = [&](const torch::Tensor& x) { return h.slope(x); };
  numbers["curvature" + ending] = rg::spectral_radius(slope, point.last()).value.max().item<double>();
  const rg::SpectralRadius radius = rg::spectral_radius(restorer->step(test.term), point.last());
  numbers["unstable" + ending] = share_of((radius.value > 1) & radius.converged);
  const rg::Picard plain{.tolerance = 1e-4, .iterations = 500};
  numbers["settled" + ending] = share_of(rg::fixed_point(restorer->step(test.term), test.start, plain).converged);
  numbers["strength" + ending] = restorer->strength();
}

/// Restores by a potential: the PSNR under the method's name, and how it went.
inline rg::ProximalPoint add_restoration(rg::Numbers& numbers, Restorer& restorer, const Problem& test,
                                         const std::string& method) {
  rg::ProximalPoint point = descended(restorer, test);
  numbers[method] = psnr(point.last(), test.truth);
  add_descent(numbers, restorer, test, point, "_" + method);
  return point;
}

/// The solvers in a training: iterations forward and evaluations backward on the test samples, and the share of the
/// training's batches of which a sample did not converge.
inline void add_solves(rg::Numbers& numbers, Restorer& restorer, const Problem& problem) {
  const rg::Equilibrium found = rg::equilibrium(restorer->step(problem.term), problem.start, training_solvers());
  (found.x - problem.truth).square().mean().backward();
  restorer->zero_grad();
  numbers["forward"] = static_cast<double>(found.forward.iterations);
  numbers["backward"] = static_cast<double>(found.backward->evaluations);
  numbers["failed"] = restorer->solves[1].item<double>() / std::max(1.0, restorer->solves[0].item<double>());
}

/// What the picture shows of one seed: the first test images, what was given of them, and what each method made of
/// them; the objective of all test images along the descent. Tensors of a part that has none are undefined.
struct Shown {
  torch::Tensor truth{}, given{}, mask{}, tv{}, denoiser{}, fixed_point{}, of_denoiser{}, of_fixed_point{};

  /// The tensors with their names in the file.
  template <class Self>
  static auto named(Self& of) {
    return std::vector<std::pair<const char*, decltype(&of.truth)>>{{"truth", &of.truth},
                                                                    {"given", &of.given},
                                                                    {"mask", &of.mask},
                                                                    {"tv", &of.tv},
                                                                    {"denoiser", &of.denoiser},
                                                                    {"fixed_point", &of.fixed_point},
                                                                    {"of_denoiser", &of.of_denoiser},
                                                                    {"of_fixed_point", &of.of_fixed_point}};
  }

  /// Into OUT/restored/PART.pt.
  void save(const std::string& out, const std::string& part) const {
    torch::serialize::OutputArchive archive;
    for (const auto& [name, tensor] : named(*this)) {
      if (tensor->defined()) {
        archive.write(name, *tensor);
      }
    }
    std::ostringstream bytes;
    archive.save_to(bytes);
    ex::write_file(out + "/restored/" + part + ".pt", bytes.str());
  }

  /// All undefined if there is no such file.
  static Shown load(const std::string& out, const std::string& part) {
    Shown shown;
    if (const std::string path = out + "/restored/" + part + ".pt"; std::filesystem::exists(path)) {
      torch::serialize::InputArchive archive;
      archive.load_from(path);
      for (const auto& [name, tensor] : named(shown)) {
        (void)archive.try_read(name, *tensor);
      }
    }
    return shown;
  }
};

/// The first six images, without a graph.
inline torch::Tensor first(const torch::Tensor& images) {
  return images.detach().narrow(0, 0, std::min<std::int64_t>(6, images.size(0))).clone();
}
