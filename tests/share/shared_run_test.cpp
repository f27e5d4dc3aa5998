#include "support/training.hpp"

#include "support/awkward.hpp"
#include "support/processes.hpp"

#include <regimen/share.hpp>

namespace {

using namespace training;
using processes::in_processes;

/// Everything that a run leaves: weights and buffers to the bit, and the record without wall times.
std::string left_by(const rg::Model& model, const rg::History& history) {
  std::string all;
  for (const rg::Named& named : model.named_tensors()) {
    all += rg::detail::crc32_of(named.tensor) + " ";
  }
  for (const rg::Epoch& epoch : history) {
    for (const double number : {epoch.train_loss, epoch.fit.loss, epoch.fit.accuracy, epoch.test.loss}) {
      all += rg::detail::text(number) + " ";
    }
  }
  return all;
}

/// What one process leaves, after it was checked that 2, 4 and 8 leave the same.
std::string same_for_any_number(const std::function<std::string(const processes::Group&)>& work) {
  const std::string alone = in_processes(1, work).front();
  CAPTURE(alone);
  CHECK(alone.rfind("error", 0) != 0);
  for (const int count : {2, 4, 8}) {
    CAPTURE(count);
    for (const std::string& one : in_processes(count, work)) {
      CHECK(one == alone);
    }
  }
  return alone;
}

rg::Batch repeated(const rg::Batch& batch, std::int64_t times) {
  const std::vector<at::Tensor> data(static_cast<std::size_t>(times), batch.data);
  const std::vector<at::Tensor> target(static_cast<std::size_t>(times), batch.target);
  return {.data = at::cat(data), .target = at::cat(target)};
}

}  // namespace

TEST_CASE("shared run: awkward networks have the same bits for 1, 2, 4 and 8 processes", "[share]") {
  const std::size_t count = awkward::all_ten().size();
  for (std::size_t i = 0; i < count; ++i) {
    if (awkward::all_ten()[i].name == "buffers alone") {
      continue;  // no parameter to train
    }
    CAPTURE(awkward::all_ten()[i].name);
    same_for_any_number([i](const processes::Group& group) {
      const awkward::Network net = awkward::all_ten()[i];
      const rg::Batch data = repeated(net.batch, 4);  // 36 samples: a batch of 32, one of 4
      torch::optim::SGD sgd(net.model.parameters(), torch::optim::SGDOptions(0.05).momentum(0.9));
      const rg::Phase phase{.name = "train", .data = data, .optimizer = sgd, .epochs = 2, .batch = 32, .seed = 4};
      const rg::History history = rg::run(net.model, phase, {.test = net.batch}, {.share = group});
      return left_by(net.model, history);
    });
  }
}

namespace {

/// A regime that is trained by every number of processes.
struct Regime {
  std::string name;
  std::function<void(rg::Phase&, torch::nn::Sequential&)> change;
};

std::string trained(const Regime& regime, const rg::RunOptions& options) {
  auto net = network(7);
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9).weight_decay(1e-3));
  rg::Phase phase{.name = "train", .data = points(70, 5), .optimizer = sgd, .epochs = 2, .batch = 32, .seed = 3};
  regime.change(phase, net);
  const rg::Model model(net);
  return left_by(model, rg::run(model, phase, {.test = points(50, 6), .batch = 16}, options));
}

}  // namespace

