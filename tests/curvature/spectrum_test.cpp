// Eigenvalues, traces and densities of operators, against matrices whose spectrum is known.
#include "support/tensors.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <regimen/regimen.hpp>
#include "support/coverage.hpp"

namespace spectrum_test {

namespace {

namespace rg = regimen;

at::Tensor random_orthogonal(std::int64_t n, std::uint64_t seed) {
  torch::manual_seed(seed);
  return std::get<0>(torch::linalg_qr(torch::randn({n, n}, torch::kDouble)));
}

/// A matrix with these eigenvalues and random eigenvectors.
rg::DenseOperator with_eigenvalues(const std::vector<double>& values, std::uint64_t seed = 1) {
  const at::Tensor q = random_orthogonal(static_cast<std::int64_t>(values.size()), seed);
  return {q.mm(torch::tensor(values, torch::kDouble).diag()).mm(q.t())};
}

/// The Hessian of softmax regression at 0 on (1, 0), (0, 2) with three classes: eigenvalues 2/3, 2/3, 1/6, 1/6, 0, 0.
rg::DenseOperator softmax_regression() {
  const at::Tensor bend = torch::eye(3, torch::kDouble) / 3 - 1.0 / 9;
  return {at::kron(bend, torch::tensor({{0.5, 0.0}, {0.0, 2.0}}, torch::kDouble))};
}

std::vector<double> values_of(const std::vector<rg::Eigenpair>& pairs) {
  std::vector<double> values;
  for (const rg::Eigenpair& pair : pairs) {
    values.push_back(pair.value);
  }
  return values;
}

void check_values(const std::vector<rg::Eigenpair>& pairs, const std::vector<double>& expected, double within) {
  REQUIRE(pairs.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i, expected[i], values_of(pairs));
    CHECK(std::abs(pairs[i].value - expected[i]) <= within);
  }
}

bool holds(const rg::MonteCarloEstimate& estimate, double truth) {
  return estimate.low() <= truth && truth <= estimate.high();
}

}  // namespace

TEST_CASE("curvature: top gives both ends, signed") {
  const rg::DenseOperator a{torch::tensor({{1.0, 3.0}, {3.0, 4.0}}, torch::kDouble)};
  const rg::SpectrumEnds ends = rg::top(a, {.largest = 1, .smallest = 1});
  CHECK(ends.converged);
  check_values(ends.largest, {(5 + std::sqrt(45)) / 2}, 1e-12);
  check_values(ends.smallest, {(5 - std::sqrt(45)) / 2}, 1e-12);
}

TEST_CASE("curvature: top finds eigenvalues as often as they occur, past the end of the iteration") {
  const rg::SpectrumEnds ends = rg::top(softmax_regression(), {.largest = 4, .smallest = 2, .tolerance = 1e-10});
  CHECK(ends.converged);
  check_values(ends.largest, {2.0 / 3, 2.0 / 3, 1.0 / 6, 1.0 / 6}, 1e-12);
  check_values(ends.smallest, {0, 0}, 1e-12);
  for (const std::uint64_t seed : {1, 2, 3}) {
    check_values(rg::top(softmax_regression(), {.largest = 2, .seed = seed}).largest, {2.0 / 3, 2.0 / 3}, 1e-9);
    const auto thrice = with_eigenvalues({3, 3, 3, 2, 0, 0, 0, 0, 0, 0, 0, 0}, seed);
    check_values(rg::top(thrice, {.largest = 4, .seed = seed}).largest, {3, 3, 3, 2}, 1e-9);
  }
}

TEST_CASE("curvature: top brings no copies of eigenvalues that it has found") {
  std::vector<double> values{100, 50, 20, 10, 5};
  for (int i = 0; i < 295; ++i) {
    values.push_back(0.1 * i / 294);
  }
  const rg::SpectrumEnds ends = rg::top(with_eigenvalues(values), {.largest = 6, .tolerance = 1e-6});
  CHECK(ends.converged);
  check_values(ends.largest, {100, 50, 20, 10, 5, 0.1}, 1e-4);
}

TEST_CASE("curvature: residuals and vectors of top are true ones") {
  torch::manual_seed(2);
  const at::Tensor half = torch::randn({60, 60}, torch::kDouble);
  const rg::DenseOperator a{half + half.t()};
  const rg::SpectrumEnds ends = rg::top(a, {.largest = 2, .smallest = 2, .tolerance = 1e-3});
  CHECK(ends.converged);
  CHECK(ends.products < 120);
  for (const auto& pairs : {ends.largest, ends.smallest}) {
    for (const rg::Eigenpair& pair : pairs) {
      const double residual = (a.matrix.mv(pair.vector) - pair.value * pair.vector).norm().item<double>();
      CHECK(pair.vector.norm().item<double>() == Approx(1));
      CHECK(residual == Approx(pair.residual).epsilon(1e-6).margin(1e-10));
      CHECK(residual <= 1e-3 * std::max(std::abs(ends.largest[0].value), std::abs(ends.smallest[0].value)) * 1.001);
    }
  }
}

