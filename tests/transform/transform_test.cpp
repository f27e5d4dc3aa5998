#include "support/tensors.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>

namespace transform_test {

namespace {

using regimen::AnyTransform;
using regimen::Batch;
using regimen::ClassMap;
using regimen::Clock;
using regimen::CutMix;
using regimen::GaussianNoise;
using regimen::HorizontalFlip;
using regimen::InstanceLabels;
using regimen::Key;
using regimen::LabelSmoothing;
using regimen::Mixup;
using regimen::Moment;
using regimen::NoiseMatrix;
using regimen::Normalize;
using regimen::OpenSet;
using regimen::PairFlip;
using regimen::RandomCrop;
using regimen::StochasticLabels;
using regimen::TargetNoise;
using regimen::TargetOutliers;
using regimen::UniformLabels;
using regimen::ZeroPixels;

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// Images of bytes in [1, 251], labels in [0, 10), ids that are neither places nor in order.
Batch bytes(std::int64_t n, std::int64_t channels = 2, std::int64_t height = 4, std::int64_t width = 5) {
  const at::Tensor entries = at::arange(n * channels * height * width, at::kLong);
  return {(entries.remainder(251) + 1).to(at::kByte).view({n, channels, height, width}),
          at::arange(n, at::kLong).remainder(10),
          (at::arange(n, at::kLong) * 7919).remainder(n * 8000 + 1),
          {},
          {{"mask", at::arange(n, at::kFloat)}}};
}

Batch floats(std::int64_t n, std::int64_t channels = 2, std::int64_t height = 4, std::int64_t width = 5) {
  Batch batch = bytes(n, channels, height, width);
  batch.data = batch.data.to(at::kFloat) / 256;
  return batch;
}

/// Images with a mask as target and a map among the further tensors.
Batch masked(std::int64_t n, std::int64_t height = 4, std::int64_t width = 5) {
  Batch batch = bytes(n, 2, height, width);
  batch.target = batch.data.select(1, 0).to(at::kLong);
  batch.extra["map"] = batch.data.narrow(1, 1, 1).to(at::kFloat);
  return batch;
}

/// Targets of two numbers each.
Batch numbers(std::int64_t n) {
  Batch batch = floats(n);
  batch.target = at::arange(2 * n, at::kFloat).view({n, 2}) / 10;
  return batch;
}

/// Every third label becomes the next one.
NoiseMatrix thirds() {
  return regimen::matrix_of(PairFlip{.classes = 10, .fraction = 1.0 / 3});
}

Batch labels(std::int64_t n, std::int64_t classes) {
  return {at::zeros({n, 1}), at::arange(n, at::kLong).remainder(classes), at::arange(n, at::kLong), {}, {}};
}

Moment at_epoch(int epoch) {
  return {.clock = {.epoch = epoch}};
}

template <class T>
Batch apply(const T& transform, const Batch& batch, std::uint64_t seed = 7, const Moment& now = {}) {
  return transform(batch, Key(seed, batch.id, now));
}

/// A fraction of a tenth an epoch.
double tenths(const Clock& clock) {
  return 0.1 * clock.epoch;
}

/// c(part(b)) == part(c(b)), and the batch that was given is left as it was.
void check_law(const AnyTransform& transform, const Batch& batch, double tolerance = 0) {
  const Moment now = at_epoch(3);
  const Batch before = regimen::detail::map_tensors(batch, [](const at::Tensor& tensor) { return tensor.clone(); });
  const Batch whole = apply(transform, batch, 7, now);
  CHECK(same(batch, before));
  REQUIRE(whole.size() == batch.size());
  CHECK(same(whole.id, batch.id));
  CHECK(same(whole.extra.at("mask"), batch.extra.at("mask")));

  const std::int64_t n = batch.size();
  const std::vector<at::Tensor> parts{longs({0}),
                                      longs({n - 1}),
                                      at::arange(n / 3, n / 2, at::kLong),
                                      at::arange(0, n, 3, at::kLong),
                                      at::arange(n, at::kLong).flip(0),
                                      Key(3, at::arange(n, at::kLong)).bits(1).flatten().argsort(),
                                      longs({5, 2, 5, 5})};
  for (const at::Tensor& index : parts) {
    CAPTURE(index.numel());
    const Batch part = apply(transform, regimen::rows(batch, index), 7, now);
    const Batch expected = regimen::rows(whole, index);
    if (tolerance == 0) {
      CHECK(same(part, expected));
    } else {
      CHECK(furthest(part.data, expected.data) <= tolerance);
      CHECK(furthest(part.target, expected.target) <= (part.target.is_floating_point() ? tolerance : 0));
    }
  }
  // Slices, which share memory with the whole, as a source hands them out.
  const Batch slice = apply(transform, regimen::slice(batch, 4, 9), 7, now);
  CHECK((tolerance > 0 || same(slice, regimen::slice(whole, 4, 9))));
}

}  // namespace

TEST_CASE("transform: transforming a part gives the same bits as a part of the transformed whole") {
  for (const Batch& batch : {bytes(60), floats(60)}) {
    CAPTURE(batch.data.dtype().name());
    check_law(UniformLabels{.classes = 10}, batch);
    check_law(UniformLabels{.classes = 10, .fraction = 0.4, .exclude_true = true}, batch);
    check_law(UniformLabels{.classes = 10, .fraction = tenths}, batch);
    check_law(LabelSmoothing{.classes = 10, .amount = 0.1}, batch);
    check_law(PairFlip{.classes = 10, .fraction = 0.4, .shift = 3}, batch);
    check_law(ClassMap{.to = regimen::cifar10_confusions(), .fraction = 0.4}, batch);
    check_law(thirds(), batch);
    check_law(InstanceLabels{.classes = 10, .fraction = 0.4}, batch);
    check_law(OpenSet{.from = regimen::rows(batch, longs({3, 9, 4})), .fraction = 0.4}, batch);
    check_law(StochasticLabels{.classes = 10}, batch, 1e-6);
    check_law(Mixup{.partners = batch, .classes = 10, .alpha = 0.3, .augment = {HorizontalFlip{}}}, batch, 1e-6);
    check_law(CutMix{.partners = batch, .classes = 10, .augment = {HorizontalFlip{}}}, batch, 1e-6);
    check_law(ZeroPixels{.fraction = 0.3}, batch);
    check_law(ZeroPixels{.fraction = 0.3, .exact = false}, batch);
    check_law(ZeroPixels{.fraction = tenths}, batch);
    check_law(RandomCrop{.padding = 2}, batch);
    check_law(HorizontalFlip{}, batch);
    check_law(Normalize{.mean = {0.5}, .stddev = {0.25}}, batch);
    check_law(Normalize{.mean = {0.5, 0.4}, .stddev = {0.25, 0.3}}, batch);
    check_law(regimen::chain(ZeroPixels{.fraction = 0.1}, RandomCrop{.padding = 1}, HorizontalFlip{},
                             UniformLabels{.classes = 10, .fraction = 0.5},
                             Normalize{.mean = {0.5, 0.4}, .stddev = {0.25, 0.3}}),
              batch);
    check_law(regimen::chain(), batch);
  }
  check_law(TargetOutliers{.fraction = 0.3}, numbers(60));
  // Normals agree to rounding (see Key).
  check_law(TargetNoise{.stddev = 0.1}, numbers(60), 1e-6);
  check_law(Mixup{.partners = numbers(9)}, numbers(60), 1e-6);
  for (const Batch& batch : {bytes(60, 3, 5, 5), floats(60, 3, 5, 5)}) {
    CAPTURE(batch.data.dtype().name());
    check_law(regimen::SaltAndPepper{.fraction = 0.3}, batch);
    check_law(regimen::SaltAndPepper{.fraction = tenths, .exact = false}, batch);
    check_law(regimen::PixelPermutation{.seed = 3}, batch);
    check_law(regimen::PixelPermutationPerSample{}, batch);
    check_law(regimen::Cutout{.side = 3, .fill = {0.1, 0.2, 0.3}, .probability = 0.8}, batch);
    check_law(regimen::VerticalFlip{}, batch);
    check_law(regimen::Rotation90{}, batch);
    check_law(regimen::Brightness{.strength = tenths}, batch);
    // The mean of floating numbers agrees to rounding.
    check_law(regimen::Contrast{.strength = 0.7}, batch, batch.data.is_floating_point() ? 1e-6 : 0);
    check_law(regimen::RandomChoice{.choices = {regimen::Cutout{.side = 3}, regimen::Rotation90{}, HorizontalFlip{},
                                                UniformLabels{.classes = 10}, regimen::chain()},
                                    .picks = 2},
              batch);
  }
  const Batch masks = masked(60);
  check_law(HorizontalFlip{}, masks);
  check_law(regimen::VerticalFlip{}, masks);
  check_law(RandomCrop{.padding = 2, .target_fill = -100}, masks);
  check_law(regimen::PixelPermutation{.seed = 3}, masks);
  check_law(regimen::PixelPermutationPerSample{}, masks);
  check_law(regimen::Cutout{.side = 3, .target_fill = -100}, masks);
  check_law(regimen::DataOnly{HorizontalFlip{}}, masks);
  check_law(CutMix{.partners = masks, .augment = {HorizontalFlip{}}}, masks, 1e-6);
  check_law(regimen::RandomChoice{.choices = {HorizontalFlip{}, RandomCrop{}, regimen::chain()}, .picks = 2}, masks);
  check_law(regimen::chain(RandomCrop{.padding = 1}, HorizontalFlip{}), masks);
  check_law(regimen::Rotation90{}, masked(60, 5, 5));
  // Normals agree to rounding (see Key).
  check_law(regimen::GaussianImages{.mean = {0.5, 0.4}, .stddev = {0.25, 0.3}}, bytes(60), 1e-6);
  check_law(GaussianNoise{.stddev = 0.1}, floats(60), 1e-6);
  check_law(regimen::chain(HorizontalFlip{}, GaussianNoise{.stddev = 0.1}), floats(60), 1e-6);
}

TEST_CASE("transform: the same key does the same, another seed or epoch something else") {
  const auto changes = [](const AnyTransform& transform, const Batch& batch = floats(200)) {
    const auto keyed = [&](std::uint64_t seed, int epoch) {
      return transform(batch, Key(seed, batch.id, at_epoch(epoch)).each_epoch());
    };
    const Batch first = keyed(7, 1);
    CHECK(same(keyed(7, 1), first));
    CHECK_FALSE(same(keyed(8, 1), first));
    CHECK_FALSE(same(keyed(7, 2), first));
    // Without each_epoch() the epoch is nothing to it.
    CHECK(same(apply(transform, batch, 7, at_epoch(1)), apply(transform, batch, 7, at_epoch(2))));
  };
  changes(UniformLabels{.classes = 10});
  changes(PairFlip{.classes = 10, .fraction = 0.4});
  changes(ClassMap{.to = regimen::mnist_confusions(), .fraction = 0.4});
  changes(thirds());
  changes(InstanceLabels{.classes = 10});
  changes(OpenSet{.from = floats(9)});
  changes(StochasticLabels{.classes = 10});
  changes(Mixup{.partners = floats(9), .classes = 10});
  changes(CutMix{.partners = floats(9), .classes = 10});
  changes(TargetNoise{}, numbers(200));
  changes(TargetOutliers{}, numbers(200));
  changes(ZeroPixels{.fraction = 0.3});
  changes(ZeroPixels{.fraction = 0.3, .exact = false});
  changes(GaussianNoise{});
  changes(RandomCrop{});
  changes(HorizontalFlip{});
  changes(regimen::GaussianImages{.mean = {0.5}, .stddev = {0.25}});  // the others of inputs: inputs_test.cpp
}

TEST_CASE("transform: chain gives each part randomness of its own, and is nesting by hand") {
  const Batch batch = floats(1000);
  const Key key(7, batch.id);
  const GaussianNoise noise{.stddev = 0.1};
  const UniformLabels random{.classes = 10, .fraction = 0.5};

  const Batch chained = regimen::chain(noise, random, HorizontalFlip{})(batch, key);
  CHECK(same(chained, HorizontalFlip{}(random(noise(batch, key.fold(0)), key.fold(1)), key.fold(2))));

  const Batch twice = regimen::chain(noise, noise)(batch, key);
  const at::Tensor once = noise(batch, key.fold(0)).data - batch.data;
  const at::Tensor second = twice.data - batch.data - once;
  CHECK(second.std().item<double>() == Approx(0.1).epsilon(0.05));
  CHECK((once * second).mean().item<double>() == Approx(0).margin(0.01 * 5 / std::sqrt(40000.0)));

  // Were both mirrored by one draw, nothing would ever change.
  const Batch mirrored = regimen::chain(HorizontalFlip{}, HorizontalFlip{})(batch, key);
  check_share((mirrored.data == batch.data).flatten(1).all(1).sum().item<double>(), 1000, 0.5);

  CHECK(same(regimen::chain()(batch, key), batch));
}

TEST_CASE("transform: a lambda is one, and a chain can hold chains") {
  const auto brighter = [](const Batch& batch, const Key&) {
    return regimen::detail::with_data(batch, batch.data + 1);
  };
  const Batch batch = floats(20);
  const regimen::Chain nested = regimen::chain(regimen::chain(brighter, HorizontalFlip{}), brighter);
  const Key key(7, batch.id);
  CHECK(furthest(nested(batch, key).data, HorizontalFlip{}(batch, key.fold(0).fold(1)).data + 2) < 1e-6);
  CHECK(AnyTransform(brighter).manifest() == "\"lambda\"");
}

TEST_CASE("transform: a schedule is read at the key's moment") {
  const auto check = [](const AnyTransform& scheduled, const AnyTransform& at_five, const AnyTransform& at_zero,
                        const Batch& batch = floats(300)) {
    CHECK(same(apply(scheduled, batch, 7, at_epoch(5)), apply(at_five, batch)));
    CHECK(same(apply(scheduled, batch, 7, at_epoch(0)), apply(at_zero, batch)));
    CHECK_FALSE(same(apply(at_five, batch), apply(at_zero, batch)));
  };
  check(UniformLabels{.classes = 10, .fraction = tenths}, UniformLabels{.classes = 10, .fraction = 0.5},
        UniformLabels{.classes = 10, .fraction = 0});
  check(LabelSmoothing{.classes = 10, .amount = tenths}, LabelSmoothing{.classes = 10, .amount = 0.5},
        LabelSmoothing{.classes = 10, .amount = 0});
  check(PairFlip{.classes = 10, .fraction = tenths}, PairFlip{.classes = 10, .fraction = 0.5},
        PairFlip{.classes = 10, .fraction = 0});
  const auto map = regimen::mnist_confusions();
  check(ClassMap{.to = map, .fraction = tenths}, ClassMap{.to = map, .fraction = 0.5},
        ClassMap{.to = map, .fraction = 0});
  const auto rows = thirds().rows;
  check(NoiseMatrix{.rows = rows, .fraction = tenths}, NoiseMatrix{.rows = rows, .fraction = 0.5},
        NoiseMatrix{.rows = rows, .fraction = 0});
  check(InstanceLabels{.classes = 10, .fraction = tenths}, InstanceLabels{.classes = 10, .fraction = 0.5},
        InstanceLabels{.classes = 10, .fraction = 0});
  check(OpenSet{.from = bytes(9), .fraction = tenths}, OpenSet{.from = bytes(9), .fraction = 0.5},
        OpenSet{.from = bytes(9), .fraction = 0}, bytes(300));
  check(StochasticLabels{.classes = 10, .stddev = tenths}, StochasticLabels{.classes = 10, .stddev = 0.5},
        StochasticLabels{.classes = 10, .stddev = 0});
  check(Mixup{.partners = floats(9), .classes = 10, .probability = tenths},
        Mixup{.partners = floats(9), .classes = 10, .probability = 0.5},
        Mixup{.partners = floats(9), .classes = 10, .probability = 0});
  const auto shape = [](const Clock& clock) { return 0.25 + tenths(clock); };
  check(CutMix{.partners = floats(9), .classes = 10, .alpha = shape},
        CutMix{.partners = floats(9), .classes = 10, .alpha = 0.75},
        CutMix{.partners = floats(9), .classes = 10, .alpha = 0.25});
  check(TargetNoise{.stddev = tenths}, TargetNoise{.stddev = 0.5}, TargetNoise{.stddev = 0}, numbers(300));
  check(TargetOutliers{.fraction = tenths}, TargetOutliers{.fraction = 0.5}, TargetOutliers{.fraction = 0},
        numbers(300));
  check(ZeroPixels{.fraction = tenths}, ZeroPixels{.fraction = 0.5}, ZeroPixels{.fraction = 0});
  check(ZeroPixels{.fraction = tenths, .exact = false}, ZeroPixels{.fraction = 0.5, .exact = false},
        ZeroPixels{.fraction = 0, .exact = false});
  check(GaussianNoise{.stddev = tenths}, GaussianNoise{.stddev = 0.5}, GaussianNoise{.stddev = 0});
  check(HorizontalFlip{.probability = tenths}, HorizontalFlip{.probability = 0.5}, HorizontalFlip{.probability = 0});
}

TEST_CASE("transform: every field's bound is checked where the transform is put to use") {
  const auto use = [](auto transform) { return [transform] { (void)AnyTransform(transform); }; };
  const auto in_chain = [](auto transform) {
    return [transform] { (void)regimen::chain(HorizontalFlip{}, transform); };
  };
  for (const double value : {-0.1, 1.5, not_a_number}) {
    const std::string text = "is " + regimen::detail::text(value);
    check_error(use(UniformLabels{.classes = 10, .fraction = value}),
                {"UniformLabels.fraction", "[0, 1]", text.c_str()});
    check_error(use(LabelSmoothing{.classes = 10, .amount = value}), {"LabelSmoothing.amount", "[0, 1]", text.c_str()});
    check_error(use(ZeroPixels{.fraction = value}), {"ZeroPixels.fraction", "[0, 1]", text.c_str()});
    check_error(use(HorizontalFlip{.probability = value}), {"HorizontalFlip.probability", "[0, 1]", text.c_str()});
    check_error(use(PairFlip{.classes = 10, .fraction = value}), {"PairFlip.fraction", "[0, 1]", text.c_str()});
    check_error(use(ClassMap{.to = {1, 0}, .fraction = value}), {"ClassMap.fraction", "[0, 1]", text.c_str()});
    check_error(use(NoiseMatrix{.rows = {{1, 0}, {0, 1}}, .fraction = value}),
                {"NoiseMatrix.fraction", "[0, 1]", text.c_str()});
    check_error(use(InstanceLabels{.classes = 10, .fraction = value}),
                {"InstanceLabels.fraction", "[0, 1]", text.c_str()});
    check_error(use(OpenSet{.from = bytes(3), .fraction = value}), {"OpenSet.fraction", "[0, 1]", text.c_str()});
    check_error(use(TargetOutliers{.fraction = value}), {"TargetOutliers.fraction", "[0, 1]", text.c_str()});
    check_error(use(Mixup{.partners = bytes(3), .probability = value}), {"Mixup.probability", "[0, 1]", text.c_str()});
    check_error(use(CutMix{.partners = bytes(3), .probability = value}),
                {"CutMix.probability", "[0, 1]", text.c_str()});
    check_error(in_chain(ZeroPixels{.fraction = value}), {"ZeroPixels.fraction", "[0, 1]", text.c_str()});
  }
  check_error(use(UniformLabels{}), {"UniformLabels.classes", "at least 2", "is 0"});
  check_error(use(UniformLabels{.classes = 1}), {"UniformLabels.classes", "at least 2", "is 1"});
  check_error(use(LabelSmoothing{.classes = 1}), {"LabelSmoothing.classes", "at least 2", "is 1"});
  check_error(use(PairFlip{}), {"PairFlip.classes", "at least 2", "is 0"});
  check_error(use(PairFlip{.classes = 3, .shift = 3}), {"PairFlip.shift", "[1, 2]", "is 3"});
  check_error(use(PairFlip{.classes = 3, .shift = 0}), {"PairFlip.shift", "[1, 2]", "is 0"});
  check_error(use(ClassMap{}), {"ClassMap.to.size()", "at least 2", "is 0"});
  check_error(use(ClassMap{.to = {0, 1, 3}}), {"ClassMap.to", "[0, 3)", "is 3"});
  check_error(use(ClassMap{.to = {0, -1}}), {"ClassMap.to", "[0, 2)", "is -1"});
  check_error(use(InstanceLabels{.classes = 1}), {"InstanceLabels.classes", "at least 2", "is 1"});
  check_error(use(InstanceLabels{.classes = 2, .spread = -1}), {"InstanceLabels.spread", "at least 0", "is -1"});
  check_error(use(OpenSet{}), {"OpenSet.from", "indexed"});
  check_error(use(StochasticLabels{.classes = 1}), {"StochasticLabels.classes", "is 1"});
  check_error(use(StochasticLabels{.classes = 2, .stddev = -1}), {"StochasticLabels.stddev", "at least 0", "is -1"});
  check_error(use(TargetNoise{.stddev = -1}), {"TargetNoise.stddev", "at least 0", "is -1"});
  check_error(use(TargetOutliers{.low = 1, .high = 1}), {"TargetOutliers.high", "above low", "is 1"});
  check_error(use(TargetOutliers{.low = not_a_number}), {"TargetOutliers.low", "finite", "is nan"});
  const regimen::Source stream = [](const regimen::Order&) -> regimen::Cursor { return [] { return Batch{}; }; };
  check_error(use(Mixup{.partners = stream}), {"Mixup.partners", "indexed"});
  check_error(use(Mixup{.partners = bytes(3), .classes = 1}), {"Mixup.classes", "at least 2, or 0", "is 1"});
  check_error(use(Mixup{.partners = bytes(3), .alpha = 0}), {"Mixup.alpha", "[0.01, 1000]", "is 0"});
  check_error(use(CutMix{.partners = bytes(3), .alpha = 2000}), {"CutMix.alpha", "[0.01, 1000]", "is 2000"});
  check_error(use(GaussianNoise{.stddev = -1}), {"GaussianNoise.stddev", "at least 0", "is -1"});
  check_error(use(GaussianNoise{.stddev = INFINITY}), {"GaussianNoise.stddev", "finite", "is inf"});
  check_error(use(GaussianNoise{.stddev = not_a_number}), {"GaussianNoise.stddev", "is nan"});
  check_error(use(RandomCrop{.padding = -1}), {"RandomCrop.padding", "at least 0", "is -1"});
  check_error(use(Normalize{}), {"Normalize.mean.size()", "at least 1", "is 0"});
  check_error(use(Normalize{.mean = {0, 0, 0}, .stddev = {1, 1}}), {"Normalize.stddev.size()", "that of mean", "is 2"});
  check_error(use(Normalize{.mean = {0, 0}, .stddev = {1, 0}}), {"Normalize.stddev", "above 0", "is 0"});
  check_error(use(Normalize{.mean = {0}, .stddev = {not_a_number}}), {"Normalize.stddev", "above 0", "is nan"});

  CHECK_NOTHROW(AnyTransform(UniformLabels{.classes = 2, .fraction = 0}));
  CHECK_NOTHROW(AnyTransform(UniformLabels{.classes = 2, .fraction = 1}));
  CHECK_NOTHROW(AnyTransform(LabelSmoothing{.classes = 2, .amount = 1}));
  CHECK_NOTHROW(AnyTransform(RandomCrop{.padding = 0}));
  CHECK_NOTHROW(AnyTransform(GaussianNoise{.stddev = 0}));
}

TEST_CASE("transform: labels must be [N] int64") {
  Batch batch = labels(4, 10);
  for (const at::Tensor& target :
       {at::Tensor(), at::zeros({4}), at::zeros({4}, at::kInt), at::zeros({4, 1}, at::kLong)}) {
    batch.target = target;
    check_error([&] { (void)apply(UniformLabels{.classes = 10}, batch); }, {"UniformLabels", "[N] int64"});
    check_error([&] { (void)apply(LabelSmoothing{.classes = 10}, batch); }, {"LabelSmoothing", "[N] int64"});
    check_error([&] { (void)apply(PairFlip{.classes = 10}, batch); }, {"PairFlip", "[N] int64"});
    check_error([&] { (void)apply(ClassMap{.to = {1, 0}}, batch); }, {"ClassMap", "[N] int64"});
    check_error([&] { (void)apply(thirds(), batch); }, {"NoiseMatrix", "[N] int64"});
    check_error([&] { (void)apply(InstanceLabels{.classes = 10}, batch); }, {"InstanceLabels", "[N] int64"});
  }
  batch.target = at::zeros({4, 3});
  check_error([&] { (void)apply(UniformLabels{.classes = 10}, batch); }, {"[4, 3] float"});
}

TEST_CASE("UniformLabels: at fraction 1 every class is as likely, whatever the label was") {
  for (const std::int64_t classes : {2, 3, 10, 100}) {
    CAPTURE(classes);
    const Batch batch = labels(100000, classes);
    const Batch noisy = apply(UniformLabels{.classes = classes}, batch);
    CHECK(noisy.target.scalar_type() == at::kLong);
    CHECK(noisy.data.is_same(batch.data));
    CHECK(noisy.id.is_same(batch.id));
    check_equally_likely(noisy.target.bincount({}, classes));
    if (classes <= 10) {
      check_equally_likely((batch.target * classes + noisy.target).bincount({}, classes * classes));
    }
  }
}

TEST_CASE("UniformLabels: with exclude_true every other class is as likely, and the true one never comes") {
  for (const std::int64_t classes : {2, 3, 10}) {
    CAPTURE(classes);
    const Batch batch = labels(100000, classes);
    const Batch noisy = apply(UniformLabels{.classes = classes, .exclude_true = true}, batch);
    const at::Tensor moved = (noisy.target - batch.target).remainder(classes);
    CHECK(moved.min().item<std::int64_t>() == 1);
    CHECK(noisy.target.min().item<std::int64_t>() == 0);
    CHECK(noisy.target.max().item<std::int64_t>() == classes - 1);
    if (classes > 2) {
      check_equally_likely(moved.bincount({}, classes).slice(0, 1));
      check_equally_likely(noisy.target.bincount({}, classes));
    }
  }
}

TEST_CASE("UniformLabels: fraction * (1 - 1/classes) of the labels change, with exclude_true fraction of them") {
  constexpr std::int64_t n = 50000;
  for (const std::int64_t classes : {2, 10}) {
    const Batch batch = labels(n, classes);
    for (const double fraction : {0.0, 0.05, 0.4, 0.9, 1.0}) {
      const auto changed = [&](bool exclude_true) {
        const UniformLabels noise{.classes = classes, .fraction = fraction, .exclude_true = exclude_true};
        return (apply(noise, batch).target != batch.target).sum().item<double>();
      };
      CAPTURE(classes, fraction);
      check_share(changed(false), n, fraction * (1 - 1.0 / static_cast<double>(classes)));
      check_share(changed(true), n, fraction);
    }
  }
}

TEST_CASE("UniformLabels: a larger fraction changes the same samples to the same labels, and further ones") {
  const Batch batch = labels(5000, 10);
  for (const bool exclude_true : {false, true}) {
    Batch smaller = apply(UniformLabels{.classes = 10, .fraction = 0, .exclude_true = exclude_true}, batch);
    CHECK(smaller.target.equal(batch.target));
    for (const double fraction : {0.1, 0.2, 0.5, 0.99, 1.0}) {
      CAPTURE(fraction);
      const Batch larger =
          apply(UniformLabels{.classes = 10, .fraction = fraction, .exclude_true = exclude_true}, batch);
      const at::Tensor changed = smaller.target != batch.target;
      CHECK(larger.target.index({changed}).equal(smaller.target.index({changed})));
      CHECK((larger.target != batch.target).sum().item<std::int64_t>() > changed.sum().item<std::int64_t>());
      smaller = larger;
    }
  }
}

TEST_CASE("LabelSmoothing: 1 - amount on the label and amount / classes on every class") {
  const Batch batch = labels(7, 4);
  for (const double amount : {0.0, 0.1, 1.0}) {
    CAPTURE(amount);
    const at::Tensor soft = apply(LabelSmoothing{.classes = 4, .amount = amount}, batch).target;
    REQUIRE(soft.sizes() == at::IntArrayRef({7, 4}));
    REQUIRE(soft.scalar_type() == at::kFloat);
    for (std::int64_t i = 0; i < 7; ++i) {
      for (std::int64_t c = 0; c < 4; ++c) {
        CHECK(soft[i][c].item<double>() == Approx((c == i % 4 ? 1 - amount : 0) + amount / 4).margin(1e-7));
      }
    }
    CHECK(furthest(soft.sum(1), at::ones({7})) < 1e-6);
  }
}

TEST_CASE("LabelSmoothing: with cross entropy it is PyTorch's label_smoothing") {
  namespace F = torch::nn::functional;
  const Batch batch = labels(64, 10);
  const at::Tensor logits = Key(1, batch.id).normal({10}) * 3;
  for (const double amount : {0.0, 0.1, 0.7}) {
    CAPTURE(amount);
    const at::Tensor soft = apply(LabelSmoothing{.classes = 10, .amount = amount}, batch).target;
    const at::Tensor ours = F::cross_entropy(logits, soft);
    const at::Tensor theirs =
        F::cross_entropy(logits, batch.target, F::CrossEntropyFuncOptions().label_smoothing(amount));
    CHECK(ours.item<double>() == Approx(theirs.item<double>()).epsilon(1e-6));
  }
}

TEST_CASE("ZeroPixels: each image loses exactly int(fraction * entries) of its entries and keeps the others") {
  for (const Batch& batch : {bytes(200), floats(200)}) {
    for (const double fraction : {0.0, 0.1, 0.29, 0.5, 0.999, 1.0}) {
      CAPTURE(fraction, batch.data.dtype().name());
      const at::Tensor data = apply(ZeroPixels{.fraction = fraction}, batch).data;
      REQUIRE(data.scalar_type() == batch.data.scalar_type());
      REQUIRE(data.sizes() == batch.data.sizes());
      const at::Tensor lost = data == 0;
      CHECK((lost.flatten(1).sum(1) == static_cast<std::int64_t>(fraction * 40)).all().item<bool>());
      CHECK(data.equal(batch.data.masked_fill(lost, 0)));
    }
  }
  // Of any shape.
  const Batch rows{at::ones({10, 8}), {}, at::arange(10, at::kLong), {}, {}};
  CHECK(apply(ZeroPixels{.fraction = 0.25}, rows).data.sum(1).equal(at::full({10}, 6.0F)));
}

TEST_CASE("ZeroPixels: every entry is as likely to be lost") {
  constexpr double fraction = 0.25;
  const Batch batch = bytes(20000);
  const at::Tensor lost = (apply(ZeroPixels{.fraction = fraction}, batch).data == 0).flatten(1);
  // Entries of an image are drawn without putting back, which narrows the statistic by (1 - fraction) * 40 / 39.
  const double expected = 20000 * fraction;
  const double statistic = ((lost.sum(0) - expected).square() / expected).sum().item<double>();
  const double chi_square = statistic / ((1 - fraction) * 40 / 39);
  CAPTURE(chi_square);
  CHECK(chi_square < chi_square_at(39, 5));
  CHECK(chi_square > chi_square_at(39, -5));
  // Pairs of neighbours too: 10 of 40, then 9 of 39.
  check_share(lost.select(1, 0).logical_and(lost.select(1, 1)).sum().item<double>(), 20000, 0.25 * 9 / 39);
  check_share(lost.select(1, 19).logical_and(lost.select(1, 20)).sum().item<double>(), 20000, 0.25 * 9 / 39);
}

TEST_CASE("ZeroPixels: what a smaller fraction loses, a larger one loses too") {
  const Batch batch = bytes(100);
  for (const bool exact : {true, false}) {
    at::Tensor smaller = at::zeros_like(batch.data, at::kBool);
    for (const double fraction : {0.1, 0.3, 0.31, 0.8}) {
      const at::Tensor larger = apply(ZeroPixels{.fraction = fraction, .exact = exact}, batch).data == 0;
      CHECK(larger.logical_or(smaller).equal(larger));
      smaller = larger;
    }
  }
}

TEST_CASE("ZeroPixels: without exact each entry is lost with the given probability") {
  for (const Batch& batch : {bytes(2000), floats(2000)}) {
    for (const double fraction : {0.0, 0.1, 0.7, 1.0}) {
      CAPTURE(fraction);
      const at::Tensor data = apply(ZeroPixels{.fraction = fraction, .exact = false}, batch).data;
      const at::Tensor lost = data == 0;
      check_share(lost.sum().item<double>(), 2000 * 40, fraction);
      CHECK(data.equal(batch.data.masked_fill(lost, 0)));
      if (fraction == 0.7) {  // the number lost in an image varies as a binomial does
        const at::Tensor counts = lost.flatten(1).sum(1).to(at::kDouble);
        CHECK(counts.var().item<double>() == Approx(40 * 0.7 * 0.3).epsilon(0.2));
      }
    }
  }
}

TEST_CASE("a schedule that leaves a transform's bounds is an error when it is read") {
  const regimen::Knob bad = [](const regimen::Clock&) { return 1.5; };
  const Batch batch = bytes(4);
  const auto use = [&](const AnyTransform& transform) { return [=] { (void)apply(transform, batch); }; };
  check_error(use(UniformLabels{.classes = 10, .fraction = bad}), {"UniformLabels.fraction", "[0, 1]", "is 1.5"});
  check_error(use(regimen::LabelSmoothing{.classes = 10, .amount = bad}), {"LabelSmoothing.amount", "is 1.5"});
  check_error(use(ZeroPixels{.fraction = bad}), {"ZeroPixels.fraction", "is 1.5"});
  check_error(use(ZeroPixels{.fraction = bad, .exact = false}), {"ZeroPixels.fraction", "is 1.5"});
  check_error(use(HorizontalFlip{.probability = bad}), {"HorizontalFlip.probability", "is 1.5"});
  const regimen::Knob negative = [](const regimen::Clock&) { return -1; };
  check_error(use(GaussianNoise{.stddev = negative}), {"GaussianNoise.stddev", "is -1"});
}

TEST_CASE("UniformLabels: a label that is none of the classes is an error") {
  Batch batch = bytes(4);
  batch.target = longs({0, 1, 2, 5});
  check_error([&] { (void)apply(UniformLabels{.classes = 5}, batch); }, {"in [0, 5)", "is 5"});
}

TEST_CASE("GaussianNoise: bytes become numbers in [0, 1], as Normalize has them, so that it may come before") {
  Batch batch = bytes(50);
  const at::Tensor noisy = apply(GaussianNoise{.stddev = 0.1}, batch).data;
  CHECK(noisy.scalar_type() == at::kFloat);
  CHECK(std::abs((noisy - batch.data / 255.0).std().item<double>() - 0.1) < 0.01);
  const regimen::Normalize normalize{.mean = {0.3}, .stddev = {0.2}};
  const at::Tensor after = apply(normalize, apply(GaussianNoise{.stddev = 0}, batch)).data;
  CHECK(furthest(after, apply(normalize, batch).data) < 1e-5);
}

TEST_CASE("GaussianNoise: adds independent normals of the given deviation, in the data's own type") {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    Batch batch = floats(2500);
    batch.data = batch.data.to(type);
    const at::Tensor data = apply(GaussianNoise{.stddev = 0.3}, batch).data;
    CHECK(data.scalar_type() == type);
    const at::Tensor noise = (data - batch.data).to(at::kDouble) / 0.3;
    // Six standard errors of 100,000 normals.
    CHECK(noise.mean().item<double>() == Approx(0).margin(0.019));
    CHECK(noise.square().mean().item<double>() == Approx(1).margin(0.027));
    CHECK(noise.pow(4).mean().item<double>() == Approx(3).margin(0.19));
    const at::Tensor flat = noise.flatten();
    CHECK((flat.slice(0, 1) * flat.slice(0, 0, -1)).mean().item<double>() == Approx(0).margin(0.019));
  }
  const Batch batch = floats(10);
  CHECK(apply(GaussianNoise{.stddev = 0}, batch).data.equal(batch.data));
}

