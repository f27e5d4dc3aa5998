// Gradient descent, ridge and risk of least squares; the two parts of an interpolator. Numbers of a design of 3 samples
// and 5 features are numpy's.

#include "support/tensors.hpp"

#include <cmath>
#include <vector>

#include <regimen/regimen.hpp>
#include "support/measured.hpp"

namespace least_squares_test {

namespace {

using measured::rows;

at::Tensor vector(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble);
}

at::Tensor design() {
  return rows({1, 0, 2, -1, 0.5, 0, 1, -1, 2, 1, 2, 1, 0, 0, -1}, 5);
}

at::Tensor labels() {
  return vector({1, 2, -1});
}

at::Tensor start() {
  return vector({1, -1, 0.5, 2, 0});
}

}  // namespace

TEST_CASE("least_squares_descent: from 0 and from elsewhere it ends at numpy's limits") {
  const regimen::Descent zero = regimen::least_squares_descent(design(), labels());
  CHECK(furthest(zero.w, vector({-0.06060606060606, 0.25541125541126, 0.53246753246753, 0.57142857142857,
                                 1.13419913419913})) < 1e-11);
  const at::Tensor w_0 = start();
  const regimen::Descent other = regimen::least_squares_descent(design(), labels(), w_0);
  CHECK(furthest(other.w, vector({0.48484848484848, -1.32900432900433, 1.02597402597403, 1.85714285714286,
                                  0.64069264069264})) < 1e-11);
  CHECK(other.has_ended);
  CHECK(other.w.scalar_type() == at::kDouble);
  CHECK(same(w_0, start()));  // the caller's is not moved
  CHECK(zero.rate == Approx(0.15274201519015249).epsilon(1e-12));
  CHECK(zero.condition == Approx(3.8311238413292705).epsilon(1e-12));
  CHECK(zero.steps > 30);
  CHECK(zero.steps < 14 * zero.condition + 10);
}

TEST_CASE("least_squares_descent: more samples than features end at the one solution, whatever the start") {
  const at::Tensor x = design().t().contiguous();
  const at::Tensor y = vector({1, 2, -1, 0, 3});
  const at::Tensor solution = at::linalg_solve(x.t().matmul(x), x.t().matmul(y));
  CHECK(furthest(regimen::least_squares_descent(x, y).w, solution) < 1e-11);
  CHECK(furthest(regimen::least_squares_descent(x, y, vector({5, -3, 1})).w, solution) < 1e-10);
}

TEST_CASE("least_squares_descent: equal rows, exact starts and limits") {
  const at::Tensor twice = rows({3, 4, 3, 4}, 2);
  const regimen::Descent mean = regimen::least_squares_descent(twice, vector({4, 6}));
  CHECK(furthest(mean.w, vector({0.6, 0.8})) < 1e-14);
  CHECK(mean.condition == Approx(1));
  CHECK(mean.steps <= 2);
  const regimen::Descent solved = regimen::least_squares_descent(twice, vector({25, 25}), vector({3, 4}));
  CHECK(solved.steps == 0);
  CHECK(solved.has_ended);
  const regimen::Descent early = regimen::least_squares_descent(design(), labels(), {}, {.steps = 1});
  CHECK(early.steps == 1);
  CHECK_FALSE(early.has_ended);
  CHECK(furthest(early.w, early.rate * design().t().matmul(labels())) < 1e-14);
}

TEST_CASE("minimum_norm_risk: it takes for rounding what minimum_norm_solution does") {
  torch::manual_seed(3);
  for (int trial = 0; trial < 200; ++trial) {
    for (const auto& [n, p] : {std::pair{4, 4}, std::pair{3, 5}, std::pair{8, 6}}) {
      const at::Tensor x = torch::randn({n, 2}).matmul(torch::randn({2, p}));  // float, of rank 2
      const double variance = regimen::minimum_norm_risk(x, torch::ones({p}), torch::zeros({p})).variance;
      // The risk of unit noise in each label alone, added up.
      const at::Tensor inverse = regimen::minimum_norm_solution(x, torch::eye(n));
      CHECK(variance == Approx(inverse.square().sum().item<double>()).epsilon(1e-6));
    }
  }
  const at::Tensor x = torch::tensor({{1.0, 0.0}, {0.0, 1e-9}}, torch::kDouble);
  const at::Tensor ones = torch::ones({2}, torch::kDouble);
  CHECK(regimen::minimum_norm_risk(x, ones, ones).variance == Approx(1e18));
}

