// Views of labels, and what is told of the labels that came of them.

#include "support/tensors.hpp"

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>

#include "regimen/damage/dealt_labels.hpp"
#include "regimen/damage/labelled_ids.hpp"

namespace noise_test {

namespace {

using regimen::Batch;
using regimen::Key;
using regimen::LabelNoise;
using regimen::NoiseMatrix;
using regimen::PairFlip;
using regimen::Source;
using regimen::UniformLabels;

/// One number a sample, so many samples of each class in turn, ids from 100 and not in order.
Batch classes_of(const std::vector<std::int64_t>& samples) {
  std::vector<at::Tensor> each;
  for (std::size_t c = 0; c < samples.size(); ++c) {
    each.push_back(at::full({samples[c]}, static_cast<std::int64_t>(c), at::kLong));
  }
  const at::Tensor target = at::cat(each);
  const std::int64_t n = target.size(0);
  const at::Tensor place = at::arange(n, at::kLong);
  return {
      .data = place.to(at::kFloat).unsqueeze(1), .target = target, .id = 100 + (place * 7919).remainder(n * 8000 + 1)};
}

at::Tensor labels_of(const Source& source) {
  return regimen::materialize(source).target;
}

/// [classes, classes]: how many of class i are called j.
at::Tensor counts(const Source& noisy, const Source& clean, std::int64_t classes) {
  return regimen::label_noise(noisy, clean, classes).counts;
}

at::Tensor table(const std::vector<std::int64_t>& entries) {
  const auto n = static_cast<std::int64_t>(std::sqrt(static_cast<double>(entries.size())) + 0.5);
  return longs(entries).view({n, n});
}

/// A stream that ends.
Source stream() {
  return regimen::prefetch(classes_of({3, 3}));
}

}  // namespace

TEST_CASE("exact_labels: n times the probability, rounded by the largest remainder, for each class and label") {
  const Batch clean = classes_of({10, 7, 100, 0});
  const NoiseMatrix noise{
      .rows = {{1.0 / 3, 1.0 / 3, 1.0 / 3, 0}, {0.1, 0.5, 0.3, 0.1}, {0.29, 0, 0.57, 0.14}, {0.5, 0, 0, 0.5}}};
  // 10 / 3 each: one is left, and goes to the first of equals. 0.7, 3.5, 2.1, 0.7 of 7: two are left for the sevens.
  const at::Tensor expected = table({4, 3, 3, 0, 1, 3, 2, 1, 29, 0, 57, 14, 0, 0, 0, 0});
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    CHECK(counts(regimen::exact_labels(clean, noise, seed), clean, 4).equal(expected));
  }
  const Source noisy = regimen::exact_labels(clean, noise, 7);
  CHECK(labels_of(regimen::exact_labels(clean, noise, 7)).equal(labels_of(noisy)));
  CHECK_FALSE(labels_of(regimen::exact_labels(clean, noise, 8)).equal(labels_of(noisy)));
  CHECK(regimen::materialize(noisy).data.equal(clean.data));
  // Any order of the same samples has the same labels.
  const at::Tensor order = at::arange(117, at::kLong).flip(0);
  const Source turned = regimen::exact_labels(regimen::rows(clean, order), noise, 7);
  CHECK(labels_of(turned).equal(labels_of(noisy).flip(0)));
}

TEST_CASE("the largest remainder gets what is left, and of those that differ by rounding alone the first") {
  using Counts = std::vector<std::int64_t>;
  using regimen::detail::largest_remainder;
  CHECK(largest_remainder(10, {1.0 / 3, 1.0 / 3, 1.0 / 3}) == Counts{4, 3, 3});
  CHECK(largest_remainder(10, {1.0 / 3, 1.0 / 3 + 1e-15, 1.0 / 3}) == Counts{4, 3, 3});
  // A chain of differences below 1e-9 whose ends are further apart: each order of it gives the last of the chain.
  const double low = 0.3;
  const double middle = low + 0.8e-9;
  const double high = middle + 0.8e-9;
  const double rest = 1 - low - middle - high;
  CHECK(largest_remainder(1, {low, middle, high, rest}) == Counts{0, 0, 1, 0});
  CHECK(largest_remainder(1, {middle, low, high, rest}) == Counts{0, 0, 1, 0});
  CHECK(largest_remainder(1, {high, low, middle, rest}) == Counts{1, 0, 0, 0});
  CHECK(largest_remainder(1, {middle, high, low, rest}) == Counts{0, 1, 0, 0});
  CHECK(largest_remainder(7, {0.0, 1.0}) == Counts{0, 7});
  CHECK(largest_remainder(0, {0.5, 0.5}) == Counts{0, 0});
}

