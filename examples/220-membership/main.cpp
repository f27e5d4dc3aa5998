// Membership inference: who was in the training data? For linear regression by the exact law (Tan, Mason, Javadi and
// Baraniuk 2022), and for networks in good, bad and regularized minima by attacks with reference networks. Two minutes
// on two CPU cores.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
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
#include "show.hpp"

namespace {

using Options = kit::CheckedOptions<MembershipSettings>;

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
    const double n = static_cast<double>(s.images) / 2, test = static_cast<double>(counts().test);
    ex::Plan plan;
    for (const std::vector<Arm>& arms : units_of(s)) {
      ex::Unit unit{.name = arms.front().unit()};
      const auto add = [&](const std::string& name, const std::string& kind, ex::Factors factors, double epochs,
                           double images) {
        const ex::Length length{.epochs = epochs, .images = images, .each_point = images, .every = 2, .at_end = test};
        unit.jobs.push_back({.name = name,
                             .kind = kind,
                             .cost = ex::cost(ex::shown(length), s.model, paces),
                             .factors = std::move(factors)});
      };
      for (int i = 0; i < s.networks; ++i) {
        const std::string at = std::to_string(i);
        const Arm& first = arms.front();
        // Epochs until all labels are fitted, as they were seen.
        if (first.copies > 0) {
          add(first.memorizing(at), "memorize R=" + std::to_string(first.copies), first.memorizing_factors(at),
              first.copies == 1 ? 110 : 60, first.copies * n);
        }
        for (const Arm& arm : arms) {
          const double epochs = arm.regularized ? s.regularized_epochs : arm.copies > 0 ? 60 : 115;
          add(arm.job(at), arm.name(), arm.factors(at), epochs, n);
        }
      }
      for (const Arm& arm : arms) {
        unit.jobs.push_back(
            {.name = arm.job("attacks"), .kind = "attacks", .cost = 0.1, .factors = arm.factors("attacks")});
      }
      plan.push_back(std::move(unit));
    }
    for (const Cell& cell : cells_of(s.linear)) {
      if (plan.empty() || plan.back().name != cell.unit()) {
        plan.push_back({.name = cell.unit()});
      }
      const double cost = cell.part == "law" ? 0.1 + cell.at / 1500.0 : 0.13;  // as it was seen
      plan.back().jobs.push_back({.name = cell.job(), .kind = cell.part, .cost = cost, .factors = cell.factors()});
    }
    return plan;
  }

  /// Linear regression needs no images.
  void load() override {
    if (settings().image_seeds == 0) {
      return;
    }
    ImageExperiment::load();
    const std::int64_t all = *images().train.size(), needed = settings().images + settings().images / 2;
    if (needed > all) {
      throw ex::UsageError(
          kit::format("--images %lld and half as many others are more than the data's %lld: take fewer",
                      static_cast<long long>(settings().images), static_cast<long long>(all)));
    }
  }

  ex::Paces measure_pace() override {
    return settings().image_seeds == 0 ? ex::Paces{}
                                       : ex::Paces{{settings().model, pace_of([this] { return fresh(); })}};
  }

  void train(const std::string& unit, ex::Jobs& jobs) override {
    for (const Cell& cell : cells_of(settings().linear)) {
      if (cell.unit() == unit) {
        (void)jobs.compute(cell.job(), [&] { return linear_numbers(cell, settings().linear); });
      }
    }
    for (const std::vector<Arm>& arms : units_of(settings())) {
      if (arms.front().unit() == unit) {
        train(arms, jobs);
      }
    }
  }

  kit::Claims told(const ex::Results& results) override { return show_results(results, settings()); }

 private:
  /// Trains the networks of arms with one start, each on its half of the images, and attacks them.
  void train(const std::vector<Arm>& arms, ex::Jobs& jobs) const {
    const MembershipSettings& s = settings();
    const auto seed = static_cast<std::uint64_t>(arms.front().seed);
    const rg::Source some = kit::some_of(images(), s.images + s.images / 2, seed);
    const rg::Source candidates = rg::limit(some, s.images);
    const rg::Source others = rg::subset(some, torch::arange(s.images, *some.size()));
    const rg::Source population = rg::limit(images().test, s.population);
    const torch::Tensor member = rg::reference_halves(s.networks, *candidates.size(), seed);
    // Low false positive rates are a matter of logits' last digits, which bf16 lacks.
    const rg::Evaluation exactly = kit::scoring_of(s.machine.device, "fp32", images());
    std::vector<Answers> answers(arms.size(), Answers{.member = member});
    for (int i = 0; i < s.networks; ++i) {
      const rg::Source half = rg::subset(candidates, member[i].nonzero().squeeze(1));
      torch::manual_seed(seed_of(arms.front(), i));
      auto net = fresh();
      execution().prepare(net);
      if (arms.front().copies > 0) {
        memorize(arms.front(), i, arms.front().others ? others : half, net, jobs);
      }
      const rg::Snapshot start(net);
      for (std::size_t arm = 0; arm < arms.size(); ++arm) {
        start.restore();
        reach(arms[arm], i, half, net, jobs);
        answers[arm].samples.push_back(rg::outputs(net, candidates, exactly));
        answers[arm].population.push_back(rg::outputs(net, population, exactly));
      }
    }
    for (std::size_t arm = 0; arm < arms.size(); ++arm) {
      (void)jobs.compute(arms[arm].job("attacks"), [&] { return attack_numbers(answers[arm]); });
    }
  }

  using Net = std::shared_ptr<rg::networks::Network>;

  static std::uint64_t seed_of(const Arm& arm, int i) {
    return 1000 * static_cast<std::uint64_t>(arm.seed) + static_cast<std::uint64_t>(i);
  }

  /// Fits random labels of these images with network i.
  void memorize(const Arm& arm, int i, const rg::Source& of, Net& net, ex::Jobs& jobs) const {
    const MembershipSettings& s = settings();
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(s.memorize_rate));
    rg::Phase fit =
        phase("memorize", confusion_set(of, arm.copies, seed_of(arm, i)), sgd, s.epochs, 2 * seed_of(arm, i));
    fit.until = rg::FitReaches{0.999};
    const rg::Scoring scoring{.every = s.epochs, .fit_every = 2, .batch = evaluation().batch};
    jobs.run({.name = arm.memorizing(std::to_string(i)), .phases = {fit}, .scoring = scoring}, net, sgd);
  }

  /// Trains on the true labels: until all are fitted with a loss of 0.01, so that no start fits less; with regularizers
  /// for so many epochs.
  void reach(const Arm& arm, int i, const rg::Source& half, Net& net, ex::Jobs& jobs) const {
    const MembershipSettings& s = settings();
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(arm.regularized ? s.regularized_rate : s.rate)
                                                 .momentum(arm.regularized ? 0.9 : 0)
                                                 .weight_decay(arm.regularized ? s.l2 : 0));
    const int epochs = arm.regularized ? s.regularized_epochs : s.epochs;
    rg::Phase train = phase(arm.regularized ? "regularized" : "vanilla", half, sgd, epochs, 2 * seed_of(arm, i) + 1);
    if (arm.regularized) {
      train.lr_scale = rg::Cosine{.epochs = static_cast<double>(epochs)};
      train.augment = images().augmentation();
    } else {
      train.until = rg::FitReaches{1} && rg::FitLossReaches{0.01};
    }
    const rg::Scoring scoring{
        .test = images().test, .every = epochs, .fit_every = 2, .batch = evaluation().batch};  // tested at the end
    jobs.run({.name = arm.job(std::to_string(i)), .phases = {train}, .scoring = scoring}, net, sgd);
  }

  [[nodiscard]] Net fresh() const {
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
  kit::add_data_and_machine(app, s);
  std::vector<std::string> models = kit::network_names();
  models.insert(models.begin(), "mlp");
  app.add_option("--model", s.model)->check(CLI::IsMember(models))->capture_default_str();
  const kit::OptionGroup add{app};
  add("--side", s.data.side, kit::at_least_0(), "pixels that images are shrunk to, 0: as they are");
  add("--seeds", s.linear.seeds, kit::at_least_0(), "number of seeds of linear regression");
  const auto list = [&app](const char* name, std::vector<int>& values, int from, int to, const char* what) {
    kit::add_list(app, name, values, what)->check(CLI::Range(from, to));
  };
  list("--ratios", s.linear.ratios, 1, 10000, "features for 100 points");
  list("--other-ratios", s.linear.other_ratios, 20, 10000, "the same, latent and ReLU features");
  list("--ridge-ratios", s.linear.ridge_ratios, 1, 10000, "the same, with a ridge penalty");
  list("--penalties", s.linear.penalties, 0, 1000000, "ridge penalties, of the sum over all points");
  add("--points", s.linear.points, CLI::Range(1, 100), "points that are attacked, in each seed");
  add("--law-designs", s.linear.law_designs, CLI::Range(2, 100000),
      "draws of the training inputs beside the law, in each seed");
  add("--designs", s.linear.designs, CLI::Range(2, 100000), "the same in all other parts");
  add("--image-seeds", s.image_seeds, kit::at_least_0(), "number of seeds of networks");
  add("--networks", s.networks, CLI::Range(6, 1000), "that are trained in each arm, an even number");
  list("--copies", s.copies, 1, 100, "R: copies of the images whose random labels lead to bad minima");
  add("--images", s.images, CLI::Range(20, 1000000), "candidates, of which each network is trained on half");
  add("--population", s.population, kit::at_least_1(), "test images that RMIA compares with, at most all");
  add("--width", s.width, kit::at_least_1(), "channels of the pooled network's first block");
  add("--batch", s.batch, kit::at_least_1(), "images a step");
  add("--epochs", s.epochs, kit::at_least_1(), "at most, until all labels are fitted");
  add("--rate", s.rate, kit::at_least_0(), "learning rate");
  add("--memorize-rate", s.memorize_rate, kit::at_least_0(), "learning rate on random labels");
  add("--regularized-rate", s.regularized_rate, kit::at_least_0(), "learning rate with regularizers");
  add("--l2", s.l2, kit::at_least_0(), "weight decay with regularizers");
  add("--regularized-epochs", s.regularized_epochs, kit::at_least_1(), "epochs with regularizers");
  kit::add_checked_task(app, options);
  kit::parse(app, argc, argv, options.task);
  return options;
}

