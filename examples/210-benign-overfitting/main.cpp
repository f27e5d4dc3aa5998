// Benign overfitting (Bartlett, Montanari and Rakhlin 2021): gradient descent picks the interpolator of the smallest
// norm, whether that is harmless is the spectrum's affair, and wide networks do the same. Under two minutes on two CPU
// cores.

#include <algorithm>
#include <string>
#include <vector>

#include "kit/check_once.hpp"
#include "kit/checked.hpp"
#include "kit/main.hpp"
#include "kit/numbers_experiment.hpp"
#include "numbers.hpp"
#include "settings.hpp"
#include "table.hpp"

namespace ex = regimen::experiment;

namespace {

using Options = kit::CheckedOptions<BenignSettings>;

class BenignOverfitting : public kit::Checked<kit::NumbersExperiment<BenignSettings>> {
 public:
  explicit BenignOverfitting(const BenignSettings& s) : Checked(s, {"table.txt", "pictures"}) {}

  [[nodiscard]] ex::Plan plan(const ex::Paces& /*paces*/) const override {
    ex::Plan plan;
    for (const Cell& cell : cells_of(settings())) {
      const std::string name = cell.unit();
      auto unit = std::find_if(plan.begin(), plan.end(), [&](const ex::Unit& each) { return each.name == name; });
      unit = unit == plan.end() ? plan.insert(unit, {.name = name}) : unit;
      if (cell.part == "lazy") {
        const Cell train{"train", cell.at, cell.seed};
        const std::string job = cell.job() + "-train";
        unit->jobs.push_back({.name = job, .kind = "train", .cost = cell.at / 2000.0, .factors = train.factors()});
      }
      unit->jobs.push_back({.name = cell.job(), .kind = cell.part, .cost = 0.1, .factors = cell.factors()});
    }
    return plan;
  }

  void train(const std::string& unit, ex::Jobs& jobs) override {
    for (const Cell& cell : cells_of(settings())) {
      if (cell.unit() == unit && cell.part == "lazy") {
        lazy_jobs(cell, settings().activation, jobs);
      } else if (cell.unit() == unit) {
        (void)jobs.compute(cell.job(), [&] {
          return cell.part == "start"   ? start_numbers(cell)
                 : cell.part == "ratio" ? ratio_numbers(cell, settings().draws)
                 : cell.part == "tail"  ? tail_numbers(cell)
                                        : spectrum_numbers(cell);
        });
      }
    }
  }

  kit::Claims told(const ex::Results& results) override { return show_results(results, settings()); }
};

Options read_options(int argc, char** argv) {
  Options options;
  BenignSettings& s = options.settings;
  CLI::App app("Minimum norm interpolation, benign and malignant, and the lazy regime.");
  kit::take_last(app);
  kit::add_numbers(app, s);
  const kit::OptionGroup add{app};
  add("--seeds", s.seeds, kit::at_least_1(), "number of seeds of the linear parts");
  add("--draws", s.draws, CLI::Range(2, 999), "designs for each seed and ratio");
  add("--lazy-seeds", s.lazy_seeds, kit::at_least_1(), "number of seeds of the networks");
  const auto list = [&app](const char* name, std::vector<int>& values, int from, int to, const char* what) {
    kit::add_list(app, name, values, what)->check(CLI::Range(from, to));
  };
  list("--starts", s.starts, 0, 10000, "norms of w_0, in percent");
  list("--ratios", s.ratios, 1, 10000, "features for 100 samples, other than 99 to 101");
  list("--sizes", s.sizes, 25, 1000, "samples n, of n^2 / 5 features");
  list("--tails", s.tails, 200, 100000, "features of the interpolator of two parts");
  list("--widths", s.widths, 2, 100000, "hidden units, even numbers");
  app.add_option("--activation", s.activation, "of the networks: relu, softplus or tanh")
      ->check(CLI::IsMember({"relu", "softplus", "tanh"}))
      ->capture_default_str();
  kit::add_checked_task(app, options);
  kit::parse(app, argc, argv, options.task);
  return options;
}

void run(Options& options) {
  BenignSettings& s = options.settings;
  for (const Part& part : parts_of(s)) {
    kit::check_once("the numbers of the part \"" + part.name + "\" must be given", part.varied);
  }
  for (const int ratio : s.ratios) {
    if (ratio >= 99 && ratio <= 101) {
      throw ex::UsageError("--ratios must not be within 1 of 100, where the risk has no mean, but one is " +
                           std::to_string(ratio));
    }
  }
  for (const int width : s.widths) {
    if (width % 2 != 0) {
      throw ex::UsageError("--widths must be even, for half of the units begin as the other half, but one is " +
                           std::to_string(width));
    }
  }
  const ex::Conduct how = kit::settle(s, s.seeds + s.lazy_seeds, options.task);
  BenignOverfitting experiment(s);
  kit::conduct_checked(experiment, options.task, how, options.check);
}

}  // namespace

int main(int argc, char** argv) {
  return kit::run_program("benign_overfitting", argc, argv, read_options, run);
}