TEST_CASE("exact_labels: of every noise that has a matrix, and every sample of a class as likely") {
  const Batch clean = classes_of({20, 20});
  const auto flip = regimen::matrix_of(PairFlip{.classes = 2, .fraction = 0.45});
  CHECK(counts(regimen::exact_labels(clean, flip, 1), clean, 2).equal(table({11, 9, 9, 11})));
  const auto uniform = regimen::matrix_of(UniformLabels{.classes = 2, .fraction = 0.5});
  CHECK(counts(regimen::exact_labels(clean, uniform, 1), clean, 2).equal(table({15, 5, 5, 15})));
  CHECK(counts(regimen::exact_labels(clean, NoiseMatrix{.rows = {{0, 1}, {1, 0}}, .fraction = 0.25}, 1), clean, 2)
            .equal(table({15, 5, 5, 15})));
  at::Tensor touched = at::zeros({40}, at::kLong);
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    touched += (labels_of(regimen::exact_labels(clean, uniform, seed)) != clean.target).to(at::kLong);
  }
  CHECK(touched.sum().item<std::int64_t>() == 400 * 10);
  // Hypergeometric, so narrower than a multinomial: each within five deviations of 100.
  CHECK((touched - 100).abs().max().item<double>() < 5 * std::sqrt(400 * 0.25 * 0.75));

  check_error([&] { (void)regimen::exact_labels(clean, {.rows = {{1, 0}, {0.5, 0.4}}}, 1); }, {"rows[1]", "0.9"});
  check_error([&] { (void)regimen::exact_labels(classes_of({2, 2, 2}), flip, 1); },
              {"exact_labels: a label", "[0, 2)", "is 2"});
  check_error([&] { (void)regimen::exact_labels(stream(), flip, 1); }, {"exact_labels", "indexed"});
  const regimen::Knob rising = [](const regimen::Clock& clock) { return 0.1 * clock.epoch; };
  check_error([&] { (void)regimen::exact_labels(clean, {.rows = flip.rows, .fraction = rising}, 1); },
              {"exact_labels", "not a schedule"});
}

TEST_CASE("balanced_labels: random labels, every class equally often whatever the classes were") {
  const Batch clean = classes_of({500, 3, 40});
  const Source source = regimen::balanced_labels(clean, 4, 7);
  const at::Tensor labels = labels_of(source);
  CHECK(labels.bincount({}, 4).equal(longs({136, 136, 136, 135})));
  CHECK(labels_of(regimen::balanced_labels(clean, 4, 7)).equal(labels));
  CHECK_FALSE(labels_of(regimen::balanced_labels(clean, 4, 8)).equal(labels));
  CHECK(regimen::materialize(source).data.equal(clean.data));
  check_share((labels.narrow(0, 0, 500) == 2).sum().item<double>(), 500, 0.25);
  check_error([&] { (void)regimen::balanced_labels(clean, 1, 7); }, {"balanced_labels: classes", "at least 2", "is 1"});
  check_error([&] { (void)regimen::balanced_labels(stream(), 2, 7); }, {"balanced_labels", "indexed"});
}

TEST_CASE("relabelled: the labels that are given, by place, through every view") {
  const Batch clean = classes_of({3, 3});
  const at::Tensor given = longs({5, 4, 3, 2, 1, 0});
  const Source source = regimen::relabelled(clean, given);
  CHECK(labels_of(source).equal(given));
  CHECK(labels_of(regimen::subset(source, longs({4, 0}))).equal(longs({1, 5})));
  CHECK(source.get(longs({2})).id.equal(clean.id.narrow(0, 2, 1)));
  CHECK(source.manifest().find("\"type\": \"Relabelled\"") != std::string::npos);
  CHECK(source.manifest() != regimen::relabelled(clean, given.flip(0)).manifest());
  // Layers go through: what is frozen on top draws from a key of its own.
  CHECK(regimen::relabelled(regimen::frozen(clean, UniformLabels{.classes = 2}, 1), given).traits().random_layers == 1);
  check_error([&] { (void)regimen::relabelled(clean, longs({1, 2})); },
              {"relabelled: labels", "[6] int64", "[2] long"});
  check_error([&] { (void)regimen::relabelled(clean, at::zeros({6})); }, {"relabelled: labels", "[6] float"});
  check_error([&] { (void)regimen::relabelled(clean, longs({0, 1, 2, 3, 4, -1})); }, {"at least 0", "is -1"});
  check_error([&] { (void)regimen::relabelled(stream(), given); }, {"relabelled", "indexed"});
}

