// An ensemble of networks in one module on another device than the CPU, step by step and recorded.

#include "device/gpu.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include <regimen/networks/stacked_linear.hpp>
#include <regimen/regimen.hpp>

#include "support/training.hpp"

namespace {

namespace rg = regimen;

constexpr int members = 3;

struct Ensemble : torch::nn::Module {
  Ensemble() {
    torch::manual_seed(5);
    first = register_module("first", layer(2, 6));
    second = register_module("second", layer(6, 6));
    last = register_module("last", layer(6, 3));
  }
  static rg::networks::StackedLinear layer(int inputs, int outputs) {
    return rg::networks::StackedLinear(
        rg::networks::StackedLinearOptions{.members = members, .inputs = inputs, .outputs = outputs});
  }
  torch::Tensor forward(const torch::Tensor& x) {
    return last(torch::relu(rg::tap(second(torch::relu(rg::tap(first(x)))))));
  }
  rg::networks::StackedLinear first{nullptr}, second{nullptr}, last{nullptr};
};

struct End {
  std::vector<at::Tensor> weights;
  double accuracy = 0;
  std::vector<std::string> notices;
};

End train(const at::Device& device, bool recorded) {
  Ensemble net;
  net.to(device);
  torch::optim::SGD sgd(net.parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  const rg::Batch data = training::points(40, 5);
  const rg::Phase phase{
      .data = to(data, device),
      .optimizer = sgd,
      .epochs = 4,
      .batch = 8,
      .loss = rg::OverMembers{},
      .regularize = {rg::Jumpstart{
          .strength = rg::Cosine{.epochs = 4}, .aggregation = rg::Aggregation::balanced, .members = members}},
      .execute = {.device = device.str(), .fused = true, .graph = recorded},
      .seed = 2};
  End end;
  const auto listen = [&](const rg::Notice& notice) { end.notices.push_back(notice.text); };
  end.accuracy = rg::run(net, {phase}, {.test = to(data, device)}, listen).back().test.accuracy;
  for (const at::Tensor& tensor : training::weights(net)) {
    end.weights.push_back(tensor.cpu());
  }
  return end;
}

}  // namespace

TEST_CASE("device: an ensemble with Jumpstart ends where it ends on the CPU, recorded too") {
  const End here = train(at::kCPU, false);
  for (const bool recorded : {false, true}) {
    CAPTURE(recorded);
    const End there = train(gpu::device(), recorded);
    CHECK(there.notices.empty());
    CHECK(training::difference(there.weights, here.weights) < 1e-4);
    CHECK(there.accuracy == Approx(here.accuracy).epsilon(1e-6));
  }
}
