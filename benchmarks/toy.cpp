// The paper's toy on random labels, 2-100-100-1, batch 10, one thread: `run` against five ways of doing it in PyTorch.
//
//     benchmark-toy [ours]        `ours`: one turn of ours alone, to be looked at with a profiler

#include <torch/torch.h>

#include <cstdio>
#include <string>

#include <regimen/regimen.hpp>

#include "measure.hpp"
#include "peer.hpp"

namespace rg = regimen;

namespace {

constexpr int epochs = 200;  // of ten steps, a turn

/// Trains for a turn; the fit is scored after every epoch, or after the last alone.
class Toy {
 public:
  double train(bool score_every_epoch) {
    const rg::Scoring scoring{.every = score_every_epoch ? 1 : epochs, .score_fit = score_every_epoch};
    return seconds_of([&] { rg::run(net_, {phase_}, scoring); });
  }

 private:
  torch::nn::Sequential net_{torch::nn::Linear(2, 100), torch::nn::ReLU(), torch::nn::Linear(100, 100),
                             torch::nn::ReLU(), torch::nn::Linear(100, 1)};
  // The authors' rate is for the sum of the loss over a batch; this is the same training for its mean.
  torch::optim::SGD sgd_{net_->parameters(), torch::optim::SGDOptions(0.03)};
  rg::Phase phase_{.name = "memorize",
                   .data = rg::frozen(rg::two_clusters(50, 137), rg::UniformLabels{.classes = 2}, 1),
                   .optimizer = sgd_,
                   .epochs = epochs,
                   .batch = 10,
                   .loss = rg::BinaryCrossEntropy{},
                   .execute = {.fused = true}};
};

}  // namespace

int main(int argc, char** argv) {
  torch::set_num_threads(1);
  torch::manual_seed(137);
  if (argc > 1 && std::string(argv[1]) == "ours") {
    std::printf("%.3f s\n", Toy().train(false));
    return 0;
  }
  const Report report("The toy's pre-training on random labels, batch 10, one thread, 2,000 steps a turn");
  Toy toy;
  const auto against = [&](const std::string& variant, const std::string& what, bool scored, double goal) {
    Peer peer({"toy.py", "--variant", variant, "--steps", std::to_string(10 * epochs)});
    report.faster(scored ? "run with a fused step, fit scored every epoch" : "run with a fused step", what, goal,
                  take_turns(11, [&] { return toy.train(scored); }, [&] { return peer.go(); }));
  };
  against("authors", "the authors' recipe with its DataLoader", false, 4);
  against("authors-evaluating", "the same with its evaluation after every epoch", true, 6);
  against("idiomatic", "idiomatic PyTorch", false, 3);
  against("fastest-eager", "the fastest eager PyTorch with torch.optim", false, 1.5);
  against("bare-eager", "PyTorch's autograd alone, no modules and no torch.optim", false, 1);
  return 0;
}