TEST_CASE("label views: each says in its manifest how the labels came about") {
  const Batch clean = classes_of({4, 4});
  const auto says = [](const Source& source, const std::string& part) {
    CAPTURE(source.manifest());
    CHECK(source.manifest().find(part) != std::string::npos);
    CHECK(source.manifest().find("\"type\": \"InMemory\"") != std::string::npos);
  };
  says(regimen::permuted_labels(clean, 3), "{\"type\": \"PermutedLabels\", \"of\": {");
  says(regimen::permuted_labels(clean, 3), "\"seed\": 3}");
  says(regimen::balanced_labels(clean, 2, 3), "\"classes\": 2, \"seed\": 3}");
  says(regimen::exact_labels(clean, {.rows = {{1, 0}, {0.5, 0.5}}}, 3), "\"rows\": [[1, 0], [0.5, 0.5]]");
  const Source in_each = regimen::frozen(clean, PairFlip{.classes = 2}, 3, regimen::exactly_in_each(clean.target, 0.5));
  says(in_each, "\"exact_share\": 0.5, \"in_each_of_crc32\": \"");
}

TEST_CASE("exactly_in_each: no group loses more than its budget, and each loses all of it") {
  const Batch clean = classes_of({10, 9, 100, 1});
  const PairFlip lie{.classes = 4};
  const auto damaged = [&](double share, std::uint64_t seed = 7) {
    return regimen::frozen(clean, lie, seed, regimen::exactly_in_each(clean.target, share));
  };
  CHECK(counts(damaged(0.29), clean, 4).equal(table({8, 2, 0, 0, 0, 7, 2, 0, 0, 0, 71, 29, 0, 0, 0, 1})));
  CHECK(counts(damaged(1), clean, 4).diagonal().sum().item<std::int64_t>() == 0);
  CHECK(counts(damaged(0), clean, 4).diagonal().sum().item<std::int64_t>() == 120);
  CHECK_FALSE(labels_of(damaged(0.29, 8)).equal(labels_of(damaged(0.29))));
  // The smaller of two budgets takes some of those that the larger takes.
  const at::Tensor some = labels_of(damaged(0.2)) != clean.target;
  const at::Tensor more = labels_of(damaged(0.6)) != clean.target;
  CHECK(more.logical_or(some).equal(more));
  // Groups need not be classes: any numbers will do, here two clusters that cut through them.
  const at::Tensor clusters = at::arange(120, at::kLong).remainder(2) * 1000 - 7;
  const Source halves = regimen::frozen(clean, UniformLabels{.classes = 4, .exclude_true = true}, 7,
                                        regimen::exactly_in_each(clusters, 0.1));
  const at::Tensor touched = regimen::label_noise(halves, clean, 4).touched;
  CHECK(touched.masked_select(clusters == -7).sum().item<std::int64_t>() == 6);
  CHECK(touched.masked_select(clusters == 993).sum().item<std::int64_t>() == 6);

  check_error([&] { (void)regimen::exactly_in_each(clean.target, 1.5); }, {"exactly: share", "is 1.5"});
  check_error([&] { (void)regimen::exactly_in_each(at::zeros({120}), 0.5); }, {"groups", "[120] float"});
  check_error([&] { (void)regimen::exactly_in_each({}, 0.5); }, {"groups", "undefined"});
  check_error([&] { (void)regimen::frozen(clean, lie, 7, regimen::exactly_in_each(longs({1, 2}), 0.5)); },
              {"groups.size(0)", "120", "is 2"});
  check_error([&] { (void)regimen::frozen(stream(), lie, 7, regimen::exactly_in_each(longs({1, 2}), 0.5)); },
              {"exactly", "indexed"});
}

