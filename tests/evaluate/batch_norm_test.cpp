// BatchNorm's running statistics, estimated anew for the weights as they are.

#include "support/training.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace batch_norm_test {

using namespace training;

TEST_CASE("reestimate_batch_norm: gives the means of the batches' statistics, whatever the layers' momentum") {
  using torch::nn::BatchNorm1dOptions;
  const rg::Batch data = points(36, 9);
  for (const double momentum : {0.1, 0.01, 0.5, 1.0 / 3, 1.0, -1.0}) {
    CAPTURE(momentum);
    auto options = BatchNorm1dOptions(2);
    options.momentum(momentum < 0 ? torch::optional<double>() : torch::optional<double>(momentum));
    torch::nn::Sequential net{torch::nn::BatchNorm1d(options), torch::nn::Dropout(0.4), torch::nn::Linear(2, 3)};
    torch::nn::BatchNorm1d unused(2);
    net->register_module("unused", unused);
    unused->running_mean.fill_(7);
    net->eval();
    torch::manual_seed(1);
    const at::Tensor generator = generator_state();
    rg::reestimate_batch_norm(net, data, {.batch = 12, .shuffle = false});
    CHECK(torch::equal(generator_state(), generator));
    CHECK_FALSE(net->is_training());

    const at::Tensor batches = data.data.view({3, 12, 2});
    const auto buffers = net->named_buffers();
    CHECK(torch::allclose(buffers["0.running_mean"], batches.mean(1).mean(0), 1e-5, 1e-6));
    CHECK(torch::allclose(buffers["0.running_var"], batches.var(1).mean(0), 1e-5, 1e-6));
    CHECK(buffers["0.num_batches_tracked"].item<int>() == 3);
    CHECK(buffers["unused.running_mean"][0].item<double>() == 7);
    CHECK(buffers["unused.num_batches_tracked"].item<int>() == 0);
  }
}

TEST_CASE("reestimate_batch_norm: a smaller last batch counts as much as the others, or is left out") {
  const rg::Batch data = points(36, 9);
  torch::nn::Sequential net(torch::nn::BatchNorm1d(2), torch::nn::Linear(2, 3));
  const auto statistics = [&](bool drop_last) {
    rg::reestimate_batch_norm(net, data, {.batch = 16, .shuffle = false, .drop_last = drop_last});
    return net->named_buffers();
  };
  const auto mean = [&](std::int64_t begin, std::int64_t n) { return data.data.narrow(0, begin, n).mean(0); };
  const auto variance = [&](std::int64_t begin, std::int64_t n) { return data.data.narrow(0, begin, n).var(0); };
  const auto all = statistics(false);
  CHECK(torch::allclose(all["0.running_mean"], (mean(0, 16) + mean(16, 16) + mean(32, 4)) / 3, 1e-5, 1e-6));
  CHECK(torch::allclose(all["0.running_var"], (variance(0, 16) + variance(16, 16) + variance(32, 4)) / 3, 1e-5, 1e-6));
  CHECK(all["0.num_batches_tracked"].item<int>() == 3);
  const auto whole = statistics(true);
  CHECK(torch::allclose(whole["0.running_mean"], (mean(0, 16) + mean(16, 16)) / 2, 1e-5, 1e-6));
  CHECK(torch::allclose(whole["0.running_var"], (variance(0, 16) + variance(16, 16)) / 2, 1e-5, 1e-6));
  CHECK(whole["0.num_batches_tracked"].item<int>() == 2);
}

