// Stopping anywhere and going on from a checkpoint is as if nothing had been; a file that is no checkpoint says so.

#include "support/training.hpp"

#include "support/python.hpp"

#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>
#include <stop_token>

namespace checkpoint_test {

namespace {

using namespace training;

/// Two phases with all that has state: running statistics, dropout, momentum, Adam's moments, half an accumulated
/// epoch, augmentation, damage that follows the clock, a criterion that counts, a schedule that looks back. Objects of
/// its own each time.
struct Experiment {
  static double wandering(const rg::Clock& clock) { return 0.3 + 0.1 * clock.position() + 0.02 * (clock.step % 10); }

  torch::nn::Sequential net = network(21);
  torch::optim::SGD sgd{net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9).weight_decay(1e-3)};
  torch::optim::Adam adam{net->parameters(), torch::optim::AdamOptions(0.01)};
  rg::Source train = points(44, 11);
  rg::Scoring scoring{.clean = train, .test = points(30, 12), .validation = points(30, 13), .every = 2, .fit_every = 1};
  rg::Phase memorize{
      .name = "memorize",
      .data = rg::frozen(rg::repeat(train, 2),
                         rg::chain(rg::UniformLabels{.classes = 3, .fraction = wandering}, rg::GaussianNoise{}), 5),
      .optimizer = sgd,
      .epochs = 2,
      .lr_scale = rg::LinearWarmup{.epochs = 1} * rg::Cosine{.epochs = 3},
      .batch = 16,
      .augment = {rg::GaussianNoise{.stddev = 0.1}},
      .regularize = {rg::L2{.strength = 1e-3}, rg::MaxNorm{.bound = 2}},
      .seed = 1};
  rg::Phase escape{.name = "escape",
                   .data = train,
                   .optimizer = adam,
                   .epochs = 6,
                   .until = rg::Patience{.scorings = 1, .by = 0.5} || rg::FitReaches{.accuracy = 0.97, .hold = 2},
                   .lr_scale = rg::PlateauDecay{.factor = 0.5, .patience = 0, .metric = rg::Metric::test_loss},
                   .batch = 8,
                   .augment = {rg::GaussianNoise{.stddev = 0.1}},
                   .accumulate = 2,
                   .freeze = {"4.bias"},
                   .seed = 2};
  std::string csv;

  explicit Experiment(std::string to) : csv(std::move(to)) { scoring.measures["l2"] = rg::l2_norm; }
  Experiment(const Experiment&) = delete;
  Experiment& operator=(const Experiment&) = delete;

  template <class... Observers>
  rg::History run(const rg::RunOptions& options, Observers&&... observers) {
    return rg::run(net, {memorize, escape}, scoring, options, rg::CsvLog(csv), observers...);
  }

  [[nodiscard]] rg::State load(const std::string& path) { return rg::load_checkpoint(path, net, sgd, adam); }
};

/// Asks for a stop, or dies, at the n-th of the events that it hears: every step, every epoch, every end of a phase.
struct At {
  int left;
  std::stop_source* stop = nullptr;
  int* heard = nullptr;

  void operator()(const rg::Step&) { count(); }
  void operator()(const rg::Epoch&) { count(); }
  void operator()(const rg::PhaseEnd&) { count(); }

 private:
  void count() {
    if (heard != nullptr) {
      ++*heard;
    }
    if (left > 0 && --left == 0) {
      if (stop == nullptr) {
        throw std::runtime_error("power cut");
      }
      stop->request_stop();
    }
  }
};

}  // namespace

TEST_CASE("stopping at any boundary and going on with fresh objects ends in the same bits") {
  const Folder folder;
  Experiment whole(folder / "whole.csv");
  int boundaries = 0;
  const rg::History expected = whole.run({}, At{.left = 0, .heard = &boundaries});
  const auto trained = weights(whole.net);
  const std::string csv = content_of(whole.csv);
  REQUIRE(expected.outcomes.size() == 2);
  CHECK(expected.outcomes[1].ended == rg::Ended::criterion);  // or there would be no criterion to resume
  CHECK(expected.of_phase(1).size() > 2);
  CHECK(boundaries > 20);

  const std::string path = folder / "run.pt";
  for (int k = 1; k <= boundaries; ++k) {
    CAPTURE(k);
    std::stop_source stop;
    Experiment first(folder / "resumed.csv");
    rg::Checkpoint keep(path, {.seconds = 0}, first.net, first.sgd, first.adam);
    const rg::History part = first.run({.stop = stop.get_token()}, keep, At{.left = k, .stop = &stop});
    if (part.ended() != rg::Ended::stopped) {
      CHECK(part == expected);  // asked at the very end
      continue;
    }
    torch::manual_seed(static_cast<std::uint64_t>(k));  // another process
    Experiment second(folder / "resumed.csv");
    const rg::State state = second.load(path);
    CHECK(second.run({.from = state}) == expected);
    CHECK(same(weights(second.net), trained));
    CHECK((content_of(second.csv) == csv));
  }
}

TEST_CASE("a run that dies goes on from its last checkpoint, and the log forgets what came after it") {
  const Folder folder;
  Experiment whole(folder / "whole.csv");
  int boundaries = 0;
  const rg::History expected = whole.run({}, At{.left = 0, .heard = &boundaries});
  const auto trained = weights(whole.net);

  const std::string path = folder / "run.pt";
  for (int k = 4; k <= boundaries; k += 3) {
    CAPTURE(k);
    Experiment first(folder / "resumed.csv");
    rg::Checkpoint keep(path, {.steps = 3, .seconds = 0}, first.net, first.sgd, first.adam);
    CHECK_THROWS_WITH(first.run({}, At{.left = k}, keep), "power cut");
    Experiment second(folder / "resumed.csv");
    const rg::State state = second.load(path);
    CHECK(second.run({.from = state}) == expected);
    CHECK(same(weights(second.net), trained));
    CHECK((content_of(second.csv) == content_of(whole.csv)));
  }
}

