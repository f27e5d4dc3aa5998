// Jumpstart regularization (Riera, Rey, Serra, Puertas and Pujol 2022): in deep and thin ReLU networks most units are
// dead or affine, and no gradient comes through. A penalty on pre-activations brings them back to life. Two minutes on
// two CPU cores.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <regimen/regimen.hpp>

#include "kit/check_once.hpp"
#include "kit/checked.hpp"
#include "kit/image_experiment.hpp"
#include "kit/image_options.hpp"
#include "kit/main.hpp"
#include "kit/options.hpp"
#include "moons.hpp"
#include "networks.hpp"
#include "settings.hpp"
#include "show.hpp"

namespace {

using Options = kit::CheckedOptions<JumpstartSettings>;

class JumpstartExperiment : public kit::Checked<kit::ImageExperiment<JumpstartSettings>> {
 public:
  JumpstartExperiment(const JumpstartSettings& s, const ex::Task& task)
      : Checked(s, {.batch = s.deep.batch, .task = task},
                {"table.txt", "pictures", "moons.csv", "units.csv", "published.csv", "images.csv"}) {}

  [[nodiscard]] ex::Plan plan(const ex::Paces& paces) const override {
    const DeepSettings& deep = settings().deep;
    ex::Plan plan;
    const double images = static_cast<double>(deep.images);
    for (const DeepArm& arm : deep_arms_of(deep)) {
      const ex::Length length{
          .epochs = static_cast<double>(deep.epochs), .images = images, .each_point = scored_images, .every = 3};
      // Extrema of all layers cost about as much again as the network.
      const double cost = ex::cost(ex::shown(length), "deep", paces) * (arm.arm == "balanced" ? 1.8 : 1);
      plan.push_back(
          {.name = arm.unit(),
           .jobs = {
               {.name = arm.unit() + "-train", .kind = arm.arm, .cost = cost, .factors = arm.factors(of_images, deep)},
               {.name = arm.unit() + "-units", .kind = "units", .cost = 0.1, .factors = arm.factors(of_units, deep)}}});
    }
    for (const Cell& cell : cells_of(settings().moons)) {
      plan.push_back(unit_of(cell));
    }
    return plan;
  }

  /// Two moons need no images.
  void load() override {
    if (settings().deep.seeds > 0) {
      ImageExperiment::load();
    }
  }

  ex::Paces measure_pace() override {
    return settings().deep.seeds == 0 ? ex::Paces{} : ex::Paces{{"deep", pace_of([this] { return deep("relu"); })}};
  }

  void train(const std::string& unit, ex::Jobs& jobs) override {
    for (const DeepArm& arm : deep_arms_of(settings().deep)) {
      if (arm.unit() == unit) {
        train(arm, jobs);
      }
    }
    for (const Cell& cell : cells_of(settings().moons)) {
      if (cell.unit() == unit) {
        train_moons(cell, settings().moons, jobs);
      }
    }
  }

  kit::Claims told(const ex::Results& results) override { return show_results(results, settings()); }

 private:
  static constexpr std::int64_t scored_images = 2000;

  [[nodiscard]] ex::Unit unit_of(const Cell& cell) const {
    const MoonsSettings& s = settings().moons;
    ex::Unit unit{.name = cell.unit()};
    const auto add = [&](const std::string& job, const char* part, const std::string& at, double cost) {
      unit.jobs.push_back({.name = cell.job(job), .kind = part, .cost = cost, .factors = cell.factors(part, at)});
    };
    // As it was seen, in milliseconds an epoch and layer.
    const double pace = (cell.arm == "relu" || cell.arm == "batch-norm" ? 0.07 : 0.12) + 0.004 * cell.width;
    add("train", of_training, "1-" + std::to_string(s.seeds), 1e-3 * pace * s.epochs * cell.depth * (s.seeds + 6) / 18);
    for (int seed = 1; seed <= s.seeds; ++seed) {
      add(std::to_string(seed), of_seeds, std::to_string(seed), 0.01);
    }
    for (int tenth = 1; is_explained(cell, s) && tenth <= tenths_of_depth; ++tenth) {
      add("tenth" + std::to_string(tenth), of_layers, std::to_string(tenth), 0.01);
    }
    return unit;
  }

  using Net = std::shared_ptr<rg::networks::Network>;

  [[nodiscard]] Net deep(const std::string& arm) const {
    const DeepSettings& s = settings().deep;
    return DeepNetwork(images().channels(), images().classes(), s.width, s.depth, arm == "batch-norm").ptr();
  }

