// Membership inference: who was in the training data? For linear regression by the exact law (Tan, Mason, Javadi and
// Baraniuk 2022), and for networks in good, bad and regularized minima by attacks with reference networks. Two minutes
// on two CPU cores.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>

#include "attacks.hpp"
#include "kit/check_once.hpp"
#include "kit/checked.hpp"
#include "kit/image_experiment.hpp"
#include "kit/image_options.hpp"
#include "kit/main.hpp"
#include "kit/mlp.hpp"
#include "kit/options.hpp"
#include "linear.hpp"
#include "settings.hpp"
#include "table.hpp"

namespace {

struct Options : kit::Options<MembershipSettings> {
  bool check = false;
};

class Membership : public kit::Checked<kit::ImageExperiment<MembershipSettings>> {
 public:
  Membership(const MembershipSettings& s, const ex::Task& task)
      : Checked(s,
                {.networks = s.model == "mlp" ? std::vector<std::string>{} : std::vector<std::string>{s.model},
                 .width = s.width,
                 .batch = s.batch,
                 .task = task},
                {"table.txt", "pictures", "law.csv", "features.csv", "ridge.csv", "networks.csv", "differences.csv"}) {}

  [[nodiscard]] ex::Plan plan(const ex::Paces& paces) const override {
    const MembershipSettings& s = settings();
    ex::Plan plan;
    for (const Arm& arm : arms_of(s)) {
      const double n = static_cast<double>(s.images) / 2, test = static_cast<double>(counts().test);
      // Epochs over the images until all labels are fitted, as they were seen.
      const double epochs = arm.regularized ? s.regularized_epochs + 60.0 * arm.copies : 60 + 60.0 * arm.copies;
      const ex::Length length{.epochs = epochs, .images = n, .each_point = n, .every = 2, .at_end = test};
      ex::Unit unit{.name = arm.unit()};
      for (int i = 0; i < s.networks; ++i) {
        unit.jobs.push_back({.name = arm.job(i),
                             .kind = arm.name(),
                             .cost = ex::cost(ex::shown(length), s.model, paces),
                             .factors = arm.factors(std::to_string(i))});
      }
      unit.jobs.push_back(
          {.name = arm.attacks(), .kind = "attacks", .cost = 0.1, .factors = arm.factors("attacks")});
      plan.push_back(std::move(unit));
    }
    for (const Cell& cell : cells_of(s)) {
      if (plan.empty() || plan.back().name != cell.unit()) {
        plan.push_back({.name = cell.unit()});
      }
      plan.back().jobs.push_back({.name = cell.job(), .kind = cell.part, .cost = 0.5, .factors = cell.factors()});
    }
    return plan;
  }

  ex::Paces measure_pace() override {
    return settings().image_seeds == 0 ? ex::Paces{} : ex::Paces{{settings().model, pace_of([this] { return fresh(); })}};
  }

  void train(const std::string& unit, ex::Jobs& jobs) override {
    for (const Cell& cell : cells_of(settings())) {
      if (cell.unit() == unit) {
        (void)jobs.compute(cell.job(), [&] { return linear_numbers(cell, settings()); });
      }
    }
    for (const Arm& arm : arms_of(settings())) {
      if (arm.unit() == unit) {
        train(arm, jobs);
      }
    }
  }

  kit::Claims told(const ex::Results& results) override { return show_results(results, settings()); }

 private:
  /// Trains the networks of an arm, each on its half of the images, and attacks all of them.
  void train(const Arm& arm, ex::Jobs& jobs) const {
    const MembershipSettings& s = settings();
    const auto seed = static_cast<std::uint64_t>(arm.seed);
    const rg::Source candidates = kit::some_of(images(), s.images, seed);
    const rg::Source population = rg::limit(images().test, s.population);
    Answers answers{.member = rg::reference_halves(s.networks, *candidates.size(), seed)};
    for (int i = 0; i < s.networks; ++i) {
      const rg::Source half = rg::subset(candidates, answers.member[i].nonzero().squeeze(1));
      const std::shared_ptr<rg::networks::Network> net = trained(arm, i, half, jobs);
      answers.samples.push_back(rg::outputs(net, candidates, evaluation()));
      answers.population.push_back(rg::outputs(net, population, evaluation()));
    }
    (void)jobs.compute(arm.attacks(), [&] { return attack_numbers(answers); });
  }

