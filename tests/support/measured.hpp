#pragma once
// What the tests of measures of a network's outputs share.

#include "support/small_networks.hpp"

#include <cmath>
#include <cstdint>
#include <vector>

#include "support/tensors.hpp"

namespace measured {

/// Shows its input times a number, so that a test writes the outputs down as data.
struct Echo {
  at::Tensor weight = at::ones({1}, at::kDouble);

  at::Tensor forward(const at::Tensor& x) { return x * weight; }
  std::vector<at::Tensor> parameters() { return {weight}; }
  std::vector<at::Tensor> buffers() { return {}; }
};

/// Rows of doubles.
inline at::Tensor rows(const std::vector<double>& values, std::int64_t columns) {
  return at::tensor(values, at::kDouble).view({-1, columns});
}

/// Samples of 4 normal inputs in double, with labels of 3 classes.
inline regimen::Batch points(std::int64_t n, std::uint64_t seed = 1) {
  const at::Tensor id = at::arange(n, at::kLong);
  return {.data = regimen::Key(seed, id).normal({4}).to(at::kDouble), .target = regimen::Key(seed + 1, id).below(3)};
}

/// Multiplies the incoming weights of each hidden unit of small_mlp by a positive number, and divides the outgoing ones
/// by it: the function is the same.
inline void rescale(torch::nn::Sequential& net) {
  const at::NoGradGuard no_grad;
  auto parameters = net->named_parameters();
  const at::Tensor factors = at::arange(1, 1 + parameters["0.bias"].numel(), at::kDouble) / 3;
  parameters["0.weight"].mul_(factors.unsqueeze(1));
  parameters["0.bias"].mul_(factors);
  parameters["2.weight"].div_(factors);
}

/// Multiplies the outputs of small_mlp by a number.
inline void scale_outputs(torch::nn::Sequential& net, double factor) {
  const at::NoGradGuard no_grad;
  auto parameters = net->named_parameters();
  parameters["2.weight"].mul_(factor);
  parameters["2.bias"].mul_(factor);
}

/// Both have the same names, and numbers that differ by rounding only; NaN is like NaN.
inline void check_close(const regimen::Numbers& found, const regimen::Numbers& expected) {
  REQUIRE(found.size() == expected.size());
  for (const auto& [name, value] : expected) {
    CAPTURE(name);
    REQUIRE(found.count(name) == 1);
    if (std::isnan(value)) {
      CHECK(std::isnan(found.at(name)));
    } else {
      CHECK(found.at(name) == Approx(value).epsilon(1e-9).margin(1e-12));
    }
  }
}

}  // namespace measured
