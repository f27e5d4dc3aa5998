// Solvers of x = T(x), the spectral radius at a solution, and conjugate gradients.

#include "support/tensors.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <regimen/regimen.hpp>

namespace fixed_point_test {

namespace {

using regimen::Anderson;
using regimen::conjugate_gradient;
using regimen::fixed_point;
using regimen::FixedPoint;
using regimen::LinearSolution;
using regimen::Picard;
using regimen::SelfMap;
using regimen::spectral_radius;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// A symmetric matrix with these eigenvalues.
at::Tensor with_eigenvalues(const std::vector<double>& values, std::uint64_t seed = 1) {
  const auto n = static_cast<std::int64_t>(values.size());
  const at::Tensor turn = std::get<0>(at::linalg_qr(drawn(seed, n, {n})));
  return turn.matmul(at::tensor(values, at::kDouble).diag()).matmul(turn.t());
}

/// x -> x A + b for the rows of x, and its fixed point.
struct Affine {
  at::Tensor matrix, shift;

  at::Tensor operator()(const at::Tensor& x) const { return x.matmul(matrix) + shift; }
  [[nodiscard]] at::Tensor solution() const {
    return shift.matmul(at::linalg_inv(at::eye(matrix.size(0), matrix.options()) - matrix));
  }
};

Affine contraction(std::int64_t samples = 3) {
  std::vector<double> values;
  for (int i = 0; i < 10; ++i) {
    values.push_back(0.95 - 0.13 * i);  // from .95 down to -.22
  }
  return {with_eigenvalues(values), drawn(2, samples, {10})};
}

}  // namespace

TEST_CASE("fixed_point: Picard and Anderson meet the solution of a linear contraction") {
  const Affine map = contraction();
  const FixedPoint picard = fixed_point(map, at::zeros({3, 10}, at::kDouble), Picard{.tolerance = 1e-10});
  const FixedPoint anderson = fixed_point(map, at::zeros({3, 10}, at::kDouble), Anderson{.tolerance = 1e-10});
  CHECK(furthest(picard.solution(), map.solution()) < 1e-6);
  CHECK(furthest(anderson.solution(), map.solution()) < 1e-6);
  CHECK(anderson.evaluations <= picard.evaluations / 3);
  CHECK(anderson.evaluations == anderson.iterations + 1);
  CHECK(anderson.history.size() == static_cast<std::size_t>(anderson.evaluations));
  CHECK(anderson.history.back() <= 1e-10);
  CHECK(anderson.history.front() == Approx(1));  // |b - 0| / |b|
  CHECK(anderson.residual.le(1e-10).all().item<bool>());
  CHECK(anderson.solver == "Anderson");
  CHECK(picard.solver == "Picard");
  // Picard's residual shrinks by the spectral radius a step.
  CHECK(picard.history[150] / picard.history[149] == Approx(0.95).epsilon(1e-3));
}

TEST_CASE("fixed_point: Picard's first iterates are by hand") {
  const SelfMap half = [](const at::Tensor& x) { return x / 2 + 1; };
  const at::Tensor start = at::tensor({0.0, 4.0}, at::kDouble);
  CHECK(furthest(fixed_point(half, start, Picard{.iterations = 0}).last(), start) == 0);
  CHECK(furthest(fixed_point(half, start, Picard{.iterations = 2}).last(), at::tensor({1.5, 2.5}, at::kDouble)) == 0);
  const FixedPoint mixed = fixed_point(half, start, Picard{.iterations = 1, .mixing = 0.5});
  CHECK(furthest(mixed.last(), at::tensor({0.5, 3.5}, at::kDouble)) == 0);
  CHECK(furthest(mixed.residual, at::tensor({0.75 / 1.25, 0.75 / 2.75}, at::kDouble)) < 1e-10);
  CHECK(furthest(fixed_point(half, start, Anderson{.iterations = 1, .mixing = 0.5}).last(), mixed.last()) == 0);
  // With two iterates Anderson extrapolates a line to its fixed point.
  CHECK(furthest(fixed_point(half, start, Anderson{.iterations = 2}).last(), at::tensor({2.0, 2.0}, at::kDouble)) <
        1e-6);
}

TEST_CASE("fixed_point: samples are solved as if alone, whatever their shape and layout") {
  const Affine map = contraction();
  const at::Tensor start = drawn(3, 3, {10});
  const FixedPoint together = fixed_point(map, start, Anderson{.tolerance = 1e-8});
  for (std::int64_t i = 0; i < 3; ++i) {
    const Affine alone{map.matrix, map.shift.narrow(0, i, 1)};
    const FixedPoint one = fixed_point(alone, start.narrow(0, i, 1), Anderson{.tolerance = 1e-8});
    CHECK(furthest(one.solution(), together.solution().narrow(0, i, 1)) < 1e-12);
  }
  const SelfMap in_shape = [&](const at::Tensor& x) { return map(x.reshape({3, 10})).view({3, 5, 2}).transpose(1, 2); };
  const at::Tensor strided = start.view({3, 5, 2}).transpose(1, 2);
  CHECK_FALSE(strided.is_contiguous());
  const SelfMap untransposed = [&](const at::Tensor& x) { return in_shape(x.transpose(1, 2)); };
  const FixedPoint shaped = fixed_point(untransposed, strided, Anderson{.tolerance = 1e-8});
  CHECK(furthest(shaped.solution().transpose(1, 2).reshape({3, 10}), together.solution()) < 1e-9);
  // A sample that is one number.
  const FixedPoint numbers = fixed_point([](const at::Tensor& x) { return x.cos(); }, at::zeros({4}, at::kDouble),
                                         Anderson{.tolerance = 1e-12});
  CHECK(furthest(numbers.solution(), at::full({4}, 0.7390851332151607, at::kDouble)) < 1e-12);
  CHECK(furthest(numbers.radius, at::full({4}, std::sin(0.7390851332151607), at::kDouble)) < 1e-10);
}

TEST_CASE("fixed_point: an unstable one that Anderson finds is not a solution") {
  const at::Tensor x_0 = at::tensor({0.0, 5.0}, at::kDouble);
  const SelfMap runaway = [](const at::Tensor& x) { return 2 - 1.8 * (x - 2); };  // 2 repels: slope -1.8
  const FixedPoint anderson = fixed_point(runaway, x_0, Anderson{.tolerance = 1e-8});
  CHECK(anderson.converged.all().item<bool>());
  CHECK(furthest(anderson.last(), at::full({2}, 2.0, at::kDouble)) < 1e-6);
  CHECK_FALSE(anderson.stable.any().item<bool>());
  CHECK(furthest(anderson.radius, at::full({2}, 1.8, at::kDouble)) < 1e-10);
  check_error([&] { (void)anderson.solution(); }, {"Anderson", "2 of 2 samples", "unstable", "1.8", "step", "last()"});
  // Unless nobody asked.
  CHECK_NOTHROW(fixed_point(runaway, x_0, Anderson{.tolerance = 1e-8, .check_stability = false}).solution());
  const FixedPoint picard = fixed_point(runaway, x_0, Picard{.iterations = 50});
  CHECK_FALSE(picard.converged.any().item<bool>());
  check_error([&] { (void)picard.solution(); }, {"Picard", "2 of 2 samples", "50 iterations", "tolerance 0.0001"});
  // From the very point Picard would not notice, and can be asked to look.
  const at::Tensor there = at::full({1}, 2.0, at::kDouble);
  CHECK_NOTHROW(fixed_point(runaway, there, Picard{}).solution());
  check_error([&] { (void)fixed_point(runaway, there, Picard{.check_stability = true}).solution(); }, {"unstable"});
}

TEST_CASE("fixed_point: gradient steps beyond 2 / L are unstable, one sample of two") {
  const at::Tensor curvature = at::tensor({1.0, 3.0}, at::kDouble).view({2, 1});
  const SelfMap step = [&](const at::Tensor& x) { return x - 0.9 * curvature * (x - 1); };  // slopes .1 and -1.7
  const FixedPoint point = fixed_point(step, at::zeros({2, 4}, at::kDouble));
  CHECK(point.converged.all().item<bool>());
  CHECK(same(point.stable, bools({1, 0})));
  check_error([&] { (void)point.solution(); }, {"1 of 2 samples", "unstable", "1.7"});
}

TEST_CASE("fixed_point: in float a sample that has converged makes nothing singular") {
  const Affine map = contraction(4);
  const Affine in_float{map.matrix.to(at::kFloat), map.shift.to(at::kFloat)};
  at::Tensor start = at::zeros({4, 10});
  start[0].copy_(map.solution()[0]);
  for (const std::int64_t memory : {1, 2, 5, 9}) {
    CAPTURE(memory);
    const FixedPoint point =
        fixed_point(in_float, start, Anderson{.tolerance = 1e-5, .iterations = 300, .memory = memory});
    CHECK(furthest(point.solution(), map.solution()) < 1e-2);
    CHECK(point.solution()[0].equal(start[0]));
    CHECK(point.solution().scalar_type() == at::kFloat);
  }
  // At the limit of float too: nothing but residuals of rounding.
  CHECK_NOTHROW(fixed_point(in_float, start, Anderson{.tolerance = 1e-12, .iterations = 200}).last());
  const FixedPoint at_0 = fixed_point([](const at::Tensor& x) { return x * 0; }, at::zeros({2, 3}));
  CHECK(at_0.solution().equal(at::zeros({2, 3})));
  CHECK(at_0.iterations == 0);
}

TEST_CASE("fixed_point: maps that never settle are errors with numbers") {
  const SelfMap flip = [](const at::Tensor& x) { return -x; };
  const FixedPoint oscillating = fixed_point(flip, at::ones({2, 1}, at::kDouble), Picard{.iterations = 30});
  check_error([&] { (void)oscillating.solution(); },
              {"2 of 2 samples have not converged", "30 iterations", "residual is 2", "tolerance 0.0001", "mixing"});
  CHECK(oscillating.last().equal(at::ones({2, 1}, at::kDouble)));
  CHECK(furthest(fixed_point(flip, at::ones({2, 1}, at::kDouble), Picard{.mixing = 0.5}).solution(),
                 at::zeros({2, 1}, at::kDouble)) == 0);
  // By a right angle and 1.2 times as far from (1, 1): complex eigenvalues 1.2 i.
  const at::Tensor turn = at::tensor({0.0, 1.2, -1.2, 0.0}, at::kDouble).view({2, 2});
  const SelfMap rotation = [&](const at::Tensor& x) { return 1 + (x - 1).matmul(turn); };
  const at::Tensor start = drawn(4, 3, {2});
  check_error([&] { (void)fixed_point(rotation, start, Picard{.iterations = 100}).solution(); },
              {"3 of 3 samples have not converged", "100 iterations"});
  check_error([&] { (void)fixed_point(rotation, start).solution(); }, {"3 of 3 samples", "unstable", "1.2"});
  // No fixed point at all.
  check_error([&] { (void)fixed_point([](const at::Tensor& x) { return x + 1; }, start).solution(); },
              {"not converged"});
}

TEST_CASE("fixed_point: NaN and infinity are never converged, and end the iteration") {
  const SelfMap root = [](const at::Tensor& x) { return (x - 1).sqrt(); };
  const FixedPoint point = fixed_point(root, at::tensor({0.5}, at::kDouble), Picard{.iterations = 1000});
  CHECK(point.iterations == 0);
  CHECK_FALSE(point.converged.any().item<bool>());
  check_error([&] { (void)point.solution(); }, {"1 of 1 samples", "nan"});
  const SelfMap square = [](const at::Tensor& x) { return x.square(); };
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    const FixedPoint escaped = fixed_point(square, at::tensor({0.5, 3.0}, type), Picard{.iterations = 1000});
    CHECK(same(escaped.converged, bools({1, 0})));
    CHECK(escaped.iterations < 20);
    CHECK_THROWS_AS(escaped.solution(), regimen::Error);
    // Beside it, others are solved as ever.
    const SelfMap mixed = [](const at::Tensor& x) { return at::stack({x[0].cos(), x[1] * nan}); };
    const FixedPoint beside = fixed_point(mixed, at::zeros({2, 3}, type), Anderson{.tolerance = 1e-5});
    CHECK(same(beside.converged, bools({1, 0})));
    CHECK(beside.stable[0].item<bool>());
  }
  CHECK_FALSE(fixed_point(square, at::full({1}, nan, at::kDouble)).succeeded());
}

