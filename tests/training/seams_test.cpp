// What the seams make of parts of a user's own: named numbers of a measure, losses of single samples, what a source
// says of itself, knobs with a range.

#include "training/helpers.hpp"

#include <optional>

namespace seams_test {

namespace {

namespace rg = regimen;
using training::network;
using training::plain_network;
using training::points;

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const rg::Error& error) {
    return error.what();
  }
  return "";
}

/// The largest and the smallest weight.
struct Ends {
  std::string second = "smallest";

  [[nodiscard]] std::vector<std::string> names() const { return {"largest", "smallest"}; }
  rg::Numbers operator()(const rg::Probe& probe) const {
    const auto all = probe.model.parameters();
    double largest = -1e9;
    double smallest = 1e9;
    for (const at::Tensor& each : all) {
      largest = std::max(largest, each.max().item<double>());
      smallest = std::min(smallest, each.min().item<double>());
    }
    return {{"largest", largest}, {second, smallest}};
  }
};

/// Squared errors of single samples, of which the first half of the classes counts three times as much.
struct Heavy {
  at::Tensor each(const at::Tensor& output, const at::Tensor& target) const {
    return (output.select(1, 0) - target.to(at::kFloat)).square();
  }
  at::Tensor weight(const at::Tensor& target) const {
    return torch::where(target == 0, torch::full({}, 3.0), torch::full({}, 1.0));
  }
};

struct Plain {
  at::Tensor each(const at::Tensor& output, const at::Tensor& target) const {
    return (output.select(1, 0) - target.to(at::kFloat)).square();
  }
};

struct TooFew {
  at::Tensor each(const at::Tensor& output, const at::Tensor& /*target*/) const { return output.sum().view({1}); }
};

struct MeasuresData {
  rg::Source data{};
  std::optional<rg::Source> perhaps{};

  double operator()(const rg::Probe& probe) const { return rg::evaluate(probe.model, data, probe.how).loss; }
};

/// Two sources side by side, one after the other in time: a view of a user's own.
struct Both {
  rg::Source first;
  rg::Source second;

  [[nodiscard]] std::int64_t size() const { return *first.size(); }
  [[nodiscard]] rg::Batch get(const at::Tensor& index, const rg::Now& now) const {
    return now.clock.epoch % 2 == 0 ? first.get(index, now) : second.get(index, now);
  }
};

rg::Phase phase_of(torch::optim::SGD& sgd, const rg::Source& data) {
  return {.name = "p", .data = data, .optimizer = sgd, .epochs = 2, .batch = 8};
}

}  // namespace

TEST_CASE("a measure may give several numbers, and the record, the log and stop criteria have them by name") {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  const rg::Source data = points(16, 1);
  rg::Phase phase = phase_of(sgd, data);
  phase.until = rg::MeasureExceeds{.measure = "ends_largest", .bound = -1};
  std::vector<std::string> names;
  const rg::History history = rg::run(net, {phase}, {.measures = {{"ends", Ends{}}, {"a_norm", rg::l2_norm}}},
                                      [&](const rg::RunBegin& begin) { names = begin.measures; });
  CHECK((names == std::vector<std::string>{"a_norm", "ends_largest", "ends_smallest"}));
  REQUIRE(history.size() == 1);  // the criterion read a number of the measure
  const auto& measures = history.back().measures;
  CHECK(measures.size() == 3);
  const rg::Numbers by_hand = Ends{}(rg::Probe(net));
  CHECK(measures.at("ends_largest") == by_hand.at("largest"));
  CHECK(measures.at("ends_smallest") == by_hand.at("smallest"));
}

