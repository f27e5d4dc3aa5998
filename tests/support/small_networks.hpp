#pragma once
// Networks for the tests of path norms, in double so that finite differences mean something.

#include "support/torch.hpp"

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

/// Linear, ReLU, Linear: with biases.
inline torch::nn::Sequential small_mlp(std::int64_t in = 2, std::int64_t hidden = 3, std::int64_t out = 2) {
  torch::nn::Sequential net(torch::nn::Linear(in, hidden), torch::nn::ReLU(), torch::nn::Linear(hidden, out));
  net->to(at::kDouble);
  return net;
}

/// Fills parameters with N(0, 0.7^2) and BatchNorm's statistics with something that training could leave.
inline void randomize(torch::nn::Module& net, std::uint64_t seed, double variance = 1) {
  const at::NoGradGuard no_grad;
  at::manual_seed(seed);
  for (at::Tensor parameter : net.parameters()) {
    parameter.normal_(0, 0.7);
  }
  for (const auto& buffer : net.named_buffers()) {
    at::Tensor tensor = buffer.value();
    if (buffer.key().find("running_mean") != std::string::npos) {
      tensor.normal_(0, 0.5);
    } else if (buffer.key().find("running_var") != std::string::npos) {
      tensor.uniform_(0.5 * variance, 2 * variance);
    }
  }
}

/// The sum over all paths of the product of |w|^p along it, one path after another; a bias begins paths of its own.
inline double brute_force(torch::nn::Sequential& net, double p) {
  const auto parameters = net->named_parameters();
  const auto number = [&](const char* name, std::int64_t i, std::int64_t j = -1) {
    const at::Tensor& tensor = parameters[name];
    return std::pow(std::abs((j < 0 ? tensor[i] : tensor[i][j]).item<double>()), p);
  };
  const at::Tensor& first = parameters["0.weight"];
  const at::Tensor& last = parameters["2.weight"];
  double sum = 0;
  for (std::int64_t o = 0; o < last.size(0); ++o) {
    for (std::int64_t h = 0; h < last.size(1); ++h) {
      for (std::int64_t i = 0; i < first.size(1); ++i) {
        sum += number("0.weight", h, i) * number("2.weight", o, h);
      }
      sum += number("0.bias", h) * number("2.weight", o, h);
    }
    sum += number("2.bias", o);
  }
  return sum;
}

/// Everything that a path norm must put back.
struct Kept {
  explicit Kept(torch::nn::Module& module) : net(module) {
    for (const auto& all : {net.parameters(), net.buffers()}) {
      for (const at::Tensor& tensor : all) {
        tensors.push_back(tensor);
        values.push_back(tensor.detach().clone());
        memory.push_back(tensor.data_ptr());
        gradients.push_back(tensor.grad());
        gradient_values.push_back(tensor.grad().defined() ? tensor.grad().clone() : at::Tensor());
      }
    }
    for (const auto& part : net.modules()) {
      modes.push_back(part->is_training());
    }
  }

  void check() const {
    std::vector<at::Tensor> now = net.parameters();
    for (const at::Tensor& buffer : net.buffers()) {
      now.push_back(buffer);
    }
    REQUIRE(now.size() == tensors.size());
    for (std::size_t i = 0; i < now.size(); ++i) {
      CAPTURE(i);
      CHECK(now[i].is_same(tensors[i]));
      CHECK(now[i].equal(values[i]));
      CHECK(now[i].data_ptr() == memory[i]);
      CHECK(now[i].grad().is_same(gradients[i]));
      CHECK((!gradients[i].defined() || gradients[i].equal(gradient_values[i])));
    }
    std::vector<bool> modes_now;
    for (const auto& part : net.modules()) {
      modes_now.push_back(part->is_training());
    }
    CHECK(modes_now == modes);
  }

  torch::nn::Module& net;
  std::vector<at::Tensor> tensors, values, gradients, gradient_values;
  std::vector<const void*> memory;
  std::vector<bool> modes;
};
