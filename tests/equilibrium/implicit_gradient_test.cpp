// Gradients through fixed points, against unrolled iterations, finite differences and closed forms.

#include "support/tensors.hpp"

#include <cmath>
#include <functional>
#include <set>
#include <vector>

#include <regimen/regimen.hpp>

namespace implicit_gradient_test {

namespace {

using regimen::Anderson;
using regimen::BackwardSolver;
using regimen::ConjugateGradient;
using regimen::equilibrium;
using regimen::Equilibrium;
using regimen::OneStep;
using regimen::Picard;

/// tanh(x W + y) with |W| as given.
struct Tanh {
  at::Tensor weight, given;

  explicit Tanh(double norm = 0.8, std::int64_t samples = 4) {
    weight = drawn(1, 6, {6});
    weight = (weight * (norm / at::linalg_svdvals(weight).max())).requires_grad_();
    given = drawn(2, samples, {6}).requires_grad_();
  }
  at::Tensor operator()(const at::Tensor& x) const { return (x.matmul(weight) + given).tanh(); }
  [[nodiscard]] std::vector<at::Tensor> variables() const { return {weight, given}; }
};

/// A gradient step on f(x) = x' H x / 2 - b' x, with H = w diag(h) w' + shift.
struct GradientStep {
  at::Tensor factor = (drawn(3, 5, {5}) * 0.4).requires_grad_();
  at::Tensor right = drawn(4, 3, {5}).requires_grad_();
  double shift = 0.1;

  [[nodiscard]] at::Tensor hessian() const { return factor.matmul(factor.t()) + shift * at::eye(5, at::kDouble); }
  at::Tensor operator()(const at::Tensor& x) const { return x - 0.5 * (x.matmul(hessian()) - right); }
  [[nodiscard]] std::vector<at::Tensor> variables() const { return {factor, right}; }
};

at::Tensor loss_of(const at::Tensor& x) {
  return ((x - 0.3).square() * at::arange(1, x.size(1) + 1, at::kDouble)).sum();
}

/// All gradients of the loss at x, as one vector.
at::Tensor gradient(const at::Tensor& x, const std::vector<at::Tensor>& variables) {
  std::vector<at::Tensor> flat;
  for (const at::Tensor& part : torch::autograd::grad({loss_of(x)}, variables)) {
    flat.push_back(part.flatten());
  }
  return at::cat(flat);
}

template <class Map>
at::Tensor unrolled(const Map& map, at::Tensor x, int steps) {
  for (int i = 0; i < steps; ++i) {
    x = map(x);
  }
  return x;
}

double relative(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).norm() / b.norm()).item<double>();
}

/// By central differences of the solution, which is iterated to rounding.
template <class Map>
at::Tensor by_differences(const Map& map, const at::Tensor& x_0) {
  const at::NoGradGuard no_grad;
  std::vector<double> slopes;
  for (const at::Tensor& variable : map.variables()) {
    const at::Tensor flat = variable.view({-1});
    for (std::int64_t i = 0; i < flat.numel(); ++i) {
      const double kept = flat[i].template item<double>();
      double ends[2];
      for (const int side : {0, 1}) {
        flat[i] = kept + (side == 0 ? -1e-5 : 1e-5);
        ends[side] = loss_of(unrolled(map, x_0, 2000)).template item<double>();
      }
      flat[i] = kept;
      slopes.push_back((ends[1] - ends[0]) / 2e-5);
    }
  }
  return at::tensor(slopes, at::kDouble);
}

/// The nodes of a graph.
std::size_t nodes(const at::Tensor& of) {
  std::set<torch::autograd::Node*> seen;
  const std::function<void(torch::autograd::Node*)> visit = [&](torch::autograd::Node* node) {
    if (node != nullptr && seen.insert(node).second) {
      for (const auto& edge : node->next_edges()) {
        visit(edge.function.get());
      }
    }
  };
  visit(of.grad_fn().get());
  return seen.size();
}

const std::vector<BackwardSolver> exact_solvers = {Anderson{.tolerance = 1e-11}, Picard{.tolerance = 1e-11}};

}  // namespace