TEST_CASE("a run can be stopped and resumed over and over, a step at a time") {
  const Folder folder;
  Experiment whole(folder / "whole.csv");
  const rg::History expected = whole.run({});
  const std::string path = folder / "run.pt";
  rg::RunOptions options;
  rg::History history;
  int runs = 0;
  do {
    Experiment part(folder / "resumed.csv");
    options.from = runs == 0 ? rg::State{} : part.load(path);
    std::stop_source stop;
    stop.request_stop();  // before it begins: one step is taken all the same
    options.stop = stop.get_token();
    rg::Checkpoint keep(path, {.seconds = 0}, part.net, part.sgd, part.adam);
    history = part.run(options, keep);
    if (history.ended() != rg::Ended::stopped) {
      CHECK(same(weights(part.net), weights(whole.net)));
    }
    ++runs;
  } while (history.ended() == rg::Ended::stopped && runs < 100);
  CHECK(history == expected);
  CHECK((content_of(folder / "resumed.csv") == content_of(whole.csv)));
  CHECK(runs > 20);
}

TEST_CASE("a finished run that is resumed takes no step and tells the same history") {
  const Folder folder;
  Experiment whole(folder / "whole.csv");
  rg::Checkpoint keep(folder / "run.pt", {.seconds = 0}, whole.net, whole.sgd, whole.adam);
  const rg::History expected = whole.run({}, keep);
  Experiment again(folder / "whole.csv");
  const rg::State state = again.load(folder / "run.pt");
  int steps = 0;
  CHECK(again.run({.from = state}, [&](const rg::Step&) { ++steps; }) == expected);
  CHECK(steps == 0);
  CHECK(same(weights(again.net), weights(whole.net)));
}

TEST_CASE("what a model and a measure draw while they are scored is the same after a resume") {
  const Folder folder;
  const auto run = [&](rg::State from, int stop_at, bool load) {
    auto net = plain_network();
    torch::optim::SGD sgd(net->parameters(), 0.1);
    if (load) {
      from = rg::load_checkpoint(folder / "run.pt", net, sgd);
    }
    rg::Scoring scoring;
    scoring.measures["drawn"] = [](const rg::Model&) { return torch::rand({}).item<double>(); };
    std::stop_source stop;
    rg::Checkpoint keep(folder / "run.pt", {.seconds = 0}, net, sgd);
    return rg::run(net, {{.data = points(40, 11), .optimizer = sgd, .epochs = 3, .batch = 20}}, scoring,
                   {.from = from, .stop = stop.get_token()}, At{.left = stop_at, .stop = &stop}, keep);
  };
  const rg::History expected = run({}, 0, false);
  for (int k = 1; k < 9; ++k) {
    run({}, k, false);
    torch::manual_seed(static_cast<std::uint64_t>(k));
    CHECK(run({}, 0, true) == expected);
  }
}

TEST_CASE("a resumed run tells its observers what came before, and begins in the phase that goes on") {
  const Folder folder;
  Experiment first(folder / "log.csv");
  std::stop_source stop;
  rg::Checkpoint keep(folder / "run.pt", {.seconds = 0}, first.net, first.sgd, first.adam);
  // Six steps and an epoch, six steps and an epoch, the end of the phase, two steps.
  first.run({.stop = stop.get_token()}, keep, At{.left = 7 + 7 + 1 + 2, .stop = &stop});
  Experiment second(folder / "log.csv");
  const rg::State state = second.load(folder / "run.pt");
  CHECK(state.clock.phase == 1);
  CHECK(state.clock.step == 2);
  CHECK(state.clock.batch == 4);
  CHECK(state.history.size() == 2);
  std::size_t epochs_before = 0;
  std::vector<std::string> phases;
  struct {
    std::size_t& epochs_before;
    std::vector<std::string>& phases;
    void operator()(const rg::RunBegin& begin) const { epochs_before = begin.history.size(); }
    void operator()(const rg::PhaseBegin& begin) const { phases.push_back(begin.name); }
  } const observer{epochs_before, phases};
  second.run({.from = state}, observer);
  CHECK(epochs_before == 2);
  CHECK((phases == std::vector<std::string>{"escape"}));
}

TEST_CASE("a checkpoint is written as often as it was asked for, and when the run is stopped or over") {
  const Folder folder;
  const std::string path = folder / "deep/er/run.pt";
  const auto written_by = [&](rg::Often often, int stop_at) {
    auto net = plain_network();
    torch::optim::SGD sgd(net->parameters(), 0.1);
    rg::Checkpoint keep(path, often, net, sgd);
    std::stop_source stop;
    int writes = 0;
    const auto count = [&](const rg::Boundary&) {  // named after `keep`, so it hears the boundary after the write
      writes += std::filesystem::remove(path) ? 1 : 0;
    };
    rg::run(net, {{.data = points(40, 11), .optimizer = sgd, .epochs = 3, .batch = 20}}, {}, {.stop = stop.get_token()},
            At{.left = stop_at, .stop = &stop}, keep, count);
    CHECK_FALSE(std::filesystem::exists(path));
    CHECK_FALSE(std::filesystem::exists(path + ".part"));
    return writes;
  };
  CHECK(written_by({.steps = 0, .seconds = 0}, 0) == 1);
  CHECK(written_by({.steps = 0, .seconds = 1e9}, 0) == 1);
  CHECK(written_by({.steps = 0, .seconds = 0}, 3) == 1);
  CHECK(written_by({.steps = 1, .seconds = 0}, 0) == 6 + 1);  // after every step, and at the end
  CHECK(written_by({.steps = 2, .seconds = 0}, 0) == 3 + 1);
  CHECK(written_by({.steps = 4, .seconds = 0}, 0) == 1 + 1);
  CHECK(written_by({.steps = 0, .seconds = 1e-9}, 0) == 6 + 3 + 1);  // at every boundary
  auto net = plain_network();
  CHECK(error_of([&] { rg::Checkpoint(path, {.steps = -1}, net); }) == "Often.steps must be at least 0, but is -1");
  CHECK(error_of([&] { rg::Checkpoint(path, {.seconds = -2}, net); }) == "Often.seconds must be at least 0, but is -2");
}

