// What wrong labels do to a network, and what early stopping saves: test accuracy, fit and recovered labels against the
// share of wrong labels, drawn uniformly or by a flip to the next class. Minutes on two CPU cores.

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>

#include "kit/cell.hpp"
#include "kit/image_experiment.hpp"
#include "kit/line_picture.hpp"
#include "kit/main.hpp"
#include "kit/options.hpp"

namespace ex = regimen::experiment;
namespace rg = regimen;

struct CorruptionSettings {
  kit::DataOptions data{.side = 14};
  std::string out = "results-corruption";
  std::string model = "pooled";
  kit::Machine machine{};
  int seeds = 3;
  std::int64_t images = 1000;  ///< that each network is trained on; a fifth as many, as noisy, say when to stop
  int epochs = 25;
  int batch = 64;
  double rate = 0.05;
  std::vector<int> wrong = {0, 20, 40, 60};  ///< percent of the labels
};

namespace {

struct Options {
  CorruptionSettings settings{};
  ex::Task task{};
};

/// Settings without what no result depends on.
std::string text_of(CorruptionSettings settings) {
  settings.out.clear();
  settings.data.root.clear();
  settings.machine.workers = settings.machine.threads = 0;
  return ex::settings_text(settings);
}

/// One network: which noise, how much of it, and whether it is stopped early.
struct Arm {
  std::string noise;  ///< uniform or pair
  int seed = 1;
  int wrong = 0;  ///< percent
  bool early = false;
  [[nodiscard]] std::string unit() const { return noise + "-seed" + std::to_string(seed); }
  [[nodiscard]] std::string stopping() const { return early ? "early" : "whole"; }
  [[nodiscard]] std::string job() const { return unit() + "-" + std::to_string(wrong) + "-" + stopping(); }
  [[nodiscard]] std::string row(int of) const { return (of > 0 ? noise : "") + stopping() + std::to_string(of); }
};

std::vector<Arm> arms_of(const CorruptionSettings& s) {
  std::vector<Arm> arms;
  for (int seed = 1; seed <= s.seeds; ++seed) {
    for (const std::string noise : {"uniform", "pair"}) {
      for (const int wrong : s.wrong) {
        if (wrong > 0 || noise == "uniform") {  // without wrong labels there is one kind
          arms.push_back({noise, seed, wrong, false});
          arms.push_back({noise, seed, wrong, true});
        }
      }
    }
  }
  return arms;
}

class Corruption : public kit::ImageExperiment {
 public:
  Corruption(const CorruptionSettings& s, const ex::Task& task)
      : ImageExperiment(
            {.data = s.data, .machine = s.machine, .networks = {s.model}, .batch = s.batch, .stop = task.stop}),
        settings_(s) {}

  [[nodiscard]] ex::FolderContents contents() const override {
    return {.path = settings_.out,
            .defaults = text_of({}),
            .settings = [this](const std::string&) { return text_of(settings_); },
            .results = {"table.txt", "results.csv", "corruption.svg"}};
  }

  [[nodiscard]] ex::Plan plan(const ex::Paces& paces) const override {
    const auto n = static_cast<double>(settings_.images), test = static_cast<double>(counts().test);
    ex::Plan plan;
    for (const Arm& arm : arms_of(settings_)) {
      if (plan.empty() || plan.back().name != arm.unit()) {
        plan.push_back({.name = arm.unit()});
      }
      const double epochs = settings_.epochs * (arm.early ? 0.3 : 1.0);  // where early stopping was seen to stop
      const ex::Shown shown{.training = epochs * n, .scoring = 2 * n + test + (arm.early ? epochs * 2.2 * n : 0)};
      plan.back().jobs.push_back(
          {.name = arm.job(), .kind = arm.stopping(), .cost = ex::cost(shown, settings_.model, paces)});
    }
    return plan;
  }

  [[nodiscard]] bool is_finished(const std::string& job) const override {
    return ex::JobFiles{settings_.out, job}.scored_history().has_value();
  }

  void train(const std::string& unit, ex::Jobs& jobs) override {
    for (const Arm& arm : arms_of(settings_)) {
      arm.unit() == unit ? train(arm, jobs) : void();
    }
  }

  bool show_results() override {
    Rows rows;
    std::string csv = "noise,seed,wrong,stopping,test,fit,recovered,epochs\n";
    std::vector<std::string> finished;
    const std::vector<Arm> arms = arms_of(settings_);
    for (const Arm& arm : arms) {
      const ex::JobFiles files{settings_.out, arm.job()};
      if (const auto history = files.scored_history()) {
        const rg::Epoch& last = history->back();
        const std::array row{100 * ex::read_score(files.score())->accuracy, 100 * last.fit.accuracy,
                             100 * last.measures.at("recovered"), static_cast<double>(last.clock.epoch)};
        csv += arm.noise + "," + std::to_string(arm.seed) + "," + std::to_string(arm.wrong) + "," + arm.stopping();
        for (std::size_t i = 0; i < row.size(); ++i) {
          rows[arm.row(arm.wrong)][i].push_back(row[i]);
          csv += "," + kit::cell(row[i]) + (i + 1 == row.size() ? "\n" : "");
        }
        finished.push_back(arm.job());
      }
    }
    ex::write_file(settings_.out + "/results.csv", csv);
    ex::write_manifest(settings_.out, rg::manifest(settings_), finished);
    std::printf("\n%s\n%zu of %zu networks. Everything: %s/results.csv, corruption.svg, manifest.json\n",
                report(rows).c_str(), finished.size(), arms.size(), settings_.out.c_str());
    return finished.size() == arms.size();
  }

