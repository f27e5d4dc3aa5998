// ELDER (Zou, Liu, Wohlberg and Kamilov 2023): a regularizer that is learned by differentiating through the restoration
// itself, against the same one learned as a denoiser, an implicit one, and total variation. Images with missing pixels,
// blurred signals. Three minutes on two CPU cores.

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <regimen/regimen.hpp>

#include "experiment.hpp"
#include "kit/check_once.hpp"
#include "kit/checked.hpp"
#include "kit/image_experiment.hpp"
#include "kit/image_options.hpp"
#include "kit/machine.hpp"
#include "kit/main.hpp"
#include "kit/options.hpp"
#include "settings.hpp"
#include "show.hpp"

namespace {

using Options = kit::CheckedOptions<LearnedSettings>;

class LearnedRegularizer : public kit::Checked<kit::ImageExperiment<LearnedSettings>> {
 public:
  LearnedRegularizer(const LearnedSettings& s, const ex::Task& task)
      : Checked(s, {.task = task},
                {"table.txt", "pictures", "restored", "images.csv", "gains.csv", "solvers.csv", "signals.csv"}) {}

  [[nodiscard]] ex::Plan plan(const ex::Paces& /*paces*/) const override {
    ex::Plan plan;
    const auto add = [](ex::Unit& unit, const std::string& name, const std::string& kind, double cost,
                        const ex::Factors& factors) {
      unit.jobs.push_back({.name = name, .kind = kind, .cost = cost, .factors = factors});
    };
    // Seconds as they were seen, with the default numbers of channels.
    const auto cost = [](const Training& how, double sample) { return 0.3 + how.steps * how.batch * sample; };
    for (const ImageUnit& each : units_of(settings().images)) {
      ex::Unit unit{.name = each.unit()};
      const double denoiser = cost(settings().images.denoiser, each.part == "implicit" ? 3e-4 : 6e-4);
      add(unit, each.job("denoiser"), "denoiser", denoiser * (each.part == "longer" ? 2 : 1), each.factors("denoiser"));
      if (each.part != "longer") {
        add(unit, each.job("fixed-point"), "fixed point", cost(settings().images.fixed_point, 5e-3),
            each.factors("fixed-point"));
      }
      add(unit, each.job("restored"), "restored", 3, each.factors("restored"));
      plan.push_back(std::move(unit));
    }
    for (int seed = 1; seed <= settings().signals.seeds; ++seed) {
      const SignalUnit each{seed};
      ex::Unit unit{.name = each.unit()};
      add(unit, each.job("denoiser", ""), "denoiser", cost(settings().signals.denoiser, 1e-4),
          each.factors("denoiser", ""));
      add(unit, each.job("restored", ""), "restored", 3, each.factors("restored", ""));
      for (const double rate : settings().signals.rates) {
        const std::string at = SignalUnit::rate_of(rate);
        add(unit, each.job("fixed-point", at), "fixed point", cost(settings().signals.fixed_point, 1.5e-3),
            each.factors("fixed-point", at));
        add(unit, each.job("restored", at), "restored", 3, each.factors("restored", at));
      }
      plan.push_back(std::move(unit));
    }
    return plan;
  }

  /// Signals need no images.
  void load() override {
    if (settings().images.seeds == 0) {
      return;
    }
    ImageExperiment::load();
    if (images().channels() != 1) {
      throw ex::UsageError("--data must name images of one channel");
    }
  }

  void train(const std::string& unit, ex::Jobs& jobs) override {
    for (const ImageUnit& each : units_of(settings().images)) {
      if (each.unit() == unit) {
        const Split split = split_of(each.seed);
        ImageTrainings(settings(), each, split, jobs).run();
      }
    }
    for (int seed = 1; seed <= settings().signals.seeds; ++seed) {
      if (SignalUnit{seed}.unit() == unit) {
        train_signals({seed}, settings().signals, jobs);
      }
    }
  }

  kit::Claims told(const ex::Results& results) override { return show_results(results, settings()); }