TEST_CASE("equilibrium: one number, by hand") {
  // x = x / 2 + a: x = 2 a, dx/da = 2, and for the slope s in x = s x + 1: dx/ds = 1 / (1 - s)^2.
  const at::Tensor a = at::full({1}, 3.0, at::kDouble).requires_grad_();
  const at::Tensor s = at::full({1}, 0.5, at::kDouble).requires_grad_();
  const at::Tensor x_0 = at::zeros({1}, at::kDouble).requires_grad_();
  const Equilibrium by_shift = equilibrium([&](const at::Tensor& x) { return x / 2 + a; }, x_0);
  CHECK(by_shift.x.item<double>() == Approx(6).epsilon(1e-4));
  CHECK(by_shift.backward->solver.empty());
  by_shift.x.sum().backward();
  CHECK(a.grad().item<double>() == Approx(2).epsilon(1e-4));
  CHECK(by_shift.backward->solver == "Anderson");
  CHECK(by_shift.backward->succeeded());
  CHECK(by_shift.forward.solver == "Anderson");
  CHECK(by_shift.forward.stable.all().item<bool>());
  CHECK_FALSE(x_0.grad().defined());  // the solution does not depend on the start
  equilibrium([&](const at::Tensor& x) { return s * x + 1; }, x_0).x.sum().backward();
  CHECK(s.grad().item<double>() == Approx(4).epsilon(1e-3));
}

TEST_CASE("equilibrium: gradients by weights and inputs are those of finite differences") {
  const Tanh map;
  const at::Tensor x_0 = at::zeros({4, 6}, at::kDouble);
  const at::Tensor differences = by_differences(map, x_0);
  for (const BackwardSolver& backward : exact_solvers) {
    const Equilibrium point = equilibrium(map, x_0, {.forward = Anderson{.tolerance = 1e-11}, .backward = backward});
    CHECK(relative(gradient(point.x, map.variables()), differences) < 1e-6);
    CHECK(point.backward->residual.sizes() == at::IntArrayRef({4}));
    CHECK(point.backward->converged.all().item<bool>());
    CHECK(point.backward->evaluations > 3);
    CHECK_FALSE(point.backward->stable.defined());
  }
}

TEST_CASE("equilibrium: agrees with unrolling, if that is long enough") {
  // A spectral radius of .95: 30 steps leave .95^30 = .21 of the error, 300 steps 2e-7.
  at::Tensor weight = at::diag(at::tensor({0.95, 0.5, -0.3}, at::kDouble)).requires_grad_();
  const at::Tensor given = (drawn(5, 2, {3}) * 0.01).requires_grad_();  // small, where tanh is nearly linear
  const auto map = [&](const at::Tensor& x) { return (x.matmul(weight) + given).tanh(); };
  const at::Tensor x_0 = at::zeros({2, 3}, at::kDouble);
  const Equilibrium point =
      equilibrium(map, x_0, {.forward = Anderson{.tolerance = 1e-11}, .backward = Anderson{.tolerance = 1e-11}});
  const std::vector<at::Tensor> variables{weight, given};
  CHECK(point.forward.radius.max().item<double>() > 0.85);
  const at::Tensor implicit = gradient(point.x, variables);
  CHECK(relative(gradient(unrolled(map, x_0, 30), variables), implicit) > 1e-2);
  CHECK(relative(gradient(unrolled(map, x_0, 400), variables), implicit) < 1e-6);
  // The first-order gradient is none of these.
  const Equilibrium one = equilibrium(map, x_0, {.backward = OneStep{}});
  CHECK(relative(gradient(one.x, variables), implicit) > 0.3);
  CHECK(one.backward->solver.empty());
}

TEST_CASE("equilibrium: a gradient step's by conjugate gradients, and a saddle's by Anderson") {
  GradientStep map;
  const at::Tensor x_0 = at::zeros({3, 5}, at::kDouble);
  // Closed form: the solution is b H^-1, differentiated by LibTorch.
  const at::Tensor closed = gradient(map.right.matmul(at::linalg_inv(map.hessian())), map.variables());
  const regimen::FixedPointSolver forward = Anderson{.tolerance = 1e-12};
  const Equilibrium point =
      equilibrium(map, x_0, {.forward = forward, .backward = ConjugateGradient{.tolerance = 1e-12}});
  CHECK(relative(gradient(point.x, map.variables()), closed) < 1e-9);
  CHECK(point.backward->solver == "ConjugateGradient");
  CHECK(point.backward->evaluations <= 7);
  // A saddle, found by Anderson's solver and used on demand: I - J is not positive definite.
  map.shift = -0.3;
  const at::Tensor saddle = gradient(map.right.matmul(at::linalg_inv(map.hessian())), map.variables());
  regimen::EquilibriumOptions how{.forward = forward, .backward = ConjugateGradient{.tolerance = 1e-11}};
  check_error([&] { (void)equilibrium(map, x_0, how); }, {"unstable"});
  how.accept_failure = true;
  const Equilibrium at_saddle = equilibrium(map, x_0, how);
  CHECK_FALSE(at_saddle.forward.succeeded());
  CHECK(relative(gradient(at_saddle.x, map.variables()), saddle) < 1e-7);
  CHECK(at_saddle.backward->solver == "Anderson");
}

