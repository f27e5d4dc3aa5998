// Training on images, one step after another: `run` as the flagship uses it against the authors' loop in PyTorch and
// against PyTorch with tensors, at equal precision and memory format.
//
//     benchmark-images [resnet18 | pooled]        both networks unless one is named

#include <torch/torch.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include <regimen/regimen.hpp>

#include "../examples/kit/memory.hpp"
#include "../examples/kit/networks.hpp"
#include "measure.hpp"
#include "peer.hpp"

namespace rg = regimen;

namespace {

struct Task {
  std::string model;
  int channels;
  int side;
  int batch;
  int steps;  ///< a turn
  int pairs;
};

/// Training with all three regularizers of the paper.
class Training {
 public:
  Training(const Task& task, const torch::Device& device, rg::Precision precision)
      : net_(kit::make_network(task.model, 10, task.channels)),
        sgd_(net_->parameters(), torch::optim::SGDOptions(0.01).momentum(0.9).weight_decay(5e-4)) {
    const std::int64_t images = static_cast<std::int64_t>(task.batch) * task.steps;
    const rg::Batch data{torch::randint(256, {images, task.channels, task.side, task.side}, torch::kByte),
                         torch::randint(10, {images}, torch::kLong)};
    phase_.name = task.model;
    phase_.data = to(data, device);
    phase_.optimizer = sgd_;
    phase_.epochs = 1;
    phase_.batch = task.batch;
    phase_.augment = {rg::RandomCrop{.padding = task.side / 8}, rg::HorizontalFlip{}};
    phase_.preprocess = {rg::Normalize{.mean = std::vector<double>(static_cast<std::size_t>(task.channels), 0.5),
                                       .stddev = std::vector<double>(static_cast<std::size_t>(task.channels), 0.25)}};
    phase_.execute = {.precision = precision, .memory_format = rg::MemoryFormat::channels_last, .fused = true};
    phase_.execute.device = device.str();
  }

  /// A turn: an epoch.
  double train() {
    return seconds_of([&] { rg::run(net_, {phase_}, rg::Scoring{.score_fit = false}); });
  }

 private:
  std::shared_ptr<rg::networks::Network> net_;
  torch::optim::SGD sgd_;
  rg::Phase phase_;
};

void compare(const Report& report, const Task& task, rg::Precision precision) {
  const std::string type = name_of(precision);
  const std::string ours =
      "run with a fused step, " + task.model + ", " + type + ", channels_last, batch " + std::to_string(task.batch);
  const auto peer_words = [&](const char* variant) -> std::vector<std::string> {
    return {"images.py",
            "--model",
            task.model,
            "--variant",
            variant,
            "--device",
            "cpu",
            "--threads",
            std::to_string(torch::get_num_threads()),
            "--batch",
            std::to_string(task.batch),
            "--channels",
            std::to_string(task.channels),
            "--side",
            std::to_string(task.side),
            "--padding",
            std::to_string(task.side / 8),
            "--workers",
            "0",
            "--steps",
            std::to_string(task.steps)};
  };
  {
    Training training(task, torch::kCPU, precision);
    Peer peer(peer_words("authors"));
    report.faster(ours, "the authors' recipe, fp32, DataLoader", 3,
                  take_turns(task.pairs, [&] { return training.train(); }, [&] { return peer.go(); }));
  }
  Training training(task, torch::kCPU, precision);
  std::vector<std::string> words = peer_words("idiomatic");
  words.insert(words.end(), {"--precision", type});
  Peer peer(words);
  report.faster(ours, "PyTorch with tensors, " + type + ", channels_last", 1,
                take_turns(task.pairs, [&] { return training.train(); }, [&] { return peer.go(); }));
}

}  // namespace

int main(int argc, char** argv) {
  kit::keep_memory();  // as the flagship
  const std::string only = argc > 1 ? argv[1] : "";
  torch::manual_seed(1);
  torch::set_num_threads(static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  const rg::Precision precision = rg::cpu_has_bf16() ? rg::Precision::bf16 : rg::Precision::fp32;
  const Report report("Training on images on the CPU, " + std::to_string(torch::get_num_threads()) + " threads");
  for (const Task& task : {Task{"pooled", 1, 28, 64, 20, 7}, Task{"resnet18", 3, 32, 128, 1, 5}}) {
    if (only.empty() || only == task.model) {
      compare(report, task, precision);
    }
  }
  return 0;
}
