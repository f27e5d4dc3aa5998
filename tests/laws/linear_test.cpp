// The linear analogue of "Bad Global Minima Exist", where everything has a closed form: least squares with more
// unknowns than rows, in double. What plain descent never removes (the start's part in the null space of the data), and
// what each regularizer does about it.

#include "support/training.hpp"

#include <cmath>
#include <cstdint>
#include <functional>

namespace linear_test {

namespace {

using namespace training;

constexpr std::int64_t unknowns = 8;

/// [8, 8], orthogonal and symmetric: the Hadamard matrix of order 8 by Sylvester's construction, scaled. With it the
/// data's singular vectors are known, and no LAPACK is needed.
at::Tensor hadamard() {
  at::Tensor h = torch::ones({1, 1}, torch::kDouble);
  while (h.size(0) < unknowns) {
    h = torch::cat({torch::cat({h, h}, 1), torch::cat({h, -h}, 1)}, 0);
  }
  return h / std::sqrt(static_cast<double>(unknowns));
}

/// The basis vectors with these numbers, as rows.
at::Tensor basis(const std::vector<std::int64_t>& which) {
  return hadamard().index_select(0, torch::tensor(which));
}

/// Projects onto the span of orthonormal rows.
at::Tensor project(const at::Tensor& rows, const at::Tensor& theta) {
  return rows.t().matmul(rows.matmul(theta));
}

/// X = U S V^T of rank 4 with singular values between 1 and 1.5, in as many rows; y of no special kind.
struct Problem {
  at::Tensor rows = basis({1, 3, 4, 6});  // V^T
  at::Tensor singular = torch::linspace(1, 1.5, 4, torch::kDouble);
  at::Tensor left = torch::tensor({{.5, .5, .5, .5}, {.5, -.5, .5, -.5}, {.5, .5, -.5, -.5}, {.5, -.5, -.5, .5}},
                                  torch::kDouble);  // U
  at::Tensor x = left.matmul(torch::diag(singular)).matmul(rows);
  at::Tensor y = torch::tensor({1.0, -2.0, 0.5, 3.0}, torch::kDouble);