TEST_CASE("RandomCrop: every result is a window of the padded image, and all windows are equally likely") {
  constexpr std::int64_t n = 5000;
  constexpr std::int64_t padding = 2;
  constexpr std::int64_t shifts = 2 * padding + 1;
  for (const Batch& batch : {bytes(n, 2, 6, 5), floats(n, 2, 6, 5)}) {
    const at::Tensor data = apply(RandomCrop{.padding = padding}, batch).data;
    REQUIRE(data.sizes() == batch.data.sizes());
    REQUIRE(data.scalar_type() == batch.data.scalar_type());
    const at::Tensor padded = at::constant_pad_nd(batch.data, {padding, padding, padding, padding}, 0);
    std::vector<at::Tensor> matches;
    for (std::int64_t top = 0; top < shifts; ++top) {
      for (std::int64_t left = 0; left < shifts; ++left) {
        const at::Tensor window = padded.narrow(2, top, 6).narrow(3, left, 5);
        matches.push_back((data == window).flatten(1).all(1));
      }
    }
    const at::Tensor match = at::stack(matches, 1);  // [n, shifts^2]
    CHECK((match.sum(1) == 1).all().item<bool>());
    check_equally_likely(match.sum(0));
  }
}

TEST_CASE("RandomCrop: without padding it changes nothing") {
  const Batch batch = bytes(20);
  CHECK(apply(RandomCrop{.padding = 0}, batch).data.equal(batch.data));
}

