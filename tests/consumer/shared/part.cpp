#include "part.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>

#include <regimen/run/detail/only_run.hpp>
#include <regimen/transform/labels/uniform.hpp>

at::Tensor noisy_labels(std::int64_t n) {
  const at::Tensor id = at::arange(n);
  const regimen::Batch batch{.data = at::zeros({n, 1}), .target = id.remainder(10), .id = id};
  return regimen::UniformLabels{.classes = 10}(batch, regimen::Key(7, id)).target;
}

void refuse() {
  regimen::UniformLabels{.classes = 1}.check();
}

void begin_a_run() {
  const regimen::detail::OnlyRun run;
}
