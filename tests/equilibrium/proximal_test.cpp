// Data terms with their proximal operators, and proximal gradient descent.

#include "support/tensors.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <regimen/regimen.hpp>

namespace proximal_test {

namespace {

using regimen::BlurTerm;
using regimen::MaskTerm;
using regimen::MatrixTerm;
using regimen::proximal_descent;
using regimen::ProximalPoint;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

at::Tensor number(double value) {
  return at::full({}, value, at::kDouble);
}

/// A's matrix, column by column, for samples of `shape`.
template <regimen::DataTerm G>
at::Tensor dense(const G& g, at::IntArrayRef shape) {
  std::vector<std::int64_t> all{1};
  all.insert(all.end(), shape.begin(), shape.end());
  const std::int64_t n = at::zeros(all).numel();
  std::vector<at::Tensor> columns;
  for (std::int64_t i = 0; i < n; ++i) {
    at::Tensor unit = at::zeros({n}, at::kDouble);
    unit[i] = 1;
    columns.push_back(g.apply(unit.view(all)).flatten());
  }
  return at::stack(columns, 1);
}

/// What every data term must hold, for x and z in one shape and r in y's.
template <regimen::DataTerm G>
void check_term(const G& g, const at::Tensor& x, const at::Tensor& z, const at::Tensor& r, const at::Tensor& y) {
  using regimen::detail::inner_products;
  CHECK(furthest(inner_products(g.apply(x), r), inner_products(x, g.adjoint(r).view_as(x))) < 1e-11);
  CHECK(furthest(g.value(x), (g.apply(x) - y).flatten(1).square().sum(1) / 2) < 1e-11);
  CHECK(g.value(x).scalar_type() == at::kDouble);
  const at::Tensor from = x.detach().clone().requires_grad_();
  CHECK(furthest(torch::autograd::grad({g.value(from).sum()}, {from})[0], g.slope(x)) < 1e-11);
  const at::Tensor steps = at::linspace(0, 5, x.size(0), at::kDouble);
  std::vector<std::int64_t> beside(static_cast<std::size_t>(x.dim()), 1);
  beside[0] = -1;
  const at::Tensor each = g.prox(z, steps);
  CHECK(furthest(steps.view(beside) * g.slope(each) + each - z, at::zeros_like(z)) < 1e-10);
  const at::Tensor one = g.prox(z, number(0.7));
  CHECK(furthest(0.7 * g.slope(one) + one - z, at::zeros_like(z)) < 1e-10);
  CHECK(furthest(g.prox(z, number(0)), z) < 1e-12);
  // Its derivative by tau, by differences.
  const at::Tensor tau = number(0.7).requires_grad_();
  g.prox(z, tau).sum().backward();
  const double slope =
      ((g.prox(z, number(0.7 + 1e-5)) - g.prox(z, number(0.7 - 1e-5))).sum() / 2e-5).template item<double>();
  CHECK(tau.grad().item<double>() == Approx(slope).epsilon(1e-6));
  CHECK_THROWS_AS(g.prox(z, at::full({x.size(0) + 1}, 1.0, at::kDouble)), regimen::Error);
  CHECK_THROWS_AS(g.prox(z, number(-1)), regimen::Error);
  for (const double lost : {nan, std::numeric_limits<double>::infinity()}) {  // as of a training that diverges
    CHECK_FALSE(g.prox(z, number(lost)).isfinite().all().template item<bool>());
  }
  CHECK_THROWS_AS(g.prox(at::ones({x.size(0), 77}, at::kDouble), number(1)), regimen::Error);
  CHECK_THROWS_AS(g.apply(at::ones({x.size(0), 77}, at::kDouble)), regimen::Error);
}

/// A regularizer with two wells: h = sum of (x^2 - 1)^2 / 4, whose gradient is x^3 - x.
struct Wells {
  [[nodiscard]] at::Tensor value(const at::Tensor& x) const { return (x.square() - 1).square().flatten(1).sum(1) / 4; }
  [[nodiscard]] at::Tensor slope(const at::Tensor& x) const { return x.pow(3) - x; }
};

/// h = c |x|^2 / 2.
struct Square {
  double curvature = 1;

