// What wrong labels do to a network, and what early stopping saves: test accuracy, fit and recovered labels against the
// share of wrong labels, drawn uniformly or by a flip to the next class. Minutes on two CPU cores.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <regimen/regimen.hpp>
#include <regimen/report.hpp>

#include "kit/check_once.hpp"
#include "kit/format.hpp"
#include "kit/image_experiment.hpp"
#include "kit/image_options.hpp"
#include "kit/main.hpp"
#include "kit/options.hpp"
#include "kit/page.hpp"
#include "kit/pictures.hpp"
#include "kit/tiles.hpp"

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

inline kit::Sizes sizes_of(CorruptionSettings& s) {
  return {.seeds = &s.seeds, .images = &s.images, .batch = s.batch, .ends_by_itself = true};
}

namespace {

using Options = kit::Options<CorruptionSettings>;

/// One network: which noise, how much of it, and whether it is stopped early.
struct Arm {
  std::string noise;  ///< uniform or pair
  int seed = 1;
  int wrong = 0;  ///< percent
  bool early = false;
  [[nodiscard]] std::string unit() const { return noise + "-seed" + std::to_string(seed); }
  [[nodiscard]] std::string stopping() const { return early ? "early" : "whole"; }
  [[nodiscard]] std::string job() const { return unit() + "-" + std::to_string(wrong) + "-" + stopping(); }

  /// Without wrong labels there is one kind of noise.
  [[nodiscard]] ex::Factors factors() const {
    return {{"noise", wrong > 0 ? noise : "none"}, {"wrong", std::to_string(wrong)}, {"stopping", stopping()}};
  }
};

std::vector<Arm> arms_of(const CorruptionSettings& s) {
  std::vector<Arm> arms;
  for (int seed = 1; seed <= s.seeds; ++seed) {
    for (const std::string noise : {"uniform", "pair"}) {
      for (const int wrong : s.wrong) {
        if (wrong > 0 || noise == "uniform") {
          arms.push_back({noise, seed, wrong, false});
          arms.push_back({noise, seed, wrong, true});
        }
      }
    }
  }
  return arms;
}

class Corruption : public kit::ImageExperiment<CorruptionSettings> {
 public:
  Corruption(const CorruptionSettings& s, const ex::Task& task)
      : ImageExperiment(s, {.networks = {s.model}, .batch = s.batch, .task = task},
                        {"table.txt", "corruption.svg", "pictures"}) {}

  [[nodiscard]] ex::Plan plan(const ex::Paces& paces) const override {
    const auto n = static_cast<double>(settings().images), test = static_cast<double>(counts().test);
    ex::Plan plan;
    for (const Arm& arm : arms_of(settings())) {
      if (plan.empty() || plan.back().name != arm.unit()) {
        plan.push_back({.name = arm.unit()});
      }
      const double epochs = settings().epochs * (arm.early ? 0.3 : 1.0);  // where early stopping was seen to stop
      const ex::Length length{.epochs = epochs,
                              .images = n,
                              .each_point = 2.2 * n,
                              .every = arm.early ? 1.0 : settings().epochs,
                              .at_end = test};
      ex::Factors factors = arm.factors();
      factors.emplace_back("seed", std::to_string(arm.seed));
      plan.back().jobs.push_back({.name = arm.job(),
                                  .kind = arm.stopping(),
                                  .cost = ex::cost(ex::shown(length), settings().model, paces),
                                  .factors = factors,
                                  .scored = true});
    }
    return plan;
  }

  void train(const std::string& unit, ex::Jobs& jobs) override {
    for (const Arm& arm : arms_of(settings())) {
      if (arm.unit() == unit) {
        train(arm, jobs);
      }
    }
  }

  /// Prints the table and draws test accuracy.
  void show(const ex::Results& results) override {
    std::vector<rg::report::Column> columns{{.name = "labels"},
                                            {.name = "stopping"},
                                            {.name = "wrong %", .kind = rg::report::Kind::whole},
                                            {.name = "test %", .kind = rg::report::Kind::interval}};
    for (const char* const name : {"fit %", "recovered %", "epochs"}) {
      columns.push_back({.name = name, .kind = rg::report::Kind::number});
    }
    rg::report::Table table(columns);
    rg::report::Panel panel{
        .x = {.label = "wrong labels (%)"}, .y = {.label = "test accuracy (%)", .from = 0, .to = 100}, .height = 260};
    double beside = -1.2;  // intervals lie beside each other, not over one another
    for (Arm arm : {Arm{"uniform"}, Arm{"uniform", 1, 0, true}, Arm{"pair"}, Arm{"pair", 1, 0, true}}) {
      rg::report::Lines line{.name = arm.noise + (arm.early ? ", stopped early" : "")};
      line.style.colour = arm.noise == "pair" ? rg::report::colour::vermillion : rg::report::colour::blue;
      line.style.dash = arm.early ? rg::report::Dash::dashed : rg::report::Dash::solid;
      rg::report::ErrorBars intervals{.name = line.name, .style = {.colour = line.style.colour}};
      for (const int wrong : settings().wrong) {
        arm.wrong = wrong;
        const ex::OverSeeds seeds = ex::over_seeds(results.where(arm.factors()));
        if (wrong > 0 || arm.noise == "uniform") {  // without wrong labels there is one kind
          table.add({arm.factors()[0].second, arm.stopping(), wrong, seeds.accuracy_cell(), seeds.mean_fit(),
                     100 * seeds.mean_measure("recovered"), seeds.epochs});
        }
        line.x.push_back(wrong + beside);
        line.y.push_back(seeds.mean_accuracy.mean);
        intervals.y.push_back(seeds.mean_accuracy);
      }
      intervals.x = line.x;
      panel.series.insert(panel.series.end(), {line, intervals});
      beside += 0.8;
    }
    table.note(
        "Means of the seeds, with Student-t 95 % intervals. Fit: of the given labels. Recovered: wrongly labelled");
    table.note("images that the network takes for what they are.");
    const std::string text = rg::report::terminal(table);
    ex::write_file(settings().out + "/table.txt", text);
    const rg::report::Picture picture{.title = "Test accuracy and wrong labels",
                                      .caption = "Means of the seeds, with Student-t 95 % intervals.",
                                      .panels = {panel},
                                      .width = 560};
    ex::write_file(settings().out + "/corruption.svg", rg::report::svg(picture));
    kit::Page page(settings().out, "What wrong labels do, and what early stopping saves");
    page.section(picture.title).pictures = {picture};
    page.add(table, "All arms");
    page.show_file("forgotten", "What is forgotten most often",
                   "Training images with their labels, which stand out where they are wrong, and how often each was "
                   "forgotten: predicted as labelled at one step, and otherwise at the next that it was shown in.");
    page.write();
    std::printf("\n%s\n%zu networks. Everything: %s/results.csv, corruption.svg, manifest.json\n", text.c_str(),
                results.size(), settings().out.c_str());
  }