TEST_CASE("fixed_point: builds no graph, and lets the map use autograd inside") {
  const at::Tensor weight = at::full({1}, 0.5, at::kDouble).requires_grad_();
  const SelfMap map = [&](const at::Tensor& x) {
    const at::AutoGradMode with_gradients(true);
    const at::Tensor from = x.detach().requires_grad_();
    return x - torch::autograd::grad({(weight * (from - 3).square()).sum()}, {from})[0] * 0.3;
  };
  const FixedPoint point =
      fixed_point(map, at::zeros({2, 2}, at::kDouble).requires_grad_(), Anderson{.check_stability = false});
  CHECK_FALSE(point.solution().requires_grad());
  CHECK(furthest(point.solution(), at::full({2, 2}, 3.0, at::kDouble)) < 1e-3);
  CHECK(at::GradMode::is_enabled());
}

TEST_CASE("fixed_point: misuse is an error that says what") {
  const SelfMap identity = [](const at::Tensor& x) { return x.clone(); };
  const at::Tensor x = at::ones({2, 3});
  check_error([&] { (void)fixed_point([](const at::Tensor& z) { return z.sum(1); }, x); }, {"[2, 3]", "[2]"});
  check_error([&] { (void)fixed_point([](const at::Tensor& z) { return z.to(at::kDouble); }, x); }, {"double"});
  check_error([&] { (void)fixed_point([](const at::Tensor&) { return at::Tensor(); }, x); }, {"undefined"});
  check_error([&] { (void)fixed_point([](at::Tensor z) { return z.mul_(2); }, x); }, {"in place"});
  check_error([&] { (void)fixed_point(identity, at::empty({0, 3})); },
              {"fixed_point", "at least one number", "[0, 3]"});
  check_error([&] { (void)fixed_point(identity, at::empty({3, 0})); }, {"at least one number"});
  check_error([&] { (void)fixed_point(identity, at::Tensor()); }, {"undefined"});
  check_error([&] { (void)fixed_point(identity, at::ones({})); }, {"[N, ...]"});
  check_error([&] { (void)fixed_point(identity, at::ones({2}, at::kLong)); }, {"floating"});
  for (const double value : {0.0, -1.0, nan}) {
    check_error([&] { (void)fixed_point(identity, x, Anderson{.tolerance = value}); },
                {"Anderson.tolerance", "above 0"});
    check_error([&] { (void)fixed_point(identity, x, Picard{.tolerance = value}); }, {"Picard.tolerance", "above 0"});
    check_error([&] { (void)fixed_point(identity, x, Anderson{.mixing = value}); }, {"Anderson.mixing"});
    check_error([&] { (void)fixed_point(identity, x, Picard{.mixing = value}); }, {"Picard.mixing"});
    check_error([&] { (void)fixed_point(identity, x, Anderson{.ridge = value}); }, {"Anderson.ridge"});
    check_error([&] { (void)fixed_point(identity, x, Anderson{.floor = value}); }, {"Anderson.floor"});
    check_error([&] { (void)fixed_point(identity, x, Picard{.floor = value}); }, {"Picard.floor"});
  }
  check_error([&] { (void)fixed_point(identity, x, Anderson{.memory = 0}); },
              {"Anderson.memory", "at least 1", "is 0"});
  check_error([&] { (void)fixed_point(identity, x, Anderson{.iterations = -1}); }, {"Anderson.iterations"});
  check_error([&] { (void)fixed_point(identity, x, Picard{.iterations = -1}); }, {"Picard.iterations"});
  check_error([&] { (void)fixed_point([](const at::Tensor& z) { return z.detach() * 0.5 + 1; }, x); },
              {"spectral_radius", "no graph", "stability"});
}

