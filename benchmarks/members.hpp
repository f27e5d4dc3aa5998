#pragma once
// Networks of one shape that train as one module, each on data of its own, and the same networks alone.

#include <torch/torch.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include <regimen/networks.hpp>
#include <regimen/regimen.hpp>

#include "../examples/kit/plane_network.hpp"
#include "../examples/kit/pooled_resnet.hpp"

namespace rg = regimen;

/// The flagship's toy: two clusters, a network of two hidden layers of 100.
struct Toy {
  using Loss = rg::BinaryCrossEntropy;
  static constexpr int batch = 10;
  static constexpr double rate = 0.01;
  static constexpr rg::MemoryFormat format = rg::MemoryFormat::contiguous;

  static rg::Batch data(std::uint64_t seed) { return rg::two_clusters(50, seed); }
  static torch::nn::Sequential alone() { return kit::plane_network(100); }

  static torch::nn::Sequential together(int members) {
    const auto layer = [&](int inputs, int outputs) {
      return rg::networks::StackedLinear(
          rg::networks::StackedLinearOptions{.members = members, .inputs = inputs, .outputs = outputs});
    };
    return torch::nn::Sequential(layer(2, 100), torch::nn::ReLU(), layer(100, 100), torch::nn::ReLU(), layer(100, 1));
  }
};

/// Several of kit's pooled ResNets in one: convolutions in groups, BatchNorm over the channels of all.
/// [N, members, 1, H, W], an image for each, -> [N, members, 10].
struct PooledResNetsImpl : rg::networks::Network {
  PooledResNetsImpl(int members_, int width)
      : members(members_),
        whole(members_, 10, members_ * width),
        last(rg::networks::StackedLinearOptions{.members = members_, .inputs = 4 * width, .outputs = 10}) {
    register_module("stem", whole->stem);
    register_module("stem_norm", whole->stem_norm);
    register_module("blocks", whole->blocks);
    register_module("last", last);
    for (const std::shared_ptr<Module>& module : modules(/*include_self=*/false)) {
      if (auto* const convolution = module->as<torch::nn::Conv2dImpl>()) {
        const torch::Tensor dense = convolution->weight.detach();
        convolution->options.groups(members);
        convolution->weight.set_data(dense.narrow(1, 0, dense.size(1) / members).clone());
      }
    }
  }

  torch::Tensor forward(const torch::Tensor& images) override {
    const torch::Tensor side_by_side = images.flatten(1, 2).contiguous(torch::MemoryFormat::ChannelsLast);
    const torch::Tensor x = torch::max_pool2d(torch::relu(whole->stem_norm(whole->stem(side_by_side))), 2);
    return last(whole->blocks->forward(x).mean({2, 3}).view({images.size(0), members, -1}));
  }

  int members;
  PooledResNet whole;
  rg::networks::StackedLinear last;
};
TORCH_MODULE(PooledResNets);

/// Random images of the flagship's size, 14 x 14, and its network of width 16.
struct Images {
  using Loss = rg::CrossEntropy;
  static constexpr int batch = 64;
  static constexpr double rate = 0.01;
  static constexpr rg::MemoryFormat format = rg::MemoryFormat::channels_last;  // the faster one alone and together

  static rg::Batch data(std::uint64_t seed) {
    torch::manual_seed(seed);
    return {torch::randn({640, 1, 14, 14}), torch::randint(10, {640}, torch::kLong)};
  }
  static PooledResNet alone() { return PooledResNet(1, 10, 16); }
  static PooledResNets together(int members) { return PooledResNets(members, 16); }
};

/// Which members train, and for how long; `seeds[i]` is the seed of a member's data, of its weights and of its order.
struct Training {
  std::vector<std::uint64_t> seeds;
  int epochs = 1;
  double momentum = 0;
  torch::ScalarType type = torch::kFloat;
};

/// A member's data, made once a process.
template <class Case>
const rg::Batch& data_of(std::uint64_t seed) {
  static std::map<std::uint64_t, rg::Batch> made;
  if (!made.contains(seed)) {
    made[seed] = Case::data(seed);
  }
  return made[seed];
}

template <class Case>
auto new_network(std::uint64_t seed, const Training& training) {
  torch::manual_seed(seed);
  auto net = Case::alone();
  net->to(training.type);
  return net;
}

template <class Case, class Net>
void train(Net& net, const rg::Source& data, const rg::AnyLoss& loss, std::uint64_t seed, const Training& training) {
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(Case::rate).momentum(training.momentum));
  const rg::Phase phase{.data = data,
                        .optimizer = sgd,
                        .epochs = training.epochs,
                        .batch = Case::batch,
                        .loss = loss,
                        .execute = {.memory_format = Case::format, .fused = true},
                        .seed = seed};
  rg::run(net, {phase}, rg::Scoring{.every = training.epochs, .score_fit = false});
}

/// One after another, each as a network of its own.
template <class Case>
auto train_alone(const Training& training) {
  std::vector<decltype(Case::alone())> nets;
  for (const std::uint64_t seed : training.seeds) {
    rg::Batch data = data_of<Case>(seed);
    data.data = data.data.to(training.type);
    nets.push_back(new_network<Case>(seed, training));
    train<Case>(nets.back(), data, typename Case::Loss{}, seed, training);
  }
  return nets;
}

/// The numbers of one parameter or buffer by member, [members, numbers].
inline torch::Tensor by_member(const torch::Tensor& all, std::size_t members) {
  return all.detach().reshape({static_cast<std::int64_t>(members), -1});
}

/// All as one module, which begins at the weights that they have alone. The run's seed is not read: each member's order
/// has its own.
template <class Case>
auto train_together(const Training& training) {
  const std::size_t members = training.seeds.size();
  auto net = Case::together(static_cast<int>(members));
  net->to(training.type);
  std::vector<rg::Source> sources;
  for (const std::uint64_t seed : training.seeds) {
    const auto begin = new_network<Case>(seed, training)->parameters();
    for (std::size_t i = 0; i < begin.size(); ++i) {
      by_member(net->parameters()[i], members)[static_cast<std::int64_t>(sources.size())].copy_(
          begin[i].detach().flatten());
    }
    rg::Batch data = data_of<Case>(seed);
    data.data = data.data.to(training.type);
    sources.emplace_back(data);
  }
  train<Case>(net, rg::stacked(sources, training.seeds), rg::OverOwnTargets{typename Case::Loss{}}, 0, training);
  return net;
}

/// How far the weights of members trained together are from those of the same members trained alone, at most, as a
/// share of the greatest weight of their parameter; in double precision, so that it is rounding or a mistake.
template <class Case>
double difference_from_alone(Training training) {
  training.type = torch::kDouble;
  const auto alone = train_alone<Case>(training);
  const auto together = train_together<Case>(training)->parameters();
  double greatest = 0;
  for (std::size_t i = 0; i < together.size(); ++i) {
    const torch::Tensor of_members = by_member(together[i], alone.size());
    for (std::size_t member = 0; member < alone.size(); ++member) {
      const torch::Tensor own = alone[member]->parameters()[i].detach().flatten();
      const torch::Tensor off = (of_members[static_cast<std::int64_t>(member)] - own).abs().max() / own.abs().max();
      greatest = std::max(greatest, off.item<double>());
    }
  }
  return greatest;
}
