#include "support/tensors.hpp"

#include <stdexcept>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>

namespace execute_test {

namespace {

using regimen::Batch;
using regimen::Execution;
using regimen::Key;
using regimen::MemoryFormat;
using regimen::Model;
using regimen::Precision;

const Execution bf16{.precision = Precision::bf16};
const Execution channels_last{.memory_format = MemoryFormat::channels_last};

torch::nn::Sequential convolutional() {
  torch::manual_seed(5);
  torch::nn::Sequential net(torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 8, 3).padding(1)), torch::nn::BatchNorm2d(8),
                            torch::nn::ReLU(), torch::nn::Conv2d(8, 8, 3), torch::nn::ReLU(), torch::nn::Flatten(),
                            torch::nn::Linear(8 * 6 * 6, 10));
  net->eval();
  return net;
}

Batch images(std::int64_t n) {
  const at::Tensor id = at::arange(n, at::kLong);
  return {Key(1, id).normal({3, 8, 8}), Key(2, id).below(10), id, {}, {}};
}

/// Whether autocast is on for the CPU, as a product sees it.
bool autocast_is_on() {
  return at::mm(at::ones({2, 2}), at::ones({2, 2})).scalar_type() == at::kBFloat16;
}

/// The type that autocast computes in on a GPU: half precision, unless somebody says otherwise. Known without one too.
at::ScalarType type_on_gpu() {
#if REGIMEN_AUTOCAST_BY_DEVICE
  return at::autocast::get_autocast_dtype(at::kCUDA);
#else
  return at::autocast::get_autocast_gpu_dtype();
#endif
}

int autocast_nesting() {
  const int nesting = at::autocast::increment_nesting();
  at::autocast::decrement_nesting();
  return nesting - 1;
}

}  // namespace

TEST_CASE("execute: the default is the model's own forward pass, and lays nothing out") {
  torch::nn::Sequential net = convolutional();
  const Batch batch = images(4);
  const void* const memory = net->parameters()[0].data_ptr();
  Execution{}.prepare(net);
  CHECK(net->parameters()[0].data_ptr() == memory);
  CHECK(Execution{}.forward(net, batch).equal(net->forward(batch.data)));
}

TEST_CASE("execute: bf16 gives float outputs near those of fp32, and float gradients") {
  torch::nn::Sequential net = convolutional();
  const Batch batch = images(16);
  const at::Tensor expected = net->forward(batch.data);
  const at::Tensor output = bf16.forward(net, batch);
  CHECK(output.scalar_type() == at::kFloat);
  const double scale = expected.abs().max().item<double>();
  CHECK(furthest(output, expected) < 0.03 * scale);  // bfloat16 keeps 8 bits
  CHECK(furthest(output, expected) > 1e-6 * scale);  // and it did compute in it

  output.square().mean().backward();
  const at::Tensor gradient = net->parameters()[0].grad().clone();
  CHECK(gradient.scalar_type() == at::kFloat);
  net->zero_grad();
  expected.square().mean().backward();
  const at::Tensor exact = net->parameters()[0].grad();
  CHECK((gradient - exact).norm().item<double>() < 0.1 * exact.norm().item<double>());
  for (const at::Tensor& parameter : net->parameters()) {
    CHECK(parameter.scalar_type() == at::kFloat);
  }
}

TEST_CASE("execute: channels_last computes the same to 1e-5, and leaves the parameters' values as they were") {
  torch::nn::Sequential net = convolutional();
  const Batch batch = images(4);
  const at::Tensor expected = net->forward(batch.data);
  std::vector<at::Tensor> before;
  for (const at::Tensor& parameter : net->parameters()) {
    before.push_back(parameter.detach().clone());
  }
  const std::vector<at::Tensor> parameters = net->parameters();

  channels_last.prepare(net);
  for (std::size_t i = 0; i < before.size(); ++i) {
    CAPTURE(i);
    CHECK(net->parameters()[i].is_same(parameters[i]));  // those that an optimizer holds
    CHECK(parameters[i].equal(before[i]));
    CHECK(parameters[i].requires_grad());
    CHECK(parameters[i].is_leaf());
    if (parameters[i].dim() == 4) {
      CHECK(parameters[i].is_contiguous(at::MemoryFormat::ChannelsLast));
    } else {
      CHECK(parameters[i].is_contiguous());
    }
  }
  const at::Tensor output = channels_last.forward(net, batch);
  CHECK(furthest(output, expected) < 1e-5);
  CHECK(batch.data.is_contiguous());  // the batch that was given stays
  output.sum().backward();
  CHECK(parameters[0].grad().defined());

  const Execution both{.precision = Precision::bf16, .memory_format = MemoryFormat::channels_last};
  CHECK(furthest(both.forward(net, batch), expected) < 0.03 * expected.abs().max().item<double>());
}

