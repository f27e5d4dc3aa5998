#include "toy.hpp"

#include <torch/torch.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <regimen/base/error.hpp>
#include <regimen/experiment/job.hpp>
#include <regimen/regimen.hpp>
#include <regimen/report.hpp>

#include "kit/format.hpp"
#include "kit/page.hpp"
#include "kit/pictures.hpp"
#include "kit/plane_network.hpp"

namespace ex = regimen::experiment;
namespace rg = regimen;

namespace {

constexpr kit::Plane toy_plane{.columns = 200, .rows = 200, .left = -0.9, .right = 1.3, .bottom = -0.4, .top = 0.8};

/// One training, and what came of it. It begins at random weights, or where the one that memorizes ended before it.
struct ToyArm {
  std::string title;
  rg::Source data;
  int epochs = 0;
  double rate = 0, momentum = 0, decay = 0;
  std::uint64_t seed_offset = 0;
  bool memorizes = false;
  std::string job{};
  double fit = 0, test = 0;              ///< accuracies, in [0, 1]
  double path_norm = 0, grid_error = 0;  ///< grid_error: share of the grid on the wrong side of the best boundary
};

/// The results of one seed.
struct ToyRun {
  std::uint64_t seed = 0;
  double memorized_fit = 0;    ///< share of the random labels
  std::vector<ToyArm> arms{};  ///< on true labels
  std::vector<rg::report::Panel> boundaries{};
  std::vector<std::string> jobs{};
};

/// The trainings in their order. Rates and decay are for the mean of the loss over a batch of 10; the authors' are for
/// its sum, which is the same training at a tenth of the rate and ten times the decay.
std::vector<ToyArm> arms_of(const rg::Source& train, std::uint64_t seed, bool paper) {
  const rg::Source random_labels = rg::frozen(train, rg::UniformLabels{.classes = 2}, seed);
  const rg::Source jittered = rg::frozen(rg::repeat(train, 3), kit::jitter_copies, seed);  // the authors' augmentation
  return {{"random init, vanilla SGD", train, 1000, 0.01, 0, 0, 1},
          {"memorize", random_labels, paper ? 100'000 : 12'000, paper ? 0.03 : 0.1, 0, 0, 2, /*memorizes=*/true},
          {"adversarial init, vanilla SGD", train, paper ? 10'000 : 2'000, 0.03, 0, 0, 3},
          {"adversarial init, l2", train, 1000, 0.1, 0, 0.01, 4},
          {"adversarial init, all three", jittered, 1000, 0.1, 0.9, 0.01, 5}};
}

rg::Phase phase_of(const ToyArm& arm, torch::optim::SGD& sgd, std::uint64_t seed, bool paper) {
  rg::Phase phase{.name = arm.title, .data = arm.data, .optimizer = sgd, .epochs = arm.epochs, .batch = 10};
  phase.loss = rg::BinaryCrossEntropy{};
  phase.seed = 1000 * seed + arm.seed_offset;
  if (arm.memorizes) {
    // The authors wait for 10,000 epochs without gain: a hundred scorings.
    phase.lr_scale = rg::PlateauDecay{.factor = 0.3, .patience = 100, .metric = rg::Metric::fit_accuracy, .by = 0};
    phase.until = paper ? rg::Stop{} : rg::Stop{rg::FitReaches{.accuracy = 1, .hold = 3}};
  }
  return phase;
}

ToyRun train_toy(const Settings& settings, const ex::Task& task, std::uint64_t seed) {
  const rg::Batch train = rg::two_clusters(50, 2 * seed);
  const rg::Scoring scoring{.clean = train, .test = rg::two_clusters(50, 2 * seed + 1), .every = 100};
  std::vector<ToyArm> arms = arms_of(train, seed, settings.paper);
  ToyRun run{.seed = seed};
  ex::Chain expected;
  for (ToyArm& arm : arms) {
    arm.job = ex::file_name("toy-seed" + std::to_string(seed) + "-" + arm.title);
    run.jobs.push_back(arm.job);
    expected.push_back({arm.job, arm.title, static_cast<double>(*arm.data.size() * arm.epochs)});  // in samples
  }
  ex::Jobs jobs(settings.out, task, ex::TimeLeft({expected}, 1, /*in_seconds=*/false));

  torch::manual_seed(seed);
  torch::nn::Sequential net = kit::plane_network(100);
  rg::Snapshot start(net);
  for (ToyArm& arm : arms) {
    start.restore();
    const auto options = torch::optim::SGDOptions(arm.rate).momentum(arm.momentum).weight_decay(arm.decay);
    torch::optim::SGD sgd(net->parameters(), options);
    const rg::Epoch last = jobs.run({arm.job, {phase_of(arm, sgd, seed, settings.paper)}, scoring}, net, sgd).back();
    if (arm.memorizes) {
      run.memorized_fit = last.fit.accuracy;
      start = rg::Snapshot(net);
      continue;
    }
    const std::vector<double> logits = kit::logits_on(toy_plane, net);
    arm.fit = last.clean.accuracy;
    arm.test = last.test.accuracy;
    arm.path_norm = rg::path_norm(net, {2});
    arm.grid_error = kit::share_on_wrong_side(toy_plane, logits, kit::right_of(rg::two_clusters_boundary));
    run.arms.push_back(arm);
    run.boundaries.push_back(
        kit::boundary_panel(arm.title, toy_plane, logits, kit::points_by_class(train, "left class", "right class")));
  }
  return run;
}

/// The answer in one sentence: path norms and grid errors of the first seed. An error of any seed comes first.
std::string answer(const std::vector<ToyRun>& runs) {
  for (const ToyRun& run : runs) {
    if (run.memorized_fit < 0.95) {
      return "The random labels were not fitted: the starting point is no adversarial one. --paper has more epochs.\n";
    }
    if (std::any_of(run.arms.begin(), run.arms.end(), [](const ToyArm& arm) { return arm.fit < 1; })) {
      return "Not every arm fits all its training labels: the arms cannot be compared.\n";
    }
  }
  const std::vector<ToyArm>& arms = runs.front().arms;
  return kit::format(
      "Every arm fits all its training labels. From random labels vanilla SGD keeps a path norm %.0f times that of "
      "the random start, and %.0f times its grid error; with l2 it is %.1f times, with all three %.1f times.\n",
      arms[1].path_norm / arms[0].path_norm, arms[1].grid_error / arms[0].grid_error,
      arms[2].path_norm / arms[0].path_norm, arms[3].path_norm / arms[0].path_norm);
}

rg::report::Table table_of(const std::vector<ToyRun>& runs) {
  using rg::report::Kind;
  rg::report::Table table({{.name = "seed", .kind = Kind::whole, .align = rg::report::Align::left, .width = 6},
                           {.key = "arm", .width = 48},
                           {.name = "train %", .kind = Kind::number, .digits = 1, .width = 8},
                           {.name = "test %", .kind = Kind::number, .digits = 1, .width = 8},
                           {.name = "path norm", .kind = Kind::number, .width = 10},
                           {.name = "grid error", .kind = Kind::number, .digits = 4, .width = 10}});
  for (const ToyRun& run : runs) {
    for (const ToyArm& arm : run.arms) {
      table.add({run.seed, arm.title, 100 * arm.fit, 100 * arm.test, arm.path_norm, arm.grid_error});
    }
    const rg::report::Missing none{""};
    table.add(
        {run.seed, kit::format("random labels: %.0f %% fitted", 100 * run.memorized_fit), none, none, none, none});
  }
  return table.note("Grid error: share of a " + toy_plane.text() + " that disagrees with the best boundary, x = 0.2.");
}

void write_csv(const std::vector<ToyRun>& runs, const Settings& settings) {
  std::string csv = "seed,arm,train_accuracy,test_accuracy,path_norm,grid_error,random_labels_fitted\n";
  for (const ToyRun& run : runs) {
    for (const ToyArm& arm : run.arms) {
      csv += std::to_string(run.seed) + kit::format(",\"%s\",%g,%g,%g,%g,%g\n", arm.title.c_str(), arm.fit, arm.test,
                                                    arm.path_norm, arm.grid_error, run.memorized_fit);
    }
  }
  ex::write_file(settings.out + "/toy.csv", csv);
}

}  // namespace

