#pragma once
// Deep and thin networks that show what goes into each ReLU by `tap`.

#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <regimen/model/tap.hpp>
#include <regimen/networks.hpp>

namespace rg = regimen;

/// Fully connected networks for points of the plane, `members` side by side: [N, 2] -> [N, members], logits. Each has
/// `depth` hidden layers of one width. Weights are Glorot and Bengio's (2010) uniform ones, biases 0, as the authors'
/// (Keras's defaults), of each member from a seed of its own: `seed` and its number, however many there are. With
/// `batch_norm` each layer's outputs are normalized before their ReLU.
struct MoonsNetworkImpl : torch::nn::Module {
  MoonsNetworkImpl(int members, int width, int depth, bool batch_norm, std::uint64_t seed)
      : members_(members), width_(width) {
    for (int i = 0; i < depth; ++i) {
      hidden_.push_back(register_module("hidden" + std::to_string(i), layer(i == 0 ? 2 : width, width)));
      if (batch_norm) {
        norms_.push_back(
            register_module("norm" + std::to_string(i), torch::nn::BatchNorm1d(std::int64_t{members} * width)));
      }
    }
    last_ = register_module("last", layer(width, 1));
    for (int member = 0; member < members; ++member) {
      torch::manual_seed(1000 * seed + static_cast<std::uint64_t>(member));
      for (rg::networks::StackedLinear& each : hidden_) {
        initialize(each, member);
      }
      initialize(last_, member);
    }
  }

  torch::Tensor forward(torch::Tensor x) {
    for (std::size_t i = 0; i < hidden_.size(); ++i) {
      torch::Tensor a = hidden_[i](x);
      if (!norms_.empty()) {
        a = norms_[i](a.flatten(1)).view({-1, members_, width_});
      }
      x = torch::relu(rg::tap(a));
    }
    return last_(x).squeeze(2);
  }

 private:
  [[nodiscard]] rg::networks::StackedLinear layer(int inputs, int outputs) const {
    return rg::networks::StackedLinear(
        rg::networks::StackedLinearOptions{.members = members_, .inputs = inputs, .outputs = outputs});
  }

  static void initialize(rg::networks::StackedLinear& layer, std::int64_t member) {
    const torch::NoGradGuard no_grad;
    const double bound = std::sqrt(6.0 / static_cast<double>(layer->weight.size(1) + layer->weight.size(2)));
    layer->weight[member].uniform_(-bound, bound);
    layer->bias[member].zero_();
  }

  int members_;
  int width_;
  std::vector<rg::networks::StackedLinear> hidden_{};
  std::vector<torch::nn::BatchNorm1d> norms_{};
  rg::networks::StackedLinear last_{nullptr};
};
TORCH_MODULE(MoonsNetwork);

/// `depth` 3x3 convolutions of one width, then the mean and the maximum over the image, joined, and a linear layer:
/// [N, channels, H, W] -> [N, classes]. Initialization is LibTorch's.
struct DeepNetworkImpl : rg::networks::Network {
  DeepNetworkImpl(int channels, int classes, int width, int depth, bool batch_norm) : last_(2 * width, classes) {
    for (int i = 0; i < depth; ++i) {
      const auto options = torch::nn::Conv2dOptions(i == 0 ? channels : width, width, 3).padding(1);
      layers_.push_back(register_module("layer" + std::to_string(i), torch::nn::Conv2d(options)));
      if (batch_norm) {
        norms_.push_back(register_module("norm" + std::to_string(i), torch::nn::BatchNorm2d(width)));
      }
    }
    register_module("last", last_);
  }

  torch::Tensor forward(const torch::Tensor& images) override {
    torch::Tensor x = images;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const torch::Tensor a = layers_[i](x);
      x = torch::relu(rg::tap(norms_.empty() ? a : norms_[i](a)));
    }
    return last_(torch::cat({x.mean({2, 3}), x.amax({2, 3})}, 1));
  }

 private:
  std::vector<torch::nn::Conv2d> layers_{};
  std::vector<torch::nn::BatchNorm2d> norms_{};
  torch::nn::Linear last_;
};
TORCH_MODULE(DeepNetwork);