TEST_CASE("equilibrium: its graph is the same however long the solve took") {
  const Tanh map(0.9);
  const at::Tensor x_0 = at::zeros({4, 6}, at::kDouble);
  std::vector<std::size_t> sizes;
  std::vector<std::int64_t> evaluations;
  for (const std::int64_t iterations : {10, 1000}) {
    const Equilibrium point = equilibrium(
        map, x_0, {.forward = Picard{.tolerance = 1e-300, .iterations = iterations}, .accept_failure = true});
    sizes.push_back(nodes(point.x));
    evaluations.push_back(point.forward.evaluations);
  }
  CHECK(sizes[0] == sizes[1]);
  CHECK(sizes[0] < 12);
  CHECK(evaluations[1] > 5 * evaluations[0]);
  CHECK(nodes(unrolled(map, x_0, 10)) > 3 * sizes[0]);  // what the count is made to see
}

TEST_CASE("equilibrium: its graph goes with its tensors, before and after a backward pass") {
  const Tanh map;
  const auto uses = [&] { return map.weight.use_count(); };
  const auto before = uses();
  {
    const Equilibrium unused = equilibrium(map, at::zeros({4, 6}, at::kDouble));
    CHECK(uses() > before);
  }
  CHECK(uses() == before);
  {
    const Equilibrium used = equilibrium(map, at::zeros({4, 6}, at::kDouble));
    CHECK(torch::autograd::grad({loss_of(used.x)}, {map.weight})[0].defined());
    CHECK(torch::autograd::grad({loss_of(equilibrium(map, used.x).x)}, {map.weight})[0].defined());
  }
  CHECK(uses() == before);
}

TEST_CASE("equilibrium: solves that fail are errors, backwards too, unless they are accepted") {
  const Tanh map;
  const at::Tensor x_0 = at::zeros({4, 6}, at::kDouble);
  check_error([&] { (void)equilibrium(map, x_0, {.forward = Picard{.iterations = 2}}); },
              {"fixed_point (Picard)", "4 of 4 samples", "2 iterations"});
  const regimen::EquilibriumOptions hasty{.backward = Anderson{.tolerance = 1e-9, .iterations = 2}};
  const Equilibrium point = equilibrium(map, x_0, hasty);
  check_error([&] { loss_of(point.x).backward(); },
              {"the backward solve of equilibrium (Anderson)", "4 of 4 samples", "2 iterations", "tolerance 1e-09"});
  CHECK_FALSE(point.backward->succeeded());
  regimen::EquilibriumOptions accepting = hasty;
  accepting.accept_failure = true;
  const Equilibrium accepted = equilibrium(map, x_0, accepting);
  CHECK_NOTHROW(loss_of(accepted.x).backward());
  CHECK_FALSE(accepted.backward->succeeded());
  check_error([&] { accepted.backward->require_success("this", "Look"); }, {"this (Anderson)", "Look"});
  // An unstable point, whose linear system has a solution all the same.
  const at::Tensor a = at::ones({1}, at::kDouble).requires_grad_();
  const auto runaway = [&](const at::Tensor& x) { return a - 1.8 * x; };
  check_error([&] { (void)equilibrium(runaway, at::zeros({1}, at::kDouble)); }, {"unstable", "1.8"});
  equilibrium(runaway, at::zeros({1}, at::kDouble), {.accept_failure = true}).x.sum().backward();
  CHECK(a.grad().item<double>() == Approx(1 / 2.8).epsilon(1e-3));
}

TEST_CASE("equilibrium: is differentiated once, and a second time is an error") {
  const Tanh map;
  const Equilibrium point = equilibrium(map, at::zeros({4, 6}, at::kDouble));
  check_error([&] { (void)torch::autograd::grad({loss_of(point.x)}, {map.weight}, {}, true, /*create_graph=*/true); },
              {"equilibrium", "differentiated once", "create_graph"});
  // Of the same graph again, where it was kept.
  const at::Tensor loss = loss_of(point.x);
  const auto again = [&](bool keep) { return torch::autograd::grad({loss}, {map.weight}, {}, keep)[0]; };
  const at::Tensor first = again(true);
  CHECK(again(false).equal(first));
}

