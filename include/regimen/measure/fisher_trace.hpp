#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/zeros_like.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/curvature/loss_surface.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/key/key.hpp"
#include "regimen/key/salts.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/detail/signed_gradients.hpp"
#include "regimen/measure/detail/surface_for.hpp"
#include "regimen/measure/temperature.hpp"
#include "regimen/model/selector.hpp"
#include "regimen/source/source.hpp"
#include "regimen/statistics/monte_carlo.hpp"
#include "regimen/tensor/described.hpp"
#include "regimen/tensor/doubles.hpp"

namespace regimen::inline v0 {

/// The labels of a Fisher information's gradients.
enum class FisherLabels {
  every,  ///< all C classes, by their probabilities: the true Fisher information
  drawn,  ///< one label a sample and draw, from the network's probabilities, in steps of 2^-24: the same mean. A
          ///< network that fits its data has most of its trace from rare labels, which few draws meet: prefer `every`
  data    ///< the data's labels, by the loss: the empirical one, which is the mean square of the samples' gradients
};

/// A measure: the trace of the Fisher information, the mean over samples of E_y~p ||grad log p_y||^2, p the softmax of
/// the outputs [N, C, ...] (Jastrzebski et al. 2021, 2012.14193); for the labels of the data of ||grad loss||^2.
/// Positions after C count as samples; for the labels of the data, samples count as in the mean loss.
///
/// It needs no gradients of single samples: with a random sign for each sample and class, the squared norm of the
/// signed sum of sqrt(p_y) grad log p_y has the mean of the sum of all squares. Numbers "value" and "half_width". Costs
/// B a draw and F for four draws. The signs are a function of (seed, draw, sample id), so ids must differ.
///
/// `confidence`, in (1/C, 1), divides the logits by the temperature at which the mean largest probability is this, for
/// one more F and n C numbers of memory: networks whose logits are multiples of each other then get the same number.
///
/// Not invariant under rescaling of ReLU layers, nor under scale of the logits unless `confidence` is set. Labels
/// `data` take a loss with `each`. Throws Error without data, for settings out of range, and for outputs that are no
/// classifier's.
///     scoring.measures["fisher_trace"] = regimen::FisherTrace{.data = train};
struct FisherTrace {
  std::optional<Source> data{};  ///< the phase's own by default
  Evaluation how{};
  AnySelector parameters = AllParameters{};
  FisherLabels labels = FisherLabels::every;
  std::optional<double> confidence{};
  Draws draws{};

  void check() const {
    draws.check();
    detail::require(!confidence || (*confidence > 0 && *confidence < 1), "FisherTrace.confidence", "in (1/C, 1)",
                    confidence.value_or(0));
  }

  [[nodiscard]] MonteCarloEstimate estimate(const Probe& probe) const {
    check();
    const LossSurface surface = detail::surface_for(data, how, parameters, probe, "FisherTrace");
    const double temperature =
        confidence ? matched_temperature(surface.model(), surface.data(), *confidence, surface.how()) : 1;
    const auto numbers_of = [&](const at::Tensor& output, const Batch& batch) {
      return labels == FisherLabels::data ? detail::signed_losses(surface, output / temperature, batch, draws.seed,
                                                                  [](const at::Tensor& w) { return w.sqrt(); })
                                          : by_the_network(output, temperature, batch);
    };
    return monte_carlo_in_blocks(
        [&](std::int64_t first, std::int64_t count) {
          const detail::DrawnGradients drawn = detail::drawn_gradients(surface, numbers_of, first, count);
          return detail::doubles_of(drawn.sums.square().sum({1}) / drawn.count);
        },
        detail::draws_a_pass, draws);
  }

  [[nodiscard]] std::vector<std::string> names() const { return {"value", "half_width"}; }
  Numbers operator()(const Probe& probe) const { return detail::value_and_half_width(estimate(probe)); }

 private:
  [[nodiscard]] detail::WeightedNumbers by_the_network(const at::Tensor& output, double temperature,
                                                       const Batch& batch) const {
    if (output.dim() < 2) {
      throw Error("FisherTrace takes a classifier, with outputs of [N, C, ...], but they are " +
                  detail::described(output));
    }
    const auto samples = static_cast<double>(output.numel() / output.size(1));
    const at::Tensor log_p = (output.to(at::kDouble) / temperature).log_softmax(1);
    const at::Tensor p = log_p.detach().exp();
    if (labels == FisherLabels::every) {
      return {log_p,
              [this, p, ids = batch.id](std::int64_t draw) {
                return p.sqrt() * detail::sample_signs(ids, draws.seed, draw, p.numel() / p.size(0)).view(p.sizes());
              },
              samples};
    }
    return {log_p,
            [this, p, ids = batch.id](std::int64_t draw) {
              const Key key = Key(draws.seed, ids).fold(detail::salt::drawn).fold(static_cast<std::uint64_t>(draw));
              const std::int64_t positions = p.numel() / p.size(0) / p.size(1);
              const at::Tensor at_last = p.reshape({p.size(0), p.size(1), positions});
              const at::Tensor u = key.uniform({1, positions}).to(at::kDouble);
              const at::Tensor label = at_last.cumsum(1).le(u).sum(1, /*keepdim=*/true).clamp_max(p.size(1) - 1);
              const at::Tensor signs = detail::sample_signs(ids, draws.seed, draw, positions).unsqueeze(1);
              return at::zeros_like(at_last).scatter(1, label, signs).view(p.sizes());
            },
            samples};
  }
};

}  // namespace regimen::inline v0
