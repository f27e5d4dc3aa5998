// A million labels with uniform noise on one core.

#include <torch/torch.h>

#include <cstdio>

#include <regimen/regimen.hpp>

#include "timing.hpp"

namespace rg = regimen;

int main() {
  torch::set_num_threads(1);
  constexpr std::int64_t n = 1'000'000;
  const rg::Batch labels{torch::zeros({n, 1}), torch::arange(n).remainder(10), torch::arange(n)};
  std::printf("regimen %s, LibTorch %s, one thread, %lld labels, ms\n", regimen::version, TORCH_VERSION,
              static_cast<long long>(n));
  for (const double fraction : {1.0, 0.4}) {
    const rg::UniformLabels noise{.classes = 10, .fraction = fraction};
    std::vector<double> times;
    for (int i = 0; i < 21; ++i) {
      times.push_back(1e3 *
                      seconds_of([&] { (void)noise(labels, rg::Key(static_cast<std::uint64_t>(i), labels.id)); }));
    }
    std::printf("UniformLabels fraction %.1f: median %.2f, quartiles [%.2f, %.2f]\n", fraction, quantile(times, 0.5),
                quantile(times, 0.25), quantile(times, 0.75));
  }
  return 0;
}