TEST_CASE("equilibrium: float, a batch of one, no gradients wanted, samples that have none") {
  const Tanh map(0.8, 1);
  const auto in_float = [&](const at::Tensor& x) {
    return (x.matmul(map.weight.to(at::kFloat)) + map.given.to(at::kFloat)).tanh();
  };
  const Equilibrium point = equilibrium(in_float, at::zeros({1, 6}));
  CHECK(point.x.scalar_type() == at::kFloat);
  const Equilibrium exact =
      equilibrium(map, at::zeros({1, 6}, at::kDouble),
                  {.forward = Anderson{.tolerance = 1e-9}, .backward = Anderson{.tolerance = 1e-9}});
  CHECK(relative(gradient(point.x, map.variables()), gradient(exact.x, map.variables())) < 1e-2);
  {
    const at::NoGradGuard no_grad;
    CHECK_FALSE(equilibrium(map, at::zeros({1, 6}, at::kDouble)).x.requires_grad());
    const auto with_graph = [&](const at::Tensor& x) {
      const at::AutoGradMode with_gradients(true);
      return map(x);
    };
    CHECK_FALSE(equilibrium(with_graph, at::zeros({1, 6}, at::kDouble)).x.requires_grad());
  }
  // A tiny gradient is solved as exactly as a large one, and samples outside the loss have none.
  const Tanh two(0.8, 2);
  const Equilibrium partly =
      equilibrium(two, at::zeros({2, 6}, at::kDouble),
                  {.forward = Anderson{.tolerance = 1e-11}, .backward = Anderson{.tolerance = 1e-11}});
  const auto by = [&](double factor) {
    return torch::autograd::grad({partly.x[0].sum() * factor}, {two.given}, {}, true)[0];
  };
  CHECK(by(1)[1].eq(0).all().item<bool>());
  CHECK(furthest(by(1e-20) * 1e20, by(1)) < 1e-9);
  // A map that does not look at x.
  const at::Tensor a = at::ones({2, 3}, at::kDouble).requires_grad_();
  equilibrium([&](const at::Tensor& x) { return a * 2 + x.detach() * 0; }, at::zeros({2, 3}, at::kDouble))
      .x.sum()
      .backward();
  CHECK(a.grad().eq(2).all().item<bool>());
  check_error([&] { (void)equilibrium(map, at::zeros({0, 6}, at::kDouble)); }, {"at least one number"});
  check_error(
      [&] { (void)equilibrium(map, at::zeros({1, 6}, at::kDouble), {.backward = ConjugateGradient{.tolerance = 0}}); },
      {"ConjugateGradient.tolerance"});
}

TEST_CASE("equilibrium: of a learned regularizer, by its weights and its learned strength") {
  torch::manual_seed(1);
  torch::nn::Sequential net(torch::nn::Linear(8, 8), torch::nn::ELU(), torch::nn::Linear(8, 8));
  net->to(at::kDouble);
  {
    const at::NoGradGuard no_grad;
    for (at::Tensor& w : net->parameters()) {
      w.mul_(0.5);
    }
  }
  const regimen::LearnedPotential potential{.network = net};
  const at::Tensor log_strength = at::full({}, -0.5, at::kDouble).requires_grad_();
  const at::Tensor matrix = drawn(7, 5, {8}) * 0.4;
  const at::Tensor y = drawn(8, 3, {5});
  const regimen::MatrixTerm data(matrix, y);
  const double rho = 0.4;
  const auto map = [&](const at::Tensor& x) {
    const at::Tensor strength = log_strength.exp();
    return proximal_step(data, potential, x, rho / strength, strength);
  };
  std::vector<at::Tensor> variables = net->parameters();
  variables.push_back(log_strength);
  const at::Tensor x_0 = at::zeros({3, 8}, at::kDouble);
  const Equilibrium point =
      equilibrium(map, x_0, {.forward = Anderson{.tolerance = 1e-11}, .backward = Anderson{.tolerance = 1e-11}});
  const at::Tensor implicit = gradient(point.x, variables);
  CHECK(relative(gradient(unrolled(map, x_0, 300), variables), implicit) < 1e-6);
  CHECK(implicit[-1].abs().item<double>() > 1e-6);
  // At the solution the objective's gradient is 0.
  const at::NoGradGuard no_grad;
  const at::Tensor slope = data.slope(point.x) + log_strength.exp() * potential.slope(point.x);
  CHECK(slope.abs().max().item<double>() < 1e-8);
  CHECK_FALSE(slope.requires_grad());
}

}  // namespace implicit_gradient_test
