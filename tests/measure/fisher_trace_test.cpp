// The trace of the Fisher information against loops over samples and classes.
#include "support/gradients.hpp"
#include "support/tensors.hpp"

#include <cmath>
#include <memory>
#include <vector>

#include <regimen/regimen.hpp>

namespace fisher_trace_test {

namespace {

namespace rg = regimen;
using rg::FisherLabels;

/// The mean over samples of sum_y p_y ||grad log p_y||^2, logits over a temperature, by a loop.
template <class M>
double true_trace(M& net, const rg::Batch& data, double temperature = 1) {
  double sum = 0;
  for (std::int64_t c = 0; c < 3; ++c) {
    std::vector<double> p;
    const at::Tensor gradients = each_gradient(net, data, [&](const at::Tensor& z, std::int64_t) {
      p.push_back((z.detach() / temperature).softmax(1)[0][c].template item<double>());
      return (z / temperature).log_softmax(1)[0][c];
    });
    sum += gradients.square().sum(1).dot(torch::tensor(p, torch::kDouble)).template item<double>();
  }
  return sum / static_cast<double>(data.size());
}

}  // namespace

TEST_CASE("Fisher trace: softmax regression at 0 has 5/3, with every kind of labels") {
  const auto net = linear_at_zero(2, 3);
  for (const FisherLabels labels : {FisherLabels::every, FisherLabels::drawn, FisherLabels::data}) {
    const rg::FisherTrace measure{.data = two_samples(), .labels = labels, .draws = fixed_draws(400)};
    const rg::MonteCarloEstimate trace = measure.estimate(net);
    CAPTURE(static_cast<int>(labels), trace.value, trace.half_width);
    CHECK(trace.value == Approx(5.0 / 3).epsilon(0.1));
    CHECK(holds(trace, 5.0 / 3));
    CHECK(trace.passes == 400);
  }
}

TEST_CASE("Fisher trace: all sign vectors of four gradients average 8") {
  const auto net = linear_at_zero(2, 1);
  const rg::Batch data{.data = torch::tensor({{1.0, 0.0}, {0.0, 1.0}, {1.0, 1.0}, {2.0, 0.0}}, torch::kDouble),
                       .target = torch::zeros({4}, torch::kLong)};
  const rg::LossSurface surface(net, data, {.loss = OutputItself{}});
  double sum = 0;
  for (int word = 0; word < 16; ++word) {
    sum += surface
               .weighted_gradient([&](const rg::Batch& batch) {
                 return 1 - 2 * (torch::full({batch.size()}, word, torch::kLong).bitwise_right_shift(batch.id) % 2);
               })
               .square()
               .sum()
               .item<double>();
  }
  CHECK(sum / 16 == Approx(8).epsilon(1e-12));
  const rg::FisherTrace measure{
      .data = data, .how = {.loss = OutputItself{}}, .labels = FisherLabels::data, .draws = fixed_draws(1024)};
  CHECK(measure.estimate(net).value == Approx(8.0 / 4).epsilon(0.1));
}

TEST_CASE("Fisher trace: it is the trace of the Fisher operators and of a loop") {
  auto net = relu_mlp();
  const rg::Batch data = samples_for_mlp();
  const rg::LossSurface surface(net, data);
  const rg::TraceOptions exact{.sketch = surface.size()};
  const double truth = true_trace(net, data);
  const double empirical = each_loss_gradient(net, data).square().sum(1).mean().item<double>();
  CHECK(rg::trace(rg::Fisher(surface), exact).value == Approx(truth).epsilon(1e-10));
  CHECK(rg::trace(rg::EmpiricalFisher(surface), exact).value == Approx(empirical).epsilon(1e-10));
  const rg::Draws draws{.most = 100000, .relative = 0.05};
  const rg::FisherTrace every{.data = data, .draws = draws};
  const rg::FisherTrace drawn{.data = data, .labels = FisherLabels::drawn, .draws = draws};
  const rg::FisherTrace by_data{.data = data, .labels = FisherLabels::data, .draws = draws};
  CHECK(every.estimate(net).value == Approx(truth).epsilon(0.1));
  CHECK(drawn.estimate(net).value == Approx(truth).epsilon(0.1));
  CHECK(by_data.estimate(net).value == Approx(empirical).epsilon(0.1));
}

TEST_CASE("Fisher trace: 95 % intervals hold the true trace in 95 % of all cases") {
  coverage::check_share([](std::uint64_t i) {
    auto net = relu_mlp(i);
    const rg::Batch data = samples_for_mlp(10, i);
    return holds(rg::FisherTrace{.data = data, .draws = {.seed = i}}.estimate(net), true_trace(net, data));
  });
}

TEST_CASE("Fisher trace: 95 % intervals hold the empirical trace in 95 % of all cases") {
  coverage::check_share([](std::uint64_t i) {
    auto net = relu_mlp(i);
    const rg::Batch data = samples_for_mlp(10, i);
    const double truth = each_loss_gradient(net, data).square().sum(1).mean().item<double>();
    return holds(rg::FisherTrace{.data = data, .labels = FisherLabels::data, .draws = {.seed = i}}.estimate(net),
                 truth);
  });
}

TEST_CASE("Fisher trace: a confident network has its trace from rare labels, which all classes see") {
  auto net = std::make_shared<TimesConstant>(relu_mlp(), 30);
  const rg::Batch data = samples_for_mlp();
  const double truth = true_trace(net, data);
  const rg::MonteCarloEstimate every = rg::FisherTrace{.data = data}.estimate(net);
  const rg::MonteCarloEstimate drawn =
      rg::FisherTrace{.data = data, .labels = FisherLabels::drawn, .draws = fixed_draws(every.draws)}.estimate(net);
  CHECK(every.converged);
  CHECK(every.value == Approx(truth).epsilon(0.25));
  CHECK(drawn.half_width > every.half_width);
}

TEST_CASE("Fisher trace: batches and their order change nothing, the seed does") {
  const auto net = relu_mlp();
  const rg::Batch data = samples_for_mlp();
  for (const FisherLabels labels : {FisherLabels::every, FisherLabels::drawn, FisherLabels::data}) {
    rg::FisherTrace measure{.data = data, .labels = labels, .draws = fixed_draws(6)};
    check_batches(measure, net);
    rg::Batch turned = data;
    turned.id = torch::arange(10, torch::kLong);
    turned = rg::rows(turned, torch::arange(9, -1, -1, torch::kLong));
    const rg::Numbers before = measure(net);
    check_equal(measure(net), before, 0);
    measure.data = turned;
    check_equal(measure(net), before);
    measure.draws.seed = 1;
    CHECK(measure(net).at("value") != before.at("value"));
  }
}

TEST_CASE("Fisher trace: the noise is none of LibTorch's generators") {
  const auto net = relu_mlp();
  torch::manual_seed(5);
  const double next = torch::rand({1}).item<double>();
  const rg::FisherTrace measure{.data = samples_for_mlp(), .labels = FisherLabels::drawn};
  torch::manual_seed(5);
  (void)measure(net);
  CHECK(torch::rand({1}).item<double>() == next);
}

TEST_CASE("Fisher trace: positions of an output are samples") {
  torch::manual_seed(3);
  torch::nn::Conv2d net(torch::nn::Conv2dOptions(2, 3, 1));
  net->to(torch::kDouble);
  const rg::Batch images{.data = torch::randn({2, 2, 2, 3}, torch::kDouble),
                         .target = torch::zeros({2, 2, 3}, torch::kLong)};
  const rg::Batch pixels{.data = images.data.permute({0, 2, 3, 1}).reshape({12, 2, 1, 1}),
                         .target = torch::zeros({12, 1, 1}, torch::kLong)};
  for (const FisherLabels labels : {FisherLabels::every, FisherLabels::drawn}) {
    const rg::MonteCarloEstimate of_images =
        rg::FisherTrace{.data = images, .labels = labels, .draws = fixed_draws(1024)}.estimate(net);
    const double truth = rg::trace(rg::Fisher(rg::LossSurface(net, pixels)), {.sketch = 9}).value;
    CHECK(of_images.value == Approx(truth).epsilon(0.15));
  }
}

TEST_CASE("Fisher trace: at matched confidence a scale of the logits changes nothing") {
  auto net = relu_mlp();
  const rg::Batch data = samples_for_mlp();
  const at::Tensor logits = net->forward(data.data).detach();
  const double temperature = rg::matched_temperature(logits, 0.6);
  CHECK(rg::mean_confidence(logits, temperature) == Approx(0.6).epsilon(1e-10));
  CHECK(rg::matched_temperature(7 * logits, 0.6) == Approx(7 * temperature).epsilon(1e-10));
  CHECK(rg::matched_temperature(net, data, 0.6) == Approx(temperature).epsilon(1e-10));
  rg::FisherTrace measure{.data = data, .draws = fixed_draws(16)};
  for (const FisherLabels labels : {FisherLabels::every, FisherLabels::data}) {
    measure.labels = labels;
    measure.confidence.reset();
    const double plain = measure(std::make_shared<TimesConstant>(net, 1)).at("value");
    const double larger = measure(std::make_shared<TimesConstant>(net, 5)).at("value");
    CHECK(std::abs(larger / plain - 1) > 0.05);
    measure.confidence = 0.6;
    check_equal(measure(std::make_shared<TimesConstant>(net, 1)), measure(std::make_shared<TimesConstant>(net, 5)),
                1e-8);
  }
  measure = {.data = data, .confidence = 0.6, .draws = fixed_draws(1024)};
  CHECK(measure.estimate(net).value == Approx(true_trace(net, data, temperature)).epsilon(0.1));
}

TEST_CASE("Fisher trace: rescaling of ReLU layers changes it") {
  const rg::FisherTrace measure{.data = samples_for_mlp(), .draws = fixed_draws(64)};
  CHECK(std::abs(measure(relu_mlp(1, 4)).at("value") / measure(relu_mlp()).at("value") - 1) > 0.5);
}

TEST_CASE("Fisher trace: a selector takes a part of the weights") {
  auto net = relu_mlp();
  const rg::Batch data = samples_for_mlp();
  const rg::FisherTrace measure{
      .data = data, .parameters = rg::Layers{{"2"}}, .labels = FisherLabels::data, .draws = fixed_draws(1024)};
  const double truth = each_loss_gradient(net, data).narrow(1, 30, 21).square().sum(1).mean().item<double>();
  CHECK(measure.estimate(net).value == Approx(truth).epsilon(0.1));
}

TEST_CASE("Fisher trace: what it cannot take is refused") {
  const auto net = relu_mlp();
  const rg::Batch data = samples_for_mlp();
  check_error([&] { (void)rg::FisherTrace{}(net); }, {"FisherTrace", "data"});
  check_error([&] { (void)rg::FisherTrace{.data = data, .draws = {.least = 1}}(net); }, {"Draws.least", "at least 2"});
  check_error([&] { (void)rg::FisherTrace{.data = data, .confidence = 1}(net); }, {"FisherTrace.confidence", "(1/C"});
  check_error([&] { (void)rg::FisherTrace{.data = data, .confidence = 0.2}(net); }, {"confidence", "1 / classes"});
  check_error([&] { (void)rg::matched_temperature(torch::ones({2, 3}), 0.5); }, {"no temperature"});
  check_error([&] { rg::AnyMeasure measure(rg::FisherTrace{.data = data, .draws = {.most = 3}}); }, {"Draws.most"});
  const auto flat = std::make_shared<torch::nn::FlattenImpl>(torch::nn::FlattenOptions().start_dim(0));
  torch::nn::Sequential one_dim(torch::nn::Linear(4, 1), flat);
  one_dim->to(torch::kDouble);
  check_error([&] { (void)rg::FisherTrace{.data = data}(one_dim); }, {"FisherTrace takes a classifier"});
}

}  // namespace fisher_trace_test
