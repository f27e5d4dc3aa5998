// The hat matrix of least squares and ridge regression, against the solutions, by hand and against numpy.

#include "support/tensors.hpp"

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <regimen/regimen.hpp>
#include "support/measured.hpp"

namespace hat_matrix_test {

namespace {

using measured::rows;
using regimen::hat_matrix;

/// Standard normal numbers [n, p] double.
const std::vector<std::pair<int, int>> sizes = {{4, 9}, {9, 4}, {6, 6}, {1, 3}, {3, 1}, {1, 1}};

}  // namespace

TEST_CASE("hat_matrix: of one point and of one feature, by hand") {
  CHECK(furthest(hat_matrix(rows({3, 4}, 2), rows({1, 2, 3, 4}, 2)), rows({11.0 / 25, 1}, 1)) < 1e-15);
  CHECK(furthest(hat_matrix(rows({3, 4}, 2), rows({1, 2}, 2), 5), rows({11.0 / 30}, 1)) < 1e-15);
  CHECK(furthest(hat_matrix(rows({1, 2}, 1), rows({5}, 1)), rows({1, 2}, 2)) < 1e-15);
  CHECK(furthest(hat_matrix(rows({1, 2}, 1), rows({5}, 1), 20), rows({0.2, 0.4}, 2)) < 1e-15);
}

TEST_CASE("hat_matrix: times the labels it predicts what the solutions do") {
  for (const auto& [n, p] : sizes) {
    CAPTURE(n, p);
    const at::Tensor x = drawn(1, n, p);
    const at::Tensor points = drawn(2, 5, p);
    const at::Tensor y = drawn(3, n, 2);
    const at::Tensor h = hat_matrix(x, points);
    CHECK(h.sizes() == at::IntArrayRef({5, n}));
    CHECK(furthest(h.matmul(y), points.matmul(regimen::minimum_norm_solution(x, y))) < 1e-10);
    for (const double penalty : {1e-3, 0.7, 1e4}) {
      CAPTURE(penalty);
      CHECK(furthest(hat_matrix(x, points, penalty).matmul(y), points.matmul(regimen::ridge_solution(x, y, penalty))) <
            1e-10);
    }
  }
}

TEST_CASE("hat_matrix: at the training points it projects, with the trace of the rank") {
  for (const auto& [n, p] : sizes) {
    CAPTURE(n, p);
    const at::Tensor x = drawn(4, n, p);
    const at::Tensor h = hat_matrix(x, x);
    CHECK(furthest(h, h.t()) < 1e-11);
    CHECK(furthest(h.matmul(h), h) < 1e-11);
    CHECK(h.trace().item<double>() == Approx(std::min(n, p)).epsilon(1e-11));
    if (n <= p) {
      CHECK(furthest(h, at::eye(n, at::kDouble)) < 1e-11);  // each label is given back
    }
  }
}

TEST_CASE("hat_matrix: the trace of ridge regression is the sum of s^2 / (s^2 + penalty)") {
  for (const auto& [n, p] : sizes) {
    CAPTURE(n, p);
    const at::Tensor x = drawn(5, n, p);
    const at::Tensor squares = at::linalg_svdvals(x).square();
    const at::Tensor h = hat_matrix(x, x, 2.5);
    CHECK(h.trace().item<double>() == Approx((squares / (squares + 2.5)).sum().item<double>()).epsilon(1e-12));
    CHECK(furthest(h, h.t()) < 1e-12);
  }
}

TEST_CASE("hat_matrix: for n > p a training point's leverage is q / (1 + q) of the others' q") {
  // What MembershipModel stands on: q = |h|^2 of the hat matrix without the point.
  const at::Tensor x = drawn(6, 12, 5);
  const at::Tensor of_others = hat_matrix(x.slice(0, 1), x.slice(0, 0, 1));
  const double q = of_others.square().sum().item<double>();
  const at::Tensor h = hat_matrix(x, x.slice(0, 0, 1)).squeeze(0);
  CHECK(h[0].item<double>() == Approx(q / (1 + q)).epsilon(1e-12));
  CHECK(furthest(h.slice(0, 1), of_others.squeeze(0) / (1 + q)) < 1e-13);
}

TEST_CASE("hat_matrix: many training sets and points are each as alone") {
  for (const auto& [n, p] : {std::pair{3, 5}, std::pair{5, 3}}) {
    CAPTURE(n, p);
    const at::Tensor sets = drawn(7, 6 * n, p).view({2, 3, n, p});
    const at::Tensor points = drawn(8, 24, p).view({2, 3, 4, p});
    for (const double penalty : {0.0, 0.3}) {
      CAPTURE(penalty);
      const at::Tensor both = hat_matrix(sets, points, penalty);
      const at::Tensor one_of_points = hat_matrix(sets, points[1][2], penalty);
      const at::Tensor one_set = hat_matrix(sets[1][2], points, penalty);
      const at::Tensor crossed = hat_matrix(sets.narrow(1, 0, 1), points[0], penalty);
      for (const at::Tensor& h : {both, one_of_points, one_set, crossed}) {
        CHECK(h.sizes() == at::IntArrayRef({2, 3, 4, n}));
      }
      for (int i = 0; i < 2; ++i) {
        for (int j = 0; j < 3; ++j) {
          CHECK(furthest(both[i][j], hat_matrix(sets[i][j], points[i][j], penalty)) < 1e-11);
          CHECK(furthest(one_of_points[i][j], hat_matrix(sets[i][j], points[1][2], penalty)) < 1e-11);
          CHECK(furthest(one_set[i][j], hat_matrix(sets[1][2], points[i][j], penalty)) < 1e-11);
          CHECK(furthest(crossed[i][j], hat_matrix(sets[i][0], points[0][j], penalty)) < 1e-11);
        }
      }
    }
  }
}

TEST_CASE("hat_matrix: float inputs give double, and neither gradients nor changes") {
  const at::Tensor x = drawn(9, 4, 7).to(at::kFloat).requires_grad_();
  const at::Tensor points = drawn(10, 2, 7);
  const at::Tensor before = x.detach().clone();
  const at::Tensor h = hat_matrix(x, points.clone().requires_grad_());
  CHECK(h.scalar_type() == at::kDouble);
  CHECK_FALSE(h.requires_grad());
  CHECK(same(h, hat_matrix(x.detach().to(at::kDouble), points)));
  CHECK(same(x.detach(), before));
}

TEST_CASE("hat_matrix: columns and rows of any scale are of full rank") {
  const at::Tensor scales = at::tensor({1e-6, 1.0, 1e5}, at::kDouble);
  for (const bool tall : {true, false}) {
    CAPTURE(tall);
    const at::Tensor x = drawn(11, 8, 3) * scales;
    const at::Tensor h = tall ? hat_matrix(x, x) : hat_matrix(x.t(), x.t());
    CHECK(h.trace().item<double>() == Approx(3).epsilon(1e-9));
  }
}

TEST_CASE("hat_matrix: of 16 digits those of the condition number's square are lost") {
  // The third column is the first one but for 1e-5: the Gram matrix has a condition number of some 1e10.
  const at::Tensor two = drawn(12, 9, 2);
  const at::Tensor near = at::cat({two, two.narrow(1, 0, 1) + 1e-5 * drawn(13, 9, 1)}, 1);
  const at::Tensor points = drawn(14, 3, 3);
  const at::Tensor expected = points.matmul(regimen::minimum_norm_solution(near, at::eye(9, at::kDouble)));
  const at::Tensor h = hat_matrix(near, points);
  CHECK(furthest(h, expected) < 1e-4 * expected.abs().max().item<double>());
}

TEST_CASE("hat_matrix: a design without full rank is an error, without a penalty, and none with one") {
  for (int seed = 0; seed < 100; ++seed) {
    CAPTURE(seed);
    const at::Tensor thin = drawn(2 * seed + 100, 6, 2).matmul(drawn(2 * seed + 101, 2, 4));
    for (const at::Tensor& x : {thin, thin.t().contiguous(), thin * 1e8, thin * 1e-8, thin.slice(0, 0, 4),
                                at::stack({thin, drawn(seed, 6, 4)})}) {
      check_error([&] { (void)hat_matrix(x, x); }, {"full rank", "takes a penalty above 0", "minimum_norm_solution"});
    }
    const at::Tensor h = hat_matrix(thin, thin, 0.1);
    CHECK(furthest(h, thin.matmul(regimen::ridge_solution(thin, at::eye(6, at::kDouble), 0.1))) < 1e-10);
    check_error([&] { (void)hat_matrix(thin, thin, 1e-18); }, {"full rank", "larger penalty"});
  }
  check_error([] { (void)hat_matrix(at::zeros({2, 3}, at::kDouble), at::ones({1, 3}, at::kDouble)); }, {"full rank"});
  CHECK(furthest(hat_matrix(at::zeros({2, 3}, at::kDouble), at::ones({1, 3}, at::kDouble), 1), at::zeros({1, 2})) == 0);
}

TEST_CASE("hat_matrix: a column that is a sum but for the rounding of float is no rank") {
  for (int seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    const at::Tensor two = drawn(seed + 1, 20, 2).to(at::kFloat);
    const at::Tensor x = at::cat({two, two.sum(1, /*keepdim=*/true)}, 1);
    check_error([&] { (void)hat_matrix(x, x); }, {"full rank"});
    CHECK(hat_matrix(x, x, 1e-6).trace().item<double>() == Approx(2).epsilon(1e-4));
  }
}

TEST_CASE("hat_matrix: other shapes and types, numbers and penalties are errors") {
  const at::Tensor x = drawn(1, 3, 5);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  check_error([&] { (void)hat_matrix(x, drawn(1, 2, 4)); },
              {"hat_matrix takes X of [..., n, p]", "not [3, 5] double and [2, 4] double"});
  check_error([&] { (void)hat_matrix(x[0], x); }, {"[..., n, p]", "not [5] double"});
  check_error([&] { (void)hat_matrix(x, x[0]); }, {"[..., m, p]", "and [5] double"});
  check_error([&] { (void)hat_matrix(x, at::Tensor()); }, {"undefined"});
  check_error([&] { (void)hat_matrix(x.to(at::kLong), x); }, {"floating", "[3, 5] long"});
  check_error([&] { (void)hat_matrix(x, at::empty({0, 5}, at::kDouble)); }, {"[0, 5] double"});
  check_error([&] { (void)hat_matrix(x.expand({2, 3, 5}), x.expand({3, 3, 5})); },
              {"leading dimensions", "[2, 3, 5] double", "[3, 3, 5] double"});
  check_error([&] { (void)hat_matrix(x * nan, x); }, {"hat_matrix takes numbers that are finite"});
  check_error([&] { (void)hat_matrix(x, x / 0); }, {"hat_matrix takes numbers that are finite"});
  check_error([&] { (void)hat_matrix(x, x, -1); }, {"hat_matrix: penalty must be at least 0 and finite, but is -1"});
  check_error([&] { (void)hat_matrix(x, x, nan); }, {"penalty", "is nan"});
}

}  // namespace hat_matrix_test
