#pragma once
// The numbers of each part's jobs.

#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <regimen/experiment/job.hpp>
#include <regimen/networks.hpp>
#include <regimen/regimen.hpp>

#include "settings.hpp"

namespace rg = regimen;

/// theta of norm 1 on the first `head` of p features.
inline at::Tensor truth(std::int64_t p, std::int64_t head) {
  return at::cat({at::ones({head}), at::zeros({p - head})}).to(at::kDouble) / std::sqrt(static_cast<double>(head));
}

inline double over(const at::Tensor& part, const at::Tensor& whole) {
  return (part.norm() / whole.norm()).item<double>();
}

inline double mean_square(const at::Tensor& values) {
  return values.square().mean().item<double>();
}

/// Gradient descent on 50 samples of 200 features from w_0, against its limit.
inline rg::Numbers start_numbers(const Cell& cell) {
  const rg::GaussianFeatures data{.spectrum = std::vector<double>(200, 1.0), .theta = truth(200, 200), .noise = 0.5};
  const Cell same{cell.part, 0, cell.seed};  // all starts of a seed share their data and their direction
  const auto [x, y, id, origin, extra] = data.sample(50, same.seed_of());
  const at::Tensor w_0 = rg::Key(same.seed_of(1), at::arange(200, at::kLong)).normal().to(at::kDouble) *
                         (cell.at / 100.0 / std::sqrt(200.0));
  const rg::Descent descent = rg::least_squares_descent(x, y, w_0);
  const auto null_part = [x = x](const at::Tensor& w) { return w - rg::minimum_norm_solution(x, x.matmul(w)); };
  const at::Tensor least = rg::minimum_norm_solution(x, y);
  return {{"off_limit", over(descent.w - least - null_part(w_0), least)},
          {"descent_steps", static_cast<double>(descent.steps)},
          {"over_condition", static_cast<double>(descent.steps) / descent.condition},
          {"error", mean_square(x.matmul(descent.w) - y)},
          {"norm", descent.w.norm().item<double>()},
          {"null_norm", null_part(descent.w).norm().item<double>()},
          {"null_moved", (null_part(descent.w) - null_part(w_0)).norm().item<double>()},
          {"risk", data.excess_risk(descent.w)}};
}

/// The risk of the minimum norm solution on 100 samples of standard normal features, against the law.
inline rg::Numbers ratio_numbers(const Cell& cell, int draws) {
  const rg::GaussianFeatures data{.spectrum = std::vector<double>(static_cast<std::size_t>(cell.at), 1.0),
                                  .theta = truth(cell.at, cell.at),
                                  .noise = 1};
  const double law = rg::isotropic_ridgeless_risk(100, cell.at).total();
  std::vector<double> risks, expected;
  for (int draw = 0; draw < draws; ++draw) {
    const rg::Batch train = data.sample(100, cell.seed_of(draw));
    risks.push_back(data.excess_risk(rg::minimum_norm_solution(train.data, train.target)));
    expected.push_back(rg::minimum_norm_risk(train.data, data.variances(), data.theta).total());
  }
  const double z = rg::z_score(risks, law);
  return {{"law", law},
          {"limit", rg::isotropic_ridgeless_limit(cell.at / 100.0).total()},
          {"risk", rg::mean_interval(risks).mean},
          {"over_noise", rg::mean_interval(expected).mean},
          {"z", z},
          {"z_over_noise", rg::z_score(expected, law)},
          {"within_2", std::abs(z) <= 2 ? 1 : 0}};
}

/// Bias and variance of the minimum norm solution on a benign or a malignant spectrum, and what theory says.
inline rg::Numbers spectrum_numbers(const Cell& cell) {
  const rg::GaussianFeatures data{.spectrum = spectrum_of(cell.part, cell.at)};
  const at::Tensor x = data.sample(cell.at, cell.seed_of()).data;
  const rg::RidgelessRisk risk = rg::minimum_norm_risk(x, data.variances(), truth(data.features(), 5));
  const auto n = static_cast<std::size_t>(cell.at), k = rg::benign_split(data.spectrum, n).value();
  const double bound = rg::benign_variance_bound(data.spectrum, n);
  return {{"features", static_cast<double>(data.features())},
          {"k", static_cast<double>(k)},
          {"rank", rg::effective_rank(data.spectrum, k)},
          {"squared_rank", rg::squared_effective_rank(data.spectrum, k)},
          {"rank_0_over_n", rg::effective_rank(data.spectrum) / cell.at},
          {"bound", bound},
          {"variance", risk.variance},
          {"over_bound", risk.variance / bound},
          {"bias", risk.bias}};
}

