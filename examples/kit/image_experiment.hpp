#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <regimen/experiment/conduct.hpp>
#include <regimen/regimen.hpp>

#include "data.hpp"
#include "machine.hpp"
#include "networks.hpp"
#include "pace.hpp"

namespace kit {

/// What experiments on images have in common: data, networks and device by name, and the pace.
struct ImageSetup {
  DataOptions data{};
  Machine machine{};  ///< settled
  std::vector<std::string> networks{};
  int width = 16;  ///< of the pooled network
  int batch = 64;  ///< images a step, for the pace
  std::stop_token stop{};
};

class ImageExperiment : public regimen::experiment::Experiment {
 public:
  explicit ImageExperiment(ImageSetup setup) : setup_(std::move(setup)) {}

  /// Loads the images, and sees that every network takes them.
  void load() override {
    images_ = load_images(setup_.data, setup_.machine.device == "cuda" ? torch::kCUDA : torch::kCPU);
    for (const std::string& name : setup_.networks) {
      check_network(name, images_->classes(), images_->channels(), images_->side(), setup_.width);
    }
  }

  regimen::experiment::Paces measure() override {
    regimen::experiment::Paces paces;
    for (const std::string& name : setup_.networks) {
      paces[name] = measure_pace({.network = [&] { return network(name); },
                                  .batch = setup_.batch,
                                  .execute = execution(),
                                  .scoring = evaluation()},
                                 *images_, setup_.stop);
    }
    return paces;
  }

 protected:
  [[nodiscard]] const Images& images() const { return *images_; }

  /// Zeros until the images are loaded.
  [[nodiscard]] ImageCounts counts() const { return images_ ? images_->counts() : ImageCounts{}; }

  [[nodiscard]] regimen::Execution execution() const {
    return execution_of(setup_.machine.device, setup_.machine.precision);
  }
  [[nodiscard]] regimen::Evaluation evaluation() const {
    return scoring_of(setup_.machine.device, setup_.machine.precision, *images_);
  }

  /// Newly initialized, from LibTorch's generator.
  [[nodiscard]] std::shared_ptr<regimen::networks::Network> network(const std::string& name) const {
    return make_network(name, images_->classes(), images_->channels(), setup_.width);
  }

 private:
  ImageSetup setup_;
  std::optional<Images> images_{};
};

}  // namespace kit
