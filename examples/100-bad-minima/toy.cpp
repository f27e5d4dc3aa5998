#include "toy.hpp"

#include <torch/torch.h>

#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include <regimen/experiment/folder.hpp>
#include <regimen/experiment/job.hpp>
#include <regimen/regimen.hpp>

#include "files.hpp"
#include "pictures.hpp"
#include "results_folder.hpp"

namespace ex = regimen::experiment;
namespace rg = regimen;

namespace {

/// The paper's toy network: 2-100-100-1 with ReLU, 10,501 parameters, a logit at the end.
torch::nn::Sequential toy_network() {
  return torch::nn::Sequential(torch::nn::Linear(2, 100), torch::nn::ReLU(), torch::nn::Linear(100, 100),
                               torch::nn::ReLU(), torch::nn::Linear(100, 1));
}

/// Normal noise of 0.1 on every copy but the first, which is the point itself: the authors' augmentation of the toy,
/// drawn once and kept.
rg::Batch jitter_copies(const rg::Batch& batch, const rg::Key& key) {
  const torch::Tensor is_copy = (batch.id != batch.origin).to(torch::kFloat).unsqueeze(1);
  rg::Batch result = batch;
  result.data = batch.data + 0.1 * is_copy * key.normal({2});
  return result;
}

/// The recipe of one run. Rates and decay are for the mean of the loss over a batch of 10; the authors' are for its
/// sum, which is the same training at a tenth of the rate and ten times the decay.
struct ToyRecipe {
  int random_epochs = 1000;
  double random_rate = 0.01;
  int memorize_epochs = 0;
  double memorize_rate = 0;
  int fine_tune_epochs = 0;
  double fine_tune_rate = 0.03;
  int escape_epochs = 1000;
  double escape_rate = 0.1;
  int score_every = 0;  ///< epochs
};

ToyRecipe recipe_of(const Settings& settings) {
  if (settings.paper) {
    return {.memorize_epochs = 100'000, .memorize_rate = 0.03, .fine_tune_epochs = 10'000, .score_every = 100};
  }
  return {.memorize_epochs = 12'000, .memorize_rate = 0.1, .fine_tune_epochs = 2'000, .score_every = 100};
}

// The trainings on true labels.
const char* const random_vanilla = "random init, vanilla SGD";
const char* const adversarial_vanilla = "adversarial init, vanilla SGD";
const char* const adversarial_l2 = "adversarial init, l2";
const char* const adversarial_all = "adversarial init, all three";

/// One row of the toy's table.
struct ToyArm {
  std::string title;
  double fit = 0;
  double test = 0;
  double path_norm = 0;
  double grid_error = 0;  ///< share of the grid on the wrong side of the best possible boundary
};

class Toy {
 public:
  Toy(const Settings& settings, const Task& task, std::uint64_t seed)
      : settings_(settings),
        seed_(seed),
        recipe_(recipe_of(settings)),
        train_(rg::two_clusters(50, 2 * seed)),
        test_(rg::two_clusters(50, 2 * seed + 1)),
        jobs_(settings.out, task, ex::TimeLeft({expected_jobs()}, 1, /*in_seconds=*/false)) {
    torch::manual_seed(seed);
    net_ = toy_network();
    picture_ = {.columns = 200, .rows = 200, .left = -0.9, .right = 1.3, .bottom = -0.4, .top = 0.8};
    for (std::int64_t i = 0; i < train_.size(); ++i) {
      picture_.points.push_back(
          {train_.data[i][0].item<double>(), train_.data[i][1].item<double>(), train_.target[i].item<double>()});
    }
  }

  void run() {
    const rg::Source train(train_);
    const rg::Snapshot random(net_);

    train_arm(random_vanilla, train, recipe_.random_rate, recipe_.random_epochs, 0, 0, 1);

    random.restore();
    memorized_fit = memorize(rg::frozen(train, rg::UniformLabels{.classes = 2}, seed_));
    const rg::Snapshot adversarial(net_);

    train_arm(adversarial_vanilla, train, recipe_.fine_tune_rate, recipe_.fine_tune_epochs, 0, 0, 3);

    adversarial.restore();
    train_arm(adversarial_l2, train, recipe_.escape_rate, recipe_.escape_epochs, 0, 0.01, 4);

    adversarial.restore();
    const rg::Source jittered = rg::frozen(rg::repeat(train, 3), jitter_copies, seed_);
    train_arm(adversarial_all, jittered, recipe_.escape_rate, recipe_.escape_epochs, 0.9, 0.01, 5);
  }