TEST_CASE("least_squares_descent: from its own limit it ends at once, and where labels have noise") {
  torch::manual_seed(4);
  const at::Tensor x = torch::randn({10, 40}, torch::kDouble), y = torch::randn({10}, torch::kDouble);
  const at::Tensor limit = regimen::minimum_norm_solution(x, y);
  const regimen::Descent again = regimen::least_squares_descent(x, y, limit);
  CHECK(again.has_ended);
  CHECK(again.steps < 5);
  CHECK(furthest(again.w, limit) < 1e-12);
  const regimen::Descent tall = regimen::least_squares_descent(x.t().contiguous(), torch::randn({40}, torch::kDouble));
  CHECK(tall.has_ended);
}

TEST_CASE("minimum_norm_risk: numpy's bias and variance, of wide, tall and deficient designs") {
  const auto wide = regimen::minimum_norm_risk(design(), vector({4, 2, 1, 0.5, 0.25}), vector({1, 0.5, -1, 0, 2}));
  CHECK(wide.bias == Approx(3.673553719008266).epsilon(1e-12));
  CHECK(wide.variance == Approx(0.796143250688705).epsilon(1e-12));
  const at::Tensor three = vector({3, 1, 0.5});
  const auto tall = regimen::minimum_norm_risk(design().t(), three, vector({1, -2, 3}), 2);
  CHECK(tall.bias == Approx(0).margin(1e-20));
  CHECK(tall.variance == Approx(2 * 1.0216450216450215).epsilon(1e-12));
  const auto deficient = regimen::minimum_norm_risk(rows({1, 2, 0, 2, 4, 0}, 3), three, at::ones({3}, at::kDouble));
  CHECK(deficient.bias == Approx(3 * 0.16 + 0.04 + 0.5).epsilon(1e-12));
  CHECK(deficient.variance == Approx(0.056).epsilon(1e-12));
}

TEST_CASE("minimum_norm_risk: the mean of what draws of the noise cost") {
  const regimen::GaussianFeatures clean{.spectrum = {2, 1, 1, 0.5, 0.5, 0.25}, .theta = at::ones({6}, at::kDouble)};
  const regimen::Batch train = clean.sample(4, 1);
  const auto risk = regimen::minimum_norm_risk(train.data, clean.variances(), clean.theta, 0.09);
  const at::Tensor noise = regimen::Key(2, at::arange(4, at::kLong)).normal({20000}).to(at::kDouble) * 0.3;
  const at::Tensor w = regimen::minimum_norm_solution(train.data, train.target.unsqueeze(1) + noise);
  const at::Tensor risks = ((w - 1).square() * clean.variances().unsqueeze(1)).sum(0);
  const double error = risks.std().item<double>() / std::sqrt(20000.0);
  CHECK(std::abs(risks.mean().item<double>() - risk.total()) < 5 * error);
  CHECK(error < 0.02 * risk.total());
  const at::Tensor without = regimen::minimum_norm_solution(train.data, train.target);
  CHECK(clean.excess_risk(without) == Approx(risk.bias).epsilon(1e-10));
}

TEST_CASE("ridge_solution: numpy's, wide and tall, and the minimum norm as its limit") {
  CHECK(furthest(regimen::ridge_solution(design(), labels(), 0.7),
                 vector({-0.06401686, 0.20843101, 0.39648776, 0.48087887, 0.90937505})) < 1e-8);
  const at::Tensor tall = regimen::ridge_solution(design().t(), vector({0, 1, 2, 3, 4}), 0.7);
  CHECK(furthest(tall, vector({1.54531826, 1.87124856, -0.79372797})) < 1e-8);
  const at::Tensor both = at::stack({labels(), labels() * 3}, 1);
  CHECK(furthest(regimen::ridge_solution(design(), both, 0.7).select(1, 1),
                 3 * regimen::ridge_solution(design(), labels(), 0.7)) < 1e-14);
  CHECK(furthest(regimen::ridge_solution(design(), labels(), 1e-10),
                 regimen::minimum_norm_solution(design(), labels())) < 1e-9);
}