TEST_CASE("reestimate_batch_norm: large statistics are no trouble, and what fails leaves everything as it was") {
  rg::Batch data = points(32, 9);
  data.data = data.data * 300 + 4000;
  torch::nn::Sequential net(torch::nn::BatchNorm1d(2), torch::nn::Linear(2, 3));
  rg::reestimate_batch_norm(net, data, {.batch = 16, .shuffle = false});
  const auto buffers = net->named_buffers();
  CHECK(torch::allclose(buffers["0.running_mean"], data.data.mean(0), 1e-5, 0));
  CHECK(torch::allclose(buffers["0.running_var"], data.data.view({2, 16, 2}).var(1).mean(0), 1e-4, 0));

  const auto before = weights(net);
  int calls = 0;
  const rg::Model fails(net, [&](torch::nn::Sequential& n, const rg::Batch& batch) {
    if (++calls == 3) {
      throw std::runtime_error("no output");
    }
    return n->forward(batch.data * 2);
  });
  CHECK_THROWS_AS(rg::reestimate_batch_norm(fails, data, {.batch = 16}), std::runtime_error);
  CHECK(same(weights(net), before));

  CHECK(error_of([&] { rg::reestimate_batch_norm(net, data, {.batch = 0}); }) ==
        "Reestimation.batch must be at least 1, but is 0");
  CHECK(error_of([&] { rg::reestimate_batch_norm(net, data, {.batch = 33, .drop_last = true}); }) ==
        "Reestimation.batch must be at most source.size() = 32 with drop_last, but is 33");
  CHECK(same(weights(net), before));

  auto without = plain_network();
  CHECK_NOTHROW(rg::reestimate_batch_norm(without, data));
  CHECK(contains(error_of([&] { rg::reestimate_batch_norm(net, {}); }), "source that ends"));
}

namespace {

/// A BatchNorm that a pass calls as often as the batch's first id says: not at all, once or twice.
struct AsOftenAs : torch::nn::Module {
  explicit AsOftenAs(std::vector<int> of_batch) : calls(std::move(of_batch)) {
    norm = register_module("norm", torch::nn::BatchNorm1d(2));
    last = register_module("last", torch::nn::Linear(2, 3));
  }
  torch::Tensor forward(torch::Tensor x) {
    const int times = calls[static_cast<std::size_t>(x.select(1, 2)[0].item<double>())];
    x = x.narrow(1, 0, 2);
    for (int call = 0; call < times; ++call) {
      x = norm(x + call) * 3 + 1;
    }
    return last(x);
  }

  std::vector<int> calls;
  torch::nn::BatchNorm1d norm{nullptr};
  torch::nn::Linear last{nullptr};
};

/// Ten samples a batch; the third column is the batch's number.
rg::Batch numbered_batches(std::int64_t count) {
  rg::Batch data = points(10 * count, 9);
  const at::Tensor number = torch::arange(count, torch::kFloat).repeat_interleave(10).unsqueeze(1);
  data.data = torch::cat({data.data * torch::linspace(1, 4, 10 * count).unsqueeze(1), number}, 1);
  return data;
}

}  // namespace

TEST_CASE("reestimate_batch_norm: a layer's mean is over its calls, where it is skipped, used twice, or both") {
  for (const std::vector<int>& calls :
       {std::vector<int>{1, 0, 1, 0}, {0, 1, 1, 1}, {2, 2, 2, 2}, {0, 2, 1, 0}, {0, 0, 0, 3}}) {
    CAPTURE(calls);
    AsOftenAs net(calls);
    const auto count = static_cast<std::int64_t>(calls.size());
    const rg::Batch data = numbered_batches(count);
    // By hand: each call normalizes what it is given, as LibTorch's does with fresh gains.
    at::Tensor mean = torch::zeros({2}, torch::kDouble);
    at::Tensor variance = torch::zeros({2}, torch::kDouble);
    int all = 0;
    for (std::int64_t b = 0; b < count; ++b) {
      at::Tensor x = data.data.narrow(0, 10 * b, 10).narrow(1, 0, 2).to(torch::kDouble);
      for (int call = 0; call < calls[static_cast<std::size_t>(b)]; ++call, ++all) {
        x = x + call;
        mean += x.mean(0);
        variance += x.var(0);
        x = (x - x.mean(0)) / (x.var(0, false) + 1e-5).sqrt() * 3 + 1;
      }
    }
    rg::reestimate_batch_norm(rg::Model(&net), data, {.batch = 10, .shuffle = false});
    CHECK(torch::allclose(net.norm->running_mean.to(torch::kDouble), mean / all, 1e-5, 1e-6));
    CHECK(torch::allclose(net.norm->running_var.to(torch::kDouble), variance / all, 1e-5, 1e-6));
    CHECK(net.norm->num_batches_tracked.item<int>() == all);
  }
}

