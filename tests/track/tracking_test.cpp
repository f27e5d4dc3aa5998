// Trackers as observers of a run: what they count, that they change nothing, and that a resume is not seen in them.

#include "support/training.hpp"

#include <cmath>
#include <memory>
#include <stop_token>

namespace tracking_test {

namespace {

using namespace training;

constexpr int epochs = 4;

/// Noisy labels, with all that has state; two phases, of which the second is followed by name.
struct Study {
  torch::nn::Sequential net = network(3);
  torch::optim::SGD sgd{net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9)};
  rg::Source train = points(44, 11);
  rg::Source noisy = rg::frozen(train, rg::UniformLabels{.classes = 3, .fraction = 0.4, .exclude_true = true}, 5);
  rg::NoiseSplit parts = rg::split_by_noise(noisy, train);
  rg::Scoring scoring{.clean = train, .validation = points(30, 13)};
  rg::ForgettingEvents forgetting{noisy};
  rg::AreaUnderMargin area{noisy, "noisy"};
  rg::Best best{net};

  Study() {
    scoring.measures = {{"by_heart", rg::AccuracyOn{parts.corrupted}},
                        {"recovered", rg::AccuracyOn{parts.truth}},
                        {"untouched", rg::AccuracyOn{parts.untouched}},
                        {"heading", rg::HeadingTo{rg::Snapshot(net), rg::Snapshot(network(4))}}};
  }
  Study(const Study&) = delete;
  Study& operator=(const Study&) = delete;

  [[nodiscard]] std::vector<rg::Phase> phases() {
    const rg::Phase phase{.name = "noisy", .data = noisy, .optimizer = sgd, .epochs = epochs, .batch = 16, .seed = 1};
    rg::Phase first = phase;
    first.name = "first";
    first.epochs = 1;
    return {first, phase};
  }

  template <class... Observers>
  rg::History run(const rg::RunOptions& options, Observers&&... observers) {
    return rg::run(net, phases(), scoring, options, observers...);
  }
};

}  // namespace

TEST_CASE("tracking: observers count what every step has shown") {
  Study study;
  at::Tensor sum = at::zeros({44}, at::kDouble);
  at::Tensor forgotten = at::zeros({44}, at::kLong);
  at::Tensor before = at::zeros({44}, at::kBool);
  const auto by_hand = [&](const rg::Step& step) {
    const at::Tensor z = step.pass.output.detach();
    const at::Tensor id = step.pass.batch.id;
    const at::Tensor y = step.pass.batch.target;
    for (std::int64_t i = 0; i < id.size(0); ++i) {
      const auto who = id[i].item<std::int64_t>();
      const auto label = y[i].item<std::int64_t>();
      const at::Tensor others = at::cat({z[i].narrow(0, 0, label), z[i].narrow(0, label + 1, 2 - label)});
      if (step.clock.phase == 1) {
        sum[who] += z[i][label].item<double>() - others.max().item<double>();
      }
      const bool right = z[i].argmax().item<std::int64_t>() == label;
      if (before[who].item<bool>() && !right) {
        forgotten[who] += 1;
      }
      before[who] = right;
    }
  };
  study.run({}, study.forgetting, study.area, by_hand);
  CHECK(study.forgetting.seen().equal(at::full({44}, epochs + 1, at::kLong)));
  CHECK(study.forgetting.events().equal(forgotten));
  CHECK(forgotten.sum().item<std::int64_t>() > 0);
  CHECK(study.area.seen().equal(at::full({44}, epochs, at::kLong)));
  CHECK((study.area.values() - sum / epochs).abs().max().item<double>() < 1e-12);
}

TEST_CASE("tracking: an unwatched run ends in the same bits") {
  Study plain;
  const rg::History alone = plain.run({});
  Study watched;
  CHECK(watched.run({}, watched.forgetting, watched.area, watched.best) == alone);
  CHECK(same(weights(watched.net), weights(plain.net)));
}