TEST_CASE("exactly: the share is met to the nearest sample, with every transform that changes labels for sure") {
  const Batch clean = classes_of({33, 34, 34});
  for (const double share : {0.0, 0.1, 0.25, 0.4, 0.999, 1.0}) {
    CAPTURE(share);
    const auto expected = std::llround(share * 101);
    const auto touched = [&](const regimen::AnyTransform& transform) {
      const Source noisy = regimen::frozen(clean, transform, 7, regimen::exactly(share));
      return regimen::label_noise(noisy, clean).touched.sum().item<std::int64_t>();
    };
    CHECK(touched(PairFlip{.classes = 3}) == expected);
    CHECK(touched(UniformLabels{.classes = 3, .exclude_true = true}) == expected);
    CHECK(touched(regimen::ClassMap{.to = {1, 2, 0}}) == expected);
    CHECK(touched(NoiseMatrix{.rows = {{0, 0.5, 0.5}, {1, 0, 0}, {0.2, 0.8, 0}}}) == expected);
  }
}

TEST_CASE("label_noise: mask, original labels, matrix and rate, by hand") {
  const Batch clean = classes_of({2, 3, 1});
  const Source noisy = regimen::relabelled(clean, longs({0, 2, 1, 1, 0, 2}));
  const LabelNoise noise = regimen::label_noise(noisy, clean);
  CHECK(noise.id.equal(clean.id));
  CHECK(noise.original.equal(clean.target));
  CHECK(noise.label.equal(longs({0, 2, 1, 1, 0, 2})));
  CHECK(noise.touched.equal(bools({0, 1, 0, 0, 1, 0})));
  CHECK(noise.counts.equal(table({1, 0, 1, 1, 2, 0, 0, 0, 1})));
  CHECK(furthest(noise.matrix(), at::tensor({0.5, 0.0, 0.5, 1.0 / 3, 2.0 / 3, 0.0, 0.0, 0.0, 1.0}).view({3, 3})) <
        1e-7);
  CHECK(noise.rate().share == 2.0 / 6);
  CHECK(noise.rate().trials == 6);
  CHECK(noise.rate_of(1, 0).share == 1.0 / 3);
  CHECK(noise.rate_of(1, 0).trials == 3);
  CHECK(regimen::realised_noise(noisy, clean) == 2.0 / 6);
  // A class more, of which there are no samples.
  const LabelNoise wider = regimen::label_noise(noisy, clean, 4);
  CHECK(wider.counts.sizes() == at::IntArrayRef({4, 4}));
  CHECK(wider.matrix()[3].isnan().all().item<bool>());
  // The original labels, back in their places.
  CHECK(labels_of(regimen::relabelled(noisy, noise.original)).equal(clean.target));
  CHECK(regimen::materialize(regimen::subset(noisy, noise.touched.nonzero().flatten()))
            .id.equal(clean.id.index_select(0, longs({1, 4}))));
}

TEST_CASE("label_noise: copies are compared with what they were made from, and ids in any order") {
  const Batch clean = classes_of({30, 30});
  const Source copies = regimen::frozen(regimen::repeat(clean, 3), UniformLabels{.classes = 2}, 7);
  const LabelNoise noise = regimen::label_noise(copies, regimen::rows(clean, at::arange(60, at::kLong).flip(0)));
  CHECK(noise.original.equal(clean.target.repeat({3})));
  CHECK(noise.label.equal(labels_of(copies)));
  CHECK(std::get<0>(at::_unique(noise.id)).numel() == 180);
  check_share(noise.touched.sum().item<double>(), 180, 0.5);
}

