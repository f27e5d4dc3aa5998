#include "support/tensors.hpp"

#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>

namespace labels_test {

namespace {

using regimen::AnyTransform;
using regimen::Batch;
using regimen::ClassMap;
using regimen::CutMix;
using regimen::InstanceLabels;
using regimen::Key;
using regimen::Mixup;
using regimen::Moment;
using regimen::NoiseMatrix;
using regimen::OpenSet;
using regimen::PairFlip;
using regimen::RandomMatrix;
using regimen::Source;
using regimen::StochasticLabels;
using regimen::TargetNoise;
using regimen::TargetOutliers;
using regimen::UniformLabels;

Moment at_epoch(int epoch) {
  return {.clock = {.epoch = epoch}};
}

/// Labels in turn, one input each.
Batch labels(std::int64_t n, std::int64_t classes) {
  return {
      .data = at::zeros({n, 1}), .target = at::arange(n, at::kLong).remainder(classes), .id = at::arange(n, at::kLong)};
}

/// Images [n, 2, 4, 4] of bytes; all entries of image i are 10 * i, so that a pixel tells where it is from.
Batch shades(std::int64_t n, std::int64_t classes = 5) {
  Batch batch = labels(n, classes);
  batch.data = (at::arange(n, at::kLong).remainder(25) * 10).to(at::kByte).view({n, 1, 1, 1}).repeat({1, 2, 4, 4});
  return batch;
}

/// Targets of two numbers.
Batch numbers(std::int64_t n) {
  Batch batch = shades(n);
  batch.target = at::arange(2 * n, at::kFloat).view({n, 2});
  return batch;
}

template <class T>
Batch apply(const T& transform, const Batch& batch, std::uint64_t seed = 7, const Moment& now = {}) {
  return transform(batch, Key(seed, batch.id, now));
}

at::Tensor matrix(const NoiseMatrix& noise) {
  std::vector<double> entries;
  for (const std::vector<double>& row : noise.rows.elements()) {
    entries.insert(entries.end(), row.begin(), row.end());
  }
  const auto n = static_cast<std::int64_t>(noise.rows.size());
  return at::tensor(entries, at::kDouble).view({n, n});
}

/// Every row of the counts as it comes with these probabilities, entry by entry.
void check_counts(const at::Tensor& counts, const at::Tensor& probabilities) {
  REQUIRE(counts.sizes() == probabilities.sizes());
  for (std::int64_t i = 0; i < counts.size(0); ++i) {
    for (std::int64_t j = 0; j < counts.size(1); ++j) {
      CAPTURE(i, j);
      check_share(counts[i][j].item<double>(), counts[i].sum().item<double>(), probabilities[i][j].item<double>());
    }
  }
}

/// The transform changes labels by the matrix, as damage.
template <class T>
void check_matrix(const T& transform, std::int64_t classes) {
  const Batch clean = labels(20000 * classes, classes);
  const at::Tensor counts = regimen::label_noise(regimen::frozen(clean, transform, 7), clean, classes).counts;
  check_counts(counts, matrix(regimen::matrix_of(transform)));
}

/// Draws in [0, 1), uniform if the distribution function that made them of other draws is the right one.
void check_uniform(const at::Tensor& values) {
  CHECK(values.min().item<double>() >= 0);
  CHECK(values.max().item<double>() <= 1);
  check_equally_likely((values * 50).to(at::kLong).clamp_max(49).bincount({}, 50));
}

/// The mean of a normal of mean `middle` that is truncated to [0, 1].
double truncated_mean(double middle, double spread) {
  const auto density = [](double x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi); };
  const auto share = [](double x) { return 0.5 * (1 + std::erf(x / std::numbers::sqrt2)); };
  const double a = (0 - middle) / spread;
  const double b = (1 - middle) / spread;
  return middle + spread * (density(a) - density(b)) / (share(b) - share(a));
}

struct Model {
  std::string name;
  AnyTransform transform;
  Batch batch;
};

/// One of each, on data that it takes.
std::vector<Model> models() {
  const Batch images = shades(120);
  return {{"PairFlip", PairFlip{.classes = 5, .fraction = 0.4}, images},
          {"ClassMap", ClassMap{.to = {1, 0, 2, 4, 3}, .fraction = 0.4}, images},
          {"NoiseMatrix", regimen::random_noise_matrix({.classes = 5, .trace = 3}, 1), images},
          {"InstanceLabels", InstanceLabels{.classes = 5, .directions = 11}, images},
          {"StochasticLabels", StochasticLabels{.classes = 5}, images},
          {"OpenSet", OpenSet{.from = shades(7), .fraction = 0.5}, images},
          {"TargetNoise", TargetNoise{.stddev = 0.5}, numbers(120)},
          {"TargetOutliers", TargetOutliers{.fraction = 0.5}, numbers(120)},
          {"Mixup", Mixup{.partners = shades(7), .classes = 5}, images},
          {"CutMix", CutMix{.partners = shades(7), .classes = 5}, images}};
}

}  // namespace

TEST_CASE("labels: frozen, each does the same at every epoch and in any order; fresh, another thing at each epoch") {
  for (const auto& [name, transform, batch] : models()) {
    CAPTURE(name);
    const Source damaged = regimen::frozen(batch, transform, 7);
    const at::Tensor places = at::arange(batch.size(), at::kLong).flip(0);
    const Batch first = damaged.get(places.flip(0), at_epoch(0));
    const Batch later = damaged.get(places, at_epoch(3));
    CHECK(furthest(first.data, later.data.flip(0)) <= 1e-6);
    CHECK(furthest(first.target, later.target.flip(0)) <= 1e-6);
    CHECK_FALSE((same(first.data, batch.data) && same(first.target, batch.target)));

    const auto fresh = [&](int epoch) { return transform(batch, Key(7, batch.id, at_epoch(epoch)).each_epoch()); };
    CHECK(same(fresh(1), fresh(1)));
    CHECK_FALSE(same(fresh(1), fresh(2)));
  }
}

TEST_CASE("labels: the manifest has each by its name and its fields") {
  for (const auto& [name, transform, batch] : models()) {
    CAPTURE(transform.manifest());
    CHECK(transform.manifest().find("\"type\": \"" + name + "\"") != std::string::npos);
  }
  CHECK(AnyTransform(ClassMap{.to = {1, 0}, .fraction = 0.25}).manifest() ==
        "{\"type\": \"ClassMap\", \"to\": [1, 0], \"fraction\": 0.25}");
  CHECK(AnyTransform(NoiseMatrix{.rows = {{1, 0}, {0.5, 0.5}}}).manifest() ==
        "{\"type\": \"NoiseMatrix\", \"rows\": [[1, 0], [0.5, 0.5]], \"fraction\": 1}");
  CHECK(AnyTransform(InstanceLabels{.classes = 3, .directions = 9}).manifest().find("\"directions\": 9") !=
        std::string::npos);
}

TEST_CASE("PairFlip: every label becomes the one so many classes on, round the circle") {
  const Batch batch = labels(60, 6);
  for (std::int64_t shift = 1; shift < 6; ++shift) {
    const Batch flipped = apply(PairFlip{.classes = 6, .shift = shift}, batch);
    CHECK(flipped.target.equal((batch.target + shift).remainder(6)));
    CHECK(flipped.data.is_same(batch.data));
  }
  check_matrix(PairFlip{.classes = 3, .fraction = 0.45, .shift = 2}, 3);
  check_error([&] { (void)apply(PairFlip{.classes = 5}, batch); }, {"PairFlip: a label", "[0, 5)", "is 5"});
}

