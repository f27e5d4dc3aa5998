// Soft rank and Takeuchi's trace against matrices in memory.
#include "support/gradients.hpp"
#include "support/tensors.hpp"

#include <cmath>
#include <memory>
#include <vector>

#include <regimen/regimen.hpp>

namespace soft_rank_test {

namespace {

namespace rg = regimen;
using rg::Curvature;

/// The Gauss-Newton matrix of the cross entropy, from the Jacobian of the outputs of 3 classes.
template <class M>
at::Tensor gauss_newton(M& net, const rg::Batch& data) {
  const at::Tensor j = jacobian_of(net, data).view({data.size(), 3, -1});
  const at::Tensor p = net->forward(data.data).detach().softmax(1);
  at::Tensor sum = torch::zeros({j.size(2), j.size(2)}, torch::kDouble);
  for (std::int64_t i = 0; i < data.size(); ++i) {
    sum += j[i].t().mm((p[i].diag() - p[i].outer(p[i])).mm(j[i])) / static_cast<double>(data.size());
  }
  return sum;
}

/// tr H (H + lambda)^-1, by an inverse.
double soft_rank_of(const at::Tensor& h, double lambda) {
  return h.mm(at::linalg_inv(h + lambda * torch::eye(h.size(0), torch::kDouble))).trace().item<double>();
}

/// tr (H + lambda)^-1 C, by an inverse.
double takeuchi_of(const at::Tensor& h, const at::Tensor& gradients, double lambda) {
  const at::Tensor c = gradients.t().mm(gradients) / static_cast<double>(gradients.size(0));
  return at::linalg_inv(h + lambda * torch::eye(h.size(0), torch::kDouble)).mm(c).trace().item<double>();
}

double largest_of(const at::Tensor& h) {
  return at::linalg_eigvalsh(h).max().item<double>();
}

/// Softmax regression on two numbers, with random weights, 6 in all.
torch::nn::Linear regression(std::uint64_t seed) {
  torch::nn::Linear net = linear_at_zero(2, 3);
  torch::manual_seed(seed);
  const at::NoGradGuard no_grad;
  net->weight.normal_();
  return net;
}

rg::Batch samples_for_regression(std::uint64_t seed) {
  rg::Batch data = samples_for_mlp(10, seed);
  data.data = data.data.narrow(1, 0, 2).contiguous();
  return data;
}

}  // namespace

TEST_CASE("soft rank: softmax regression at 0 has 2.6, by three curvatures") {
  const auto net = linear_at_zero(2, 3);
  for (const Curvature curvature : {Curvature::gauss_newton, Curvature::hessian, Curvature::fisher}) {
    rg::SoftRank measure{.data = two_samples(),
                         .curvature = curvature,
                         .lambda = 1.0 / 6,
                         .relative = false,
                         .draws = {.relative = 0.06}};
    const rg::MonteCarloEstimate rank = measure.estimate(net);
    CHECK(holds(rank, 2.6));
    CHECK(rank.value == Approx(2.6).epsilon(0.12));
    measure.lambda = 0.25;  // of the largest, 2/3
    measure.relative = true;
    CHECK(measure.estimate(net).value == Approx(rank.value).epsilon(1e-9));
  }
}

TEST_CASE("soft rank: a network's is that of its Gauss-Newton matrix") {
  auto net = relu_mlp();
  const rg::Batch data = samples_for_mlp();
  const at::Tensor h = gauss_newton(net, data);
  const double truth = soft_rank_of(h, 0.01 * largest_of(h));
  const rg::MonteCarloEstimate rank = rg::SoftRank{.data = data, .steps = 20}.estimate(net);
  CHECK(rank.value == Approx(truth).epsilon(0.15));
  CHECK(rank.passes >= 20 * rank.draws);
  CHECK(truth < 20);
  CHECK(truth > 3);
}

TEST_CASE("soft rank: negative eigenvalues of a Hessian count as 0") {
  const auto net = std::make_shared<Product>(2, 1);  // eigenvalues -.854, 5.854
  rg::SoftRank measure{.data = one_sample(),
                       .how = {.loss = HalfSquares{}},
                       .curvature = Curvature::hessian,
                       .lambda = 1,
                       .relative = false,
                       .draws = {.relative = 0.05}};
  const double largest = (5 + std::sqrt(45)) / 2;
  CHECK(holds(measure.estimate(net), largest / (largest + 1)));
  const auto flat = std::make_shared<Product>(0, 0);  // eigenvalues -1, 1
  measure.how.loss = OutputItself{};
  measure.curvature = Curvature::gauss_newton;  // of a linear loss: 0
  measure.relative = true;
  check_equal(measure(flat), {{"value", 0}, {"half_width", 0}});
}

TEST_CASE("Takeuchi's trace: softmax regression at 0 has 2.6 in every draw, by hand") {
  // (2/3 / (1/6 + lambda) + 8/3 / (2/3 + lambda)) / 2, as the two gradients lie in two eigenspaces
  const auto net = linear_at_zero(2, 3);
  rg::TakeuchiTrace measure{.data = two_samples(), .lambda = 1.0 / 6, .relative = false};
  check_equal(measure(net), {{"value", 2.6}, {"half_width", 0}});
  measure.lambda = 1e-9;
  check_equal(measure(net), {{"value", 4}, {"half_width", 0}}, 1e-7);  // the rank, where H is C
  measure.lambda = 0.25;
  measure.relative = true;
  check_equal(measure(net), {{"value", 2.6}, {"half_width", 0}});
}

TEST_CASE("Takeuchi's trace: a network's is that of matrices in memory") {
  auto net = relu_mlp();
  const rg::Batch data = samples_for_mlp();
  const at::Tensor h = gauss_newton(net, data);
  const double truth = takeuchi_of(h, each_loss_gradient(net, data), 0.05 * largest_of(h));
  const rg::TakeuchiTrace measure{.data = data, .lambda = 0.05, .steps = 20, .draws = {.relative = 0.05}};
  CHECK(measure.estimate(net).value == Approx(truth).epsilon(0.1));
}

TEST_CASE("Takeuchi's trace: 95 % intervals hold it in 95 % of all cases") {
  coverage::check_share(
      [](std::uint64_t i) {
        auto net = regression(i);
        const rg::Batch data = samples_for_regression(i);
        const double truth = takeuchi_of(gauss_newton(net, data), each_loss_gradient(net, data), 0.1);
        const rg::TakeuchiTrace measure{
            .data = data, .lambda = 0.1, .relative = false, .steps = 6, .draws = {.seed = i}};
        return holds(measure.estimate(net), truth);
      },
      10);
}

TEST_CASE("soft rank: 95 % intervals hold it in 95 % of all cases") {
  coverage::check_share(
      [](std::uint64_t i) {
        auto net = regression(i);
        const rg::Batch data = samples_for_regression(i);
        const double truth = soft_rank_of(gauss_newton(net, data), 0.1);
        const rg::SoftRank measure{.data = data, .lambda = 0.1, .relative = false, .steps = 6, .draws = {.seed = i}};
        return holds(measure.estimate(net), truth);
      },
      10);
}

TEST_CASE("soft rank: both are functions of the network, the data and the seed") {
  const auto net = relu_mlp();
  const auto check = [&](auto measure) {
    check_batches(measure, net);
    const rg::Numbers before = measure(net);
    check_equal(measure(net), before, 0);
    measure.draws.seed = 1;
    CHECK(measure(net).at("value") != before.at("value"));
  };
  check(rg::SoftRank{.data = samples_for_mlp(), .steps = 5, .draws = fixed_draws(4)});
  check(rg::TakeuchiTrace{.data = samples_for_mlp(), .steps = 5, .draws = fixed_draws(4)});
}

TEST_CASE("soft rank: a scale of the loss changes nothing if relative, rescaling of ReLU layers changes both") {
  struct Tenfold {
    at::Tensor each(const at::Tensor& output, const at::Tensor& target) const {
      return rg::CrossEntropy{}.each(output, target) * 10;
    }
  };
  rg::SoftRank rank{.data = samples_for_mlp(), .steps = 20, .draws = fixed_draws(4)};
  rg::TakeuchiTrace tic{.data = samples_for_mlp(), .steps = 20, .draws = fixed_draws(4)};
  const double rank_before = rank(relu_mlp()).at("value");
  CHECK(std::abs(rank(relu_mlp(1, 4)).at("value") / rank_before - 1) > 0.05);
  CHECK(std::abs(tic(relu_mlp(1, 4)).at("value") / tic(relu_mlp()).at("value") - 1) > 0.05);
  rank.how.loss = Tenfold{};
  CHECK(rank(relu_mlp()).at("value") == Approx(rank_before).epsilon(1e-6));
}

TEST_CASE("soft rank: settings out of range and missing data are refused") {
  const auto net = relu_mlp();
  const rg::Batch data = samples_for_mlp();
  check_error([&] { (void)rg::SoftRank{.data = data, .lambda = 0}(net); }, {"SoftRank.lambda", "above 0"});
  check_error([&] { (void)rg::SoftRank{.data = data, .steps = 0}(net); }, {"SoftRank.steps", "at least 1"});
  check_error([&] { (void)rg::SoftRank{}(net); }, {"SoftRank takes data"});
  check_error([&] { (void)rg::TakeuchiTrace{.data = data, .lambda = -1}(net); }, {"TakeuchiTrace.lambda", "above 0"});
  check_error([&] { (void)rg::TakeuchiTrace{.data = data, .steps = 0}(net); }, {"TakeuchiTrace.steps"});
  check_error([&] { (void)rg::TakeuchiTrace{}(net); }, {"TakeuchiTrace takes data"});
}

}  // namespace soft_rank_test
