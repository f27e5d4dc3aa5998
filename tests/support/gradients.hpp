#pragma once
// What the tests of measures of gradients and curvature share: networks whose derivatives are known, derivatives of
// single samples by a loop, and what each measure must hold.

#include "support/tensors.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <vector>

#include "support/coverage.hpp"

/// f(a, b) = a b, whatever the input: the network of the litmus of rescaling, each factor a layer of one weight.
struct Product : torch::nn::Module {
  explicit Product(double a_is, double b_is) {
    a = register_parameter("a", torch::full({1, 1}, a_is, torch::kDouble));
    b = register_parameter("b", torch::full({1, 1}, b_is, torch::kDouble));
  }
  at::Tensor forward(const at::Tensor& x) { return a.mm(b).expand({x.size(0), 1}); }
  at::Tensor a, b;
};

/// Half the square of output - 1, the samples' losses.
struct HalfSquares {
  at::Tensor each(const at::Tensor& output, const at::Tensor& /*target*/) const {
    return (output - 1).square().flatten(1).sum(1) / 2;
  }
};

/// The sum of the outputs as a sample's loss: its gradient is the sample, for a linear network with one output.
struct OutputItself {
  at::Tensor each(const at::Tensor& output, const at::Tensor& /*target*/) const { return output.flatten(1).sum(1); }
};

inline regimen::Batch one_sample() {
  return {.data = torch::zeros({1, 1}, torch::kDouble), .target = torch::zeros({1}, torch::kLong)};
}

/// A linear network without bias, weights 0.
inline torch::nn::Linear linear_at_zero(std::int64_t in, std::int64_t out) {
  torch::nn::Linear net(torch::nn::LinearOptions(in, out).bias(false));
  net->to(torch::kDouble);
  const at::NoGradGuard no_grad;
  net->weight.zero_();
  return net;
}

/// Softmax regression with weights 0 on (1, 0), (0, 2), three classes: eigenvalues 2/3, 2/3, 1/6, 1/6, 0, 0.
inline regimen::Batch two_samples() {
  return {.data = torch::tensor({{1.0, 0.0}, {0.0, 2.0}}, torch::kDouble), .target = torch::tensor({0, 1})};
}

/// Linear, ReLU, Linear in double with random weights, and with its hidden units' incoming weights times `factor` and
/// outgoing ones over it.
inline torch::nn::Sequential relu_mlp(std::uint64_t seed = 1, double factor = 1) {
  torch::manual_seed(seed);
  torch::nn::Sequential net(torch::nn::Linear(4, 6), torch::nn::ReLU(), torch::nn::Linear(6, 3));
  net->to(torch::kDouble);
  const at::NoGradGuard no_grad;
  const std::vector<at::Tensor> parameters = net->parameters();
  parameters[0].mul_(factor);
  parameters[1].mul_(factor);
  parameters[2].div_(factor);
  return net;
}

/// n samples of 4 numbers and 3 classes.
inline regimen::Batch samples_for_mlp(std::int64_t n = 10, std::uint64_t seed = 2) {
  torch::manual_seed(seed);
  return {.data = torch::randn({n, 4}, torch::kDouble), .target = torch::arange(n, torch::kLong).remainder(3)};
}

/// The outputs of another network times a constant that is no parameter.
struct TimesConstant : torch::nn::Module {
  TimesConstant(torch::nn::Sequential of, double constant_is) : constant(constant_is) {
    net = register_module("net", std::move(of));
  }
  at::Tensor forward(const at::Tensor& x) { return net->forward(x) * constant; }
  torch::nn::Sequential net{nullptr};
  double constant;
};

/// The gradient of a 0-d function of the parameters as a vector, zeros for unused parameters.
inline at::Tensor flat_gradient(const at::Tensor& of, const std::vector<at::Tensor>& parameters,
                                bool create_graph = false) {
  std::vector<at::Tensor> parts;
  const auto gradients = torch::autograd::grad({of}, parameters, {}, true, create_graph, true);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    parts.push_back((gradients[i].defined() ? gradients[i] : torch::zeros_like(parameters[i])).flatten());
  }
  return at::cat(parts);
}

/// The gradients of f(output of sample i, i) of all samples, one after another, [n, weights].
template <class M>
at::Tensor each_gradient(M& net, const regimen::Batch& data,
                         const std::function<at::Tensor(const at::Tensor&, std::int64_t)>& f) {
  std::vector<at::Tensor> rows;
  for (std::int64_t i = 0; i < data.size(); ++i) {
    rows.push_back(flat_gradient(f(net->forward(data.data.narrow(0, i, 1)), i), net->parameters()));
  }
  return at::stack(rows);
}

/// The gradients of the cross entropy of each sample, [n, weights].
template <class M>
at::Tensor each_loss_gradient(M& net, const regimen::Batch& data) {
  return each_gradient(net, data, [&](const at::Tensor& z, std::int64_t i) {
    return -z.log_softmax(1)[0][data.target[i].item<std::int64_t>()];
  });
}

/// The Jacobian of all outputs, a row for each sample and output, [n C, weights].
template <class M>
at::Tensor jacobian_of(M& net, const regimen::Batch& data) {
  std::vector<at::Tensor> rows;
  const at::Tensor outputs = net->forward(data.data).flatten();
  for (std::int64_t i = 0; i < outputs.numel(); ++i) {
    rows.push_back(flat_gradient(outputs[i], net->parameters()));
  }
  return at::stack(rows);
}

/// The Hessian of a 0-d function of the parameters, [weights, weights].
inline at::Tensor hessian_of(const at::Tensor& of, const std::vector<at::Tensor>& parameters) {
  const at::Tensor slope = flat_gradient(of, parameters, /*create_graph=*/true);
  std::vector<at::Tensor> rows;
  for (std::int64_t i = 0; i < slope.numel(); ++i) {
    rows.push_back(flat_gradient(slope[i], parameters));
  }
  return at::stack(rows);
}

inline bool holds(const regimen::MonteCarloEstimate& estimate, double truth) {
  const double rounding = 1e-12 * std::abs(truth);  // where all draws are equal
  return estimate.low() - rounding <= truth && truth <= estimate.high() + rounding;
}

/// As many draws as asked for, whatever the interval.
inline regimen::Draws fixed_draws(std::int64_t n, std::uint64_t seed = 0) {
  return {.least = n, .most = n, .relative = 0, .seed = seed};
}

/// The numbers are equal up to a relative rounding; infinities and NaNs count as equal to themselves.
inline void check_equal(const regimen::Numbers& a, const regimen::Numbers& b, double relative = 1e-9) {
  REQUIRE(a.size() == b.size());
  for (const auto& [name, value] : a) {
    CAPTURE(name, value, b.at(name));
    CHECK((value == b.at(name) || (std::isnan(value) && std::isnan(b.at(name))) ||
           std::abs(value - b.at(name)) <= relative * std::abs(value) + 1e-12));
  }
}

/// The measure gives one result with batches of 1, of 7, whose last one is smaller, and of all samples.
template <class M, class Net>
void check_batches(M measure, const Net& net) {
  measure.how.batch = 1000;
  const regimen::Numbers all = measure(net);
  for (const std::int64_t batch : {1, 7}) {
    CAPTURE(batch);
    measure.how.batch = batch;
    check_equal(measure(net), all);
  }
}