TEST_CASE("labels: what a smaller fraction changes, a larger one changes in the same way") {
  const Batch batch = labels(5000, 5);
  const auto noise = regimen::random_noise_matrix({.classes = 5, .trace = 2}, 1);
  const auto check = [&](const auto& of) {
    at::Tensor smaller = apply(of(0.0), batch).target;
    CHECK(smaller.equal(batch.target));
    for (const double fraction : {0.1, 0.5, 1.0}) {
      const at::Tensor larger = apply(of(fraction), batch).target;
      const at::Tensor changed = smaller != batch.target;
      CHECK(larger.index({changed}).equal(smaller.index({changed})));
      CHECK((larger != batch.target).sum().item<double>() > changed.sum().item<double>());
      smaller = larger;
    }
  };
  check([](double fraction) { return PairFlip{.classes = 5, .fraction = fraction}; });
  check([](double fraction) { return ClassMap{.to = {1, 0, 2, 2, 2}, .fraction = fraction}; });
  check([&](double fraction) { return NoiseMatrix{.rows = noise.rows, .fraction = fraction}; });
}

TEST_CASE("ClassMap: the maps of Patrini et al. 2017") {
  // As the pairs (true, noisy) of the authors' code.
  const auto pairs_of = [](const std::vector<std::int64_t>& map) {
    std::vector<std::vector<std::int64_t>> pairs;
    for (std::size_t c = 0; c < map.size(); ++c) {
      if (map[c] != static_cast<std::int64_t>(c)) {
        pairs.push_back({static_cast<std::int64_t>(c), map[c]});
      }
    }
    return pairs;
  };
  using Pairs = std::vector<std::vector<std::int64_t>>;
  CHECK(pairs_of(regimen::mnist_confusions()) == Pairs{{2, 7}, {3, 8}, {5, 6}, {6, 5}, {7, 1}});
  CHECK(pairs_of(regimen::cifar10_confusions()) == Pairs{{2, 0}, {3, 5}, {4, 7}, {5, 3}, {9, 1}});

  const std::vector<std::int64_t> superclass = regimen::cifar100_superclasses();
  const std::vector<std::int64_t> map = regimen::cifar100_confusions();
  REQUIRE(map.size() == 100);
  CHECK((at::bincount(longs(superclass), {}, 20) == 5).all().item<bool>());
  for (std::size_t c = 0; c < 100; ++c) {
    CAPTURE(c);
    CHECK(map[c] != static_cast<std::int64_t>(c));
    auto other = c;
    for (int step = 0; step < 5; ++step) {
      CHECK((other == c) == (step == 0));
      CHECK(superclass[other] == superclass[c]);
      other = static_cast<std::size_t>(map[other]);
    }
    CHECK(other == c);  // five classes, and round the circle
  }
  // Beaver, dolphin, otter, seal, whale are the aquatic mammals; maple, oak, palm, pine and willow the trees.
  CHECK(std::vector<std::int64_t>{map[4], map[30], map[55], map[72], map[95]} ==
        std::vector<std::int64_t>{30, 55, 72, 95, 4});
  CHECK(std::vector<std::int64_t>{map[47], map[52], map[56], map[59], map[96]} ==
        std::vector<std::int64_t>{52, 56, 59, 96, 47});
  CHECK(regimen::circular_within({0, 1, 0, 2, 0}) == std::vector<std::int64_t>{2, 1, 4, 3, 0});
}

TEST_CASE("ClassMap: each class becomes its own, for a share of the samples") {
  const Batch batch = labels(30, 3);
  CHECK(apply(ClassMap{.to = {2, 1, 0}}, batch).target.equal(2 - batch.target));
  check_matrix(ClassMap{.to = {2, 1, 1}, .fraction = 0.3}, 3);
  check_matrix(ClassMap{.to = regimen::cifar10_confusions(), .fraction = 0.4}, 10);
  check_error([&] { (void)apply(ClassMap{.to = {1, 0}}, batch); }, {"ClassMap: a label", "[0, 2)", "is 2"});
}

TEST_CASE("UniformLabels: its matrix is the one by which it changes labels") {
  check_matrix(UniformLabels{.classes = 4, .fraction = 0.6}, 4);
  check_matrix(UniformLabels{.classes = 4, .fraction = 0.6, .exclude_true = true}, 4);
}

TEST_CASE("NoiseMatrix: every label is drawn by its own row, and what has probability 0 never comes") {
  const NoiseMatrix noise{.rows = {{0.25, 0, 0.75, 0}, {0, 1, 0, 0}, {0.001, 0.002, 0.997, 0}, {0, 0.5, 0.5, 0}}};
  check_matrix(noise, 4);
  check_matrix(NoiseMatrix{.rows = noise.rows, .fraction = 0.4}, 4);
  check_matrix(NoiseMatrix{.rows = {{0, 1}, {1, 0}}}, 2);
  // Ten tenths sum to a little less than 1 in doubles.
  check_matrix(NoiseMatrix{.rows = std::vector<std::vector<double>>(10, std::vector<double>(10, 0.1))}, 10);
  check_error([&] { (void)apply(noise, labels(10, 5)); }, {"NoiseMatrix: a label", "[0, 4)", "is 4"});
}

TEST_CASE("NoiseMatrix: shares are met more finely than 24 bits would") {
  // 2^-30 on each side of a row's bound decides, with draws that are known.
  const Batch batch = labels(200000, 2);
  const at::Tensor draws = regimen::detail::fine_uniform(Key(7, batch.id).fold(1));
  const double limit = draws[0].item<double>();
  const auto of_first = [&](double bound) {
    const NoiseMatrix noise{.rows = {{bound, 1 - bound}, {0, 1}}};
    return apply(noise, regimen::slice(batch, 0, 1)).target.item<std::int64_t>();
  };
  CHECK(of_first(limit) == 1);
  CHECK(of_first(limit + 0x1p-40) == 0);
  CHECK(of_first(limit - 0x1p-40) == 1);
  check_uniform(draws);
}

TEST_CASE("NoiseMatrix: whatever is no row-stochastic matrix is refused, and where") {
  const auto use = [](std::vector<std::vector<double>> rows) {
    return [rows] { (void)AnyTransform(NoiseMatrix{.rows = rows}); };
  };
  check_error(use({}), {"NoiseMatrix.rows.size()", "at least 2", "is 0"});
  check_error(use({{1}}), {"NoiseMatrix.rows.size()", "at least 2", "is 1"});
  check_error(use({{1, 0}, {1}}), {"NoiseMatrix.rows[1].size()", "the number of rows, 2", "is 1"});
  check_error(use({{1, 0}, {1.5, -0.5}}), {"NoiseMatrix.rows[1][0]", "in [0, 1]", "is 1.5"});
  check_error(use({{NAN, 1}, {0, 1}}), {"NoiseMatrix.rows[0][0]", "in [0, 1]", "is nan"});
  check_error(use({{0.5, 0.5}, {0.5, 0.4}}), {"the sum of NoiseMatrix.rows[1]", "must be 1,", "is 0.9"});
  check_error(use({{0.9, 0.4}, {0.1, 0.6}}), {"the sum of NoiseMatrix.rows[0]", "to be transposed"});
  CHECK_NOTHROW(AnyTransform(NoiseMatrix{.rows = {{0.7 + 0.1 + 0.1, 0.1}, {0, 1}}}));
}

TEST_CASE("random_noise_matrix: rows sum to 1, the trace is the given one, entries are within their bounds") {
  for (const std::int64_t classes : {2, 3, 10, 40}) {
    const auto n = static_cast<double>(classes);
    for (const double trace : {0.6 * n, 0.9 * n, n}) {
      CAPTURE(classes, trace);
      const NoiseMatrix noise = regimen::random_noise_matrix({.classes = classes, .trace = trace}, 5);
      CHECK_NOTHROW(noise.check());
      CHECK(matrix(noise).trace().item<double>() == Approx(trace).epsilon(1e-12));
      CHECK(regimen::learnable(noise));
      CHECK(matrix(regimen::random_noise_matrix({.classes = classes, .trace = trace}, 5)).equal(matrix(noise)));
      CHECK((trace == n ||
             !matrix(regimen::random_noise_matrix({.classes = classes, .trace = trace}, 6)).equal(matrix(noise))));
    }
  }
  const RandomMatrix bounded{
      .classes = 6, .trace = 4, .zeros = 0.6, .min_kept = 0.5, .max_kept = 0.8, .min_flip = 0.05};
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const at::Tensor drawn = matrix(regimen::random_noise_matrix(bounded, seed));
    const at::Tensor kept = drawn.diagonal();
    CHECK(kept.min().item<double>() >= 0.5 - 1e-12);
    CHECK(kept.max().item<double>() <= 0.8 + 1e-12);
    CHECK(((drawn == 0).sum(1) == 3).all().item<bool>());  // 0.6 of five others
    const at::Tensor flips = drawn.masked_select((drawn > 0).logical_and(at::eye(6) == 0));
    CHECK(flips.min().item<double>() >= 0.05 - 1e-12);
  }
}

