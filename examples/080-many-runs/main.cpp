// Thousands of small runs, which any scheduler can share out among machines: every unit is a network that learns from a
// share of wrong labels, with a seed. It is the smallest program that the scripts of examples/drivers/ can drive.
//
//     many_runs --seeds 100                                        all 300 units, side by side on this machine
//     sh examples/drivers/units.sh many_runs --seeds 100           the same by xargs; drivers/ has other schedulers

#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <vector>

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
  std::vector<int> wrong = {0, 20, 40};  ///< percent of the labels
};

namespace {

using Options = kit::Options<ManyRunsSettings>;

struct Arm {
  int wrong = 0;
  int seed = 1;
  [[nodiscard]] std::string name() const { return "wrong" + std::to_string(wrong) + "-seed" + std::to_string(seed); }
};

class ManyRuns : public kit::NumbersExperiment<ManyRunsSettings> {
 public:
  explicit ManyRuns(const ManyRunsSettings& s) : NumbersExperiment(s, {"table.txt"}) {}

  [[nodiscard]] ex::Plan plan(const ex::Paces& /*paces*/) const override {
    ex::Plan plan;
    for (const Arm& arm : arms()) {
      const ex::Factors factors{{"wrong", std::to_string(arm.wrong)}, {"seed", std::to_string(arm.seed)}};
      plan.push_back({arm.name(), {{.name = arm.name(), .kind = "net", .cost = 0.1, .factors = factors}}});
    }
    return plan;
  }

  void train(const std::string& unit, ex::Jobs& jobs) override {
    for (const Arm& arm : arms()) {
      if (arm.name() == unit) {
        train(arm, jobs);
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

  /// A unit's result depends on the settings and its name alone, so it is the same in any order and on any machine.
  void train(const Arm& arm, ex::Jobs& jobs) const {
    const auto seed = static_cast<std::uint64_t>(arm.seed);
    const rg::Source labels =
        rg::frozen(rg::two_clusters(50, 2 * seed), rg::UniformLabels{.classes = 2, .fraction = 0.01 * arm.wrong}, seed);
    torch::manual_seed(seed);
    torch::nn::Linear hidden(2, 50);
    torch::nn::Linear output(50, 2);
    torch::nn::Sequential net(hidden, torch::nn::ReLU(), output);
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
    const rg::Phase phase{
        .name = "train", .data = labels, .optimizer = sgd, .epochs = settings().epochs, .batch = 10, .seed = seed};
    jobs.run({.name = arm.name(), .phases = {phase}, .scoring = {.test = rg::two_clusters(500, 2 * seed + 1)}}, net,
             sgd);
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
  kit::add_list(app, "--wrong", options.settings.wrong, "percent of the labels that are wrong")
      ->check(CLI::Range(0, 100));
  kit::add_task(app, options.task);
  kit::parse(app, argc, argv, options.task);
  return options;
}

void run(Options& options) {
  ManyRunsSettings& s = options.settings;
  kit::check_once("--wrong must have each number", s.wrong);
  const int units = s.seeds * static_cast<int>(s.wrong.size());
  const ex::Conduct how = kit::settle(s, units, options.task);
  ManyRuns experiment(s);
  ex::conduct(experiment, options.task, how);
}

}  // namespace

int main(int argc, char** argv) {
  return kit::run_program("many_runs", argc, argv, read_options, run);
}
