// What goes wrong around a run: each a clear error, and nothing lost that was there before.

#include "training/helpers.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <limits>
#include <stdexcept>

namespace {

using namespace training;

struct Experiment {
  torch::nn::Sequential net = network(5);
  torch::optim::SGD sgd{net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9)};
  rg::Phase phase{.name = "train", .data = points(60, 11), .optimizer = sgd, .epochs = 3, .batch = 16, .seed = 3};
  rg::Splits splits{.test = points(30, 12)};

  Experiment() = default;
  Experiment(const Experiment&) = delete;
  Experiment& operator=(const Experiment&) = delete;

  template <class... Observers>
  rg::History run(Observers&&... observers) {
    return rg::run(net, {phase}, splits, observers...);
  }
};

/// Files may grow to `bytes` while this lives, as on a disk that is full: writes beyond fail.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE("fault: a full disk is an Error that names the file, and the checkpoint before it stays") {
  const Folder folder;
  Experiment experiment;
  rg::save_checkpoint(folder / "run.pt", {}, experiment.net, experiment.sgd);
  const std::string before = content_of(folder / "run.pt");
  {
    const FullDisk disk(1000);
    rg::Checkpoint keep(folder / "run.pt", {.steps = 1, .seconds = 0}, experiment.net, experiment.sgd);
    const std::string message = error_of([&] { experiment.run(keep); });
    CHECK(contains(message, "cannot write " + folder / "run.pt.part"));
    CHECK(contains(message, "File too large"));
    const std::string log = error_of([&] {
      rg::CsvLog csv(folder / "log.csv");
      rg::Epoch epoch;
      for (int i = 0; i < 100; ++i) {
        csv(epoch);
      }
    });
    CHECK(contains(log, "cannot write " + folder / "log.csv"));
  }
  CHECK(content_of(folder / "run.pt") == before);
  static_cast<void>(rg::load_checkpoint(folder / "run.pt", experiment.net, experiment.sgd));
}

TEST_CASE("fault: a folder that cannot be written to is an Error before the first step") {
  const std::string where = "/proc/regimen";  // read-only for root as well
  Experiment experiment;
  const auto before = weights(experiment.net);
  rg::Checkpoint keep(where + "/run.pt", {}, experiment.net, experiment.sgd);
  for (const std::string& message :
       {error_of([&] { experiment.run(keep); }), error_of([&] { experiment.run(rg::CsvLog(where + "/log.csv")); }),
        error_of([&] { experiment.run(rg::ManifestFile(where + "/m.json")); })}) {
    CHECK(contains(message, where));
  }
  CHECK(same(weights(experiment.net), before));
}

TEST_CASE("fault: NaN in the data is told from divergence") {
  Experiment experiment;
  rg::Batch bad = points(60, 11);
  bad.data[37][1] = std::numeric_limits<float>::quiet_NaN();
  experiment.phase.data = bad;
  CHECK(contains(error_of([&] { experiment.run(); }), "the data of sample 37"));
  Experiment wild;
  wild.phase.lr_scale = 1e30;
  CHECK(wild.run().ended() == rg::Ended::diverged);
}

TEST_CASE("fault: labels out of range are an Error that names the label and the bound") {
  Experiment experiment;
  rg::Batch bad = points(60, 11);
  bad.target[20] = 3;
  experiment.phase.data = bad;
  CHECK(contains(error_of([&] { experiment.run(); }), "CrossEntropy: a label must be in [0, 3)"));
  bad.target[20] = -1;
  experiment.phase.data = bad;
  CHECK(contains(error_of([&] { experiment.run(); }), "is -1"));
}

TEST_CASE("fault: no data, no epochs, no parameters, twice the same id") {
  Experiment experiment;
  const rg::Batch nobody{.data = torch::zeros({0, 2}), .target = torch::zeros({0}, torch::kLong)};
  experiment.phase.data = nobody;
  CHECK(contains(error_of([&] { experiment.run(); }), "data.size() must be above 0, but is 0"));
  CHECK(contains(error_of([&] { static_cast<void>(rg::evaluate(experiment.net, nobody)); }), "at least one sample"));

  rg::Batch twins = points(4, 1);
  twins.id = torch::tensor({5, 3, 9, 3}, torch::kLong);
  CHECK(contains(error_of([&] { static_cast<void>(rg::Source(twins)); }), "two are 3"));
  twins.id = torch::tensor({5, 3, 9, -1}, torch::kLong);
  CHECK(contains(error_of([&] { static_cast<void>(rg::Source(twins)); }), "Batch.id must be at least 0, but is -1"));

  torch::nn::Sequential empty{torch::nn::ReLU()};
  torch::optim::SGD sgd(experiment.net->parameters(), 0.1);
  const rg::Phase phase{.data = points(10, 1), .optimizer = sgd, .epochs = 1};
  const std::string message = error_of([&] { rg::run(empty, {phase}, {}); });
  CHECK((contains(message, "no parameter of the model") || contains(message, "the model has no parameters")));
}