TEST_CASE("a checkpoint replaces the old one whole or not at all, and leaves nothing beside it") {
  const Folder folder;
  const std::string path = folder / "run.pt";
  auto net = plain_network(1);
  rg::State state;
  state.clock.step = 7;
  rg::save_checkpoint(path, state, net);
  CHECK_FALSE(std::filesystem::exists(path + ".part"));
  const std::string old = content_of(path);

  // A folder in the way of the temporary file: the write fails, and the old checkpoint stands.
  std::filesystem::create_directory(path + ".part");
  auto other = plain_network(2);
  state.clock.step = 8;
  CHECK(contains(error_of([&] { rg::save_checkpoint(path, state, other); }), path));
  CHECK((content_of(path) == old));
  std::filesystem::remove(path + ".part");

  auto loaded = plain_network(3);
  CHECK(rg::load_checkpoint(path, loaded).clock.step == 7);
  CHECK(same(weights(loaded), weights(net)));

  // What a killed write left behind does no harm.
  std::ofstream(path + ".part") << "half a checkpoint";
  rg::save_checkpoint(path, state, other);
  CHECK_FALSE(std::filesystem::exists(path + ".part"));
  CHECK(rg::load_checkpoint(path, loaded).clock.step == 8);
  CHECK(same(weights(loaded), weights(other)));
}

TEST_CASE("a file that is no checkpoint of these things is an Error that names it") {
  const Folder folder;
  const std::string path = folder / "run.pt";
  auto net = network();
  torch::optim::Adam adam(net->parameters(), torch::optim::AdamOptions(0.01));
  rg::run(net, {{.data = points(40, 11), .optimizer = adam, .epochs = 1, .batch = 20}}, {});
  rg::save_checkpoint(path, {}, net, adam);
  const std::string good = content_of(path);
  const auto load_error = [&](const std::string& from) {
    auto target = network();
    torch::optim::Adam optimizer(target->parameters(), torch::optim::AdamOptions(0.01));
    return error_of([&] { static_cast<void>(rg::load_checkpoint(from, target, optimizer)); });
  };
  const auto write = [&](const std::string& content) {
    std::ofstream(folder / "bad.pt", std::ios::binary) << content;
    return folder / "bad.pt";
  };
  CHECK(load_error(path).empty());
  CHECK(contains(load_error(folder / "absent.pt"), "there is no file " + folder / "absent.pt"));
  CHECK(contains(load_error(folder / "."), folder / "."));

  SECTION("cut off anywhere") {
    std::vector<std::size_t> lengths{0, 1, 2, 3, 4, 22, 100};
    for (std::size_t length = 64; length < good.size(); length += good.size() / 40) {
      lengths.push_back(length);
    }
    for (std::size_t cut = 1; cut <= 66; ++cut) {
      lengths.push_back(good.size() - cut);
    }
    for (const std::size_t length : lengths) {
      CAPTURE(length);
      CHECK(contains(load_error(write(good.substr(0, length))), "bad.pt"));
    }
  }
  SECTION("a single bit of it turned over, anywhere") {
    for (std::size_t at = 0; at < good.size(); at += 1 + good.size() / 300) {
      CAPTURE(at);
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
      const std::string message = load_error(write(bad));
      CHECK(contains(message, "bad.pt"));
      // A footer of which a bit is turned may be none, or one of a newer regimen.
      CHECK((contains(message, "damaged") || at >= good.rfind("regimen-checkpoint")));
    }
  }
  SECTION("its footer is of a newer regimen, or none") {
    const std::size_t at = good.rfind("regimen-checkpoint 2 ");
    REQUIRE(at != std::string::npos);
    std::string newer = good;
    newer[at + std::string("regimen-checkpoint ").size()] = '3';
    CHECK(contains(load_error(write(newer)), "written by a newer regimen, in format 3; this one reads up to format 2"));
    CHECK(contains(load_error(write(good.substr(0, at))), "no footer"));
    CHECK(contains(load_error(write(good + "more")), "damaged"));
    CHECK(contains(load_error(write(good + std::string(1000, 'x'))), "no footer"));
  }
  SECTION("random bytes") {
    torch::manual_seed(1);
    const auto noise = torch::randint(256, {5000}, torch::kByte);
    CHECK(contains(load_error(write(std::string(static_cast<const char*>(noise.data_ptr()), 5000))), "bad.pt"));
  }
  SECTION("something else of LibTorch's") {
    torch::save(torch::ones({3}), folder / "bad.pt");
    CHECK(contains(load_error(folder / "bad.pt"), "bad.pt"));
    torch::save(net, folder / "bad.pt");
    CHECK(contains(load_error(folder / "bad.pt"), "bad.pt"));
  }
  SECTION("a checkpoint of fewer things, or of others") {
    rg::save_checkpoint(folder / "bad.pt", {}, net);
    CHECK(contains(load_error(folder / "bad.pt"), "bad.pt"));
    torch::optim::SGD sgd(net->parameters(), 0.1);
    rg::save_checkpoint(folder / "bad.pt", {}, sgd, net);
    CHECK(contains(load_error(folder / "bad.pt"), "bad.pt"));
  }
  SECTION("a checkpoint of a model of another shape, or of other numbers") {
    torch::nn::Sequential wider(torch::nn::Linear(2, 13), torch::nn::BatchNorm1d(13), torch::nn::ReLU(),
                                torch::nn::Dropout(0.2), torch::nn::Linear(13, 3));
    rg::save_checkpoint(folder / "bad.pt", {}, wider, adam);
    CHECK(contains(load_error(folder / "bad.pt"), "bad.pt"));
    CHECK(contains(load_error(folder / "bad.pt"), "0.weight"));
    auto target = network();
    const auto before = weights(target);
    CHECK_THROWS_AS(rg::load_checkpoint(folder / "bad.pt", target, adam), rg::Error);
    CHECK(same(weights(target), before));
    auto in_double = network();
    in_double->to(torch::kDouble);
    rg::save_checkpoint(folder / "bad.pt", {}, in_double, adam);
    CHECK(contains(load_error(folder / "bad.pt"), "bad.pt"));
  }
}

