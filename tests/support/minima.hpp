#pragma once
// Networks whose surroundings have a closed form, for the tests of measures of sharpness.

#include "support/torch.hpp"

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <regimen/regimen.hpp>

namespace minima {

/// The mean of the outputs, whatever the targets are.
struct OutputItself {
  at::Tensor each(const at::Tensor& output, const at::Tensor&) const { return output.flatten(1).mean(1); }
};

/// Half the mean square of the outputs, whatever the targets are.
struct HalfSquare {
  at::Tensor each(const at::Tensor& output, const at::Tensor&) const { return output.square().flatten(1).mean(1) / 2; }
};

/// n samples of one number that no network here reads.
inline regimen::Source samples(std::int64_t n = 3) {
  return regimen::Batch{.data = at::zeros({n, 1}, at::kDouble)};
}

/// Output ab - 1; with HalfSquare its minima are the hyperbola ab = 1, along which a ReLU network is rescaled.
struct Product : torch::nn::Module {
  Product(double a, double b)
      : first(register_parameter("first", at::scalar_tensor(a, at::kDouble))),
        second(register_parameter("second", at::scalar_tensor(b, at::kDouble))) {}
  at::Tensor forward(const at::Tensor& x) { return (first * second - 1).expand({x.size(0), 1}); }

  at::Tensor first, second;
};

/// Output w'Hw / 2.
struct Quadratic : torch::nn::Module {
  Quadratic(std::vector<double> w, const at::Tensor& h)
      : weights(register_parameter("weights", at::tensor(w, at::kDouble))), hessian(h.to(at::kDouble)) {}
  at::Tensor forward(const at::Tensor& x) { return (weights.dot(hessian.mv(weights)) / 2).expand({x.size(0), 1}); }

  at::Tensor weights, hessian;
};

/// Output w'x of samples x, without a bias.
inline torch::nn::Linear linear(const std::vector<double>& w) {
  torch::nn::Linear net(torch::nn::LinearOptions(static_cast<std::int64_t>(w.size()), 1).bias(false));
  net->to(at::kDouble);
  const at::NoGradGuard no_grad;
  net->weight.copy_(at::tensor(w, at::kDouble).unsqueeze(0));
  return net;
}

/// Multiplies what comes into hidden unit i of small_mlp by factors[i] and divides what goes out: the function stays.
inline void rescale(torch::nn::Sequential& net, const at::Tensor& factors) {
  const at::NoGradGuard no_grad;
  auto parameters = net->named_parameters();
  parameters["0.weight"].mul_(factors.unsqueeze(1));
  parameters["0.bias"].mul_(factors);
  parameters["2.weight"].div_(factors);
}

/// Multiplies the outputs of small_mlp by a factor.
inline void scale_logits(torch::nn::Sequential& net, double factor) {
  const at::NoGradGuard no_grad;
  auto parameters = net->named_parameters();
  parameters["2.weight"].mul_(factor);
  parameters["2.bias"].mul_(factor);
}

/// n samples [n, 2] with labels of two classes.
inline regimen::Source labelled(std::int64_t n = 10, std::uint64_t seed = 1) {
  const regimen::Key key(seed, at::arange(n, at::kLong));
  const at::Tensor data = key.normal({2}).to(at::kDouble);
  return regimen::Batch{.data = data, .target = (data.select(1, 0) > data.select(1, 1)).to(at::kLong)};
}

}  // namespace minima
