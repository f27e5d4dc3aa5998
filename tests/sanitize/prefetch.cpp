// Reads prefetched sources under ThreadSanitizer, which ends the program with 66 where it sees a race. LibTorch itself
// is not instrumented, so what is watched is this library's own hand-over of batches from thread to thread.

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>

#include <cstdio>
#include <thread>
#include <vector>

#include <regimen/regimen.hpp>

namespace {

regimen::Source data(std::int64_t n) {
  return regimen::Batch{.data = at::arange(n * 16, at::kFloat).view({n, 16}),
                        .target = at::arange(n, at::kLong).remainder(10)};
}

/// All ids of an epoch, and that they are as many as they should be.
bool reads_all(const regimen::Source& source, std::int64_t samples) {
  std::int64_t seen = 0;
  const regimen::Cursor next = source.read({.batch = 7, .shuffle = true, .seed = 3});
  for (regimen::Batch batch = next(); batch.size() > 0; batch = next()) {
    seen += batch.size();
  }
  return seen == samples;
}

}  // namespace

int main() {
  const regimen::Source noisy = regimen::frozen(data(500), regimen::UniformLabels{.classes = 10, .fraction = 0.5}, 7);
  const regimen::Source ahead = regimen::prefetch(noisy, 3);
  bool all = true;
  for (int epoch = 0; epoch < 20; ++epoch) {
    all = all && reads_all(ahead, 500);
    static_cast<void>(ahead.read({.batch = 7})());  // left after its first batch
  }
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([ahead] { static_cast<void>(reads_all(ahead, 500)); });
  }
  for (std::thread& reader : readers) {
    reader.join();
  }
  std::printf("%s\n", all ? "every sample, every epoch" : "samples are missing");
  return all ? 0 : 1;
}