TEST_CASE("what a sample is compared with: itself, and else the one clean sample of its origin") {
  const Batch train = {.data = at::arange(10, at::kFloat).unsqueeze(1), .target = at::arange(10, at::kLong)};
  const auto originals = [](const Source& data, const Source& clean) {
    const at::Tensor found = regimen::label_noise(data, clean, 10).original;
    const regimen::Touched touched = regimen::touched(data, clean);
    CHECK(touched.target.equal(labels_of(data) != found));
    CHECK_FALSE(touched.data.any().item<bool>());
    return found;
  };
  const PairFlip some{.classes = 10, .fraction = 0.5};

  // Clean data that are copies, each with a label of its own: a sample is compared with itself.
  const Source copies = regimen::frozen(regimen::repeat(train, 3), UniformLabels{.classes = 10}, 1);
  CHECK(originals(regimen::frozen(copies, some, 2), copies).equal(labels_of(copies)));
  CHECK(originals(regimen::cached(regimen::frozen(copies, some, 2)), copies).equal(labels_of(copies)));
  const at::Tensor backwards = at::arange(30, at::kLong).flip(0);
  CHECK(originals(regimen::subset(copies, backwards), copies).equal(labels_of(copies).flip(0)));

  // Copies of a part, whose ids are others' in the whole: 3 is a copy of 0, and not the whole's 3.
  const Source part = regimen::limit(train, 3);
  CHECK(originals(regimen::frozen(regimen::repeat(part, 3), some, 2), train).equal(longs({0, 1, 2, 0, 1, 2, 0, 1, 2})));
  CHECK(originals(regimen::repeat(regimen::repeat(part, 2), 2), train).equal(longs({0, 1, 2}).repeat({4})));

  // Copies of copies: from which of them is not known.
  const std::initializer_list<const char*> several = {"several clean samples of origin 0", "of id 30"};
  check_error([&] { (void)regimen::label_noise(regimen::repeat(copies, 2), copies); }, several);
  check_error([&] { (void)regimen::touched(regimen::repeat(copies, 2), copies); }, several);
  CHECK(std::isnan(regimen::realised_noise(regimen::repeat(copies, 2), copies)));
}

TEST_CASE("label noise that follows a schedule is told as of a moment; as_of holds it there") {
  const Batch clean = classes_of({5, 5});
  const auto from_epoch_3 = [](const regimen::Clock& clock) { return clock.epoch >= 3 ? 1.0 : 0.0; };
  const Source noisy = regimen::frozen(clean, PairFlip{.classes = 2, .fraction = from_epoch_3}, 7);
  const regimen::Moment later{.clock = {.epoch = 3}};
  CHECK(regimen::label_noise(noisy, clean).rate().share == 0);
  CHECK(regimen::label_noise(noisy, clean, 2, later).rate().share == 1);
  CHECK(regimen::realised_noise(noisy, clean, later) == 1);
  CHECK(regimen::touched(noisy, clean, later).target.all().item<bool>());

  const Source still = regimen::as_of(noisy, later);
  const at::Tensor places = longs({9, 0});
  CHECK(still.get(places).target.equal(longs({0, 1})));
  CHECK(still.get(places, {.clock = {.epoch = 1}}).target.equal(longs({0, 1})));
  CHECK(regimen::realised_noise(still, clean) == 1);
  CHECK(still.traits().random_layers == 1);
  CHECK(still.manifest().find("\"AsOf\"") != std::string::npos);
  CHECK(still.manifest().find("\"epoch\": 3") != std::string::npos);
  const auto at_batch = [&](std::int64_t batch) {
    return regimen::as_of(noisy, {.clock = {.batch = batch, .batches = 10}}).manifest();
  };
  CHECK(at_batch(0) != at_batch(9));
  check_error([] { (void)regimen::as_of(stream(), {}); }, {"as_of", "indexed"});
}

TEST_CASE("dealt labels: laid on each other with one seed they are drawn apart") {
  const Batch clean = classes_of({1000, 1000});
  const auto agreement = [](const Source& a, const Source& b) {
    return (labels_of(a) == labels_of(b)).sum().item<double>();
  };
  const Source balanced = regimen::balanced_labels(clean, 2, 7);
  check_share(agreement(balanced, regimen::balanced_labels(balanced, 2, 7)), 2000, 0.5);

  const NoiseMatrix fifth = regimen::matrix_of(PairFlip{.classes = 2, .fraction = 0.2});
  const Source once = regimen::exact_labels(clean, fifth, 7);
  const Source twice = regimen::exact_labels(once, fifth, 7);
  const at::Tensor first = labels_of(once) != labels_of(clean);
  const at::Tensor second = labels_of(twice) != labels_of(once);
  CHECK(second.sum().item<std::int64_t>() == 400);
  check_share(first.logical_and(second).sum().item<double>(), 400, 0.2);

  const Source permuted = regimen::permuted_labels(clean, 7);
  check_share(agreement(permuted, regimen::permuted_labels(permuted, 7)), 2000, 0.5);

  // A frozen transform on dealt labels draws apart from one on the source, too; given labels are no draw.
  CHECK(permuted.traits().random_layers == 1);
  CHECK(regimen::relabelled(clean, labels_of(permuted)).traits().random_layers == 0);
}

