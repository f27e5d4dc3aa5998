#pragma once

#include <functional>
#include <memory>
#include <stop_token>

#include <regimen/experiment/cost.hpp>
#include <regimen/networks/network.hpp>
#include <regimen/regimen.hpp>

#include "data.hpp"

namespace kit {

/// A network, newly made, and how it will be trained and scored.
struct PaceOf {
  std::function<std::shared_ptr<regimen::networks::Network>()> network;
  int batch = 64;  ///< images a step
  regimen::Execution execute{};
  regimen::Evaluation scoring{};  ///< how it is scored
};

/// Trains a network for some seconds, without a trace, with augmentation, l2 and momentum, and scores it. Throws
/// regimen::experiment::Interrupted if a stop is requested.
regimen::experiment::Pace measure_pace(const PaceOf& what, const Images& images, const std::stop_token& stop);

}  // namespace kit