void run(Options& options) {
  MembershipSettings& s = options.settings;
  const std::pair<const char*, std::vector<int>*> lists[] = {{"--ratios", &s.linear.ratios},
                                                             {"--other-ratios", &s.linear.other_ratios},
                                                             {"--ridge-ratios", &s.linear.ridge_ratios},
                                                             {"--penalties", &s.linear.penalties},
                                                             {"--copies", &s.copies}};
  for (const auto& [name, values] : lists) {
    kit::check_once(std::string(name) + " must have each number", *values);
    std::sort(values->begin(), values->end());
  }
  if (s.networks % 2 != 0) {
    throw ex::UsageError(kit::format(
        "--networks must be even, for they are trained on halves and the other halves, but is %d", s.networks));
  }
  if (s.linear.seeds + s.image_seeds == 0) {
    throw ex::UsageError("--seeds and --image-seeds are both 0: nothing is left to do");
  }
  const int units = static_cast<int>(units_of(s).size()) + s.linear.seeds;
  ex::Conduct how = kit::settle(s.machine, s.data, units, std::max(s.linear.seeds, s.image_seeds), options.task);
  how.ends_by_itself = true;
  Membership experiment(s, options.task);
  kit::conduct_checked(experiment, options.task, how, options.check);
}

}  // namespace

int main(int argc, char** argv) {
  return kit::run_program("membership", argc, argv, read_options, run);
}
