// What the seams make of parts of a user's own: named numbers of a measure, losses of single samples, what a source
// says of itself, knobs with a range.

#include "support/training.hpp"

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
  [[nodiscard]] rg::Batch get(const at::Tensor& index, const rg::Moment& now) const {
    return now.clock.epoch % 2 == 0 ? first.get(index, now) : second.get(index, now);
  }
};

/// A view that is a class: with its source in a public member `of`.
class Wrapped {
 public:
  explicit Wrapped(rg::Source source) : of(std::move(source)) {}

  rg::Source of;

  [[nodiscard]] std::int64_t size() const { return *of.size(); }
  [[nodiscard]] rg::Batch get(const at::Tensor& index, const rg::Moment& now) const { return of.get(index, now); }
};

/// Views of a list, and of one that may be missing.
struct OfList {
  std::vector<rg::Source> parts;

  [[nodiscard]] std::int64_t size() const { return *parts.front().size(); }
  [[nodiscard]] rg::Batch get(const at::Tensor& index, const rg::Moment& now) const {
    return parts.front().get(index, now);
  }
};

struct OfOptional {
  std::optional<rg::Source> perhaps;

  [[nodiscard]] std::int64_t size() const { return *perhaps->size(); }
  [[nodiscard]] rg::Batch get(const at::Tensor& index, const rg::Moment& now) const { return perhaps->get(index, now); }
};

/// Says all of it itself, in both ways.
struct Says {
  [[nodiscard]] std::int64_t size() const { return 1; }
  [[nodiscard]] rg::Batch get(const at::Tensor& index) const { return {.data = index, .id = index}; }
  [[nodiscard]] rg::SourceTraits traits() const { return {.stable_ids = false}; }
  [[nodiscard]] at::Device device() const { return at::kMeta; }
  [[nodiscard]] std::vector<rg::Metric> metrics() const { return {rg::Metric::test_loss}; }
};

/// [N, 1] where [N] is wanted.
struct WrongWeight : Plain {
  at::Tensor weight(const at::Tensor& target) const { return torch::ones_like(target).view({-1, 1}); }
};

/// Gives a mean itself, which is 0 / 0 where nothing counts.
struct CallableHeavy {
  at::Tensor operator()(const at::Tensor& output, const at::Tensor& target) const {
    return (output.select(1, 0) * weight(target)).sum() / weight(target).sum();
  }
  at::Tensor weight(const at::Tensor& target) const { return (target == 0).to(at::kFloat); }
};

double loss_of_test(const rg::Probe& probe) {
  return rg::evaluate(probe.model, probe.test, probe.how).loss;
}

/// A part with an array, which has its own manifest because its fields cannot be told.
struct WithArray {
  double factors[3] = {1, 2, 3};

