// What goes wrong around a run: each a clear error, and nothing lost that was there before.

#include "support/training.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <limits>
#include <stdexcept>
#include <tuple>
#include <utility>

namespace faults_test {

namespace {

using namespace training;

struct Experiment {
  torch::nn::Sequential net = network(5);
  torch::optim::SGD sgd{net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9)};
  rg::Phase phase{.name = "train", .data = points(60, 11), .optimizer = sgd, .epochs = 3, .batch = 16, .seed = 3};
  rg::Scoring scoring{.test = points(30, 12)};

  Experiment() = default;
  Experiment(const Experiment&) = delete;
  Experiment& operator=(const Experiment&) = delete;

  template <class... Observers>
  rg::History run(Observers&&... observers) {
    return rg::run(net, {phase}, scoring, observers...);
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
    experiment.scoring = {.score_fit = false};
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

namespace {

/// Finite itself, with a gradient of NaN from an epoch on: the slope of a root at 0 is infinite, and 0 times it NaN.
struct RootAtZero {
  int from = 1;

  [[nodiscard]] at::Tensor penalty(const rg::Pass& pass) const {
    const at::Tensor zero = pass.parameters.front().sum() * 0;
    return pass.now.clock.epoch < from ? zero : zero.sqrt();
  }
};

bool finite(const std::vector<at::Tensor>& tensors) {
  return std::all_of(tensors.begin(), tensors.end(), [](const at::Tensor& tensor) {
    return !tensor.is_floating_point() || tensor.isfinite().all().item<bool>();
  });
}

}  // namespace

TEST_CASE(
    "fault: a gradient of NaN under a finite loss is divergence, and the checkpoint keeps the last good weights") {
  const Folder folder;
  for (const auto& [epochs, batch] : {std::pair{1, 60}, {1, 16}, {2, 60}, {5, 16}}) {
    CAPTURE(epochs, batch);
    Experiment experiment;
    experiment.phase.epochs = epochs;
    experiment.phase.batch = batch;
    experiment.phase.regularize = {RootAtZero{.from = epochs - 1}};
    rg::Checkpoint keep(folder / "run.pt", {.steps = 1, .seconds = 0}, experiment.net, experiment.sgd);
    rg::save_checkpoint(folder / "run.pt", {}, experiment.net, experiment.sgd);
    std::vector<at::Tensor> good = weights(experiment.net);
    const auto look = [&](const rg::Boundary& boundary) {
      const std::vector<at::Tensor> now = weights(experiment.net);
      CHECK(boundary.finite() == finite(now));
      good = finite(now) ? now : good;
    };
    const rg::History history = experiment.run(look, keep);
    CHECK(history.ended() == rg::Ended::diverged);
    CHECK(history.back().clock.epoch == epochs);
    if (batch == 60) {
      CHECK(std::isfinite(history.back().train_loss));  // the only one was before the step
    }
    CHECK_FALSE(finite(weights(experiment.net)));
    rg::load_checkpoint(folder / "run.pt", experiment.net, experiment.sgd);
    CHECK(finite(weights(experiment.net)));
    CHECK(same(weights(experiment.net), good));
  }
}

TEST_CASE("fault: a weight that nobody trains may be NaN from the beginning") {
  struct Unused : torch::nn::Module {
    Unused() {
      used = register_module("used", torch::nn::Linear(2, 3));
      empty = register_parameter("empty", torch::full({4}, std::nan("")));
    }
    torch::Tensor forward(const torch::Tensor& x) { return used(x); }
    torch::nn::Linear used{nullptr};
    torch::Tensor empty;
  };
  torch::manual_seed(1);
  Unused net;
  torch::optim::SGD sgd(net.parameters(), 0.1);
  const Folder folder;
  rg::Checkpoint keep(folder / "run.pt", {}, net, sgd);
  const rg::History history = rg::run(net, {{.data = points(20, 1), .optimizer = sgd, .epochs = 2}}, {}, keep);
  CHECK(history.ended() == rg::Ended::epochs);
  CHECK(std::filesystem::exists(folder / "run.pt"));
}

TEST_CASE("fault: an epoch of targets that are all ignored is an Error, no divergence") {
  Experiment experiment;
  experiment.phase.loss = rg::CrossEntropy{.ignore_index = 1};
  experiment.phase.data = rg::Batch{.data = torch::randn({20, 2}), .target = torch::ones({20}, torch::kLong)};
  CHECK(contains(error_of([&] { experiment.run(); }), "Phase \"train\": data: in a whole epoch no target counts"));
}

TEST_CASE("fault: targets that the loss cannot take are refused before the first step, of every phase and split") {
  Experiment experiment;
  const auto with = [](const at::Tensor& target) {
    rg::Batch batch = points(60, 11);
    batch.target = target;
    return batch;
  };
  const rg::Batch good = points(60, 11);
  const auto before = weights(experiment.net);
  const auto refuse = [&](const rg::Batch& bad, const std::string& cure) {
    rg::Phase second = experiment.phase;
    second.name = "second";
    second.data = bad;
    for (const auto& [phases, scoring, where] :
         std::vector<std::tuple<std::vector<rg::Phase>, rg::Scoring, std::string>>{
             {{second}, {}, "Phase \"second\", data: "},
             {{experiment.phase, second}, {}, "Phase \"second\", data: "},
             {{experiment.phase}, {.test = bad}, "Phase \"train\", Scoring.test: "},
             {{experiment.phase}, {.validation = bad}, "Phase \"train\", Scoring.validation: "},
             {{experiment.phase}, {.clean = bad}, "Phase \"train\", Scoring.clean: "}}) {
      const std::string message =
          error_of([&, &all = phases, &scored = scoring] { rg::run(experiment.net, all, scored); });
      CAPTURE(message, where);
      CHECK(contains(message, where));
      CHECK(contains(message, cure));
      CHECK(same(weights(experiment.net), before));
    }
  };
  refuse(with(good.target.to(torch::kByte)), ".to(torch::kLong)");
  refuse(with(good.target.to(torch::kInt)), ".to(torch::kLong)");
  refuse(with(good.target.to(torch::kFloat)), ".to(torch::kLong)");
  refuse(with({}), "give the data targets");
  experiment.phase.loss = rg::BinaryCrossEntropy{};
  experiment.phase.data = with(good.target % 2);
  refuse(with(good.target * 0 + 2), "in [0, 1]");

  // What only the output tells is an Error at the first step.
  experiment.phase.loss = rg::CrossEntropy{};
  experiment.phase.data = with(good.target.unsqueeze(1));
  const std::string message = error_of([&] { experiment.run(); });
  CHECK(contains(message, "Phase \"train\": CrossEntropy takes one label"));
  CHECK(contains(message, ".squeeze(1)"));
  CHECK(torch::equal(experiment.net->parameters()[0], before[0]));
}

TEST_CASE("fault: what LibTorch refuses is said with the phase, and with what the network was shown") {
  Experiment experiment;
  experiment.net->to(torch::kDouble);
  torch::optim::SGD sgd(experiment.net->parameters(), 0.1);
  experiment.phase.optimizer = sgd;
  rg::Batch bytes = points(60, 11);
  bytes.data = bytes.data.to(torch::kByte);
  experiment.phase.data = bytes;
  const std::string message = error_of([&] { experiment.run(); });
  CAPTURE(message);
  for (const char* const part :
       {"Phase \"train\"", "LibTorch says", "[16, 2] unsigned char", "parameters double", ".to(torch::kDouble)"}) {
    CHECK(contains(message, part));
  }
  experiment.net->to(torch::kFloat);
  CHECK(contains(error_of([&] { experiment.run(); }), "Normalize, in preprocess"));
}

TEST_CASE("fault: a transform that does not fit the samples is an Error with phase and field, before the first step") {
  Experiment experiment;
  const auto before = weights(experiment.net);
  const rg::AnyTransform mistaken = [](rg::Batch batch, const rg::Key&) {
    batch.data = batch.data.matmul(torch::eye(7));
    return batch;
  };
  experiment.phase.augment = {rg::UniformLabels{.classes = 3}, mistaken};
  std::string message = error_of([&] { experiment.run(); });
  CAPTURE(message);
  for (const char* const part : {"Phase \"train\".augment[1], data: LibTorch says", "[1, 2] float", "[1] long"}) {
    CHECK(contains(message, part));
  }
  // Of the samples that are scored alone: in training there are two columns.
  experiment.phase.augment = {};
  experiment.scoring.test = rg::Batch{.data = torch::randn({30, 3}), .target = torch::zeros({30}, torch::kLong)};
  experiment.phase.preprocess = {[](rg::Batch batch, const rg::Key&) {
    batch.data = batch.data.matmul(torch::eye(2));
    return batch;
  }};
  message = error_of([&] { experiment.run(); });
  CHECK(contains(message, "Phase \"train\".preprocess[0], Scoring.test: LibTorch says"));
  CHECK(same(weights(experiment.net), before));
}

namespace {

/// BatchNorm that normalizes by the batch always, in eval mode too.
torch::nn::Sequential untracked_network() {
  torch::manual_seed(3);
  return torch::nn::Sequential(torch::nn::Linear(2, 12),
                               torch::nn::BatchNorm1d(torch::nn::BatchNorm1dOptions(12).track_running_stats(false)),
                               torch::nn::Linear(12, 3));
}

}  // namespace

TEST_CASE(
    "fault: a last batch of one is refused before the first step whatever the network's buffers, in scoring too") {
  torch::nn::Sequential net = untracked_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  rg::Phase phase{.data = points(9, 11), .optimizer = sgd, .epochs = 1, .batch = 4};
  int steps = 0;
  const auto refused = [&](const rg::Scoring& scoring) {
    steps = 0;
    return error_of([&] { rg::run(net, {phase}, scoring, [&](const rg::Step&) { ++steps; }); });
  };
  std::string message = refused({});
  CHECK(contains(message, ".batch = 4 leaves a last batch of 1 of 9 samples"));
  CHECK(steps == 0);

  phase.data = points(8, 11);
  CHECK(refused({}).empty());
  for (const std::int64_t n : {129, 1}) {
    CAPTURE(n);
    message = refused({.test = points(n, 12)});
    CHECK(contains(message, "Scoring.batch = 128 leaves a last batch of 1 of the " + std::to_string(n)));
    CHECK(contains(message, "Scoring.test"));
    CHECK(steps == 0);
  }
  CHECK(refused({.test = points(129, 12), .batch = 127}).empty());
  message = refused({.batch = 7});  // the phase's own 8 samples
  CHECK(contains(message, "of the 8 samples of data"));
  CHECK(refused({.score_fit = false, .batch = 7}).empty());
  CHECK(steps == 2);
}

TEST_CASE("fault: a last batch of one of a stream is tried with what it is scored on, or there is a notice") {
  Experiment experiment;
  experiment.phase.batch = 20;
  experiment.phase.data = rg::prefetch(points(61, 11));
  const auto before = weights(experiment.net);
  CHECK(contains(error_of([&] { experiment.run(); }), "leaves a last batch of 1 of 61 samples"));
  CHECK(same(weights(experiment.net), before));
  experiment.scoring = {};
  std::vector<std::string> notices;
  const std::string message =
      error_of([&] { experiment.run([&](const rg::Notice& notice) { notices.push_back(notice.text); }); });
  CHECK(contains(message, "drop_last"));  // at the last batch
  REQUIRE(notices.size() == 1);
  CHECK(contains(notices[0], "1 of 61 samples"));
  experiment.phase.data = rg::prefetch(points(60, 11));
  notices.clear();
  experiment.run([&](const rg::Notice& notice) { notices.push_back(notice.text); });
  CHECK(notices.empty());
}

TEST_CASE("fault: what fails for another reason is not laid on a last batch of one") {
  Experiment experiment;
  rg::Batch bytes = points(61, 11);
  bytes.data = bytes.data.to(torch::kByte);
  experiment.phase.data = bytes;
  experiment.phase.batch = 20;
  const std::string message = error_of([&] { experiment.run(); });
  CAPTURE(message);
  CHECK(contains(message, "type"));
  CHECK(contains(message, "[20, 2] unsigned char"));
  CHECK_FALSE(contains(message, "drop_last"));
  const std::string reestimated = error_of([&] { rg::reestimate_batch_norm(experiment.net, bytes, {.batch = 1}); });
  CHECK(contains(reestimated, "Normalize"));
  CHECK_FALSE(contains(reestimated, "drop_last"));
}

TEST_CASE("fault: NaN in targets or extra is told from divergence") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  torch::nn::Linear net(2, 1);
  torch::optim::SGD sgd(net->parameters(), 0.01);
  rg::Batch data{.data = torch::randn({12, 2}), .target = torch::randn({12, 1})};
  data.extra["weight"] = torch::ones({12, 1});
  const rg::Model weighted(net, [](torch::nn::Linear& linear, const rg::Batch& batch) {
    return linear->forward(batch.data.to(torch::kFloat)) * batch.extra.at("weight");
  });
  const auto message = [&](const rg::Batch& shown) {
    const rg::Phase phase{
        .data = shown, .optimizer = sgd, .epochs = 1, .batch = 4, .loss = rg::MeanSquaredError{}, .drop_last = true};
    return error_of([&] { rg::run(weighted, {phase}, {}); });
  };
  rg::Batch bad = data;
  bad.target = data.target.clone();
  bad.target[7] = nan;
  CHECK(contains(message(bad), "so are the targets of sample 7"));
  bad.data = torch::ones({12, 2}, torch::kLong);  // whole numbers are finite, and the targets are looked at still
  CHECK(contains(message(bad), "so are the targets of sample 7"));
  {
    const torch::NoGradGuard no_grad;
    net->weight.zero_();
    net->bias.zero_();
  }
  bad = data;
  bad.extra["weight"] = data.extra["weight"].clone();
  bad.extra["weight"][3] = nan;
  CHECK(contains(message(bad), "so are extra[\"weight\"] of sample 3"));
}

TEST_CASE("fault: a last batch of one before BatchNorm is refused before the first step, where it would fail") {
  Experiment experiment;
  experiment.phase.data = points(61, 11);
  experiment.phase.batch = 20;
  const auto before = weights(experiment.net);
  const std::string message = error_of([&] { experiment.run(); });
  CAPTURE(message);
  for (const char* const part : {"Phase \"train\".batch = 20", "1 of 61 samples", "drop_last"}) {
    CHECK(contains(message, part));
  }
  CHECK(same(weights(experiment.net), before));
  experiment.phase.drop_last = true;
  CHECK_NOTHROW(experiment.run());
  experiment.phase.drop_last = false;
  experiment.phase.eval = {"1"};  // its statistics are not of the batch
  CHECK_NOTHROW(experiment.run());
  experiment.phase.eval = {};
  experiment.phase.data = points(60, 11);
  CHECK_NOTHROW(experiment.run());

  // Of images one is enough.
  torch::nn::Sequential images(torch::nn::Conv2d(1, 2, 3), torch::nn::BatchNorm2d(2), torch::nn::Flatten(),
                               torch::nn::Linear(32, 3));
  torch::optim::SGD sgd(images->parameters(), 0.1);
  const rg::Batch data{.data = torch::randn({9, 1, 6, 6}), .target = torch::randint(0, 3, {9}, torch::kLong)};
  CHECK_NOTHROW(rg::run(images, {{.data = data, .optimizer = sgd, .epochs = 1, .batch = 4}}, {}));
  const std::string reestimated =
      error_of([&] { rg::reestimate_batch_norm(experiment.net, points(21, 1), {.batch = 10}); });
  CAPTURE(reestimated);
  CHECK(contains(reestimated, "drop_last"));
}

TEST_CASE("fault: the last epoch of a run that was stopped within its first is an Error, not a crash") {
  Experiment experiment;
  std::stop_source stop;
  stop.request_stop();
  const rg::History history =
      rg::run(experiment.net, {experiment.phase}, experiment.scoring, {.stop = stop.get_token()});
  CHECK(history.empty());
  CHECK(contains(error_of([&] { static_cast<void>(history.back()); }), "stopped within its first"));
  CHECK(contains(error_of([] { static_cast<void>(rg::HistoryView().back()); }), "no epoch"));
}

TEST_CASE("fault: an optimizer that lists a tied weight twice steps it twice, and the run says so") {
  torch::manual_seed(1);
  torch::nn::Linear square(2, 2);
  torch::nn::Sequential net(square, torch::nn::Tanh(), square);
  const auto notices_with = [&](const std::vector<at::Tensor>& parameters) {
    torch::optim::SGD sgd(parameters, 0.1);
    std::vector<std::string> notices;
    const rg::Batch data{.data = torch::randn({8, 2}), .target = torch::randint(0, 2, {8}, torch::kLong)};
    rg::run(net, {{.name = "tied", .data = data, .optimizer = sgd, .epochs = 1}}, {},
            [&](const rg::Notice& notice) { notices.push_back(notice.text); });
    return notices;
  };
  const auto notices = notices_with(net->parameters());
  REQUIRE(notices.size() == 1);
  for (const char* const part : {"\"tied\"", "0.weight", "2.weight", "regimen::Model(net).parameters()"}) {
    CHECK(contains(notices[0], part));
  }
  CHECK(notices_with(rg::Model(net).parameters()).empty());
}

TEST_CASE("fault: a loss that is no mean over the samples is told once, and one that says what it counts is not") {
  const auto told = [](const rg::AnyLoss& loss) {
    Experiment experiment;
    experiment.phase.loss = loss;
    int notices = 0;
    experiment.run([&](const rg::Notice& notice) { notices += contains(notice.text, "phase \"train\"") ? 1 : 0; });
    return notices;
  };
  const auto sum = [](const at::Tensor& output, const at::Tensor& target) {
    return at::cross_entropy_loss(output, target, {}, at::Reduction::Sum);
  };
  CHECK(told(sum) == 1);
  CHECK(told(rg::SummedLoss{sum}) == 0);
  CHECK(told(rg::CrossEntropy{.class_weights = {1, 9, 1}}) == 0);
  CHECK(told([](const at::Tensor& o, const at::Tensor& t) { return at::cross_entropy_loss(o, t); }) == 0);
  CHECK(told([](const at::Tensor& o, const at::Tensor& t) {
          return at::cross_entropy_loss(o, t, at::tensor({1.F, 9.F, 1.F}));
        }) == 1);
}

}  // namespace faults_test