TEST_CASE("random_noise_matrix: a diagonal of two classes, and a row of three other entries, are uniform") {
  // Two classes: (d, trace - d) with d uniform in [trace - 1, 1]; three numbers of sum 1: each is Beta(1, 2).
  std::vector<double> kept;
  std::vector<double> flips;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    kept.push_back(
        (matrix(regimen::random_noise_matrix({.classes = 2, .trace = 1.5}, seed))[0][0].item<double>() - 0.5) * 2);
    const at::Tensor four = matrix(regimen::random_noise_matrix({.classes = 4, .trace = 0, .learnable = false}, seed));
    const double flip = four[0][1].item<double>();
    flips.push_back(1 - (1 - flip) * (1 - flip));  // the distribution function of Beta(1, 2)
  }
  for (const auto& values : {kept, flips}) {
    check_equally_likely((at::tensor(values, at::kDouble) * 20).to(at::kLong).clamp(0, 19).bincount({}, 20));
  }
}

TEST_CASE("random_noise_matrix: a trace at its bound leaves one diagonal, whatever the bound is rounded to") {
  // In hundredths, with n - 1 flips of at least (at most) `flip` each: the trace is n (1 - (n - 1) flip) at most
  // (least).
  for (const int classes : {2, 3, 6, 10}) {
    const double n = classes;
    const auto drawn_with = [&](RandomMatrix how) {
      how.classes = classes;
      how.learnable = false;
      return matrix(regimen::random_noise_matrix(how, 3));
    };
    for (int hundredths = 0; (classes - 1) * hundredths <= 100; ++hundredths) {
      CAPTURE(classes, hundredths);
      const double flip = hundredths / 100.0;
      const double trace = classes * (100 - (classes - 1) * hundredths) / 100.0;
      at::Tensor expected = at::full({classes, classes}, flip, at::kDouble);
      expected.fill_diagonal_(trace / n);
      CHECK(at::allclose(drawn_with({.trace = trace, .min_flip = flip}), expected, 0, 1e-9));
      CHECK(at::allclose(drawn_with({.trace = trace, .max_flip = flip}), expected, 0, 1e-9));
    }
    for (int hundredths = 0; hundredths <= 100; ++hundredths) {
      CAPTURE(classes, hundredths);
      const double kept = hundredths / 100.0;
      const double trace = classes * hundredths / 100.0;
      CHECK((drawn_with({.trace = trace, .min_kept = kept}).diagonal() - kept).abs().max().item<double>() <= 1e-9);
      CHECK((drawn_with({.trace = trace, .max_kept = kept}).diagonal() - kept).abs().max().item<double>() <= 1e-9);
    }
  }
}

TEST_CASE("random_noise_matrix: what cannot be is refused") {
  const auto use = [](const RandomMatrix& how) { return [how] { (void)regimen::random_noise_matrix(how, 1); }; };
  check_error(use({.classes = 1, .trace = 1}), {"RandomMatrix.classes", "at least 2"});
  check_error(use({.classes = 3, .trace = 3.5}), {"RandomMatrix.trace", "in [0, 3]", "is 3.5"});
  check_error(use({.classes = 3, .trace = 1}), {"RandomMatrix.trace", "above 1", "is 1"});
  check_error(use({.classes = 3, .trace = 2, .min_kept = 0.7}), {"RandomMatrix.trace", "is 2"});
  check_error(use({.classes = 3, .trace = 1.2, .max_flip = 0.2}), {"RandomMatrix.trace", "is 1.2"});
  check_error(use({.classes = 2, .trace = 1.361, .min_flip = 0.32}), {"RandomMatrix.trace", "is 1.361"});
  check_error(use({.classes = 2, .trace = NAN}), {"RandomMatrix.trace", "is nan"});
  check_error(use({.classes = 3, .trace = 2, .zeros = 1.5}), {"RandomMatrix.zeros", "is 1.5"});
  check_error(use({.classes = 3, .trace = 2, .prior = {1, 0}}), {"RandomMatrix.prior.size()", "is 2"});
  check_error(use({.classes = 2, .trace = 1.5, .prior = {0.5, 0.6}}), {"sum of RandomMatrix.prior", "is 1.1"});
  check_error(use({.classes = 50, .trace = 1.001, .tries = 5}), {"none of 5 matrices", "learnable"});
}

TEST_CASE("learnable: the true class must be called by its name more often than all samples are") {
  const auto others = [](std::int64_t classes, double fraction) {
    return regimen::matrix_of(UniformLabels{.classes = classes, .fraction = fraction, .exclude_true = true});
  };
  for (const std::int64_t classes : {2, 10}) {
    const double limit = 1 - 1.0 / static_cast<double>(classes);  // there labels know nothing of the class
    CHECK(regimen::learnable(others(classes, limit - 0.01)));
    CHECK_FALSE(regimen::learnable(others(classes, limit)));
    CHECK_FALSE(regimen::learnable(others(classes, limit + 0.01)));
  }
  CHECK(regimen::learnable(regimen::matrix_of(PairFlip{.classes = 2, .fraction = 0.49})));
  CHECK_FALSE(regimen::learnable(regimen::matrix_of(PairFlip{.classes = 2, .fraction = 0.5})));
  // Of class 2 a quarter is called 2, and of class 0, if it is the half of all, three quarters are.
  const NoiseMatrix noise{.rows = {{0.7, 0, 0.3}, {0, 1, 0}, {0.75, 0, 0.25}}};
  CHECK(regimen::learnable(noise, {0.1, 0.8, 0.1}) == (0.25 > 0.1 * 0.3 + 0.1 * 0.25 && 0.7 > 0.07 + 0.075));
  CHECK_FALSE(regimen::learnable(noise, {0.5, 0, 0.5}));
  CHECK(regimen::learnable(NoiseMatrix{.rows = {{1, 0}, {1, 0}}}, {0, 1}) == false);
  CHECK(regimen::learnable(NoiseMatrix{.rows = {{1, 0, 0}, {0, 1, 0}, {1, 0, 0}}}, {0.5, 0.5, 0}));  // 2 never occurs
}

TEST_CASE("InstanceLabels: a sample's label becomes another by its own rate and its input's likeness") {
  constexpr std::int64_t classes = 4;
  constexpr std::int64_t copies = 30000;
  const at::Tensor inputs = Key(1, at::arange(3, at::kLong)).uniform({2, 3});  // three samples, of class 0, 1, 3
  const at::Tensor truth = longs({0, 1, 3});
  const Batch batch{
      .data = inputs.repeat({copies, 1, 1}), .target = truth.repeat({copies}), .id = at::arange(3 * copies, at::kLong)};
  for (const double fraction : {0.0, 0.3, 0.95}) {
    for (const double spread : {0.0, 0.1}) {
      CAPTURE(fraction, spread);
      const InstanceLabels noise{.classes = classes, .fraction = fraction, .spread = spread, .directions = 5};
      const at::Tensor drawn = apply(noise, batch).target.view({copies, 3});
      const double rate = spread == 0 ? fraction : truncated_mean(fraction, spread);
      const at::Tensor directions = noise.directions.on(at::kCPU, classes, 6);
      at::Tensor expected = at::zeros({3, classes}, at::kDouble);
      for (std::int64_t i = 0; i < 3; ++i) {
        const auto y = truth[i].item<std::int64_t>();
        at::Tensor weight = inputs[i].flatten().to(at::kDouble).matmul(directions[y]).exp();
        weight[y] = 0;
        expected[i] = rate * weight / weight.sum();
        expected[i][y] = 1 - rate;
      }
      std::vector<at::Tensor> counts;
      for (std::int64_t i = 0; i < 3; ++i) {
        counts.push_back(drawn.select(1, i).bincount({}, classes));
      }
      check_counts(at::stack(counts), expected);
    }
  }
}

