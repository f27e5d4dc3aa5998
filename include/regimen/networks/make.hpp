#pragma once
// Not part of regimen.hpp, to save compile time for users with networks of their own.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "regimen/base/error.hpp"
#include "regimen/base/text_list.hpp"
#include "regimen/networks/densenet.hpp"
#include "regimen/networks/network.hpp"
#include "regimen/networks/resnet.hpp"
#include "regimen/networks/vgg.hpp"

namespace regimen::inline v0::networks {

/// The names that `make` takes: the networks of "Bad Global Minima Exist and SGD Can Reach Them" (Liu, Papailiopoulos &
/// Achlioptas 2020).
inline constexpr std::array<std::string_view, 4> names{"resnet18", "resnet50", "vgg16", "densenet40"};

/// A network by its name, newly initialized from LibTorch's global generator: for a program that gets the name as text.
/// Others write `ResNet(ResNetOptions{...})`. Throws Error, which lists the names, for any other name, and unless
/// classes and channels are at least 1.
///     const auto net = regimen::networks::make("vgg16", 10);
///     torch::optim::SGD sgd(net->parameters(), 0.1);
[[nodiscard]] inline std::shared_ptr<Network> make(std::string_view name, std::int64_t classes = 10,
                                                   std::int64_t channels = 3) {
  if (name == "resnet18") {
    return std::make_shared<ResNetImpl>(ResNetOptions{.depth = 18, .classes = classes, .channels = channels});
  }
  if (name == "resnet50") {
    return std::make_shared<ResNetImpl>(ResNetOptions{.depth = 50, .classes = classes, .channels = channels});
  }
  if (name == "vgg16") {
    return std::make_shared<VGGImpl>(VGGOptions{.depth = 16, .classes = classes, .channels = channels});
  }
  if (name == "densenet40") {
    return std::make_shared<DenseNetImpl>(DenseNetOptions{.depth = 40, .classes = classes, .channels = channels});
  }
  std::string known;
  for (const std::string_view one : names) {
    detail::add_item(known, one);
  }
  throw Error("networks::make: name must be one of " + known + ", but is \"" + std::string(name) + "\"");
}

}  // namespace regimen::inline v0::networks