TEST_CASE("a checkpoint keeps the optimizer's state, its own rates and not the scaled ones") {
  const Folder folder;
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  rg::Checkpoint keep(folder / "run.pt", {.steps = 1, .seconds = 0}, net, sgd);
  rg::run(net, {{.data = points(40, 11), .optimizer = sgd, .epochs = 1, .lr_scale = 0.25, .batch = 20}}, {}, keep);
  auto again = plain_network();
  torch::optim::SGD loaded(again->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  static_cast<void>(rg::load_checkpoint(folder / "run.pt", again, loaded));
  CHECK(rg::OptimizerRef(loaded).learning_rates() == std::vector<double>{0.1});
  CHECK(loaded.state().size() == 4);
}

TEST_CASE("a checkpoint brings back the options of each parameter group, whatever they were made with") {
  const Folder folder;
  auto net = plain_network();
  const auto two_groups = [&](double first, double second) {
    std::vector<torch::optim::OptimizerParamGroup> groups;
    groups.emplace_back(std::vector<at::Tensor>{net->parameters()[0]},
                        std::make_unique<torch::optim::SGDOptions>(torch::optim::SGDOptions(first).momentum(0.9)));
    groups.emplace_back(
        std::vector<at::Tensor>{net->parameters()[1]},
        std::make_unique<torch::optim::SGDOptions>(torch::optim::SGDOptions(second).weight_decay(0.01)));
    return torch::optim::SGD(std::move(groups), torch::optim::SGDOptions(1.0));
  };
  torch::optim::SGD saved = two_groups(0.25, 0.125);
  static_cast<torch::optim::SGDOptions&>(saved.param_groups()[1].options()).nesterov(true).momentum(0.5);
  rg::save_checkpoint(folder / "run.pt", {}, net, saved);
  torch::optim::SGD loaded = two_groups(0.1, 0.1);
  static_cast<void>(rg::load_checkpoint(folder / "run.pt", net, loaded));
  CHECK(rg::OptimizerRef(loaded).learning_rates() == std::vector<double>{0.25, 0.125});
  const auto& second = static_cast<const torch::optim::SGDOptions&>(loaded.param_groups()[1].options());
  CHECK(second.nesterov());
  CHECK(second.momentum() == 0.5);
  CHECK(second.weight_decay() == 0.01);
}

TEST_CASE("a checkpoint is a zip archive that Python reads, tensors by name") {
  const Folder folder;
  auto net = network();
  torch::optim::Adam adam(net->parameters(), torch::optim::AdamOptions(0.01));
  rg::run(net, {{.data = points(40, 11), .optimizer = adam, .epochs = 1, .batch = 20}}, {});
  rg::save_checkpoint(folder / "run.pt", {}, net, adam);
  CHECK(std::system(("python3 -m zipfile -t '" + (folder / "run.pt") + "' > /dev/null").c_str()) == 0);
  const std::optional<std::string> python = python_with_torch();
  if (!python) {
    return;
  }
  std::ofstream(folder / "read.py")
      << "import sys, torch\n"
         "weight = dict(torch.jit.load(sys.argv[1]).named_parameters())['thing0.0.weight']\n"
         "open(sys.argv[2], 'w').write(repr(weight.double().sum().item()))\n";
  const std::string command =
      "'" + *python + "' '" + (folder / "read.py") + "' '" + (folder / "run.pt") + "' '" + (folder / "sum") + "'";
  REQUIRE(std::system(command.c_str()) == 0);
  const double sum = net->parameters()[0].to(torch::kDouble).sum().item<double>();
  CHECK(numbers_in(folder / "sum").at(0) == Approx(sum).epsilon(1e-12));
}

TEST_CASE("an LBFGS is saved before its history is full, which LibTorch alone cannot do") {
  const Folder folder;
  auto net = plain_network();
  const auto options = torch::optim::LBFGSOptions(0.1).max_iter(1);
  torch::optim::LBFGS lbfgs(net->parameters(), options);
  const rg::Phase phase{.data = points(40, 11), .optimizer = lbfgs, .epochs = 4, .batch = 40};
  rg::Checkpoint keep(folder / "run.pt", {.steps = 1, .seconds = 0}, net, lbfgs);
  rg::run(net, {phase}, {}, keep);
  auto again = plain_network(2);
  torch::optim::LBFGS loaded(again->parameters(), options);
  CHECK(rg::load_checkpoint(folder / "run.pt", again, loaded).clock.phase == 1);
  CHECK(same(weights(again), weights(net)));
}

TEST_CASE("a run whose loss is NaN leaves the last checkpoint that was good for something") {
  const Folder folder;
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  rg::Phase phase{.data = points(40, 11), .optimizer = sgd, .epochs = 6, .batch = 20};
  int calls = 0;
  phase.loss = [&calls](const at::Tensor& output, const at::Tensor& target) {
    const double factor = ++calls > 7 ? rg::unknown : 1;  // a NaN from the eighth step on
    return rg::CrossEntropy{}(output, target) * factor;
  };
  rg::Checkpoint keep(folder / "run.pt", {.steps = 1, .seconds = 0}, net, sgd);
  CHECK(rg::run(net, {phase}, {.score_fit = false}, keep).ended() == rg::Ended::diverged);
  CHECK_FALSE(weights(net)[0].isfinite().all().item<bool>());
  const rg::State state = rg::load_checkpoint(folder / "run.pt", net, sgd);
  CHECK(state.clock.step == 7);
  CHECK(weights(net)[0].isfinite().all().item<bool>());
  phase.loss = rg::CrossEntropy{};
  CHECK(rg::run(net, {phase}, {.score_fit = false}, {.from = state}).ended() == rg::Ended::epochs);
}

TEST_CASE("one checkpoint file serves one run at a time") {
  const Folder folder;
  Experiment first(folder / "a.csv");
  Experiment second(folder / "b.csv");
  rg::Checkpoint keep(folder / "run.pt", {.seconds = 0}, first.net, first.sgd, first.adam);
  rg::Checkpoint other(folder / "run.pt", {.seconds = 0}, second.net, second.sgd, second.adam);
  std::string message;
  bool tried = false;
  const auto try_another = [&](const rg::Step&) {
    if (!tried) {
      tried = true;
      // As another process would: without a run of its own in this one.
      const std::vector<std::string> names;
      const std::vector<std::int64_t> epochs;
      const rg::History none;
      const std::function<std::string()> manifest = [] { return std::string(); };
      message = error_of([&] { other(rg::RunBegin{names, epochs, names, none, manifest}); });
    }
  };
  first.run({}, keep, try_another);
  CHECK(contains(message, "another run holds"));
  CHECK(contains(message, "run.pt.lock"));
  CHECK_FALSE(std::filesystem::exists(folder / "run.pt.lock"));
  second.run({}, other);
}

TEST_CASE("a tracker that goes on holds what it would have held") {
  const Folder folder;
  Experiment whole(folder / "a.csv");
  rg::GapTracker expected;
  whole.run({}, expected);
  std::stop_source stop;
  Experiment first(folder / "b.csv");
  rg::Checkpoint keep(folder / "run.pt", {.seconds = 0}, first.net, first.sgd, first.adam);
  first.run({.stop = stop.get_token()}, keep, At{.left = 25, .stop = &stop});
  Experiment second(folder / "b.csv");
  const rg::State state = second.load(folder / "run.pt");
  rg::GapTracker gap;
  second.run({.from = state}, gap);
  CHECK(gap.values() == expected.values());
  CHECK(gap.values().size() > 2);
}

TEST_CASE("going on with other phases than those of the checkpoint is an Error") {
  const Folder folder;
  Experiment first(folder / "a.csv");
  std::stop_source stop;
  rg::Checkpoint keep(folder / "run.pt", {.seconds = 0}, first.net, first.sgd, first.adam);
  first.run({.stop = stop.get_token()}, keep, At{.left = 20, .stop = &stop});
  Experiment second(folder / "a.csv");
  const rg::State state = second.load(folder / "run.pt");
  second.memorize.name = "learn";
  const std::string message = error_of([&] { second.run({.from = state}); });
  CHECK(contains(message, "phase 0 is \"memorize\""));
  CHECK(contains(message, "\"learn\""));
}

TEST_CASE("the state of a run comes back from a file in every bit") {
  const double nan = rg::unknown;
  const double infinity = std::numeric_limits<double>::infinity();
  rg::State state;
  state.clock = {.phase = 2, .epoch = 3, .batch = 5, .batches = 9, .step = std::int64_t{1} << 40};
  state.loss_sum = 0.1 + 0.2;
  state.loss_samples = 640;
  state.lr_scale = 1.0 / 3;
  state.seconds = 12.5;
  state.history.epochs = {
      {.clock = {.epoch = 1, .step = 7}, .phase = "plain", .fit = {0.5, 0.25, 60}, .train_loss = nan, .seconds = 1.5},
      {.clock = {.phase = 1, .epoch = 2, .batches = 4, .step = 8},
       .phase = "a, \"b\"\n\xC3\xA9",
       .clean = {nan, 1e-310, 7},
       .test = {1, infinity, 3},
       .validation = {0.0, -0.0, 1},
       .train_loss = -infinity,
       .learning_rate = 0.1,
       .measures = {{"l2", 1.0 / 7}, {"path norm", nan}},
       .seconds = 1e9},
      {.phase = ""},
      {.phase = "with one", .measures = {{"", 3}}}};
  state.history.outcomes = {{"plain", rg::Ended::epochs, {.epoch = 1, .step = 7}},
                            {"", rg::Ended::diverged, {.phase = 1}},
                            {"c", rg::Ended::criterion, {}},
                            {"d", rg::Ended::stopped, {}}};
  const Folder folder;
  auto net = plain_network();
  rg::save_checkpoint(folder / "run.pt", state, net);
  const rg::State loaded = rg::load_checkpoint(folder / "run.pt", net);
  CHECK(loaded.clock == state.clock);
  CHECK(loaded.loss_sum == state.loss_sum);
  CHECK(loaded.loss_samples == state.loss_samples);
  CHECK(loaded.lr_scale == state.lr_scale);
  CHECK(loaded.seconds == state.seconds);
  CHECK((loaded.history == state.history));
  for (std::size_t i = 0; i < state.history.size(); ++i) {
    CHECK(loaded.history.epochs[i].seconds == state.history.epochs[i].seconds);
  }
  CHECK(std::signbit(loaded.history.epochs[1].validation.loss));
  CHECK(rg::load_checkpoint(folder / "run.pt", net).history == state.history);

  rg::save_checkpoint(folder / "empty.pt", {}, net);
  CHECK(rg::load_checkpoint(folder / "empty.pt", net).history == rg::History{});
}

namespace {

/// Somebody's own thing: an average of the weights, with LibTorch's save and load.
struct Average {
  at::Tensor mean = torch::zeros({12, 2});

  void operator()(const rg::Step& step) {
    const torch::NoGradGuard no_grad;
    mean = mean * 0.9 + step.pass.parameters.front() * 0.1;
  }
  void save(torch::serialize::OutputArchive& archive) const { archive.write("mean", mean); }
  void load(torch::serialize::InputArchive& archive) { archive.read("mean", mean); }
};

}  // namespace

TEST_CASE("a checkpoint holds whatever has save and load: modules by any handle, optimizers, things of one's own") {
  const Folder folder;
  const std::string path = folder / "run.pt";
  const auto run = [&](int stop_at, bool resume) {
    auto net = plain_network();
    torch::nn::SequentialImpl* const pointer = net.get();
    torch::optim::SGD sgd(net->parameters(), 0.1);
    Average average;
    rg::RunOptions options;
    if (resume) {
      options.from = rg::load_checkpoint(path, pointer, sgd, average);
    }
    std::stop_source stop;
    options.stop = stop.get_token();
    // The checkpoint is named before the average: a boundary comes after everybody has heard the step.
    rg::Checkpoint keep(path, {.seconds = 0}, pointer, sgd, average);
    rg::run(net, {{.data = points(40, 11), .optimizer = sgd, .epochs = 3, .batch = 10}}, {}, options, keep, average,
            At{.left = stop_at, .stop = &stop});
    return average.mean;
  };
  const at::Tensor expected = run(0, false);
  for (int k = 1; k < 15; ++k) {
    run(k, false);
    CHECK(torch::equal(run(0, true), expected));
  }
}

TEST_CASE("more epochs for a run that is over are trained, as if there had been so many from the beginning") {
  const Folder folder;
  struct Six {
    explicit Six(int epochs) { phase.epochs = epochs; }
    torch::nn::Sequential net = network(4);
    torch::optim::SGD sgd{net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9)};
    rg::Phase phase{.name = "learn", .data = points(44, 11), .optimizer = sgd, .batch = 16, .seed = 5};
  };
  Six whole(6);
  const rg::History expected = rg::run(whole.net, {whole.phase}, {});

  Six first(3);
  rg::Checkpoint keep(folder / "run.pt", {.seconds = 0}, first.net, first.sgd);
  CHECK(rg::run(first.net, {first.phase}, {}, keep).ended() == rg::Ended::epochs);
  Six second(6);
  const rg::State from = rg::load_checkpoint(folder / "run.pt", second.net, second.sgd);
  CHECK(rg::run(second.net, {second.phase}, {}, {.from = from}) == expected);
  CHECK(same(weights(second.net), weights(whole.net)));

  // As many as it had: nothing is left to be done.
  Six over(3);
  static_cast<void>(rg::load_checkpoint(folder / "run.pt", over.net, over.sgd));
  CHECK(rg::run(over.net, {over.phase}, {}, {.from = from}) == from.history);
  CHECK(same(weights(over.net), weights(first.net)));

  // A criterion that no longer says that it is over.
  Six patient(6);
  patient.phase.until = rg::StepLimit{6};
  rg::Checkpoint keep_patient(folder / "patient.pt", {.seconds = 0}, patient.net, patient.sgd);
  CHECK(rg::run(patient.net, {patient.phase}, {}, keep_patient).ended() == rg::Ended::criterion);
  Six impatient(6);
  const rg::State stopped = rg::load_checkpoint(folder / "patient.pt", impatient.net, impatient.sgd);
  CHECK(rg::run(impatient.net, {impatient.phase}, {}, {.from = stopped}).ended() == rg::Ended::epochs);
  CHECK(same(weights(impatient.net), weights(whole.net)));
}