TEST_CASE("HorizontalFlip: each image is itself or its mirror image") {
  constexpr std::int64_t n = 5000;
  for (const Batch& batch : {bytes(n), floats(n)}) {
    for (const double probability : {0.0, 0.3, 0.5, 1.0}) {
      CAPTURE(probability);
      const at::Tensor data = apply(HorizontalFlip{.probability = probability}, batch).data;
      REQUIRE(data.scalar_type() == batch.data.scalar_type());
      const at::Tensor kept = (data == batch.data).flatten(1).all(1);
      const at::Tensor mirrored = (data == batch.data.flip({3})).flatten(1).all(1);
      CHECK(kept.logical_xor(mirrored).all().item<bool>());
      check_share(mirrored.sum().item<double>(), n, probability);
    }
  }
}

TEST_CASE("RandomCrop and HorizontalFlip take images of four dimensions") {
  Batch batch = floats(3);
  batch.data = batch.data.flatten(1);
  check_error([&] { (void)apply(RandomCrop{}, batch); }, {"RandomCrop", "[N, C, H, W]", "[3, 40] float"});
  check_error([&] { (void)apply(HorizontalFlip{}, batch); }, {"HorizontalFlip", "[N, C, H, W]", "[3, 40] float"});
}

TEST_CASE("Normalize: (data - mean) / stddev for each channel, of bytes as of bytes / 255") {
  const std::vector<double> means{0.4914, 0.4822, 0.4465};
  const std::vector<double> deviations{0.2470, 0.2435, 0.2616};
  const Batch raw = bytes(20, 3);
  Batch scaled = raw;
  scaled.data = raw.data.to(at::kFloat) / 255;
  Batch exact = raw;
  exact.data = raw.data.to(at::kDouble) / 255;
  for (const Batch& batch : {raw, scaled, exact}) {
    CAPTURE(batch.data.dtype().name());
    const at::ScalarType type = batch.data.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    const at::Tensor many = apply(Normalize{.mean = means, .stddev = deviations}, batch).data;
    const at::Tensor one = apply(Normalize{.mean = {0.286}, .stddev = {0.353}}, batch).data;
    CHECK(many.scalar_type() == type);
    CHECK(one.scalar_type() == type);
    const double tolerance = type == at::kDouble ? 1e-13 : 2e-6;
    for (std::int64_t c = 0; c < 3; ++c) {
      const auto k = static_cast<std::size_t>(c);
      CHECK(furthest(many.select(1, c), (exact.data.select(1, c) - means[k]) / deviations[k]) < tolerance);
      CHECK(furthest(one.select(1, c), (exact.data.select(1, c) - 0.286) / 0.353) < tolerance);
    }
  }
  // Vectors, [N, C].
  const Batch vectors{at::tensor({1., 2., 3., 4.}, at::kFloat).view({2, 2}), {}, longs({0, 1}), {}, {}};
  CHECK(furthest(apply(Normalize{.mean = {1, 2}, .stddev = {2, 4}}, vectors).data,
                 at::tensor({0., 0., 1., 0.5}).view({2, 2})) < 1e-7);
}

TEST_CASE("Normalize: one entry or one a channel") {
  const Normalize three{.mean = {0, 0, 0}, .stddev = {1, 1, 1}};
  check_error([&] { (void)apply(three, bytes(2)); },
              {"Normalize.mean.size()", "1 or the number of channels, 2", "is 3"});
  const Batch numbers{at::ones({4}), {}, at::arange(4, at::kLong), {}, {}};
  check_error([&] { (void)apply(three, numbers); }, {"Normalize.mean.size()", "is 3"});
  CHECK(apply(Normalize{.mean = {1}, .stddev = {2}}, numbers).data.equal(at::zeros({4})));
}

TEST_CASE("transform: a tensor is described by its shape and type") {
  CHECK(regimen::detail::described(at::zeros({64, 1, 28, 28}, at::kByte)) == "[64, 1, 28, 28] unsigned char");
  CHECK(regimen::detail::described(at::zeros({}, at::kInt)) == "[] int");
  CHECK(regimen::detail::described({}) == "undefined");
}

}  // namespace transform_test
