// The noise on the weights that a network tolerates, against the search of robust-generalization-measures (Dziugaite et
// al. 2020), written anew here from its description, so that both compute in one process and only the searches differ.

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <thread>
#include <vector>

#include <regimen/regimen.hpp>

#include "../examples/kit/networks.hpp"
#include "measure.hpp"
#include "patterns.hpp"

namespace rg = regimen;

namespace {

constexpr std::int64_t images = 2'000;

struct Found {
  double sigma = 0;
  std::int64_t passes = 0;
};

/// Bisection of (0, 2) in 15 steps at most, with 10 new noises for each candidate; ends when the mean accuracy has
/// fallen by .1 within .01.
Found by_new_noise(const std::shared_ptr<rg::networks::Network>& net, const rg::Source& data,
                   const rg::Evaluation& how) {
  const rg::LossSurface surface(net, data, how);
  const auto accuracy = [&] { return rg::evaluate(net, data, how).accuracy; };
  const double fit = accuracy();
  Found found{.passes = 1};
  double low = 0;
  double high = 2;
  for (int step = 0; step < 15; ++step) {
    found.sigma = (low + high) / 2;
    double mean = 0;
    for (int draw = 0; draw < 10; ++draw) {
      const auto moved = surface.displaced(torch::randn({surface.size()}, torch::kDouble) * found.sigma);
      mean += accuracy() / 10;
      ++found.passes;
    }
    const double fallen = fit - mean;
    if (std::abs(fallen - 0.1) < 0.01) {
      break;
    }
    (fallen > 0.1 ? high : low) = found.sigma;
  }
  return found;
}

/// Several searches for one sigma.
struct Searches {
  std::vector<double> sigmas;
  std::int64_t passes = 0;

  void add(const Found& found) {
    sigmas.push_back(found.sigma);
    passes += found.passes;
  }

  /// Passes of a search, and how far its result is from the right one, relative: the root of the mean square.
  void print(const char* who, double right) const {
    double squares = 0;
    for (const double sigma : sigmas) {
      squares += (sigma / right - 1) * (sigma / right - 1);
    }
    const auto n = static_cast<double>(sigmas.size());
    std::printf("    %s: %.0f passes over the data, off by %.1f %% (%.0f searches)\n", who,
                static_cast<double>(passes) / n, 100 * std::sqrt(squares / n), n);
  }
};

}  // namespace

int main() {
  torch::set_num_threads(static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  const rg::Batch data = patterns(images, 14, 2);
  torch::manual_seed(4);
  const auto net = kit::make_network("pooled", 10, 1, 16);
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.05));
  rg::run(net, {{.data = data, .optimizer = sgd, .epochs = 60, .until = rg::FitReaches{1}, .batch = 64}}, {});
  const rg::Evaluation how{.batch = 500};

  const Report report("PAC-Bayes' sigma of the pooled ResNet on 2,000 images of 14x14, " +
                      std::to_string(torch::get_num_threads()) + " threads");
  const rg::PacBayesEstimate right =
      rg::PacBayes{.data = data, .how = how, .draws = 400, .tolerance = 0.02}.estimate(net);
  std::printf("    sigma from 400 draws: %.4g [%.4g, %.4g]\n", right.sigma, right.low, right.high);

  // As many draws as the other takes for each candidate, and as many as make the error about as small as its.
  std::uint64_t seed = 0;
  for (const int draws : {10, 40}) {
    Searches ours;
    Searches theirs;
    const Turns turns = take_turns(
        8,
        [&] {
          return seconds_of([&] {
            const rg::PacBayesEstimate found =
                rg::PacBayes{.data = data, .how = how, .draws = draws, .seed = ++seed}.estimate(net);
            ours.add({found.sigma, found.passes});
          });
        },
        [&] { return seconds_of([&] { theirs.add(by_new_noise(net, data, how)); }); });
    report.faster("PacBayes, " + std::to_string(draws) + " draws", "the search with new noise", 10, turns);
    ours.print("PacBayes", right.sigma);
    theirs.print("the search with new noise", right.sigma);
  }
  return 0;
}
