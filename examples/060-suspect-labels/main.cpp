// Which labels are wrong? Writes what cleanlab reads, and the area under the margin beside it, into
// results/suspect-labels: a training set of 1,000 points, of whose labels exactly 200 are wrong.
//
//     build/default/examples/060-suspect-labels
//     python3 examples/060-suspect-labels/find_label_issues.py results/suspect-labels

#include <torch/torch.h>

#include <cstdio>
#include <string>

#include <regimen/regimen.hpp>

namespace rg = regimen;

namespace {

/// A network that was trained on these data for 30 epochs.
template <class... Observers>
torch::nn::Sequential trained_on(const rg::Source& data, Observers&... observers) {
  torch::manual_seed(1);
  torch::nn::Sequential net(torch::nn::Linear(2, 64), torch::nn::ReLU(), torch::nn::Linear(64, 2));
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  rg::run(net, {{.data = data, .optimizer = sgd, .epochs = 30, .batch = 50, .seed = 1}}, {}, observers...);
  return net;
}

}  // namespace

int main() {
  const std::string folder = "results/suspect-labels";
  const rg::Source clean = rg::two_moons(/*per_class=*/500, /*noise=*/0.15, /*seed=*/2);
  const rg::UniformLabels wrong{.classes = 2, .exclude_true = true};
  const rg::Source noisy = rg::frozen(clean, wrong, /*seed=*/7, rg::exactly(0.2));

  // cleanlab wants what a network says of samples that it was not trained on.
  const auto train = [](const rg::Source& rest) { return trained_on(rest); };
  rg::write_predictions(folder, rg::held_out_predictions(noisy, {.folds = 5, .seed = 1}, train));

  // The area under the margin comes from one training on all samples.
  rg::AreaUnderMargin area(noisy);
  rg::TensorBoardFile board(folder + "/board/margins.tfevents");  // tensorboard --logdir results/suspect-labels/board
  const auto margins = [&](const rg::Epoch& epoch) {
    board.histogram("area under the margin", epoch.clock.epoch, rg::doubles_of(area.values()));
  };
  trained_on(noisy, area, margins);
  rg::write_npy(folder + "/area_under_margin.npy", area.values());

  const torch::Tensor mask = rg::split_by_noise(noisy, clean).mask;
  rg::write_npy(folder + "/wrong.npy", mask);
  const rg::Detection found = rg::detection(area.values() < 0, mask);
  std::printf("area under the margin below 0: %lld samples, %lld of the %lld wrong labels\n",
              static_cast<long long>(found.flagged), static_cast<long long>(found.found),
              static_cast<long long>(found.corrupted));
  return 0;
}