TEST_CASE("SimpleAndSpiky: the parts are those of the first and the other features, and sum to all") {
  const regimen::SimpleAndSpiky f(vector({1, 2, 3, 4, 5}), 2);
  CHECK(furthest(f.simple(design()), vector({1, 2, 4})) < 1e-15);
  CHECK(furthest(f.spiky(design()), vector({6 - 4 + 2.5, -3 + 8 + 5, -5})) < 1e-15);
  CHECK(furthest(f(design()), design().matmul(vector({1, 2, 3, 4, 5}))) < 1e-14);
  CHECK(same(f.simple_weights(), vector({1, 2})));
  CHECK(same(f.spiky_weights(), vector({3, 4, 5})));
}

TEST_CASE("SimpleAndSpiky: over a long tail the simple part is ridge regression with the tail's sum as penalty") {
  const double tail = 20;
  const regimen::GaussianFeatures data{.spectrum = regimen::spiked_spectrum(3, 20000, tail),
                                       .theta = at::cat({at::ones({3}), at::zeros({19997})}),
                                       .noise = 0.5};
  const regimen::Batch train = data.sample(20, 1);
  const regimen::Batch test = data.sample(20, 2);
  const regimen::SimpleAndSpiky f(regimen::minimum_norm_solution(train.data, train.target), 3);
  CHECK(furthest(f(train.data), train.target) < 1e-10);
  const at::Tensor head = train.data.narrow(1, 0, 3);
  CHECK(furthest(f.simple_weights(), regimen::ridge_solution(head, train.target, tail)) < 0.03);
  CHECK(furthest(f.simple_weights(), regimen::ridge_solution(head, train.target, tail / 4)) > 0.1);
  const double here = f.spiky(train.data).square().mean().item<double>();
  CHECK(f.spiky(test.data).square().mean().item<double>() < 0.02 * here);
}

TEST_CASE("least squares: other shapes, NaN, zeros and limits are errors") {
  const at::Tensor x = design();
  const at::Tensor y = labels();
  const at::Tensor five = at::ones({5}, at::kDouble);
  check_error([&] { (void)regimen::least_squares_descent(x, five); },
              {"least_squares_descent", "[n, p]", "[5] double"});
  check_error([&] { (void)regimen::least_squares_descent(x, y, y); }, {"w_0 of [p]", "[3] double"});
  check_error([&] { (void)regimen::least_squares_descent(x, y * NAN); }, {"least_squares_descent", "finite"});
  check_error([&] { (void)regimen::least_squares_descent(x * 0, y); }, {"largest", "above 0, but is 0"});
  check_error([&] { (void)regimen::least_squares_descent(x, y, {}, {.tolerance = 1}); },
              {"DescentLimits.tolerance", "in [0, 1)", "is 1"});
  check_error([&] { (void)regimen::least_squares_descent(x, y, {}, {.steps = -1}); }, {"DescentLimits.steps"});
  check_error([&] { (void)regimen::minimum_norm_risk(x, y, five); }, {"minimum_norm_risk", "[3] double"});
  check_error([&] { (void)regimen::minimum_norm_risk(x, five * NAN, five); }, {"minimum_norm_risk", "finite"});
  check_error([&] { (void)regimen::minimum_norm_risk(x, -five, five); }, {"least entry of spectrum", "at least 0"});
  check_error([&] { (void)regimen::minimum_norm_risk(x, five, five, -1); }, {"noise_variance", "at least 0", "is -1"});
  check_error([&] { (void)regimen::ridge_solution(x, five, 1); }, {"ridge_solution", "[5] double"});
  check_error([&] { (void)regimen::ridge_solution(x * NAN, y, 1); }, {"ridge_solution", "finite"});
  check_error([&] { (void)regimen::ridge_solution(x, y, 0); }, {"penalty", "above 0", "minimum_norm_solution"});
  check_error([&] { (void)regimen::SimpleAndSpiky(x, 1); }, {"SimpleAndSpiky takes w of [p]", "[3, 5] double"});
  check_error([&] { (void)regimen::SimpleAndSpiky(five, 5); }, {"head", "in [1, 5)", "is 5"});
  check_error([&] { (void)regimen::SimpleAndSpiky(five, 1).simple(y); }, {"x of [n, 5]", "[3] double"});
}

}  // namespace least_squares_test
