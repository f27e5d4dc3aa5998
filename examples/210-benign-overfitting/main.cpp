// Benign overfitting (Bartlett, Montanari and Rakhlin 2021): gradient descent picks the interpolator of the smallest norm,
// whether that is harmless is the spectrum's affair, and wide networks do the same. Under two minutes on two CPU cores.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <regimen/networks.hpp>
#include <regimen/regimen.hpp>

#include "kit/check_once.hpp"
#include "kit/main.hpp"
#include "kit/numbers_experiment.hpp"
#include "settings.hpp"
#include "table.hpp"

namespace ex = regimen::experiment;
namespace rg = regimen;

namespace {

struct Options : kit::Options<BenignSettings> {
  bool check = false;
};

/// theta of norm 1 on the first `head` of p features.
at::Tensor truth(std::int64_t p, std::int64_t head) {
  return at::cat({at::ones({head}), at::zeros({p - head})}).to(at::kDouble) / std::sqrt(static_cast<double>(head));
}

double over(const at::Tensor& part, const at::Tensor& whole) {
  return (part.norm() / whole.norm()).item<double>();
}

double mean_square(const at::Tensor& values) {
  return values.square().mean().item<double>();
}

/// Gradient descent from w_0, on 50 samples of 200 features, against its limit.
rg::Numbers from_start(const Cell& cell) {
  const rg::GaussianFeatures data{.spectrum = std::vector<double>(200, 1.0), .theta = truth(200, 200), .noise = 0.5};
  Cell same = cell;
  same.at = 0;  // all starts of a seed share their data
  const rg::Batch train = data.sample(50, same.seed_of());
  const at::Tensor w_0 =
      rg::Key(same.seed_of(1), at::arange(200, at::kLong)).normal().to(at::kDouble) * (cell.at / 100.0 / std::sqrt(200.0));
  const rg::Descent descent = rg::least_squares_descent(train.data, train.target, w_0);
  const auto null_part = [&](const at::Tensor& w) {
    return w - rg::minimum_norm_solution(train.data, train.data.matmul(w));
  };
  const at::Tensor least = rg::minimum_norm_solution(train.data, train.target);
  return {{"off_limit", over(descent.w - least - null_part(w_0), least)},
          {"steps", static_cast<double>(descent.steps)},
          {"condition", descent.condition},
          {"train_error", mean_square(train.data.matmul(descent.w) - train.target)},
          {"norm", descent.w.norm().item<double>()},
          {"null_norm", null_part(descent.w).norm().item<double>()},
          {"null_norm_0", null_part(w_0).norm().item<double>()},
          {"risk", data.excess_risk(descent.w)}};
}

/// The risk of the minimum norm solution on 100 samples of standard normal features, against the law.
rg::Numbers double_descent(const Cell& cell, int draws) {
  const rg::GaussianFeatures data{.spectrum = std::vector<double>(static_cast<std::size_t>(cell.at), 1.0),
                                  .theta = truth(cell.at, cell.at), .noise = 1};
  const double law = rg::isotropic_ridgeless_risk(100, cell.at).total();
  std::vector<double> risks, expected;
  for (int draw = 0; draw < draws; ++draw) {
    const rg::Batch train = data.sample(100, cell.seed_of(draw));
    risks.push_back(data.excess_risk(rg::minimum_norm_solution(train.data, train.target)));
    expected.push_back(rg::minimum_norm_risk(train.data, data.variances(), data.theta).total());
  }
  return {{"risk", rg::mean_interval(risks).mean},
          {"z", rg::z_score(risks, law)},
          {"risk_over_noise", rg::mean_interval(expected).mean},
          {"z_over_noise", rg::z_score(expected, law)}};
}

/// Bias and variance of the minimum norm solution on a benign or a malignant spectrum.
rg::Numbers spectrum_risk(const Cell& cell) {
  const rg::GaussianFeatures data{.spectrum = spectrum_of(cell)};
  const at::Tensor x = data.sample(cell.at, cell.seed_of()).data;
  const rg::RidgelessRisk risk = rg::minimum_norm_risk(x, data.variances(), truth(data.features(), 5));
  return {{"bias", risk.bias}, {"variance", risk.variance}};
}

/// The two parts of an interpolator of 100 samples: 5 features of variance 1, and a tail of total variance 20.
rg::Numbers two_parts(const Cell& cell) {
  const double tail = 20;
  const rg::GaussianFeatures data{.spectrum = rg::spiked_spectrum(5, static_cast<std::size_t>(cell.at), tail),
                                  .theta = truth(cell.at, 5), .noise = 0.5};
  const rg::Batch train = data.sample(100, cell.seed_of());
  const rg::SimpleAndSpiky f(rg::minimum_norm_solution(train.data, train.target), 5);
  const at::Tensor variances = data.variances(), clean = train.data.matmul(data.theta);
  const at::Tensor ridge = rg::ridge_solution(train.data.narrow(1, 0, 5), train.target, tail);
  // New points: the mean square of x . v is the sum of v^2 times the variances.
  const double simple = (f.simple_weights() - data.theta.narrow(0, 0, 5)).square().sum().item<double>();
  const double spiky = (f.spiky_weights().square() * variances.narrow(0, 5, cell.at - 5)).sum().item<double>();
  return {{"train_error", mean_square(f(train.data) - train.target)},
          {"train_simple", mean_square(f.simple(train.data) - clean)},
          {"train_spiky", mean_square(f.spiky(train.data))},
          {"test_simple", simple},
          {"test_spiky", spiky},
          {"test_error", simple + spiky},
          {"off_ridge", (f.simple_weights() - ridge).square().sum().item<double>()}};
}

/// Ends a phase whose loss is below a bound.
struct LossBelow {
  double bound = 0;
  bool operator()(const rg::Epoch& epoch) const { return epoch.fit.scored() && epoch.fit.loss < bound; }
};

/// 40 points of 10 features with noisy labels, and 200 new points.
rg::Batch lazy_points(int seed, bool test) {
  const rg::GaussianFeatures data{.spectrum = std::vector<double>(10, 0.1), .theta = truth(10, 10) * std::sqrt(10.0),
                                  .noise = test ? 0 : 0.5};
  return data.sample(test ? 200 : 40, Cell{Part::train, test ? 1 : 0, seed}.seed_of());
}

rg::networks::TwoLayer two_layer(const Cell& cell) {
  torch::manual_seed(cell.seed_of());
  rg::networks::TwoLayer net(
      rg::networks::TwoLayerOptions{.inputs = 10, .width = cell.at, .zero_start = true});
  net->to(torch::kDouble);
  return net;
}

/// How far a network that was trained from `cell`'s start is from its linearization there, and from the linear network
/// itself, trained from there: the solution of the smallest norm.
rg::Numbers lazy_numbers(const Cell& cell, const rg::networks::TwoLayer& net, const at::Tensor& jacobian) {
  const rg::Batch train = lazy_points(cell.seed, false), test = lazy_points(cell.seed, true);
  const rg::networks::TwoLayer start = two_layer(cell);
  const rg::Laziness lazy = rg::laziness(net, start, train, test);
  const at::Tensor f = rg::outputs(net, test).output;
  const at::Tensor moved = rg::minimum_norm_solution(jacobian, train.target - rg::outputs(start, train).output);
  const rg::LossSurface at_start(start, test);
  return {{"distance", lazy.distance},
          {"relative_distance", lazy.relative_distance},
          {"kernel_change", lazy.kernel_change},
          {"off_linearized", lazy.off_linearized},
          {"off_linear_training", over(f - rg::linearized_outputs(at_start, at_start.weights() + moved), f)},
          {"risk", mean_square(f - test.target)}};
}

class BenignOverfitting : public kit::NumbersExperiment<BenignSettings> {
 public:
  BenignOverfitting(const BenignSettings& s, bool check)
      : NumbersExperiment(s, {"table.txt", "pictures", "curve.csv"}), check_(check) {}