TEST_CASE("execute: channels_last hands on data that are not images as they are") {
  torch::nn::Sequential net(torch::nn::Linear(4, 2), torch::nn::ReLU());
  const Batch batch{.data = at::arange(12, at::kFloat).view({3, 4})};
  channels_last.prepare(net);
  CHECK(channels_last.forward(net, batch).equal(net->forward(batch.data)));
}

TEST_CASE("execute: autocast is off again after a pass, after a nested one and after an exception") {
  torch::nn::Sequential net = convolutional();
  const Batch batch = images(2);
  REQUIRE_FALSE(autocast_is_on());
  REQUIRE(autocast_nesting() == 0);

  (void)bf16.forward(net, batch);
  CHECK_FALSE(autocast_is_on());
  CHECK(autocast_nesting() == 0);

  bool inside = false;
  bool after_inner = false;
  const Model nested(net, [&](torch::nn::Sequential& n, const Batch& b) {
    inside = autocast_is_on();
    const at::Tensor output = bf16.forward(n, b);
    after_inner = autocast_is_on();
    return output;
  });
  (void)bf16.forward(nested, batch);
  CHECK(inside);
  CHECK(after_inner);
  CHECK_FALSE(autocast_is_on());
  CHECK(autocast_nesting() == 0);

  const Model fails(net, [](torch::nn::Sequential&, const Batch&) -> at::Tensor { throw std::runtime_error("stop"); });
  CHECK_THROWS_AS((void)bf16.forward(fails, batch), std::runtime_error);
  CHECK_FALSE(autocast_is_on());
  CHECK(autocast_nesting() == 0);
}

TEST_CASE("execute: autocast that was on before stays on, and keeps its type") {
  torch::nn::Sequential net = convolutional();
  const Batch batch = images(2);
  {
    const regimen::detail::Autocast on(at::kCPU, true);
    CHECK(autocast_is_on());
    {
      const regimen::detail::Autocast off(at::kCPU, false);
      CHECK_FALSE(autocast_is_on());
    }
    CHECK(autocast_is_on());
    (void)bf16.forward(net, batch);
    CHECK(autocast_is_on());
    CHECK(autocast_nesting() == 1);
  }
  CHECK_FALSE(autocast_is_on());
  REQUIRE(type_on_gpu() == at::kHalf);
  {
    const regimen::detail::Autocast on(at::kCUDA, true);
    CHECK(type_on_gpu() == at::kBFloat16);
  }
  CHECK(type_on_gpu() == at::kHalf);
}

TEST_CASE("execute: weights that changed between two passes in bf16 are seen by the second") {
  // Autocast remembers the cast weights of a pass; a step in between makes them stale.
  torch::nn::Sequential net(torch::nn::Linear(4, 4));
  const Batch batch{.data = at::ones({2, 4})};
  const at::Tensor before = bf16.forward(net, batch);
  {
    const at::NoGradGuard no_grad;
    net->parameters()[0].add_(1);
  }
  CHECK(furthest(bf16.forward(net, batch), before + 4) < 0.1);
}

TEST_CASE("execute: a pass without gradients leaves the next one its gradients") {
  torch::nn::Sequential net = convolutional();
  const Batch batch = images(4);
  const regimen::Score score = regimen::evaluate(net, batch, {.execute = bf16});
  CHECK(score.loss == Approx(regimen::evaluate(net, batch).loss).epsilon(0.05));
  bf16.forward(net, batch).sum().backward();
  for (const at::Tensor& parameter : net->parameters()) {
    CHECK(parameter.grad().defined());
  }
}

