#include "support/training.hpp"

#include "support/awkward.hpp"
#include "support/processes.hpp"

#include <regimen/share.hpp>

#include <unistd.h>

#include <limits>

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
    for (const double number : {epoch.train_loss, epoch.learning_rate, epoch.fit.loss, epoch.fit.accuracy,
                                epoch.clean.loss, epoch.test.loss, epoch.test.accuracy, epoch.validation.loss}) {
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
  const rg::Batch data = points(70, 5);
  const auto track = [&](const rg::RunOptions& options, const std::string& name) {
    auto net = plain_network(3);
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.2));
    const rg::Phase phase{.data = data, .optimizer = sgd, .epochs = 3, .batch = 32, .seed = 3};
    rg::AreaUnderMargin margins(data);
    rg::ForgettingEvents forgetting(data);
    std::string sizes;
    const auto look = [&](const rg::Step& step) {
      const rg::Batch& batch = step.pass.batch;
      sizes += rg::detail::text(batch.size()) + " " + rg::detail::text(step.pass.output.size(0)) + " ";
      if (!torch::equal(batch.data, data.data.index_select(0, batch.id)) ||
          !torch::equal(batch.target, data.target.index_select(0, batch.id))) {
        throw std::logic_error("rows of a batch that are not those of its ids");
      }
    };
    rg::CsvLog log(folder / (name + ".csv"));
    rg::TensorBoardLog board(folder / (name + ".tfevents"));
    rg::run(net, {phase}, {}, options, margins, forgetting, look, log, board);
    if (sizes != "32 32 32 32 6 6 32 32 32 32 6 6 32 32 32 32 6 6 ") {
      throw std::logic_error("batches of " + sizes);
    }
    return margins.values();
  };
  const at::Tensor alone = track({}, "alone");
  for (const std::string& each : in_processes(4, [&](const processes::Group& group) {
         const at::Tensor margins = track({.share = group}, "shared");
         return rg::detail::text((margins - alone).abs().max().item<double>());
       })) {
    CAPTURE(each);
    REQUIRE(each.rfind("error", 0) != 0);
    CHECK(std::stod(each) < 1e-4);
  }
  // A header and a line for each epoch, not four of them.
  const std::string lines = content_of(folder / "shared.csv");
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 4);
  CHECK(content_of(folder / "shared.tfevents").size() == content_of(folder / "alone.tfevents").size());
}

namespace {

/// Trains in 1, 2, 4 and 8 processes with a change, which must make no difference between them.
void check_same(const std::function<void(rg::Phase&, rg::Scoring&)>& change) {
  same_for_any_number([&](const processes::Group& group) {
    auto net = network(7);
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
    rg::Phase phase{.name = "train", .data = points(70, 5), .optimizer = sgd, .epochs = 3, .batch = 32, .seed = 3};
    rg::Scoring scoring{.test = points(50, 6), .batch = 16};
    change(phase, scoring);
    const rg::Model model(net);
    const rg::History history = rg::run(model, phase, scoring, {.share = group});
    std::string all = left_by(model, history);
    for (const rg::Epoch& epoch : history) {
      for (const auto& [name, value] : epoch.measures) {
        all += name + " " + rg::detail::text(value) + " ";
      }
    }
    return all;
  });
}

/// Adds noise of LibTorch's own generator, in place of a key's.
rg::Batch noisy(rg::Batch batch, const rg::Key& /*key*/) {
  batch.data = batch.data + 0.1 * torch::randn_like(batch.data);
  return batch;
}

}  // namespace

TEST_CASE("shared run: whatever draws from LibTorch's generator draws the same", "[share]") {
  SECTION("a measure") {
    check_same([](rg::Phase&, rg::Scoring& scoring) {
      scoring.measures = {{"dice", [](const rg::Probe&) { return torch::rand({1}).item<double>(); }}};
    });
  }
  SECTION("preprocessing, in scores too") {
    check_same([](rg::Phase& phase, rg::Scoring&) { phase.preprocess = {noisy}; });
  }
  SECTION("a gradient hook") {
    struct Langevin {
      void gradient(const rg::Pass& pass) const {
        for (const at::Tensor& parameter : pass.parameters) {
          parameter.mutable_grad().add_(torch::randn_like(parameter), 0.01);
        }
      }
    };
    check_same([](rg::Phase& phase, rg::Scoring&) { phase.regularize = {Langevin{}}; });
  }
}

TEST_CASE("shared run: a criterion on a clock of one's own ends the phase as process 0 says", "[share]") {
  const auto all = in_processes(4, [](const processes::Group& group) {
    auto net = plain_network(3);
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.2));
    rg::Phase phase{.data = points(70, 5), .optimizer = sgd, .epochs = 9, .batch = 32};
    // Process 0 would end after 3 epochs, the others after 1.
    phase.until = [group](const rg::History& history) { return history.size() >= (group.rank() == 0 ? 3 : 1); };
    return rg::detail::text(rg::run(net, phase, {}, {.share = group}).size());
  });
  CHECK(all == std::vector<std::string>(4, "3"));
}

