#include "part.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>

#include <regimen/base/error.hpp>
#include <regimen/run/detail/only_run.hpp>
#include <regimen/transform/labels/uniform.hpp>

#include <cstdio>

template <class Call>
bool throws_an_error(const char* what, Call&& call) {
  try {
    call();
  } catch (const regimen::Error& error) {
    std::printf("%s: %s\n", what, error.what());
    return true;
  }
  std::printf("%s: no error\n", what);
  return false;
}

int main() {
  const at::Tensor id = at::arange(1000);
  const regimen::Batch batch{.data = at::zeros({1000, 1}), .target = id.remainder(10), .id = id};
  const at::Tensor here = regimen::UniformLabels{.classes = 10}(batch, regimen::Key(7, id)).target;
  if (!at::equal(here, noisy_labels(1000))) {
    std::puts("the library and the program draw different labels");
    return 1;
  }
  begin_a_run();  // none is under way
  const regimen::detail::OnlyRun run;
  const bool refused = throws_an_error("a part that is refused in the library", refuse);
  const bool one_run = throws_an_error("a run in the library during one of the program", begin_a_run);
  return refused && one_run ? 0 : 1;
}