/// The two parts of an interpolator of 100 samples: 5 features of variance 1, and a tail of total variance 20.
inline rg::Numbers tail_numbers(const Cell& cell) {
  const double tail = 20;
  const rg::GaussianFeatures data{.spectrum = rg::spiked_spectrum(5, static_cast<std::size_t>(cell.at), tail),
                                  .theta = truth(cell.at, 5),
                                  .noise = 0.5};
  const rg::Batch train = data.sample(100, cell.seed_of());
  const rg::SimpleAndSpiky f(rg::minimum_norm_solution(train.data, train.target), 5);
  const at::Tensor ridge = rg::ridge_solution(train.data.narrow(1, 0, 5), train.target, tail);
  const double at_points = mean_square(f.spiky(train.data));
  // At new points the mean square of x . v is the sum of v^2 times the variances.
  const double simple = (f.simple_weights() - data.theta.narrow(0, 0, 5)).square().sum().item<double>();
  const double spiky = (f.spiky_weights().square() * data.variances().narrow(0, 5, cell.at - 5)).sum().item<double>();
  return {{"error", mean_square(f(train.data) - train.target)},
          {"simple_at_points", mean_square(f.simple(train.data) - train.data.matmul(data.theta))},
          {"spiky_at_points", at_points},
          {"simple", simple},
          {"spiky", spiky},
          {"both", simple + spiky},
          {"spiky_left", spiky / at_points},
          {"off_ridge", (f.simple_weights() - ridge).square().sum().item<double>()}};
}

/// A two-layer network, trained on 40 points by gradient descent until the residual is 1e-4 of the labels; then how far
/// it is from its linearization at the start: two jobs.
inline void lazy_jobs(const Cell& cell, const std::string& activation, rg::experiment::Jobs& jobs) {
  const rg::GaussianFeatures data{.spectrum = std::vector<double>(10, 0.1), .theta = at::ones({10}), .noise = 0.5};
  const rg::Batch train = data.sample(40, static_cast<std::uint64_t>(cell.seed));  // for all widths
  rg::GaussianFeatures clean = data;
  clean.noise = 0;
  const rg::Batch test = clean.sample(200, static_cast<std::uint64_t>(cell.seed) + 1'000'000);
  const auto two_layer = [&] {
    torch::manual_seed(cell.seed_of());
    const rg::networks::TwoLayerOptions options{
        .inputs = 10, .width = cell.at, .activation = rg::networks::activation_of(activation), .zero_start = true};
    rg::networks::TwoLayer net(options);
    net->to(torch::kDouble);
    return net;
  };
  rg::networks::TwoLayer net = two_layer(), start = two_layer();
  const at::Tensor jacobian = rg::jacobian(rg::LossSurface(start, train));
  const double largest = at::linalg_eigvalsh(jacobian.matmul(jacobian.t())).max().item<double>();
  torch::optim::SGD sgd(net->parameters(), 0.5 * static_cast<double>(train.size()) / largest);
  rg::Phase phase{.name = "train", .data = train, .optimizer = sgd, .epochs = 100000};
  phase.batch = train.size();
  phase.loss = rg::MeanSquaredError{};
  phase.until = rg::FitLossReaches{1e-8 * mean_square(train.target)};
  const rg::Scoring scoring{.every = 50, .batch = train.size()};
  const rg::History history =
      jobs.run({.name = cell.job() + "-train", .phases = {phase}, .scoring = scoring}, net, sgd);

  (void)jobs.compute(cell.job(), [&]() -> rg::Numbers {
    const rg::Laziness lazy = rg::laziness(net, start, train, test);
    const at::Tensor f = rg::outputs(net, test).output;
    // The linear network itself, trained from the same start, ends at the solution of the smallest norm.
    const at::Tensor moved = rg::minimum_norm_solution(jacobian, train.target - rg::outputs(start, train).output);
    const rg::LossSurface at_start(start, test);
    return {{"descent_steps", static_cast<double>(history.back().clock.step)},
            {"residual", std::sqrt(history.back().fit.loss / mean_square(train.target))},
            {"distance", lazy.distance},
            {"relative_distance", lazy.relative_distance},
            {"kernel_change", lazy.kernel_change},
            {"off_linearized", lazy.off_linearized},
            {"off_linear_training", over(f - rg::linearized_outputs(at_start, at_start.weights() + moved), f)},
            {"risk", mean_square(f - test.target)}};
  });
}