TEST_CASE("curvature: top of all eigenvalues, of zeros, and of a single one") {
  const auto four = with_eigenvalues({3, -1, 0.5, 2});
  check_values(rg::top(four, {.largest = 4}).largest, {3, 2, 0.5, -1}, 1e-12);
  check_values(rg::top(four, {.largest = 9}).largest, {3, 2, 0.5, -1}, 1e-12);
  const rg::SpectrumEnds none = rg::top(rg::DenseOperator{torch::zeros({5, 5}, torch::kDouble)}, {.largest = 2});
  CHECK(none.converged);
  check_values(none.largest, {0, 0}, 0);
  check_values(rg::top(rg::DenseOperator{torch::full({1, 1}, 7.0, torch::kDouble)}).largest, {7}, 1e-15);
}

TEST_CASE("curvature: top begins anew outside of what it has, however small the operator") {
  // The first random vector may be (1, -1), and the second one (-1, 1): no new direction.
  const rg::DenseOperator ones{torch::ones({2, 2}, torch::kDouble)};
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const rg::SpectrumEnds ends = rg::top(ones, {.largest = 1, .smallest = 1, .seed = seed});
    check_values(ends.largest, {2}, 1e-12);
    check_values(ends.smallest, {0}, 1e-12);
  }
}

TEST_CASE("curvature: top says if it has not converged") {
  std::vector<double> values;
  for (int i = 0; i < 200; ++i) {
    values.push_back(1 + 0.001 * i);
  }
  const rg::SpectrumEnds ends = rg::top(with_eigenvalues(values), {.tolerance = 1e-12, .most = 5});
  CHECK_FALSE(ends.converged);
  CHECK(ends.products == 5);
  CHECK(ends.largest[0].residual > 1e-12);
}

TEST_CASE("curvature: one draw of the trace has Hutchinson's variance, over all sign vectors") {
  const rg::DenseOperator a = softmax_regression();
  double sum = 0;
  double squares = 0;
  for (int word = 0; word < 64; ++word) {
    std::vector<double> signs;
    for (int i = 0; i < 6; ++i) {
      signs.push_back((word >> i & 1) != 0 ? 1 : -1);
    }
    const at::Tensor v = torch::tensor(signs, torch::kDouble);
    const double form = v.dot(a.apply(v)).item<double>();
    sum += form / 64;
    squares += form * form / 64;
  }
  CHECK(sum == Approx(5.0 / 3).epsilon(1e-12));
  CHECK(squares - sum * sum == Approx(17.0 / 27).epsilon(1e-12));  // .6296296
  const rg::MonteCarloEstimate many = rg::trace(a, {.draws = {.least = 4000, .most = 4000, .relative = 0}});
  const double t = many.half_width / rg::student_t_quantile(3999);
  CHECK(t * t * 4000 == Approx(17.0 / 27).epsilon(0.1));
  CHECK(holds(many, 5.0 / 3));
}

TEST_CASE("curvature: the trace does not depend on how many products are made at once") {
  const auto a = with_eigenvalues({5, 3, 1, -1, 0.1, 0.2, 0.3});
  const rg::MonteCarloEstimate one = rg::trace(a, {.draws = {.relative = 0.05}, .block = 1});
  const rg::MonteCarloEstimate seven = rg::trace(a, {.draws = {.relative = 0.05}, .block = 7});
  CHECK(one.value == Approx(seven.value).epsilon(1e-12));
  CHECK(one.draws == seven.draws);
  CHECK(one.passes == one.draws);
}

TEST_CASE("curvature: intervals of the trace hold it in 95 % of all cases") {
  coverage::check_share(
      [](std::uint64_t i) {
        const auto a = with_eigenvalues({10, 5, 2, 1, 1, 1, 0.5, 0.5, 0.1, 0.1, 0.1, 0.1, 0, 0, 0, 0, 0, -1}, i);
        return holds(rg::trace(a, {.draws = {.seed = i}}), 20.4);
      },
      60);
}

