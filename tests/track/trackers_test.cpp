// Trackers that hold tensors, against loops and closed forms.

#include "support/tensors.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <regimen/regimen.hpp>

namespace trackers_test {

namespace {

namespace rg = regimen;
using regimen::AreaUnderMargin;
using regimen::Batch;
using regimen::Clock;
using regimen::Detection;
using regimen::Epoch;
using regimen::ForgettingEvents;
using regimen::Metric;
using regimen::Score;
using regimen::Source;

constexpr double infinity = std::numeric_limits<double>::infinity();

Source with_ids(const std::vector<std::int64_t>& ids) {
  const auto n = static_cast<std::int64_t>(ids.size());
  return Batch{.data = at::zeros({n, 2}), .target = at::zeros({n}, at::kLong), .id = longs(ids)};
}

at::Tensor doubles(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble);
}

/// What is alive after `save` and `load` through LibTorch's archives.
template <class Thing>
void carry_over(Thing& from, Thing& to) {
  torch::serialize::OutputArchive out;
  from.save(out);
  std::string bytes;
  out.save_to([&](const void* data, std::size_t size) {
    bytes.append(static_cast<const char*>(data), size);
    return size;
  });
  torch::serialize::InputArchive in;
  in.load_from(bytes.data(), bytes.size());
  to.load(in);
}

/// A "network" whose logits are its data: what it predicts is written into the samples.
struct Echo : torch::nn::Module {
  at::Tensor weight = register_parameter("weight", torch::zeros({1}));
  at::Tensor forward(const at::Tensor& x) { return x + 0 * weight; }
};

/// Samples that an Echo predicts as these classes, with these labels.
Batch predicted_as(const std::vector<std::int64_t>& classes, const std::vector<std::int64_t>& labels,
                   std::int64_t of = 3) {
  return {.data = 4 * at::one_hot(longs(classes), of).to(at::kFloat), .target = longs(labels)};
}

}  // namespace

TEST_CASE("rows: a sample has the row of its place in the source, and a stranger the last") {
  rg::SampleRows rows(with_ids({70, 3, 12}), "Mine");
  CHECK(rows.size() == 3);
  CHECK(rows.ids().equal(longs({70, 3, 12})));
  CHECK(rows.of(longs({12, 70, 4, 3, 0, 71})).equal(longs({2, 0, 3, 1, 3, 3})));
  const at::Tensor every_other = longs({3, 0, 70, 0}).view({2, 2}).select(1, 0);
  CHECK(rows.of(every_other).equal(longs({1, 0})));
}

TEST_CASE("rows: sources without stable ids, ends or samples are refused") {
  const auto stream = [](const rg::Order&) -> rg::Cursor { return [] { return Batch{}; }; };
  check_error([&] { rg::SampleRows(stream, "Mine"); }, {"Mine", "ends"});
  check_error([&] { rg::SampleRows(Source(), "Mine"); }, {"Mine", "ends"});
  check_error([&] { rg::SampleRows(rg::subset(with_ids({1, 2}), longs({})), "Mine"); }, {"at least one sample"});
  check_error([&] { rg::SampleRows(rg::subset(with_ids({1, 2}), longs({0, 0})), "Mine"); }, {"an id of its own"});
}

TEST_CASE("rows: a step belongs to the phase that is followed, and shows one batch") {
  rg::SampleRows rows(with_ids({1, 2}), "Mine", "second");
  const rg::Pass pass;
  const at::Tensor loss;
  const auto concerned = [&](const Clock& clock) { return rows.concerned({clock, pass, loss, 0.1}); };
  rows.hear({Clock{}, "first", 1});
  CHECK_FALSE(concerned({.batch = 1, .step = 1}));
  CHECK_FALSE(concerned({.batch = 3, .step = 2}));  // not followed, so it may accumulate
  rows.hear({Clock{.phase = 1}, "second", 2});
  CHECK(concerned({.phase = 1, .batch = 1, .step = 1}));
  CHECK(concerned({.phase = 1, .batch = 2, .step = 2}));
  CHECK(concerned({.phase = 1, .epoch = 1, .batch = 1, .step = 3}));
  check_error([&] { (void)concerned({.phase = 1, .epoch = 1, .batch = 3, .step = 4}); }, {"Mine", "accumulate"});
}

