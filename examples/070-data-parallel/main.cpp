// One network, trained by several processes that each compute a part of every batch. Whatever their number, 1, 2, 4 or
// 8, the last line is the same to the last digit, also when they are killed and go on as another number of processes.
//
//     data_parallel FOLDER [EPOCHS]                                           one process
//     torchrun --no_python --nproc_per_node 2 data_parallel FOLDER            two, on this machine
//     srun --ntasks 2 data_parallel FOLDER                                    two, of SLURM
//     mpirun -n 2 data_parallel FOLDER                                        two, of Open MPI or MPICH

#include <torch/torch.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

#include <regimen/adapt/c10d.hpp>
#include <regimen/experiment/signals.hpp>
#include <regimen/regimen.hpp>

namespace rg = regimen;

namespace {

void train(const std::string& folder, int epochs) {
  const rg::experiment::StopSignals signals;  // a launcher sends SIGTERM to end a run; made before there are threads

  // torchrun and SLURM say where the processes meet; for those of mpirun it is a file.
  const rg::C10dGroup group = rg::connect(rg::read_launch(), {.file = folder + "/meeting"});

  // Every process makes the same network, for it has the same seed.
  torch::manual_seed(1);
  torch::nn::Sequential net(torch::nn::Linear(2, 64), torch::nn::BatchNorm1d(64), torch::nn::ReLU(),
                            torch::nn::Dropout(0.1), torch::nn::Linear(64, 64), torch::nn::ReLU(),
                            torch::nn::Linear(64, 2));
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.05).momentum(0.9));

  // All of them go on from one checkpoint; process 0 alone writes it, and the log.
  rg::RunOptions options{.stop = signals.token(), .share = group};
  const std::string file = folder + "/run.pt";
  if (std::filesystem::exists(file)) {
    options.from = rg::load_checkpoint(file, net, sgd);
  }
  rg::Checkpoint keep(file, {.steps = 7}, net, sgd);

  const rg::Phase phase{.name = "learn",
                        .data = rg::two_clusters(/*per_class=*/500, /*seed=*/2),
                        .optimizer = sgd,
                        .epochs = epochs,
                        .lr_scale = rg::Cosine{.epochs = static_cast<double>(epochs)},
                        .batch = 100};
  const rg::Scoring scoring{.test = rg::two_clusters(1000, /*seed=*/3), .every = 5};
  const rg::History history = rg::run(net, {phase}, scoring, options, keep, rg::CsvLog(folder + "/epochs.csv"));

  if (group.rank() == 0 && history.ended() == rg::Ended::epochs) {
    torch::save(net, folder + "/net.pt");
    std::printf("after %d epochs: test %.1f %%, train loss %.17g\n", epochs, 100 * history.back().test.accuracy,
                history.back().train_loss);
  }
}

}  // namespace

int main(int count, char** words) {
  try {
    train(count > 1 ? words[1] : ".", count > 2 ? std::stoi(words[2]) : 20);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
  return 0;
}