TEST_CASE("InstanceLabels: rates differ from sample to sample as a truncated normal does") {
  // With two classes a label becomes the other one with probability q_i, so what a draw below q_i says is q_i itself.
  const Batch batch = labels(100000, 2);
  const double expected = truncated_mean(0.05, 0.1);
  CHECK(expected > 0.08);
  const at::Tensor flipped = apply(InstanceLabels{.classes = 2, .fraction = 0.05}, batch).target != batch.target;
  check_share(flipped.sum().item<double>(), 100000, expected);
  // Bytes are read as numbers in [0, 1].
  Batch bytes = shades(300);
  const InstanceLabels noise{.classes = 5, .fraction = 0.8};
  const at::Tensor of_bytes = apply(noise, bytes).target;
  bytes.data = bytes.data.to(at::kFloat) / 255;
  CHECK(apply(noise, bytes).target.equal(of_bytes));
  // Other directions, other confusions.
  CHECK_FALSE(apply(InstanceLabels{.classes = 5, .fraction = 0.8, .directions = 1}, bytes).target.equal(of_bytes));
  // The directions are standard normals.
  const at::Tensor directions = noise.directions.on(at::kCPU, 10, 400);
  CHECK(directions.mean().item<double>() == Approx(0).margin(5 / std::sqrt(40000.0)));
  CHECK(directions.square().mean().item<double>() == Approx(1).margin(5 * std::sqrt(2 / 40000.0)));
}

TEST_CASE("StochasticLabels: normal noise on one-hot vectors, on soft targets too") {
  const Batch batch = labels(40000, 4);
  const at::Tensor hot = at::one_hot(batch.target, 4).to(at::kFloat);
  CHECK(apply(StochasticLabels{.classes = 4, .stddev = 0}, batch).target.equal(hot));
  const Batch noisy = apply(StochasticLabels{.classes = 4, .stddev = 0.5}, batch);
  const at::Tensor noise = (noisy.target - hot).to(at::kDouble) / 0.5;
  CHECK(noise.mean().item<double>() == Approx(0).margin(0.0125));  // five standard errors of 160,000
  CHECK(noise.square().mean().item<double>() == Approx(1).margin(0.018));
  CHECK(std::abs(correlation(noise.select(1, 0), noise.select(1, 1))) < 0.025);
  const Batch again = apply(StochasticLabels{.classes = 4, .stddev = 0.5}, noisy);  // the same draws once more
  CHECK(furthest(again.target - noisy.target, noisy.target - hot) < 1e-6);
  CHECK(std::isfinite(regimen::CrossEntropy{}(at::ones({40000, 4}), noisy.target).item<double>()));
  check_error([&] { (void)apply(StochasticLabels{.classes = 5}, noisy); },
              {"StochasticLabels", "[N, 5]", "[40000, 4]"});
}

TEST_CASE("partners are read as of the epoch's begin, like the training data, wherever the batch is") {
  struct Moments {  // a source that shows the step it is read at
    [[nodiscard]] std::int64_t size() const { return 3; }
    [[nodiscard]] Batch get(const at::Tensor& index, const regimen::Moment& now) const {
      const at::Tensor step = at::full({index.size(0)}, now.clock.step, at::kLong);
      return {.data = step.to(at::kFloat).unsqueeze(1), .target = step.remainder(2), .id = index};
    }
  };
  const Batch batch = {.data = at::full({4, 1}, -1.0F), .target = longs({0, 0, 0, 0}), .id = longs({0, 1, 2, 3})};
  const auto shown = [&](const regimen::AnyTransform& transform, int batches_a_step) {
    const regimen::Clock clock{.epoch = 1, .batch = 5, .batches = 10, .step = 15};
    return transform(batch, Key(7, batch.id, {.clock = clock, .batches_a_step = batches_a_step})).data;
  };
  CHECK((shown(OpenSet{.from = Moments{}, .fraction = 1}, 1) == 10).all().item<bool>());
  CHECK((shown(OpenSet{.from = Moments{}, .fraction = 1}, 2) == 12).all().item<bool>());
  const Key without_steps(7, batch.id, {.clock = {.epoch = 1, .batch = 5, .batches = 10}});
  CHECK((OpenSet{.from = Moments{}, .fraction = 1}(batch, without_steps).data == 0).all().item<bool>());
  const at::Tensor mixed = shown(Mixup{.partners = Moments{}, .classes = 2}, 1);  // between -1 and 10
  CHECK((mixed <= 10).all().item<bool>());
  CHECK((mixed > 0).any().item<bool>());
}

TEST_CASE("OpenSet: a share of the inputs is another source's, all its samples equally likely; labels stay") {
  const Batch batch = shades(20000);
  Batch strangers = shades(7);
  strangers.data = at::arange(7, at::kLong).add(1).to(at::kByte).view({7, 1, 1, 1}).repeat({1, 2, 4, 4});
  const Batch open = apply(OpenSet{.from = strangers, .fraction = 0.3}, batch);
  CHECK(open.target.is_same(batch.target));
  const at::Tensor pixel = open.data.flatten(1).select(1, 0).to(at::kLong);
  CHECK((open.data == pixel.view({-1, 1, 1, 1}).to(at::kByte)).all().item<bool>());  // whole images
  const at::Tensor strange = pixel.remainder(10) != 0;
  check_share(strange.sum().item<double>(), 20000, 0.3);
  check_equally_likely(pixel.masked_select(strange).bincount({}, 8).slice(0, 1));
  CHECK(open.data.masked_select(strange.logical_not().view({-1, 1, 1, 1}))
            .equal(batch.data.masked_select(strange.logical_not().view({-1, 1, 1, 1}))));
  strangers.data = strangers.data.to(at::kFloat);
  check_error([&] { (void)apply(OpenSet{.from = strangers}, batch); },
              {"OpenSet.from", "[20000, 2, 4, 4] unsigned char", "[20000, 2, 4, 4] float"});
}

TEST_CASE("TargetNoise: independent normals of the given deviation on every number") {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    Batch batch = numbers(40000);
    batch.target = batch.target.to(type) / 1000;
    const Batch noisy = apply(TargetNoise{.stddev = 0.2}, batch);
    CHECK(noisy.target.scalar_type() == type);
    CHECK(noisy.data.is_same(batch.data));
    const at::Tensor noise = (noisy.target - batch.target).to(at::kDouble) / 0.2;
    CHECK(noise.mean().item<double>() == Approx(0).margin(0.018));
    CHECK(noise.square().mean().item<double>() == Approx(1).margin(0.026));
    CHECK(std::abs(correlation(noise.select(1, 0), noise.select(1, 1))) < 0.025);
  }
  Batch flat = labels(10, 2);
  check_error([&] { (void)apply(TargetNoise{}, flat); }, {"TargetNoise", "floating", "[10] long"});
  flat.target = at::zeros({10});
  CHECK(apply(TargetNoise{}, flat).target.sizes() == at::IntArrayRef({10}));
}