  rg::Batch operator()(const rg::Batch& batch, const rg::Key& /*key*/) const { return batch; }
  at::Tensor operator()(const at::Tensor& output, const at::Tensor& /*target*/) const { return output.mean(); }
  double operator()(const rg::Model& /*model*/) const { return factors[1]; }
  [[nodiscard]] std::string manifest() const { return "\"with an array\""; }
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

TEST_CASE("a single phase needs no list, and a run without scoring none of them") {
  const rg::Source data = points(16, 1);
  const auto history = [&](const auto& train) {
    auto net = network();
    torch::optim::SGD sgd(net->parameters(), 0.1);
    return train(net, phase_of(sgd, data));
  };
  const rg::History expected =
      history([&](auto& net, const rg::Phase& phase) { return rg::run(net, {phase}, rg::Scoring{.test = data}); });
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

TEST_CASE("what is frozen onto a view draws otherwise than what lies below it, whatever kind of view it is") {
  const rg::Source clean = rg::Batch{.data = torch::zeros({1000, 1}), .target = torch::zeros({1000}, torch::kLong)};
  const rg::UniformLabels some{.classes = 10, .fraction = 0.3, .exclude_true = true};
  const rg::Source noisy = rg::frozen(clean, some, 7);
  const auto wrong = [&](const rg::Source& view) {
    return rg::materialize(rg::frozen(view, some, 7)).target.ne(0).sum().item<std::int64_t>();
  };
  // Two independent draws of 30 % leave about 1 - 0.7^2 wrong, 510 +- 16; repeated ones at most 300.
  CHECK(wrong(noisy) > 440);
  CHECK(wrong(Wrapped(noisy)) == wrong(noisy));
  CHECK(wrong(OfList{{clean, noisy}}) > 0);
  CHECK(rg::Source(OfList{{clean, noisy}}).traits().random_layers == 1);
  CHECK(wrong(OfList{{noisy}}) == wrong(noisy));
  CHECK(wrong(OfOptional{noisy}) == wrong(noisy));
}

TEST_CASE("a source's own device and metrics have the last word, and a stream has no device") {
  const rg::Source source = Says{};
  CHECK(source.device() == at::Device(at::kMeta));
  CHECK_FALSE(source.traits().stable_ids);
  REQUIRE(source.metrics().size() == 1);
  CHECK(rg::prefetch(source).device() == at::Device(at::kCPU));
}

TEST_CASE("weights of samples that are not [N] are an error and are not spread over the losses") {
  const at::Tensor output = torch::randn({4, 3});
  const at::Tensor target = torch::tensor({0, 1, 2, 0}, torch::kLong);
  CHECK(error_of([&] {
          (void)rg::AnyLoss(WrongWeight{})(output, target);
        }).find("::weight must give one weight for each of 4 samples, [N], but gave [4, 1]") != std::string::npos);
}

TEST_CASE("a loss of weighted samples is 0 where none of them counts, also one that divides itself") {
  const at::Tensor output = torch::randn({4, 3});
  const at::Tensor target = torch::ones({4}, torch::kLong);
  CHECK(rg::AnyLoss(CallableHeavy{})(output, target).item<float>() == 0);
}

TEST_CASE("the losses of images in half precision count more positions than half precision can") {
  const at::Tensor output = torch::randn({1, 2, 300, 300}, torch::kBFloat16);
  const at::Tensor target = torch::randint(2, {1, 300, 300});
  const double each = rg::AnyLoss(rg::CrossEntropy{}).each(output, target).item<double>();
  CHECK(each == Approx(rg::AnyLoss(rg::CrossEntropy{})(output.to(torch::kFloat), target).item<double>()).epsilon(0.01));
}

TEST_CASE("a function of a probe is given the run's data, and so is one that is referred to") {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  const auto lambda = [](const rg::Probe& probe) { return loss_of_test(probe); };
  const rg::History history = rg::run(net, phase_of(sgd, points(16, 1)),
                                      {.test = points(9, 2),
                                       .measures = {{"function", loss_of_test},
                                                    {"lambda", lambda},
                                                    {"reference", std::ref(lambda)},
                                                    {"function_reference", std::ref(loss_of_test)}}});
  for (const auto& [name, value] : history.back().measures) {
    CAPTURE(name);
    CHECK(value == history.back().test.loss);
  }
  CHECK(history.back().measures.size() == 4);
}

TEST_CASE("a part with fields that cannot be told is taken if it has a manifest of its own") {
  CHECK(rg::AnyTransform(WithArray{}).manifest() == "\"with an array\"");
  CHECK(rg::AnyLoss(WithArray{}).manifest() == "\"with an array\"");
  CHECK(rg::AnyMeasure(WithArray{})(rg::Probe(plain_network())) == 2);
}

TEST_CASE("ranges are checked in lists, optionals and parts within parts, and by check()") {
  struct Outer {
    rg::L2 inner{};
    std::optional<rg::Share<>> share{};
    std::vector<rg::L1> list{};

    at::Tensor penalty(const rg::Pass& pass) const { return inner.penalty(pass); }
  };
  CHECK(error_of([] { rg::AnyRegularizer bad(Outer{.inner = {.strength = -1}}); }) ==
        "L2.strength must be at least 0 and finite, but is -1");
  CHECK(error_of([] { rg::AnyRegularizer bad(Outer{.share = 2.0}); }).find("Outer.share must be in [0, 1]") !=
        std::string::npos);
  CHECK(error_of([] { rg::AnyRegularizer bad(Outer{.list = {{.strength = -2}}}); }) ==
        "L1.strength must be at least 0 and finite, but is -2");
  CHECK(error_of([] { rg::check(rg::L2{.strength = -3}); }) == "L2.strength must be at least 0 and finite, but is -3");
  CHECK(error_of([] { rg::check(rg::UniformLabels{.classes = 10, .fraction = 2}); }) ==
        "UniformLabels.fraction must be in [0, 1], but is 2");
}

TEST_CASE("a strength is a factor like any other knob") {
  const rg::L2 l2{.strength = 0.5};
  const rg::Knob half = l2.strength * 0.5;
  CHECK(half({}) == 0.25);
  CHECK((rg::Cosine{.epochs = 2} * l2.strength)({}, {}) == 0.5);
}

TEST_CASE("a schedule that reads a measure which is never taken is an error before the first step") {
  struct Reads {
    double operator()(const rg::Clock& /*clock*/) const { return 1; }
    [[nodiscard]] std::vector<std::string> measures() const { return {"absent"}; }
  };
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  rg::Phase phase = phase_of(sgd, points(16, 1));
  phase.lr_scale = Reads{};
  CHECK(error_of([&] { rg::run(net, phase); }) ==
        "Phase \"p\".lr_scale reads the measure \"absent\", which is never taken: add it to Scoring::measures");
}

TEST_CASE("a criterion that names a measure of several numbers is told their names") {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  rg::Phase phase = phase_of(sgd, points(16, 1));
  phase.until = rg::MeasureExceeds{.measure = "attack", .bound = 0.5};
  const rg::Scoring scoring{.test = points(16, 2), .measures = {{"attack", rg::ThresholdAttack{}}}};
  CHECK(error_of([&] { rg::run(net, phase, scoring); }) ==
        "Phase \"p\".until reads the measure \"attack\", which has several numbers: name one of attack_advantage, "
        "attack_area, attack_true_positive_rate");
}

TEST_CASE("an observer that looks at a score which is never taken is an error before the first step") {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  const rg::Phase phase = phase_of(sgd, points(16, 1));
  const at::Tensor before = net->parameters().front().clone();
  rg::Best best(net);
  CHECK(error_of([&] { rg::run(net, phase, {.test = points(16, 2)}, best); }) ==
        "Best looks at validation_loss, which is never scored: set that data in Scoring");
  struct Looks {
    void operator()(const rg::Epoch&) const {}
    [[nodiscard]] std::vector<rg::Metric> metrics() const { return {rg::Metric::test_loss}; }
  };
  const std::string looks = error_of([&] { rg::run(net, phase, {}, Looks{}); });
  CHECK(looks.find("Looks looks at test_loss, which is never scored") != std::string::npos);
  CHECK(net->parameters().front().equal(before));
  rg::run(net, phase, {.validation = points(16, 2)}, best);
  CHECK(best.kept());
}

TEST_CASE("a single phase takes options in braces") {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  const rg::Phase phase = phase_of(sgd, points(16, 1));
  CHECK(rg::run(net, phase, {.test = points(9, 2)}, {.from = {}}).size() == 2);
}

}  // namespace seams_test