TEST_CASE("tracking: the parts of label noise make up fit and clean") {
  Study study;
  const rg::History history = study.run({});
  const auto corrupted = static_cast<double>(*study.parts.corrupted.size());
  REQUIRE(corrupted > 5);
  for (const rg::Epoch& epoch : history) {
    const double untouched = (44 - corrupted) * epoch.measures.at("untouched");
    CHECK(44 * epoch.fit.accuracy == Approx(corrupted * epoch.measures.at("by_heart") + untouched));
    CHECK(44 * epoch.clean.accuracy == Approx(corrupted * epoch.measures.at("recovered") + untouched));
    CHECK(std::abs(epoch.measures.at("heading")) <= 1);
  }
}

TEST_CASE("tracking: stopped anywhere and gone on with, trackers end in the same bits") {
  const Folder folder;
  Study whole;
  const rg::History expected = whole.run({}, whole.forgetting, whole.area, whole.best);
  REQUIRE(whole.best.kept());
  const std::string path = folder / "run.pt";
  const int steps = 3 * (epochs + 1);
  for (int k = 1; k < steps; ++k) {
    CAPTURE(k);
    {
      Study first;
      rg::Checkpoint keep(path, {.seconds = 0}, first.net, first.sgd, first.forgetting, first.area, first.best);
      std::stop_source stop;
      int left = k;
      const auto at_step = [&](const rg::Step&) {
        if (--left == 0) {
          stop.request_stop();
        }
      };
      first.run({.stop = stop.get_token()}, keep, first.forgetting, first.area, first.best, at_step);
    }
    Study second;
    const rg::State state =
        rg::load_checkpoint(path, second.net, second.sgd, second.forgetting, second.area, second.best);
    CHECK(second.run({.from = state}, second.forgetting, second.area, second.best) == expected);
    CHECK(second.forgetting.events().equal(whole.forgetting.events()));
    CHECK(second.forgetting.learned().equal(whole.forgetting.learned()));
    CHECK(second.forgetting.seen().equal(whole.forgetting.seen()));
    CHECK(second.area.values().equal(whole.area.values()));
    CHECK(second.best.value() == whole.best.value());
    CHECK(second.best.clock() == whole.best.clock());
    second.best.restore();
    whole.best.restore();
    CHECK(same(weights(second.net), weights(whole.net)));
  }
}

TEST_CASE("tracking: a tracker that was not loaded is an error, before the first step") {
  const Folder folder;
  const std::string path = folder / "run.pt";
  Study first;
  rg::Checkpoint keep(path, {.seconds = 0}, first.net, first.sgd);
  std::stop_source stop;
  const auto in_second_epoch = [&](const rg::Step& step) {
    if (step.clock.phase == 1 && step.clock.step == 4) {
      stop.request_stop();
    }
  };
  first.run({.stop = stop.get_token()}, keep, in_second_epoch);
  Study second;
  const rg::State state = rg::load_checkpoint(path, second.net, second.sgd);
  const auto trained = weights(second.net);
  CHECK(error_of([&] { second.run({.from = state}, second.forgetting); }).find("ForgettingEvents") == 0);
  CHECK(error_of([&] { second.run({.from = state}, second.area); }).find("AreaUnderMargin") == 0);
  CHECK(error_of([&] { second.run({.from = state}, second.best); }).find("Best") == 0);
  CHECK(same(weights(second.net), trained));
}

TEST_CASE("tracking: so is one whose phase was over before the resume") {
  const Folder folder;
  const std::string path = folder / "run.pt";
  Study first;
  rg::ForgettingEvents saved(first.noisy, "first");
  rg::Checkpoint keep(path, {.seconds = 0}, first.net, first.sgd, saved);
  std::stop_source stop;
  const auto in_second_phase = [&](const rg::Step& step) {
    if (step.clock.phase == 1) {
      stop.request_stop();
    }
  };
  first.run({.stop = stop.get_token()}, keep, saved, in_second_phase);
  Study second;
  rg::ForgettingEvents loaded(second.noisy, "first");
  const rg::State state = rg::load_checkpoint(path, second.net, second.sgd, loaded);
  rg::ForgettingEvents forgotten(second.noisy, "first");
  rg::ForgettingEvents later(second.noisy, "noisy");
  CHECK(error_of([&] { second.run({.from = state}, forgotten); }).find("ForgettingEvents did not see") == 0);
  CHECK(error_of([&] { second.run({.from = state}, later); }).find("ForgettingEvents did not see") == 0);
  second.run({.from = state}, loaded);
  CHECK(loaded.seen().equal(at::ones({44}, at::kLong)));
}

