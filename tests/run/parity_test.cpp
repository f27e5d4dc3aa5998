// The numbers of `run` are those of PyTorch: a Python script trains the same network from the same weights on the same
// batches. Skipped, loudly, where no Python with PyTorch is found; REGIMEN_REQUIRE_PARITY=1 makes that a failure, and
// REGIMEN_PYTHON names the interpreter.

#include "support/training.hpp"

#include "support/python.hpp"

#include <cmath>
#include <cstdlib>
#include <optional>

namespace parity_test {

namespace {

using namespace training;

// As in parity.py, member for member: the names and their order are part of the exchange.
struct BlockImpl : torch::nn::Module {
  torch::nn::Conv2d conv1{nullptr};
  torch::nn::BatchNorm2d norm1{nullptr};
  torch::nn::Conv2d conv2{nullptr};
  torch::nn::BatchNorm2d norm2{nullptr};
  torch::nn::Conv2d shortcut{nullptr};

  BlockImpl(int in, int channels, int stride) {
    using Options = torch::nn::Conv2dOptions;
    conv1 = register_module("conv1", torch::nn::Conv2d(Options(in, channels, 3).stride(stride).padding(1).bias(false)));
    norm1 = register_module("norm1", torch::nn::BatchNorm2d(channels));
    conv2 = register_module("conv2", torch::nn::Conv2d(Options(channels, channels, 3).padding(1).bias(false)));
    norm2 = register_module("norm2", torch::nn::BatchNorm2d(channels));
    shortcut = register_module("shortcut", torch::nn::Conv2d(Options(in, channels, 1).stride(stride).bias(false)));
  }

  torch::Tensor forward(const torch::Tensor& x) {
    const auto out = torch::relu(norm1->forward(conv1->forward(x)));
    return torch::relu(norm2->forward(conv2->forward(out)) + shortcut->forward(x));
  }
};
TORCH_MODULE(Block);

struct ResNet : torch::nn::Module {
  torch::nn::Conv2d stem{nullptr};
  torch::nn::BatchNorm2d norm{nullptr};
  Block block1{nullptr};
  Block block2{nullptr};
  torch::nn::Linear head{nullptr};

  ResNet() {
    stem = register_module("stem", torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 8, 3).padding(1).bias(false)));
    norm = register_module("norm", torch::nn::BatchNorm2d(8));
    block1 = register_module("block1", Block(8, 8, 1));
    block2 = register_module("block2", Block(8, 16, 2));
    head = register_module("head", torch::nn::Linear(16, 4));
  }

  torch::Tensor forward(const torch::Tensor& x) {
    const auto out = torch::relu(norm->forward(stem->forward(x)));
    return head->forward(block2->forward(block1->forward(out)).mean({2, 3}));
  }
};

}  // namespace

TEST_CASE("twenty steps of a small ResNet have PyTorch's losses and end in PyTorch's weights") {
  const std::optional<std::string> python = python_with_torch();
  if (!python) {
    return;
  }
  constexpr double rate = 0.05;
  constexpr double momentum = 0.9;
  constexpr double decay = 5e-4;
  constexpr int epochs = 4;
  constexpr int steps_an_epoch = 5;  // four batches of 16 and one of 8
  const bool cosine = GENERATE(true, false);
  CAPTURE(cosine, *python);

  torch::manual_seed(1);
  const rg::Batch images{.data = torch::randn({72, 1, 8, 8}), .target = torch::randint(4, {72}, torch::kLong)};
  ResNet net;
  torch::optim::SGD sgd(net.parameters(), torch::optim::SGDOptions(rate).momentum(momentum).weight_decay(decay));
  std::vector<at::Tensor> exchange{
      torch::tensor({rate, momentum, decay, cosine ? 1.0 : 0.0, 1.0 * epochs * steps_an_epoch, 1.0 * steps_an_epoch},
                    torch::kDouble)};
  for (const at::Tensor& tensor : weights(rg::Model(net))) {
    exchange.push_back(tensor);
  }
  rg::Phase phase{.data = images, .optimizer = sgd, .epochs = epochs, .batch = 16, .seed = 6};
  if (cosine) {
    phase.lr_scale = rg::Cosine{.epochs = epochs};
  } else {
    phase.lr_scale = rg::StepDecay{.at = {2, 3}, .factor = 0.1};
  }
  std::vector<double> losses;
  rg::run(net, {phase}, {}, [&](const rg::Step& step) {
    losses.push_back(step.loss.item<double>());
    exchange.push_back(step.pass.batch.data.clone());
    exchange.push_back(step.pass.batch.target.clone());
  });
  REQUIRE(losses.size() == epochs * steps_an_epoch);

  const Folder folder;
  write_tensors(folder / "in.pt", exchange);
  REQUIRE(run_python(*python, "run/parity.py", {folder / "in.pt", folder / "losses", folder / "norms"}));

  const std::vector<double> expected = numbers_in(folder / "losses");
  REQUIRE(expected.size() == losses.size());
  for (std::size_t i = 0; i < losses.size(); ++i) {
    CAPTURE(i);
    CHECK(losses[i] == Approx(expected[i]).epsilon(1e-5));
  }
  CHECK(std::abs(losses.back() - losses.front()) > 1e-3);  // it does train
  const std::vector<double> norms = numbers_in(folder / "norms");
  const auto trained = weights(rg::Model(net));
  REQUIRE(norms.size() == 2 * trained.size());
  for (std::size_t i = 0; i < trained.size(); ++i) {
    CAPTURE(i);
    const at::Tensor tensor = trained[i].to(torch::kDouble);
    CHECK(tensor.sum().item<double>() == Approx(norms[2 * i]).epsilon(1e-4).margin(1e-4));
    CHECK(tensor.norm().item<double>() == Approx(norms[2 * i + 1]).epsilon(1e-4).margin(1e-4));
  }
}

}  // namespace parity_test
