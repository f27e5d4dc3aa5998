// The penalties agree with PyTorch's autograd on formulas written down once more in Python (penalties.py), and
// they act in `run`. The first is skipped, loudly, where no Python with PyTorch is found; see support/python.hpp.

#include "support/tensors.hpp"

#include "support/python.hpp"

#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace penalties_parity_test {

namespace {

using namespace training;

/// As in penalties.py: a convolution, tanh, a linear map; its two layers tapped.
struct Small : torch::nn::Module {
  torch::nn::Conv2d first{nullptr};
  torch::nn::Linear last{nullptr};

  Small() {
    first = register_module("first", torch::nn::Conv2d(torch::nn::Conv2dOptions(2, 3, 3)));
    last = register_module("last", torch::nn::Linear(12, 4));
  }

  torch::Tensor forward(const torch::Tensor& x) {
    return rg::tap(last->forward(torch::tanh(rg::tap(first->forward(x))).flatten(1)));
  }
};

/// Linear, ReLU, ..., Linear, as thin as asked, each layer before a ReLU tapped.
struct Deep : torch::nn::Module {
  std::vector<torch::nn::Linear> layers;
  torch::nn::Linear last{nullptr};

  Deep(int depth, std::int64_t width) {
    for (int i = 0; i < depth; ++i) {
      layers.push_back(register_module("layer" + std::to_string(i), torch::nn::Linear(i == 0 ? 2 : width, width)));
    }
    last = register_module("last", torch::nn::Linear(width, 2));
  }

  torch::Tensor forward(torch::Tensor x) {
    for (torch::nn::Linear& layer : layers) {
      x = torch::relu(rg::tap(layer->forward(x)));
    }
    return last->forward(x);
  }
};

/// The network of support/training.hpp without dropout, which would draw otherwise in a second forward pass.
torch::nn::Sequential normalized_network() {
  torch::manual_seed(1);
  return torch::nn::Sequential(torch::nn::Linear(2, 12), torch::nn::BatchNorm1d(12), torch::nn::ReLU(),
                               torch::nn::Linear(12, 3));
}

/// Parameters and buffers after so many epochs of one batch each.
std::vector<at::Tensor> trained(const std::vector<rg::AnyRegularizer>& regularizers, int epochs) {
  const auto net = normalized_network();
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  const rg::Phase phase{
      .data = points(32, 4), .optimizer = sgd, .epochs = epochs, .batch = 32, .regularize = regularizers, .seed = 3};
  rg::run(net, {phase}, {});
  return weights(rg::Model(net));
}

}  // namespace

TEST_CASE("penalties: values and gradients are those of PyTorch") {
  const std::optional<std::string> python = python_with_torch();
  if (!python) {
    return;
  }
  torch::manual_seed(2);
  Small net;
  net.to(torch::kDouble);
  const rg::Model model(net);
  Small other;
  other.to(torch::kDouble);
  other.last = other.replace_module("last", torch::nn::Linear(5, 5));  // a head that the start does not have
  const rg::Snapshot start(other);
  torch::nn::Linear map(torch::nn::LinearOptions(4, 4).bias(false));
  torch::nn::Sequential denoiser(map, torch::nn::ELU());
  denoiser->to(torch::kDouble);

  rg::Batch batch{.data = torch::randn({6, 2, 4, 4}, torch::kDouble), .id = torch::arange(6, torch::kLong)};
  batch.data.requires_grad_();
  const rg::Taps taps;
  const at::Tensor output = net.forward(batch.data);
  const rg::Pass pass{.parameters = net.parameters(),
                      .batch = batch,
                      .output = output,
                      .taps = taps.tensors(),
                      .now = {.clock = {.epoch = 2}},
                      .model = &model};

  constexpr double strength = 0.3;
  std::vector<std::function<at::Tensor()>> ours;
  const auto add = [&](const auto& regularizer) { ours.push_back([=, &pass] { return regularizer.penalty(pass); }); };
  add(rg::L1{.strength = strength});
  add(rg::L2{.strength = strength});
  add(rg::ElasticNet{.strength = strength, .l1_share = 0.3});
  add(rg::L2SP{.start = start, .strength = strength, .elsewhere = 0.2});
  add(rg::SpectralNorm{.strength = strength, .iterations = 400});
  add(rg::JacobianNorm{.strength = strength, .projections = 0});
  add(rg::JacobianNorm{.strength = strength, .projections = 2, .seed = 5});
  add(rg::ConfidencePenalty{.strength = strength});
  for (const rg::Slacks slacks : {rg::Slacks::both, rg::Slacks::units, rg::Slacks::points}) {
    for (const rg::Aggregation how :
         {rg::Aggregation::norm, rg::Aggregation::mean, rg::Aggregation::sum, rg::Aggregation::balanced}) {
      add(rg::Jumpstart{.strength = strength, .slacks = slacks, .aggregation = how, .balance = 0.4});
    }
  }
  for (const rg::Potential kind : {rg::Potential::gradient_step, rg::Potential::red, rg::Potential::scalar}) {
    const rg::LearnedPotential potential{.network = denoiser, .potential = kind, .strength = strength};
    add(potential);
    ours.push_back([=, &pass] { return potential.slope(pass.output).square().mean(); });
  }

  std::vector<at::Tensor> exchange;
  for (const at::Tensor& parameter : net.parameters()) {
    exchange.push_back(parameter.detach());
  }
  exchange.push_back(start.tensors()[0].tensor);
  exchange.push_back(start.tensors()[1].tensor);
  exchange.push_back(batch.data.detach());
  exchange.push_back(rg::Key(5, batch.id, pass.now).each_epoch().normal({2, 4}).to(torch::kDouble));
  exchange.push_back(map->weight.detach());
  const Folder folder;
  write_tensors(folder / "in.pt", exchange);
  REQUIRE(run_python(*python, "regularize/penalties.py", {folder / "in.pt", folder / "out.txt"}));

  const std::vector<double> theirs = numbers_in(folder / "out.txt");
  std::size_t next = 0;
  const auto check = [&](const at::Tensor& numbers) {
    const at::Tensor flat = numbers.detach().reshape({-1});
    for (std::int64_t i = 0; i < flat.numel(); ++i) {
      CAPTURE(i);
      REQUIRE(next < theirs.size());
      CHECK(flat[i].item<double>() == Approx(theirs[next++]).epsilon(1e-5).margin(1e-9));
    }
  };
  for (std::size_t k = 0; k < ours.size(); ++k) {
    CAPTURE(k);
    for (at::Tensor& parameter : net.parameters()) {
      parameter.mutable_grad() = at::Tensor();
    }
    const at::Tensor penalty = ours[k]();
    check(penalty);
    penalty.backward({}, /*retain_graph=*/true);
    for (const at::Tensor& parameter : net.parameters()) {
      check(parameter.grad().defined() ? parameter.grad() : torch::zeros_like(parameter));
    }
  }
  CHECK(next == theirs.size());
}