TEST_CASE("permuted_labels: who gets whose label does not hang on the order of the source") {
  const Batch clean = classes_of({20, 30, 50});
  const Source turned = regimen::rows(clean, at::arange(100, at::kLong).flip(0));
  CHECK(labels_of(regimen::permuted_labels(turned, 7)).flip(0).equal(labels_of(regimen::permuted_labels(clean, 7))));
}

TEST_CASE("permuted_labels: every class as often as before, inputs and ids as they were, another deal for a seed") {
  const Batch clean = classes_of({200, 50, 150});
  const Source source = regimen::permuted_labels(clean, 7);
  const Batch dealt = regimen::materialize(source);
  CHECK(dealt.target.bincount().equal(longs({200, 50, 150})));
  CHECK(dealt.data.equal(clean.data));
  CHECK(dealt.id.equal(clean.id));
  // Of the 200 of class 0 half have one of the 200 labels 0 of 400: hypergeometric, which spreads less than this.
  check_share((dealt.target.narrow(0, 0, 200) == 0).sum().item<double>(), 200, 0.5);
  CHECK(labels_of(regimen::permuted_labels(clean, 7)).equal(dealt.target));
  CHECK_FALSE(labels_of(regimen::permuted_labels(clean, 8)).equal(dealt.target));
  // Part of it has the labels that it has in the whole.
  CHECK(source.get(longs({399, 0})).target.equal(dealt.target.index_select(0, longs({399, 0}))));
}

TEST_CASE("dealt labels: streams, targets that are no labels, labels out of range and schedules are refused") {
  const Batch clean = classes_of({3, 3});
  Batch numbers = clean;
  numbers.target = at::zeros({6});
  check_error([] { (void)regimen::permuted_labels(stream(), 1); }, {"permuted_labels", "indexed", "stream"});
  check_error([&] { (void)regimen::permuted_labels(numbers, 1); }, {"permuted_labels", "[N] int64", "[6] float"});
  check_error([&] { (void)regimen::balanced_labels(numbers, 2, 1); }, {"balanced_labels", "[N] int64", "[6] float"});
  NoiseMatrix noise{.rows = {{1, 0}, {0, 1}}};
  Batch beyond = clean;
  beyond.target = clean.target + 1;
  check_error([&] { (void)regimen::exact_labels(beyond, noise, 1); },
              {"exact_labels: a label must be in [0, 2), but is 2"});
  noise.fraction = [](const regimen::Clock& clock) { return clock.epoch / 100.0; };
  check_error([&] { (void)regimen::exact_labels(clean, noise, 1); }, {"NoiseMatrix.fraction", "not a schedule"});
}

TEST_CASE("labelled_ids: ids and labels of all samples, in the source's order, however many are read at once") {
  const std::int64_t n = 2 * 4096 + 5;  // more than two batches of a reading
  const at::Tensor place = at::arange(n, at::kLong);
  const Batch all{.data = at::zeros({n, 1}), .target = place.remainder(7), .id = 3 * n - place};
  const auto [id, label] = regimen::detail::labelled_ids(regimen::Source(all), "a test");
  CHECK(id.equal(all.id));
  CHECK(label.equal(all.target));
  const auto part = regimen::detail::labelled_ids(regimen::subset(all, longs({8196, 4095, 0})), "a test");
  CHECK(part.id.equal(longs({3 * n - 8196, 3 * n - 4095, 3 * n})));
  CHECK(part.label.equal(longs({8196 % 7, 0, 0})));
}

TEST_CASE("labelled_ids: labels that follow a schedule are those of the moment; what has none is refused") {
  const Batch clean = classes_of({30, 30});
  const auto later = [](const regimen::Clock& clock) { return clock.epoch < 5 ? 0.0 : 1.0; };
  const Source noisy = regimen::frozen(clean, PairFlip{.classes = 2, .fraction = later}, 1);
  const auto labels_at = [&](int epoch) {
    regimen::Moment now;
    now.clock.epoch = epoch;
    return regimen::detail::labelled_ids(noisy, "a test", now).label;
  };
  CHECK(labels_at(4).equal(clean.target));
  CHECK(labels_at(5).equal(1 - clean.target));
  const auto refuse = [](const Source& source, std::initializer_list<const char*> parts) {
    check_error([&] { (void)regimen::detail::labelled_ids(source, "a test"); }, parts);
  };
  refuse(stream(), {"a test takes an indexed source with at least one sample, not a stream"});
  refuse(regimen::subset(clean, at::zeros({0}, at::kLong)), {"a test", "at least one sample"});
  Batch numbers = clean;
  numbers.target = at::zeros({60});
  refuse(numbers, {"a test", "[N] int64", "[60] float"});
  numbers.target = at::Tensor();
  refuse(numbers, {"a test", "[N] int64"});
}