TEST_CASE("reestimate_batch_norm: a layer without momentum, one that no batch calls, and parts in eval mode") {
  AsOftenAs net({2, 1});
  net.norm->options.momentum() = torch::nullopt;
  const rg::Batch data = numbered_batches(2);
  const at::Tensor first = data.data.narrow(0, 0, 10).narrow(1, 0, 2);
  const at::Tensor again = (first - first.mean(0)) / (first.var(0, false) + 1e-5).sqrt() * 3 + 1 + 1;
  const at::Tensor second = data.data.narrow(0, 10, 10).narrow(1, 0, 2);
  rg::reestimate_batch_norm(rg::Model(&net), data, {.batch = 10, .shuffle = false});
  CHECK(torch::allclose(net.norm->running_mean, (first.mean(0) + again.mean(0) + second.mean(0)) / 3, 1e-4, 1e-5));
  CHECK(torch::allclose(net.norm->running_var, (first.var(0) + again.var(0) + second.var(0)) / 3, 1e-4, 1e-5));

  AsOftenAs idle({0, 0});
  idle.norm->running_mean.fill_(5);
  rg::reestimate_batch_norm(rg::Model(&idle), data, {.batch = 10, .shuffle = false});
  CHECK(idle.norm->running_mean[0].item<double>() == 5);
  AsOftenAs kept({1, 1});
  kept.norm->running_mean.fill_(5);
  rg::reestimate_batch_norm(rg::Model(&kept), data, {.batch = 10, .shuffle = false, .eval = {"norm"}});
  CHECK(kept.norm->running_mean[0].item<double>() == 5);
}

namespace {

/// BatchNorm a, a linear layer, BatchNorm b. With `frozen`, its own train() leaves a in eval mode.
struct Behind : torch::nn::Module {
  explicit Behind(bool frozen) : is_frozen(frozen) {
    torch::manual_seed(5);
    a = register_module("a", torch::nn::BatchNorm1d(2));
    linear = register_module("linear", torch::nn::Linear(2, 3));
    b = register_module("b", torch::nn::BatchNorm1d(3));
    const torch::NoGradGuard no_grad;
    a->running_mean.fill_(5);
    a->running_var.fill_(4);
  }
  void train(bool on = true) override {
    torch::nn::Module::train(on);
    if (is_frozen) {
      a->train(false);
    }
  }
  torch::Tensor forward(const torch::Tensor& x) { return b(linear(a(x))); }

  bool is_frozen;
  torch::nn::BatchNorm1d a{nullptr};
  torch::nn::Linear linear{nullptr};
  torch::nn::BatchNorm1d b{nullptr};
};

}  // namespace

TEST_CASE("reestimate_batch_norm: layers behind one in eval mode see what it gives by its own statistics") {
  const rg::Batch data = points(36, 9);
  for (const bool frozen : {true, false}) {
    CAPTURE(frozen);
    Behind net(frozen);
    const std::vector<std::string> eval = frozen ? std::vector<std::string>() : std::vector<std::string>{"a"};
    // By hand: a gives (x - 5) / sqrt(4 + 1e-5), and b's statistics are of the linear layer's outputs for that.
    const torch::NoGradGuard no_grad;
    const at::Tensor y = net.linear((data.data - 5) / std::sqrt(4 + 1e-5)).view({3, 12, 3});
    rg::reestimate_batch_norm(rg::Model(&net), data, {.batch = 12, .shuffle = false, .eval = eval});
    CHECK(torch::allclose(net.b->running_mean, y.mean(1).mean(0), 1e-5, 1e-6));
    CHECK(torch::allclose(net.b->running_var, y.var(1).mean(0), 1e-5, 1e-6));
    CHECK(net.b->num_batches_tracked.item<int>() == 3);
    CHECK(torch::equal(net.a->running_mean, torch::full({2}, 5.0F)));
    CHECK(torch::equal(net.a->running_var, torch::full({2}, 4.0F)));
    CHECK(net.a->num_batches_tracked.item<int>() == 0);
  }
  // Statistics that are NaN already are no sign that a layer writes them.
  Behind broken(false);
  broken.a->running_mean.fill_(std::nan(""));
  rg::reestimate_batch_norm(rg::Model(&broken), data, {.batch = 12, .eval = {"a"}});
  CHECK(broken.a->running_mean.isnan().all().item<bool>());
  CHECK(torch::equal(broken.a->running_var, torch::full({2}, 4.0F)));
  // Nor are statistics that a batch leaves as they were a sign that it does not: estimated twice, they stay.
  Behind twice(false);
  for (int i = 0; i < 2; ++i) {
    rg::reestimate_batch_norm(rg::Model(&twice), data, {.batch = 36, .shuffle = false});
    CHECK(torch::allclose(twice.a->running_mean, data.data.mean(0), 1e-5, 1e-6));
    CHECK(twice.a->num_batches_tracked.item<int>() == 1);
  }
}

