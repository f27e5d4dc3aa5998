// The gradient noise scale and coherence against gradients that are known one by one.
#include "support/gradients.hpp"
#include "support/tensors.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <regimen/regimen.hpp>

namespace gradient_noise_scale_test {

namespace {

namespace rg = regimen;

/// A linear network whose samples' gradients are the samples.
rg::GradientNoiseScale with_gradients(const at::Tensor& gradients, const rg::Draws& draws = {}) {
  return {.data = rg::Batch{.data = gradients, .target = torch::zeros({gradients.size(0)}, torch::kLong)},
          .how = {.loss = OutputItself{}},
          .draws = draws};
}

at::Tensor four_gradients() {
  return torch::tensor({{1.0, 0.0}, {0.0, 1.0}, {1.0, 1.0}, {2.0, 0.0}}, torch::kDouble);
}

/// The measure's numbers by a loop, from samples' gradients [n, weights].
rg::Numbers expected(const at::Tensor& gradients) {
  const auto n = static_cast<double>(gradients.size(0));
  const at::Tensor mean = gradients.mean(0);
  const double square = mean.square().sum().item<double>();
  const double within = (gradients - mean).square().sum(1).mean().item<double>();
  const double variance = within * n / (n - 1);
  return {{"variance", variance},
          {"squared_gradient", square - variance / n},
          {"scale", variance / (square - variance / n)},
          {"plug_in", within / square},
          {"coherence", square / gradients.square().sum(1).mean().item<double>()}};
}

}  // namespace

TEST_CASE("gradient noise: four gradients have scale 1, plug-in .6, coherence .625") {
  const auto net = linear_at_zero(2, 1);
  const rg::Numbers by_hand = expected(four_gradients());
  CHECK(by_hand.at("scale") == Approx(1).epsilon(1e-12));
  CHECK(by_hand.at("plug_in") == Approx(.6).epsilon(1e-12));
  CHECK(by_hand.at("coherence") == Approx(.625).epsilon(1e-12));
  const rg::Numbers numbers = with_gradients(four_gradients(), fixed_draws(2400))(net);
  for (const auto& [name, value] : by_hand) {
    CAPTURE(name);
    CHECK(numbers.at(name) == Approx(value).epsilon(0.1));
  }
  CHECK(std::abs(numbers.at("variance") - 1) <= numbers.at("variance_half_width"));
  CHECK(numbers.at("scale_low") <= 1);
  CHECK(numbers.at("scale_high") >= 1);
}

TEST_CASE("gradient noise: signed sums of deviations average tr S over all signs") {
  const at::Tensor gradients = four_gradients();
  const at::Tensor deviations = gradients - gradients.mean(0);
  double sum = 0;
  for (int word = 0; word < 16; ++word) {
    const at::Tensor signs =
        (1 - 2 * (torch::full({4}, word, torch::kLong).bitwise_right_shift(torch::arange(4)) % 2)).to(torch::kDouble);
    sum += signs.unsqueeze(0).mm(deviations).square().sum().item<double>() / 16;
  }
  CHECK(sum / 3 == Approx(1).epsilon(1e-12));
}

TEST_CASE("gradient noise: all batches of 1 and the one of 4 give S = 1 and |G|^2 = 1") {
  const at::Tensor gradients = four_gradients();
  const double of_one = gradients.square().sum(1).mean().item<double>();
  const double of_four = gradients.mean(0).square().sum().item<double>();
  const rg::GradientNoiseParts parts = rg::noise_from_two_batches(of_one, 1, of_four, 4);
  CHECK(parts.variance == Approx(1).epsilon(1e-12));
  CHECK(parts.squared_gradient == Approx(1).epsilon(1e-12));
  CHECK(parts.scale() == Approx(1).epsilon(1e-12));
  check_error([] { (void)rg::noise_from_two_batches(1, 4, 1, 4); }, {"noise_from_two_batches: big", "above small"});
  check_error([] { (void)rg::noise_from_two_batches(1, 0, 1, 4); }, {"small", "above 0"});
}

TEST_CASE("gradient noise: equal gradients have none, exactly") {
  const rg::Numbers numbers = with_gradients(torch::ones({5, 2}, torch::kDouble))(linear_at_zero(2, 1));
  CHECK(numbers.at("variance") == Approx(0).margin(1e-12));
  CHECK(numbers.at("variance_half_width") == Approx(0).margin(1e-12));
  CHECK(numbers.at("scale") == Approx(0).margin(1e-12));
  CHECK(numbers.at("coherence") == Approx(1).epsilon(1e-12));
}

TEST_CASE("gradient noise: orthogonal gradients have coherence 1/n and no finite scale") {
  const rg::Numbers numbers = with_gradients(torch::eye(5, torch::kDouble))(linear_at_zero(5, 1));
  CHECK(numbers.at("coherence") == Approx(.2).epsilon(0.1));
  CHECK(numbers.at("scale_high") == std::numeric_limits<double>::infinity());
  CHECK(numbers.at("squared_gradient") == Approx(0).margin(0.05));
}

TEST_CASE("gradient noise: a network's are those of a loop over its samples") {
  auto net = relu_mlp();
  rg::Batch data = samples_for_mlp();
  data.target.zero_();  // so that the gradients agree somewhat
  const rg::Numbers by_loop = expected(each_loss_gradient(net, data));
  const rg::Numbers numbers = rg::GradientNoiseScale{.data = data, .draws = {.most = 100000, .relative = 0.04}}(net);
  for (const auto& [name, value] : by_loop) {
    CAPTURE(name);
    CHECK(numbers.at(name) == Approx(value).epsilon(0.1).margin(0.01));
  }
}

TEST_CASE("gradient noise: weights of samples make it that of the weighted mean, to first order") {
  struct Weighted {
    at::Tensor each(const at::Tensor& output, const at::Tensor&) const { return output.sum(1); }
    at::Tensor weight(const at::Tensor& target) const { return target.to(torch::kDouble); }
  };
  const at::Tensor gradients = torch::tensor({{1.0, 2.0}, {3.0, 1.0}, {2.0, 5.0}, {9.0, 9.0}}, torch::kDouble);
  const at::Tensor weight = torch::tensor({1, 2, 3, 0});
  const at::Tensor share = weight.to(torch::kDouble).unsqueeze(1) / 1.5;  // over the mean weight
  const at::Tensor mean = (share * gradients).mean(0);
  const double variance = (share * (gradients - mean)).square().sum().item<double>() / 3;
  const rg::GradientNoiseScale measure{.data = rg::Batch{.data = gradients, .target = weight},
                                       .how = {.loss = Weighted{}, .batch = 3},
                                       .draws = fixed_draws(600)};
  const rg::Numbers numbers = measure(linear_at_zero(2, 1));
  CHECK(std::abs(numbers.at("variance") - variance) <= 2 * numbers.at("variance_half_width"));
  CHECK(numbers.at("variance_half_width") < 0.15 * variance);
  CHECK(numbers.at("squared_gradient") ==
        Approx(mean.square().sum().item<double>() - numbers.at("variance") / 4).epsilon(1e-12));
}

TEST_CASE("gradient noise: 95 % intervals hold tr S and the scale in 95 % of all cases") {
  coverage::check_share([](std::uint64_t i) {
    torch::manual_seed(i);
    const at::Tensor gradients = torch::randn({20, 4}, torch::kDouble) + 1;
    const rg::Numbers truth = expected(gradients);
    const rg::Numbers numbers = with_gradients(gradients, {.seed = i})(linear_at_zero(4, 1));
    const bool scale = numbers.at("scale_low") <= truth.at("scale") && truth.at("scale") <= numbers.at("scale_high");
    const double off = std::abs(numbers.at("variance") - truth.at("variance"));
    CHECK(scale == (off <= numbers.at("variance_half_width")));  // as the scale is monotone in tr S
    return scale;
  });
}

TEST_CASE("gradient noise: it is a function of the network, the data and the seed") {
  const auto net = relu_mlp();
  rg::GradientNoiseScale measure{.data = samples_for_mlp(), .draws = fixed_draws(6)};
  check_batches(measure, net);
  const rg::Numbers before = measure(net);
  check_equal(measure(net), before, 0);
  measure.draws.seed = 1;
  CHECK(measure(net).at("variance") != before.at("variance"));
}

TEST_CASE("gradient noise: a scale of the loss changes no ratio, rescaling of ReLU layers does") {
  struct Tenfold {
    at::Tensor each(const at::Tensor& output, const at::Tensor& target) const {
      return rg::CrossEntropy{}.each(output, target) * 10;
    }
  };
  rg::GradientNoiseScale measure{.data = samples_for_mlp(), .draws = fixed_draws(16)};
  const rg::Numbers plain = measure(relu_mlp());
  const rg::Numbers rescaled = measure(relu_mlp(1, 4));
  measure.how.loss = Tenfold{};
  const rg::Numbers tenfold = measure(relu_mlp());
  for (const char* const name : {"scale", "scale_low", "scale_high", "plug_in", "coherence"}) {
    CAPTURE(name);
    CHECK((tenfold.at(name) == plain.at(name) || tenfold.at(name) == Approx(plain.at(name)).epsilon(1e-9)));
  }
  CHECK(tenfold.at("variance") == Approx(100 * plain.at("variance")).epsilon(1e-9));
  CHECK(std::abs(rescaled.at("coherence") / plain.at("coherence") - 1) > 0.02);
  CHECK(std::abs(rescaled.at("variance") / plain.at("variance") - 1) > 0.5);
}

TEST_CASE("gradient noise: names are those of its numbers, and one sample is refused") {
  const rg::GradientNoiseScale measure = with_gradients(four_gradients());
  const rg::Numbers numbers = rg::AnyMeasure(measure).numbers("noise", rg::Probe(linear_at_zero(2, 1)));
  CHECK(numbers.size() == 8);
  CHECK(numbers.count("noise_scale") == 1);
  check_error([] { (void)with_gradients(torch::ones({1, 2}, torch::kDouble))(linear_at_zero(2, 1)); },
              {"GradientNoiseScale: the number of samples", "at least 2"});
  check_error([] { (void)rg::GradientNoiseScale{}(linear_at_zero(2, 1)); }, {"GradientNoiseScale takes data"});
}

}  // namespace gradient_noise_scale_test