TEST_CASE("spectral_radius: of matrices with known eigenvalues, each sample its own") {
  // Real, negative, complex, defective, and nothing.
  const std::vector<std::pair<std::vector<double>, double>> cases = {
      {{0.5, 0, 0, 0.2}, 0.5}, {{-0.9, 0, 0, 0.3}, 0.9}, {{0, 1.3, -1.3, 0}, 1.3},
      {{0.7, 5, 0, 0.7}, 0.7}, {{0, 1, 0, 0}, 0},        {{0.6, 0.6, -0.6, 0.6}, 0.6 * std::sqrt(2.0)}};
  std::vector<at::Tensor> all;
  std::vector<double> radii;
  for (const auto& [entries, radius] : cases) {
    all.push_back(at::tensor(entries, at::kDouble).view({2, 2}));
    radii.push_back(radius);
  }
  const at::Tensor matrices = at::stack(all);
  const SelfMap map = [&](const at::Tensor& x) { return matrices.bmm(x.unsqueeze(2)).squeeze(2); };
  const auto found = spectral_radius(map, at::zeros({6, 2}, at::kDouble));
  CHECK(furthest(found.value, at::tensor(radii, at::kDouble)) <
        1e-6);  // a defective one is known to the root of rounding
  CHECK(found.converged.all().item<bool>());
  CHECK(same(found.stable(), bools({1, 1, 0, 1, 1, 1})));
  CHECK(found.products == 2);
}