TEST_CASE("what a resumed run has done already cannot be changed any more, and it says so before the first step") {
  const Folder folder;
  Experiment first(folder / "a.csv");
  rg::Checkpoint keep(folder / "run.pt", {.seconds = 0}, first.net, first.sgd, first.adam);
  std::stop_source stop;
  first.run({.stop = stop.get_token()}, keep, [&](const rg::Step& step) {
    if (step.clock.phase == 1 && step.clock.epoch == 1 && step.clock.batch == 2) {
      stop.request_stop();
    }
  });
  const auto message = [&](auto&& change) {
    Experiment second(folder / "b.csv");
    const rg::State from = second.load(folder / "run.pt");
    change(second);
    const auto before = weights(second.net);
    const std::string text = error_of([&] { second.run({.from = from}); });
    CHECK(same(weights(second.net), before) == !text.empty());
    return text;
  };
  CHECK(contains(message([](Experiment& e) { e.memorize.epochs = 4; }), "Phase \"memorize\".epochs must be 2"));
  CHECK(contains(message([](Experiment& e) { e.escape.epochs = 1; }), "Phase \"escape\".epochs must be at least 2"));
  CHECK(contains(message([](Experiment& e) { e.escape.batch = 9; }), "number of batches must be 6"));
  CHECK(message([](Experiment& e) { e.escape.epochs = 7; }).empty());
}