  [[nodiscard]] at::Tensor value(const at::Tensor& x) const { return x.square().flatten(1).sum(1) * (curvature / 2); }
  [[nodiscard]] at::Tensor slope(const at::Tensor& x) const { return x * curvature; }
};

/// The largest rise of an objective [iterations + 1, N] from one step to the next.
double largest_rise(const at::Tensor& objective) {
  return objective.diff(1, 0).max().item<double>();
}

}  // namespace

TEST_CASE("MaskTerm: holds what a data term must, and reads nothing that is hidden") {
  const at::Tensor mask = drawn(1, 4, {3, 5}).gt(0);
  const at::Tensor full = drawn(2, 4, {3, 5});
  const at::Tensor y = at::where(mask, full, at::full_like(full, nan));
  const MaskTerm g(mask, y);
  check_term(g, drawn(3, 4, {3, 5}), drawn(4, 4, {3, 5}), drawn(5, 4, {3, 5}),
             at::where(mask, full, at::zeros_like(full)));
  const at::Tensor x = drawn(3, 4, {3, 5});
  CHECK(furthest(g.value(x), ((x - full).square() * mask).flatten(1).sum(1) / 2) < 1e-12);
  // By hand: seen (1 + 2 * 4) / (1 + 2) = 3, hidden stays.
  const MaskTerm two(at::tensor({1.0, 0.0}, at::kDouble), at::tensor({4.0, 9.0}, at::kDouble).view({1, 2}));
  CHECK(furthest(two.prox(at::tensor({1.0, 1.0}, at::kDouble).view({1, 2}), number(2)),
                 at::tensor({3.0, 1.0}, at::kDouble).view({1, 2})) < 1e-15);
  // One mask for all samples, of any type.
  const at::Tensor row = longs({1, 0, 1, 1, 0});
  CHECK(MaskTerm(row, full).apply(x).equal(x * row));
  CHECK(MaskTerm(row.to(at::kBool), full.to(at::kFloat)).prox(x.to(at::kFloat), number(1)).scalar_type() == at::kFloat);
  check_error([&] { (void)MaskTerm(row * 2, full); }, {"MaskTerm", "0 and 1"});
  check_error([&] { (void)MaskTerm(row.to(at::kDouble) * 0.5, full); }, {"0 and 1"});
  check_error([&] { (void)MaskTerm(at::full({5}, nan), full); }, {"0 and 1"});
  check_error([&] { (void)MaskTerm(longs({1, 0}), full); }, {"MaskTerm", "[4, 3, 5]", "[2]"});
  check_error([&] { (void)MaskTerm(at::Tensor(), full); }, {"undefined"});
  check_error([&] { (void)MaskTerm(at::ones({2, 4, 3, 5}), full); }, {"[2, 4, 3, 5]"});
  check_error([&] { (void)MaskTerm(at::ones({3}), at::ones({0, 3})); }, {"MaskTerm: y", "at least one number"});
}

TEST_CASE("BlurTerm: is the circular convolution, written out") {
  for (const std::int64_t length : {1, 2, 3, 6, 7}) {
    CAPTURE(length);
    const at::Tensor kernel = drawn(1, length, {1}).flatten();
    const at::Tensor x = drawn(2, 2, {7});
    const BlurTerm g(kernel, at::zeros({2, 7}, at::kDouble));
    at::Tensor expected = at::zeros({2, 7}, at::kDouble);
    for (std::int64_t i = 0; i < 7; ++i) {
      for (std::int64_t k = 0; k < length; ++k) {
        const std::int64_t j = k - length / 2;
        expected.select(1, i).add_(kernel[k] * x.select(1, ((i - j) % 7 + 7) % 7));
      }
    }
    CHECK(furthest(g.apply(x), expected) < 1e-12);
  }
  const at::Tensor kernel = drawn(3, 3, {2});
  const at::Tensor image = drawn(4, 2, {5, 6});
  at::Tensor expected = at::zeros({2, 5, 6}, at::kDouble);
  for (std::int64_t a = 0; a < 3; ++a) {
    for (std::int64_t b = 0; b < 2; ++b) {
      expected += kernel[a][b] * image.roll({a - 1, b - 1}, {1, 2});
    }
  }
  CHECK(furthest(BlurTerm(kernel, image).apply(image), expected) < 1e-12);
  const at::Tensor in_float = BlurTerm(kernel, image.to(at::kFloat)).apply(image.to(at::kFloat));
  CHECK(in_float.scalar_type() == at::kFloat);
  CHECK(furthest(in_float, expected) < 1e-5);
}

TEST_CASE("BlurTerm: holds what a data term must, of signals and images, also strided ones") {
  for (const std::int64_t n : {8, 9}) {
    const at::Tensor kernel = drawn(5, 5, {1}).flatten();
    const at::Tensor y = drawn(6, 3, {n});
    check_term(BlurTerm(kernel, y), drawn(7, 3, {n}), drawn(8, 3, {n}), drawn(9, 3, {n}), y);
  }
  const at::Tensor images = drawn(10, 3, {2, 6, 5});
  check_term(BlurTerm(drawn(11, 3, {3}), images), drawn(12, 3, {2, 6, 5}), drawn(13, 3, {2, 5, 6}).transpose(2, 3),
             drawn(14, 3, {2, 6, 5}), images);
  // Against a dense solve.
  const at::Tensor y = drawn(15, 1, {6});
  const BlurTerm g(drawn(16, 3, {1}).flatten(), y);
  const at::Tensor a = dense(g, {6});
  const at::Tensor z = drawn(17, 1, {6});
  const at::Tensor solved =
      at::linalg_solve(at::eye(6, at::kDouble) + 1.7 * a.t().matmul(a), (z + 1.7 * y.matmul(a)).t()).t();
  CHECK(furthest(g.prox(z, number(1.7)), solved) < 1e-12);
  const at::Tensor long_kernel = at::ones({7}, at::kDouble);
  check_error([&] { (void)BlurTerm(long_kernel, y); }, {"BlurTerm", "[7]", "[1, 6]"});
  check_error([&] { (void)BlurTerm(at::ones({2, 2}), y); }, {"BlurTerm", "[2, 2]"});
  check_error([&] { (void)BlurTerm(at::ones({2, 2, 2}), images); }, {"BlurTerm"});
  check_error([&] { (void)BlurTerm(at::ones({2}, at::kLong), y); }, {"BlurTerm"});
  check_error([&] { (void)BlurTerm(at::ones({2}), y.to(at::kHalf)); }, {"BlurTerm"});
  check_error([&] { (void)BlurTerm(at::Tensor(), y); }, {"undefined"});
}

TEST_CASE("MatrixTerm: holds what a data term must, wide, tall and of low rank") {
  for (const auto& [m, n] : std::vector<std::pair<std::int64_t, std::int64_t>>{{4, 7}, {7, 4}, {5, 5}}) {
    CAPTURE(m, n);
    const at::Tensor a = drawn(18, m, {n});
    const at::Tensor y = drawn(19, 3, {m});
    check_term(MatrixTerm(a, y), drawn(20, 3, {n}), drawn(21, 3, {n}), drawn(22, 3, {m}), y);
    const at::Tensor flat = drawn(18, m, {1}).matmul(drawn(23, 1, {n}));
    check_term(MatrixTerm(flat, y), drawn(20, 3, {n}), drawn(21, 3, {n}), drawn(22, 3, {m}), y);
    const at::Tensor z = drawn(21, 3, {n});
    const at::Tensor solved =
        at::linalg_solve(at::eye(n, at::kDouble) + 2.5 * a.t().matmul(a), (z + 2.5 * y.matmul(a)).t()).t();
    CHECK(furthest(MatrixTerm(a, y).prox(z, number(2.5)), solved) < 1e-12);
  }
  // Images as samples; Tikhonov is prox at 0.
  const at::Tensor a = drawn(24, 3, {6});
  const at::Tensor y = drawn(25, 2, {3});
  const MatrixTerm g(a, y);
  CHECK(g.slope(drawn(26, 2, {2, 3})).sizes() == at::IntArrayRef({2, 2, 3}));
  const at::Tensor tikhonov = g.prox(at::zeros({2, 6}, at::kDouble), number(1 / 0.3));
  CHECK(furthest(tikhonov, regimen::ridge_solution(a, y.t(), 0.3).t()) < 1e-12);
  check_error([&] { (void)MatrixTerm(a, drawn(25, 2, {4})); }, {"MatrixTerm", "[3, 6]", "[2, 4]"});
  check_error([&] { (void)MatrixTerm(a, y.to(at::kFloat)); }, {"MatrixTerm", "float"});
  check_error([&] { (void)g.apply(at::ones({3, 6}, at::kDouble)); }, {"MatrixTerm", "[2, ...] with 6", "[3, 6]"});
}

TEST_CASE("proximal_descent: a quadratic's minimum in closed form") {
  const at::Tensor a = drawn(30, 5, {8});
  const at::Tensor y = drawn(31, 4, {5});
  const MatrixTerm g(a, y);
  const ProximalPoint point =
      proximal_descent(g, Square{}, at::zeros({4, 8}, at::kDouble), {.strength = 0.2, .step = 2, .tolerance = 1e-12});
  CHECK(furthest(point.solution(), regimen::ridge_solution(a, y.t(), 0.2).t()) < 1e-9);
  CHECK(point.objective.sizes() == at::IntArrayRef({point.iterations + 1, 4}));
  CHECK(point.objective.scalar_type() == at::kDouble);
  CHECK(furthest(point.objective[0], y.square().sum(1) / 2) < 1e-12);
  CHECK(largest_rise(point.objective) < 1e-12);
  CHECK(point.halvings.eq(0).all().item<bool>());
  CHECK(point.step.eq(2).all().item<bool>());
}

TEST_CASE("proximal_descent: the objective never rises, also where h is not convex") {
  const at::Tensor a = drawn(32, 6, {10});
  const at::Tensor y = drawn(33, 5, {6}) * 2;
  const MatrixTerm g(a, y);
  for (const double step : {0.1, 1.0, 10.0, 1000.0}) {
    CAPTURE(step);
    const ProximalPoint point = proximal_descent(
        g, Wells{}, drawn(34, 5, {10}) * 3, {.strength = 0.8, .step = step, .tolerance = 1e-7, .iterations = 20000});
    CHECK(point.converged.all().item<bool>());
    CHECK(largest_rise(point.objective) < 1e-9);
    const at::Tensor slope = g.slope(point.solution()) + 0.8 * Wells{}.slope(point.solution());
    CHECK(slope.abs().max().item<double>() < 1e-4);
    CHECK(furthest(point.objective[-1], g.value(point.last()) + 0.8 * Wells{}.value(point.last())) < 1e-12);
  }
}

TEST_CASE("proximal_descent: backtracking rescues a step that is too long") {
  // rho = tau lambda = 3 with L = 1: beyond 2 / L the plain iteration leaves the minimum.
  const MaskTerm g(at::zeros({4}), at::zeros({2, 4}, at::kDouble));  // nothing seen, so that h acts alone
  const at::Tensor x_0 = drawn(35, 2, {4});
  const auto plain = [&](const at::Tensor& x) { return proximal_step(g, Square{}, x, 3, 1); };
  const regimen::FixedPoint by_picard = regimen::fixed_point(plain, x_0, regimen::Picard{.iterations = 50});
  CHECK(by_picard.last().norm().item<double>() > 1e10);
  const ProximalPoint point = proximal_descent(g, Square{}, x_0, {.step = 3, .tolerance = 1e-9, .iterations = 200});
  CHECK(point.solution().abs().max().item<double>() < 1e-8);
  CHECK(point.halvings.eq(1).all().item<bool>());
  CHECK(point.step.eq(1.5).all().item<bool>());
  // Each sample has a step of its own.
  const at::Tensor curvature = at::tensor({1.0, 50.0}, at::kDouble).view({2, 1});
  struct Each {
    at::Tensor curvature;
    [[nodiscard]] at::Tensor value(const at::Tensor& x) const { return (x.square() * curvature).sum(1) / 2; }
    [[nodiscard]] at::Tensor slope(const at::Tensor& x) const { return x * curvature; }
  };
  const ProximalPoint each = proximal_descent(g, Each{curvature}, x_0, {.step = 1});
  CHECK(each.solution().abs().max().item<double>() < 1e-4);
  CHECK(each.halvings[0].item<std::int64_t>() == 0);
  CHECK(each.halvings[1].item<std::int64_t>() == 5);  // 1 / 32 is the first below 2 / 50 (1 - gamma)
}

TEST_CASE("proximal_descent: what a step must lower, and what it counts as, by hand") {
  const MaskTerm g(at::zeros({1}), at::zeros({1, 1}, at::kDouble));
  const at::Tensor x_0 = at::ones({1, 1}, at::kDouble);
  // x = 1 - tau, and (1 - (1 - tau)^2) / 2 >= gamma tau for gamma = .1 up to tau = 1.8, though the objective falls up
  // to 2.
  const auto halvings = [&](double step) {
    return proximal_descent(g, Square{}, x_0, {.step = step, .iterations = 1}).halvings.item<std::int64_t>();
  };
  CHECK(halvings(1.79) == 0);
  CHECK(halvings(1.81) == 1);
  CHECK(halvings(1.99) == 1);
  // From 3 to 1.5: a change of 1.5 to -.5, times two.
  const ProximalPoint point = proximal_descent(g, Square{}, x_0, {.step = 3, .iterations = 2});
  CHECK(point.last().item<double>() == -0.5);
  CHECK(point.residual.item<double>() == Approx(6));
  CHECK(point.step.item<double>() == 1.5);
  CHECK(furthest(point.objective, at::tensor({0.5, 0.5, 0.125}, at::kDouble).view({3, 1})) < 1e-15);
  CHECK(point.evaluations == 2);
}

TEST_CASE("proximal_descent: what rounding allows does not add up") {
  // In float 3e-6 are allowed. A slope of the wrong sign climbs by 5e-7 a step, and may do so six times in all.
  struct Climb {
    [[nodiscard]] at::Tensor value(const at::Tensor& x) const { return 1 + 0.5 * x.to(at::kDouble).sum(1); }
    [[nodiscard]] at::Tensor slope(const at::Tensor& x) const { return -at::ones_like(x); }
  };
  const MaskTerm g(at::zeros({1}), at::zeros({1, 1}));
  const ProximalPoint point = proximal_descent(g, Climb{}, at::zeros({1, 1}), {.step = 1e-6, .tolerance = 1e-30});
  CHECK((point.objective - point.objective[0]).max().item<double>() < 3.1e-6);
  CHECK(point.objective[-1].item<double>() > 1 + 1e-6);
}

TEST_CASE("proximal_descent: in float rounding makes no false steps smaller") {
  const at::Tensor a = drawn(36, 20, {40});
  const at::Tensor y = drawn(37, 8, {20}) * 5;
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    const MatrixTerm g(a.to(type), y.to(type));
    // The step fits, so that each halving is false; and the iteration goes on long after rounding has taken over.
    const ProximalPoint point = proximal_descent(g, Wells{}, at::zeros({8, 40}, type) + 0.5,
                                                 {.strength = 0.1, .step = 1, .tolerance = 1e-30, .iterations = 3000});
    CHECK(point.halvings.eq(0).all().item<bool>());
    CHECK(point.objective.scalar_type() == at::kDouble);
    const at::Tensor rise = point.objective - std::get<0>(point.objective.cummin(0));
    CHECK((rise / point.objective[-1]).max().item<double>() < (type == at::kFloat ? 3.1e-6 : 1e-14));
  }
}

