#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <regimen/networks.hpp>

#include "pooled_resnet.hpp"

namespace kit {

/// "pooled", a small residual network, and those of regimen's networks/.
inline std::vector<std::string> network_names() {
  std::vector<std::string> names{"pooled"};
  names.insert(names.end(), regimen::networks::names.begin(), regimen::networks::names.end());
  return names;
}

/// The network of this name, newly initialized from LibTorch's generator. `width`: channels of the first block, of
/// "pooled" alone.
inline std::shared_ptr<regimen::networks::Network> make_network(const std::string& name, int classes, int channels,
                                                                int width = 32) {
  if (name == "pooled") {
    return PooledResNet(channels, classes, width).ptr();
  }
  return regimen::networks::make(name, classes, channels);
}

/// Throws regimen::Error for a network that cannot take images of this side, in pixels. Draws from LibTorch's
/// generator.
void check_network(const std::string& name, int classes, int channels, std::int64_t side, int width = 32);

}  // namespace kit
