#pragma once
// A learned regularizer: its network, the map whose fixed point restores, and its two ways of training.

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <regimen/experiment.hpp>
#include <regimen/regimen.hpp>

#include "degradation.hpp"
#include "settings.hpp"

/// N(x) = x - R(x), where R are convolutions with ELU between them, for images [N, 1, H, W] or signals on a ring
/// [N, 1, n]. Weights are normal with variance 1 / fan-in, R's last ones half of that, without bias.
struct DenoiserImpl : torch::nn::Module {
  DenoiserImpl(bool is_images, const NetworkSettings& s) : images(is_images) {
    for (int i = 0; i < s.depth; ++i) {
      const std::int64_t in = i == 0 ? 1 : s.channels, out = i + 1 == s.depth ? 1 : s.channels;
      const bool last = i + 1 == s.depth;
      std::vector<std::int64_t> shape{out, in, s.kernel};
      if (images) {
        shape.push_back(s.kernel);
      }
      const double deviation =
          (last ? 0.5 : 1) / std::sqrt(static_cast<double>(in) * std::pow(s.kernel, images ? 2 : 1));
      weights.push_back(register_parameter("weight" + std::to_string(i), torch::randn(shape) * deviation));
      if (!last) {
        biases.push_back(register_parameter("bias" + std::to_string(i), torch::zeros({out})));
      }
    }
  }

  torch::Tensor forward(const torch::Tensor& x) { return x - residual(x); }

  torch::Tensor residual(const torch::Tensor& x) const {
    torch::Tensor y = x;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const std::int64_t reach = weights[i].size(-1) / 2;
      const torch::Tensor bias = i < biases.size() ? biases[i] : torch::Tensor();
      if (images) {
        y = torch::conv2d(y, weights[i], bias, 1, reach);
      } else {
        const std::int64_t n = y.size(2);
        const torch::Tensor ring = torch::cat({y.narrow(2, n - reach, reach), y, y.narrow(2, 0, reach)}, 2);
        y = torch::conv1d(ring, weights[i], bias);
      }
      y = i + 1 < weights.size() ? torch::elu(y) : y;
    }
    return y;
  }

  bool images;
  std::vector<torch::Tensor> weights, biases;
};
TORCH_MODULE(Denoiser);

/// A regularizer with its strength lambda. Explicit, it is the potential h(x) = |x - N(x)|^2 / 2 with its gradient;
/// implicit, x - N(x) stands in the gradient's place, which is that of no function.
struct RestorerImpl : torch::nn::Module {
  RestorerImpl(bool is_images, const NetworkSettings& s, bool is_implicit)
      : denoiser(register_module("denoiser", Denoiser(is_images, s))), implicit(is_implicit) {
    log_strength = register_parameter("log_strength", torch::full({}, std::log(0.01)));
    solves = register_buffer("solves", torch::zeros({2}, torch::kLong));  // how many there were, and failed
  }

  /// The denoised x: x - h's gradient, or N(x).
  [[nodiscard]] torch::Tensor denoised(const torch::Tensor& x) {
    return implicit ? denoiser(x) : x - potential().slope(x);
  }

  [[nodiscard]] rg::LearnedPotential potential() { return {.network = denoiser}; }

  /// One step of proximal gradient descent on g + lambda h, at a rate of the potential's gradient that stays as it is
  /// when lambda changes.
  [[nodiscard]] rg::SelfMap step(const Term& term) {
    const torch::Tensor strength = log_strength.exp();
    const torch::Tensor tau = potential_rate / strength;
    if (implicit) {
      return
          [this, term, tau](const torch::Tensor& x) { return term.prox(x - potential_rate * (x - denoiser(x)), tau); };
    }
    return [term, tau, strength, h = potential()](const torch::Tensor& x) {
      return rg::proximal_step(term, h, x, tau, strength);
    };
  }

  void set_strength(double strength) {
    const torch::NoGradGuard no_grad;
    log_strength.fill_(std::log(strength));
  }
  [[nodiscard]] double strength() const { return std::exp(log_strength.item<double>()); }

  /// False after a training that has diverged: then there is nothing to restore with.
  [[nodiscard]] bool is_finite() const {
    const std::vector<torch::Tensor> all = parameters();
    return std::all_of(all.begin(), all.end(), [](const torch::Tensor& p) { return p.isfinite().all().item<bool>(); });
  }

  Denoiser denoiser;
  bool implicit;
  torch::Tensor log_strength, solves;
};
TORCH_MODULE(Restorer);

/// The solvers in a training, as exact as a step of Adam needs them.
inline rg::EquilibriumOptions training_solvers() {
  return {.forward = rg::Anderson{.tolerance = 2e-3, .iterations = 60, .check_stability = false},
          .backward = rg::Anderson{.tolerance = 3e-2, .iterations = 60, .check_stability = false},
          .accept_failure = true};
}

/// Restorations of a batch as a model's output: the fixed point, differentiable. Solves that fail are counted, and used
/// as far as they came.
inline rg::Model solving(Restorer& restorer, const Degradation& degradation) {
  return {restorer, [degradation](Restorer& of, const rg::Batch& damaged) {
            const rg::Equilibrium found =
                rg::equilibrium(of->step(degradation.term(damaged)), degradation.start(damaged), training_solvers());
            of->solves.add_(torch::tensor({1, found.forward.succeeded() ? 0 : 1}, torch::kLong));
            return found.x;
          }};
}

/// Denoised batches as a model's output.
inline rg::Model denoising(Restorer& restorer) {
  return {restorer, [](Restorer& of, const rg::Batch& noisy) { return of->denoised(noisy.data); }};
}

/// Trains on as many of the samples as the steps need, or on all several times, with all that the transform does to
/// them.
inline void fit(const std::string& job, Restorer& restorer, const rg::Model& model, const rg::Batch& samples,
                const rg::AnyTransform& damage, const Training& how, std::uint64_t seed, ex::Jobs& jobs) {
  torch::optim::Adam adam(restorer->denoiser->parameters(), torch::optim::AdamOptions(how.rate));
  adam.add_param_group(torch::optim::OptimizerParamGroup({restorer->log_strength},
                                                         std::make_unique<torch::optim::AdamOptions>(/*lr=*/1e-2)));
  const std::int64_t needed = std::int64_t{how.steps} * how.batch;
  const int epochs = static_cast<int>((needed + samples.size() - 1) / samples.size());
  const rg::Phase phase{.name = "fit",
                        .data = rg::limit(samples, needed / epochs),
                        .optimizer = adam,
                        .epochs = epochs,
                        .lr_scale = rg::Cosine{.epochs = static_cast<double>(epochs)},
                        .batch = how.batch,
                        .loss = rg::MeanSquaredError{},
                        .augment = {damage},
                        .regularize = {rg::ClipGradients{.max_norm = 1}},
                        .seed = seed};
  jobs.run({.name = job, .phases = {phase}, .scoring = {.score_fit = false}}, model, restorer, adam);
}