TEST_CASE("proximal_descent: a limit that is met and a slope that is none are errors") {
  const MaskTerm g(at::ones({3}), drawn(38, 2, {3}));
  const at::Tensor x_0 = at::zeros({2, 3}, at::kDouble);
  const ProximalPoint hasty = proximal_descent(g, Wells{}, x_0 + 1, {.strength = 0.1, .step = 0.1, .iterations = 3});
  CHECK(hasty.iterations == 3);
  CHECK(hasty.objective.size(0) == 4);
  CHECK_FALSE(hasty.converged.any().item<bool>());
  check_error([&] { (void)hasty.solution(); },
              {"proximal_descent (backtracking): 2 of 2 samples", "3 iterations", "tolerance 1e-05", "last()"});
  struct Uphill {
    [[nodiscard]] at::Tensor value(const at::Tensor& x) const { return x.square().sum(1); }
    [[nodiscard]] at::Tensor slope(const at::Tensor& x) const { return -2 * x; }
  };
  const MaskTerm nothing(at::zeros({3}), x_0);
  const ProximalPoint stuck = proximal_descent(nothing, Uphill{}, x_0 + 1, {});
  CHECK(stuck.stuck.all().item<bool>());
  CHECK(stuck.iterations < 100);
  check_error([&] { (void)stuck.solution(); }, {"For 2 no step lowers the objective", "gradient of value"});
  // No steps at all: nothing has converged.
  CHECK_THROWS_AS(proximal_descent(g, Wells{}, x_0, {.iterations = 0}).solution(), regimen::Error);
  check_error([&] { (void)proximal_descent(g, Wells{}, x_0 + nan); }, {"start", "finite"});
  check_error([&] { (void)proximal_descent(g, Wells{}, at::zeros({0, 3})); }, {"at least one number"});
  struct Total {
    [[nodiscard]] at::Tensor value(const at::Tensor& x) const { return x.sum(); }
    [[nodiscard]] at::Tensor slope(const at::Tensor& x) const { return at::ones_like(x); }
  };
  check_error([&] { (void)proximal_descent(g, Total{}, x_0); }, {"value must be [N]"});
  for (const double value : {-1.0, nan, 0.0}) {
    if (value != 0) {
      check_error([&] { (void)proximal_descent(g, Wells{}, x_0, {.strength = value}); }, {"ProximalDescent.strength"});
    }
    check_error([&] { (void)proximal_descent(g, Wells{}, x_0, {.step = value}); }, {"ProximalDescent.step"});
    check_error([&] { (void)proximal_descent(g, Wells{}, x_0, {.shrink = value}); }, {"ProximalDescent.shrink"});
    check_error([&] { (void)proximal_descent(g, Wells{}, x_0, {.decrease = value}); }, {"ProximalDescent.decrease"});
    check_error([&] { (void)proximal_descent(g, Wells{}, x_0, {.tolerance = value}); }, {"ProximalDescent.tolerance"});
  }
  check_error([&] { (void)proximal_descent(g, Wells{}, x_0, {.iterations = -1}); }, {"ProximalDescent.iterations"});
}