TEST_CASE("rows: what goes on without its beginning is an error") {
  const auto hear = [](const std::string& phase, const Clock& clock) {
    rg::SampleRows rows(with_ids({1}), "Mine", phase);
    rows.hear({clock, "first", 5});
  };
  hear("", {});
  hear("other", {.epoch = 2, .step = 8});
  hear("first", {.phase = 1});
  check_error([&] { hear("", {.batch = 3, .step = 3}); }, {"Mine", "beginning"});
  check_error([&] { hear("first", {.epoch = 2, .step = 8}); }, {"Mine", "beginning"});
  check_error([&] { hear("", {.phase = 1}); }, {"Mine", "beginning"});

  rg::SampleRows seen(with_ids({1}), "Mine");
  seen.hear({Clock{}, "first", 5});
  seen.hear({Clock{.phase = 1}, "second", 5});
  rg::SampleRows loaded(with_ids({1}), "Mine");
  carry_over(seen, loaded);
  loaded.hear({Clock{.phase = 1, .step = 3}, "second", 5});

  // Nor is it noticed too late that a phase was over before the resume.
  const auto resume = [](rg::SampleRows rows) {
    const rg::History history{.epochs = {Epoch{.clock = {.epoch = 1}, .phase = "first"}}, .outcomes = {}};
    rows.hear(rg::RunBegin{{}, {}, {}, history, [] { return std::string(); }});
  };
  check_error([&] { resume(rg::SampleRows(with_ids({1}), "Mine")); }, {"Mine", "beginning"});
  check_error([&] { resume(rg::SampleRows(with_ids({1}), "Mine", "first")); }, {"Mine", "beginning"});
  resume(rg::SampleRows(with_ids({1}), "Mine", "second"));
  resume(loaded);
}

TEST_CASE("forgetting: every sequence of six is counted as by hand") {
  // 64 samples, each with one of the sequences of right and wrong; bit t is the t-th time.
  const at::Tensor sequence = at::arange(64);
  const at::Tensor ids = 1000 - 3 * sequence;
  ForgettingEvents forgetting(Source(Batch{.data = at::zeros({64, 1}), .id = ids}));
  std::vector<std::int64_t> events(64);
  std::vector<bool> learned(64);
  std::vector<bool> last(64);
  for (int t = 0; t < 6; ++t) {
    const at::Tensor right = sequence.bitwise_right_shift(t).bitwise_and(1).to(at::kBool);
    const at::Tensor order = (sequence * 37 + t).remainder(64);  // another order of samples each time
    forgetting.add(ids.index_select(0, order), right.index_select(0, order));
    for (std::size_t i = 0; i < 64; ++i) {
      const bool now = ((i >> t) & 1) == 1;
      events[i] += last[i] && !now ? 1 : 0;
      learned[i] = learned[i] || now;
      last[i] = now;
    }
  }
  CHECK(forgetting.events().equal(longs(events)));
  CHECK(forgetting.seen().equal(at::full({64}, 6, at::kLong)));
  for (std::int64_t i = 0; i < 64; ++i) {
    CAPTURE(i);
    const auto k = static_cast<std::size_t>(i);
    CHECK(forgetting.learned()[i].item<bool>() == learned[k]);
    CHECK(forgetting.right()[i].item<bool>() == last[k]);
    CHECK(forgetting.unforgettable()[i].item<bool>() == (learned[k] && events[k] == 0));
    const double score = learned[k] ? static_cast<double>(events[k]) : infinity;
    CHECK(forgetting.score()[i].item<double>() == score);
  }
  CHECK(forgetting.ids().equal(ids));
}

TEST_CASE("forgetting: right is the label's logit being the largest; batches hold some of the samples") {
  ForgettingEvents forgetting(with_ids({5, 6, 7}));
  const at::Tensor says_one = at::tensor({0.0F, 1.0F}).view({1, 2});
  forgetting.add(longs({6}), says_one, longs({1}));
  forgetting.add(longs({6, 7}), says_one.expand({2, 2}), longs({0, 0}));
  CHECK(forgetting.events().equal(longs({0, 1, 0})));
  CHECK(forgetting.learned().equal(bools({0, 1, 0})));
  CHECK(forgetting.seen().equal(longs({0, 2, 1})));
  CHECK(std::isnan(forgetting.score()[0].item<double>()));
  CHECK(forgetting.score()[2].item<double>() == infinity);

  const at::Tensor smooth = at::tensor({0.1F, 0.9F}).view({1, 2});
  forgetting.add(longs({7}), says_one, smooth);
  CHECK(forgetting.right().equal(bools({0, 0, 1})));
}