TEST_CASE("TargetOutliers: a share of the targets are uniform draws, the others stay") {
  Batch batch = numbers(20000);
  batch.target = batch.target * 0 + 100;
  const at::Tensor wild = apply(TargetOutliers{.fraction = 0.2, .low = -2, .high = 3}, batch).target;
  const at::Tensor out = (wild != 100).all(1);
  CHECK(out.equal((wild != 100).any(1)));  // all numbers of a sample, or none
  check_share(out.sum().item<double>(), 20000, 0.2);
  check_uniform((wild.masked_select(out.unsqueeze(1)).to(at::kDouble) + 2) / 5);
  check_error([] { (void)apply(TargetOutliers{}, labels(10, 2)); }, {"TargetOutliers", "floating"});
}

TEST_CASE("gamma draws: they follow their distribution, for shapes of which it has a closed form") {
  const Key key(3, at::arange(100000, at::kLong));
  const auto drawn = [&](double shape) {
    return regimen::detail::log_gamma_draws(key, at::scalar_tensor(shape, at::kDouble)).exp();
  };
  check_uniform(drawn(0.5).sqrt().erf());
  check_uniform(1 - (-drawn(1)).exp());
  const at::Tensor two = drawn(2);
  check_uniform(1 - (1 + two) * (-two).exp());
  const at::Tensor three = drawn(3);
  check_uniform(1 - (1 + three + three.square() / 2) * (-three).exp());
}

TEST_CASE("beta draws: they follow their distribution, for shapes of which it has a closed form, and the moments") {
  const Key key(4, at::arange(100000, at::kLong));
  const auto drawn = [&](double shape) {
    return regimen::detail::beta_draws(key, at::scalar_tensor(shape, at::kDouble));
  };
  check_uniform(drawn(1));
  check_uniform(2 / std::numbers::pi * drawn(0.5).sqrt().asin());
  const at::Tensor two = drawn(2);
  check_uniform(3 * two.square() - 2 * two.pow(3));
  const at::Tensor three = drawn(3);
  check_uniform(10 * three.pow(3) - 15 * three.pow(4) + 6 * three.pow(5));
  for (const double shape : {0.01, 0.1, 0.3, 0.75, 8.0, 1000.0}) {
    CAPTURE(shape);
    const at::Tensor values = drawn(shape);
    CHECK(values.isfinite().all().item<bool>());
    const double variance = 1 / (4 * (2 * shape + 1));
    CHECK(values.mean().item<double>() == Approx(0.5).margin(5 * std::sqrt(variance / 100000)));
    // The fourth central moment of Beta(a, a) is 3 variance^2 (2a + 1) / (2a + 3).
    const double spread = variance * std::sqrt((3 * (2 * shape + 1) / (2 * shape + 3) - 1) / 100000);
    CHECK((values - 0.5).square().mean().item<double>() == Approx(variance).margin(5 * spread));
  }
  // Shapes that follow a schedule draw what numbers draw.
  const regimen::Knob knob = [](const regimen::Clock& clock) { return clock.epoch * 0.5; };
  CHECK(regimen::detail::beta_draws(key, at_epoch(4).tensor(knob)).equal(two));
}

TEST_CASE("Mixup: lambda of the sample and the rest of a partner from the source, inputs and targets alike") {
  const Batch batch = shades(4000);
  Batch others = shades(3);
  others.data = others.data * 0 + 255;  // white, so that an input tells its lambda
  const Batch mixed = apply(Mixup{.partners = others, .classes = 5, .alpha = 2}, batch);
  REQUIRE(mixed.target.sizes() == at::IntArrayRef({4000, 5}));
  CHECK(mixed.data.scalar_type() == at::kFloat);
  CHECK(furthest(mixed.target.sum(1), at::ones({4000})) < 1e-6);
  const at::Tensor own = batch.data.flatten(1).select(1, 0).to(at::kDouble) / 255;
  const at::Tensor lambda = (1 - mixed.data.flatten(1).select(1, 0).to(at::kDouble)) / (1 - own);
  CHECK(furthest(mixed.data.flatten(1), mixed.data.flatten(1).select(1, 0).unsqueeze(1)) < 1e-7);
  check_equally_likely(((3 * lambda.square() - 2 * lambda.pow(3)) * 20).to(at::kLong).clamp(0, 19).bincount({}, 20));
  // Partners have labels 0, 1, 2; where the sample has 3 or 4, all is told by the target.
  const at::Tensor clear = batch.target >= 3;
  const at::Tensor at_label = mixed.target.gather(1, batch.target.unsqueeze(1)).squeeze(1);
  CHECK(furthest(at_label.masked_select(clear), lambda.masked_select(clear)) < 5e-6);
  const at::Tensor partner = mixed.target.narrow(1, 0, 3).masked_select(clear.unsqueeze(1)).view({-1, 3});
  check_equally_likely(partner.argmax(1).bincount({}, 3));
  CHECK(furthest(partner.amax(1), 1 - lambda.masked_select(clear)) < 5e-6);
}

TEST_CASE("Mixup: a share of the samples, partners augmented, soft and regression targets, and itself for one") {
  const Batch batch = shades(4000);
  const Batch some = apply(Mixup{.partners = shades(3, 3), .classes = 5, .probability = 0.25}, batch);
  const at::Tensor mixed = some.target.amax(1) < 1;
  // A partner of the same label makes a target of one class: one in five times one in three for three labels.
  check_share(mixed.sum().item<double>(), 4000, 0.25 * (1 - 0.2));
  const at::Tensor kept = (some.data == batch.data.to(at::kFloat) / 255).flatten(1).all(1);
  CHECK(kept.logical_or(mixed).logical_or(some.data.flatten(1).select(1, 0) > 0).all().item<bool>());
  const Batch none = apply(Mixup{.partners = shades(3), .classes = 5, .probability = 0}, batch);
  CHECK(none.data.equal(batch.data.to(at::kFloat) / 255));
  CHECK(none.target.equal(at::one_hot(batch.target, 5).to(at::kFloat)));

  // The transforms of partners change partners alone.
  const auto white = [](const Batch& of, const Key&) {
    return regimen::detail::with_data(of, at::full_like(of.data, 255));
  };
  Batch black = batch;
  black.data = at::zeros_like(batch.data);
  const Mixup plain{.partners = black, .classes = 5};
  const Mixup whitened{.partners = black, .classes = 5, .augment = {white}};
  CHECK(apply(plain, black).data.max().item<double>() == 0);
  const at::Tensor rest = apply(whitened, black).data.flatten(1).select(1, 0);
  CHECK(rest.max().item<double>() > 0.9);
  CHECK(apply(plain, black).target.equal(apply(whitened, black).target));

  // Numbers are mixed as they are, and so are distributions.
  Batch numeric = numbers(500);
  const Batch regression = apply(Mixup{.partners = numeric}, numeric);
  CHECK(regression.target.sizes() == numeric.target.sizes());
  CHECK(furthest(regression.target.select(1, 1) - regression.target.select(1, 0), at::ones({500})) < 1e-3);
  Batch soft = batch;
  soft.target = at::one_hot(batch.target, 5).to(at::kFloat);
  CHECK(same(apply(Mixup{.partners = soft}, soft), apply(Mixup{.partners = batch, .classes = 5}, batch)));

  check_error([&] { (void)apply(Mixup{.partners = batch}, batch); }, {"Mixup.classes", "at least 2"});
  check_error([&] { (void)apply(Mixup{.partners = numeric}, soft); }, {"Mixup.partners", "targets like the batch's"});
  check_error([&] { (void)apply(Mixup{.partners = labels(3, 5), .classes = 5}, batch); },
              {"Mixup.partners", "data like the batch's", "[4000, 2, 4, 4] unsigned char", "[4000, 1] float"});
  const auto flat = [](const Batch& of, const Key&) { return regimen::detail::with_data(of, of.data.flatten(1)); };
  check_error([&] { (void)apply(Mixup{.partners = batch, .classes = 5, .augment = {flat}}, batch); },
              {"Mixup.augment", "keep the shape", "[4000, 32]"});
}

