// Twelve small networks side by side in one module (networks::StackedLinear) against the same networks one after
// another, trained on 85 points in full batches with Adam, with Jumpstart and without. One thread.

#include <torch/torch.h>

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>

#include "../examples/230-jumpstart/networks.hpp"
#include "measure.hpp"

namespace {

constexpr int members = 12;
constexpr int epochs = 20;

void train(const rg::Batch& data, int width, int depth, int side_by_side, bool jumpstart) {
  MoonsNetwork net(members, width, depth, /*batch_norm=*/false, /*seed=*/1);
  torch::optim::Adam adam(net->parameters(), torch::optim::AdamOptions(0.01));
  rg::Phase phase{.data = data,
                  .optimizer = adam,
                  .epochs = epochs,
                  .batch = data.size(),
                  .loss = rg::OverMembers{rg::BinaryCrossEntropy{}}};
  if (jumpstart) {
    phase.regularize = {
        rg::Jumpstart{.strength = 1, .aggregation = rg::Aggregation::balanced, .members = side_by_side}};
  }
  rg::run(net, {phase}, rg::Scoring{.every = epochs, .score_fit = false});
}

void compare(const Report& report, int width, int depth, bool jumpstart, double goal) {
  rg::Batch data = rg::two_moons(50);
  data = {.data = data.data.slice(0, 0, 85), .target = data.target.slice(0, 0, 85), .id = data.id.slice(0, 0, 85)};
  const auto together = [&] { train(data, width, depth, members, jumpstart); };
  const auto alone = [&] {
    for (int i = 0; i < members; ++i) {
      train(data, width, depth, 1, jumpstart);
    }
  };
  report.faster("12 networks side by side, width " + std::to_string(width) + ", depth " + std::to_string(depth) +
                    (jumpstart ? ", Jumpstart" : ""),
                "one after another", goal,
                take_turns(11, [&] { return seconds_of(together); }, [&] { return seconds_of(alone); }));
}

}  // namespace

int main() {
  torch::manual_seed(1);
  torch::set_num_threads(1);
  const Report report("Ensembles of small networks");
  for (const bool jumpstart : {false, true}) {
    compare(report, 4, 10, jumpstart, 3);
    compare(report, 4, 50, jumpstart, 3);
    compare(report, 25, 50, jumpstart, 1);
  }
  return 0;
}
