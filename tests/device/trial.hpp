#pragma once
// One part of a regime at a time in a small training, step by step, recorded, and with the part frozen: what the
// tables of regularizers and of transforms are tried in.

#include "device/gpu.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <regimen/regimen.hpp>

#include "support/training.hpp"

namespace trial {

namespace rg = regimen;

inline constexpr std::uint64_t seed = 4;
inline constexpr int epochs = 4;
inline constexpr std::int64_t batches = 5;  // an epoch

/// The moment at which a recording is made: what it would keep of a part that it froze.
inline constexpr rg::Clock recording{.epoch = 0, .batch = 3, .batches = batches, .step = 3};

/// From 1 to a tenth: what it drives is soon far from what it was at the recording.
inline const rg::Knob falling = rg::Cosine{.epochs = epochs, .floor = 0.1};

/// n images of noise, in four classes.
inline rg::Batch pictures(std::int64_t n, std::uint64_t salt = 0) {
  const at::Tensor id = at::arange(n, at::kLong);
  return {.data = rg::Key(1, id).fold(salt).uniform({1, 6, 6}).mul(255).to(at::kByte),
          .target = rg::Key(2, id).fold(salt).below(4),
          .id = id};
}

/// A convolution, BatchNorm, ReLU, a linear layer and a tap of it: something to act on for all parts.
inline torch::nn::Sequential network(std::uint64_t weights) {
  torch::manual_seed(weights);
  return torch::nn::Sequential(torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 4, 3).padding(1).bias(false)),
                               torch::nn::BatchNorm2d(4), torch::nn::ReLU(), torch::nn::Flatten(),
                               torch::nn::Linear(4 * 36, 4), torch::nn::Functional(rg::tap));
}

/// What is tried.
struct Parts {
  std::vector<rg::AnyTransform> augment{};
  std::vector<rg::AnyRegularizer> regularize{};
  bool floating_targets = false;
};

struct End {
  std::vector<at::Tensor> weights;   ///< parameters and buffers, on the CPU
  std::vector<std::string> notices;  ///< what the run said of itself
};

inline End train(const Parts& parts, bool recorded) {
  rg::Batch data = pictures(8 * batches);
  if (parts.floating_targets) {
    data.target = at::one_hot(data.target, 4).to(at::kFloat);
  }
  torch::nn::Sequential net = network(3);
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  const rg::Phase phase{.data = to(data, gpu::device()),
                        .optimizer = sgd,
                        .epochs = epochs,
                        .batch = 8,
                        .augment = parts.augment,
                        .preprocess = {rg::Normalize{.mean = {0.5}, .stddev = {0.25}}},
                        .regularize = parts.regularize,
                        .execute = {.device = gpu::device().str(), .fused = true, .graph = recorded},
                        .seed = seed};
  End end;
  const auto listen = [&](const rg::Notice& notice) { end.notices.push_back(notice.text); };
  rg::run(net, {phase}, {}, listen);
  for (const at::Tensor& tensor : training::weights(net)) {
    end.weights.push_back(tensor.cpu());
  }
  return end;
}

/// The largest difference of two ends.
inline double apart(const End& a, const End& b) {
  return training::difference(a.weights, b.weights);
}

/// What `apart` stays below where two do the same, and is above where a part was frozen.
inline constexpr double rounding = 1e-4;
inline constexpr double visible = 1e-2;

/// A regularizer for which it is always the moment of the recording.
struct Frozen {
  rg::AnyRegularizer of;

  [[nodiscard]] at::Tensor penalty(const rg::Pass& pass) const { return of.penalty(then(pass)); }
  void gradient(const rg::Pass& pass) const { of.gradient(then(pass)); }
  void weights(const rg::Pass& pass) const { of.weights(then(pass)); }

 private:
  static rg::Pass then(rg::Pass pass) {
    pass.now = {.clock = recording};
    return pass;
  }
};

/// The phase's one transform, for which it is always the moment of the recording.
inline rg::AnyTransform frozen(const rg::AnyTransform& of) {
  return [of](const rg::Batch& batch, const rg::Key& now) {
    const rg::Key key(seed, batch.id, rg::Moment{.clock = recording, .data = now.now().data});
    return of(batch, key.fold(rg::detail::salt::augment).each_epoch().fold(0));
  };
}

}  // namespace trial
