#pragma once
// What the training tests share: small data, a small network, bit-for-bit comparison.

#include "support/torch.hpp"

#include "support/folder.hpp"

#include <regimen/regimen.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace training {

namespace rg = regimen;

using ::Folder;

/// n points of the plane in three classes, drawn by the seed: [n, 2] float, [n] int64.
inline rg::Batch points(std::int64_t n, std::uint64_t seed) {
  torch::manual_seed(seed);
  const auto x = torch::randn({n, 2});
  const auto y = (x.select(1, 0) > 0).to(torch::kLong) + (x.select(1, 1) > 0).to(torch::kLong);
  return {.data = x, .target = y};
}

/// 2 -> 12 -> 3 without randomness and without buffers: what a loop of one's own repeats most easily.
inline torch::nn::Sequential plain_network(std::uint64_t seed = 1) {
  torch::manual_seed(seed);
  return torch::nn::Sequential(torch::nn::Linear(2, 12), torch::nn::Tanh(), torch::nn::Linear(12, 3));
}

/// The same with all in which state can hide: running statistics, and dropout.
inline torch::nn::Sequential network(std::uint64_t seed = 1) {
  torch::manual_seed(seed);
  return torch::nn::Sequential(torch::nn::Linear(2, 12), torch::nn::BatchNorm1d(12), torch::nn::ReLU(),
                               torch::nn::Dropout(0.2), torch::nn::Linear(12, 3));
}

/// Copies of all parameters and buffers.
inline std::vector<at::Tensor> weights(const rg::Model& model) {
  std::vector<at::Tensor> copies;
  const rg::Snapshot snapshot(model);
  for (const rg::Named& named : snapshot.tensors()) {
    copies.push_back(named.tensor);
  }
  return copies;
}

/// Bit for bit (but for the sign of zero).
inline bool same(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const at::Tensor& x, const at::Tensor& y) { return torch::equal(x, y); });
}

/// The largest absolute difference.
inline double difference(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  REQUIRE(a.size() == b.size());
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    most = std::max(most, (a[i] - b[i]).abs().max().item<double>());
  }
  return most;
}

/// The global generator of the CPU as it stands.
inline at::Tensor generator_state() {
  const at::Generator generator = at::globalContext().defaultGenerator(at::kCPU);
  return generator.get_state().clone();
}

/// What the Error says that the call throws; "" if it throws none.
template <class Call>
std::string error_of(Call&& call) {
  try {
    call();
  } catch (const rg::Error& error) {
    return error.what();
  }
  return "";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

inline std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

/// A phase of one step an epoch on 24 points.
inline rg::Phase phase_with(rg::OptimizerRef optimizer, std::vector<rg::AnyRegularizer> regularize, int epochs = 1) {
  return {.data = points(24, 5),
          .optimizer = optimizer,
          .epochs = epochs,
          .batch = 24,
          .regularize = std::move(regularize),
          .seed = 3};
}

/// A network that such a phase trains, and its optimizer.
struct Trained {
  explicit Trained(std::vector<rg::AnyRegularizer> regularize, int epochs = 1, double rate = 0.1)
      : sgd(net->parameters(), torch::optim::SGDOptions(rate)), phase(phase_with(sgd, std::move(regularize), epochs)) {}

  template <class... Observers>
  rg::History run(Observers&&... observers) {
    return rg::run(net, {phase}, {}, observers...);
  }

  [[nodiscard]] at::Tensor buffer(const std::string& name) const { return net->named_buffers()[name].clone(); }

  torch::nn::Sequential net = network(8);
  torch::optim::SGD sgd;
  rg::Phase phase;
};

}  // namespace training