TEST_CASE("shared run: regimes have the same bits for 1, 2, 4 and 8 processes", "[share]") {
  const auto adds_noise = [](rg::Batch batch, const rg::Key& key) {
    batch.data = batch.data + 0.1 * key.normal({2});
    return batch;
  };
  const std::vector<Regime> regimes = {
      {"augmented", [&](rg::Phase& phase, auto&) { phase.augment = {adds_noise}; }},
      {"draws from LibTorch's generator",
       [](rg::Phase& phase, auto&) {
         phase.augment = {[](rg::Batch batch, const rg::Key&) {
           batch.data = batch.data + 0.1 * torch::randn_like(batch.data);
           return batch;
         }};
       }},
      {"accumulated", [](rg::Phase& phase, auto&) { phase.batch = 16, phase.accumulate = 3; }},
      {"penalties",
       [](rg::Phase& phase, auto&) { phase.regularize = {rg::L2{.strength = 0.01}, rg::ConfidencePenalty{}}; }},
      {"gradient hooks",
       [](rg::Phase& phase, auto&) {
         phase.regularize = {rg::Sam{.rho = 0.05}, rg::ClipGradients{.max_norm = 1}, rg::GradientNoise{.eta = 0.01}};
       }},
      {"bf16", [](rg::Phase& phase, auto&) { phase.execute.precision = rg::Precision::bf16; }},
      {"fused", [](rg::Phase& phase, auto&) { phase.execute.fused = true; }},
      {"ignored labels", [](rg::Phase& phase, auto&) { phase.loss = rg::CrossEntropy{.ignore_index = 2}; }},
      {"weighted labels", [](rg::Phase& phase, auto&) { phase.loss = rg::CrossEntropy{.class_weights = {1, 2, 0.5}}; }},
      {"one batch", [](rg::Phase& phase, auto&) { phase.batch = 1000; }},
  };
  for (const Regime& regime : regimes) {
    CAPTURE(regime.name);
    same_for_any_number([&](const processes::Group& group) { return trained(regime, {.share = group}); });
  }
}

TEST_CASE("shared run: without BatchNorm and dropout it is a run of one process up to rounding", "[share]") {
  for (const std::int64_t accumulate : {1, 2}) {
    const auto train = [&](const rg::RunOptions& options) {
      auto net = plain_network(3);
      torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.2).momentum(0.9));
      const rg::Phase phase{.data = points(70, 5),
                            .optimizer = sgd,
                            .epochs = 3,
                            .batch = 16,
                            .loss = rg::CrossEntropy{.class_weights = {1, 2, 0.5}},
                            .regularize = {rg::L2{.strength = 0.01}, rg::ConfidencePenalty{}},
                            .accumulate = accumulate,
                            .seed = 3};
      const rg::History history = rg::run(net, phase, {}, options);
      return std::pair(weights(net), history);
    };
    const auto [alone, alone_history] = train({});
    const auto [shared, shared_history] = train({.share = rg::Alone{}});
    CHECK(difference(alone, shared) < 2e-6);
    CHECK(difference(alone, weights(plain_network(3))) > 0.1);
    for (std::size_t i = 0; i < alone_history.epochs.size(); ++i) {
      CHECK(shared_history.epochs[i].train_loss == Approx(alone_history.epochs[i].train_loss).epsilon(1e-5));
      CHECK(shared_history.epochs[i].fit.loss == Approx(alone_history.epochs[i].fit.loss).epsilon(1e-5));
      CHECK(shared_history.epochs[i].fit.samples == 70);
    }
  }
}

TEST_CASE("shared run: BatchNorm normalizes over a shard, its statistics are the mean over them", "[share]") {
  torch::manual_seed(1);
  torch::nn::Sequential net(torch::nn::BatchNorm1d(2), torch::nn::Linear(2, 3));
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.0));
  const rg::Batch data = points(21, 9);
  const rg::Phase phase{.data = data, .optimizer = sgd, .epochs = 1, .batch = 21, .shuffle = false};
  rg::run(net, phase, {}, {.share = rg::DataParallel(rg::Alone{}, 4)});
  // 21 rows in 4 shards: 5, 5, 5, 6.
  at::Tensor mean = torch::zeros({2});
  at::Tensor variance = torch::zeros({2});
  for (const auto& [begin, length] : {std::pair(0, 5), {5, 5}, {10, 5}, {15, 6}}) {
    const at::Tensor rows = data.data.narrow(0, begin, length);
    mean += rows.mean(0) * (length / 21.0);
    variance += rows.var(0, /*unbiased=*/true) * (length / 21.0);
  }
  const auto buffers = net->named_buffers();
  CHECK(torch::allclose(buffers["0.running_mean"], 0.1 * mean, 1e-5, 1e-7));
  CHECK(torch::allclose(buffers["0.running_var"], 0.9 + 0.1 * variance, 1e-5, 1e-7));
  CHECK(buffers["0.num_batches_tracked"].item<std::int64_t>() == 1);
}