TEST_CASE("penalties: in a run, BatchNorm's running statistics see each batch once, whatever runs the network again") {
  // One step: the statistics after it are those of the first weights, whatever the step does.
  const auto plain = trained({}, 1);
  const auto names = rg::Snapshot(normalized_network());
  for (const rg::AnyRegularizer& regularizer : std::vector<rg::AnyRegularizer>{
           rg::PathNorm{.strength = 1e-3}, rg::JacobianNorm{.strength = 0.1}, rg::JacobianNorm{.projections = 0}}) {
    CAPTURE(regularizer.manifest());
    const auto with = trained({regularizer}, 1);
    int buffers = 0;
    for (std::size_t i = 0; i < with.size(); ++i) {
      CAPTURE(names.tensors()[i].name);
      if (names.tensors()[i].name.find("running") != std::string::npos ||
          names.tensors()[i].name.find("num_batches") != std::string::npos) {
        CHECK(with[i].equal(plain[i]));
        ++buffers;
      }
    }
    CHECK(buffers == 3);
    CHECK_FALSE(with[0].equal(plain[0]));
  }
}

TEST_CASE("penalties: all of them in one phase, each on a schedule, train the same twice and in any order") {
  torch::manual_seed(7);
  const auto sought = normalized_network();
  torch::nn::Linear denoiser(3, 3);
  const rg::Knob falling = rg::Cosine{.epochs = 5} * 1e-3;
  std::vector<rg::AnyRegularizer> all{rg::On{rg::Matrices{}, rg::ElasticNet{.strength = falling}},
                                      rg::L2SP{.start = rg::Snapshot(sought), .strength = falling},
                                      rg::PathNorm{.strength = falling},
                                      rg::SpectralNorm{.strength = falling},
                                      rg::JacobianNorm{.strength = falling},
                                      rg::ConfidencePenalty{.strength = falling},
                                      rg::LearnedPotential{.network = denoiser, .strength = falling}};
  const auto once = trained(all, 4);
  CHECK(same(once, trained(all, 4)));
  CHECK(difference(once, trained({}, 4)) > 1e-5);
  std::reverse(all.begin(), all.end());
  CHECK(difference(once, trained(all, 4)) < 1e-5);
  CHECK_FALSE(denoiser->weight.grad().defined());
}

TEST_CASE("Jumpstart: in a run, a thin deep network that is stuck without it learns") {
  // Riera et al. 2022, two moons, width 4: plain ReLU networks end at the share of the larger class, Jumpstart's learn.
  const rg::Batch data = rg::two_moons(40);
  const auto accuracy = [&](const std::vector<rg::AnyRegularizer>& regularizers) {
    torch::manual_seed(1);
    Deep net(10, 4);
    torch::optim::Adam adam(net.parameters(), torch::optim::AdamOptions(0.01));
    const rg::Phase phase{
        .data = data, .optimizer = adam, .epochs = 150, .batch = 80, .regularize = regularizers, .seed = 3};
    return rg::run(net, {phase}, {.every = 150}).back().fit.accuracy;
  };
  CHECK(accuracy({}) < 0.6);
  CHECK(accuracy({rg::Jumpstart{.strength = 0.1, .aggregation = rg::Aggregation::mean}}) > 0.8);
  CHECK(accuracy({rg::Jumpstart{.strength = 1, .aggregation = rg::Aggregation::balanced}}) > 0.8);
  CHECK_THROWS_AS(trained({rg::Jumpstart{}}, 1), rg::Error);
}

}  // namespace penalties_parity_test