TEST_CASE("forgetting: saved and loaded in the middle, it counts on") {
  ForgettingEvents whole(with_ids({5, 6}));
  ForgettingEvents resumed(with_ids({5, 6}));
  whole.add(longs({5, 6}), bools({1, 0}));
  carry_over(whole, resumed);
  for (ForgettingEvents* each : {&whole, &resumed}) {
    each->add(longs({5, 6}), bools({0, 1}));
    CHECK(each->events().equal(longs({1, 0})));
    CHECK(each->learned().equal(bools({1, 1})));
    CHECK(each->seen().equal(longs({2, 2})));
    CHECK(each->right().equal(bools({0, 1})));
  }
  ForgettingEvents other(with_ids({6, 5}));
  check_error([&] { carry_over(whole, other); }, {"ForgettingEvents", "other samples"});
}

TEST_CASE("trackers by sample: shapes are checked, and strangers are told when a result is read") {
  ForgettingEvents forgetting(with_ids({5, 6}));
  AreaUnderMargin area(with_ids({5, 6}));
  const auto add = [&](const at::Tensor& logits, const at::Tensor& targets) {
    return [&, logits, targets] { forgetting.add(longs({5}), logits, targets); };
  };
  check_error(add(at::zeros({1, 1}), longs({0})), {"ForgettingEvents", "[1, 1]"});
  check_error(add(at::zeros({1}), longs({0})), {"ForgettingEvents", "[1]"});
  check_error(add(at::zeros({1, 2}), at::zeros({1})), {"ForgettingEvents", "targets"});
  check_error(add(at::zeros({1, 2}), at::zeros({1, 3})), {"ForgettingEvents", "targets"});
  check_error([&] { area.add(longs({5}), at::zeros({1, 1}), longs({0})); }, {"AreaUnderMargin", "[1, 1]"});

  forgetting.add(longs({5, 8}), at::zeros({2, 2}), longs({0, 0}));
  area.add(longs({5, 8}), at::zeros({2, 2}), longs({0, 0}));
  check_error([&] { (void)forgetting.events(); }, {"ForgettingEvents", "1 times", "not in its source"});
  check_error([&] { (void)area.values(); }, {"AreaUnderMargin", "1 times", "not in its source"});
}

TEST_CASE("margins: the label's logit minus the largest other") {
  const at::Tensor logits = doubles({1, 2, 4, 1, 2, 4, 3, 3, 0}).view({3, 3});
  CHECK(rg::margins(logits, longs({2, 1, 0})).equal(doubles({2, -2, 0})));
  CHECK(rg::margins(logits.to(at::kFloat), longs({0, 2, 2})).equal(doubles({-3, 2, -3})));
  CHECK(rg::margins(logits.to(at::kBFloat16), longs({2, 1, 0})).equal(doubles({2, -2, 0})));
  CHECK(rg::margins(doubles({-1, -5}).view({1, 2}), doubles({0.2, 0.8}).view({1, 2})).equal(doubles({-4})));
}

TEST_CASE("area under the margin: the mean margin over the times that a sample was seen") {
  AreaUnderMargin area(with_ids({9, 2, 4}));
  const at::Tensor drawn = rg::Key(3, at::arange(5)).uniform({2, 4});
  const auto logits = [&](int t) { return drawn[t].to(at::kDouble); };
  std::vector<double> mean(2);
  for (int t = 0; t < 5; ++t) {
    area.add(longs({2, 9}), logits(t), longs({t % 4, 1}));
    for (int i = 0; i < 2; ++i) {
      const at::Tensor row = logits(t)[i];
      const auto* const z = row.data_ptr<double>();
      const int label = i == 0 ? t % 4 : 1;
      double largest = -infinity;
      for (int c = 0; c < 4; ++c) {
        largest = c == label ? largest : std::max(largest, z[c]);
      }
      mean[static_cast<std::size_t>(i)] += (z[label] - largest) / 5;
    }
  }
  const at::Tensor values = area.values();
  CHECK(values[1].item<double>() == Approx(mean[0]).epsilon(1e-12));
  CHECK(values[0].item<double>() == Approx(mean[1]).epsilon(1e-12));
  CHECK(std::isnan(values[2].item<double>()));
  CHECK(area.seen().equal(longs({5, 5, 0})));

  AreaUnderMargin resumed(with_ids({9, 2, 4}));
  carry_over(area, resumed);
  area.add(longs({4}), logits(0)[0].unsqueeze(0), longs({0}));
  resumed.add(longs({4}), logits(0)[0].unsqueeze(0), longs({0}));
  CHECK(resumed.values().equal(area.values()));
}

