#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/curvature/loss_surface.hpp"
#include "regimen/key/key.hpp"
#include "regimen/key/salts.hpp"
#include "regimen/statistics/monte_carlo.hpp"

namespace regimen::inline v0::detail {

/// Random signs of samples, [N, numbers] double of 1 and -1, as a function of (seed, draw, sample id): the same for all
/// networks that see the samples, whatever the batches. ids [N] int64.
inline at::Tensor sample_signs(const at::Tensor& ids, std::uint64_t seed, std::int64_t draw, std::int64_t numbers) {
  const Key key = Key(seed, ids).fold(salt::signs).fold(static_cast<std::uint64_t>(draw));
  const at::Tensor words = key.bits((numbers + 63) / 64).unsqueeze(-1);
  const at::Tensor place = at::arange(64, words.options());
  const at::Tensor bits = words.bitwise_right_shift(place).bitwise_and(1).flatten(1).narrow(1, 0, numbers);
  return bits.to(at::kDouble) * 2 - 1;
}

/// Numbers of a batch with a graph, and their weights in a sum for each draw, in the shape of the numbers.
struct WeightedNumbers {
  at::Tensor numbers;
  std::function<at::Tensor(std::int64_t)> weights;
};

/// The samples' losses with random signs as weights.
inline WeightedNumbers signed_losses(const LossSurface& surface, const at::Tensor& output, const Batch& batch,
                                     std::uint64_t seed) {
  return {surface.how().loss.each(output, batch.target),
          [seed, ids = batch.id](std::int64_t draw) { return sample_signs(ids, seed, draw, 1).select(1, 0); }};
}

/// The gradients by the weights of weighted sums over all samples. Throws Error, in the name of `who`, if two passes
/// over the data see other numbers: something random would be taken for the noise of signs.
class SumGradients {
 public:
  /// The surface must outlive this.
  SumGradients(const LossSurface& surface, std::string who) : surface_(surface), who_(std::move(who)) {}

  /// [count, size()] double: row k is the gradient of the sum of the numbers with the weights of draw `first` + k.
  /// numbers_of(output, batch) gives a batch's `WeightedNumbers`. Costs F + count B, and the memory of a batch and the
  /// result.
  template <class NumbersOf>
  at::Tensor operator()(const NumbersOf& numbers_of, std::int64_t first, std::int64_t count) {
    at::Tensor sums = at::zeros({count, surface_.size()}, surface_.vector_options());
    at::Tensor total = at::zeros({}, surface_.vector_options());
    const at::AutoGradMode with_graph(true);
    surface_.each_output([&](const at::Tensor& output, const Batch& batch) {
      const WeightedNumbers given = numbers_of(output, batch);
      total.add_(given.numbers.detach().abs().sum().to(at::kDouble));
      for (std::int64_t i = 0; i < count && given.numbers.requires_grad(); ++i) {
        const at::Tensor weights = given.weights(first + i).to(given.numbers.scalar_type());
        const bool again = i + 1 < count;
        sums.select(0, i).add_(surface_.flat(torch::autograd::grad(
            {given.numbers}, surface_.parameters(), {weights}, again, /*create_graph=*/false, /*allow_unused=*/true)));
      }
    });
    compare(total.item<double>());
    return sums;
  }

 private:
  void compare(double total) {
    // Rounding alone makes a difference, too, which on a GPU depends on the order of sums.
    if (before_ && !(std::abs(total - *before_) <= 1e-4 * std::abs(*before_) + 1e-6) && !std::isnan(total)) {
      throw Error(who_ + ": two passes over the data differ: absolute values that sum to " + text(*before_) +
                  ", then to " + text(total) +
                  ". Something is random: preprocessing (frozen data are not), dropout that is on in eval mode");
    }
    before_ = total;
  }

  const LossSurface& surface_;
  std::string who_;
  std::optional<double> before_;
};

/// The draws made in one pass over the data: each of them keeps a vector of weights.
inline constexpr std::int64_t draws_a_pass = 4;

/// The mean of draws that are made several at a time: draws_from(first, count) gives [count] of them.
template <class DrawsFrom>
MonteCarloEstimate monte_carlo_in_blocks(const DrawsFrom& draws_from, const Draws& how) {
  std::vector<double> drawn;
  MonteCarloEstimate result = monte_carlo(
      [&](std::int64_t draw) {
        const auto first = static_cast<std::int64_t>(drawn.size());
        if (draw >= first) {
          const at::Tensor block =
              draws_from(first, std::min<std::int64_t>(draws_a_pass, how.most - first)).to(at::kCPU).contiguous();
          drawn.insert(drawn.end(), block.template data_ptr<double>(),
                       block.template data_ptr<double>() + block.numel());
        }
        return drawn[static_cast<std::size_t>(draw)];
      },
      how);
  result.passes = static_cast<std::int64_t>(drawn.size());
  return result;
}

}  // namespace regimen::inline v0::detail