TEST_CASE("tracking: several batches a step are refused, not half counted") {
  Study study;
  std::vector<rg::Phase> phases = study.phases();
  phases[0].accumulate = 2;
  const std::string message = error_of([&] { rg::run(study.net, phases, study.scoring, study.forgetting); });
  CHECK(message.find("accumulate") != std::string::npos);
}

TEST_CASE("tracking: the best epoch is that of the history, and its weights score as it says") {
  Study study;
  study.scoring.every = 2;
  const rg::History history = study.run({}, study.best);
  double least = INFINITY;
  for (const rg::Epoch& epoch : history) {
    least = std::fmin(least, epoch.validation.loss);
  }
  CHECK(study.best.value() == least);
  study.best.restore();
  CHECK(rg::evaluate(study.net, study.scoring.validation).loss == least);
}

TEST_CASE("tracking: what is measured within a run is scored as the phase is, unless it is told otherwise") {
  torch::manual_seed(2);
  torch::nn::Sequential net(torch::nn::Linear(2, 8), torch::nn::Tanh(), torch::nn::Linear(8, 3));
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.5));
  rg::Batch data = points(90, 3);
  data.data = data.data * 50 + 400;  // raw values, of which the network is shown normalized ones
  const auto normalize = [](const rg::Batch& batch, const rg::Key&) {
    rg::Batch result = batch;
    result.data = (batch.data - 400) / 50;
    return result;
  };
  const rg::Phase phase{
      .name = "learn", .data = data, .optimizer = sgd, .epochs = 80, .batch = 30, .preprocess = {normalize}};
  rg::Scoring scoring{.test = data};
  scoring.measures["as_phase"] = rg::AccuracyOn{data};
  scoring.measures["loss"] = rg::LossOn{data};
  scoring.measures["raw"] = rg::AccuracyOn{data, {.preprocess = {rg::chain()}}};
  scoring.measures["entropy"] = rg::LossOn{data, {.loss = [](const at::Tensor& output, const at::Tensor&) {
                                             return -(output.softmax(1) * output.log_softmax(1)).sum(1).mean();
                                           }}};
  scoring.measures["gap"] = rg::PartGap{data, data};
  scoring.measures["worst"] = rg::WorstGap{{rg::Source(data)}, {rg::Source(data)}};
  scoring.measures["probe"] = [&](const rg::Probe& probe) {
    CHECK(probe.test.same_as(scoring.test));
    CHECK(probe.clock.epoch > 0);
    CHECK(probe.how.preprocess.size() == 1);
    return rg::evaluate(probe.model, probe.fit, probe.how).accuracy;
  };
  scoring.measures["changes"] = rg::PredictionChanges(data);
  const rg::Epoch last = rg::run(net, {phase}, scoring).back();
  REQUIRE(last.test.accuracy > 0.9);
  CHECK(last.measures.at("as_phase") == last.test.accuracy);
  CHECK(last.measures.at("loss") == last.test.loss);
  CHECK(last.measures.at("probe") == last.test.accuracy);
  CHECK(last.measures.at("raw") < 0.8);
  CHECK(last.measures.at("gap") == 0);
  CHECK(last.measures.at("worst") == 0);
  CHECK(last.measures.at("changes") < 0.2);
  const at::Tensor output = net->forward((data.data - 400) / 50);
  CHECK(last.measures.at("entropy") ==
        Approx(-(output.softmax(1) * output.log_softmax(1)).sum(1).mean().item<double>()).epsilon(1e-5));

  // Afterwards, by hand.
  CHECK(rg::evaluate(net, data, phase).accuracy == last.test.accuracy);
  CHECK(rg::evaluate(net, data, rg::evaluation_of(phase)).loss == last.test.loss);
  CHECK(rg::AccuracyOn{data}(net) == rg::evaluate(net, data).accuracy);  // alone it knows of no phase
}

}  // namespace tracking_test