  [[nodiscard]] const ToyPicture& picture() const { return picture_; }

  std::vector<ToyArm> arms{};
  std::vector<std::string> finished{};  ///< the names of its trainings
  double memorized_fit = 0;

 private:
  [[nodiscard]] std::string job(const std::string& what) const {
    return file_name("toy-seed" + std::to_string(seed_) + "-" + what);
  }

  /// What the five trainings cost, in samples.
  [[nodiscard]] ex::Chain expected_jobs() const {
    ex::Chain jobs;
    const auto add = [&](const std::string& what, double epochs) { jobs.push_back({job(what), what, 100 * epochs}); };
    add(random_vanilla, recipe_.random_epochs);
    add("memorize", recipe_.memorize_epochs);
    add(adversarial_vanilla, recipe_.fine_tune_epochs);
    add(adversarial_l2, recipe_.escape_epochs);
    add(adversarial_all, 3.0 * recipe_.escape_epochs);
    return jobs;
  }

  [[nodiscard]] rg::Phase phase(const std::string& name, const rg::Source& data, torch::optim::SGD& optimizer,
                                int epochs, int arm) const {
    return {.name = name,
            .data = data,
            .optimizer = optimizer,
            .epochs = epochs,
            .batch = 10,
            .loss = rg::BinaryCrossEntropy{},
            .seed = 1000 * seed_ + static_cast<std::uint64_t>(arm)};
  }

  [[nodiscard]] rg::Scoring scoring() const { return {.clean = train_, .test = test_, .every = recipe_.score_every}; }

  rg::History run(const std::string& what, torch::optim::SGD& sgd, const rg::Phase& phase) {
    finished.push_back(job(what));
    return jobs_.run({.name = finished.back(), .phases = {phase}, .scoring = scoring()}, net_, sgd);
  }