TEST_CASE("detection: precision and recall are shares of the flagged and of the corrupted") {
  const Detection found = rg::detection(bools({1, 1, 1, 0, 0, 0}), bools({1, 0, 1, 1, 1, 0}));
  CHECK(found.samples == 6);
  CHECK(found.corrupted == 4);
  CHECK(found.flagged == 3);
  CHECK(found.found == 2);
  CHECK(found.precision() == Approx(2.0 / 3));
  CHECK(found.recall() == 0.5);
  CHECK(std::isnan(rg::detection(bools({0, 0}), bools({1, 0})).precision()));
  CHECK(std::isnan(rg::detection(bools({1, 0}), bools({0, 0})).recall()));
  check_error([] { (void)rg::detection(bools({1}), bools({1, 0})); }, {"detection", "[2]"});
  check_error([] { (void)rg::detection(longs({1}), bools({1})); }, {"detection", "bool"});
}

TEST_CASE("detection: the area is the share of pairs in the right order, for every mask and ties") {
  const std::vector<double> score = {3, 1, 2, 2, -infinity, 1};
  for (std::int64_t bits = 0; bits < 64; ++bits) {
    std::vector<std::int64_t> mask;
    for (int i = 0; i < 6; ++i) {
      mask.push_back((bits >> i) & 1);
    }
    double ordered = 0;
    double pairs = 0;
    for (std::size_t i = 0; i < 6; ++i) {
      for (std::size_t j = 0; j < 6; ++j) {
        if (mask[i] == 1 && mask[j] == 0) {
          ordered += score[i] > score[j] ? 1 : (score[i] == score[j] ? 0.5 : 0);
          ++pairs;
        }
      }
    }
    CAPTURE(bits);
    const double area = rg::detection_area(doubles(score), bools(mask));
    CHECK(((pairs == 0 && std::isnan(area)) || area == Approx(ordered / pairs)));
  }
  check_error([] { (void)rg::detection_area(doubles({1, NAN}), bools({0, 1})); }, {"detection_area", "NaN"});
  check_error([] { (void)rg::detection_area(doubles({1, 2}), bools({0})); }, {"detection_area", "[1]"});
}

TEST_CASE("parts: each class by itself, and the gaps between them") {
  const auto net = std::make_shared<Echo>();
  const Source train = predicted_as({0, 0, 1, 2, 1}, {0, 0, 1, 1, 1});
  const Source test = predicted_as({0, 1, 0, 2}, {0, 0, 1, 2});
  const auto train_parts = rg::by_class(train, 3);
  const auto test_parts = rg::by_class(test, 3);
  REQUIRE(train_parts.size() == 3);
  const auto fit = rg::scores(net, train_parts);
  const auto held_out = rg::scores(net, test_parts);
  CHECK(fit[0].accuracy == 1);
  CHECK(fit[0].samples == 2);
  CHECK(fit[1].accuracy == Approx(2.0 / 3));
  CHECK_FALSE(fit[2].scored());
  CHECK(held_out[0].accuracy == 0.5);
  CHECK(held_out[1].accuracy == 0);
  CHECK(held_out[2].accuracy == 1);

  const std::vector<double> gaps = rg::gaps(fit, held_out);
  CHECK(gaps[0] == 0.5);
  CHECK(gaps[1] == Approx(2.0 / 3));
  CHECK(std::isnan(gaps[2]));
  const auto along = rg::class_gaps(train, test, 3);
  REQUIRE(along.size() == 3);
  CHECK(along.at("class_gap_0")(net) == 0.5);
  CHECK(along.at("class_gap_1")(net) == Approx(2.0 / 3));
  CHECK(std::isnan(along.at("class_gap_2")(net)));
  CHECK(rg::WorstGap{train_parts, test_parts}(net) == Approx(2.0 / 3));
  CHECK(std::isnan(rg::WorstGap{{train_parts[2]}, {test_parts[2]}}(net)));
  CHECK(rg::AccuracyOn{train_parts[1]}(net) == Approx(2.0 / 3));
  CHECK(rg::LossOn{train_parts[1]}(net) == rg::evaluate(net, train_parts[1]).loss);
  CHECK(std::isnan(rg::LossOn{train_parts[2]}(net)));

  const std::string manifest = rg::manifest(rg::AccuracyOn{train_parts[1]});
  CAPTURE(manifest);
  CHECK(manifest.find("\"AccuracyOn\", \"part\": {\"type\": \"Subset\"") != std::string::npos);

  check_error([&] { (void)rg::by_class(train, 1); }, {"by_class", "[0, 1)", "but is 1"});
  check_error([&] { (void)rg::by_class(train, 0); }, {"by_class", "at least 1"});
  check_error([&] { (void)rg::WorstGap{train_parts, {test}}(net); }, {"gaps"});
}