 private:
  [[nodiscard]] Split split_of(int seed) const {
    const ImageSettings& s = settings().images;
    const auto random = static_cast<std::uint64_t>(seed);
    const auto most = std::max<std::int64_t>(std::int64_t{s.denoiser.steps} * s.denoiser.batch * 2,
                                             std::int64_t{s.fixed_point.steps} * s.fixed_point.batch);
    const std::int64_t train =
        std::min<std::int64_t>(s.images > 0 ? s.images : most, *images().train.size() - s.validation);
    const rg::Source some = kit::some_of(images(), train + s.validation, random);
    const Degradation damage = inpainting(s);
    const auto problem = [&](const rg::Source& of, std::uint64_t salt) {
      return Problem(damage, as_numbers(of), 10 * random + salt);
    };
    const torch::Tensor drawn = rg::Key(random, torch::arange(images().test.size())).uniform().argsort();
    return {as_numbers(rg::limit(some, train)),
            problem(rg::subset(some, torch::arange(train, train + s.validation)), 1),
            problem(rg::subset(images().test, drawn.slice(0, 0, s.test)), 2)};
  }
};

Options read_options(int argc, char** argv) {
  Options options;
  LearnedSettings& s = options.settings;
  CLI::App app("Regularizers that are learned as denoisers, and at the fixed point of the restoration.");
  kit::take_last(app);
  kit::add_data_and_machine(app, s);
  const auto networks = [](const kit::OptionGroup& add, const std::string& of, NetworkSettings& network) {
    add((of + "depth").c_str(), network.depth, CLI::Range(2, 100), "convolutions");
    add((of + "channels").c_str(), network.channels, kit::at_least_1(), "of each but the last");
  };
  const auto training = [](const kit::OptionGroup& add, const std::string& of, Training& how, const char* what) {
    add((of + "steps").c_str(), how.steps, kit::at_least_1(), what);
    add((of + "batch").c_str(), how.batch, kit::at_least_1(), "samples a step");
    add((of + "rate").c_str(), how.rate, kit::at_least_0(), "learning rate of Adam");
  };
  const kit::OptionGroup images{app, "Images with missing pixels"};
  images("--seeds", s.images.seeds, kit::at_least_0(), "number of seeds");
  images("--images", s.images.images, kit::at_least_0(), "to train on, 0: as many as the steps take");
  images("--side", s.data.side, kit::at_least_0(), "pixels that images are shrunk to, 0: as they are");
  images("--missing", s.images.missing, kit::below_1(), "share of the pixels that are missing");
  images("--noise", s.images.noise, kit::at_least_0(), "standard deviation of the noise on the others");
  images("--denoise", s.images.denoise, kit::at_least_0(), "the same, that denoisers are trained on");
  networks(images, "--", s.images.network);
  training(images, "--denoiser-", s.images.denoiser, "steps of training as a denoiser");
  training(images, "--fixed-point-", s.images.fixed_point, "steps of training at the fixed point");
  images("--test", s.images.test, kit::at_least_1(), "test images");
  const kit::OptionGroup signals{app, "Blurred signals"};
  signals("--signal-seeds", s.signals.seeds, kit::at_least_0(), "number of seeds");
  networks(signals, "--signal-", s.signals.network);
  training(signals, "--signal-denoiser-", s.signals.denoiser, "steps of training as a denoiser");
  signals("--signal-steps", s.signals.fixed_point.steps, kit::at_least_1(), "steps of training at the fixed point");
  signals("--signal-batch", s.signals.fixed_point.batch, kit::at_least_1(), "signals a step");
  kit::add_list(app, "--signal-rates", s.signals.rates,
                "learning rates of Adam, the first the one that is meant to work")
      ->check(kit::at_least_0())
      ->group("Blurred signals");
  kit::add_checked_task(app, options);
  kit::parse(app, argc, argv, options.task);
  return options;
}

void run(Options& options) {
  LearnedSettings& s = options.settings;
  kit::check_once("--signal-rates must have each number", s.signals.rates);
  if (s.images.seeds + s.signals.seeds == 0) {
    throw ex::UsageError("--seeds and --signal-seeds are both 0: nothing is left to do");
  }
  if (s.machine.device == "cuda") {
    throw ex::UsageError("--device must be cpu: these networks are too small for a GPU");
  }
  s.machine.device = "cpu";
  const int units = static_cast<int>(units_of(s.images).size()) + s.signals.seeds;
  const ex::Conduct how =
      kit::settle(s.machine, s.data, units, std::max(s.images.seeds, s.signals.seeds), options.task);
  LearnedRegularizer experiment(s, options.task);
  kit::conduct_checked(experiment, options.task, how, options.check);
}

}  // namespace

int main(int argc, char** argv) {
  return kit::run_program("learned_regularizer", argc, argv, read_options, run);
}