TEST_CASE("execute: fp16 computes in half precision where the processor's autocast can, and says so where not") {
  torch::nn::Sequential net = convolutional();
  const Batch batch = images(4);
  const Execution fp16{.precision = Precision::fp16};
  if (!regimen::detail::autocast_by_device) {
    check_error([&] { fp16.check(net); }, {"Execution.precision", "LibTorch 2.4", "fp16"});
    return;
  }
  fp16.check(net);
  const at::Tensor expected = net->forward(batch.data);
  const at::Tensor output = fp16.forward(net, batch);
  CHECK(output.scalar_type() == at::kFloat);
  const double scale = expected.abs().max().item<double>();
  CHECK(furthest(output, expected) < 0.005 * scale);  // a half keeps 11 bits
  CHECK(furthest(output, expected) > 1e-7 * scale);
}

TEST_CASE("execute: TF32 and autotuning are switched on while they are held, and put back") {
  at::Context& context = at::globalContext();
  const bool products = context.allowTF32CuBLAS();
  const bool convolutions = context.allowTF32CuDNN();
  const bool autotune = context.benchmarkCuDNN();
  context.setAllowTF32CuDNN(false);
  {
    const auto none = Execution{}.switches();
    CHECK(context.allowTF32CuBLAS() == products);
    CHECK_FALSE(context.allowTF32CuDNN());
    CHECK(context.benchmarkCuDNN() == autotune);
  }
  {
    const auto both = Execution{.precision = Precision::tf32, .autotune = true}.switches();
    CHECK(context.allowTF32CuBLAS());
    CHECK(context.allowTF32CuDNN());
    CHECK(context.benchmarkCuDNN());
  }
  CHECK(context.allowTF32CuBLAS() == products);
  CHECK_FALSE(context.allowTF32CuDNN());
  CHECK(context.benchmarkCuDNN() == autotune);
  context.setAllowTF32CuDNN(convolutions);
}

TEST_CASE("execute: on a CPU TF32 is the model's own forward pass") {
  torch::nn::Sequential net = convolutional();
  const Batch batch = images(4);
  CHECK(Execution{.precision = Precision::tf32}.forward(net, batch).equal(net->forward(batch.data)));
}

TEST_CASE("execute: a device that is none, or is not there, is an error that names it") {
  torch::nn::Sequential net = convolutional();
  CHECK(Execution{}.device_for(net) == at::Device(at::kCPU));
  CHECK(Execution{.device = "cpu"}.device_for(net) == at::Device(at::kCPU));
  CHECK(Execution{.device = "cuda:1"}.device_for(net) == at::Device(at::kCUDA, 1));
  check_error([&] { Execution{.device = "gpu"}.check(net); }, {"Execution.device", "\"gpu\""});
  if (!at::globalContext().hasCUDA()) {
    check_error([&] { Execution{.device = "cuda"}.prepare(net); }, {"Execution.device", "no GPU", "\"cuda\""});
  }
}

TEST_CASE("execute: on a GPU, a model is moved with its buffers, and the optimizer's tensors go with it") {
  if (!at::globalContext().hasCUDA()) {
    return;
  }
  torch::nn::Sequential net = convolutional();
  const Batch batch = images(4);
  const at::Tensor expected = net->forward(batch.data);
  const std::vector<at::Tensor> held = net->parameters();
  Execution{.device = "cuda"}.prepare(net);
  for (const at::Tensor& parameter : held) {
    CHECK(parameter.is_cuda());
    CHECK(parameter.requires_grad());
  }
  for (const at::Tensor& buffer : net->buffers()) {
    CHECK(buffer.is_cuda());
  }
  CHECK(net->parameters()[0].is_same(held[0]));
  CHECK(furthest(net->forward(batch.data.cuda()).cpu(), expected) < 1e-4);
}

TEST_CASE("execute: its manifest names precision and memory format") {
  const std::string text = regimen::manifest(Execution{Precision::bf16, MemoryFormat::channels_last});
  CHECK(text.find("\"bf16\"") != std::string::npos);
  CHECK(text.find("\"channels_last\"") != std::string::npos);
  CHECK(regimen::name_of(Precision::fp32) == "fp32");
  CHECK(regimen::name_of(Precision::tf32) == "tf32");
  CHECK(regimen::name_of(Precision::fp16) == "fp16");
  CHECK(regimen::name_of(MemoryFormat::contiguous) == "contiguous");
}

}  // namespace execute_test
