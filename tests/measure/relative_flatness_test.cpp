// Relative flatness against the double sum over rows of a Hessian in memory.
#include "support/gradients.hpp"
#include "support/tensors.hpp"

#include <cmath>
#include <memory>
#include <vector>

#include <regimen/regimen.hpp>

namespace relative_flatness_test {

namespace {

namespace rg = regimen;

/// The sum over rows s, t of W [r, c] of <w_s, w_t> tr H_st, H [r c, r c].
double double_sum(const at::Tensor& w, const at::Tensor& h) {
  const std::int64_t c = w.size(1);
  double sum = 0;
  for (std::int64_t s = 0; s < w.size(0); ++s) {
    for (std::int64_t t = 0; t < w.size(0); ++t) {
      const at::Tensor block = h.narrow(0, s * c, c).narrow(1, t * c, c);
      sum += w[s].dot(w[t]).item<double>() * block.trace().item<double>();
    }
  }
  return sum;
}

/// The relative flatness of parameter `i` of a network, by a Hessian in memory.
template <class M>
double by_loop(M& net, const rg::Batch& data, std::size_t i) {
  const std::vector<at::Tensor> parameters = net->parameters();
  const at::Tensor loss = at::cross_entropy_loss(net->forward(data.data), data.target);
  return double_sum(parameters[i].detach().flatten(1), hessian_of(loss, {parameters[i]}));
}

/// No draws: the operator's trace, unit vector by unit vector.
rg::TraceOptions exactly() {
  return {.sketch = 100000};
}

}  // namespace

TEST_CASE("relative flatness: (c, 1/c) has 1 in each layer for (ab - 1)^2 / 2") {
  for (const double c : {1.0, 2.0, 4.0}) {
    const auto net = std::make_shared<Product>(c, 1 / c);
    rg::RelativeFlatness measure{.data = one_sample(), .how = {.loss = HalfSquares{}}};
    for (const char* const layer : {"a", "b"}) {
      measure.parameters = rg::Layers{{layer}};
      check_equal(measure(net), {{"value", 1}, {"half_width", 0}});
    }
    measure.parameters = rg::AllParameters{};
    measure.trace = exactly();
    check_equal(measure(net), {{"value", 2}, {"half_width", 0}});
  }
}

TEST_CASE("relative flatness: it is the double sum over rows, of wide and tall layers") {
  auto net = relu_mlp();
  const rg::Batch data = samples_for_mlp();
  const double tall = by_loop(net, data, 0);  // [6, 4]
  const double wide = by_loop(net, data, 2);  // [3, 6]
  rg::RelativeFlatness measure{.data = data, .trace = exactly()};
  CHECK(measure.estimate(net).value == Approx(tall + wide).epsilon(1e-9));
  measure.parameters = rg::Layers{{"0"}};  // with a bias, which is left out
  CHECK(measure.estimate(net).value == Approx(tall).epsilon(1e-9));
  measure.parameters = rg::Layers{{"2.weight"}};
  CHECK(measure.estimate(net).value == Approx(wide).epsilon(1e-9));
  measure.trace = {.draws = {.most = 10000, .relative = 0.04}};
  CHECK(measure.estimate(net).value == Approx(wide).epsilon(0.08));
}

TEST_CASE("relative flatness: kernels are matrices [out, rest]") {
  torch::manual_seed(4);
  torch::nn::Sequential net(torch::nn::Conv2d(2, 3, 2), torch::nn::Tanh(), torch::nn::Flatten(),
                            torch::nn::Linear(12, 3));
  net->to(torch::kDouble);
  const rg::Batch data{.data = torch::randn({5, 2, 3, 3}, torch::kDouble), .target = torch::arange(5).remainder(3)};
  const double truth = by_loop(net, data, 0);
  rg::RelativeFlatness measure{.data = data, .parameters = rg::Layers{{"0"}}, .trace = exactly()};
  CHECK(measure.estimate(net).value == Approx(truth).epsilon(1e-9));
  const std::vector<at::Tensor> parameters = net->parameters();
  parameters[0].set_data(parameters[0].detach().contiguous(at::MemoryFormat::ChannelsLast));
  CHECK(measure.estimate(net).value == Approx(truth).epsilon(1e-9));
}

TEST_CASE("relative flatness: 95 % intervals hold it in 95 % of all cases") {
  coverage::check_share([](std::uint64_t i) {
    auto net = relu_mlp(i);
    const rg::Batch data = samples_for_mlp(10, i);
    const rg::RelativeFlatness measure{.data = data,
                                       .parameters = rg::Layers{{"2"}},
                                       .curvature = rg::Curvature::gauss_newton,
                                       .trace = {.draws = {.seed = i}}};
    return holds(measure.estimate(net), by_loop(net, data, 2));
  });
}

TEST_CASE("relative flatness: rescaling of ReLU layers changes nothing, of outgoing weights alone it does") {
  const rg::RelativeFlatness measure{.data = samples_for_mlp(), .trace = {.draws = fixed_draws(32)}};
  check_equal(measure(relu_mlp(1, 4)), measure(relu_mlp()), 1e-9);
  auto one_unit = relu_mlp();
  {
    const at::NoGradGuard no_grad;
    const std::vector<at::Tensor> parameters = one_unit->parameters();
    parameters[0][2].mul_(4);
    parameters[1][2].mul_(4);
    parameters[2].select(1, 2).div_(4);
  }
  const auto of = [&](const char* layer, auto& net) {
    return rg::RelativeFlatness{.data = samples_for_mlp(), .parameters = rg::Layers{{layer}}, .trace = exactly()}
        .estimate(net)
        .value;
  };
  auto plain = relu_mlp();
  CHECK(of("0", one_unit) == Approx(of("0", plain)).epsilon(1e-9));
  CHECK(std::abs(of("2", one_unit) / of("2", plain) - 1) > 0.02);
}

TEST_CASE("relative flatness: it is a function of the network, the data and the seed") {
  const auto net = relu_mlp();
  rg::RelativeFlatness measure{.data = samples_for_mlp(), .trace = {.draws = fixed_draws(6)}};
  check_batches(measure, net);
  const rg::Numbers before = measure(net);
  check_equal(measure(net), before, 0);
  measure.trace.draws.seed = 1;
  CHECK(measure(net).at("value") != before.at("value"));
}

TEST_CASE("relative flatness: biases alone, and settings out of range, are refused") {
  const auto net = relu_mlp();
  const rg::Batch data = samples_for_mlp();
  check_error([&] { (void)rg::RelativeFlatness{.data = data, .parameters = rg::Layers{{"0.bias"}}}(net); },
              {"MatricesAmong", "0.bias", "none"});
  check_error([&] { (void)rg::RelativeFlatness{}(net); }, {"RelativeFlatness takes data"});
  check_error([&] { (void)rg::RelativeFlatness{.data = data, .trace = {.block = 0}}(net); }, {"TraceOptions.block"});
}

}  // namespace relative_flatness_test
