// The confusion set of 50,000 images of 32x32, ten copies of each: when the first batch is there, and what it takes in
// memory, against generating and storing it as the authors do.

#include <torch/torch.h>

#include <cstdio>
#include <fstream>
#include <string>

#include <regimen/regimen.hpp>

#include "measure.hpp"
#include "peer.hpp"

namespace rg = regimen;

namespace {

constexpr std::int64_t images = 50'000;

/// Of this process, in MB.
double resident_megabytes() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.rfind("VmRSS:", 0) == 0) {
      return std::atof(line.c_str() + 6) / 1024;
    }
  }
  return 0;
}

rg::Source confusion_set(const rg::Source& train, std::int64_t copies) {
  return rg::frozen(rg::repeat(train, copies),
                    rg::chain(rg::ZeroPixels{.fraction = 0.1}, rg::UniformLabels{.classes = 10}), 7);
}

/// What reading so many batches adds to the process's memory.
double megabytes_of_reading(const rg::Source& train, std::int64_t copies, int batches) {
  const double before = resident_megabytes();
  double most = 0;
  const rg::Cursor next = confusion_set(train, copies).read({.batch = 128, .shuffle = true});
  for (int i = 0; i < batches; ++i) {
    const rg::Batch batch = next();
    most = std::max(most, resident_megabytes() - before);
  }
  return most;
}

}  // namespace

int main() {
  torch::set_num_threads(1);
  const rg::Source train =
      rg::Batch{torch::randint(256, {images, 3, 32, 32}, torch::kByte), torch::randint(10, {images}, torch::kLong)};
  const auto first_batch = [&] {
    return seconds_of([&] { (void)confusion_set(train, 10).read({.batch = 128, .shuffle = true})(); });
  };
  const Report report("The confusion set of 50,000 images, R = 10, N = 10 %, one thread");
  // Theirs takes minutes for all of them, and as long for each: a fiftieth, times fifty.
  Peer peer({"confusion_set.py", "--images", std::to_string(images / 50), "--copies", "10"});
  report.faster("the first batch of a frozen source", "generating and storing it (1,000 images, times 50)", 1000,
                take_turns(3, first_batch, [&] { return 50 * peer.go(); }));
  std::printf("the first batch is there after %.3f s, goal <= 0.1\n", first_batch());
  for (const std::int64_t copies : {1, 2, 5, 10}) {
    std::printf("R = %2lld: reading 200 batches takes %.0f MB more than the images\n", static_cast<long long>(copies),
                megabytes_of_reading(train, copies, 200));
  }
  return 0;
}
