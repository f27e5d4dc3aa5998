// What `run` costs over the same loop written by hand in LibTorch: shuffle, gather x and y, zero the gradients,
// forward, loss, backward, step. By hand there are no ids and no seeding, which `run` does have; neither side scores.

#include <torch/torch.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

#include <regimen/regimen.hpp>

#include "../examples/100-bad-minima/network.hpp"
#include "timing.hpp"

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
void compare(Net net, const Task& task) {
  torch::optim::SGD optimizer(net->parameters(), torch::optim::SGDOptions(1e-3));
  rg::Phase phase{.name = task.name,
                  .data = rg::Batch{task.data, task.target},
                  .optimizer = optimizer,
                  .epochs = task.epochs,
                  .batch = task.batch,
                  .loss = task.loss};
  const auto ours = [&] { rg::run(net, {phase}, rg::Splits{.every = task.epochs, .score_fit = false}); };
  const Ratio ratio = interleaved(task.pairs, ours, [&] { by_hand(net, optimizer, task); });
  const double steps =
      static_cast<double>(task.epochs) * static_cast<double>((task.data.size(0) + task.batch - 1) / task.batch);
  std::printf("%-32s %8.3f  [%.3f, %.3f]  %10.1f us a step by hand, %d pairs\n", task.name, ratio.median, ratio.low,
              ratio.high, 1e6 * ratio.seconds / steps, task.pairs);
}

}  // namespace

int main(int argc, char** argv) {
  const int scale = argc > 1 ? std::atoi(argv[1]) : 1;
  torch::manual_seed(1);
  std::printf("regimen %s, LibTorch %s\n%-32s %8s\n", regimen::version, TORCH_VERSION, "", "run / by hand [quartiles]");

  torch::set_num_threads(1);
  compare(torch::nn::Sequential(torch::nn::Linear(2, 100), torch::nn::ReLU(), torch::nn::Linear(100, 100),
                                torch::nn::ReLU(), torch::nn::Linear(100, 1)),
          {"toy network, batch 10, 1 thread", torch::randn({100, 2}), torch::randint(2, {100}, torch::kLong),
           rg::BinaryCrossEntropy{}, 10, 100, 41 * scale});

  const int threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  torch::set_num_threads(threads);
  compare(PooledResNet(1, 10), {"pooled ResNet 308 k, batch 64", torch::randn({640, 1, 28, 28}),
                                torch::randint(10, {640}, torch::kLong), rg::CrossEntropy{}, 64, 2, 15 * scale});
  return 0;
}