  /// One network of an arm. It ends where all labels are fitted with a loss of 0.01, so that no arm fits less.
  [[nodiscard]] std::shared_ptr<rg::networks::Network> trained(const Arm& arm, int i, const rg::Source& half,
                                                               ex::Jobs& jobs) const {
    const MembershipSettings& s = settings();
    const std::uint64_t seed = 1000 * static_cast<std::uint64_t>(arm.seed) + static_cast<std::uint64_t>(i);
    torch::manual_seed(seed);
    auto net = fresh();
    execution().prepare(net);
    torch::optim::SGD first(net->parameters(), torch::optim::SGDOptions(s.memorize_rate));
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(arm.regularized ? s.regularized_rate : s.rate)
                                                 .momentum(arm.regularized ? 0.9 : 0)
                                                 .weight_decay(arm.regularized ? s.l2 : 0));
    std::vector<rg::Phase> phases;
    if (arm.copies > 0) {
      // R copies with a tenth of the pixels set to 0, as the paper on bad minima has them, but one copy as it is.
      const auto damage = rg::chain(rg::ZeroPixels{.fraction = arm.copies > 1 ? 0.1 : 0.0},
                                    rg::UniformLabels{.classes = images().classes()});
      phases.push_back(phase("memorize", rg::frozen(rg::repeat(half, arm.copies), damage, seed), first, s.epochs,
                             2 * seed));
      phases.back().until = rg::FitReaches{0.999};
    }
    phases.push_back(phase("train", half, sgd, arm.regularized ? s.regularized_epochs : s.epochs, 2 * seed + 1));
    if (arm.regularized) {
      phases.back().lr_scale = rg::Cosine{.epochs = static_cast<double>(s.regularized_epochs)};
      phases.back().augment = {rg::RandomCrop{.padding = images().padding()}, rg::HorizontalFlip{}};
    } else {
      phases.back().until = rg::FitReaches{1} && rg::FitLossReaches{0.01};
    }
    const rg::Scoring scoring{
        .test = images().test, .every = s.epochs, .fit_every = 2, .batch = evaluation().batch};  // tested at the end
    jobs.run({.name = arm.job(i), .phases = phases, .scoring = scoring}, net, first, sgd);
    return net;
  }

  [[nodiscard]] std::shared_ptr<rg::networks::Network> fresh() const {
    if (settings().model != "mlp") {
      return network(settings().model);
    }
    const std::int64_t pixels = images().test.data[0].numel();
    return kit::Mlp(pixels, std::vector<std::int64_t>{128, 128}, images().classes()).ptr();
  }
};

Options read_options(int argc, char** argv) {
  Options options;
  MembershipSettings& s = options.settings;
  CLI::App app("Who was in the training data? Linear regression, and networks in good and bad minima.");
  kit::take_last(app);
  kit::add_data(app, s.data);
  kit::add_machine(app, s.machine);
  app.add_option("--out", s.out, "folder of the results")->capture_default_str();
  std::vector<std::string> models = kit::network_names();
  models.insert(models.begin(), "mlp");
  app.add_option("--model", s.model)->check(CLI::IsMember(models))->capture_default_str();
  const kit::OptionGroup add{app};
  add("--side", s.data.side, kit::at_least_0(), "pixels that images are shrunk to, 0: as they are");
  add("--seeds", s.seeds, kit::at_least_0(), "number of seeds of linear regression");
  const auto list = [&app](const char* name, std::vector<int>& values, int from, int to, const char* what) {
    kit::add_list(app, name, values, what)->check(CLI::Range(from, to));
  };
  list("--ratios", s.ratios, 1, 10000, "features for 100 points");
  list("--other-ratios", s.other_ratios, 1, 10000, "the same, latent and ReLU features");
  list("--ridge-ratios", s.ridge_ratios, 1, 10000, "the same, with a ridge penalty");
  list("--penalties", s.penalties, 0, 1000000, "ridge penalties, of the sum over all points");
  add("--points", s.points, kit::at_least_1(), "points that are attacked, in each seed");
  add("--designs", s.designs, CLI::Range(2, 100000), "draws of the training inputs, in each seed");
  add("--image-seeds", s.image_seeds, kit::at_least_0(), "number of seeds of networks");
  add("--networks", s.networks, CLI::Range(4, 1000), "that are trained in each arm, an even number");
  list("--copies", s.copies, 1, 100, "R: copies of the images whose random labels lead to bad minima");
  add("--images", s.images, CLI::Range(20, 1000000), "candidates, of which each network is trained on half");
  add("--rate", s.rate, kit::at_least_0(), "learning rate");
  add("--memorize-rate", s.memorize_rate, kit::at_least_0(), "learning rate on random labels");
  add("--regularized-rate", s.regularized_rate, kit::at_least_0(), "learning rate with regularizers");
  add("--l2", s.l2, kit::at_least_0(), "weight decay with regularizers");
  add("--regularized-epochs", s.regularized_epochs, kit::at_least_1(), "epochs with regularizers");
  app.add_flag("--check", options.check, "end with an error if a statement does not come out");
  kit::add_task(app, options.task);
  kit::parse(app, argc, argv, options.task);
  return options;
}

void run(Options& options) {
  MembershipSettings& s = options.settings;
  kit::check_once("--ratios must have each number", s.ratios);
  kit::check_once("--other-ratios must have each number", s.other_ratios);
  kit::check_once("--ridge-ratios must have each number", s.ridge_ratios);
  kit::check_once("--penalties must have each number", s.penalties);
  kit::check_once("--copies must have each number", s.copies);
  if (s.networks % 2 != 0) {
    throw rg::Error(kit::format("--networks must be even, for they are trained on halves and the other halves, but is %d",
                                s.networks));
  }
  if (s.seeds + s.image_seeds == 0) {
    throw rg::Error("--seeds and --image-seeds are both 0: nothing is left to do");
  }
  const int units = static_cast<int>(arms_of(s).size()) + s.seeds;
  ex::Conduct how = kit::settle(s.machine, s.data, units, std::max(s.seeds, s.image_seeds), options.task);
  how.ends_by_itself = true;
  Membership experiment(s, options.task);
  kit::conduct_checked(experiment, options.task, how, options.check);
}

}  // namespace

int main(int argc, char** argv) {
  return kit::run_program("membership", argc, argv, read_options, run);
}