TEST_CASE("a changed criterion of a phase that is over is an Error, and so are fewer epochs than it took") {
  const Folder folder;
  struct Two {
    torch::nn::Sequential net = network(4);
    torch::optim::SGD sgd{net->parameters(), 0.1};
    rg::Phase a{.name = "a", .data = points(8, 11), .optimizer = sgd, .epochs = 20, .batch = 4};
    rg::Phase b{.name = "b", .data = points(8, 11), .optimizer = sgd, .epochs = 3, .batch = 4};
  };
  // Phase a takes 2 steps an epoch: it ends after 1 epoch, as each of these says. Phase b is stopped in the middle.
  bool is_over = true;
  const std::vector<rg::Stop> criteria{rg::StepLimit{1}, rg::TimeLimit{1e-9},
                                       rg::StepLimit{1} && rg::Stop([&](const rg::Epoch&) { return is_over; })};
  for (std::size_t i = 0; i < criteria.size(); ++i) {
    CAPTURE(i);
    Two first;
    first.a.until = criteria[i];
    std::stop_source stop;
    is_over = true;
    rg::Checkpoint keep(folder / "run.pt", {.seconds = 0}, first.net, first.sgd);
    const rg::History history =
        rg::run(first.net, {first.a, first.b}, {}, {.stop = stop.get_token()}, keep, [&](const rg::Epoch& epoch) {
          if (epoch.phase == "b") {
            stop.request_stop();
          }
        });
    REQUIRE_FALSE(history.outcomes.empty());
    REQUIRE(history.outcomes[0].ended == rg::Ended::criterion);
    REQUIRE(history.outcomes[0].clock.epoch == 1);
    const auto message = [&](const rg::Stop& until, std::int64_t epochs) {
      Two second;
      const rg::State from = rg::load_checkpoint(folder / "run.pt", second.net, second.sgd);
      second.a.until = until;
      second.a.epochs = epochs;
      return error_of([&] { rg::run(second.net, {second.a, second.b}, {}, {.from = from}); });
    };
    CHECK(message(criteria[i], 20).empty());
    CHECK(message(criteria[i], 1).empty());
    is_over = false;  // what a lambda reads may change: that is no change of the criterion
    CHECK(message(criteria[i], 20).empty());
    const std::string other = message(rg::StepLimit{5}, 20);
    CAPTURE(other);
    for (const char* const part : {"Phase \"a\".until", "after 1 epochs", "StepLimit", "5", "too late"}) {
      CHECK(contains(other, part));
    }
    CHECK(contains(message({}, 20), "too late"));
    CHECK(message({}, 1).empty());  // the epochs end it where the criterion did
  }

  // Of the last phase: over after 2 epochs, by its criterion.
  Two last;
  last.a.until = rg::StepLimit{4};
  rg::Checkpoint keep(folder / "last.pt", {}, last.net, last.sgd);
  REQUIRE(rg::run(last.net, {last.a}, {}, keep).size() == 2);
  const rg::State from = rg::load_checkpoint(folder / "last.pt", last.net, last.sgd);
  last.a.epochs = 1;
  CHECK(contains(error_of([&] { rg::run(last.net, {last.a}, {}, {.from = from}); }),
                 "Phase \"a\".epochs must be at least 2"));
}