TEST_CASE("fault: a batch larger than the data is one batch of all of them") {
  Experiment experiment;
  experiment.phase.batch = 1000;
  const rg::History history = experiment.run();
  CHECK(history.back().clock.step == 3);
}

TEST_CASE("fault: data of another type than the network's says so, and data on another device come to it") {
  Experiment experiment;
  rg::Batch in_double = points(60, 11);
  in_double.data = in_double.data.to(torch::kDouble);
  experiment.phase.data = in_double;
  CHECK_THROWS(experiment.run());
  CHECK(experiment.net->is_training());  // and everything is as it was
  Experiment moved;
  CHECK(rg::Model(moved.net).device() == at::Device(at::kCPU));
}

TEST_CASE("fault: a loss, a transform or an observer that throws loses nothing that was written") {
  const Folder folder;
  const auto boom = [] { throw std::runtime_error("boom"); };
  int calls = 0;
  const auto late = [&] {
    if (++calls == 9) {
      boom();
    }
  };
  const auto fails = [&](Experiment& experiment) {
    calls = 0;
    {
      rg::Checkpoint keep(folder / "run.pt", {.steps = 1, .seconds = 0}, experiment.net, experiment.sgd);
      CHECK_THROWS_WITH(experiment.run(rg::CsvLog(folder / "log.csv"), keep), "boom");
      calls = 0;
      CHECK_THROWS_WITH(experiment.run(rg::CsvLog(folder / "log.csv"), keep), "boom");  // the file is still its own
    }
    auto loaded = network(6);
    torch::optim::SGD sgd(loaded->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
    const rg::State state = rg::load_checkpoint(folder / "run.pt", loaded, sgd);
    CHECK(state.clock.step >= 4);
    CHECK_FALSE(std::filesystem::exists(folder / "run.pt.lock"));
    CHECK(content_of(folder / "log.csv").back() == '\n');
  };
  SECTION("a loss") {
    Experiment experiment;
    experiment.phase.loss = [&](const at::Tensor& output, const at::Tensor& target) {
      late();
      return rg::CrossEntropy{}(output, target);
    };
    experiment.splits = {.score_fit = false};
    fails(experiment);
  }
  SECTION("a transform") {
    Experiment experiment;
    experiment.phase.augment = {[&](const rg::Batch& batch, const rg::Key&) {
      late();
      return batch;
    }};
    fails(experiment);
  }
  SECTION("an observer") {
    Experiment experiment;
    calls = 0;
    rg::Checkpoint keep(folder / "run.pt", {.steps = 1, .seconds = 0}, experiment.net, experiment.sgd);
    CHECK_THROWS_WITH(experiment.run(keep, [&](const rg::Step&) { late(); }), "boom");
    CHECK(rg::load_checkpoint(folder / "run.pt", experiment.net, experiment.sgd).clock.step == 8);
  }
}

TEST_CASE("fault: an optimizer's groups with options of their own keep them, also where they equal a default") {
  // LibTorch 2.14 gives a group's option that equals the constructor's default the optimizer's value: so write it to
  // the group after the optimizer is made.
  auto net = plain_network();
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(std::vector<at::Tensor>{net->parameters()[0]});
  groups.emplace_back(std::vector<at::Tensor>{net->parameters()[1]});
  torch::optim::SGD sgd(std::move(groups), torch::optim::SGDOptions(0.1).weight_decay(5e-4));
  static_cast<torch::optim::SGDOptions&>(sgd.param_groups()[1].options()).weight_decay(0);
  const auto bias = net->parameters()[1].detach().clone();
  rg::Phase phase{
      .data = points(40, 11), .optimizer = sgd, .epochs = 2, .lr_scale = rg::Cosine{.epochs = 2}, .batch = 20};
  rg::run(net, {phase}, {});
  const auto& options = static_cast<const torch::optim::SGDOptions&>(sgd.param_groups()[1].options());
  CHECK(options.weight_decay() == 0);
  CHECK(options.lr() == 0.1);
  CHECK(contains(rg::manifest(rg::OptimizerRef(sgd)), "\"weight_decay\": 0"));
  CHECK_FALSE(net->parameters()[1].equal(bias));
}
