// What two processes that share a run gain over one, the pooled ResNet at batch 128, and what their sum of gradients
// costs. No peer: no other data-parallel training in C++ gives the same bits for any number of processes.

#include <sys/wait.h>
#include <unistd.h>

#include <torch/torch.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include <regimen/adapt/c10d.hpp>
#include <regimen/regimen.hpp>

#include "../examples/kit/pooled_resnet.hpp"
#include "measure.hpp"

namespace rg = regimen;

namespace {

/// The network of a process, and its data: the same in each.
struct Training {
  Training() {
    torch::manual_seed(1);
    net = PooledResNet(1, 10);
    data = {torch::randn({2560, 1, 28, 28}), torch::randint(10, {2560}, torch::kLong)};
  }

  double seconds(int threads, const rg::DataParallel& share) {
    torch::set_num_threads(threads);
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(1e-3));
    const rg::Phase phase{.data = data, .optimizer = sgd, .epochs = 1, .batch = 128};
    return seconds_of([&] { rg::run(net, {phase}, rg::Scoring{.score_fit = false}, {.share = share}); });
  }

  [[nodiscard]] std::int64_t weights() const {
    std::int64_t count = 0;
    for (const torch::Tensor& parameter : net->parameters()) {
      count += parameter.numel();
    }
    return count;
  }

  PooledResNet net{nullptr};
  rg::Batch data;
};

/// One sum over the processes, of as many numbers as the network has weights.
double seconds_of_a_sum(const rg::DataParallel& share, std::int64_t numbers) {
  const torch::Tensor mine = torch::ones({numbers});
  return seconds_of([&] { rg::detail::sum_over_processes(share, mine, "a sum"); });
}

/// What process 1 does next, as process 0 says.
enum Task { end, train, sum };

Task agree(rg::C10dGroup& group, Task task) {
  torch::Tensor all = torch::zeros({2}, torch::kLong);
  group.all_gather(all, torch::full({1}, static_cast<std::int64_t>(task)));
  return static_cast<Task>(all[0].item<std::int64_t>());
}

int work_along(const std::string& meeting) {
  rg::C10dGroup group = rg::connect({.launcher = "benchmark", .rank = 1, .size = 2}, {.file = meeting});
  Training training;
  for (Task task = agree(group, end); task != end; task = agree(group, end)) {
    task == train ? training.seconds(1, group) : seconds_of_a_sum(group, training.weights());
  }
  return 0;
}

void measure(const std::string& meeting) {
  rg::C10dGroup group = rg::connect({.launcher = "benchmark", .rank = 0, .size = 2}, {.file = meeting});
  Training together;
  Training alone;  // its network goes other ways
  const Report report("What a second process gains");
  const std::int64_t numbers = together.weights();
  const auto shared = [&] {
    agree(group, train);
    return together.seconds(1, group);
  };
  const char* const two = "two processes of one thread, 8 virtual shards";
  report.faster(two, "one process of one thread, not shared", 1.7,
                take_turns(9, shared, [&] { return alone.seconds(1, {}); }));
  report.faster(two, "one process of two threads, not shared", 1.3,
                take_turns(9, shared, [&] { return alone.seconds(2, {}); }));
  report.faster(two, "one process of one thread, 8 virtual shards", 1.7,
                take_turns(9, shared, [&] { return alone.seconds(1, rg::Alone{}); }));
  report.cost("20 sums of " + std::to_string(numbers) + " gradients over the processes", "20 steps that do them", 0.05,
              take_turns(
                  15,
                  [&] {
                    double seconds = 0;
                    for (int i = 0; i < 20; ++i) {
                      agree(group, sum);
                      seconds += seconds_of_a_sum(group, numbers);
                    }
                    return seconds;
                  },
                  shared));
  agree(group, end);
}

}  // namespace

int main() {
  std::string folder = (std::filesystem::temp_directory_path() / "regimen-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) {
    return 1;
  }
  const std::string meeting = folder + "/meeting";
  const pid_t child = ::fork();  // before LibTorch has threads
  if (child == 0) {
    ::_exit(work_along(meeting));
  }
  measure(meeting);
  ::waitpid(child, nullptr, 0);
  ::unlink(meeting.c_str());
  ::rmdir(folder.c_str());
  return 0;
}
