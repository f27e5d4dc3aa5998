// Two of five labels are wrong, exactly.
#include <cstdio>

#include <regimen/base/version.hpp>
#include <regimen/damage.hpp>
#include <regimen/datasets/toys.hpp>

namespace rg = regimen;

int main() {
  const rg::Source clean = rg::two_clusters(/*per_class=*/250, /*seed=*/2);
  const rg::UniformLabels wrong{.classes = 2, .exclude_true = true};
  const rg::Source noisy = rg::frozen(clean, wrong, /*seed=*/7, rg::exactly(0.4));
  const double noise = rg::realised_noise(noisy, clean);
  std::printf("regimen %s: label noise %.3f\n", rg::version, noise);
  return noise == 0.4 ? 0 : 1;
}