TEST_CASE("shared run: it resumes with another number of processes", "[share]") {
  const Folder folder;
  const auto go_on = [&](const processes::Group& group, std::int64_t steps) {
    auto net = network(7);
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
    const rg::Phase phase{.data = points(70, 5), .optimizer = sgd, .epochs = 4, .batch = 16, .seed = 3};
    const std::string path = folder / "run.pt";
    std::stop_source stop;
    rg::RunOptions options{.stop = stop.get_token(), .share = group};
    if (std::filesystem::exists(path)) {
      options.from = rg::load_checkpoint(path, net, sgd);
    }
    std::int64_t taken = 0;
    const auto limit = [&](const rg::Step&) {
      // Asked on one process alone: all of them stop.
      if (++taken == steps && group.rank() == group.size() - 1) {
        stop.request_stop();
      }
    };
    rg::Checkpoint keep(path, {}, net, sgd);
    const rg::History history = rg::run(net, {phase}, {}, options, keep, limit);
    return left_by(net, history);
  };
  const std::string whole =
      in_processes(1, [&](const processes::Group& group) { return go_on(group, /*steps=*/1000); }).front();
  std::filesystem::remove(folder / "run.pt");
  std::vector<std::string> last;
  for (const int count : {2, 8, 1, 4, 2}) {
    last = in_processes(count, [&](const processes::Group& group) { return go_on(group, count == 2 ? 3 : 5); });
  }
  last = in_processes(4, [&](const processes::Group& group) { return go_on(group, 1000); });
  for (const std::string& each : last) {
    CHECK(each == whole);
  }
}

TEST_CASE("shared run: observers see whole batches, and one process writes", "[share]") {
  const Folder folder;
  const auto track = [&](const rg::RunOptions& options, const std::string& name) {
    auto net = plain_network(3);
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.2));
    const rg::Batch data = points(70, 5);
    const rg::Phase phase{.data = data, .optimizer = sgd, .epochs = 3, .batch = 32, .seed = 3};
    rg::AreaUnderMargin margins(data);
    rg::ForgettingEvents forgetting(data);
    std::int64_t steps = 0;
    const auto look = [&](const rg::Step& step) {
      ++steps;
      CHECK(step.pass.batch.size() == (step.clock.batch == 0 || step.clock.batch == 3 ? 6 : 32));
      CHECK(torch::equal(step.pass.batch.data, data.data.index_select(0, step.pass.batch.id)));
      CHECK(torch::equal(step.pass.batch.target, data.target.index_select(0, step.pass.batch.id)));
    };
    rg::CsvLog log(folder / name);
    rg::run(net, {phase}, {}, options, margins, forgetting, look, log);
    CHECK(steps == 9);
    return margins.values();
  };
  const at::Tensor alone = track({}, "alone.csv");
  for (const std::string& each : in_processes(4, [&](const processes::Group& group) {
         const at::Tensor margins = track({.share = group}, "shared.csv");
         return rg::detail::text((margins - alone).abs().max().item<double>());
       })) {
    CAPTURE(each);
    CHECK(std::stod(each) < 1e-4);
  }
  // A header and a line for each epoch, not four of them.
  const std::string lines = content_of(folder / "shared.csv");
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 4);
}