TEST_CASE("label_noise: what cannot be compared is refused, and realised_noise is unknown") {
  const Batch clean = classes_of({3, 3});
  const auto check = [&](const Source& data, const Source& of, std::initializer_list<const char*> parts) {
    check_error([&] { (void)regimen::label_noise(data, of); }, parts);
    CHECK(std::isnan(regimen::realised_noise(data, of)));
  };
  check(clean, {}, {"label_noise takes two sources that end"});
  check(clean, regimen::subset(clean, longs({0, 1})), {"no clean sample of id"});
  check(regimen::frozen(clean, regimen::LabelSmoothing{.classes = 2}, 1), clean, {"[N] int64", "[6, 2] float"});
  check(clean, regimen::frozen(clean, regimen::LabelSmoothing{.classes = 2}, 1), {"clean targets", "[6, 2] float"});
  const Source none = regimen::subset(clean, at::zeros({0}, at::kLong));
  check(none, clean, {"at least one sample"});
  check_error([&] { (void)regimen::label_noise(clean, clean, 1); }, {"label_noise: a label", "[0, 1)", "is 1"});
  check_error([&] { (void)regimen::label_noise(clean, clean, -1); }, {"label_noise: classes", "is -1"});
  Batch far = clean;
  far.target = clean.target + 1'000'000'000'000;
  check_error([&] { (void)regimen::label_noise(far, far); },
              {"label_noise: a label", "below 32768", "is 1000000000001"});
  check_error([&] { (void)regimen::label_noise(far, far, 2'000'000'000'000); },
              {"label_noise: classes", "[0, 32768]", "is 2000000000000"});
  CHECK(regimen::realised_noise(far, far) == 0);
  CHECK(regimen::realised_noise(stream(), classes_of({3, 3})) == 0);  // a stream that ends can be read
}

TEST_CASE("realised_noise: the share of labels that differ from the clean ones") {
  const Source train = classes_of({50, 100, 50});
  const at::Tensor labels = regimen::materialize(train).target;
  const auto share_of = [&](const Source& noisy) {
    return (regimen::materialize(noisy).target != labels).to(at::kDouble).mean().item<double>();
  };
  CHECK(regimen::realised_noise(train, train) == 0);
  const Source permuted = regimen::permuted_labels(train, 3);
  CHECK(regimen::realised_noise(permuted, train) == share_of(permuted));
  CHECK(regimen::realised_noise(permuted, train) > 0.4);  // about 1 - sum of squared class shares, 0.625
  CHECK(regimen::realised_noise(permuted, train) < 0.8);
  const UniformLabels others{.classes = 3, .exclude_true = true};
  CHECK(regimen::realised_noise(regimen::frozen(train, others, 1), train) == 1);
  for (const double share : {0.0, 0.25, 0.4, 1.0}) {
    CHECK(regimen::realised_noise(regimen::frozen(train, others, 1, regimen::exactly(share)), train) == Approx(share));
  }
  // Copies are compared with the sample that they were made from.
  CHECK(regimen::realised_noise(regimen::frozen(regimen::repeat(train, 3), others, 1), train) == 1);
  const Source some = regimen::subset(permuted, longs({5, 9, 11, 100}));
  CHECK(regimen::realised_noise(some, train) >= 0);
  // Where nothing can be compared it is unknown, not zero.
  CHECK(std::isnan(regimen::realised_noise(train, {})));
  CHECK(std::isnan(regimen::realised_noise(train, regimen::subset(train, longs({5, 9})))));
  CHECK(std::isnan(regimen::realised_noise(regimen::frozen(train, regimen::LabelSmoothing{.classes = 3}, 1), train)));
}