  void train(const DeepArm& arm, ex::Jobs& jobs) const {
    const DeepSettings& s = settings().deep;
    const auto seed = static_cast<std::uint64_t>(arm.seed);
    torch::manual_seed(seed);
    Net net = deep(arm.arm);
    execution().prepare(net);
    const rg::Source some = kit::some_of(images(), s.images, seed);
    const rg::Source looked_at = rg::limit(some, std::min<std::int64_t>(s.images, 1000));
    const auto activity = [&](rg::Numbers& numbers, const char* ending) {
      const auto layers =
          with_statistics(net, some, {.preprocess = {images().normalize}, .execute = execution(), .batch = s.batch},
                          [&] { return rg::layer_activity(net, looked_at, evaluation()); });
      add_activity(numbers, layers, ending);
    };
    rg::Numbers units;
    activity(units, "before");
    torch::optim::Adam adam(net->parameters(), torch::optim::AdamOptions(s.rate));
    rg::Phase fit = phase(arm.arm, some, adam, s.epochs, seed);
    fit.regularize = regularizers_of(arm.arm, settings().moons);
    const rg::Scoring scoring{.test = rg::limit(images().test, scored_images), .every = 3, .batch = evaluation().batch};
    jobs.run({.name = arm.unit() + "-train", .phases = {fit}, .scoring = scoring}, net, adam);
    (void)jobs.compute(arm.unit() + "-units", [&] {
      activity(units, "after");
      return units;
    });
  }
};

Options read_options(int argc, char** argv) {
  Options options;
  JumpstartSettings& s = options.settings;
  CLI::App app("Deep and thin ReLU networks, with Jumpstart regularization and without.");
  kit::take_last(app);
  kit::add_data_and_machine(app, s);
  const kit::OptionGroup moons{app, "Two moons"};
  std::vector<std::string> arms;
  for (const ArmName& arm : arm_names()) {
    arms.push_back(arm.key);
  }
  const auto list = [&](const char* name, auto& values, const CLI::Validator& check, const char* what) {
    kit::add_list(app, name, values, what)->check(check)->group("Two moons");
  };
  moons("--seeds", s.moons.seeds, kit::at_least_0(), "seeds of each cell, trained side by side");
  list("--widths", s.moons.widths, CLI::Range(1, 1000), "units of a layer");
  list("--depths", s.moons.depths, CLI::Range(1, 1000), "hidden layers");
  list("--arms", s.moons.arms, CLI::IsMember(arms), "networks and penalties");
  moons("--epochs", s.moons.epochs, kit::at_least_1(), "steps on all points");
  moons("--every", s.moons.every, kit::at_least_1(), "epochs between two scores");
  moons("--rate", s.moons.rate, kit::at_least_0(), "learning rate of Adam");
  moons("--norm", s.moons.norm_strength, kit::at_least_0(), "strength of the norm of all slacks");
  moons("--balanced", s.moons.balanced_strength, kit::at_least_0(), "strength of the balanced mean, for images, too");
  moons("--noise", s.moons.noise, kit::at_least_0(), "standard deviation of the points' noise");
  const kit::OptionGroup deep{app, "Images"};
  deep("--side", s.data.side, kit::at_least_0(), "pixels that images are shrunk to, 0: as they are");
  deep("--image-seeds", s.deep.seeds, kit::at_least_0(), "number of seeds");
  kit::add_list(app, "--image-arms", s.deep.arms, "networks and penalties")
      ->check(CLI::IsMember(arms))
      ->group("Images");
  deep("--image-depth", s.deep.depth, kit::at_least_1(), "convolutions");
  deep("--image-width", s.deep.width, kit::at_least_1(), "channels of each");
  deep("--images", s.deep.images, kit::at_least_1(), "training images");
  deep("--batch", s.deep.batch, kit::at_least_1(), "images a step");
  deep("--image-epochs", s.deep.epochs, kit::at_least_1(), "epochs");
  deep("--image-rate", s.deep.rate, kit::at_least_0(), "learning rate of Adam");
  kit::add_checked_task(app, options);
  kit::parse(app, argc, argv, options.task);
  return options;
}

void run(Options& options) {
  JumpstartSettings& s = options.settings;
  kit::check_once("--widths must have each number", s.moons.widths);
  kit::check_once("--depths must have each number", s.moons.depths);
  kit::check_once("--arms must have each name", s.moons.arms);
  kit::check_once("--image-arms must have each name", s.deep.arms);
  std::sort(s.moons.depths.begin(), s.moons.depths.end());
  if (s.moons.seeds + s.deep.seeds == 0) {
    throw ex::UsageError("--seeds and --image-seeds are both 0: nothing is left to do");
  }
  const int units = static_cast<int>(cells_of(s.moons).size() + deep_arms_of(s.deep).size());
  ex::Conduct how = kit::settle(s.machine, s.data, units, std::max(1, s.deep.seeds), options.task);
  JumpstartExperiment experiment(s, options.task);
  kit::conduct_checked(experiment, options.task, how, options.check);
}

}  // namespace

int main(int argc, char** argv) {
  return kit::run_program("jumpstart", argc, argv, read_options, run);
}