TEST_CASE("curvature: intervals of the trace by Hutch++ hold it in 95 % of all cases") {
  coverage::check_share(
      [](std::uint64_t i) {
        const auto a = with_eigenvalues({10, 5, 2, 1, 1, 1, 0.5, 0.5, 0.1, 0.1, 0.1, 0.1, 0, 0, 0, 0, 0, -1}, i);
        return holds(rg::trace(a, {.draws = {.relative = 0.02, .seed = i}, .sketch = 3}), 20.4);
      },
      60);
}

TEST_CASE("curvature: a sketch that takes all is the trace itself") {
  const auto a = with_eigenvalues({5, 3, 1, -1});
  const rg::MonteCarloEstimate all = rg::trace(a, {.sketch = 4});
  CHECK(all.value == Approx(8).epsilon(1e-12));
  CHECK(all.half_width == 0);
  CHECK(all.converged);
  CHECK(all.passes == 4);
}

TEST_CASE("curvature: a sketch takes the variance of the large eigenvalues away") {
  std::vector<double> values(100, 0.01);
  values[0] = 100;
  values[1] = -30;
  const auto a = with_eigenvalues(values, 5);
  const rg::Draws draws{.relative = 0.01};
  const rg::MonteCarloEstimate plain = rg::trace(a, {.draws = draws});
  const rg::MonteCarloEstimate sketched = rg::trace(a, {.draws = draws, .sketch = 4});
  CHECK(sketched.converged);
  CHECK(sketched.value == Approx(70.98).epsilon(0.01));
  CHECK(sketched.passes == 8 + 16);
  CHECK(plain.passes > 10 * sketched.passes);
}

TEST_CASE("curvature: the density ends early with exact weights where few eigenvalues differ") {
  const rg::DenseOperator a = softmax_regression();
  const rg::SpectralDensity spectrum = rg::density(a, {.draws = 50, .steps = 6});
  const auto [values, vectors] = torch::linalg_eigh(a.matrix);
  CHECK(spectrum.products <= 150);
  std::int64_t draw = 0;
  for (const auto& points : spectrum.draws) {
    const at::Tensor v = rg::detail::random_signs(6, 0, draw++, torch::kDouble);
    const at::Tensor shares = vectors.t().mv(v).square() / 6;
    double total = 0;
    for (const rg::SpectrumPoint& point : points) {
      const double there = shares.masked_select((values - point.value).abs() < 1e-9).sum().item<double>();
      CHECK(point.weight == Approx(there).margin(1e-12));
      total += point.weight;
    }
    CHECK(total == Approx(1).epsilon(1e-12));
  }
}

TEST_CASE("curvature: moments of the density are exact for each vector") {
  torch::manual_seed(4);
  const at::Tensor half = torch::randn({80, 80}, torch::kDouble);
  const rg::DenseOperator a{half + half.t()};
  const rg::SpectralDensity spectrum = rg::density(a, {.draws = 3, .steps = 10});
  CHECK(spectrum.products == 30);
  const at::Tensor square = a.matrix.mm(a.matrix);
  double first = 0;
  double second = 0;
  double fourth = 0;
  for (std::int64_t draw = 0; draw < 3; ++draw) {
    const at::Tensor v = rg::detail::random_signs(80, 0, draw, torch::kDouble);
    first += v.dot(a.matrix.mv(v)).item<double>() / 240;
    second += v.dot(square.mv(v)).item<double>() / 240;
    fourth += v.dot(square.mv(square.mv(v))).item<double>() / 240;
  }
  CHECK(spectrum.mean([](double x) { return x; }) == Approx(first).margin(1e-9));
  CHECK(spectrum.mean([](double x) { return x * x; }) == Approx(second).epsilon(1e-10));
  CHECK(spectrum.mean([](double x) { return x * x * x * x; }) == Approx(fourth).epsilon(1e-10));
}

TEST_CASE("curvature: copies in the density share the weight of their eigenvalue") {
  std::vector<double> values{100};
  for (int i = 0; i < 299; ++i) {
    values.push_back(0.1 * i / 298);
  }
  const auto a = with_eigenvalues(values, 3);
  const rg::SpectralDensity spectrum = rg::density(a, {.draws = 1, .steps = 100});
  const at::Tensor v = rg::detail::random_signs(300, 0, 0, torch::kDouble);
  const double share = std::pow(random_orthogonal(300, 3).t().mv(v)[0].item<double>(), 2) / 300;
  std::size_t copies = 0;
  double weight = 0;
  for (const rg::SpectrumPoint& point : spectrum.draws[0]) {
    copies += point.value > 50 ? 1 : 0;
    weight += point.value > 50 ? point.weight : 0;
  }
  CHECK(copies > 1);  // there are copies, as the vectors are not kept orthogonal
  CHECK(weight == Approx(share).epsilon(1e-9));
}