  [[nodiscard]] ex::Plan plan(const ex::Paces& /*paces*/) const override {
    ex::Plan plan;
    for (const bool lazy : {true, false}) {
      for (int seed = 1; seed <= (lazy ? settings().lazy_seeds : settings().seeds); ++seed) {
        plan.push_back({.name = Cell{lazy ? Part::lazy : Part::starts, 0, seed}.unit()});
        for (const Cell& cell : cells_of(settings(), seed, lazy)) {
          const double cost = cell.part == Part::starts || cell.part == Part::lazy ? 0.05 : cell.at / 500.0;
          plan.back().jobs.push_back(
              {.name = cell.job(), .kind = name_of(cell.part), .cost = cost, .factors = cell.factors()});
        }
      }
    }
    return plan;
  }

  void train(const std::string& unit, ex::Jobs& jobs) override {
    for (const bool lazy : {true, false}) {
      for (int seed = 1; seed <= (lazy ? settings().lazy_seeds : settings().seeds); ++seed) {
        for (const Cell& cell : cells_of(settings(), seed, lazy)) {
          if (cell.unit() == unit && cell.part == Part::train) {
            train_network(cell, jobs);
          } else if (cell.unit() == unit && cell.part != Part::lazy) {
            (void)jobs.compute(cell.job(), [&] { return numbers_of(cell); });
          }
        }
      }
    }
  }