TEST_CASE("shared run: processes that differ hear so before the first step", "[share]") {
  const auto errors_of = [](const std::function<void(rg::Phase&, torch::nn::Sequential&)>& change) {
    return in_processes(4, [&](const processes::Group& group) {
      auto net = plain_network(3);
      torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.2));
      rg::Phase phase{.data = points(70, 5), .optimizer = sgd, .epochs = 3, .batch = 32, .seed = 3};
      if (group.rank() == 2) {
        change(phase, net);
      }
      int steps = 0;
      const auto count = [&](const rg::Step&) { ++steps; };
      try {
        rg::run(net, phase, {}, {.share = group}, count);
      } catch (const rg::Error& error) {
        return rg::detail::text(steps) + " " + error.what();
      }
      return std::string("no error");
    });
  };
  const auto all_have = [](const std::vector<std::string>& errors, const std::string& part) {
    for (const std::string& error : errors) {
      CAPTURE(error);
      CHECK(error.rfind("0 ", 0) == 0);
      CHECK(contains(error, "process 2"));
      CHECK(contains(error, part));
    }
  };
  all_have(errors_of([](rg::Phase& phase, auto&) { phase.seed = 4; }), "\"seed\": 4");
  all_have(errors_of([](rg::Phase& phase, auto&) { phase.epochs = 4; }), "\"epochs\": 4");
  all_have(errors_of([](rg::Phase& phase, auto&) { phase.data = points(70, 6); }), "crc32");
  all_have(errors_of([](rg::Phase&, torch::nn::Sequential& net) {
             const at::NoGradGuard no_grad;
             net->parameters()[0][0][0] += 1;
           }),
           "crc32");
}

TEST_CASE("shared run: what differs later ends all processes with the reason", "[share]") {
  const auto errors_of = [](const std::function<void(rg::Phase&, int)>& change) {
    return in_processes(2, [&](const processes::Group& group) {
      auto net = plain_network(3);
      torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.2));
      rg::Phase phase{.name = "train", .data = points(70, 5), .optimizer = sgd, .epochs = 3, .batch = 32, .seed = 3};
      change(phase, group.rank());
      rg::run(net, phase, {}, {.share = group});
      return std::string("no error");
    });
  };
  SECTION("a transform that throws on one of them") {
    const auto errors = errors_of([](rg::Phase& phase, int rank) {
      auto calls = std::make_shared<int>(0);
      phase.augment = {[calls, rank](rg::Batch batch, const rg::Key&) {
        if (rank == 1 && ++*calls > 6) {
          throw std::runtime_error("the disk is gone");
        }
        return batch;
      }};
    });
    for (const std::string& error : errors) {
      CAPTURE(error);
      CHECK(contains(error, "the disk is gone"));
    }
  }
  SECTION("a hook that does not do the same on each") {
    static int factor = 1;  // which no manifest knows
    struct Sneaky {
      void gradient(const rg::Pass& pass) const { pass.parameters[0].mutable_grad().mul_(factor); }
    };
    const auto errors = errors_of([](rg::Phase& phase, int rank) {
      factor = 1 + rank;
      phase.regularize = {Sneaky{}};
    });
    for (const std::string& error : errors) {
      CAPTURE(error);
      CHECK(contains(error, "Phase \"train\""));
      CHECK(contains(error, "process 1"));
    }
  }
}

TEST_CASE("shared run: a batch too small for its shards is an error where the network minds", "[share]") {
  const auto error = [](torch::nn::Sequential net, std::int64_t batch, int shards) {
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.2));
    const rg::Phase phase{.name = "train", .data = points(70, 5), .optimizer = sgd, .epochs = 1, .batch = batch};
    return error_of([&] { rg::run(net, phase, {}, {.share = rg::DataParallel(rg::Alone{}, shards)}); });
  };
  const std::string said = error(network(1), 10, 8);
  CAPTURE(said);
  CHECK(contains(said, "Phase \"train\".batch must be at least 16"));
  CHECK(contains(said, "but is 10"));
  CHECK(error(network(1), 10, 4).empty());
  CHECK(error(network(1), 16, 8).empty());
  CHECK(error(plain_network(1), 10, 8).empty());
}