TEST_CASE("spectral_radius: of many dimensions within its residual, and the same again") {
  std::vector<double> values(60);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = -0.5 + 1.47 * static_cast<double>(i) / 59.0;  // up to .97
  }
  const at::Tensor matrix = with_eigenvalues(values, 7);
  const SelfMap map = [&](const at::Tensor& x) { return x.matmul(matrix.to(x.scalar_type())); };
  const auto found = spectral_radius(map, at::zeros({4, 60}, at::kDouble));
  CHECK(found.converged.all().item<bool>());
  CHECK((found.value - 0.97).abs().le(found.residual + 1e-12).all().item<bool>());
  CHECK(found.residual.le(0.01 * found.value).all().item<bool>());
  CHECK(found.products <= 30);
  CHECK(same(spectral_radius(map, at::zeros({4, 60}, at::kDouble)).value, found.value));
  CHECK_FALSE(same(spectral_radius(map, at::zeros({4, 60}, at::kDouble), {.seed = 1}).value, found.value));
  const auto exact = spectral_radius(map, at::zeros({4, 60}, at::kDouble), {.tolerance = 1e-9, .products = 60});
  CHECK(furthest(exact.value, at::full({4}, 0.97, at::kDouble)) < 1e-9);
  CHECK(furthest(spectral_radius(map, at::zeros({4, 60})).value, at::full({4}, 0.97)) < 0.01);  // float
  // Too few products say so, and do not call it stable where they leave room.
  const auto short_of = spectral_radius(map, at::zeros({4, 60}, at::kDouble), {.tolerance = 1e-6, .products = 3});
  CHECK_FALSE(short_of.converged.any().item<bool>());
  CHECK_FALSE(short_of.stable().any().item<bool>());
}

