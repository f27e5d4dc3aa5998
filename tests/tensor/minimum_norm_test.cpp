#include "support/tensors.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <regimen/regimen.hpp>
#include "support/measured.hpp"

namespace minimum_norm_test {

namespace {

using measured::rows;
using regimen::minimum_norm_solution;

}  // namespace

TEST_CASE("minimum_norm_solution: one equation, and a mean, by hand") {
  CHECK(furthest(minimum_norm_solution(rows({1, 1}, 2), at::tensor({2.0}, at::kDouble)), at::ones({2})) < 1e-15);
  CHECK(furthest(minimum_norm_solution(rows({1, 1}, 1), at::tensor({1.0, 3.0}, at::kDouble)), at::full({1}, 2)) <
        1e-15);
}

TEST_CASE("minimum_norm_solution: it interpolates and equals X'(XX')^-1 y") {
  const at::Tensor x = regimen::Key(1, at::arange(5, at::kLong)).normal({12}).to(at::kDouble);
  const at::Tensor y = regimen::Key(2, at::arange(5, at::kLong)).normal({3}).to(at::kDouble);
  const at::Tensor w = minimum_norm_solution(x, y);
  CHECK(w.sizes() == at::IntArrayRef({12, 3}));
  CHECK(furthest(x.matmul(w), y) < 1e-12);
  CHECK(furthest(w, x.t().matmul(at::linalg_inv(x.matmul(x.t()))).matmul(y)) < 1e-12);
  CHECK(furthest(minimum_norm_solution(x, y.select(1, 1)), w.select(1, 1)) < 1e-15);
  CHECK(minimum_norm_solution(x.to(at::kFloat), y.to(at::kFloat)).scalar_type() == at::kDouble);
}

TEST_CASE("minimum_norm_solution: it is where gradient descent from 0 ends") {
  const at::Tensor x = regimen::Key(3, at::arange(4, at::kLong)).normal({9}).to(at::kDouble);
  const at::Tensor y = at::tensor({1.0, -1.0, 1.0, 1.0}, at::kDouble);
  at::Tensor w = at::zeros({9}, at::kDouble);
  for (int step = 0; step < 5000; ++step) {
    w = w - 0.05 * x.t().matmul(x.matmul(w) - y);
  }
  CHECK(furthest(w, minimum_norm_solution(x, y)) < 1e-9);
}

TEST_CASE("minimum_norm_solution: directions within the tolerance count nothing") {
  const at::Tensor twice = rows({3, 4, 3, 4}, 2);
  const at::Tensor w = minimum_norm_solution(twice, at::tensor({4.0, 6.0}, at::kDouble));
  CHECK(furthest(w, at::tensor({0.6, 0.8}, at::kDouble)) < 1e-14);
  const at::Tensor steep = rows({1, 0, 0, 1e-3}, 2);
  const at::Tensor y = at::ones({2}, at::kDouble);
  CHECK(furthest(minimum_norm_solution(steep, y), at::tensor({1.0, 1000.0}, at::kDouble)) < 1e-9);
  CHECK(furthest(minimum_norm_solution(steep, y, 1e-2), at::tensor({1.0, 0.0}, at::kDouble)) < 1e-15);
  CHECK(furthest(minimum_norm_solution(at::zeros({2, 3}, at::kDouble), y), at::zeros({3})) == 0);
}

TEST_CASE("minimum_norm_solution: in float, directions of rounding count nothing") {
  // The third column is the sum of the others but for float's rounding. Then the solution for y = X (1, 1, 0)' is the
  // projection of (1, 1, 0) on the rows' space: off (1, 1, -1) by 2 / 3 of it.
  const at::Tensor two = regimen::Key(5, at::arange(20, at::kLong)).normal({2});
  const at::Tensor x = at::cat({two, two.sum(1, /*keepdim=*/true)}, 1) * 0.1F;
  const at::Tensor y = x.to(at::kDouble).slice(1, 0, 2).sum(1);
  const at::Tensor noisy = y + 1e-3 * regimen::Key(6, at::arange(20, at::kLong)).normal({1}).squeeze(1);
  CHECK(furthest(minimum_norm_solution(x, y), at::tensor({1.0 / 3, 1.0 / 3, 2.0 / 3}, at::kDouble)) < 1e-5);
  CHECK(furthest(minimum_norm_solution(x, noisy), at::tensor({1.0 / 3, 1.0 / 3, 2.0 / 3}, at::kDouble)) < 0.05);
  CHECK(minimum_norm_solution(x, noisy, 1e-14).abs().max().item<double>() > 1);  // unless they are asked for
}

TEST_CASE("minimum_norm_solution: other shapes, NaN and tolerances are errors") {
  const at::Tensor x = rows({1, 0, 0, 1}, 2);
  const at::Tensor y = at::ones({2}, at::kDouble);
  check_error([&] { (void)minimum_norm_solution(x, at::ones({3}, at::kDouble)); }, {"[n, d]", "[3] double"});
  check_error([&] { (void)minimum_norm_solution(y, y); }, {"[n, d]", "[2] double"});
  check_error([&] { (void)minimum_norm_solution(x * std::nan(""), y); }, {"finite"});
  check_error([&] { (void)minimum_norm_solution(x, y, 1); }, {"tolerance", "in [0, 1)", "is 1"});
}

}  // namespace minimum_norm_test