TEST_CASE("CutMix: a rectangle of a partner, and targets by the area that is left") {
  constexpr std::int64_t n = 40000;
  Batch batch = shades(n);
  batch.data = batch.data * 0;
  batch.target = batch.target * 0;
  Batch others = shades(3);
  others.data = others.data * 0 + 1;
  others.target = others.target * 0 + 1;
  const Batch cut = apply(CutMix{.partners = others, .classes = 2}, batch);
  CHECK(cut.data.scalar_type() == at::kByte);
  CHECK(cut.data.select(1, 0).equal(cut.data.select(1, 1)));  // every channel
  const at::Tensor pasted = cut.data.select(1, 0).to(at::kLong);
  const at::Tensor rows = std::get<0>(pasted.max(2));             // [n, 4]
  const at::Tensor columns = std::get<0>(pasted.max(1));          // [n, 4]
  CHECK(pasted.equal(rows.unsqueeze(2) * columns.unsqueeze(1)));  // rows times columns,
  for (const at::Tensor& side : {rows, columns}) {                // both in one stretch
    const at::Tensor steps = (side.narrow(1, 1, 3) - side.narrow(1, 0, 3)).abs().sum(1);
    CHECK((steps + side.select(1, 0) + side.select(1, 3) <= 2).all().item<bool>());
  }
  const at::Tensor area = pasted.flatten(1).sum(1);
  CHECK(furthest(cut.target.select(1, 1), area.to(at::kDouble) / 16) < 1e-7);
  CHECK(furthest(cut.target.sum(1), at::ones({n})) < 1e-7);
  // Sides are 4 * sqrt(u) pixels, halved and rounded down: 1 on either side of the centre if u >= 1/4, else none. One
  // of four centres leaves one row of the two within the image, and so for columns.
  const auto count = [&](std::int64_t value) { return (area == value).sum().item<double>(); };
  check_share(count(0), n, 0.25);
  check_share(count(1), n, 0.75 / 16);
  check_share(count(2), n, 0.75 * 6 / 16);
  check_share(count(4), n, 0.75 * 9 / 16);
  // Every place of the rectangle in the image as likely as its mirror image.
  check_share(rows.select(1, 1).logical_and(rows.select(1, 2)).sum().item<double>(), n, 0.75 / 4);

  const Batch none = apply(CutMix{.partners = others, .classes = 2, .probability = 0}, batch);
  CHECK(none.data.equal(batch.data));
  CHECK((none.target.select(1, 0) == 1).all().item<bool>());
  check_error([] { (void)apply(CutMix{.partners = labels(3, 2), .classes = 2}, labels(9, 2)); },
              {"CutMix", "[N, C, H, W]", "[9, 1] float"});
}

namespace {

/// [N] double: how much of each target is on another sample's, or one's own, true label.
at::Tensor mass_on_truth(const Batch& batch, const at::Tensor& truth) {
  return batch.target.to(at::kDouble).gather(1, truth.unsqueeze(1)).squeeze(1);
}

/// Classes 0 and 1, all labels wrong.
Source all_wrong(const Source& source) {
  return regimen::frozen(source, ClassMap{.to = {1, 0}}, 3);
}

/// A sample's input tells its class: 0 or 255.
Batch two_classes(std::int64_t n) {
  Batch batch = shades(n, 2);
  batch.data = (batch.target * 255).to(at::kByte).view({n, 1, 1, 1}).repeat({1, 2, 4, 4});
  return batch;
}

}  // namespace

TEST_CASE("Mixup and CutMix: without partners they draw from the data that they act on, damage and all") {
  const Batch clean = two_classes(400);
  const Source noisy = all_wrong(clean);
  const Key key = Key(7, clean.id).on(noisy);  // as `run` makes one for its phase's data
  const Batch shown = regimen::materialize(noisy);
  for (const bool pastes : {false, true}) {
    const AnyTransform mix = pastes ? AnyTransform(CutMix{.classes = 2}) : AnyTransform(Mixup{.classes = 2});
    const AnyTransform with_clean =
        pastes ? AnyTransform(CutMix{.partners = clean, .classes = 2, .allow_other_labels = true})
               : AnyTransform(Mixup{.partners = clean, .classes = 2, .allow_other_labels = true});
    for (const Batch& mixed :
         {regimen::materialize(regimen::frozen(noisy, mix, 7)), mix(shown, key), regimen::chain(mix)(shown, key)}) {
      // All is wrong that is seen: white, 255, is of class 1 and called 0.
      const at::Tensor white = mixed.data.to(at::kDouble).flatten(1).mean(1) / (pastes ? 255 : 1);
      CHECK(furthest(mixed.target.select(1, 0), white) < 1e-6);
      CHECK(white.gt(0.01).logical_and(white.lt(0.99)).sum().item<double>() > 40);
    }
    // With clean partners half of what they bring is of the true class.
    const Batch leaked = with_clean(shown, key);
    const at::Tensor white = leaked.data.to(at::kDouble).flatten(1).mean(1) / (pastes ? 255 : 1);
    CHECK(furthest(leaked.target.select(1, 0), white) > 0.2);
  }
}

TEST_CASE("Mixup and CutMix: where all labels are wrong, no mass is on a true one, and much is with clean partners") {
  // One class in truth, another to the network: whatever is on class 0 is from a clean label.
  Batch clean = shades(2000, 5);
  clean.target = at::zeros_like(clean.target);
  const Source noisy = regimen::frozen(clean, ClassMap{.to = {1, 0}}, 3);
  const auto share = [&](const AnyTransform& mix) {
    return mass_on_truth(regimen::materialize(regimen::frozen(noisy, mix, 7)), clean.target).mean().item<double>();
  };
  CHECK(share(Mixup{.classes = 2}) == 0);
  CHECK(share(CutMix{.classes = 2}) == 0);
  CHECK(share(Mixup{.partners = noisy, .classes = 2}) == 0);
  // lambda is uniform: half of the mass is a partner's, to five standard errors, 5 * sqrt(1/12/2000).
  CHECK(share(Mixup{.partners = clean, .classes = 2, .allow_other_labels = true}) == Approx(0.5).margin(0.033));
  CHECK(share(CutMix{.partners = clean, .classes = 2, .allow_other_labels = true}) > 0.1);
}

TEST_CASE("Mixup and CutMix: partners of other labels for the data's samples are refused, unless allowed") {
  const Batch clean = two_classes(60);
  const Source noisy = all_wrong(clean);
  const auto refused = [&](const AnyTransform& transform, const char* which) {
    check_error([&] { (void)regimen::frozen(noisy, transform, 7); },
                {"frozen: ", which, "of the 60 samples", "60 have another target", "leave partners empty",
                 "allow_other_labels"});
    check_error([&] { (void)regimen::frozen(noisy, transform, 7, regimen::exactly(0.5)); }, {"frozen: ", which});
    check_error([&] { transform.check_data(noisy, "Phase \"one\".augment[0]"); },
                {"Phase \"one\".augment[0]: ", which});
  };
  const Mixup mixup{.partners = clean, .classes = 2};
  refused(mixup, "Mixup.partners");
  refused(CutMix{.partners = clean, .classes = 2}, "CutMix.partners");
  refused(regimen::chain(regimen::HorizontalFlip{}, regimen::chain(mixup)), "Mixup.partners");
  refused(regimen::RandomChoice{.choices = {regimen::HorizontalFlip{}, mixup}}, "Mixup.partners");
  refused(Mixup{.partners = noisy, .classes = 2, .augment = {mixup}}, "Mixup.augment: of the 60");

  const auto taken = [](const AnyTransform& transform, const Source& data) {
    CHECK_NOTHROW(transform.check_data(data, "here"));
  };
  taken(Mixup{.partners = clean, .classes = 2, .allow_other_labels = true}, noisy);
  taken(Mixup{.partners = noisy, .classes = 2}, noisy);
  taken(Mixup{.partners = all_wrong(clean), .classes = 2}, noisy);  // equal, though another source
  taken(Mixup{.partners = regimen::subset(noisy, longs({5, 3})), .classes = 2}, noisy);
  taken(Mixup{.classes = 2}, noisy);
  taken(OpenSet{.from = clean}, noisy);  // brings no label
  Batch strangers = clean;
  strangers.id = clean.id + 1000;
  taken(Mixup{.partners = strangers, .classes = 2}, noisy);
  taken(regimen::HorizontalFlip{}, noisy);
  // Counts: of ten shared samples three have another label.
  Batch some = regimen::slice(clean, 20, 10);
  some.target = some.target.clone();
  some.target.slice(0, 0, 3) = 1 - some.target.slice(0, 0, 3);
  check_error([&] { (void)regimen::frozen(clean, Mixup{.partners = some, .classes = 2}, 7); },
              {"of the 10 samples", "3 have another target"});
}

