// Thousands of small runs, which any scheduler can share out among machines: every unit is a network that learns from a
// share of wrong labels, with a seed. It is the smallest program that the scripts of examples/drivers/ can drive.
//
//     many_runs --seeds 100                                        all 300 units, side by side on this machine
//     many_runs --seeds 100 --ensemble 50                          50 networks at a time as one, which is faster
//     sh examples/drivers/units.sh many_runs --seeds 100           the same by xargs; drivers/ has other schedulers

#include <torch/torch.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <regimen/networks/stacked_linear.hpp>
#include <regimen/regimen.hpp>
#include <regimen/report.hpp>

#include "kit/check_once.hpp"
#include "kit/main.hpp"
#include "kit/numbers_experiment.hpp"

namespace ex = regimen::experiment;
namespace rg = regimen;

struct ManyRunsSettings {
  std::string out = "results-many-runs";
  int workers = 0;
  int threads = 0;
  int seeds = 10;
  int epochs = 20;
  int ensemble = 1;                      ///< networks that train as one module
  std::vector<int> wrong = {0, 20, 40};  ///< percent of the labels
};

namespace {

using Options = kit::Options<ManyRunsSettings>;

struct Arm {
  int wrong = 0;
  int seed = 1;
  [[nodiscard]] std::string name() const { return "wrong" + std::to_string(wrong) + "-seed" + std::to_string(seed); }
};

/// Arms that one process trains: one network, or several as one.
struct Group {
  std::string name;
  std::vector<Arm> arms;
};

class ManyRuns : public kit::NumbersExperiment<ManyRunsSettings> {
 public:
  explicit ManyRuns(const ManyRunsSettings& s) : NumbersExperiment(s, {"table.txt"}) {}

  [[nodiscard]] ex::Plan plan(const ex::Paces& /*paces*/) const override {
    ex::Plan plan;
    for (const Group& group : groups()) {
      ex::Chain jobs;
      for (const Arm& arm : group.arms) {
        const ex::Factors factors{{"wrong", std::to_string(arm.wrong)}, {"seed", std::to_string(arm.seed)}};
        const bool first = jobs.empty();  // of those that take one time together
        jobs.push_back({.name = arm.name(), .kind = "net", .cost = first ? 0.1 : 0, .factors = factors});
      }
      plan.push_back({group.name, jobs});
    }
    return plan;
  }

  void train(const std::string& unit, ex::Jobs& jobs) override {
    for (const Group& group : groups()) {
      if (group.name == unit) {
        if (group.arms.size() == 1) {
          train_alone(group.arms.front(), jobs);
        } else {
          train_together(group, jobs);
        }
      }
    }
  }

  void show(const ex::Results& results) override {
    using rg::report::Kind;
    rg::report::Table table({{.name = "wrong labels %", .kind = Kind::whole},
                             {.name = "seeds", .kind = Kind::whole},
                             {.name = "test %", .kind = Kind::interval, .digits = 1}});
    for (const int wrong : settings().wrong) {
      const ex::OverSeeds seeds = ex::over_seeds(results.where({{"wrong", std::to_string(wrong)}}));
      table.add({wrong, seeds.seeds.size(), seeds.mean_accuracy});
    }
    const std::string text = rg::report::terminal(table);
    ex::write_file(settings().out + "/table.txt", text);
    std::printf("%s", text.c_str());
  }

 private:
  [[nodiscard]] std::vector<Arm> arms() const {
    std::vector<Arm> arms;
    for (int seed = 1; seed <= settings().seeds; ++seed) {
      for (const int wrong : settings().wrong) {
        arms.push_back({wrong, seed});
      }
    }
    return arms;
  }

  [[nodiscard]] std::vector<Group> groups() const {
    const std::vector<Arm> all = arms();
    const auto size = static_cast<std::size_t>(settings().ensemble);
    std::vector<Group> groups;
    for (std::size_t i = 0; i < all.size(); i += size) {
      const std::size_t end = std::min(i + size, all.size());
      const std::string name =
          end == i + 1 ? all[i].name() : "arms" + std::to_string(i + 1) + "-" + std::to_string(end);
      groups.push_back(
          {name, {all.begin() + static_cast<std::ptrdiff_t>(i), all.begin() + static_cast<std::ptrdiff_t>(end)}});
    }
    return groups;
  }

  // An arm's data, weights and order depend on the settings and on the arm alone, so its result is the same in any
  // order of the units and on any machine; and beside other arms in one module, up to rounding.

