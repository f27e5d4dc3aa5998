#pragma once
// The networks of one cell on two moons: trained together, and what became of each.

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <regimen/experiment.hpp>
#include <regimen/regimen.hpp>

#include "networks.hpp"
#include "settings.hpp"

/// 100 points, of which 85 are trained on and 15 held out, each coordinate divided by its range, as the authors' are.
/// One split for all cells, whose larger class has 44 of the 85 points (0.518), as in the authors' one.
struct Moons {
  rg::Batch train;
  rg::Batch test;

  explicit Moons(double noise) {
    rg::Batch all = rg::two_moons(50, noise, /*seed=*/1);
    all.data = all.data / (std::get<0>(all.data.max(0)) - std::get<0>(all.data.min(0)));
    const torch::Tensor order = rg::Key(6, all.id).uniform().argsort();
    const auto part = [&](std::int64_t from, std::int64_t to) {
      const torch::Tensor some = order.slice(0, from, to);
      return rg::Batch{all.data.index_select(0, some), all.target.index_select(0, some), some};
    };
    train = part(0, 85);
    test = part(85, 100);
  }
};

/// What `look` gives while BatchNorm's statistics are those of the current weights on the training data: running ones
/// lag behind, and before the first step there are none.
template <class Look>
auto with_statistics(const rg::Model& model, const rg::Source& train, const rg::Reestimation& how, const Look& look) {
  const rg::Snapshot running(model);
  rg::reestimate_batch_norm(model, train, how);
  auto found = look();
  running.restore();
  return found;
}

/// The accuracy of each member of an ensemble on some data; NaN for one that has diverged.
struct MemberAccuracy {
  rg::Batch data;
  rg::Batch train;  ///< for BatchNorm's statistics
  int members = 1;

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (int i = 1; i <= members; ++i) {
      all.push_back(std::to_string(i));
    }
    return all;
  }

  rg::Numbers operator()(const rg::Probe& probe) const {
    const torch::Tensor logits = with_statistics(probe.model, train, {.batch = train.size()},
                                                 [&] { return rg::outputs(probe.model, data).output; });
    const torch::Tensor right = ((logits > 0) == (data.target.unsqueeze(1) > 0)).to(torch::kDouble).mean(0);
    const torch::Tensor finite = logits.isfinite().all(0);
    rg::Numbers accuracy;
    for (int i = 0; i < members; ++i) {
      accuracy[std::to_string(i + 1)] = finite[i].item<bool>() ? right[i].item<double>() : rg::unknown;
    }
    return accuracy;
  }
};

/// Adds the mean activity of some layers, with this ending of the numbers' names.
inline void add_activity(rg::Numbers& numbers, const std::vector<rg::LayerActivity>& layers,
                         const std::string& ending) {
  const rg::LayerActivity mean = rg::mean_activity(layers);
  numbers["dead_" + ending] = mean.dead;
  numbers["affine_" + ending] = mean.affine;
  numbers["separating_" + ending] = mean.separating;
  numbers["dead_points_" + ending] = mean.dead_points;
}

/// The layers of all members in one tenth of the depth, from 0.
inline std::vector<rg::LayerActivity> tenth_of(const std::vector<std::vector<rg::LayerActivity>>& members, int tenth) {
  std::vector<rg::LayerActivity> some;
  for (const std::vector<rg::LayerActivity>& layers : members) {
    const std::size_t from = layers.size() * static_cast<std::size_t>(tenth) / tenths_of_depth;
    const std::size_t to = std::max(from + 1, layers.size() * static_cast<std::size_t>(tenth + 1) / tenths_of_depth);
    some.insert(some.end(), layers.begin() + static_cast<std::ptrdiff_t>(from),
                layers.begin() + static_cast<std::ptrdiff_t>(to));
  }
  return some;
}

/// What became of one seed: the accuracy on the training points at the end and at its best, and when it reached 95 %;
/// of one that has diverged that it has.
inline rg::Numbers course_of(const rg::History& history, int seed) {
  const std::string name = "train_" + std::to_string(seed);
  const double end = rg::value_of(history.back(), name);
  if (std::isnan(end)) {
    return {{"diverged", 1}, {"reached", 0}};
  }
  rg::Numbers numbers{{"diverged", 0},
                      {"end", end},
                      {"test", rg::value_of(history.back(), "test_" + std::to_string(seed))},
                      {"best", 0},
                      {"reached", 0}};
  for (const rg::Epoch& epoch : history.epochs) {
    const double accuracy = rg::value_of(epoch, name);
    if (accuracy >= 0.95 && numbers["reached"] == 0) {
      numbers["reached"] = 1;
      numbers["epochs_to_95"] = static_cast<double>(epoch.clock.epoch);
    }
    numbers["best"] = accuracy > numbers["best"] ? accuracy : numbers["best"];
  }
  return numbers;
}

/// Trains the networks of a cell together, each as it would train alone, and computes the numbers of each.
inline void train_moons(const Cell& cell, const MoonsSettings& s, ex::Jobs& jobs) {
  const Moons moons(s.noise);
  MoonsNetwork net(s.seeds, cell.width, cell.depth, cell.arm == "batch-norm", cell.seed());
  const auto activity = [&] {
    return with_statistics(net, moons.train, {.batch = moons.train.size()},
                           [&] { return rg::member_activity(net, moons.train, s.seeds); });
  };
  const auto before = activity();
  torch::optim::Adam adam(net->parameters(), torch::optim::AdamOptions(s.rate));
  std::vector<rg::AnyRegularizer> regularize = regularizers_of(cell.arm, s, s.seeds);
  regularize.emplace_back(rg::FiniteGradients{});  // a seed that diverges is not the end of the others
  const rg::Phase phase{.data = moons.train,
                        .optimizer = adam,
                        .epochs = s.epochs,
                        .batch = moons.train.size(),
                        .loss = rg::OverMembers{rg::BinaryCrossEntropy{}},
                        .regularize = regularize,
                        .shuffle = false};
  const rg::Scoring scoring{.every = s.every,
                            .measures = {{"train", MemberAccuracy{moons.train, moons.train, s.seeds}},
                                         {"test", MemberAccuracy{moons.test, moons.train, s.seeds}}}};
  const rg::History history = jobs.run({.name = cell.job("train"), .phases = {phase}, .scoring = scoring}, net, adam);
  const auto after = activity();
  for (int seed = 1; seed <= s.seeds; ++seed) {
    (void)jobs.compute(cell.job(std::to_string(seed)), [&] {
      rg::Numbers numbers = course_of(history, seed);
      add_activity(numbers, before[static_cast<std::size_t>(seed - 1)], "before");
      add_activity(numbers, after[static_cast<std::size_t>(seed - 1)], "after");
      return numbers;
    });
  }
  for (int tenth = 0; is_explained(cell, s) && tenth < tenths_of_depth; ++tenth) {
    (void)jobs.compute(cell.job("tenth" + std::to_string(tenth + 1)), [&] {
      rg::Numbers numbers;
      add_activity(numbers, tenth_of(before, tenth), "before");
      add_activity(numbers, tenth_of(after, tenth), "after");
      return numbers;
    });
  }
}
