#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

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

/// Numbers of a batch with a graph, their weights in a sum for each draw, in the shape of the numbers, and by how much
/// the batch counts in a mean.
struct WeightedNumbers {
  at::Tensor numbers;
  std::function<at::Tensor(std::int64_t)> weights;
  double count = 0;
};

/// The samples' losses with random signs times factors as weights, counted by the samples' weights w in the mean loss:
/// factors_of(w) gives the factors, both [N].
template <class FactorsOf>
WeightedNumbers signed_losses(const LossSurface& surface, const at::Tensor& output, const Batch& batch,
                              std::uint64_t seed, const FactorsOf& factors_of) {
  const at::Tensor weights = surface.sample_weights(batch);
  return {surface.losses(output, batch),
          [seed, factors = at::Tensor(factors_of(weights)), ids = batch.id](std::int64_t draw) {
            return sample_signs(ids, seed, draw, 1).select(1, 0) * factors;
          },
          weights.sum().item<double>()};
}

/// Gradients by the weights, a row [size()] a draw, and the sum of the batches' counts.
struct DrawnGradients {
  at::Tensor sums;  ///< [count, size()] double
  double count = 0;
};

/// The gradients of weighted sums over all samples: row k with the weights of draw `first` + k. numbers_of(output,
/// batch) gives a batch's `WeightedNumbers`. Costs F + count B, and the memory of a batch and the result.
template <class NumbersOf>
DrawnGradients drawn_gradients(const LossSurface& surface, const NumbersOf& numbers_of, std::int64_t first,
                               std::int64_t count) {
  DrawnGradients result{at::zeros({count, surface.size()}, surface.vector_options())};
  const at::AutoGradMode with_graph(true);
  surface.each_output([&](const at::Tensor& output, const Batch& batch) {
    const WeightedNumbers given = numbers_of(output, batch);
    result.count += given.count;
    for (std::int64_t i = 0; i < count && given.numbers.requires_grad(); ++i) {
      const at::Tensor weights = given.weights(first + i).to(given.numbers.scalar_type());
      const bool again = i + 1 < count;
      result.sums.select(0, i).add_(surface.flat(torch::autograd::grad(
          {given.numbers}, surface.parameters(), {weights}, again, /*create_graph=*/false, /*allow_unused=*/true)));
    }
  });
  return result;
}

/// The draws made in one pass over the data: each of them keeps a vector of weights.
inline constexpr std::int64_t draws_a_pass = 4;

}  // namespace regimen::inline v0::detail