  void show(const ex::Results& results) override { show_results(results, settings(), check_); }

 private:
  [[nodiscard]] rg::Numbers numbers_of(const Cell& cell) const {
    switch (cell.part) {
      case Part::starts:
        return from_start(cell);
      case Part::ratios:
        return double_descent(cell, settings().draws);
      case Part::tails:
        return two_parts(cell);
      default:
        return spectrum_risk(cell);
    }
  }

  /// Gradient descent on all points until the residual is 1e-4 of the labels, and what is measured then.
  static void train_network(const Cell& cell, ex::Jobs& jobs) {
    const rg::Batch data = lazy_points(cell.seed, false);
    rg::networks::TwoLayer net = two_layer(cell);
    const at::Tensor jacobian = rg::jacobian(rg::LossSurface(net, data));
    const double largest = at::linalg_eigvalsh(jacobian.matmul(jacobian.t())).max().item<double>();
    torch::optim::SGD sgd(net->parameters(), 0.5 * static_cast<double>(data.size()) / largest);
    rg::Phase phase{.name = "train", .data = data, .optimizer = sgd, .epochs = 100000};
    phase.batch = data.size();
    phase.loss = rg::MeanSquaredError{};
    phase.until = LossBelow{1e-8 * mean_square(data.target)};
    const rg::Scoring scoring{.every = 50, .batch = data.size()};
    jobs.run({.name = cell.job(), .phases = {phase}, .scoring = scoring}, net, sgd);
    Cell then = cell;
    then.part = Part::lazy;
    (void)jobs.compute(then.job(), [&] { return lazy_numbers(cell, net, jacobian); });
  }

  bool check_;
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
  const CLI::Range percents(0, 10000);
  kit::add_list(app, "--starts", s.starts, "norms of w_0, in percent")->check(percents);
  kit::add_list(app, "--ratios", s.ratios, "features over 100 samples, in percent")->check(CLI::Range(1, 98) | CLI::Range(102, 10000));
  kit::add_list(app, "--sizes", s.sizes, "samples n for the spectra of n^2 / 5 features")->check(CLI::Range(20, 1000));
  kit::add_list(app, "--tails", s.tails, "features of the interpolator of two parts")->check(CLI::Range(200, 100000));
  kit::add_list(app, "--widths", s.widths, "hidden units, even numbers")->check(CLI::Range(2, 100000));
  app.add_flag("--check", options.check, "end with an error if a statement of the paper does not come out");
  kit::add_task(app, options.task);
  kit::parse(app, argc, argv, options.task);
  return options;
}

void run(Options& options) {
  BenignSettings& s = options.settings;
  kit::check_once("--starts must have each number", s.starts);
  kit::check_once("--ratios must have each number", s.ratios);
  kit::check_once("--sizes must have each number", s.sizes);
  kit::check_once("--tails must have each number", s.tails);
  kit::check_once("--widths must have each number", s.widths);
  const ex::Conduct how = kit::settle(s, s.seeds + s.lazy_seeds, options.task);
  BenignOverfitting experiment(s, options.check);
  ex::conduct(experiment, options.task, how);
}

}  // namespace

int main(int argc, char** argv) {
  return kit::run_program("benign_overfitting", argc, argv, read_options, run);
}
