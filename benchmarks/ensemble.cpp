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
constexpr int epochs = 200;

/// One of the networks as anybody would write it.
struct Single : torch::nn::Module {
  Single(int width, int depth) {
    for (int i = 0; i < depth; ++i) {
      hidden.push_back(register_module("hidden" + std::to_string(i), torch::nn::Linear(i == 0 ? 2 : width, width)));
    }
    last = register_module("last", torch::nn::Linear(width, 1));
  }
  torch::Tensor forward(torch::Tensor x) {
    for (torch::nn::Linear& layer : hidden) {
      x = torch::relu(rg::tap(layer(x)));
    }
    return last(x).squeeze(1);
  }
  std::vector<torch::nn::Linear> hidden{};
  torch::nn::Linear last{nullptr};
};

template <class Net>
void train(const rg::Batch& data, Net& net, const std::vector<torch::Tensor>& parameters, const rg::AnyLoss& loss,
           bool jumpstart, std::optional<rg::Integer> side_by_side) {
  torch::optim::Adam adam(parameters, torch::optim::AdamOptions(0.01));
  rg::Phase phase{.data = data, .optimizer = adam, .epochs = epochs, .batch = data.size(), .loss = loss};
  if (jumpstart) {
    phase.regularize = {
        rg::Jumpstart{.strength = 1, .aggregation = rg::Aggregation::balanced, .members = side_by_side}};
  }
  rg::run(net, {phase}, rg::Scoring{.every = epochs, .score_fit = false});
}

void compare(const Report& report, int width, int depth, bool jumpstart, double goal) {
  const rg::Batch data = rg::slice(rg::two_moons(50), 0, 85);
  const auto together = [&] {
    MoonsNetwork net(members, width, depth, /*batch_norm=*/false, /*seed=*/1);
    train(data, net, net->parameters(), rg::OverMembers{rg::BinaryCrossEntropy{}}, jumpstart, members);
  };
  const auto alone = [&] {
    for (int i = 0; i < members; ++i) {
      Single net(width, depth);
      train(data, net, net.parameters(), rg::BinaryCrossEntropy{}, jumpstart, {});
    }
  };
  report.faster("12 networks side by side, width " + std::to_string(width) + ", depth " + std::to_string(depth) +
                    (jumpstart ? ", Jumpstart" : ""),
                "one after another", goal,
                take_turns(5, [&] { return seconds_of(together); }, [&] { return seconds_of(alone); }));
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
