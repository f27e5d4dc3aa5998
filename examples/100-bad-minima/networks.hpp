#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <regimen/models.hpp>

#include "network.hpp"
#include "settings.hpp"

/// The network of this name, newly initialized: "pooled", or one of regimen's models.
inline std::shared_ptr<regimen::models::Network> make_network(const std::string& name, int classes, int channels,
                                                              int width = 32) {
  if (name == "pooled") {
    return PooledResNet(channels, classes, width).ptr();
  }
  return regimen::models::make(name, classes, channels);
}

/// Throws regimen::Error for the first of the settings' networks that cannot take images of this side, in pixels. Draws
/// from LibTorch's global generator.
void check_networks(const Settings& settings, int classes, int channels, std::int64_t side);