TEST_CASE("Mixup and CutMix: targets of any kind are compared, soft ones with labels by their class") {
  const Batch clean = shades(40, 5);
  const auto with = [&](const at::Tensor& target) { return regimen::detail::with_target(clean, target); };
  const auto other_targets = [&](const Batch& data, const Batch& partners) {
    return regimen::detail::shared_samples(data, partners).with_other_targets;
  };
  const at::Tensor wrong = (clean.target + 1).remainder(5);
  const at::Tensor soft = at::one_hot(clean.target, 5).to(at::kFloat) * 0.8 + 0.04;
  CHECK(other_targets(clean, with(soft)) == 0);
  CHECK(other_targets(with(soft), clean) == 0);
  CHECK(other_targets(with(wrong), with(soft)) == 40);
  CHECK(other_targets(with(soft), with(soft.roll(1, 1))) == 40);
  CHECK(other_targets(with(soft), with(soft.clone())) == 0);
  const at::Tensor masks = clean.data.select(1, 0).to(at::kLong);
  const at::Tensor one_pixel = masks.clone();
  one_pixel[7][3][3] += 1;
  CHECK(other_targets(with(masks), with(one_pixel)) == 1);
  const at::Tensor noisy = at::arange(40, at::kDouble).index_fill(0, longs({3, 9}), -1);
  CHECK(other_targets(with(at::arange(40, at::kDouble)), with(noisy)) == 2);
  CHECK(other_targets(with({}), clean) == 0);
  // Of another type they are the same numbers: 0.1 in double and in float, 3 in int64 and in int32, 1 and true.
  CHECK(other_targets(with(soft.to(at::kDouble) * 0 + 0.2), with(soft * 0 + 0.2)) == 0);
  CHECK(other_targets(with(soft.to(at::kDouble)), with(soft.roll(1, 1))) == 40);
  CHECK(other_targets(with(soft), with(soft.roll(1, 1).to(at::kDouble))) == 40);
  CHECK(other_targets(clean, with(clean.target.to(at::kInt))) == 0);
  CHECK(other_targets(clean, with(wrong.to(at::kInt))) == 40);
  CHECK(other_targets(with(wrong.to(at::kDouble)), clean) == 40);
  CHECK(other_targets(with(clean.target.to(at::kDouble).unsqueeze(1)), clean) == 0);
  CHECK(other_targets(with(clean.target > 2), with((clean.target > 2).to(at::kLong))) == 0);
  CHECK(other_targets(with(masks), clean) == 0);  // what cannot be mixed is refused where it is mixed

  check_error([&] { (void)regimen::frozen(with(masks), CutMix{.partners = with(one_pixel)}, 7); },
              {"CutMix.partners", "of the 40 samples", "1 have another target"});
}

TEST_CASE("Mixup and CutMix: partners go through what comes before, by the draws that they are shown with") {
  // An input tells its class, and all labels are wrong: white, 255, is of class 1 and called 0. What is white in a
  // mixed image is then all that is on class 0, wherever the labels were changed.
  const Batch clean = two_classes(400);
  const ClassMap wrong{.to = {1, 0}};
  const auto furthest_from_shown = [](const Batch& mixed, double white_is) {
    const at::Tensor white = mixed.data.to(at::kDouble).flatten(1).mean(1) / white_is;
    CHECK(white.gt(0.01).logical_and(white.lt(0.99)).sum().item<double>() > 40);
    return furthest(mixed.target.select(1, 0), white);
  };
  for (const bool pastes : {false, true}) {
    const AnyTransform mix = pastes ? AnyTransform(CutMix{.classes = 2}) : AnyTransform(Mixup{.classes = 2});
    const double white_is = pastes ? 255 : 1;
    const auto in_chain = [&](const AnyTransform& damage) {
      return regimen::materialize(regimen::frozen(clean, damage, 7));
    };
    CHECK(furthest_from_shown(in_chain(regimen::chain(wrong, mix)), white_is) < 1e-6);
    CHECK(furthest_from_shown(in_chain(regimen::chain(wrong, regimen::chain(regimen::chain(), mix))), white_is) < 1e-6);
    if (!pastes) {  // a second rectangle may cover the first one, by whose area the target was mixed
      CHECK(furthest_from_shown(in_chain(regimen::chain(regimen::chain(wrong), mix, mix)), white_is) < 1e-6);
    }
  }
  // By the draws that it is shown with: half of the labels are changed, and a partner's is where its own is.
  const regimen::Chain noise_and_mix =
      regimen::chain(UniformLabels{.classes = 2, .fraction = 0.5}, Mixup{.classes = 2});
  const Source shown = regimen::frozen(clean, noise_and_mix, 7);
  const Key key = Key(7, clean.id).on(Source(clean));
  const at::Tensor labels = noise_and_mix.parts[0](clean, key.fold(0)).target;
  const Batch mixed = regimen::materialize(shown);
  // The key of Mixup is the chain's second, its partners' the third of that (mix.hpp), and theirs the first.
  const at::Tensor partner = key.fold(1).fold(2).fold(0).below(400);
  const at::Tensor own = at::one_hot(labels, 2).to(at::kDouble).select(1, 1);
  const at::Tensor theirs = own.index_select(0, partner);
  const at::Tensor on_one = mixed.target.select(1, 1).to(at::kDouble);
  CHECK((on_one >= at::minimum(own, theirs) - 1e-6).all().item<bool>());
  CHECK((on_one <= at::maximum(own, theirs) + 1e-6).all().item<bool>());
}

TEST_CASE("Mixup and CutMix: what changes targets before them and is not what partners go through is refused") {
  const Batch clean = two_classes(60);
  const ClassMap wrong{.to = {1, 0}};
  const auto frozen = [&](const AnyTransform& mix) { (void)regimen::frozen(clean, regimen::chain(wrong, mix), 7); };
  const auto nothing = [](const Batch& of, const Key&) { return of; };
  check_error([&] { frozen(Mixup{.classes = 2, .augment = {nothing}}); },
              {"frozen: of the 60 samples", "60 have another target", "leave augment empty"});
  check_error([&] { frozen(Mixup{.partners = clean, .classes = 2}); },
              {"frozen: of the 60 samples", "60 have another target", "leave partners empty"});
  check_error([&] { frozen(CutMix{.partners = clean, .classes = 2, .augment = {nothing}}); },
              {"CutMix.partners", "leave partners empty"});
  CHECK_NOTHROW(frozen(Mixup{.classes = 2}));
  CHECK_NOTHROW(frozen(Mixup{.classes = 2, .augment = {wrong}}));
  CHECK_NOTHROW(frozen(Mixup{.partners = clean, .classes = 2, .augment = {wrong}}));
  CHECK_NOTHROW(frozen(Mixup{.partners = clean, .classes = 2, .allow_other_labels = true}));
  CHECK_NOTHROW(frozen(Mixup{.partners = regimen::frozen(clean, wrong, 3), .classes = 2}));
  // Masks move with their images, by draws of their own: they are compared before.
  Batch masks = clean;
  masks.target = clean.data.select(1, 0).to(at::kLong);
  const regimen::HorizontalFlip flip{};
  CHECK_NOTHROW((void)regimen::frozen(masks, regimen::chain(flip, CutMix{.augment = {flip}}), 7));
  CHECK_NOTHROW((void)regimen::frozen(masks, regimen::chain(flip, CutMix{.partners = masks, .augment = {flip}}), 7));
}

