#include "pace.hpp"

#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include <regimen/experiment/signals.hpp>

namespace ex = regimen::experiment;
namespace rg = regimen;

namespace kit {
namespace {

/// Seconds that an epoch on so many images takes, once all is warm.
double seconds_an_epoch(const PaceOf& what, const Images& images, const std::stop_token& stop, std::int64_t samples) {
  auto net = what.network();
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(1e-4).momentum(0.9).weight_decay(5e-4));
  rg::Phase phase{.name = "measuring the pace",
                  .data = rg::cached(rg::limit(images.train, samples)),
                  .optimizer = sgd,
                  .epochs = 3,
                  .batch = what.batch,
                  .augment = images.augmentation(),
                  .preprocess = {images.normalize},
                  .execute = what.execute};
  std::vector<double> ends;
  const auto note = [&](const rg::Epoch& epoch) { ends.push_back(epoch.seconds); };
  const auto heed_signals = [&](const rg::Step&) { ex::heed(stop); };
  rg::run(net, {phase}, rg::Scoring{.every = 3, .score_fit = false}, note, heed_signals);
  return ends[2] - ends[1];
}

}  // namespace

ex::Pace measure_pace(const PaceOf& what, const Images& images, const std::stop_token& stop) {
  constexpr double enough = 1;  // seconds
  const std::int64_t all = *images.train.size();
  // A GPU's first steps warm up and are recorded; a large network's single step on a CPU takes seconds.
  const std::int64_t first_steps = what.execute.graph ? 4 : 1;
  std::int64_t samples = std::min<std::int64_t>(all, first_steps * what.batch);
  double seconds = seconds_an_epoch(what, images, stop, samples);
  while (seconds < enough && samples < all) {
    const double wanted = 1.2 * enough / std::max(seconds, 1e-3) * static_cast<double>(samples);
    samples = std::min(all, static_cast<std::int64_t>(std::min(wanted, 20.0 * static_cast<double>(samples))));
    seconds = seconds_an_epoch(what, images, stop, samples);
  }

  const auto net = what.network();
  what.execute.prepare(net);
  const rg::Source scored = rg::limit(images.test, std::min<std::int64_t>(2 * samples, images.test.size()));
  (void)rg::evaluate(net, rg::limit(scored, what.scoring.batch), what.scoring);
  ex::heed(stop);
  const auto began = std::chrono::steady_clock::now();
  (void)rg::evaluate(net, scored, what.scoring);
  const double scoring = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return {.training = static_cast<double>(samples) / seconds, .scoring = static_cast<double>(*scored.size()) / scoring};
}

}  // namespace kit