void run_toy(const Settings& settings, const ex::Task& task) {
  ex::ResultsFolder folder(kit::contents_of(settings, result_names), task);
  folder.open();
  std::vector<ToyRun> runs;
  std::vector<std::string> jobs;
  for (int i = 0; i < settings.seeds; ++i) {
    runs.push_back(train_toy(settings, task, settings.first_seed + static_cast<std::uint64_t>(i)));
    jobs.insert(jobs.end(), runs.back().jobs.begin(), runs.back().jobs.end());
  }
  ex::write_manifest(settings.out, rg::manifest(settings), jobs);
  kit::Page page(settings.out, "Bad global minima of a toy");
  page.say(answer(runs));
  page.draw(kit::side_by_side(runs.front().boundaries, "Decision boundaries of the toy from both starts."),
            "boundaries", "Decision boundaries");
  const rg::report::Table table = table_of(runs);
  page.add(table, "All arms");
  page.write();
  write_csv(runs, settings);
  kit::show_text("\n" + rg::report::terminal(table, {.gap = 1}) + answer(runs), settings.out, "toy.csv, manifest.json");
  folder.note_complete(true);
}

void check_toy_options(const CLI::App& app, const kit::Machine& machine) {
  if (machine.device == "cuda" || machine.precision == "bf16") {
    throw ex::UsageError("--data toy trains in fp32 on the CPU: leave out --device cuda and --precision bf16");
  }
  const std::vector<std::string> known{"help",   "data",      "out",     "seeds",  "first-seed", "paper",
                                       "device", "precision", "threads", "resume", "quiet"};
  for (const CLI::Option* const option : app.get_options()) {
    const std::string name = option->get_lnames().empty() ? "" : option->get_lnames().front();
    if (option->count() > 0 && std::find(known.begin(), known.end(), name) == known.end()) {
      throw ex::UsageError("--data toy has no --" + name + ": its network, its data and its arms are given");
    }
  }
}