TEST_CASE("parts: label noise takes the data apart, through repetition, shuffled places and damaged inputs") {
  const auto net = std::make_shared<Echo>();
  Batch truth = predicted_as({0, 1, 2, 0}, {0, 1, 2, 1});
  truth.id = longs({40, 10, 30, 20});
  const Source clean = truth;
  // Sample 40 twice, both truly 0 and predicted so; 30 labelled wrongly as predicted; 20 as neither.
  Batch noisy = predicted_as({0, 2, 0, 0, 1}, {1, 0, 2, 0, 1});
  noisy.id = longs({1, 2, 3, 4, 5});
  noisy.origin = longs({40, 30, 20, 40, 10});
  const rg::NoiseSplit parts = rg::split_by_noise(noisy, clean);
  CHECK(parts.mask.equal(bools({1, 1, 1, 0, 0})));
  CHECK(parts.true_label.equal(longs({0, 2, 1, 0, 1})));
  CHECK(rg::materialize(parts.corrupted).id.equal(longs({1, 2, 3})));
  CHECK(rg::materialize(parts.corrupted).target.equal(longs({1, 0, 2})));
  CHECK(rg::materialize(parts.truth).id.equal(longs({1, 2, 3})));
  CHECK(rg::materialize(parts.truth).target.equal(longs({0, 2, 1})));
  CHECK(rg::materialize(parts.untouched).id.equal(longs({4, 5})));

  const auto each = rg::scores(net, {parts.corrupted, parts.truth, parts.untouched});
  CHECK(each[0].accuracy == 0);
  CHECK(each[1].accuracy == Approx(2.0 / 3));
  CHECK(each[2].accuracy == 1);
  CHECK(parts.truth.manifest().find("TrueLabels") != std::string::npos);

  const Source frozen = rg::frozen(rg::repeat(clean, 50), rg::UniformLabels{.classes = 3}, 7);
  const rg::NoiseSplit split = rg::split_by_noise(frozen, clean);
  CHECK(split.mask.sum().item<std::int64_t>() == *split.corrupted.size());
  CHECK(*split.corrupted.size() + *split.untouched.size() == 200);
  CHECK(rg::detection(split.mask, split.mask).recall() == 1);

  const rg::NoiseSplit none = rg::split_by_noise(clean, clean);
  CHECK(none.corrupted.size() == 0);
  CHECK(std::isnan(rg::AccuracyOn{none.truth}(net)));
  check_error([&] { (void)rg::split_by_noise(clean, noisy); },
              {"split_by_noise", "several clean samples of origin 40"});
}

