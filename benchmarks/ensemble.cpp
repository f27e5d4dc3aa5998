// Small networks of one shape that train as one module, against the same networks alone.
//
// One thread: twelve networks (networks::StackedLinear), one after another, trained on 85 points in full batches with
// Adam, with Jumpstart and without. Two processors: the flagship's toy, and pooled ResNets as one network of grouped
// convolutions, against processes of one thread that train one network each, two at a time.
//
//     benchmark-ensemble [toy | momentum | images]     one case of the second part alone
//     benchmark-ensemble start                         trains one toy for an epoch: what a process costs to start

#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>

#include "../examples/230-jumpstart/networks.hpp"
#include "../examples/kit/memory.hpp"
#include "measure.hpp"
#include "members.hpp"
#include "two_processes.hpp"

namespace {

constexpr int members = 12;
constexpr int epochs = 200;

/// One of the networks as anybody would write it.
struct Single : torch::nn::Module {
  Single(int width, int depth) {
    for (int i = 0; i < depth; ++i) {
      hidden.push_back(register_module("hidden" + std::to_string(i), torch::nn::Linear(i == 0 ? 2 : width, width)));
    }
    last = register_module("last", torch::nn::Linear(width, 1));
  }
  torch::Tensor forward(torch::Tensor x) {
    for (torch::nn::Linear& layer : hidden) {
      x = torch::relu(rg::tap(layer(x)));
    }
    return last(x).squeeze(1);
  }
  std::vector<torch::nn::Linear> hidden{};
  torch::nn::Linear last{nullptr};
};

template <class Net>
void train(const rg::Batch& data, Net& net, const std::vector<torch::Tensor>& parameters, const rg::AnyLoss& loss,
           bool jumpstart, std::optional<rg::Integer> side_by_side) {
  torch::optim::Adam adam(parameters, torch::optim::AdamOptions(0.01));
  rg::Phase phase{.data = data, .optimizer = adam, .epochs = epochs, .batch = data.size(), .loss = loss};
  if (jumpstart) {
    phase.regularize = {
        rg::Jumpstart{.strength = 1, .aggregation = rg::Aggregation::balanced, .members = side_by_side}};
  }
  rg::run(net, {phase}, rg::Scoring{.every = epochs, .score_fit = false});
}

void compare(const Report& report, int width, int depth, bool jumpstart, double goal) {
  const rg::Batch data = rg::slice(rg::two_moons(50), 0, 85);
  const auto together = [&] {
    MoonsNetwork net(members, width, depth, /*batch_norm=*/false, /*seed=*/1);
    train(data, net, net->parameters(), rg::OverMembers{rg::BinaryCrossEntropy{}}, jumpstart, members);
  };
  const auto alone = [&] {
    for (int i = 0; i < members; ++i) {
      Single net(width, depth);
      train(data, net, net.parameters(), rg::BinaryCrossEntropy{}, jumpstart, {});
    }
  };
  report.faster("12 networks side by side, width " + std::to_string(width) + ", depth " + std::to_string(depth) +
                    (jumpstart ? ", Jumpstart" : ""),
                "one after another", goal,
                take_turns(5, [&] { return seconds_of(together); }, [&] { return seconds_of(alone); }));
}

/// What one process does: it trains the members from `first` on, as one module or one after another.
struct Job {
  bool images = false;
  double momentum = 0;
  bool together = false;
  int first = 0;
  int members = 1;
  int threads = 1;
  int epochs = 1;
};

Training training_of(const Job& job) {
  Training training{.seeds = {}, .epochs = job.epochs, .momentum = job.momentum};
  for (int i = 0; i < job.members; ++i) {
    training.seeds.push_back(static_cast<std::uint64_t>(1 + job.first + i));
  }
  return training;
}

template <class Case>
void train(const Job& job) {
  job.together ? void(train_together<Case>(training_of(job))) : void(train_alone<Case>(training_of(job)));
}

void work(const Job& job) {
  kit::keep_memory();  // as the flagship
  torch::set_num_threads(job.threads);
  job.images ? train<Images>(job) : train<Toy>(job);
}

/// The members' halves, one for each of two processes of one thread.
std::vector<Job> halves_of(Job job) {
  job.members /= 2;
  Job second = job;
  second.first = job.members;
  return {job, second};
}

void study(const Report& report, const TwoProcesses<Job>& processes, Job alone, const std::string& what, int steps) {
  Job whole = alone;
  whole.together = true;
  Job threaded = whole;
  threaded.threads = 2;
  const auto compare = [&](const std::string& how, const std::vector<Job>& ours) {
    const Turns turns =
        take_turns(9, [&] { return processes.seconds(ours); }, [&] { return processes.seconds(halves_of(alone)); });
    report.faster(std::to_string(alone.members) + " " + what + " as one module, " + how,
                  "as many processes of one thread, two at a time", 3, turns);
    const auto an_hour = [&](const std::vector<double>& seconds) {
      return 3600 * alone.members * alone.epochs * 10 / quantile(seconds, 0.5) / steps;
    };
    std::printf("    runs of %d steps an hour: %.0f and %.0f\n", steps, an_hour(turns.ours), an_hour(turns.theirs));
    std::fflush(stdout);
  };
  compare("one process of two threads", {threaded});
  compare("two processes of half the members each", halves_of(whole));
}

/// False if members that train together end elsewhere than alone.
bool check_equal_work() {
  const double toy = difference_from_alone<Toy>({.seeds = {1, 2, 3}, .epochs = 20, .momentum = 0.9});
  const double images = difference_from_alone<Images>({.seeds = {1, 2, 3}, .epochs = 1, .momentum = 0.9});
  std::printf(
      "weights of three members trained together differ from those trained alone, in double precision, by at "
      "most %.1g of their\nparameter's greatest (toy, 200 steps) and %.1g (images, 10 steps)\n",
      toy, images);
  std::fflush(stdout);
  return toy < 1e-9 && images < 1e-9;
}

/// The cases, or the one that is named, each at the same number of steps of all members, however many there are.
int study_all(const TwoProcesses<Job>& processes, const std::string& only) {
  const Report report("Networks of one shape as one module against a process for each, two processors");
  if (!check_equal_work()) {
    return 1;
  }
  const auto study_case = [&](const std::string& name, const std::vector<int>& sizes, Job job, const std::string& what,
                              int steps) {
    for (const int size : only.empty() || only == name ? sizes : std::vector<int>()) {
      job.members = size;
      job.epochs = (job.images ? 40 : 3200) / size;
      study(report, processes, job, what, steps);
    }
  };
  study_case("toy", {2, 8, 32, 64}, {.momentum = 0}, "toys, SGD", 10'000);
  study_case("momentum", {2, 8, 32, 64}, {.momentum = 0.9}, "toys, SGD with momentum", 10'000);
  study_case("images", {2, 4, 8}, {.images = true, .momentum = 0.9}, "pooled ResNets of width 16", 1'000);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string only = argc > 1 ? argv[1] : "";
  if (only == "start") {
    work({});
    return 0;
  }
  const TwoProcesses<Job> processes(work);
  torch::manual_seed(1);
  torch::set_num_threads(1);
  if (only.empty()) {
    const Report report("Ensembles of small networks");
    for (const bool jumpstart : {false, true}) {
      compare(report, 4, 10, jumpstart, 3);
      compare(report, 4, 50, jumpstart, 3);
      compare(report, 25, 50, jumpstart, 1);
    }
  }
  return study_all(processes, only);
}