TEST_CASE("proximal_descent: restores by a learned regularizer, in float, without a graph") {
  torch::manual_seed(2);
  torch::nn::Sequential net(torch::nn::Linear(12, 12), torch::nn::ELU(), torch::nn::Linear(12, 12));
  const regimen::LearnedPotential potential{.network = net};
  const at::Tensor mask = drawn(39, 6, {12}).gt(0);
  const at::Tensor truth = drawn(40, 6, {12}).to(at::kFloat);
  const MaskTerm g(mask, truth);
  const ProximalPoint point =
      proximal_descent(g, potential, at::where(mask, truth, at::zeros_like(truth)), {.strength = 0.05, .step = 8});
  CHECK_FALSE(point.solution().requires_grad());
  CHECK_FALSE(net->parameters()[0].grad().defined());
  CHECK(point.objective[-1].lt(point.objective[0]).all().item<bool>());
  const at::Tensor rise = point.objective - std::get<0>(point.objective.cummin(0));
  CHECK((rise / point.objective[0]).max().item<double>() < 3.1e-6);
  // The minimum is the fixed point of the step without backtracking.
  const auto map = [&](const at::Tensor& x) { return proximal_step(g, potential, x, number(8), number(0.05)); };
  const at::Tensor found = regimen::fixed_point(map, truth * mask, regimen::Anderson{.tolerance = 1e-5}).last();
  CHECK(furthest(found, point.last()) < 1e-2);
}

}  // namespace proximal_test