TEST_CASE("a measure that gives other numbers than it says, or a name twice, is an error") {
  auto net = plain_network();
  const rg::AnyMeasure liar = Ends{.second = "least"};
  CHECK(error_of([&] { (void)liar.numbers("ends", rg::Probe(net)); }) ==
        "the measure \"ends\" must give the numbers that its names() says, but gave " +
            rg::manifest(Ends{.second = "least"}(rg::Probe(net))));
  torch::optim::SGD sgd(net->parameters(), 0.1);
  const rg::Source data = points(16, 1);
  CHECK(error_of([&] {
          rg::run(net, {phase_of(sgd, data)}, {.measures = {{"ends", Ends{}}, {"ends_largest", rg::l2_norm}}});
        }).find("two numbers of the name \"ends_largest\"") != std::string::npos);
}

TEST_CASE("a source that a measure lacks is an error before the first step") {
  CHECK(error_of([] { rg::AnyMeasure measure(rg::AccuracyOn{rg::Source()}); }) ==
        "AccuracyOn.part must be set (std::optional<regimen::Source> is for one that may be missing)");
  CHECK(error_of([] { rg::AnyMeasure measure(rg::LossOn{rg::Source()}); }).rfind("LossOn.part must be set", 0) == 0);
  CHECK(error_of([] { rg::AnyMeasure measure(MeasuresData{}); }).find("MeasuresData.data must be set") !=
        std::string::npos);
  CHECK(error_of([] { rg::AnyMeasure measure(MeasuresData{.data = points(4, 1)}); }).empty());
}

TEST_CASE("losses of single samples make a mean, by their weights, and the same gradients") {
  const at::Tensor output = torch::randn({6, 3});
  const at::Tensor target = torch::tensor({0, 0, 1, 2, 1, 0}, torch::kLong);
  const at::Tensor each = (output.select(1, 0) - target.to(at::kFloat)).square();
  const at::Tensor weight = torch::tensor({3., 3., 1., 1., 1., 3.});
  CHECK(rg::AnyLoss(Plain{})(output, target).item<float>() == Approx(each.mean().item<float>()));
  CHECK(rg::AnyLoss(Heavy{})(output, target).item<double>() ==
        Approx((each * weight).sum().item<double>() / weight.sum().item<double>()));
  CHECK(rg::AnyLoss(Heavy{}).count(target, 6).number() == 12);
  CHECK(rg::AnyLoss(Heavy{}).each(output, target).equal(each));
  CHECK(error_of([&] {
          (void)rg::AnyLoss(TooFew{})(output, target);
        }).find("::each must give one loss for each of 6") != std::string::npos);
}

TEST_CASE("a loss of weighted samples does not depend on how the data are batched") {
  const rg::Source data = points(30, 1);
  auto net = plain_network();
  const double whole = rg::evaluate(net, data, {.loss = Heavy{}, .batch = 30}).loss;
  for (const int batch : {1, 7, 11}) {
    CHECK(rg::evaluate(net, data, {.loss = Heavy{}, .batch = batch}).loss == Approx(whole).epsilon(1e-6));
  }
}

TEST_CASE("the losses of single samples are those of batches of one, for every loss of ours") {
  torch::manual_seed(5);
  const at::Tensor pixels = torch::randn({5, 4, 3, 2});
  const at::Tensor labels = torch::randint(4, {5, 3, 2});
  const at::Tensor shares = torch::rand({5, 4, 3, 2}).softmax(1);
  const at::Tensor bits = torch::rand({5, 4, 3, 2});
  const auto check = [](const rg::AnyLoss& loss, const at::Tensor& output, const at::Tensor& target) {
    const at::Tensor each = loss.each(output, target);
    REQUIRE(each.sizes() == at::IntArrayRef{output.size(0)});
    for (std::int64_t i = 0; i < output.size(0); ++i) {
      CHECK(each[i].item<double>() ==
            Approx(loss(output.narrow(0, i, 1), target.narrow(0, i, 1)).item<double>()).margin(1e-7));
    }
  };
  at::Tensor ignored = labels.clone();
  ignored[0].fill_(255);
  ignored[1][0].fill_(255);
  check(rg::CrossEntropy{}, pixels, labels);
  check(rg::CrossEntropy{.class_weights = {1, 2, 0.5, 0}}, pixels, labels);
  check(rg::CrossEntropy{.class_weights = {1, 2, 0.5, 3}, .ignore_index = 255}, pixels, ignored);
  check(rg::CrossEntropy{}, pixels, shares);
  check(rg::CrossEntropy{.class_weights = {1, 2, 0.5, 3}}, pixels, shares);
  check(rg::CrossEntropy{}, pixels.flatten(1).narrow(1, 0, 4), labels.select(1, 0).select(1, 0).contiguous());
  check(rg::BinaryCrossEntropy{}, pixels, bits);
  check(rg::MeanSquaredError{}, pixels, bits);
  check(rg::MeanSquaredError{}, torch::randn({5, 1}), torch::randn({5}));
  check(rg::AnyLoss(torch::nn::HuberLoss()), pixels, bits);
  check(rg::SummedLoss{rg::MeanSquaredError{}}, pixels, bits);
}