 private:
  void train(const Arm& arm, ex::Jobs& jobs) const {
    const auto seed = static_cast<std::uint64_t>(arm.seed);
    const rg::Source some = kit::some_of(images(), settings().images + settings().images / 5, seed);
    const rg::AnyTransform damage =
        arm.noise == "pair" ? rg::AnyTransform(rg::PairFlip{.classes = images().classes()})
                            : rg::AnyTransform(rg::UniformLabels{.classes = images().classes(), .exclude_true = true});
    const rg::Source noisy = rg::frozen(some, damage, seed, rg::exactly(arm.wrong / 100.0));
    const std::int64_t all = *some.size();
    const std::int64_t n = std::min(settings().images, all - all / 6);
    const rg::Source train = rg::limit(noisy, n);
    const rg::NoiseSplit parts = rg::split_by_noise(train, rg::limit(some, n));
    torch::manual_seed(seed);
    auto net = network(settings().model);
    execution().prepare(net);
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(settings().rate).momentum(0.9));
    rg::Phase training = phase(arm.stopping(), train, sgd, settings().epochs, seed);
    rg::Scoring scoring{.every = arm.early ? 1 : settings().epochs, .batch = evaluation().batch};
    scoring.measures["recovered"] = rg::AccuracyOn{parts.truth};
    if (arm.early) {
      scoring.validation = rg::subset(noisy, torch::arange(n, all));
      training.until = rg::Patience{.scorings = 3, .metric = rg::Metric::validation_loss};
    }
    ex::Job job{.name = arm.job(), .phases = {training}, .scoring = scoring, .score = test_score(net)};
    if (arm.job() != watched()) {
      jobs.run(job, net, sgd);
      return;
    }
    rg::ForgettingEvents forgetting(train);
    job.at_end = [&] { draw_forgotten(forgetting.events(), train, some); };
    jobs.run(job, net, sgd, forgetting);
  }

  /// The job whose forgotten images are drawn: most labels wrong, the first seed, not stopped early.
  [[nodiscard]] std::string watched() const {
    const int wrong = *std::max_element(settings().wrong.begin(), settings().wrong.end());
    return Arm{"uniform", 1, wrong, false}.job();
  }

  /// The twenty images that were forgotten most often, of equal ones the first.
  void draw_forgotten(const torch::Tensor& events, const rg::Source& train, const rg::Source& clean) const {
    const torch::Tensor most =
        std::get<1>(events.cpu().sort(/*stable=*/true, /*dim=*/0, /*descending=*/true)).slice(0, 0, 20);
    std::vector<rg::report::Tile> tiles = kit::row_of("", train.get(most), clean.get(most), images().names).tiles;
    for (std::size_t i = 0; i < tiles.size(); ++i) {
      tiles[i].text += kit::format(
          ", %lld", static_cast<long long>(events[most[static_cast<std::int64_t>(i)]].item<std::int64_t>()));
    }
    kit::write_picture({.panels = {rg::report::image_strip(std::move(tiles), "label, times forgotten", 5)}},
                       "forgotten", settings().out);
  }
};

Options read_options(int argc, char** argv) {
  Options options;
  CorruptionSettings& s = options.settings;
  CLI::App app("What wrong labels do to a network, and what early stopping saves.");
  kit::take_last(app);
  kit::add_images(app, s, "number of seeds");
  const kit::OptionGroup add{app};
  add("--epochs", s.epochs, kit::at_least_1(), "at most");
  add("--batch", s.batch, kit::at_least_1(), "images a step");
  add("--rate", s.rate, kit::at_least_0(), "learning rate");
  kit::add_list(app, "--wrong", s.wrong, "percent of the labels that are wrong")->check(CLI::Range(0, 100));
  kit::add_task(app, options.task, "fewer images, then fewer seeds, so that all of it takes about so long: 540, 9m");
  kit::add_from(app, options.task);
  kit::parse(app, argc, argv, options.task);
  return options;
}

void run(Options& options) {
  CorruptionSettings& s = options.settings;
  kit::check_once("--wrong must have each number", s.wrong);
  ex::Conduct how = kit::settle(s.machine, s.data, 2 * s.seeds, s.seeds, options.task);
  how.ends_by_itself = true;
  Corruption experiment(s, options.task);
  ex::conduct(experiment, options.task, how);
}

}  // namespace

int main(int argc, char** argv) {
  return kit::run_program("corruption", argc, argv, read_options, run);
}