TEST_CASE("curvature: the smoothed density integrates to 1 and lies where the eigenvalues are") {
  const auto a = with_eigenvalues({1, 1, 1, 4});
  const rg::SpectralDensity spectrum = rg::density(a, {.draws = 400});
  double integral = 0;
  for (double x = -2; x < 8; x += 0.01) {
    integral += spectrum.at(x, 0.2) * 0.01;
  }
  CHECK(integral == Approx(1).epsilon(1e-6));
  const double peak = 1 / (0.2 * std::sqrt(2 * 3.14159265358979));
  CHECK(spectrum.at(4, 0.2) == Approx(0.25 * peak).epsilon(0.1));
  check_error([&] { (void)spectrum.at(1, 0); }, {"SpectralDensity.at", "above 0"});
}

TEST_CASE("curvature: the soft rank of softmax regression is 2.6") {
  const auto soft = [](double x) { return x / (x + 1.0 / 6); };
  const rg::MonteCarloEstimate rank = rg::trace_of(soft, softmax_regression(), {.relative = 0.03});
  CHECK(holds(rank, 2.6));
  CHECK(rank.converged);
  CHECK(rank.value == Approx(2.6).epsilon(0.06));
}

TEST_CASE("curvature: intervals of a function's trace hold it in 95 % of all cases") {
  coverage::check_share(
      [](std::uint64_t i) {
        const auto a = with_eigenvalues({8, 4, 2, 1, 1, 0.5, 0.5, 0.25, 0.1, 0.1, 0, 0}, i);
        double truth = 0;
        for (const double value : {8.0, 4.0, 2.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.1, 0.1}) {
          truth += value / (value + 0.5);
        }
        const auto soft = [](double x) { return x / (x + 0.5); };
        return holds(rg::trace_of(soft, a, {.relative = 0.05, .seed = i}, 12), truth);
      },
      60);
}

TEST_CASE("curvature: an operator that is not finite has NaN for everything") {
  const rg::DenseOperator a{torch::full({3, 3}, NAN, torch::kDouble)};
  const rg::SpectrumEnds ends = rg::top(a, {.largest = 2, .smallest = 1});
  REQUIRE(ends.largest.size() == 2);
  REQUIRE(ends.smallest.size() == 1);
  CHECK(std::isnan(ends.largest[1].value));
  CHECK(std::isnan(ends.smallest[0].value));
  CHECK_FALSE(ends.converged);
  CHECK(std::isnan(rg::trace(a).value));
  CHECK(std::isnan(rg::trace(a, {.sketch = 1}).value));
  CHECK(std::isnan(rg::trace(a, {.sketch = 3}).half_width));
  CHECK_FALSE(rg::trace(a, {.sketch = 3}).converged);
  CHECK(std::isnan(rg::density(a).mean([](double x) { return x; })));
  CHECK(std::isnan(rg::trace_of([](double x) { return x; }, a).value));
}

TEST_CASE("curvature: settings out of their range are refused") {
  const rg::DenseOperator a = softmax_regression();
  check_error([&] { (void)rg::top(a, {.largest = 0}); }, {"TopOptions.largest + smallest"});
  check_error([&] { (void)rg::top(a, {.tolerance = 0}); }, {"TopOptions.tolerance"});
  check_error([&] { (void)rg::trace(a, {.draws = {.least = 1}}); }, {"Draws.least", "at least 2"});
  check_error([&] { (void)rg::trace(a, {.block = 0}); }, {"TraceOptions.block"});
  check_error([&] { (void)rg::density(a, {.steps = 0}); }, {"DensityOptions.steps"});
  check_error([] { (void)rg::top(rg::DenseOperator{torch::ones({2, 3}, torch::kDouble)}); }, {"DenseOperator.matrix"});
}

TEST_CASE("curvature: signs are as often 1 as -1, and equal for equal seed and number") {
  const at::Tensor signs = rg::detail::random_signs(100000, 7, 3, torch::kDouble);
  CHECK(signs.abs().eq(1).all().item<bool>());
  CHECK(std::abs(signs.mean().item<double>()) < 0.02);
  CHECK(signs.equal(rg::detail::random_signs(100000, 7, 3, torch::kDouble)));
  CHECK(std::abs(correlation(signs, rg::detail::random_signs(100000, 7, 4, torch::kDouble))) < 0.02);
  CHECK(std::abs(correlation(signs, rg::detail::random_signs(100000, 8, 3, torch::kDouble))) < 0.02);
}

}  // namespace spectrum_test