TEST_CASE("reestimate_batch_norm: as a phase trains, by its preprocessing, batch, precision and parts in eval mode") {
  torch::manual_seed(2);
  const rg::Batch bytes{.data = torch::randint(0, 256, {10, 2, 3, 3}, torch::kByte),
                        .target = torch::zeros({10}, torch::kLong)};
  torch::nn::Sequential net(torch::nn::BatchNorm2d(2), torch::nn::BatchNorm2d(2));
  torch::optim::SGD sgd(net->parameters(), 0.1);
  const rg::Phase phase{.data = bytes,
                        .optimizer = sgd,
                        .epochs = 1,
                        .batch = 5,
                        .preprocess = {rg::Normalize{.mean = {0.5}, .stddev = {0.25}}},
                        .eval = {"1"}};
  net[1]->as<torch::nn::BatchNorm2d>()->running_mean.fill_(7);
  rg::reestimate_batch_norm(net, bytes, phase);
  const at::Tensor x = ((bytes.data.to(torch::kDouble) / 255 - 0.5) / 0.25);
  const auto buffers = net->named_buffers();
  // The mean of the means of two halves is that of all, whatever the order.
  CHECK(torch::allclose(buffers["0.running_mean"].to(torch::kDouble), x.mean(c10::IntArrayRef{0, 2, 3}), 1e-5, 1e-6));
  CHECK(buffers["0.num_batches_tracked"].item<int>() == 2);
  CHECK(torch::equal(buffers["1.running_mean"], torch::full({2}, 7.0F)));
  const rg::Reestimation how = rg::reestimation_of(phase);
  CHECK(how.batch == 5);
  CHECK(how.preprocess.size() == 1);
  CHECK(how.eval == phase.eval);
  CHECK(how.execute == phase.execute);
  rg::Phase other = phase;
  other.execute.precision = rg::Precision::bf16;
  other.drop_last = true;
  CHECK(rg::reestimation_of(other).execute.precision == rg::Precision::bf16);
  CHECK(rg::reestimation_of(other).drop_last);
}

TEST_CASE("reestimate_batch_norm: a layer of one's own is known by its buffers, if it updates them once a pass") {
  struct ByHand : torch::nn::Module {
    explicit ByHand(int times) : updates(times) {
      mean = register_buffer("running_mean", torch::zeros({2}));
      count = register_buffer("num_batches_tracked", torch::zeros({}, torch::kLong));
      weight = register_parameter("weight", torch::ones({2}));
    }
    torch::Tensor forward(const torch::Tensor& x) {
      for (int i = 0; i < updates && is_training(); ++i) {
        mean.mul_(0.75).add_(x.mean(0).detach() * 0.25);
        count += 1;
      }
      return x * weight;
    }
    int updates;
    torch::Tensor mean, count, weight;
  };
  const rg::Batch data = points(30, 9);
  ByHand once(1);
  rg::reestimate_batch_norm(rg::Model(&once), data, {.batch = 10, .shuffle = false});
  CHECK(torch::allclose(once.mean, data.data.mean(0), 1e-5, 1e-6));
  CHECK(once.count.item<int>() == 3);
  ByHand twice(2);
  twice.mean.fill_(5);
  CHECK(contains(error_of([&] { rg::reestimate_batch_norm(rg::Model(&twice), data, {.batch = 10}); }),
                 "2 times in one pass"));
  CHECK(twice.mean[0].item<double>() == 5);
}

}  // namespace batch_norm_test
