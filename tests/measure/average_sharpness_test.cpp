// How much the loss grows under noise.

#include "support/minima.hpp"
#include "support/small_networks.hpp"

#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include <regimen/regimen.hpp>
#include "support/awkward.hpp"
#include "support/coverage.hpp"
#include "support/tensors.hpp"

namespace average_sharpness_test {

namespace {

using regimen::AverageSharpness;
using regimen::Batch;
using regimen::MonteCarloEstimate;
using regimen::Source;
using torch::nn::Sequential;

bool holds(const MonteCarloEstimate& found, double truth) {
  return found.low() <= truth && truth <= found.high();
}

/// Five samples of three numbers for a linear model with targets of 0; the mean of their |x|^2 is `mean_square`.
Source inputs() {
  return Batch{
      .data = at::tensor({1, 2, 0, 0, 1, -1, 3, 0, 0, 0, 0, 0, 1, 1, 1}, at::kDouble).view({5, 3}),
  };
}
constexpr double mean_square = (5.0 + 2 + 9 + 0 + 3) / 5;

}  // namespace

TEST_CASE("AverageSharpness: a linear model's is sigma^2 E|x|^2 / 2, at a minimum or not") {
  torch::nn::Linear net = minima::linear({0.3, -2, 5});
  for (const double sigma : {0.01, 1.0}) {
    const AverageSharpness measure{
        .data = inputs(), .how = {.loss = minima::HalfSquare{}}, .sigma = sigma, .draws = {.relative = 0.1, .seed = 2}};
    const MonteCarloEstimate found = measure.estimate(net);
    CHECK(holds(found, sigma * sigma * mean_square / 2));
    CHECK(found.converged);
    CHECK(found.half_width <= 0.1 * found.value);
    CHECK(found.passes == 2 * found.draws + 1);
  }
}

TEST_CASE("AverageSharpness: adaptive noise has the standard deviation sigma |w|") {
  torch::nn::Linear net = minima::linear({0.5, -2, 0});
  const AverageSharpness measure{.data = inputs(),
                                 .how = {.loss = minima::HalfSquare{}},
                                 .sigma = 0.1,
                                 .adaptive = true,
                                 .draws = {.relative = 0.1}};
  // E x_1^2 = 11 / 5, E x_2^2 = 6 / 5.
  CHECK(holds(measure.estimate(net), 0.01 * (0.25 * 11 / 5 + 4 * 6.0 / 5) / 2));
}

TEST_CASE("AverageSharpness: a draw is the mean of both signs of one noise") {
  // Where the loss is linear in the weights, each draw is 0.
  const auto net = minima::linear({0.3, -2, 5});
  const AverageSharpness straight{
      .data = inputs(), .how = {.loss = minima::OutputItself{}}, .sigma = 0.5, .draws = {.most = 16}};
  CHECK(std::abs(straight.estimate(net).value) < 1e-12);
  CHECK(straight.estimate(net).half_width < 1e-12);
}

TEST_CASE("AverageSharpness: 95 % intervals hold the right value in 95 % of the cases") {
  torch::nn::Linear net = minima::linear({0.3, -2, 5});
  coverage::check_share([&](std::uint64_t seed) {
    const AverageSharpness measure{.data = inputs(),
                                   .how = {.loss = minima::HalfSquare{}},
                                   .sigma = 0.1,
                                   .draws = {.relative = 0.15, .seed = seed}};
    return holds(measure.estimate(net), 0.01 * mean_square / 2);
  });
}

TEST_CASE("AverageSharpness: rescaling of ReLU units changes the plain one, not the adaptive one") {
  const auto at = [](double a, bool adaptive) {
    const auto net = std::make_shared<minima::Product>(a, 1 / a);
    return AverageSharpness{.data = minima::samples(),
                            .how = {.loss = minima::HalfSquare{}},
                            .sigma = 0.01,
                            .adaptive = adaptive,
                            .draws = {.most = 16}}
        .estimate(net)
        .value;
  };
  CHECK(at(2, true) == Approx(at(1, true)).epsilon(1e-9));
  CHECK(at(4, true) == Approx(at(1, true)).epsilon(1e-9));
  CHECK(at(4, false) > 4 * at(1, false));
  Sequential net = small_mlp();
  randomize(*net, 5);
  const AverageSharpness adaptive{.data = minima::labelled(), .sigma = 0.1, .adaptive = true, .draws = {.most = 16}};
  const AverageSharpness plain{.data = minima::labelled(), .sigma = 0.1, .draws = {.most = 16}};
  const double before = adaptive.estimate(net).value;
  const double plain_before = plain.estimate(net).value;
  minima::rescale(net, at::tensor({0.01, 3.0, 20.0}, at::kDouble));
  CHECK(adaptive.estimate(net).value == Approx(before).epsilon(1e-9));
  CHECK(std::abs(plain.estimate(net).value / plain_before - 1) > 0.1);
  minima::scale_logits(net, 2);
  CHECK(std::abs(adaptive.estimate(net).value / before - 1) > 0.1);
}

TEST_CASE("AverageSharpness: the batch size changes nothing, nor does an unequal last batch") {
  Sequential net = small_mlp();
  randomize(*net, 7);
  const auto of = [&](int batch) {
    return AverageSharpness{.data = minima::labelled(10), .how = {.batch = batch}, .draws = {.most = 16}}(net);
  };
  for (const int batch : {1, 7}) {
    CHECK(of(batch).at("value") == Approx(of(10).at("value")).epsilon(1e-9));
    CHECK(of(batch).at("half_width") == Approx(of(10).at("half_width")).epsilon(1e-9));
  }
}

TEST_CASE("AverageSharpness: the seed decides the noise, and two networks get the same") {
  torch::nn::Linear net = minima::linear({0.3, -2, 5});
  torch::nn::Linear other = minima::linear({7, 7, 7});
  const auto of = [](torch::nn::Linear& model, std::uint64_t seed) {
    return AverageSharpness{
        .data = inputs(), .how = {.loss = minima::HalfSquare{}}, .draws = {.most = 64, .seed = seed}}
        .estimate(model)
        .value;
  };
  CHECK(of(net, 1) == of(net, 1));
  CHECK(of(net, 1) != of(net, 2));
  CHECK(of(net, 1) == Approx(of(other, 1)).epsilon(1e-7));
}

TEST_CASE("AverageSharpness: frozen, unused and unselected parameters get no say, tied ones one") {
  const auto value = [](minima::Product& net, const regimen::AnySelector& parameters) {
    return AverageSharpness{.data = minima::samples(),
                            .how = {.loss = minima::HalfSquare{}},
                            .parameters = parameters,
                            .sigma = 0.1,
                            .draws = {.relative = 0.1}}
        .estimate(net);
  };
  minima::Product net(2, 0.5);
  // The second moves alone: (2 (.5 + .1 e) - 1)^2 / 2 = .02 e^2.
  CHECK(holds(value(net, regimen::Layers{{"second"}}), 0.02));
  const double both = value(net, regimen::AllParameters{}).value;
  net.register_parameter("unused", at::ones({2}, at::kDouble));
  net.register_parameter("tied", net.first);
  CHECK(value(net, regimen::AllParameters{}).value == both);
  net.first.set_requires_grad(false);
  CHECK(holds(value(net, regimen::AllParameters{}), 0.02));
}

TEST_CASE("AverageSharpness: every awkward network is unchanged, also after an exception") {
  for (const awkward::Network& net : awkward::all_ten()) {
    CAPTURE(net.name);
    const awkward::State before(net);
    const AverageSharpness measure{.data = net.batch, .how = {.batch = 4}, .draws = {.most = 16}};
    if (net.name == "buffers alone") {
      check_error([&] { (void)measure(net.model); }, {"selects none"});
      continue;
    }
    const MonteCarloEstimate found = measure.estimate(net.model);
    CHECK(std::isfinite(found.value));
    CHECK(measure.estimate(net.model).value == found.value);
    CHECK(before.difference(awkward::State(net), {.write = true}) == "");
    net.fail_at(5);
    CHECK_THROWS((void)measure(net.model));
    net.fail_at(0);
    CHECK(before.difference(awkward::State(net), {.write = true}) == "");
  }
}

TEST_CASE("AverageSharpness: a network of NaN has none, and errors name the field") {
  torch::nn::Linear net = minima::linear({std::nan(""), -2, 5});
  const regimen::Evaluation how{.loss = minima::HalfSquare{}};
  CHECK(std::isnan(AverageSharpness{.data = inputs(), .how = how}(net).at("value")));
  check_error([&] { (void)AverageSharpness{}(net); }, {"AverageSharpness takes data"});
  check_error([&] { (void)AverageSharpness{.data = inputs(), .sigma = 0}(net); },
              {"AverageSharpness.sigma", "above 0", "is 0"});
  check_error([&] { (void)AverageSharpness{.data = inputs(), .draws = {.least = 1}}(net); }, {"Draws.least"});
}

TEST_CASE("AverageSharpness: a BatchNorm without gain and shift is no obstacle, nor a bias of 0") {
  Sequential net(torch::nn::Linear(2, 4), torch::nn::BatchNorm1d(torch::nn::BatchNorm1dOptions(4).affine(false)),
                 torch::nn::ReLU(), torch::nn::Linear(4, 2));
  net->to(at::kDouble);
  randomize(*net, 3);
  {
    const at::NoGradGuard no_grad;
    net->parameters()[1].zero_();
  }
  const Kept kept(*net);
  CHECK(std::isfinite(AverageSharpness{.data = minima::labelled(), .draws = {.most = 16}}(net).at("value")));
  kept.check();
}

TEST_CASE("AverageSharpness: it is a measure of two numbers of a scoring") {
  const regimen::AnyMeasure measure = AverageSharpness{.data = inputs(), .how = {.loss = minima::HalfSquare{}}};
  CHECK(measure.names("flat") == std::vector<std::string>{"flat_value", "flat_half_width"});
  torch::nn::Linear net = minima::linear({0.3, -2, 5});
  CHECK(measure.numbers("flat", net).at("flat_value") > 0);
}

}  // namespace average_sharpness_test