TEST_CASE("Mixup and CutMix: copies are compared with what they are copies of") {
  const Batch clean = two_classes(20);
  const ClassMap wrong{.to = {1, 0}};
  const Source copies = regimen::frozen(regimen::repeat(clean, 4), wrong, 1);
  const Source second = regimen::subset(copies, at::arange(20, 40));  // ids 20 to 39, origins 0 to 19
  check_error([&] { (void)regimen::frozen(second, Mixup{.partners = clean, .classes = 2}, 7); },
              {"of the 20 samples", "by their ids or origins", "20 have another target"});
  check_error([&] { (void)regimen::frozen(clean, Mixup{.partners = second, .classes = 2}, 7); },
              {"of the 20 samples", "20 have another target"});
  CHECK_NOTHROW((void)regimen::frozen(second, Mixup{.partners = copies, .classes = 2}, 7));
  // Each copy may have another label: each is compared with itself where both have it.
  const Source mixed = regimen::frozen(regimen::repeat(clean, 4), UniformLabels{.classes = 2}, 1);
  CHECK_NOTHROW(
      (void)regimen::frozen(mixed, Mixup{.partners = regimen::subset(mixed, at::arange(30)), .classes = 2}, 7));
}

TEST_CASE("Mixup and CutMix: without partners they say so in a loop of one's own, and on a stream") {
  const Batch batch = two_classes(20);
  check_error([&] { (void)apply(Mixup{.classes = 2}, batch); }, {"Mixup.partners must be set", "loop of your own"});
  check_error([&] { (void)apply(CutMix{.classes = 2}, batch); }, {"CutMix.partners must be set", "loop of your own"});
  const Source stream = regimen::prefetch(batch);
  check_error([&] { (void)regimen::frozen(stream, Mixup{.classes = 2}, 7); },
              {"frozen: Mixup.partners must be set", "stream"});
  check_error([&] { (void)Mixup{.classes = 2}(batch, Key(7, batch.id).on(stream)); }, {"Mixup.partners", "stream"});
  const Source named = regimen::frozen(stream, Mixup{.partners = batch, .classes = 2}, 7);
  CHECK(same(regimen::materialize(named), regimen::materialize(regimen::frozen(batch, Mixup{.classes = 2}, 7))));
  CHECK(AnyTransform(Mixup{.classes = 2}).manifest().find("\"partners\": null") != std::string::npos);
}

TEST_CASE("Mixup: partners go through what changes their type, and a Mixup of partners draws from them") {
  const Batch batch = two_classes(50);
  const regimen::GaussianNoise noise{.stddev = 0.1};
  const Batch noised = apply(noise, batch);
  const Batch mixed = apply(Mixup{.partners = batch, .classes = 2, .augment = {noise}}, noised);
  CHECK(mixed.data.scalar_type() == at::kFloat);
  check_error([&] { (void)apply(Mixup{.partners = batch, .classes = 2}, noised); },
              {"Mixup.partners", "data like the batch's", "float", "unsigned char"});
  // Partners are black; what they are mixed with is black too, though the data are white.
  Batch black = batch;
  black.data = at::zeros_like(batch.data);
  black.target = at::one_hot(batch.target, 2).to(at::kFloat);
  Batch white = black;
  white.data = at::full_like(batch.data, 255);
  const Mixup nested{.partners = black, .augment = {[](const Batch& of, const Key& key) {
                                          CHECK(key.now().data->get(longs({0})).data.max().item<int>() == 0);
                                          return of;
                                        }}};
  (void)nested(white, Key(7, white.id).on(white));
}

TEST_CASE("CutMix: dense targets and extra tensors are the partner's in the rectangle, labels are mixed by area") {
  for (const at::ScalarType type : {at::kLong, at::kByte, at::kBool, at::kFloat}) {
    const std::int64_t n = 200;
    Batch batch = shades(n);
    batch.data = at::zeros({n, 2, 5, 7}, at::kByte);
    batch.target = at::zeros({n, 5, 7}, type);
    batch.extra["mask"] = at::zeros({n, 1, 5, 7}, type);
    batch.extra["number"] = batch.id;
    Batch others = shades(3);
    others.data = at::ones({3, 2, 5, 7}, at::kByte);
    others.target = at::ones({3, 5, 7}, type);
    others.extra["mask"] = at::ones({3, 1, 5, 7}, type);
    const Batch cut = apply(CutMix{.partners = others, .allow_other_labels = true}, batch);
    CHECK(cut.data.any().item<bool>());
    CHECK(same(cut.target, cut.data.select(1, 0).to(type)));
    CHECK(same(cut.extra.at("mask"), cut.data.narrow(1, 0, 1).to(type)));
    CHECK(same(cut.extra.at("number"), batch.id));
    // The same rectangles as with labels, whose share is their area.
    Batch labelled = batch;
    labelled.target = at::zeros({n}, at::kLong);
    Batch ones = others;
    ones.target = at::ones({3}, at::kLong);
    const Batch by_area = apply(CutMix{.partners = ones, .classes = 2}, labelled);
    CHECK(same(by_area.data, cut.data));
    CHECK(furthest(by_area.target.select(1, 1), cut.target.to(at::kDouble).mean({1, 2})) < 1e-6);
    // [N, C, H, W], of partners that are mirrored first.
    Batch channels = batch;
    channels.target = at::zeros({n, 3, 5, 7}, type);
    ones.target = at::ones({3, 3, 5, 7}, type).mul(at::arange(7, at::kLong) < 3).to(type);
    const Batch mirrored =
        apply(CutMix{.partners = ones, .augment = {regimen::HorizontalFlip{.probability = 1}}}, channels);
    const at::Tensor right = (at::arange(7, at::kLong) >= 4).logical_and(mirrored.data.narrow(1, 0, 1) == 1);
    CHECK(same(mirrored.target, right.expand({n, 3, 5, 7}).to(type)));

    Batch smaller = batch;
    smaller.target = batch.target.slice(1, 0, 2);
    check_error([&] { (void)apply(CutMix{.partners = others}, smaller); }, {"CutMix", "[200, 2, 7]", "5 x 7 pixels"});
    Batch bare = others;
    bare.extra.clear();
    check_error([&] { (void)apply(CutMix{.partners = bare}, batch); },
                {"CutMix.partners", "extra[\"mask\"]", "undefined"});
    bare.target = at::ones({3}, at::kLong);
    check_error([&] { (void)apply(CutMix{.partners = bare}, batch); }, {"CutMix.partners", "targets like the batch's"});
    const Batch left = apply(regimen::DataOnly{CutMix{.partners = others}}, batch);
    CHECK(same(left.data, cut.data));
    CHECK(same(left.target, batch.target));
  }
}

TEST_CASE("Mixup: floating dense targets are mixed, labels of pixels cannot be") {
  Batch batch = shades(100);
  batch.target = at::zeros({100, 3, 4, 4});
  Batch others = shades(3);
  others.data = at::full_like(others.data, 255);
  others.target = at::ones({3, 3, 4, 4});
  batch.data = at::zeros_like(batch.data);
  const Batch mixed = apply(Mixup{.partners = others}, batch);
  CHECK(furthest(mixed.target, mixed.data.narrow(1, 0, 1).expand({100, 3, 4, 4})) < 1e-6);
  for (const at::ScalarType type : {at::kLong, at::kByte, at::kBool}) {
    batch.target = at::zeros({100, 4, 4}, type);
    others.target = at::zeros({3, 4, 4}, type);
    check_error([&] { (void)apply(Mixup{.partners = others, .classes = 5}, batch); },
                {"Mixup", "[100, 4, 4]", "labels of pixels cannot be mixed", "CutMix"});
  }
}

}  // namespace labels_test