TEST_CASE("a view of one's own takes over what the sources below it say") {
  const rg::Source clean = points(10, 1);
  const rg::Source noisy = rg::frozen(
      clean, rg::UniformLabels{.classes = 3, .fraction = rg::PlateauDecay{.metric = rg::Metric::validation_loss}}, 1);
  const rg::Source both = Both{clean, noisy};
  CHECK(both.traits().random_layers == 1);
  REQUIRE(both.metrics().size() == 1);
  CHECK(both.metrics()[0] == rg::Metric::validation_loss);
  // So that a phase which reads it is refused before the first step.
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  CHECK(error_of([&] { rg::run(net, {phase_of(sgd, both)}, {}); }).find("validation_loss, which is never scored") !=
        std::string::npos);
}

TEST_CASE("a penalty of one's own with a ranged knob checks a schedule at the step at which it leaves the range") {
  struct Pull {
    rg::NotNegative<> strength = 0.1;

    at::Tensor penalty(const rg::Pass& pass) const {
      return pass.parameters.front().square().sum() * pass.now.tensor(strength);
    }
  };
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  rg::Phase phase = phase_of(sgd, points(16, 1));
  phase.epochs = 5;
  phase.regularize = {Pull{.strength = [](const rg::Clock& clock) { return 1.5 - static_cast<double>(clock.epoch); }}};
  std::int64_t steps = 0;
  const std::string error =
      error_of([&] { rg::run(net, {phase}, {}, [&](const rg::Step& step) { steps = step.clock.step; }); });
  CHECK(error.find("Pull.strength must be at least 0 and finite, but is -0.5") != std::string::npos);
  CHECK(steps == 4);  // two epochs of two
  CHECK(error_of([] {
          rg::AnyRegularizer bad(Pull{.strength = -1});
        }).find("Pull.strength must be at least 0 and finite, but is -1") != std::string::npos);
}

TEST_CASE("a single phase needs no list, and a run without splits none of them") {
  const rg::Source data = points(16, 1);
  const auto history = [&](const auto& train) {
    auto net = network();
    torch::optim::SGD sgd(net->parameters(), 0.1);
    return train(net, phase_of(sgd, data));
  };
  const rg::History expected =
      history([&](auto& net, const rg::Phase& phase) { return rg::run(net, {phase}, rg::Splits{.test = data}); });
  int epochs = 0;
  const auto count = [&](const rg::Epoch&) { ++epochs; };
  CHECK((history([&](auto& net, const rg::Phase& phase) { return rg::run(net, phase, {.test = data}, count); }) ==
         expected));
  CHECK(epochs == 2);
  CHECK((history([&](auto& net, const rg::Phase& phase) {
           return rg::run(net, phase, {.test = data}, rg::RunOptions{}, count);
         }) == expected));
  const rg::History unscored = history([](auto& net, const rg::Phase& phase) { return rg::run(net, phase); });
  CHECK(unscored.back().fit.accuracy == expected.back().fit.accuracy);
  CHECK_FALSE(unscored.back().test.scored());
  CHECK((history([](auto& net, const rg::Phase& phase) { return rg::run(net, {phase}); }) == unscored));
}

}  // namespace seams_test