TEST_CASE("touched: the mask of inputs and of targets, for damage of any kind") {
  const Batch clean = classes_of({50, 50});
  const at::Tensor strange = at::full({3, 1}, -1.0F);
  const Source open = regimen::frozen(clean, regimen::OpenSet{.from = Batch{.data = strange}, .fraction = 0.3}, 7);
  const regimen::Touched mask = regimen::touched(open, clean);
  CHECK(mask.data.equal((regimen::materialize(open).data == -1).flatten()));
  CHECK(mask.data.sum().item<double>() > 10);
  CHECK_FALSE(mask.target.any().item<bool>());

  Batch numeric = clean;
  numeric.target = at::arange(200, at::kFloat).view({100, 2});
  const Source wild = regimen::frozen(regimen::repeat(numeric, 2), regimen::TargetOutliers{.fraction = 0.5}, 7);
  const regimen::Touched outliers = regimen::touched(wild, numeric);
  CHECK(outliers.target.equal((labels_of(wild) != numeric.target.repeat({2, 1})).all(1)));
  CHECK(outliers.target.sum().item<double>() > 60);
  CHECK_FALSE(outliers.data.any().item<bool>());

  CHECK_FALSE(regimen::touched(Batch{.data = clean.data}, Batch{.data = clean.data}).target.defined());
  Batch unknown_pixel = clean;
  unknown_pixel.data = clean.data.clone();
  unknown_pixel.data[7][0] = NAN;
  CHECK_FALSE(regimen::touched(unknown_pixel, unknown_pixel).data.any().item<bool>());
  CHECK(regimen::touched(unknown_pixel, clean).data.nonzero().equal(longs({7}).view({1, 1})));
  check_error([&] { (void)regimen::touched(open, stream()); }, {"touched", "indexed"});
  check_error([&] { (void)regimen::touched(clean, regimen::subset(clean, longs({1}))); },
              {"no clean sample of id 100"});
  check_error([&] { (void)regimen::touched(regimen::frozen(clean, regimen::LabelSmoothing{.classes = 2}, 1), clean); },
              {"targets of one shape and type", "[100, 2] float", "[100] long"});
}

TEST_CASE("wilson_interval: the published values of Newcombe 1998, table I, score method") {
  const auto check = [](std::int64_t hits, std::int64_t trials, double low, double high) {
    CAPTURE(hits, trials);
    const regimen::Proportion found = regimen::wilson_interval(hits, trials);
    CHECK(found.share == static_cast<double>(hits) / static_cast<double>(trials));
    CHECK(found.low == Approx(low).margin(5e-5));
    CHECK(found.high == Approx(high).margin(5e-5));
    CHECK(found.trials == trials);
  };
  check(81, 263, 0.2553, 0.3662);
  check(15, 148, 0.0624, 0.1605);
  check(0, 20, 0, 0.1611);
  check(1, 29, 0.0061, 0.1718);
  CHECK(regimen::wilson_interval(20, 20).high == 1);
  CHECK(regimen::wilson_interval(20, 20).low == Approx(1 - 0.1611).margin(5e-5));
  CHECK(regimen::wilson_interval(81, 263, 0.99).low < 0.2553);
  CHECK(std::isnan(regimen::wilson_interval(0, 0).share));
  CHECK(std::isnan(regimen::wilson_interval(0, 0).low));
  CHECK(regimen::detail::normal_two_sided_quantile(0.95) == Approx(1.959963984540054).epsilon(1e-12));
  check_error([] { (void)regimen::wilson_interval(3, 2); }, {"hits", "[0, 2]", "is 3"});
  check_error([] { (void)regimen::wilson_interval(-1, 2); }, {"hits", "is -1"});
  check_error([] { (void)regimen::wilson_interval(0, -1); }, {"trials", "is -1"});
  check_error([] { (void)regimen::wilson_interval(1, 2, 1.0); }, {"level", "(0, 1)", "is 1"});
}

TEST_CASE("label_noise: nineteen of twenty intervals hold the probability") {
  const Batch clean = classes_of({100, 100});
  int held = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const auto rate =
        regimen::label_noise(regimen::frozen(clean, PairFlip{.classes = 2, .fraction = 0.3}, seed), clean).rate();
    held += rate.low <= 0.3 && 0.3 <= rate.high ? 1 : 0;
  }
  check_share(held, 400, 0.95);
}

}  // namespace noise_test
