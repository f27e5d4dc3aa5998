// What `run` costs over the same loop written by hand in LibTorch: shuffle, gather x and y, zero the gradients,
// forward, loss, backward, step. By hand there are no ids and no seeding, which `run` does have; neither side scores.

#include <torch/torch.h>

#include <string>
#include <thread>

#include <regimen/regimen.hpp>

#include "../examples/kit/pooled_resnet.hpp"
#include "measure.hpp"

namespace rg = regimen;

namespace {

struct Task {
  const char* name;
  torch::Tensor data;
  torch::Tensor target;
  rg::AnyLoss loss;
  std::int64_t batch;
  int epochs;
  int pairs;
  double goal;
};

template <class Net>
void by_hand(Net& net, torch::optim::SGD& optimizer, const Task& task) {
  net->train();
  const std::int64_t n = task.data.size(0);
  for (int epoch = 0; epoch < task.epochs; ++epoch) {
    const torch::Tensor order = torch::randperm(n);
    for (std::int64_t begin = 0; begin < n; begin += task.batch) {
      const torch::Tensor rows = order.slice(0, begin, begin + task.batch);
      const torch::Tensor x = task.data.index_select(0, rows);
      const torch::Tensor y = task.target.index_select(0, rows);
      optimizer.zero_grad();
      const torch::Tensor loss = task.loss(net->forward(x), y);
      loss.backward();
      optimizer.step();
    }
  }
}

template <class Net>
void compare(const Report& report, Net net, const Task& task) {
  torch::optim::SGD optimizer(net->parameters(), torch::optim::SGDOptions(1e-3));
  rg::Phase phase{.name = task.name,
                  .data = rg::Batch{task.data, task.target},
                  .optimizer = optimizer,
                  .epochs = task.epochs,
                  .batch = task.batch,
                  .loss = task.loss};
  const auto ours = [&] { rg::run(net, {phase}, rg::Scoring{.every = task.epochs, .score_fit = false}); };
  const auto theirs = [&] { by_hand(net, optimizer, task); };
  report.cost(std::string("run, ") + task.name, "the same loop by hand in LibTorch", task.goal,
              take_turns(task.pairs, [&] { return seconds_of(ours); }, [&] { return seconds_of(theirs); }));
}

}  // namespace

int main() {
  torch::manual_seed(1);
  const Report report("What run costs");

  torch::set_num_threads(1);
  compare(report,
          torch::nn::Sequential(torch::nn::Linear(2, 100), torch::nn::ReLU(), torch::nn::Linear(100, 100),
                                torch::nn::ReLU(), torch::nn::Linear(100, 1)),
          {"toy network, batch 10, one thread", torch::randn({100, 2}), torch::randint(2, {100}, torch::kLong),
           rg::BinaryCrossEntropy{}, 10, 100, 41, 1.03});

  torch::set_num_threads(static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  compare(report, PooledResNet(1, 10),
          {"pooled ResNet 308 k, batch 64", torch::randn({640, 1, 28, 28}), torch::randint(10, {640}, torch::kLong),
           rg::CrossEntropy{}, 64, 2, 15, 1.01});
  return 0;
}