TEST_CASE("spectral_radius: a map that just repels, with a dense spectrum, is not called stable") {
  for (const double top : {1.001, 1.003, 1.01}) {
    for (const std::int64_t n : {100, 400, 784}) {
      CAPTURE(top, n);
      const at::Tensor d = at::linspace(-0.2, top, n, at::kDouble);
      const auto map = [&](const at::Tensor& x) { return x * d; };
      const auto found = spectral_radius(map, at::zeros({32, n}, at::kDouble));
      CHECK(found.stable().sum().item<std::int64_t>() <= 1);
    }
  }
  const at::Tensor d = at::linspace(-0.2, 0.9, 400, at::kDouble);
  const auto map = [&](const at::Tensor& x) { return x * d; };
  CHECK(spectral_radius(map, at::zeros({32, 400}, at::kDouble), {.products = 60}).stable().all().item<bool>());
}

TEST_CASE("spectral_radius: near 1 it looks on until it is on one side") {
  // Between the two largest a vector has a residual of at most .007, which is within the tolerance on either side.
  std::vector<double> values{1.004, 0.99};
  while (values.size() < 60) {
    values.push_back(0.5 - 0.02 * static_cast<double>(values.size()));
  }
  const at::Tensor matrix = with_eigenvalues(values, 8);
  const SelfMap map = [&](const at::Tensor& x) { return x.matmul(matrix); };
  // One sample at a time, for others would make it go on. A start that hardly holds the first eigenvector may miss it;
  // with one look instead of two a quarter of these do.
  int found = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto radius = spectral_radius(map, at::zeros({1, 60}, at::kDouble), {.seed = seed});
    found += std::abs(radius.value.item<double>() - 1.004) < 1e-3 && !radius.stable().item<bool>() ? 1 : 0;
    CHECK(radius.products < 30);
  }
  CHECK(found >= 38);
}

TEST_CASE("spectral_radius: NaN, no dependence on x, and misuse") {
  const at::Tensor weight = at::ones({1}, at::kDouble).requires_grad_();
  const auto constant =
      spectral_radius([&](const at::Tensor& x) { return weight.expand(x.sizes()) * 2; }, at::zeros({2}, at::kDouble));
  CHECK(constant.value.eq(0).all().item<bool>());
  CHECK(constant.stable().all().item<bool>());
  const auto undefined = spectral_radius([](const at::Tensor& x) { return x.sqrt(); }, at::zeros({2}, at::kDouble));
  CHECK(undefined.value.isnan().all().item<bool>());
  CHECK_FALSE(undefined.stable().any().item<bool>());
  const SelfMap identity = [](const at::Tensor& x) { return x * 1; };
  check_error([&] { (void)spectral_radius(identity, at::ones({2}), {.tolerance = 0}); }, {"RadiusOptions.tolerance"});
  check_error([&] { (void)spectral_radius(identity, at::ones({2}), {.products = 0}); }, {"RadiusOptions.products"});
  check_error([&] { (void)spectral_radius(identity, at::ones({0})); }, {"at least one number"});
}

