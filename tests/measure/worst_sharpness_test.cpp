#include "support/minima.hpp"
#include "support/small_networks.hpp"

#include <cmath>
#include <functional>
#include <memory>
#include <numbers>
#include <vector>

#include <regimen/regimen.hpp>
#include "support/awkward.hpp"
#include "support/tensors.hpp"

namespace worst_sharpness_test {

namespace {

using minima::HalfSquare;
using minima::OutputItself;
using regimen::Ball;
using regimen::Batch;
using regimen::LogitScale;
using regimen::Source;
using regimen::WorstSharpness;
using torch::nn::Sequential;

minima::Quadratic quadratic(std::vector<double> w, std::vector<double> h) {
  return {std::move(w), at::tensor(h, at::kDouble).view({2, 2})};
}

WorstSharpness of_output(double rho) {
  return {.data = minima::samples(), .how = {.loss = OutputItself{}}, .rho = rho};
}

WorstSharpness of_product(double rho) {
  return {.data = minima::samples(), .how = {.loss = HalfSquare{}}, .rho = rho, .adaptive = true};
}

/// The largest of f over the circle of this radius, by a scan and then by halving.
double largest_on_circle(double rho, const std::function<double(double, double)>& f) {
  const auto at = [&](double angle) { return f(rho * std::cos(angle), rho * std::sin(angle)); };
  double best = 0;
  for (int i = 1; i < 3600; ++i) {
    const double angle = 2 * std::numbers::pi * i / 3600;
    best = at(angle) > at(best) ? angle : best;
  }
  double low = best - 0.01;
  double high = best + 0.01;
  while (high - low > 1e-9) {
    const double third = (high - low) / 3;
    (at(low + third) < at(high - third) ? low : high) = at(low + third) < at(high - third) ? low + third : high - third;
  }
  return at(low);
}

}  // namespace

TEST_CASE("WorstSharpness: at a quadratic's minimum it is rho^2 lambda_max / 2") {
  auto net = quadratic({0, 0}, {4, 0, 0, 1});
  CHECK(of_output(0.1)(net) == Approx(0.02).epsilon(1e-9));
  CHECK(of_output(0.2)(net) == Approx(0.08).epsilon(1e-9));
}

TEST_CASE("WorstSharpness: on a slope it is the maximum on the sphere, and one SAM step is less") {
  auto net = quadratic({0.5, 1}, {4, 0, 0, 1});
  const double exact = largest_on_circle(
      0.1, [](double a, double b) { return 2 * (std::pow(0.5 + a, 2) - 0.25) + (std::pow(1 + b, 2) - 1) / 2; });
  CHECK(exact == Approx(0.2409039).epsilon(1e-6));
  CHECK(of_output(0.1)(net) == Approx(exact).epsilon(1e-9));
  WorstSharpness sam = of_output(0.1);
  sam.steps = 0;
  // g = (2, 1): g'd = .1 sqrt(5), d'Hd / 2 = .01 (4 * 4 + 1) / 5 / 2.
  CHECK(sam(net) == Approx(0.1 * std::sqrt(5.0) + 0.017).epsilon(1e-12));
  CHECK(sam(net) == Approx(0.2406067).epsilon(1e-6));
}

TEST_CASE("WorstSharpness: in a box it is the maximum at a corner") {
  auto net = quadratic({0, 0}, {2, 1, 1, 2});
  WorstSharpness measure = of_output(0.1);
  measure.ball = Ball::linf;
  measure.restarts = 4;
  CHECK(measure(net) == Approx(0.03).epsilon(1e-9));
  auto tilted = quadratic({0.5, 1}, {4, 0, 0, 1});
  CHECK(measure(tilted) == Approx(2 * (0.36 - 0.25) + (1.21 - 1) / 2).epsilon(1e-9));
}

TEST_CASE("WorstSharpness: a maximum within the ball is found too") {
  auto net = quadratic({0.5, 1}, {-4, 0, 0, -1});  // the largest value is 0, at d = -w
  CHECK(of_output(3)(net) == Approx(2 * 0.25 + 0.5).epsilon(1e-6));
}

TEST_CASE("WorstSharpness: the adaptive one is equal along the rescaling of ab = 1") {
  const double rho = 1e-3;
  // u_1 = u_2 = rho / sqrt(2): ((1 + u)^2 - 1)^2 / 2.
  const double exact = std::pow(std::pow(1 + rho / std::sqrt(2.0), 2) - 1, 2) / 2;
  CHECK(exact == Approx(rho * rho / 2 * 2).epsilon(1e-3));
  for (const double a : {1.0, 2.0, 4.0}) {
    minima::Product net(a, 1 / a);
    CHECK(of_product(rho)(net) == Approx(exact).epsilon(1e-9));
    WorstSharpness box = of_product(rho);
    box.ball = Ball::linf;
    box.restarts = 8;
    CHECK(box(net) == Approx(std::pow(std::pow(1 + rho, 2) - 1, 2) / 2).epsilon(1e-9));
  }
  WorstSharpness plain = of_product(rho);
  plain.adaptive = false;
  minima::Product even(1, 1);
  minima::Product uneven(4, 0.25);
  CHECK(plain(even) == Approx(rho * rho).epsilon(2e-3));
  CHECK(plain(uneven) == Approx(rho * rho * 16.0625 / 2).epsilon(2e-3));
}

TEST_CASE("WorstSharpness: the adaptive SAM step goes along T^2 g / |T g|") {
  // At (2, 1) the gradient is (ab - 1)(b, a) = (1, 2), T = (2, 1), T g = (2, 2): d = rho (2, 1) / sqrt(2).
  minima::Product net(2, 1);
  WorstSharpness sam = of_product(0.1);
  sam.steps = 0;
  const double u = 0.1 / std::sqrt(2.0);
  CHECK(sam(net) == Approx(std::pow(2 * (1 + u) * (1 + u) - 1, 2) / 2 - 0.5).epsilon(1e-12));
  sam.eta = 1;  // T = (3, 2), T g = (3, 4): d = rho (9, 8) / 5
  CHECK(sam(net) == Approx(std::pow(2.18 * 1.16 - 1, 2) / 2 - 0.5).epsilon(1e-12));
}

TEST_CASE("WorstSharpness: a weight of exactly 0 is held, and the others are bounded all the same") {
  auto with_zero = quadratic({0, 2}, {4, 0, 0, 1});
  WorstSharpness measure = of_output(0.1);
  measure.adaptive = true;
  for (const Ball ball : {Ball::l2, Ball::linf}) {
    measure.ball = ball;
    CHECK(measure(with_zero) == Approx((2.2 * 2.2 - 4) / 2).epsilon(1e-9));
  }
  measure.ball = Ball::l2;
  measure.eta = 0.5;  // T = (.5, 2.5): L = 4 (.5 u)^2 / 2 + (2 + 2.5 v)^2 / 2
  CHECK(measure(with_zero) == Approx(largest_on_circle(0.1, [](double u, double v) {
                                return 0.5 * u * u + (std::pow(2 + 2.5 * v, 2) - 4) / 2;
                              })).epsilon(1e-9));
  auto all_zero = quadratic({0, 0}, {4, 0, 0, 1});
  measure.eta = 0;
  CHECK(measure(all_zero) == 0);
}

TEST_CASE("WorstSharpness: per samples, it is the mean of the samples' own maxima") {
  // Loss x w for x = 1, -1, 2: together the slope is 2 / 3; alone they rise by rho |x|.
  torch::nn::Linear net = minima::linear({0.3});
  const Source data = Batch{.data = at::tensor({1.0, -1.0, 2.0}, at::kDouble).unsqueeze(1)};
  WorstSharpness measure{.data = data, .how = {.loss = OutputItself{}}, .rho = 0.1};
  CHECK(measure(net) == Approx(0.1 * 2 / 3).epsilon(1e-9));
  measure.per = 1;
  CHECK(measure(net) == Approx(0.1 * 4 / 3).epsilon(1e-9));
  measure.per = 2;  // (1, -1) has no slope, and counts twice as much as the last one
  CHECK(measure(net) == Approx(0.2 / 3).epsilon(1e-9));
  measure.per = 3;
  CHECK(measure(net) == Approx(0.1 * 2 / 3).epsilon(1e-9));
}

TEST_CASE("WorstSharpness: rescaling of ReLU units changes the plain one, not the adaptive one") {
  Sequential net = small_mlp();
  randomize(*net, 5);
  const WorstSharpness adaptive{.data = minima::labelled(), .rho = 0.1, .adaptive = true};
  const WorstSharpness plain{.data = minima::labelled(), .rho = 0.1};
  const double before = adaptive(net);
  const double plain_before = plain(net);
  minima::rescale(net, at::tensor({0.25, 3.0, 20.0}, at::kDouble));
  CHECK(adaptive(net) == Approx(before).epsilon(1e-8));
  CHECK(std::abs(plain(net) / plain_before - 1) > 0.1);
}

TEST_CASE("WorstSharpness: a scale of the logits changes nothing if they are normalized or matched") {
  Sequential net = small_mlp();
  randomize(*net, 5);
  const auto of = [&](LogitScale logits) {
    return WorstSharpness{.data = minima::labelled(), .rho = 0.1, .adaptive = true, .logits = logits}(net);
  };
  const std::vector<LogitScale> all{LogitScale::own, LogitScale::normalized, LogitScale::matched};
  std::vector<double> before;
  for (const LogitScale logits : all) {
    before.push_back(of(logits));
  }
  minima::scale_logits(net, 8);
  CHECK(std::abs(of(LogitScale::own) / before[0] - 1) > 0.1);
  CHECK(of(LogitScale::normalized) == Approx(before[1]).epsilon(1e-8));
  CHECK(of(LogitScale::matched) == Approx(before[2]).epsilon(1e-8));
  CHECK(std::abs(before[1] / before[2] - 1) > 1e-3);
}

TEST_CASE("WorstSharpness: normalized logits are those of a network that divides by their norm") {
  Sequential net = small_mlp();
  randomize(*net, 5);
  const regimen::Model divided(net, [](Sequential& model, const Batch& batch) -> at::Tensor {
    const at::Tensor logits = model->forward(batch.data);
    return logits / logits.norm(2, {1}, /*keepdim=*/true);
  });
  for (const std::optional<regimen::Integer> ignored : {std::optional<regimen::Integer>(), {1}}) {
    regimen::CrossEntropy loss;
    if (ignored) {
      loss.ignore_index = ignored->value;
    }
    WorstSharpness measure{.data = minima::labelled(), .how = {.loss = loss, .batch = 3}, .rho = 0.1};
    const double expected = measure(divided);
    measure.logits = LogitScale::normalized;
    CHECK(measure(net) == Approx(expected).epsilon(1e-9));
  }
}

TEST_CASE("WorstSharpness: the batch size changes nothing, nor does an unequal last batch") {
  Sequential net = small_mlp();
  randomize(*net, 7);
  const auto of = [&](int batch) {
    return WorstSharpness{.data = minima::labelled(10), .how = {.batch = batch}, .rho = 0.1}(net);
  };
  CHECK(of(1) == Approx(of(10)).epsilon(1e-8));
  CHECK(of(7) == Approx(of(10)).epsilon(1e-8));
}

TEST_CASE("WorstSharpness: frozen and unselected parameters stay, tied ones move once") {
  minima::Product net(1, 1);
  WorstSharpness measure = of_product(0.1);
  measure.adaptive = false;
  const double both = measure(net);
  net.register_parameter("unused", at::ones({2}, at::kDouble));
  net.register_parameter("tied", net.first);
  WorstSharpness used = measure;
  used.parameters = regimen::Layers{{"tied", "second"}};
  CHECK(used(net) == Approx(both).epsilon(1e-9));
  measure.parameters = regimen::Layers{{"second"}};
  CHECK(measure(net) == Approx(0.005).epsilon(1e-9));
  measure.parameters = regimen::AllParameters{};
  net.first.set_requires_grad(false);
  CHECK(measure(net) <= 0.005 * (1 + 1e-9));
  CHECK(measure(net) > 0.004);
}

TEST_CASE("WorstSharpness: the seed decides the random points") {
  auto net = quadratic({0, 0}, {4, 0, 0, 1});
  WorstSharpness measure = of_output(0.1);
  measure.steps = 1;
  const double first = measure(net);
  CHECK(measure(net) == first);
  measure.seed = 1;
  CHECK(measure(net) != first);
}

TEST_CASE("WorstSharpness: every awkward network is unchanged, also after an exception") {
  for (const awkward::Network& net : awkward::all_ten()) {
    CAPTURE(net.name);
    const awkward::State before(net);
    const WorstSharpness measure{.data = net.batch, .how = {.batch = 4}, .adaptive = true, .steps = 3};
    if (net.name == "buffers alone") {
      check_error([&] { (void)measure(net.model); }, {"selects none"});
      continue;
    }
    const double value = measure(net.model);
    CHECK(value > 0);
    CHECK(measure(net.model) == value);
    CHECK(before.difference(awkward::State(net), {.write = true}) == "");
    net.fail_at(5);
    CHECK_THROWS((void)measure(net.model));
    net.fail_at(0);
    CHECK(before.difference(awkward::State(net), {.write = true}) == "");
  }
}

TEST_CASE("WorstSharpness: a BatchNorm without gain and shift is no obstacle") {
  Sequential net(torch::nn::Linear(2, 4), torch::nn::BatchNorm1d(torch::nn::BatchNorm1dOptions(4).affine(false)),
                 torch::nn::ReLU(), torch::nn::Linear(4, 2));
  net->to(at::kDouble);
  randomize(*net, 3);
  {
    const at::NoGradGuard no_grad;
    net->parameters()[1].zero_();  // a bias of 0
  }
  const Kept kept(*net);
  CHECK(WorstSharpness{.data = minima::labelled(), .adaptive = true}(net) > 0);
  kept.check();
}

TEST_CASE("WorstSharpness: a network of NaN has none, and errors name the field") {
  auto net = quadratic({std::nan(""), 1}, {4, 0, 0, 1});
  CHECK(std::isnan(of_output(0.1)(net)));
  check_error([&] { (void)WorstSharpness{}(net); }, {"WorstSharpness takes data"});
  check_error([&] { (void)of_output(0)(net); }, {"WorstSharpness.rho", "above 0", "is 0"});
  const auto with = [&](auto change) {
    WorstSharpness measure = of_output(0.1);
    change(measure);
    return error_of([&] { (void)measure(net); });
  };
  CHECK(with([](auto& m) { m.eta = -1; }).find("WorstSharpness.eta") != std::string::npos);
  CHECK(with([](auto& m) { m.steps = -1; }).find("WorstSharpness.steps") != std::string::npos);
  CHECK(with([](auto& m) { m.restarts = -1; }).find("WorstSharpness.restarts") != std::string::npos);
  CHECK(with([](auto& m) { m.per = 0; }).find("WorstSharpness.per") != std::string::npos);
  CHECK(with([](auto& m) { m.logits = LogitScale::matched; }).find("takes logits of [N, C, ...]") != std::string::npos);
}

TEST_CASE("WorstSharpness: it is a measure of a scoring") {
  Sequential net = small_mlp();
  randomize(*net, 8);
  regimen::Probe probe(net);
  probe.fit = minima::labelled();
  CHECK(regimen::AnyMeasure(WorstSharpness{})(probe) == WorstSharpness{.data = minima::labelled()}(net));
  CHECK(regimen::manifest(WorstSharpness{}).find(R"("ball": "l2")") != std::string::npos);
}

}  // namespace worst_sharpness_test