TEST_CASE("a loop of one's own that saves the generators draws after a resume what it would have drawn") {
  const Folder folder;
  auto net = network(3);
  torch::optim::SGD sgd(net->parameters(), 0.1);
  torch::manual_seed(8);
  static_cast<void>(torch::rand({5}));
  rg::Generators generators;
  rg::save_checkpoint(folder / "loop.pt", {.clock = {.epoch = 2}}, net, sgd, generators);
  const at::Tensor expected =
      torch::cat({torch::rand({4}), torch::randn({4}), torch::bernoulli(torch::full({4}, 0.5))});

  torch::manual_seed(99);
  rg::Generators others;
  CHECK(rg::load_checkpoint(folder / "loop.pt", net, sgd, others).clock.epoch == 2);
  CHECK(torch::equal(torch::cat({torch::rand({4}), torch::randn({4}), torch::bernoulli(torch::full({4}, 0.5))}),
                     expected));
}

TEST_CASE("a loop of one's own that seeds as run does draws the dropout that run draws") {
  auto net = network(3);
  torch::optim::SGD sgd(net->parameters(), 0.1);
  const rg::Batch data = points(32, 4);
  rg::run(net, {{.data = data, .optimizer = sgd, .epochs = 2, .batch = 16, .seed = 6, .shuffle = false}}, {});
  auto own = network(3);
  torch::optim::SGD other(own->parameters(), 0.1);
  rg::Generators generators;
  for (std::int64_t step = 0; step < 4; ++step) {
    const rg::Batch batch = slice(data, 16 * (step % 2), 16);
    other.zero_grad();
    generators.seed(6, step);
    torch::cross_entropy_loss(own->forward(batch.data), batch.target).backward();
    other.step();
  }
  CHECK(same(weights(own), weights(net)));
}

