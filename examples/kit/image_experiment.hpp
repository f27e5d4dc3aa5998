#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <regimen/experiment.hpp>
#include <regimen/regimen.hpp>

#include "cut.hpp"
#include "data.hpp"
#include "machine.hpp"
#include "networks.hpp"
#include "pace.hpp"

namespace kit {

/// What an experiment on images takes besides its settings.
struct ImageSetup {
  std::vector<std::string> networks{};
  int width = 16;  ///< of the pooled network
  int batch = 64;  ///< images a step, for the pace
  regimen::experiment::Task task{};
};

/// An experiment on images. Its settings have the members `data`, `machine` (settled) and `out`, and a cut can make
/// them smaller (`sizes_of`). A program adds `plan`, `train` and `show`.
template <class Settings>
class ImageExperiment : public regimen::experiment::Experiment {
 public:
  /// `results`: the files that the program writes besides those of every experiment.
  ImageExperiment(const Settings& whole, ImageSetup setup, std::vector<std::string> results)
      : whole_(whole), settings_(whole), setup_(std::move(setup)), results_(std::move(results)) {}

  [[nodiscard]] regimen::experiment::FolderContents contents() const override { return contents_of(whole_, results_); }
  [[nodiscard]] std::string manifest() const override { return regimen::manifest(settings_); }

  /// Loads the images, and sees that every network takes them.
  void load() override {
    images_ = load_images(settings_.data, settings_.machine.device == "cuda" ? torch::kCUDA : torch::kCPU);
    for (const std::string& name : setup_.networks) {
      check_network(name, images_->classes(), images_->channels(), images_->side(), setup_.width);
    }
  }

  void keep_to(const std::string& cut) override {
    cut_ = cut_of(cut, whole());
    settings_ = applied(*cut_, whole_);
  }

  regimen::experiment::Experiment::Sized fit_to_budget(double passed,
                                                       const regimen::experiment::Paces& paces) override {
    const auto seconds = [&](const Cut& cut) {
      settings_ = applied(cut, whole_);
      return regimen::experiment::seconds_of(plan(paces), settings_.machine.workers);
    };
    const Fitted fitted = kit::fit_to_budget(setup_.task, passed, whole(), seconds);
    return {kit::text_of(fitted.cut), sentence_of(fitted, whole(), setup_.task.budget)};
  }

  [[nodiscard]] std::string planned_before() const override { return cut_ ? kit::planned_before(*cut_, whole()) : ""; }

  regimen::experiment::Paces measure_pace() override {
    regimen::experiment::Paces paces;
    for (const std::string& name : setup_.networks) {
      paces[name] = pace_of([&] { return network(name); });
    }
    return paces;
  }

 protected:
  /// Throws regimen::Error before `load`.
  [[nodiscard]] const Images& images() const {
    if (!images_) {
      throw regimen::Error("the images are not loaded yet: `plan` and `show` are asked without them, too");
    }
    return *images_;
  }

  [[nodiscard]] const Settings& settings() const { return settings_; }

  /// Zeros until the images are loaded.
  [[nodiscard]] ImageCounts counts() const { return images_ ? images_->counts() : ImageCounts{}; }

  [[nodiscard]] regimen::Execution execution() const {
    return execution_of(settings_.machine.device, settings_.machine.precision);
  }
  [[nodiscard]] regimen::Evaluation evaluation() const {
    return scoring_of(settings_.machine.device, settings_.machine.precision, images());
  }

  /// A phase on these images, which are normalized, with the setup's batch, as this machine computes.
  [[nodiscard]] regimen::Phase phase(const std::string& name, const regimen::Source& data,
                                     const regimen::OptimizerRef& optimizer, int epochs, std::uint64_t seed) const {
    return {.name = name,
            .data = data,
            .optimizer = optimizer,
            .epochs = epochs,
            .batch = setup_.batch,
            .preprocess = {images().normalize},
            .execute = execution(),
            .seed = seed};
  }

  /// R copies of images with a share of the pixels at 0, under random labels: what an adversarial start is fitted to.
  [[nodiscard]] regimen::Source confusion_set(const regimen::Source& train, int copies, std::uint64_t seed,
                                              double zeroed = 0.1) const {
    const auto damage =
        regimen::chain(regimen::ZeroPixels{.fraction = zeroed}, regimen::UniformLabels{.classes = images().classes()});
    const regimen::Source confusion = regimen::frozen(regimen::repeat(train, copies), damage, seed);
    // A GPU has the memory, and to damage each image anew at every epoch would cost it more than to read it.
    return settings_.machine.device == "cuda" ? regimen::cached(confusion) : confusion;
  }

  /// The pace of this process with a network that is newly made.
  [[nodiscard]] regimen::experiment::Pace pace_of(
      const std::function<std::shared_ptr<regimen::networks::Network>()>& network) const {
    return kit::measure_pace(
        {.network = network, .batch = setup_.batch, .execute = execution(), .scoring = evaluation()}, images(),
        setup_.task.stop);
  }

  /// The score of a trained network on the whole test set, for `Job::score`.
  template <class Net>
  [[nodiscard]] std::function<regimen::Score()> test_score(const Net& net) const {
    return [this, net] { return regimen::evaluate(net, images().test, evaluation()); };
  }

  /// Newly initialized, from LibTorch's generator.
  [[nodiscard]] std::shared_ptr<regimen::networks::Network> network(const std::string& name) const {
    return make_network(name, images().classes(), images().channels(), setup_.width);
  }

 private:
  [[nodiscard]] Whole whole() const { return whole_of(whole_, counts()); }

  Settings whole_;
  Settings settings_;  ///< with the cut applied
  ImageSetup setup_;
  std::vector<std::string> results_;
  std::optional<Images> images_{};
  std::optional<Cut> cut_{};
};

}  // namespace kit
