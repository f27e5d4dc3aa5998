#pragma once
// Restoration without a network: Tikhonov's and the total variation.

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <regimen/regimen.hpp>

#include "degradation.hpp"

/// Differences of neighbours along each dimension behind the channel, [N, 1, ...] -> [k, N, 1, ...]: of signals on
/// their ring, of images without a neighbour behind the last row and column.
inline torch::Tensor differences(const torch::Tensor& x) {
  if (x.dim() == 3) {
    return (x.roll(-1, 2) - x).unsqueeze(0);
  }
  std::vector<torch::Tensor> all;
  for (std::int64_t d = 2; d < x.dim(); ++d) {
    torch::Tensor difference = torch::zeros_like(x);
    const std::int64_t n = x.size(d) - 1;
    difference.narrow(d, 0, n).copy_(x.narrow(d, 1, n) - x.narrow(d, 0, n));
    all.push_back(difference);
  }
  return torch::stack(all);
}

/// The adjoint of `differences`.
inline torch::Tensor differences_adjoint(const torch::Tensor& p) {
  if (p.dim() == 4) {
    return p[0].roll(1, 2) - p[0];
  }
  torch::Tensor sum = torch::zeros_like(p[0]);
  for (std::int64_t d = 2; d < sum.dim(); ++d) {
    const std::int64_t n = sum.size(d) - 1;
    const torch::Tensor part = p[d - 2].narrow(d, 0, n);
    sum.narrow(d, 1, n).add_(part);
    sum.narrow(d, 0, n).sub_(part);
  }
  return sum;
}

/// The minimum of g(x) + mu |D x|^2 / 2, by conjugate gradients.
inline torch::Tensor tikhonov(const Problem& problem, double mu) {
  const Term& g = problem.term;
  const auto matrix = [&](const torch::Tensor& p) {
    return g.adjoint(g.apply(p)) + mu * differences_adjoint(differences(p));
  };
  // g's slope at 0 is -A'y.
  const torch::Tensor right = -g.slope(torch::zeros_like(problem.start));
  return rg::conjugate_gradient(matrix, right, {.tolerance = 1e-4, .iterations = 1000}).solution();
}

/// The minimum of g(x) + mu sum |D x|, with the length of the differences at each sample, by steps of Chambolle and
/// Pock's algorithm (2011): 2,000, for signals converge slowly.
inline torch::Tensor total_variation(const Problem& problem, double mu) {
  torch::Tensor x = problem.start, ahead = x, p = torch::zeros_like(differences(x));
  const double step = 1 / std::sqrt(4.0 * static_cast<double>(p.size(0)));  // 1 / |D|
  const torch::Tensor tau = torch::full({}, step, torch::kDouble);
  for (int i = 0; i < 2000; ++i) {
    const torch::Tensor q = p + step * differences(ahead);
    p = q / (q.norm(2, 0) / mu).clamp_min(1);
    const torch::Tensor next = problem.term.prox(x - step * differences_adjoint(p), tau);
    ahead = 2 * next - x;
    x = next;
  }
  return x;
}

/// A strength that is chosen on a validation problem.
struct Chosen {
  double strength = 0;
  double spread = 0;  ///< PSNR of the best strength less that of the worst
};

template <class Restore>
Chosen chosen(const Problem& validation, const std::vector<double>& strengths, const Restore& restore) {
  Chosen best;
  double most = -1e9, least = 1e9;
  for (const double each : strengths) {
    const double found = psnr(restore(validation, each), validation.truth);
    best.strength = found > most ? each : best.strength;
    most = std::max(most, found);
    least = std::min(least, found);
  }
  best.spread = most - least;
  return best;
}

/// The restoration of a test problem with a strength that is chosen on a validation problem.
template <class Restore>
torch::Tensor tuned(const Problem& validation, const Problem& test, const std::vector<double>& strengths,
                    const Restore& restore) {
  return restore(test, chosen(validation, strengths, restore).strength);
}