  static rg::Source train_data(const Arm& arm) {
    const auto seed = static_cast<std::uint64_t>(arm.seed);
    return rg::frozen(rg::two_clusters(50, 2 * seed), rg::UniformLabels{.classes = 2, .fraction = 0.01 * arm.wrong},
                      seed);
  }

  static rg::Source test_data(const Arm& arm) {
    return rg::two_clusters(500, 2 * static_cast<std::uint64_t>(arm.seed) + 1);
  }

  struct Layers {
    explicit Layers(const Arm& arm) {
      torch::manual_seed(static_cast<std::uint64_t>(arm.seed));
      hidden = torch::nn::Linear(2, 50);
      output = torch::nn::Linear(50, 2);
    }
    torch::nn::Linear hidden{nullptr};
    torch::nn::Linear output{nullptr};
  };

  static torch::optim::SGD new_sgd(const torch::nn::Module& net) {
    return torch::optim::SGD(net.parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  }

  void train_alone(const Arm& arm, ex::Jobs& jobs) const {
    const Layers layers(arm);
    torch::nn::Sequential net(layers.hidden, torch::nn::ReLU(), layers.output);
    torch::optim::SGD sgd = new_sgd(*net);
    const rg::Phase phase{.name = "train",
                          .data = train_data(arm),
                          .optimizer = sgd,
                          .epochs = settings().epochs,
                          .batch = 10,
                          .seed = static_cast<std::uint64_t>(arm.seed)};
    jobs.run({.name = arm.name(), .phases = {phase}, .scoring = {.test = test_data(arm)}}, net, sgd);
  }

  void train_together(const Group& group, ex::Jobs& jobs) const {
    std::vector<std::string> names;
    std::vector<std::uint64_t> seeds;
    std::vector<rg::Source> train;
    std::vector<rg::Source> test;
    std::vector<torch::nn::Linear> hidden;
    std::vector<torch::nn::Linear> output;
    for (const Arm& arm : group.arms) {
      const Layers layers(arm);
      names.push_back(arm.name());
      seeds.push_back(static_cast<std::uint64_t>(arm.seed));
      train.push_back(train_data(arm));
      test.push_back(test_data(arm));
      hidden.push_back(layers.hidden);
      output.push_back(layers.output);
    }
    const rg::networks::StackedLinear hiddens(hidden);
    const rg::networks::StackedLinear outputs(output);
    torch::nn::Sequential net(hiddens, torch::nn::ReLU(), outputs);
    torch::optim::SGD sgd = new_sgd(*net);
    const rg::Phase phase{.name = "train",
                          .data = rg::stacked(train, seeds),
                          .optimizer = sgd,
                          .epochs = settings().epochs,
                          .batch = 10,
                          .loss = rg::OverOwnTargets{},
                          .regularize = {rg::FiniteGradients{}}};  // one that diverges is not the end of the others
    const auto scores_on = [&](const rg::Source& data) {
      return rg::MemberScores{.data = data, .members = names.size(), .own_targets = true};
    };
    const rg::Scoring scoring{
        .score_fit = false,
        .measures = {{"fit", scores_on(phase.data)}, {"test", scores_on(rg::cached(rg::stacked(test)))}}};
    jobs.run_together({.name = group.name, .phases = {phase}, .scoring = scoring}, names, net, sgd);
  }
};

Options read_options(int argc, char** argv) {
  Options options;
  CLI::App app("Many small networks that learn from wrong labels, for any scheduler.");
  kit::take_last(app);
  kit::add_numbers(app, options.settings);
  const kit::OptionGroup add{app};
  add("--seeds", options.settings.seeds, kit::at_least_1(), "networks for each share of wrong labels");
  add("--epochs", options.settings.epochs, kit::at_least_1(), "of each network");
  add("--ensemble", options.settings.ensemble, kit::at_least_1(),
      "train so many networks as one module: a unit is one of these; faster from about eight on");
  kit::add_list(app, "--wrong", options.settings.wrong, "percent of the labels that are wrong")
      ->check(CLI::Range(0, 100));
  kit::add_task(app, options.task);
  kit::parse(app, argc, argv, options.task);
  return options;
}

void run(Options& options) {
  ManyRunsSettings& s = options.settings;
  kit::check_once("--wrong must have each number", s.wrong);
  const int networks = s.seeds * static_cast<int>(s.wrong.size());
  const int units = 1 + (networks - 1) / s.ensemble;
  const ex::Conduct how = kit::settle(s, units, options.task);
  ManyRuns experiment(s);
  ex::conduct(experiment, options.task, how);
}

}  // namespace

int main(int argc, char** argv) {
  return kit::run_program("many_runs", argc, argv, read_options, run);
}