 private:
  using Rows =
      std::map<std::string, std::array<std::vector<double>, 4>>;  ///< of each row: test, fit, recovered, epochs
  void train(const Arm& arm, ex::Jobs& jobs) const {
    const auto seed = static_cast<std::uint64_t>(arm.seed);
    const rg::Source some = kit::some_of(images(), settings_.images + settings_.images / 5, seed);
    const rg::AnyTransform damage =
        arm.noise == "pair" ? rg::AnyTransform(rg::PairFlip{.classes = images().classes()})
                            : rg::AnyTransform(rg::UniformLabels{.classes = images().classes(), .exclude_true = true});
    const rg::Source noisy = rg::frozen(some, damage, seed, rg::exactly(arm.wrong / 100.0));
    const std::int64_t all = *some.size();
    const std::int64_t n = std::min(settings_.images, all - 1);
    const rg::Source train = rg::limit(noisy, n);
    const rg::NoiseSplit parts = rg::split_by_noise(train, rg::limit(some, n));
    torch::manual_seed(seed);
    auto net = network(settings_.model);
    execution().prepare(net);
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(settings_.rate).momentum(0.9));
    rg::Phase phase{.name = arm.stopping(),
                    .data = train,
                    .optimizer = sgd,
                    .epochs = settings_.epochs,
                    .batch = settings_.batch,
                    .preprocess = {images().normalize},
                    .execute = execution(),
                    .seed = seed};
    rg::Scoring scoring{.every = arm.early ? 1 : settings_.epochs, .batch = evaluation().batch};
    scoring.measures["recovered"] = rg::AccuracyOn{parts.truth};
    if (arm.early) {
      scoring.validation = rg::subset(noisy, torch::arange(n, all));
      phase.until = rg::Patience{.scorings = 3, .metric = rg::Metric::validation_loss};
    }
    const auto score = [&] {
      ex::write_score(ex::JobFiles{settings_.out, arm.job()}.score(), rg::evaluate(net, images().test, evaluation()));
    };
    jobs.run({.name = arm.job(), .phases = {phase}, .scoring = scoring, .at_end = score}, net, sgd);
  }

  /// Writes the table and the picture of test accuracy; returns the table.
  [[nodiscard]] std::string report(Rows& rows) const {
    std::string text = "labels           wrong %  test %            fit %   recovered %  epochs\n";
    std::vector<kit::Line> lines;
    for (const Arm& arm : {Arm{"uniform"}, Arm{"uniform", 1, 0, true}, Arm{"pair"}, Arm{"pair", 1, 0, true}}) {
      lines.push_back(
          {arm.noise + (arm.early ? ", stopped early" : ""), arm.noise == "pair" ? "#D55E00" : "#0072B2", arm.early});
      for (const int wrong : settings_.wrong) {
        const auto& columns = rows[arm.row(wrong)];
        const rg::Interval test = rg::mean_interval(columns[0]);
        const auto mean = [&](std::size_t i) { return kit::cell(rg::mean_interval(columns[i]).mean); };
        char line[160];
        std::snprintf(line, sizeof line, "%-8s %-7s %5d    %-6s +- %-6s  %-6s  %-11s  %s\n", arm.noise.c_str(),
                      arm.stopping().c_str(), wrong, mean(0).c_str(), kit::cell(test.half_width).c_str(),
                      mean(1).c_str(), mean(2).c_str(), mean(3).c_str());
        text += line;
        if (test.n > 0) {
          lines.back().points.emplace_back(wrong, test.mean);
        }
      }
    }
    text +=
        "\nMeans of the seeds, with Student-t 95 % intervals. Fit: of the given labels. Recovered: wrongly labelled "
        "images that the network takes for what they are.\n";
    ex::write_file(settings_.out + "/table.txt", text);
    ex::write_file(settings_.out + "/corruption.svg",
                   kit::line_picture("Test accuracy and wrong labels", "wrong labels, %", "test accuracy, %", lines));
    return text;
  }
  const CorruptionSettings& settings_;
};

Options read_options(int argc, char** argv) {
  Options options;
  CorruptionSettings& s = options.settings;
  CLI::App app("What wrong labels do to a network, and what early stopping saves.");
  kit::take_last(app);
  kit::add_data(app, s.data.name, s.data.root);
  kit::add_machine(app, s.machine);
  app.add_option("--model", s.model)->check(CLI::IsMember(kit::network_names()))->capture_default_str();
  app.add_option("--out", s.out, "folder of the results")->capture_default_str();
  const auto add = [&](const char* name, auto& value, const char* what, const CLI::Validator& check) {
    app.add_option(name, value, what)->check(check)->capture_default_str();
  };
  add("--side", s.data.side, "pixels that images are shrunk to, 0: as they are", kit::at_least_0());
  add("--seeds", s.seeds, "number of seeds", kit::at_least_1());
  add("--images", s.images, "that each network is trained on", kit::at_least_1());
  add("--epochs", s.epochs, "at most", kit::at_least_1());
  add("--batch", s.batch, "images a step", kit::at_least_1());
  add("--rate", s.rate, "learning rate", kit::at_least_0());
  app.add_option("--wrong", s.wrong, "percent of the labels that are wrong; several with commas between")
      ->delimiter(',')
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->check(CLI::Range(0, 100));
  kit::add_task(app, options.task);
  kit::parse(app, argc, argv, options.task);
  return options;
}

void run(Options& options) {
  CorruptionSettings& s = options.settings;
  const ex::Conduct how = kit::settle(s.machine, s.data, 2 * s.seeds, s.seeds, options.task);
  Corruption experiment(s, options.task);
  ex::conduct(experiment, options.task, how);
}

}  // namespace

int main(int argc, char** argv) {
  return kit::run_program("corruption", argc, argv, read_options, run);
}