namespace {

/// The archive's `state` part, written and read once more, with `edit` in between: writes it from the values of a
/// reader.
template <class Edit>
rg::State rewritten(const rg::State& state, Edit&& edit) {
  torch::serialize::OutputArchive whole;
  rg::detail::save_state(whole, state);
  std::stringstream written;
  whole.save_to(written);
  torch::serialize::InputArchive in;
  in.load_from(written);
  torch::serialize::OutputArchive out;
  for (const std::string& table : in.keys()) {
    torch::serialize::InputArchive columns;
    in.read(table, columns);
    torch::serialize::OutputArchive kept;
    for (const std::string& column : columns.keys()) {
      c10::IValue value;
      columns.read(column, value);
      if (edit(table + "." + column, value)) {
        kept.write(column, value);
      }
    }
    out.write(table, kept);
  }
  std::stringstream edited;
  out.save_to(edited);
  torch::serialize::InputArchive reread;
  reread.load_from(edited);
  return rg::detail::load_state(reread);
}

rg::State some_state() {
  rg::State state;
  state.loss_sum = 3;
  state.loss_count = 5;
  state.history.epochs = {{.clock = {.epoch = 1}, .phase = "a", .fit = {0.5, 2, 10}, .measures = {{"l2", 7}}},
                          {.clock = {.epoch = 2}, .phase = "a", .fit = {0.75, 1, 10}}};
  state.history.outcomes = {{"a", rg::Ended::epochs, {.epoch = 2}}};
  return state;
}

}  // namespace

TEST_CASE("a checkpoint that was written before fields had names still loads, in every bit") {
  // Written by commit c02e92c.
  torch::nn::Sequential net(torch::nn::Linear(2, 3));
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(1));
  const std::string path =
      (std::filesystem::path(__FILE__).parent_path() / "files" / "checkpoint-format-1.pt").string();
  const rg::State state = rg::load_checkpoint(path, net, sgd);
  CHECK((state.clock == rg::Clock{.phase = 1, .epoch = 2, .batch = 3, .batches = 4, .step = 11}));
  CHECK(state.loss_sum == 0.1);
  CHECK(state.loss_samples == 12);
  CHECK(state.loss_count == 7.5);
  CHECK(state.lr_scale == 0.375);
  CHECK(state.loss_scale == 1024);
  CHECK(state.loss_scale_steps == 5);
  CHECK(state.seconds == 2.5);
  rg::History history;
  history.epochs = {{.clock = {.phase = 0, .epoch = 1, .batches = 4, .step = 4},
                     .phase = "first",
                     .fit = {0.5, 1.25, 8},
                     .clean = {0.25, 2, 7},
                     .test = {rg::unknown, 3, 6},
                     .validation = {1, 4, 5},
                     .train_loss = 1.5,
                     .learning_rate = 0.25,
                     .measures = {{"l2", 0.1}, {"path norm", 3}},
                     .seconds = 1.5},
                    {.clock = {.phase = 1, .epoch = 1, .step = 4},
                     .phase = "second, \"b\"",
                     .measures = {{"l2", 0.2}},
                     .seconds = 2}};
  history.outcomes = {{"first", rg::Ended::criterion, {.phase = 0, .epoch = 1, .step = 4}}};
  CHECK((state.history == history));
  CHECK(state.history.epochs[0].seconds == 1.5);
  CHECK(net->parameters()[0].equal(torch::arange(6).view({3, 2}) * 0.125));
  CHECK(static_cast<torch::optim::SGDOptions&>(sgd.param_groups()[0].options()).momentum() == 0.5);
}

TEST_CASE("a field that a checkpoint does not have keeps its default, and one that is not known is left alone") {
  const rg::State state = some_state();
  const rg::State loaded = rewritten(state, [](const std::string& column, c10::IValue&) {
    return column != "run.loss_count" && column != "epochs.fit_loss";
  });
  CHECK(loaded.loss_sum == 3);
  CHECK(loaded.loss_count == rg::State{}.loss_count);
  CHECK(loaded.history.epochs[1].fit.accuracy == 0.75);
  CHECK(std::isnan(loaded.history.epochs[1].fit.loss));
  CHECK(loaded.history.epochs[0].measures.at("l2") == 7);
}

TEST_CASE("columns of a checkpoint that do not fit together are an error, and so are values out of their ranges") {
  const auto error_of = [](const std::string& column, const c10::IValue& value) {
    try {
      (void)rewritten(some_state(), [&](const std::string& name, c10::IValue& old) {
        old = name == column ? value : old;
        return true;
      });
    } catch (const rg::Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const auto longs = [](const std::vector<std::int64_t>& values) { return torch::tensor(values); };
  CHECK(error_of("epochs.clock_epoch", longs({1, 2, 3})) ==
        "checkpoint: the length of epochs.clock_epoch must be 2, but is 3");
  CHECK(error_of("run.clock_phase", longs({std::int64_t{1} << 40})).find("an int") != std::string::npos);
  CHECK(error_of("outcomes.ended", longs({9})) == "checkpoint: how a phase ended must be in [0, 4], but is 9");
  CHECK(error_of("measures.epoch", longs({2})) == "checkpoint: the epoch of a measure must be in [0, 2), but is 2");
  CHECK(error_of("measures.epoch", longs({-1})).find("but is -1") != std::string::npos);
}

}  // namespace checkpoint_test