  double memorize(const rg::Source& confusion) {
    torch::optim::SGD sgd(net_->parameters(), torch::optim::SGDOptions(recipe_.memorize_rate));
    rg::Phase memorize = phase("memorize", confusion, sgd, recipe_.memorize_epochs, 2);
    // As the authors have it: 10,000 epochs without gain, here a hundred scorings.
    memorize.lr_scale = rg::PlateauDecay{
        .factor = 0.3, .patience = 10'000 / recipe_.score_every, .metric = rg::Metric::fit_accuracy, .by = 0};
    if (!settings_.paper) {
      memorize.until = rg::FitReaches{.accuracy = 1, .hold = 3};
    }
    return run("memorize", sgd, memorize).back().fit.accuracy;
  }

  void train_arm(const std::string& title, const rg::Source& data, double rate, int epochs, double momentum,
                 double decay, int arm) {
    torch::optim::SGD sgd(net_->parameters(), torch::optim::SGDOptions(rate).momentum(momentum).weight_decay(decay));
    const rg::Phase train = phase(title, data, sgd, epochs, arm);
    const rg::Epoch last = run(title, sgd, train).back();
    const auto logits = logits_on_grid();
    arms.push_back({title, last.clean.accuracy, last.test.accuracy, rg::path_norm(net_, {2}), grid_error(logits)});
    picture_.boundaries.push_back({title, logits});
  }

  [[nodiscard]] double x_of(int column) const {
    return picture_.left + (picture_.right - picture_.left) * (column + 0.5) / picture_.columns;
  }

  [[nodiscard]] double y_of(int row) const {
    return picture_.bottom + (picture_.top - picture_.bottom) * (row + 0.5) / picture_.rows;
  }

  std::vector<double> logits_on_grid() {
    const torch::NoGradGuard no_grad;
    torch::Tensor points = torch::empty({picture_.rows * picture_.columns, 2});
    auto at_point = points.accessor<float, 2>();
    for (int row = 0; row < picture_.rows; ++row) {
      for (int column = 0; column < picture_.columns; ++column) {
        at_point[row * picture_.columns + column][0] = static_cast<float>(x_of(column));
        at_point[row * picture_.columns + column][1] = static_cast<float>(y_of(row));
      }
    }
    const torch::Tensor logits = net_->forward(points).flatten().to(torch::kDouble).contiguous();
    return {logits.data_ptr<double>(), logits.data_ptr<double>() + logits.numel()};
  }

  [[nodiscard]] double grid_error(const std::vector<double>& logits) const {
    int wrong = 0;
    for (int row = 0; row < picture_.rows; ++row) {
      for (int column = 0; column < picture_.columns; ++column) {
        const bool said = logits[static_cast<std::size_t>(row * picture_.columns + column)] > 0;
        wrong += said != (x_of(column) > rg::two_clusters_boundary) ? 1 : 0;
      }
    }
    return static_cast<double>(wrong) / static_cast<double>(logits.size());
  }

  const Settings& settings_;
  std::uint64_t seed_;
  ToyRecipe recipe_;
  rg::Batch train_;
  rg::Batch test_;
  ex::Jobs jobs_;
  torch::nn::Sequential net_{nullptr};
  ToyPicture picture_;
};

/// In one sentence, from the first seed.
std::string answer(const std::vector<std::pair<std::uint64_t, Toy*>>& toys) {
  constexpr double fitted = 0.95;
  for (const auto& [seed, toy] : toys) {
    if (toy->memorized_fit < fitted) {
      return "The random labels were not fitted: the starting point is no adversarial one. --paper has more epochs.\n";
    }
    for (const ToyArm& arm : toy->arms) {
      if (arm.fit < 1) {
        return "Not every arm fits all its training labels: the arms cannot be compared.\n";
      }
    }
  }
  const auto& arms = toys.front().second->arms;
  char line[256];
  std::snprintf(
      line, sizeof line,
      "Every arm fits all its training labels. From random labels vanilla SGD keeps a path norm %.0f times that of "
      "the random start, and %.0f times its grid error; with l2 it is %.1f times, with all three %.1f times.\n",
      arms[1].path_norm / arms[0].path_norm, arms[1].grid_error / arms[0].grid_error,
      arms[2].path_norm / arms[0].path_norm, arms[3].path_norm / arms[0].path_norm);
  return line;
}

void report(const std::vector<std::pair<std::uint64_t, Toy*>>& toys, const Settings& settings) {
  std::string text;
  char line[256];
  std::ostringstream csv;
  csv << "seed,arm,train_accuracy,test_accuracy,path_norm,grid_error,random_labels_fitted\n";
  std::snprintf(line, sizeof line, "\n%-6s %-48s %8s %8s %10s %10s\n", "seed", "", "train %", "test %", "path norm",
                "grid error");
  text += line;
  for (const auto& [seed, toy] : toys) {
    for (const ToyArm& arm : toy->arms) {
      std::snprintf(line, sizeof line, "%-6llu %-48s %8.1f %8.1f %10.2f %10.4f\n",
                    static_cast<unsigned long long>(seed), arm.title.c_str(), 100 * arm.fit, 100 * arm.test,
                    arm.path_norm, arm.grid_error);
      text += line;
      csv << seed << ",\"" << arm.title << "\"," << arm.fit << "," << arm.test << "," << arm.path_norm << ","
          << arm.grid_error << "," << toy->memorized_fit << "\n";
    }
    std::snprintf(line, sizeof line, "%-6llu random labels: %.0f %% fitted\n", static_cast<unsigned long long>(seed),
                  100 * toy->memorized_fit);
    text += line;
  }
  text +=
      "\nGrid error: share of a 200 x 200 grid on [-0.9, 1.3] x [-0.4, 0.8] that disagrees with the best boundary, x = "
      "0.2.\n";
  text += answer(toys);
  write_file(settings.out + "/toy.csv", csv.str());
  write_file(settings.out + "/table.txt", text);
  std::printf("%s", text.c_str());
}

}  // namespace

void run_toy(const Settings& settings, const Task& task) {
  ex::ResultsFolder folder(contents_of(settings), task);
  folder.open();
  std::vector<Toy> toys;
  toys.reserve(static_cast<std::size_t>(settings.seeds));
  std::vector<std::pair<std::uint64_t, Toy*>> by_seed;
  for (int i = 0; i < settings.seeds; ++i) {
    const std::uint64_t seed = settings.first_seed + static_cast<std::uint64_t>(i);
    toys.emplace_back(settings, task, seed);
    toys.back().run();
    by_seed.emplace_back(seed, &toys.back());
  }
  report(by_seed, settings);
  draw_boundaries(toys.front().picture(), settings);

  std::vector<std::string> jobs;
  for (const Toy& toy : toys) {
    jobs.insert(jobs.end(), toy.finished.begin(), toy.finished.end());
  }
  ex::write_manifest(settings.out, rg::manifest(settings), jobs);
  finish_pictures(settings);
  folder.note_complete(true);
}