TEST_CASE("conjugate_gradient: is exact in as many products as there are eigenvalues") {
  const at::Tensor matrix = with_eigenvalues({0.1, 0.5, 1, 2, 4, 9, 9, 9});
  const SelfMap product = [&](const at::Tensor& p) { return p.matmul(matrix.to(p.scalar_type())); };
  const at::Tensor truth = drawn(5, 3, {8});
  const LinearSolution u = conjugate_gradient(product, truth.matmul(matrix), {.tolerance = 1e-10});
  CHECK(furthest(u.solution(), truth) < 1e-8);
  CHECK(u.evaluations == 6);
  CHECK(u.history.size() == 7);
  CHECK(u.history.front() == Approx(1));
  CHECK_FALSE(u.indefinite.any().item<bool>());
  // One sample of zeros, others not; float; shapes.
  at::Tensor right = truth.matmul(matrix).to(at::kFloat);
  right[1].zero_();
  const LinearSolution in_float = conjugate_gradient(
      [&](const at::Tensor& p) { return product(p.reshape({3, 8})).view({3, 2, 4}); }, right.view({3, 2, 4}));
  CHECK(in_float.solution()[1].eq(0).all().item<bool>());
  CHECK(furthest(in_float.solution()[0].flatten(), truth[0]) < 1e-2);
}

TEST_CASE("conjugate_gradient: names what is not positive definite, and solves the others") {
  const at::Tensor diagonals = at::tensor({1.0, 2.0, 3.0, 1.0, -2.0, 3.0, 0.0, 0.0, 0.0}, at::kDouble).view({3, 3});
  const SelfMap product = [&](const at::Tensor& p) { return p * diagonals; };
  const LinearSolution u = conjugate_gradient(product, at::ones({3, 3}, at::kDouble), {.tolerance = 1e-10});
  CHECK(same(u.indefinite, bools({0, 1, 1})));
  CHECK(same(u.converged, bools({1, 0, 0})));
  CHECK(furthest(u.last()[0], 1 / diagonals[0]) < 1e-10);
  check_error([&] { (void)u.solution(); },
              {"2 of 3 samples", "matrix of 2 of them is not positive definite", "Anderson"});
  // What the message recommends.
  const SelfMap map = [&](const at::Tensor& w) { return 1 + w - product(w); };
  const FixedPoint point = fixed_point(map, at::zeros({3, 3}, at::kDouble), Anderson{.check_stability = false});
  CHECK(furthest(point.last()[1], 1 / diagonals[1]) < 1e-3);
}

TEST_CASE("conjugate_gradient: does not claim what it has not reached") {
  const at::Tensor turn = at::tensor({1.0, 3.0, -3.0, 1.0}, at::kDouble).view({2, 2});  // not symmetric, p'Ap > 0
  const LinearSolution u = conjugate_gradient([&](const at::Tensor& p) { return p.matmul(turn); },
                                              at::ones({1, 2}, at::kDouble), {.iterations = 20});
  check_error([&] { (void)u.solution(); }, {"conjugate_gradient", "1 of 1 samples", "20 iterations"});
  const LinearSolution lost =
      conjugate_gradient([](const at::Tensor& p) { return p * nan; }, at::ones({1, 2}, at::kDouble));
  CHECK_FALSE(lost.succeeded());
  CHECK(lost.iterations == 1);
  check_error([] { (void)conjugate_gradient([](const at::Tensor& p) { return p; }, at::ones({1}), {.tolerance = -1}); },
              {"ConjugateGradient.tolerance", "is -1"});
  check_error(
      [] { (void)conjugate_gradient([](const at::Tensor& p) { return p; }, at::ones({1}), {.iterations = -1}); },
      {"ConjugateGradient.iterations"});
  check_error([] { (void)conjugate_gradient([](const at::Tensor& p) { return p.sum(1); }, at::ones({2, 2})); },
              {"conjugate_gradient", "[2, 2]"});
  check_error([] { (void)conjugate_gradient([](const at::Tensor& p) { return p; }, at::ones({0})); }, {"at least one"});
}

}  // namespace fixed_point_test
