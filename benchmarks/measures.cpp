// All measures of one minimum in one command: the pooled ResNet, trained until it fits 2,000 images, and for each
// measure its seconds, its processor time, and that as passes over the data.
//
//     benchmark-measures [IMAGES] [SIDE] [WIDTH] [THREADS] [SOME] [FEW]
//
// Without arguments 2000, 14, 16, one thread a processor, 400 and 100: measures that take dozens of backward passes
// look at SOME of the images, those that take hundreds at FEW.

#include <sys/resource.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <regimen/regimen.hpp>

#include "../examples/kit/minimum_measures.hpp"
#include "../examples/kit/networks.hpp"
#include "measure.hpp"
#include "patterns.hpp"

namespace rg = regimen;

namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

rusage used() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage;
}

struct Time {
  double seconds = 0;
  double processor = 0;  ///< seconds of all threads, of which other programs take nothing
};

template <class Work>
Time time_of(const Work& work) {
  const rusage before = used();
  Time time{.seconds = ::seconds_of(work)};
  const rusage after = used();
  time.processor = seconds_of(after.ru_utime) + seconds_of(after.ru_stime) - seconds_of(before.ru_utime) -
                   seconds_of(before.ru_stime);
  return time;
}

}  // namespace

int main(int argc, char** argv) {
  const auto argument = [&](int i, int standard) { return argc > i ? std::atoi(argv[i]) : standard; };
  const int images = argument(1, 2000);
  const int side = argument(2, 14);
  const int width = argument(3, 16);
  torch::set_num_threads(argument(4, static_cast<int>(std::max(1U, std::thread::hardware_concurrency()))));
  const int some = argument(5, 400);
  const int few = argument(6, 100);

  const rg::Source train = patterns(images, side, 2);
  const rg::Source test = patterns(images, side, 3);
  torch::manual_seed(4);
  const auto net = kit::make_network("pooled", 10, 1, width);
  const rg::Snapshot start(net);
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.05));
  const rg::History history =
      rg::run(net, {{.data = train, .optimizer = sgd, .epochs = 60, .until = rg::FitReaches{1}, .batch = 64}}, {});
  rg::Probe probe(net);
  probe.how.batch = 500;

  const rg::LossSurface surface(net, train, probe.how);
  (void)surface.gradient();
  const Time pass = time_of([&] { (void)surface.gradient(); });
  std::printf("The pooled ResNet, %lld parameters, fits %.2f %% of %d images of %dx%d after %lld epochs; %d threads\n",
              static_cast<long long>(surface.size()), 100 * history.back().fit.accuracy, images, side, side,
              static_cast<long long>(history.back().clock.epoch), torch::get_num_threads());
  std::printf("%s; F + B, a forward and a backward pass: %.3f s\n", name_of_machine().c_str(), pass.seconds);
  std::printf("Measures that take dozens of backward passes look at %d images, those that take hundreds at %d\n\n",
              some, few);

  struct Row {
    std::string name;
    Time time;
    std::string numbers{};
  };
  std::vector<Row> rows;
  for (const auto& [name, measure] : kit::all_measures(
           {.train = train, .some = rg::limit(train, some), .few = rg::limit(train, few), .start = start}, net, test)) {
    rg::Numbers found;
    Row row{.name = name,
            .time = time_of([&, &measure = measure, &name = name] { found = measure.numbers(name, probe); })};
    for (const auto& [number, value] : found) {
      char text[80];
      std::snprintf(text, sizeof text, " %s %.4g", number.size() > name.size() ? number.c_str() + name.size() + 1 : "",
                    value);
      row.numbers += text;
    }
    rows.push_back(std::move(row));
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.time.processor > b.time.processor; });
  Time all;
  std::printf("%-22s %8s %12s %8s\n", "measure", "seconds", "of processor", "F + B");
  for (const Row& row : rows) {
    std::printf("%-22s %8.3f %12.3f %8.1f  %s\n", row.name.c_str(), row.time.seconds, row.time.processor,
                row.time.processor / pass.processor, row.numbers.c_str());
    all.seconds += row.time.seconds;
    all.processor += row.time.processor;
  }
  std::printf("%-22s %8.3f %12.3f %8.1f\n", "all", all.seconds, all.processor, all.processor / pass.processor);
  std::printf("%zu measures; %.0f MB at most (goals: 60 s on two processors, 1,000 MB)\n", rows.size(),
              static_cast<double>(used().ru_maxrss) / 1024);
  return 0;
}
