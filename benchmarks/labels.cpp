// A million labels with uniform noise on one core, against three recipes in Python.

#include <torch/torch.h>

#include <string>

#include <regimen/regimen.hpp>

#include "measure.hpp"
#include "peer.hpp"

namespace rg = regimen;

int main() {
  torch::set_num_threads(1);
  constexpr std::int64_t n = 1'000'000;
  const rg::Batch labels{torch::zeros({n, 1}), torch::arange(n).remainder(10), torch::arange(n)};
  std::uint64_t seed = 0;
  const auto ours = [&] {
    // Ten at once: one alone is over before a clock is read with confidence.
    return seconds_of([&] {
             for (int i = 0; i < 10; ++i) {
               (void)rg::UniformLabels{.classes = 10, .fraction = 0.4}(labels, rg::Key(++seed, labels.id));
             }
           }) /
           10;
  };
  const Report report("A million labels, two of five drawn anew, ten classes, one thread");
  const auto against = [&](const std::string& method, const std::string& what, std::int64_t count, double goal) {
    Peer peer(
        {"label_noise.py", "--method", method, "--labels", std::to_string(count), "--classes", "10", "--rate", "0.4"});
    const double scale = static_cast<double>(n) / static_cast<double>(count);
    report.faster("UniformLabels", what, goal, take_turns(9, ours, [&] { return scale * peer.go(); }));
  };
  against("coteaching", "Co-teaching's recipe (100,000 labels, times 10)", n / 10, 200);
  against("cleanlab", "cleanlab", n, 10);
  against("numpy", "vectorised NumPy", n, 2);
  return 0;
}
