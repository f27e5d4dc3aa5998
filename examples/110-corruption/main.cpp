// What wrong labels do to a network, and what early stopping saves: test accuracy, fit and recovered labels against the
// share of wrong labels, drawn uniformly or by a flip to the next class. Minutes on two CPU cores.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>

#include "kit/image_experiment.hpp"
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
    rg::report::Table table({{.name = "noise"},
                             whole("seed"),
                             whole("wrong"),
                             {.name = "stopping"},
                             number("test"),
                             number("fit"),
                             number("recovered"),
                             whole("epochs")});
    std::vector<std::string> finished;
    const std::vector<Arm> arms = arms_of(settings_);
    for (const Arm& arm : arms) {
      const ex::JobFiles files{settings_.out, arm.job()};
      if (const auto history = files.scored_history()) {
        const rg::Epoch& last = history->back();
        const std::array row{100 * ex::read_score(files.score())->accuracy, 100 * last.fit.accuracy,
                             100 * last.measures.at("recovered"), static_cast<double>(last.clock.epoch)};
        for (std::size_t i = 0; i < row.size(); ++i) {
          rows[arm.row(arm.wrong)][i].push_back(row[i]);
        }
        table.add({arm.noise, arm.seed, arm.wrong, arm.stopping(), row[0], row[1], row[2], last.clock.epoch});
        finished.push_back(arm.job());
      }
    }
    ex::write_file(settings_.out + "/results.csv", rg::report::csv(table));
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

  static rg::report::Column whole(const char* name) { return {.name = name, .kind = rg::report::Kind::whole}; }
  static rg::report::Column number(const char* name) {
    return {.name = name, .kind = rg::report::Kind::number, .csv_digits = 2};
  }

  /// Writes the table and the picture of test accuracy; returns the table.
  [[nodiscard]] std::string report(Rows& rows) const {
    rg::report::Table table({{.name = "labels"},
                             {.name = "stopping"},
                             whole("wrong %"),
                             {.name = "test %", .kind = rg::report::Kind::interval},
                             number("fit %"),
                             number("recovered %"),
                             number("epochs")});
    rg::report::Panel panel{
        .x = {.label = "wrong labels (%)"}, .y = {.label = "test accuracy (%)", .from = 0, .to = 100}, .height = 260};
    double beside = -1.2;  // intervals lie beside each other, not over one another
    for (const Arm& arm : {Arm{"uniform"}, Arm{"uniform", 1, 0, true}, Arm{"pair"}, Arm{"pair", 1, 0, true}}) {
      rg::report::Lines line{.name = arm.noise + (arm.early ? ", stopped early" : "")};
      line.style.colour = arm.noise == "pair" ? rg::report::colour::vermillion : rg::report::colour::blue;
      line.style.dash = arm.early ? rg::report::Dash::dashed : rg::report::Dash::solid;
      rg::report::ErrorBars intervals{.name = line.name, .style = {.colour = line.style.colour}};
      for (const int wrong : settings_.wrong) {
        const auto& columns = rows[arm.row(wrong)];
        const rg::Interval test = rg::mean_interval(columns[0]);
        const auto mean = [&](std::size_t i) { return rg::mean_interval(columns[i]).mean; };
        table.add({arm.noise, arm.stopping(), wrong, test, mean(1), mean(2), mean(3)});
        for (auto* const x : {&line.x, &intervals.x}) {
          x->push_back(wrong + beside);
        }
        line.y.push_back(test.mean);
        intervals.y.push_back(test);
      }
      panel.series.insert(panel.series.end(), {line, intervals});
      beside += 0.8;
    }
    table.note(
        "Means of the seeds, with Student-t 95 % intervals. Fit: of the given labels. Recovered: wrongly labelled");
    table.note("images that the network takes for what they are.");
    const std::string text = rg::report::terminal(table);
    ex::write_file(settings_.out + "/table.txt", text);
    ex::write_file(settings_.out + "/corruption.svg",
                   rg::report::svg({.title = "Test accuracy and wrong labels",
                                    .caption = "Means of the seeds, with Student-t 95 % intervals.",
                                    .panels = {panel},
                                    .width = 560}));
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
