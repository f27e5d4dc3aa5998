#include "support/tensors.hpp"

#include <cmath>
#include <stdexcept>
#include <vector>

#include <regimen/regimen.hpp>

namespace evaluate_test {

namespace {

using regimen::Batch;
using regimen::Evaluation;
using regimen::Key;
using regimen::Model;
using regimen::Score;
using regimen::Source;

/// Shows its input, so that a test writes the outputs down as data.
struct Echo {
  at::Tensor weight = at::ones({1});

  at::Tensor forward(const at::Tensor& x) { return x * weight; }
  std::vector<at::Tensor> parameters() { return {weight}; }
  std::vector<at::Tensor> buffers() { return {}; }
};

torch::nn::Sequential net_with_modes() {
  return torch::nn::Sequential(torch::nn::Linear(4, 8), torch::nn::BatchNorm1d(8), torch::nn::ReLU(),
                               torch::nn::Dropout(0.5), torch::nn::Linear(8, 3));
}

Batch points(std::int64_t n) {
  const at::Tensor id = at::arange(n, at::kLong);
  return {Key(1, id).normal({4}), Key(2, id).below(3), id, {}, {}};
}

}  // namespace

TEST_CASE("evaluate: accuracy and loss of known outputs are what they are by hand") {
  Echo echo;
  const double a = std::log(3);  // softmax of (a, 0) is (3/4, 1/4)
  const Batch data{.data = at::tensor({a, 0., 0., a, a, 0.}).to(at::kFloat).view({3, 2}), .target = longs({0, 0, 0})};
  const Score score = regimen::evaluate(echo, data);
  CHECK(score.samples == 3);
  CHECK(score.accuracy == Approx(2.0 / 3));
  CHECK(score.loss == Approx(-(2 * std::log(0.75) + std::log(0.25)) / 3).epsilon(1e-6));
}

TEST_CASE("evaluate: the batch size changes nothing, though the last batch is smaller") {
  torch::manual_seed(3);
  torch::nn::Sequential net = net_with_modes();
  net->forward(points(64).data * 2 + 1);  // statistics other than those of the start
  const Source source = points(101);
  const Score whole = regimen::evaluate(net, source, {.batch = 101});
  for (const std::int64_t batch : {1, 7, 50, 100, 1000}) {
    CAPTURE(batch);
    const Score score = regimen::evaluate(net, source, {.batch = batch});
    CHECK(score.accuracy == whole.accuracy);
    CHECK(score.loss == Approx(whole.loss).epsilon(1e-6));
    CHECK(score.samples == 101);
  }
}

TEST_CASE("evaluate: computes in eval mode and leaves modes, statistics, gradients and generators alone") {
  torch::nn::Sequential net = net_with_modes();
  const Source source = points(50);
  at::manual_seed(1);
  const at::Tensor expected_draw = at::rand({3});
  at::manual_seed(1);
  net->train();
  net[1]->eval();  // one part unlike the others
  const std::vector<bool> before = modes(*net);
  const at::Tensor mean = net->named_buffers()["1.running_mean"].clone();

  const Score first = regimen::evaluate(net, source);
  CHECK(modes(*net) == before);
  CHECK(net->named_buffers()["1.running_mean"].equal(mean));
  CHECK(net->named_buffers()["1.num_batches_tracked"].item<std::int64_t>() == 0);
  CHECK_FALSE(net->parameters()[0].grad().defined());
  CHECK(at::rand({3}).equal(expected_draw));  // no dropout was drawn

  net->eval();
  const at::Tensor output = net->forward(source.get(at::arange(50, at::kLong)).data);
  CHECK(output.requires_grad());  // gradients are on again
  CHECK(first.loss == Approx(at::cross_entropy_loss(output, points(50).target).item<double>()).epsilon(1e-6));
  CHECK(regimen::evaluate(net, source).loss == first.loss);
  CHECK_FALSE(net->is_training());
}

TEST_CASE("evaluate: an exception from the loss, the model or the data leaves the modes as they were") {
  torch::nn::Sequential net = net_with_modes();
  net->train();
  net[3]->eval();
  const std::vector<bool> before = modes(*net);
  const auto fails = [](const at::Tensor&, const at::Tensor&) -> at::Tensor { throw std::runtime_error("no loss"); };
  CHECK_THROWS_AS((void)regimen::evaluate(net, points(5), {.loss = fails}), std::runtime_error);
  CHECK(modes(*net) == before);
  const auto stops = [](torch::nn::Sequential&, const Batch&) -> at::Tensor { throw std::runtime_error("no output"); };
  CHECK_THROWS_AS((void)regimen::evaluate(Model(net, stops), points(5)), std::runtime_error);
  CHECK(modes(*net) == before);
  CHECK(at::GradMode::is_enabled());
}

TEST_CASE("evaluate: what LibTorch refuses is an Error that says what the network was shown, and the cure") {
  torch::nn::Sequential net(torch::nn::Linear(4, 3));
  Batch data = points(5);
  const auto message = [&] {
    try {
      (void)regimen::evaluate(net, data);
    } catch (const regimen::Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const auto has = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  data.data = (data.data * 10).to(at::kByte);
  for (const char* const part : {"evaluate: LibTorch says", "[5, 4] unsigned char", "parameters float", "Normalize"}) {
    CHECK(has(message(), part));
  }
  data.data = data.data.to(at::kDouble);
  CHECK(has(message(), ".to(torch::kFloat)"));
  net->to(at::kDouble);
  CHECK(message().empty());
  data.data = data.data.to(at::kFloat);
  CHECK(has(message(), ".to(torch::kDouble)"));
  data.data = at::zeros({5, 7}, at::kDouble);  // another shape, and the types fit
  CHECK(has(message(), "[5, 7] double"));
  CHECK_FALSE(has(message(), ".to("));
}

TEST_CASE("evaluate: preprocess acts in order on every batch, and is keyed by nothing but the sample") {
  Echo echo;
  const at::Tensor pixels = at::tensor({255., 0., 0., 255., 51., 204.}).to(at::kByte).view({3, 2});
  const Batch data{.data = pixels, .target = longs({0, 1, 1})};
  const auto doubled = [](const Batch& batch, const Key&) { return regimen::detail::with_data(batch, batch.data * 2); };
  const regimen::Normalize normalize{.mean = {0.5}, .stddev = {0.5}};
  const Score score = regimen::evaluate(echo, data, {.preprocess = {normalize, doubled}, .batch = 2});
  // Rows of (2, -2), (-2, 2) and (-1.2, 1.2).
  CHECK(score.loss == Approx((2 * std::log1p(std::exp(-4)) + std::log1p(std::exp(-2.4))) / 3).epsilon(1e-6));
  CHECK(score.accuracy == 1);
}

TEST_CASE("evaluate: the moment reaches sources and preprocessing") {
  Echo echo;
  const Batch data{.data = at::tensor({1.0F, 0.0F}).repeat({1000, 1}), .target = at::zeros({1000}, at::kLong)};
  const regimen::UniformLabels growing{
      .classes = 2, .fraction = [](const regimen::Clock& clock) { return 0.5 * clock.epoch; }, .exclude_true = true};
  const Source source = regimen::frozen(data, growing, 7);
  CHECK(regimen::evaluate(echo, source).accuracy == 1);
  CHECK(regimen::evaluate(echo, source, {.now = {.clock = {.epoch = 2}}}).accuracy == 0);
  const Evaluation half{.preprocess = {growing}, .now = {.clock = {.epoch = 1}}};
  check_share(1000 * regimen::evaluate(echo, data, half).accuracy, 1000, 0.5);
}

TEST_CASE("evaluate: accuracy is NaN where the loss has no notion of right") {
  Echo echo;
  const Batch data{.data = at::tensor({1., 2., 4.}).to(at::kFloat).view({3, 1}),
                   .target = at::tensor({0.0F, 2.0F, 1.0F})};
  const Score score = regimen::evaluate(echo, data, {.loss = regimen::MeanSquaredError{}, .batch = 2});
  CHECK(score.loss == Approx(10.0 / 3));
  CHECK(std::isnan(score.accuracy));
  CHECK(score.samples == 3);
  // One logit against integer labels: not a silent one half.
  const auto hinge = [](const at::Tensor& output, const at::Tensor&) { return output.mean(); };
  CHECK(std::isnan(
      regimen::evaluate(echo, {Batch{.data = data.data, .target = longs({0, 1, 0})}}, {.loss = hinge}).accuracy));
}

TEST_CASE("evaluate: BinaryCrossEntropy counts a logit above 0 as a yes") {
  Echo echo;
  const Batch data{.data = at::tensor({2., -1., 0.5, -3.}).to(at::kFloat).view({4, 1}),
                   .target = at::tensor({1., 0., 0., 0.}).to(at::kFloat)};
  const Score score = regimen::evaluate(echo, data, {.loss = regimen::BinaryCrossEntropy{}, .batch = 3});
  CHECK(score.accuracy == 0.75);
  const auto softplus = [](double x) { return std::log1p(std::exp(x)); };
  CHECK(score.loss == Approx((softplus(-2) + softplus(-1) + softplus(0.5) + softplus(-3)) / 4).epsilon(1e-6));
}

TEST_CASE("evaluate: a loss may say itself what is right") {
  struct Near {
    at::Tensor operator()(const at::Tensor& output, const at::Tensor& target) const {
      return (output.flatten() - target).abs().mean();
    }
    at::Tensor correct(const at::Tensor& output, const at::Tensor& target) const {
      return (output.flatten() - target).abs() < 1;
    }
  };
  Echo echo;
  const Batch data{.data = at::tensor({1., 2., 4., 8.}).to(at::kFloat).view({4, 1}),
                   .target = at::tensor({1.5, 2., 0., 0.}).to(at::kFloat)};
  const Score score = regimen::evaluate(echo, data, {.loss = Near{}, .batch = 3});
  CHECK(score.accuracy == 0.5);
  CHECK(score.loss == Approx(12.5 / 4));
}

TEST_CASE("evaluate: takes a source that ends and has a sample") {
  Echo echo;
  check_error([&] { (void)regimen::evaluate(echo, Source{}); }, {"evaluate", "ends"});
  const auto endless = [](const regimen::Order&) -> regimen::Cursor {
    return [] { return Batch{.data = at::zeros({1, 2})}; };
  };
  check_error([&] { (void)regimen::evaluate(echo, endless); }, {"evaluate", "limit(stream, samples)"});
  const Source empty = regimen::subset(points(3), at::zeros({0}, at::kLong));
  check_error([&] { (void)regimen::evaluate(echo, empty); }, {"evaluate", "at least one sample"});
}

TEST_CASE("evaluate: a stream with a limit is scored as the same samples in memory") {
  torch::nn::Sequential net = net_with_modes();
  const auto stream = [](const regimen::Order& order) -> regimen::Cursor { return Source(points(1000)).read(order); };
  const Score streamed = regimen::evaluate(net, regimen::limit(stream, 77), {.batch = 10});
  const Score stored = regimen::evaluate(net, regimen::limit(points(1000), 77));
  CHECK(streamed.samples == 77);
  CHECK(streamed.accuracy == stored.accuracy);
  CHECK(streamed.loss == Approx(stored.loss).epsilon(1e-6));
}

TEST_CASE("evaluate: NaN outputs are a NaN loss, not an error") {
  Echo echo;
  echo.weight.fill_(std::nan(""));
  const Batch data{.data = at::ones({3, 2}), .target = longs({0, 1, 0})};
  CHECK(std::isnan(regimen::evaluate(echo, data).loss));
}

namespace {

/// Gives a row a word: [N, T] words of [N, T, V] scores -> [N * T, V].
struct Words {
  at::Tensor weight = at::ones({1});

  at::Tensor forward(const at::Tensor& x) { return (x * weight).flatten(0, 1); }
  std::vector<at::Tensor> parameters() { return {weight}; }
  std::vector<at::Tensor> buffers() { return {}; }
};

}  // namespace

TEST_CASE("evaluate: accuracy is of what was judged: of words, where a model gives a row a word") {
  torch::manual_seed(2);
  const at::Tensor scores = torch::randn({30, 4, 5});
  const at::Tensor words = torch::randint(0, 5, {30, 4}, at::kLong);
  const double right = (scores.argmax(2) == words).to(at::kDouble).mean().item<double>();
  Words net;
  const auto by_row = [](const at::Tensor& output, const at::Tensor& target) {
    return at::cross_entropy_loss(output, target.flatten());
  };
  struct Flat : regimen::CrossEntropy {
    at::Tensor operator()(const at::Tensor& o, const at::Tensor& t) const {
      return CrossEntropy::operator()(o, t.flatten());
    }
    at::Tensor correct(const at::Tensor& o, const at::Tensor& t) const { return CrossEntropy::correct(o, t.flatten()); }
    regimen::LossCount count(const at::Tensor& t) const { return CrossEntropy::count(t.flatten()); }
    void check_target(const at::Tensor& t) const { CrossEntropy::check_target(t.flatten()); }
  };
  for (const std::int64_t batch : {1, 7, 30}) {
    const Score score =
        regimen::evaluate(net, Batch{.data = scores, .target = words}, {.loss = Flat{}, .batch = batch});
    CHECK(score.accuracy == Approx(right));
    CHECK(score.loss ==
          Approx(at::cross_entropy_loss(scores.flatten(0, 1), words.flatten()).item<double>()).epsilon(1e-6));
    CHECK(score.samples == 30);
  }
  // Without a word about right, the shapes do not say it: no accuracy, rather than one of 4.
  CHECK(std::isnan(regimen::evaluate(net, Batch{.data = scores, .target = words}, {.loss = by_row}).accuracy));
}

TEST_CASE("evaluate: pixels are judged one by one, and those to be ignored not at all, whatever the batch") {
  torch::manual_seed(2);
  const at::Tensor scores = torch::randn({10, 3, 4, 4});
  at::Tensor mask = torch::randint(0, 3, {10, 4, 4}, at::kLong);
  mask.masked_fill_(torch::rand({10, 4, 4}) < 0.4, 255);
  mask[9].fill_(255);  // a sample of which nothing is to be judged
  const at::Tensor valid = mask != 255;
  const double right = (scores.argmax(1) == mask).masked_select(valid).to(at::kDouble).mean().item<double>();
  const double loss = at::cross_entropy_loss(scores, mask, {}, at::Reduction::Mean, 255).item<double>();
  Echo echo;
  for (const std::int64_t batch : {1, 3, 10}) {
    CAPTURE(batch);
    const Score score = regimen::evaluate(echo, Batch{.data = scores, .target = mask},
                                          {.loss = regimen::CrossEntropy{.ignore_index = 255}, .batch = batch});
    CHECK(score.accuracy == Approx(right));
    CHECK(score.loss == Approx(loss).epsilon(1e-6));
  }
}

TEST_CASE("evaluate: class weights, summed losses and loss modules give one score for every batch") {
  torch::manual_seed(4);
  const at::Tensor scores = torch::randn({20, 3});
  const at::Tensor label = torch::randint(0, 3, {20}, at::kLong);
  const at::Tensor weight = at::tensor({1.F, 0.2F, 7.F});
  const double weighted = at::cross_entropy_loss(scores, label, weight).item<double>();
  const double plain = at::cross_entropy_loss(scores, label).item<double>();
  const auto sum = [](const at::Tensor& o, const at::Tensor& t) {
    return at::cross_entropy_loss(o, t, {}, at::Reduction::Sum);
  };
  Echo echo;
  for (const std::int64_t batch : {1, 6, 20}) {
    const auto loss_of = [&](const regimen::AnyLoss& loss) {
      return regimen::evaluate(echo, Batch{.data = scores, .target = label}, {.loss = loss, .batch = batch}).loss;
    };
    CHECK(loss_of(regimen::CrossEntropy{.class_weights = {1, 0.2, 7}}) == Approx(weighted).epsilon(1e-6));
    CHECK(loss_of(torch::nn::CrossEntropyLoss(torch::nn::CrossEntropyLossOptions().weight(weight))) ==
          Approx(weighted).epsilon(1e-6));
    CHECK(loss_of(regimen::SummedLoss{sum}) == Approx(plain).epsilon(1e-6));
    CHECK(loss_of(torch::nn::CrossEntropyLoss(torch::nn::CrossEntropyLossOptions().reduction(torch::kSum))) ==
          Approx(plain).epsilon(1e-6));
  }
}

TEST_CASE("evaluate: a network of NaN is right nowhere, though the most frequent class is 0") {
  Echo echo;
  echo.weight.fill_(std::nan(""));
  const Batch data{.data = at::ones({10, 2}), .target = longs({0, 0, 0, 0, 0, 0, 0, 0, 0, 1})};
  CHECK(regimen::evaluate(echo, data).accuracy == 0);
}

TEST_CASE("evaluate: a stream that gives another number than its size() is an Error, at the batch that is too many") {
  Echo echo;
  struct Liar {
    std::int64_t says;

    [[nodiscard]] std::int64_t size() const { return says; }
    regimen::Cursor operator()(const regimen::Order& order) const { return Source(points(20)).read(order); }
  };
  check_error([&] { (void)regimen::evaluate(echo, Liar{19}, {.batch = 5}); }, {"size()", "is 19", "20"});
  check_error([&] { (void)regimen::evaluate(echo, Liar{21}, {.batch = 5}); }, {"size()", "is 21", "20"});
  check_error([&] { (void)regimen::materialize(Liar{21}); }, {"size()", "is 21", "20"});
  const regimen::Cursor early = Source(Liar{10}).read({.batch = 5});
  CHECK(early().size() == 5);
  CHECK(early().size() == 5);
  CHECK_THROWS_AS(early(), regimen::Error);
  CHECK_NOTHROW(regimen::materialize(Liar{20}));
}

TEST_CASE(
    "evaluate: a stream whose model gives a row a word and whose targets are in rows too has no accuracy above 1") {
  torch::manual_seed(2);
  const at::Tensor scores = torch::randn({12, 4, 5});
  const at::Tensor words = torch::randint(0, 5, {48}, at::kLong);
  const double right = (scores.flatten(0, 1).argmax(1) == words).to(at::kDouble).mean().item<double>();
  struct Sentences {
    at::Tensor scores, words;

    [[nodiscard]] std::int64_t size() const { return 12; }
    regimen::Cursor operator()(const regimen::Order&) const {
      return [*this, begin = std::int64_t{0}]() mutable -> Batch {
        const std::int64_t n = begin == 0 ? 5 : begin == 5 ? 7 : 0;  // batches of its own sizes
        const Batch batch{.data = scores.narrow(0, begin, n),
                          .target = words.narrow(0, 4 * begin, 4 * n),
                          .id = at::arange(begin, begin + n)};
        begin += n;
        return n == 0 ? Batch{} : batch;
      };
    }
  };
  Words net;
  const Score score = regimen::evaluate(net, Sentences{scores, words});
  CHECK(score.accuracy == Approx(right));
  CHECK(score.loss == Approx(at::cross_entropy_loss(scores.flatten(0, 1), words).item<double>()).epsilon(1e-6));
  CHECK(score.samples == 12);
}

}  // namespace evaluate_test