namespace {

/// Buffers of every kind, of which the forward pass changes some.
struct BuffersImpl : torch::nn::Module {
  BuffersImpl() {
    torch::manual_seed(5);
    linear = register_module("linear", torch::nn::Linear(2, 3));
    mask = register_buffer("mask", torch::full({2, 2}, -std::numeric_limits<float>::infinity()).triu(1));
    large = register_buffer("large", torch::tensor({(std::int64_t{1} << 53) + 1}));
    turns = register_buffer("turns", torch::complex(torch::ones({2}), torch::full({2}, 2.0)));
    precise = register_buffer("precise", torch::full({1}, 1.0 / 3, torch::kDouble));
    count = register_buffer("count", torch::zeros({}, torch::kLong));
    flag = register_buffer("flag", torch::zeros({1}, torch::kBool));
    mean = register_buffer("mean", torch::zeros({3}));
  }
  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor y = linear(x);
    if (is_training()) {
      count += 1;
      flag.fill_(true);
      mean.lerp_(y.detach().mean(0), 0.5);
    }
    return y;
  }
  torch::nn::Linear linear{nullptr};
  at::Tensor mask, large, turns, precise, count, flag, mean;
};
TORCH_MODULE(Buffers);

}  // namespace

TEST_CASE("shared run: buffers of every kind stay as they are, or change as in one process", "[share]") {
  const Buffers untrained;
  same_for_any_number([&](const processes::Group& group) {
    Buffers net;
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1));
    const rg::Model model(net);
    const rg::Phase phase{.data = points(64, 5), .optimizer = sgd, .epochs = 2, .batch = 32};
    const rg::History history = rg::run(model, phase, {}, {.share = group});
    for (const auto& [now, before] : {std::pair{net->mask, untrained->mask},
                                      {net->large, untrained->large},
                                      {net->turns, untrained->turns},
                                      {net->precise, untrained->precise}}) {
      if (!torch::equal(now, before)) {
        return std::string("error: a buffer that nobody changed is another one");
      }
    }
    if (net->count.item<std::int64_t>() != 4 || !net->flag.item<bool>() || net->mean.abs().min().item<double>() == 0) {
      return std::string("error: a buffer has not been changed");
    }
    return left_by(model, history);
  });
}

namespace {

/// Calls train(group, phase, net), with a phase of one epoch, in so many processes: the error of each, by rank.
std::vector<std::string> errors_with(
    int count, const std::function<void(const processes::Group&, const rg::Phase&, torch::nn::Sequential&)>& train) {
  return in_processes(count, [&](const processes::Group& group) {
    auto net = plain_network(3);
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.2));
    train(group, {.data = points(70, 5), .optimizer = sgd, .epochs = 1, .batch = 32}, net);
    return std::string("no error");
  });
}

}  // namespace

TEST_CASE("shared run: an observer of steps in one process is an error of all", "[share]") {
  const auto all = errors_with(2, [](const auto& group, const rg::Phase& phase, torch::nn::Sequential& net) {
    const rg::RunOptions options{.share = group};
    const auto count = [](const rg::Step&) {};
    group.rank() == 0 ? rg::run(net, {phase}, {}, options, count) : rg::run(net, {phase}, {}, options);
  });
  for (const std::string& each : all) {
    CAPTURE(each);
    CHECK(contains(each, "an_observer_looks_at_steps"));
  }
}

TEST_CASE("shared run: an error in the last lines of one process is an error of all", "[share]") {
  const auto all = errors_with(4, [](const auto& group, const rg::Phase& phase, torch::nn::Sequential& net) {
    const auto fails = [&](const rg::Boundary& boundary) {
      if (boundary.last && group.rank() == 0) {
        throw std::runtime_error("no space left");
      }
    };
    rg::run(net, {phase}, {}, {.share = group}, fails);
  });
  for (const std::string& each : all) {
    CAPTURE(each);
    CHECK(contains(each, "no space left"));
  }
}

TEST_CASE("shared run: processes that send different messages learn what each of them is at", "[share]") {
  const auto all = in_processes(2, [](const processes::Group& group) {
    const rg::DataParallel share(group);
    const at::Tensor numbers = torch::ones({2000 + 10 * group.rank()});
    return rg::detail::text(share.all_gather(numbers, group.rank() == 0 ? "a sum" : "a score").size(0));
  });
  for (const std::string& each : all) {
    CHECK(contains(each, "process 0 is at a sum (8000 bytes), process 1 at a score (8040 bytes)"));
  }
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