  /// X^+ y
  [[nodiscard]] at::Tensor least() const { return rows.t().matmul(left.t().matmul(y) / singular); }
  /// (I - X^+ X) theta
  [[nodiscard]] at::Tensor hidden(const at::Tensor& theta) const { return theta - project(rows, theta); }
  [[nodiscard]] rg::Batch data() const { return {.data = x, .target = y}; }
};

/// The loss is a mean over 4 rows: its curvature along a singular vector is s^2 / 2, at most 1.125.
constexpr double rate = 0.8;
constexpr int many = 300;

torch::nn::Linear linear(const at::Tensor& theta) {
  torch::nn::Linear model(torch::nn::LinearOptions(unknowns, 1).bias(false));
  model->to(torch::kDouble);
  const torch::NoGradGuard no_grad;
  model->weight.copy_(theta.unsqueeze(0));
  return model;
}

at::Tensor theta_of(const torch::nn::Linear& model) {
  return model->weight.detach().clone().squeeze(0);
}

at::Tensor start() {
  return torch::tensor({3.0, -1.0, 2.0, 0.5, -2.5, 1.0, 4.0, -0.25}, torch::kDouble);
}

double length(const at::Tensor& theta) {
  return theta.norm().item<double>();
}

/// Full-batch descent by `run`.
at::Tensor descend(const at::Tensor& from, const rg::Source& data, const torch::optim::SGDOptions& options, int steps,
                   const std::vector<rg::AnyRegularizer>& regularize = {},
                   const std::vector<rg::AnyTransform>& augment = {},
                   const std::function<void(int, const at::Tensor&)>& watch = nullptr) {
  auto model = linear(from);
  torch::optim::SGD sgd(model->parameters(), options);
  const rg::Phase phase{.data = data,
                        .optimizer = sgd,
                        .epochs = steps,
                        .batch = 64,
                        .loss = rg::MeanSquaredError{},
                        .augment = augment,
                        .regularize = regularize};
  const rg::History history = rg::run(model, {phase}, {.every = steps}, [&](const rg::Step& step) {
    if (watch) {
      watch(static_cast<int>(step.clock.step), theta_of(model));
    }
  });
  CHECK(history.ended() == rg::Ended::epochs);
  CHECK(model->weight.scalar_type() == torch::kDouble);
  return theta_of(model);
}

}  // namespace

TEST_CASE("descent from anywhere ends at X^+ y + (I - X^+ X) theta_0: what the start hid stays hidden") {
  const Problem problem;
  const at::Tensor end = descend(start(), problem.data(), rate, many);
  CHECK(length(end - (problem.least() + problem.hidden(start()))) < 1e-8);
  CHECK(length(problem.hidden(start())) > 1);
  CHECK(length(problem.x.matmul(end) - problem.y) < 1e-8);  // it fits all the same
}

TEST_CASE("descent from zero ends at the pseudo-inverse's answer, the shortest of all that fit") {
  const Problem problem;
  const at::Tensor end = descend(torch::zeros({unknowns}, torch::kDouble), problem.data(), rate, many);
  CHECK(length(end - problem.least()) < 1e-8);
}

TEST_CASE("pre-training on other labels changes where vanilla descent ends only in the null space") {
  const Problem problem;
  // Random labels on data of which the problem's are a part: more rows, so that they reach into its null space.
  const at::Tensor more = basis({0, 1, 2, 3, 4, 6});
  const rg::Batch confusion{.data = more, .target = torch::tensor({5.0, -4.0, 3.0, 2.0, -6.0, 1.0}, torch::kDouble)};
  const at::Tensor bad = descend(torch::zeros({unknowns}, torch::kDouble), confusion, rate, many);
  const at::Tensor end = descend(bad, problem.data(), rate, many);
  const at::Tensor expected = problem.least() + project(basis({0, 2}), bad);
  CHECK(length(end - expected) < 1e-8);
  CHECK(length(end - problem.least()) == Approx(std::sqrt(5.0 * 5.0 + 3.0 * 3.0)).epsilon(1e-6));
}

TEST_CASE("l2 shrinks the null-space part by 1 - rate * strength a step, as a penalty and as weight decay alike") {
  const Problem problem;
  const double strength = 0.02;
  const at::Tensor hidden = problem.hidden(start());
  double worst = 0;
  const auto watch = [&](int step, const at::Tensor& theta) {
    const at::Tensor expected = hidden * std::pow(1 - rate * strength, step);
    worst = std::max(worst, length(problem.hidden(theta) - expected));
  };
  const at::Tensor by_penalty = descend(start(), problem.data(), rate, many, {rg::L2{.strength = strength}}, {}, watch);
  const at::Tensor by_decay =
      descend(start(), problem.data(), torch::optim::SGDOptions(rate).weight_decay(strength), many, {}, {}, watch);
  CHECK(worst < 1e-12);
  CHECK(length(problem.hidden(by_penalty)) < 0.01 * length(hidden));
  CHECK(length(by_penalty - by_decay) < 1e-12);
  // What is left is ridge regression: each singular direction is shrunk by s^2 / (s^2 + 2 * strength).
  const at::Tensor squares = problem.singular.square();
  const at::Tensor ridge = problem.rows.t().matmul(problem.left.t().matmul(problem.y) / problem.singular *
                                                   (squares / (squares + 2 * strength)));
  const at::Tensor long_after = descend(start(), problem.data(), rate, 3000, {rg::L2{.strength = strength}});
  CHECK(length(long_after - ridge) < 1e-8);
}

TEST_CASE("an l2 whose strength follows a schedule shrinks the null-space part by the product of its factors") {
  const Problem problem;
  const rg::Cosine cosine{.epochs = 50};
  double factor = 1;
  for (rg::Clock t; t.epoch < 80; ++t.epoch) {
    factor *= 1 - rate * 0.05 * cosine(t);
  }
  const at::Tensor end = descend(start(), problem.data(), rate, 80, {rg::L2{.strength = cosine * 0.05}});
  CHECK(length(problem.hidden(end) - problem.hidden(start()) * factor) < 1e-12);
  CHECK(factor < 0.5);
}

TEST_CASE("momentum alone removes nothing of the null-space part") {
  const Problem problem;
  double worst = 0;
  const auto watch = [&](int, const at::Tensor& theta) {
    worst = std::max(worst, length(problem.hidden(theta - start())));
  };
  const at::Tensor end =
      descend(start(), problem.data(), torch::optim::SGDOptions(0.2).momentum(0.9), 600, {}, {}, watch);
  CHECK(worst < 1e-12);
  CHECK(length(end - (problem.least() + problem.hidden(start()))) < 1e-8);
}

TEST_CASE("stopping early removes nothing of the null-space part either") {
  const Problem problem;
  CHECK(length(problem.hidden(descend(start(), problem.data(), rate, 3) - start())) < 1e-12);
}

TEST_CASE("augmentation shows more rows, and removes the part that they span") {
  // Rows 1, 3 and 5 of the basis. Swapping coordinates whose numbers differ in their two lowest bits maps row 1 to 2,
  // 3 to itself, 5 to 6; the truth is the same under the swap, so the augmented rows tell no lies.
  const at::Tensor swap = torch::tensor({0, 2, 1, 3, 4, 6, 5, 7}, torch::kLong);
  const at::Tensor x = basis({1, 3, 5});
  const at::Tensor lucky = start();
  const at::Tensor truth = lucky + lucky.index_select(0, swap);
  const rg::Batch data{.data = x, .target = x.matmul(truth)};
  const auto mirror = [=](const rg::Batch& batch, const rg::Key& key) {
    return key.now().clock.epoch % 2 == 0 ? batch : rg::detail::with_data(batch, batch.data.index_select(1, swap));
  };
  const at::Tensor from = torch::tensor({1.0, 2.0, -3.0, 0.0, 5.0, -1.0, 0.5, 2.0}, torch::kDouble);
  const at::Tensor plain = descend(from, data, rate, 600);
  const at::Tensor augmented = descend(from, data, rate, 600, {}, {mirror});

  CHECK(length(plain - truth - project(basis({0, 2, 4, 6, 7}), from - truth)) < 1e-8);
  CHECK(length(augmented - truth - project(basis({0, 4, 7}), from - truth)) < 1e-8);
  CHECK(length(augmented - truth) < length(plain - truth) - 0.1);
  CHECK(length(x.matmul(plain) - data.target) < 1e-8);  // both fit
  CHECK(length(x.matmul(augmented) - data.target) < 1e-8);
}

TEST_CASE("a model in double stays in double through everything that run can do to it") {
  const Problem problem;
  auto model = linear(start());
  torch::optim::Adam adam(model->parameters(), torch::optim::AdamOptions(0.1));
  const rg::Phase phase{.data = problem.data(),
                        .optimizer = adam,
                        .epochs = 4,
                        .lr_scale = rg::Cosine{.epochs = 4},
                        .batch = 3,
                        .loss = rg::MeanSquaredError{},
                        .augment = {rg::GaussianNoise{.stddev = 0.1}},
                        .preprocess = {rg::Normalize{.mean = {0.0}, .stddev = {1.0}}},
                        .regularize = {rg::L2{}, rg::L1{}, rg::ClipGradients{.max_norm = 1}, rg::MaxNorm{.bound = 3}},
                        .accumulate = 2};
  rg::Scoring scoring{.test = problem.data()};
  scoring.measures["l2"] = rg::l2_norm;
  const rg::History history = rg::run(model, {phase}, scoring);
  CHECK(model->weight.scalar_type() == torch::kDouble);
  CHECK(length(theta_of(model)) <= 3 + 1e-12);
  const double loss = (problem.x.matmul(theta_of(model)) - problem.y).square().mean().item<double>();
  CHECK(history.back().test.loss == Approx(loss).epsilon(1e-12));
}

}  // namespace linear_test
