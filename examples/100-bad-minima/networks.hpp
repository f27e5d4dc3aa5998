#pragma once

#include <memory>
#include <string>

#include <regimen/networks.hpp>

#include "network.hpp"

/// The network of this name, newly initialized: "pooled", or one of regimen's models.
inline std::shared_ptr<regimen::networks::Network> make_network(const std::string& name, int classes, int channels,
                                                              int width = 32) {
  if (name == "pooled") {
    return PooledResNet(channels, classes, width).ptr();
  }
  return regimen::networks::make(name, classes, channels);
}