TEST_CASE("parts: noise that follows a schedule is that of one moment, however a part is read") {
  const auto net = std::make_shared<Echo>();
  const Source clean = predicted_as({0, 1, 2, 2, 1, 0}, {0, 1, 2, 2, 1, 0});
  const auto from_epoch_3 = [](const Clock& clock) { return clock.epoch >= 3 ? 1.0 : 0.0; };
  const Source noisy = rg::frozen(clean, rg::PairFlip{.classes = 3, .fraction = from_epoch_3}, 7);
  const rg::Moment later{.clock = {.epoch = 3}};
  const rg::NoiseSplit parts = rg::split_by_noise(noisy, clean, later);
  CHECK(parts.mask.all().item<bool>());
  CHECK(rg::AccuracyOn{parts.corrupted}(net) == 0);  // which reads as of the beginning, when nothing was flipped
  CHECK(rg::AccuracyOn{parts.truth}(net) == 1);
  CHECK_FALSE(rg::split_by_noise(noisy, clean).mask.any().item<bool>());
  check_error([&] { (void)rg::split_by_noise({}, clean); }, {"split_by_noise takes two sources that end"});
  check_error([&] { (void)rg::split_by_noise(rg::prefetch(clean), clean); }, {"split_by_noise", "indexed"});
  CHECK(rg::AccuracyOn{rg::split_by_noise(noisy, clean).untouched, {.now = later}}(net) == 1);
  for (const Source& part : rg::by_class(noisy, 3, later)) {
    CHECK(rg::AccuracyOn{part}(net) == 0);
  }

  // The history that a schedule reads is kept, too.
  const auto once_scored = [](const Clock&, const rg::History& history) { return history.empty() ? 0.0 : 1.0; };
  rg::NoiseSplit kept;
  {
    const rg::History history{.epochs = {Epoch{}}, .outcomes = {}};
    const Source data = rg::frozen(clean, rg::PairFlip{.classes = 3, .fraction = once_scored}, 7);
    kept = rg::split_by_noise(data, clean, {.history = &history});
  }
  CHECK(rg::AccuracyOn{kept.corrupted}(net) == 0);
}

TEST_CASE("best: the first of the best epochs, and its weights and buffers to come back to") {
  torch::nn::Sequential net(torch::nn::Linear(1, 1), torch::nn::BatchNorm1d(1));
  const at::NoGradGuard no_grad;
  at::Tensor weight = net->parameters().front();
  at::Tensor buffer = net->buffers().front();
  rg::Best best(net, Metric::test_accuracy, "learn");
  CHECK_FALSE(best.kept());
  CHECK(std::isnan(best.value()));
  check_error([&] { best.restore(); }, {"Best", "test_accuracy"});
  const auto epoch = [&](int number, double accuracy, const char* phase) {
    weight.fill_(number);
    buffer.fill_(10 * number);
    Epoch record{.clock = {.phase = 1, .epoch = number, .step = 7 * number}, .phase = phase};
    record.test = {.accuracy = accuracy, .loss = 0, .samples = 4};
    best(record);
  };
  epoch(1, rg::unknown, "learn");
  CHECK_FALSE(best.kept());
  epoch(2, 1.0, "memorize");
  epoch(3, 0.5, "learn");
  epoch(4, 0.75, "learn");
  epoch(5, 0.75, "learn");
  epoch(6, 0.25, "learn");
  CHECK(best.value() == 0.75);
  CHECK(best.clock() == Clock{.phase = 1, .epoch = 4, .step = 28});
  CHECK(weight.item<float>() == 6);

  rg::Best resumed(net, Metric::test_accuracy, "learn");
  carry_over(best, resumed);
  best.restore();
  CHECK(weight.item<float>() == 4);
  CHECK(buffer.item<float>() == 40);
  weight.fill_(9);
  resumed.restore();
  CHECK(weight.item<float>() == 4);
  CHECK(resumed.value() == 0.75);
  CHECK(resumed.clock() == best.clock());
  resumed.add(0.75);
  CHECK(resumed.clock().epoch == 4);
  resumed.add(0.8, {.epoch = 9});
  CHECK(resumed.clock().epoch == 9);

  rg::Best loss(net);
  loss.add(2);
  loss.add(1);
  loss.add(3);
  CHECK(loss.value() == 1);
  rg::Best nothing(net);
  rg::Best loaded(net);
  loaded.add(1);
  carry_over(nothing, loaded);
  CHECK_FALSE(loaded.kept());

  torch::nn::Sequential wider(torch::nn::Linear(2, 1), torch::nn::BatchNorm1d(1));
  rg::Best other(wider);
  check_error([&] { carry_over(best, other); }, {"Best", "0.weight"});
}

}  // namespace trackers_test
