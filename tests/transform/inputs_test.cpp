// The transforms of inputs, one by one. That they do not care about batches and obey their key stands in
// transform_test.cpp; ZeroPixels, GaussianNoise, RandomCrop, HorizontalFlip and Normalize are tested there too.

#include "support/tensors.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>

namespace inputs_test {

namespace {

using namespace regimen;

/// Images of bytes in [1, 250], neither black nor white; within an image of up to 250 entries no two are the same.
Batch bytes(std::int64_t n, std::int64_t channels = 3, std::int64_t height = 5, std::int64_t width = 5) {
  const std::int64_t entries = channels * height * width;
  const at::Tensor places = at::arange(entries, at::kLong).unsqueeze(0) + at::arange(n, at::kLong).unsqueeze(1) * 31;
  return {(places.remainder(250) + 1).to(at::kByte).view({n, channels, height, width}),
          at::arange(n, at::kLong).remainder(10), (at::arange(n, at::kLong) * 7919).remainder(n * 8000 + 1)};
}

Batch floats(std::int64_t n, std::int64_t channels = 3, std::int64_t height = 5, std::int64_t width = 5) {
  const Batch batch = bytes(n, channels, height, width);
  return regimen::detail::with_data(batch, batch.data.to(at::kFloat) / 256);
}

/// Rows, [n, length].
Batch vectors(std::int64_t n, std::int64_t length) {
  return {at::arange(n * length, at::kFloat).view({n, length}) / (n * length), {}, at::arange(n, at::kLong)};
}

Moment at_epoch(int epoch) {
  return {.clock = {.epoch = epoch}};
}

template <class T>
at::Tensor shown(const T& transform, const Batch& batch, std::uint64_t seed = 7, const Moment& now = {}) {
  return transform(batch, Key(seed, batch.id, now)).data;
}

/// A tenth an epoch.
double tenths(const Clock& clock) {
  return 0.1 * clock.epoch;
}

double white(const Batch& batch) {
  return batch.data.is_floating_point() ? 1 : 255;
}

/// [candidates]: how many images of `data` equal the image at their place in each candidate; each must equal exactly
/// one.
at::Tensor matches(const at::Tensor& data, const std::vector<at::Tensor>& candidates) {
  std::vector<at::Tensor> equal;
  for (const at::Tensor& candidate : candidates) {
    REQUIRE(candidate.scalar_type() == data.scalar_type());
    equal.push_back((data == candidate).flatten(1).all(1));
  }
  const at::Tensor match = at::stack(equal, 1);
  CHECK((match.sum(1) == 1).all().item<bool>());
  return match.sum(0);
}

/// Every transform of inputs that draws from its key and keeps the type of the data, all of one strength.
std::vector<AnyTransform> keyed_transforms(const Knob& knob) {
  return {SaltAndPepper{.fraction = knob, .salt = knob},
          SaltAndPepper{.fraction = knob, .exact = false},
          PixelPermutationPerSample{},
          Cutout{.side = 3, .fill = {0.2, 0.4, 0.6}, .probability = knob},
          VerticalFlip{.probability = knob},
          Rotation90{.probability = knob},
          Brightness{.strength = knob},
          Contrast{.strength = knob},
          RandomChoice{.choices = {Cutout{.side = 3}, Rotation90{}, Brightness{.strength = knob}}, .picks = 2}};
}

}  // namespace

TEST_CASE("inputs: frozen, they do the same at every epoch, in every order and batch; fresh, something else") {
  for (const Batch& batch : {bytes(60), floats(60)}) {
    for (const AnyTransform& transform : keyed_transforms(0.5)) {
      CAPTURE(transform.manifest(), batch.data.dtype().name());
      const Source damaged = frozen(batch, transform, /*seed=*/7);
      const Batch all = damaged.get(at::arange(60, at::kLong), at_epoch(0));
      CHECK_FALSE(same(all.data, batch.data));
      for (const int epoch : {0, 1}) {
        const Cursor next = damaged.read({.batch = 7, .shuffle = true, .seed = 3, .now = at_epoch(epoch)});
        for (Batch part = next(); part.size() > 0; part = next()) {
          const at::Tensor place = (part.id.unsqueeze(1) == all.id.unsqueeze(0)).to(at::kLong).argmax(1);
          CHECK(same(part, rows(all, place)));
        }
      }
      const auto fresh = [&](int epoch) { return transform(batch, Key(7, batch.id, at_epoch(epoch)).each_epoch()); };
      CHECK_FALSE(same(fresh(1).data, fresh(2).data));
      CHECK(same(fresh(1).data, fresh(1).data));
    }
  }
}

TEST_CASE("inputs: in a recorded step every scheduled number comes from a slot, and what is shown is the same") {
  for (const Batch& batch : {bytes(40), floats(40)}) {
    for (const AnyTransform& transform : keyed_transforms(tenths)) {
      CAPTURE(transform.manifest());
      regimen::detail::Slots slots(at::kCPU);
      const auto in_pass = [&](int epoch) {
        Moment now = at_epoch(epoch);
        slots.begin(now, now);
        now.slots = &slots;
        return transform(batch, Key(7, batch.id, now));
      };
      const auto eager = [&](int epoch) { return transform(batch, Key(7, batch.id, at_epoch(epoch))); };
      CHECK(same(in_pass(5), eager(5)));
      slots.close();
      CHECK(same(in_pass(2), eager(2)));
      CHECK(slots.refused().empty());
      CHECK(slots.complete());
    }
  }
}

TEST_CASE("inputs: each field's bound is checked where the transform is put to use, and where a schedule is read") {
  const auto use = [](auto transform) { return [transform] { (void)AnyTransform(transform); }; };
  for (const double value : {-0.1, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
    const std::string is = "is " + regimen::detail::text(value);
    check_error(use(SaltAndPepper{.fraction = value}), {"SaltAndPepper.fraction", "[0, 1]", is.c_str()});
    check_error(use(SaltAndPepper{.salt = value}), {"SaltAndPepper.salt", "[0, 1]", is.c_str()});
    check_error(use(Cutout{.fill = {0, value, 0}}), {"Cutout.fill", "[0, 1]", is.c_str()});
    check_error(use(Cutout{.probability = value}), {"Cutout.probability", "[0, 1]", is.c_str()});
    check_error(use(VerticalFlip{.probability = value}), {"VerticalFlip.probability", "[0, 1]", is.c_str()});
    check_error(use(Rotation90{.probability = value}), {"Rotation90.probability", "[0, 1]", is.c_str()});
  }
  for (const double value : {-0.1, static_cast<double>(INFINITY), std::numeric_limits<double>::quiet_NaN()}) {
    check_error(use(Brightness{.strength = value}), {"Brightness.strength", "at least 0 and finite"});
    check_error(use(Contrast{.strength = value}), {"Contrast.strength", "at least 0 and finite"});
    check_error(use(GaussianImages{.mean = {0}, .stddev = {value}}), {"GaussianImages.stddev", "at least 0"});
  }
  check_error(use(GaussianImages{}), {"GaussianImages.mean.size()", "at least 1", "is 0"});
  check_error(use(GaussianImages{.mean = {0, 0}, .stddev = {1}}), {"GaussianImages.stddev.size()", "that of mean"});
  check_error(use(GaussianImages{.mean = {NAN}, .stddev = {1}}), {"GaussianImages.mean", "finite", "is nan"});
  check_error(use(Cutout{.side = 0}), {"Cutout.side", "at least 1", "is 0"});
  check_error(use(Cutout{.fill = {}}), {"Cutout.fill.size()", "at least 1", "is 0"});
  check_error(use(RandomChoice{}), {"RandomChoice.choices.size()", "at least 1", "is 0"});
  check_error(use(RandomChoice{.choices = {VerticalFlip{}}, .picks = 0}), {"RandomChoice.picks", "at least 1", "is 0"});

  const Knob high = [](const Clock&) { return 1.5; };
  const Knob negative = [](const Clock&) { return -1; };
  const Batch batch = bytes(4);
  const auto read = [&](const AnyTransform& transform) { return [=] { (void)shown(transform, batch); }; };
  check_error(read(SaltAndPepper{.fraction = high}), {"SaltAndPepper.fraction", "is 1.5"});
  check_error(read(SaltAndPepper{.salt = high}), {"SaltAndPepper.salt", "is 1.5"});
  check_error(read(Cutout{.probability = high}), {"Cutout.probability", "is 1.5"});
  check_error(read(VerticalFlip{.probability = high}), {"VerticalFlip.probability", "is 1.5"});
  check_error(read(Rotation90{.probability = high}), {"Rotation90.probability", "is 1.5"});
  check_error(read(Brightness{.strength = negative}), {"Brightness.strength", "is -1"});
  check_error(read(Contrast{.strength = negative}), {"Contrast.strength", "is -1"});
}

TEST_CASE("inputs: the manifest lists every field") {
  CHECK(manifest(SaltAndPepper{}) == R"({"type": "SaltAndPepper", "fraction": 0.1, "salt": 0.5, "exact": true})");
  CHECK(manifest(GaussianImages{.mean = {0.5}, .stddev = {0.25}}) ==
        R"({"type": "GaussianImages", "mean": [0.5], "stddev": [0.25]})");
  CHECK(manifest(PixelPermutation{.seed = 3}) == R"({"type": "PixelPermutation", "seed": 3})");
  CHECK(manifest(PixelPermutationPerSample{}) == R"({"type": "PixelPermutationPerSample"})");
  CHECK(manifest(Cutout{}) == R"({"type": "Cutout", "side": 8, "fill": [0], "probability": 1, "target_fill": null})");
  CHECK(manifest(VerticalFlip{}) == R"({"type": "VerticalFlip", "probability": 0.5})");
  CHECK(manifest(Rotation90{}) == R"({"type": "Rotation90", "probability": 0.75})");
  CHECK(manifest(Brightness{}) == R"({"type": "Brightness", "strength": 0.4})");
  CHECK(manifest(Contrast{}) == R"({"type": "Contrast", "strength": 0.4})");
  CHECK(manifest(RandomChoice{.choices = {Contrast{}}, .picks = 2}) ==
        R"({"type": "RandomChoice", "choices": [{"type": "Contrast", "strength": 0.4}], "picks": 2})");
}

TEST_CASE("SaltAndPepper: exactly int(fraction * entries) entries become black or white, and the others stay") {
  for (const Batch& batch : {bytes(200), floats(200), vectors(200, 75)}) {
    for (const double fraction : {0.0, 0.1, 0.29, 0.5, 1.0}) {
      CAPTURE(fraction, batch.data.dtype().name(), batch.data.dim());
      const Batch grey = batch.data.dim() == 2 ? regimen::detail::with_data(batch, batch.data * 0.5 + 0.25) : batch;
      const at::Tensor data = shown(SaltAndPepper{.fraction = fraction}, grey);
      REQUIRE(data.scalar_type() == grey.data.scalar_type());
      REQUIRE(data.sizes() == grey.data.sizes());
      const at::Tensor black = data == 0;
      const at::Tensor bright = data == white(grey);
      const at::Tensor hit = black.logical_or(bright);
      CHECK((hit.flatten(1).sum(1) == static_cast<std::int64_t>(fraction * 75)).all().item<bool>());
      CHECK(same(data.masked_fill(hit, 0), grey.data.masked_fill(hit, 0)));
    }
  }
}

TEST_CASE("SaltAndPepper: every entry is as likely to be hit, and white with probability salt") {
  const Batch batch = bytes(4000);
  for (const double salt : {0.0, 0.3, 1.0}) {
    for (const bool exact : {true, false}) {
      CAPTURE(salt, exact);
      const at::Tensor data = shown(SaltAndPepper{.fraction = 0.2, .salt = salt, .exact = exact}, batch);
      const auto blacks = (data == 0).sum().item<double>();
      const auto whites = (data == 255).sum().item<double>();
      if (exact) {
        CHECK(blacks + whites == 4000 * 15);
      } else {
        check_share(blacks + whites, 4000 * 75, 0.2);
      }
      if (salt == 0 || salt == 1) {
        CHECK((salt == 0 ? whites : blacks) == 0);
      } else {
        check_share(whites, blacks + whites, salt);
        check_equally_likely((data == 255).flatten(1).sum(0).slice(0, 0, 75, 2));  // of every second: near independence
      }
    }
  }
}

TEST_CASE("SaltAndPepper: what a smaller fraction hits, a larger one turns into the same") {
  const Batch batch = bytes(100);
  for (const bool exact : {true, false}) {
    at::Tensor smaller = batch.data;
    for (const double fraction : {0.1, 0.3, 0.31, 0.8}) {
      const at::Tensor larger = shown(SaltAndPepper{.fraction = fraction, .exact = exact}, batch);
      const at::Tensor hit = smaller != batch.data;
      CHECK(larger.masked_select(hit).equal(smaller.masked_select(hit)));
      CHECK((larger != batch.data).sum().item<std::int64_t>() > hit.sum().item<std::int64_t>());
      smaller = larger;
    }
  }
}

TEST_CASE("GaussianImages: normal noise of each channel's mean and deviation, whatever the image was") {
  const std::vector<double> means{0.5, -1, 2};
  const std::vector<double> deviations{0.1, 1, 0};
  const GaussianImages noise{.mean = means, .stddev = deviations};
  const at::Tensor of_bytes = shown(noise, bytes(2000));
  CHECK(of_bytes.scalar_type() == at::kFloat);
  CHECK(same(of_bytes, shown(noise, floats(2000))));
  CHECK(same(of_bytes, shown(noise, regimen::detail::with_data(floats(2000), at::zeros({2000, 3, 5, 5})))));
  for (std::int64_t channel = 0; channel < 3; ++channel) {
    CAPTURE(channel);
    const auto k = static_cast<std::size_t>(channel);
    const at::Tensor one = of_bytes.select(1, channel).to(at::kDouble);
    if (deviations[k] == 0) {
      CHECK((one == means[k]).all().item<bool>());
      continue;
    }
    const at::Tensor standard = (one - means[k]) / deviations[k];
    // Six standard errors of 50,000 normals.
    CHECK(standard.mean().item<double>() == Approx(0).margin(0.027));
    CHECK(standard.square().mean().item<double>() == Approx(1).margin(0.038));
    CHECK(standard.pow(4).mean().item<double>() == Approx(3).margin(0.27));
  }
  CHECK(std::abs(correlation(of_bytes.select(1, 0), of_bytes.select(1, 1))) < 0.027);

  Batch exact = floats(3);
  exact.data = exact.data.to(at::kDouble);
  CHECK(shown(noise, exact).scalar_type() == at::kDouble);
  CHECK(shown(GaussianImages{.mean = {0.5}, .stddev = {0.1}}, vectors(5, 8)).sizes() == at::IntArrayRef({5, 8}));
  check_error([&] { (void)shown(noise, bytes(3, 1)); }, {"GaussianImages", "1 or the number of channels, 1", "is 3"});
}

TEST_CASE("PixelPermutation: one permutation for all images, of all epochs, keys and data sets") {
  const PixelPermutation shuffled{.seed = 5};
  const at::Tensor places = at::arange(20, at::kLong);
  const Batch numbered{places.view({1, 1, 4, 5}), {}, longs({0})};
  const at::Tensor order = shown(shuffled, numbered).flatten();
  CHECK(std::get<0>(order.sort()).equal(places));
  CHECK_FALSE(order.equal(places));
  for (const Batch& batch : {bytes(30, 3, 4, 5), floats(30, 3, 4, 5)}) {
    const at::Tensor expected = batch.data.flatten(2).index_select(2, order).view_as(batch.data);
    CHECK(same(shown(shuffled, batch), expected));
    CHECK(same(shown(shuffled, batch, /*seed=*/8, at_epoch(3)), expected));
    CHECK(same(shuffled(batch, Key(1, batch.id, at_epoch(2)).fold(4).each_epoch()).data, expected));
    CHECK_FALSE(shown(PixelPermutation{.seed = 6}, batch).equal(expected));
  }
  const Batch flat = vectors(6, 20);
  CHECK(same(shown(shuffled, flat), flat.data.index_select(1, order)));
  check_error([&] { (void)shown(shuffled, {at::ones({4}), {}, at::arange(4, at::kLong)}); },
              {"PixelPermutation", "[N, C, ...] or [N, D]", "[4] float"});
}

TEST_CASE("PixelPermutation: every permutation of three pixels is as likely, over the seeds") {
  const Batch three{at::arange(3, at::kLong).view({1, 1, 1, 3}), {}, longs({0})};
  std::array<std::int64_t, 27> counts{};
  for (std::uint64_t seed = 0; seed < 1200; ++seed) {
    const at::Tensor order = shown(PixelPermutation{.seed = seed}, three).flatten();
    const auto* const at = order.data_ptr<std::int64_t>();
    ++counts[static_cast<std::size_t>(9 * at[0] + 3 * at[1] + at[2])];
  }
  std::vector<std::int64_t> orders;
  for (const int order : {5, 7, 11, 15, 19, 21}) {  // 012, 021, 102, 120, 201, 210 to the base 3
    orders.push_back(counts[static_cast<std::size_t>(order)]);
  }
  CHECK(longs(orders).sum().item<std::int64_t>() == 1200);
  check_equally_likely(longs(orders));
}

TEST_CASE("PixelPermutationPerSample: every image keeps its pixels, and every permutation is as likely") {
  const Batch three = bytes(6000, 2, 1, 3);
  const at::Tensor moved = shown(PixelPermutationPerSample{}, three);
  std::vector<at::Tensor> candidates;
  for (const auto& order :
       {longs({0, 1, 2}), longs({0, 2, 1}), longs({1, 0, 2}), longs({1, 2, 0}), longs({2, 0, 1}), longs({2, 1, 0})}) {
    candidates.push_back(three.data.index_select(3, order));  // both channels by one order
  }
  check_equally_likely(matches(moved, candidates));

  for (const Batch& batch : {bytes(30), floats(30), vectors(30, 16)}) {
    const at::Tensor data = shown(PixelPermutationPerSample{}, batch);
    REQUIRE(data.sizes() == batch.data.sizes());
    const std::int64_t last = data.dim() == 2 ? 1 : 2;
    CHECK(same(std::get<0>(data.flatten(last).sort(last)), std::get<0>(batch.data.flatten(last).sort(last))));
    CHECK_FALSE(data.equal(batch.data));
  }
}

TEST_CASE("Cutout: every result is the image without one of the squares, and all centres are equally likely") {
  constexpr std::int64_t n = 3000;
  constexpr std::int64_t height = 5;
  constexpr std::int64_t width = 6;
  for (const std::int64_t side : {1, 3, 4}) {
    for (const Batch& batch : {bytes(n, 2, height, width), floats(n, 2, height, width)}) {
      CAPTURE(side, batch.data.dtype().name());
      const at::Tensor data = shown(Cutout{.side = side}, batch);
      std::vector<at::Tensor> candidates;
      double covered = 0;
      for (std::int64_t y = 0; y < height; ++y) {
        for (std::int64_t x = 0; x < width; ++x) {
          at::Tensor cut = batch.data.clone();
          for (std::int64_t row = y - side / 2; row < y - side / 2 + side; ++row) {
            for (std::int64_t column = x - side / 2; column < x - side / 2 + side; ++column) {
              if (row >= 0 && row < height && column >= 0 && column < width) {
                cut.select(2, row).select(2, column).fill_(0);
                ++covered;
              }
            }
          }
          candidates.push_back(cut);
        }
      }
      check_equally_likely(matches(data, candidates));
      // The expected area is a product, the expected rows times the expected columns.
      const auto expected = [side](std::int64_t length) {
        const std::int64_t outside = side / 2 * (side / 2 + 1) / 2 + (side - 1 - side / 2) * (side - side / 2) / 2;
        return static_cast<double>(side) - static_cast<double>(outside) / static_cast<double>(length);
      };
      CHECK(covered / (height * width) == Approx(expected(height) * expected(width)));
    }
  }
}

TEST_CASE("Cutout: fills as it is told, in the data's type, and leaves images alone with 1 - probability") {
  const std::vector<double> fill{0.1, 0.5, 0.999};
  for (const Batch& batch : {bytes(2000), floats(2000)}) {
    const at::Tensor data = shown(Cutout{.side = 20, .fill = fill, .probability = 0.3}, batch);  // all of an image
    at::Tensor covered = at::ones_like(batch.data);
    for (std::int64_t channel = 0; channel < 3; ++channel) {
      const double value = fill[static_cast<std::size_t>(channel)];
      covered.select(1, channel).fill_(batch.data.is_floating_point() ? value : std::round(255 * value));
    }
    check_share(matches(data, {batch.data, covered})[1].item<double>(), 2000, 0.3);
  }
  check_error([] { (void)shown(Cutout{.fill = {0, 0}}, bytes(3)); },
              {"Cutout.fill.size()", "1 or the number of channels, 3", "is 2"});
  check_error([] { (void)shown(Cutout{}, vectors(3, 8)); }, {"Cutout", "[N, C, H, W]", "[3, 8] float"});
}

TEST_CASE("VerticalFlip: each image is itself or upside down; twice by one key it is itself") {
  const Batch batch = bytes(5000, 2, 4, 3);
  for (const double probability : {0.0, 0.3, 1.0}) {
    CAPTURE(probability);
    const VerticalFlip flip{.probability = probability};
    const at::Tensor data = shown(flip, batch);
    check_share(matches(data, {batch.data, batch.data.flip({2})})[1].item<double>(), 5000, probability);
    CHECK(same(shown(flip, regimen::detail::with_data(batch, data)), batch.data));
  }
  check_error([] { (void)shown(VerticalFlip{}, vectors(3, 8)); }, {"VerticalFlip", "[N, C, H, W]"});
}

TEST_CASE("Rotation90: the four orientations, with their probabilities; four turns by one key are none") {
  for (const Batch& batch : {bytes(4000), floats(4000)}) {
    const std::vector<at::Tensor> turned{batch.data, batch.data.rot90(1, {2, 3}), batch.data.rot90(2, {2, 3}),
                                         batch.data.rot90(3, {2, 3})};
    check_equally_likely(matches(shown(Rotation90{}, batch), turned));
    const at::Tensor some = matches(shown(Rotation90{.probability = 0.3}, batch), turned);
    check_share(some[0].item<double>(), 4000, 0.7);
    check_equally_likely(some.slice(0, 1));
    CHECK(same(shown(Rotation90{.probability = 0}, batch), batch.data));
    Batch again = batch;
    for (int time = 0; time < 4; ++time) {
      again.data = shown(Rotation90{}, again);
    }
    CHECK(same(again.data, batch.data));
  }
  // A half turn is both flips.
  const Batch batch = bytes(3, 1, 4, 6);
  CHECK(same(shown(chain(HorizontalFlip{.probability = 1}, VerticalFlip{.probability = 1}), batch),
             batch.data.rot90(2, {2, 3})));
  check_error([&] { (void)shown(Rotation90{}, batch); }, {"Rotation90", "as high as wide", "[3, 1, 4, 6]"});
  check_error([] { (void)shown(Rotation90{}, vectors(3, 16)); }, {"Rotation90", "[N, C, H, W]"});
}

namespace {

/// The factors by which the difference of the brightest and the darkest pixel grew, [N], of images without cut-off
/// pixels.
at::Tensor stretched(const at::Tensor& data, const at::Tensor& original) {
  const auto spread = [](const at::Tensor& images) {
    const at::Tensor pixels = images.flatten(1).to(at::kDouble);
    return pixels.amax(1) - pixels.amin(1);
  };
  return spread(data) / spread(original);
}

/// The factors of n samples are uniform in [low, high).
void check_uniform(const at::Tensor& factors, double low, double high) {
  CHECK(factors.min().item<double>() >= low - 1e-4);
  CHECK(factors.max().item<double>() <= high + 1e-4);
  const at::Tensor bins = ((factors - low) / (high - low) * 10).clamp(0, 9).to(at::kLong);
  check_equally_likely(bins.bincount({}, 10));
}

/// The batch with the values squeezed into [0.3, 0.7], so that no factor below 1.4 takes one out of [0, 1].
Batch dull(Batch batch) {
  batch.data = (batch.data - 0.5) * 0.4 + 0.5;
  return batch;
}

}  // namespace

TEST_CASE("Brightness: every entry times the sample's factor, which is uniform around 1 and stops at 0") {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    Batch batch = dull(floats(2000));
    batch.data = batch.data.to(type);
    const at::Tensor data = shown(Brightness{.strength = 0.4}, batch);
    REQUIRE(data.scalar_type() == type);
    const at::Tensor factor = stretched(data, batch.data);
    check_uniform(factor, 0.6, 1.4);
    CHECK(furthest(data, batch.data.to(at::kDouble) * factor.view({-1, 1, 1, 1})) < 2e-5);
  }
  Batch dark = vectors(2000, 2);
  dark.data = at::tensor({0.1, 0.2}, at::kFloat).repeat({2000, 1});
  check_uniform(stretched(shown(Brightness{.strength = 3}, dark), dark.data), 0, 4);
  CHECK(same(shown(Brightness{.strength = 0}, dark), dark.data));
}

TEST_CASE("Brightness and Contrast: bytes are the formula's nearest whole numbers, cut off at 0 and 255") {
  const Batch raw = bytes(500);
  Batch exact = raw;
  exact.data = raw.data.to(at::kDouble) / 255;
  for (const AnyTransform& transform :
       {AnyTransform(Brightness{.strength = 0.9}), AnyTransform(Contrast{.strength = 0.9}),
        AnyTransform(Brightness{.strength = 5})}) {
    CAPTURE(transform.manifest());
    const at::Tensor data = shown(transform, raw);
    REQUIRE(data.scalar_type() == at::kByte);
    const at::Tensor expected = 255 * shown(transform, exact);
    CHECK(expected.min().item<double>() >= 0);
    CHECK(expected.max().item<double>() == Approx(255));
    CHECK(furthest(data, expected) <= 0.5 + 1e-3);
    CHECK((data.to(at::kDouble) - expected).mean().item<double>() == Approx(0).margin(0.02));  // not rounded down
  }
}

TEST_CASE("Contrast: a blend with the mean of the grey image, by torchvision's weights") {
  for (const std::int64_t channels : {1, 3}) {
    CAPTURE(channels);
    const Batch batch = dull(floats(2000, channels));
    const at::Tensor data = shown(Contrast{.strength = 0.4}, batch);
    const at::Tensor factor = stretched(data, batch.data);
    check_uniform(factor, 0.6, 1.4);
    const at::Tensor pixels = batch.data.to(at::kDouble);
    const at::Tensor grey = channels == 1 ? pixels
                                          : 0.2989 * pixels.narrow(1, 0, 1) + 0.587 * pixels.narrow(1, 1, 1) +
                                                0.114 * pixels.narrow(1, 2, 1);
    const at::Tensor mean = grey.mean({1, 2, 3}, true);
    const at::Tensor by = factor.view({-1, 1, 1, 1});
    CHECK(furthest(data, by * pixels + (1 - by) * mean) < 2e-5);
    // The formula by hand, for one pixel of one image.
    double sum = 0;
    for (std::int64_t y = 0; y < 5; ++y) {
      for (std::int64_t x = 0; x < 5; ++x) {
        const auto at = [&](std::int64_t channel) { return batch.data[11][channel][y][x].item<double>(); };
        sum += channels == 1 ? at(0) : 0.2989 * at(0) + 0.587 * at(1) + 0.114 * at(2);
      }
    }
    const auto f = factor[11].item<double>();
    CHECK(data[11][0][2][3].item<double>() ==
          Approx(f * batch.data[11][0][2][3].item<double>() + (1 - f) * sum / 25).epsilon(2e-5));
  }
  CHECK(same(shown(Contrast{.strength = 0}, bytes(20)), bytes(20).data));
  Batch flat = bytes(20, 1);
  flat.data.fill_(117);
  CHECK(same(shown(Contrast{.strength = 0.9}, flat), flat.data));
  check_error([] { (void)shown(Contrast{}, bytes(3, 2)); }, {"Contrast", "1 or 3 channels", "[3, 2, 5, 5]"});
  check_error([] { (void)shown(Contrast{}, vectors(3, 8)); }, {"Contrast", "[N, C, H, W]"});
}

namespace {

/// Adds a number to data and label, so that what was chosen can be told from the sum.
AnyTransform plus(int number) {
  return [number](const Batch& batch, const Key&) {
    return regimen::detail::with_target(regimen::detail::with_data(batch, batch.data + number), batch.target + number);
  };
}

/// The same choice as a recorded step makes it.
Batch chosen_by_recording(const RandomChoice& choice, const Batch& batch) {
  regimen::detail::Slots slots(at::kCPU);
  Moment now = at_epoch(0);
  slots.begin(now, now);
  now.slots = &slots;
  return choice(batch, Key(7, batch.id, now));
}

}  // namespace

TEST_CASE("RandomChoice: each sample gets one of the transforms, each as likely, several times in a row if told") {
  Batch batch = floats(4096, 1, 1, 1);
  batch.data = at::zeros({4096, 1, 1, 1});
  batch.target = at::zeros({4096}, at::kLong);
  for (const int picks : {1, 2}) {
    CAPTURE(picks);
    const RandomChoice choice{.choices = {plus(1), plus(10), plus(100), chain()}, .picks = picks};
    const Batch chosen = choice(batch, Key(7, batch.id));
    CHECK(chosen.data.flatten().to(at::kLong).equal(chosen.target));
    CHECK(same(chosen_by_recording(choice, batch), chosen));
    const auto share = [&](std::int64_t sum) { return (chosen.target == sum).sum().item<double>(); };
    if (picks == 1) {
      check_equally_likely(at::tensor({share(0), share(1), share(10), share(100)}));
    } else {  // of 16 ordered pairs
      double all = 0;
      for (const std::int64_t twice : {0, 2, 20, 200}) {
        check_share(share(twice), 4096, 1. / 16);
        all += share(twice);
      }
      for (const std::int64_t both : {1, 10, 100, 11, 101, 110}) {
        check_share(share(both), 4096, 2. / 16);
        all += share(both);
      }
      CHECK(all == 4096);
    }
  }
}

TEST_CASE("RandomChoice: what is chosen has randomness of its own, and is what it would be alone") {
  const Batch batch = bytes(400);
  const Key key(7, batch.id);
  const RandomChoice choice{.choices = {Rotation90{}, Cutout{.side = 3}, PixelPermutationPerSample{}}};
  const Batch chosen = choice(batch, key);
  CHECK(same(chosen_by_recording(choice, batch), chosen));
  std::vector<at::Tensor> alone;
  const Key own = key.fold(0);
  alone.push_back(Rotation90{}(batch, own.fold(1)).data);
  alone.push_back(Cutout{.side = 3}(batch, own.fold(2)).data);
  alone.push_back(PixelPermutationPerSample{}(batch, own.fold(3)).data);
  check_equally_likely(matches(chosen.data, alone));
  CHECK(chosen.target.equal(batch.target));

  // By hand, the second of two rounds draws anew.
  const RandomChoice twice{.choices = {Rotation90{}}, .picks = 2};
  CHECK(same(twice(batch, key), Rotation90{}(Rotation90{}(batch, key.fold(0).fold(1)), key.fold(1).fold(1))));
}

TEST_CASE("RandomChoice: a transform that changes shape or type is an error, on every path") {
  const Batch batch = bytes(50);
  const RandomChoice to_float{.choices = {GaussianNoise{}}};
  const auto halved = [](const Batch& some, const Key&) {
    return regimen::detail::with_data(some, some.data.slice(3, 0, 2));
  };
  const RandomChoice smaller{.choices = {halved, chain()}};
  for (const RandomChoice& choice : {to_float, smaller}) {
    check_error([&] { (void)shown(choice, batch); }, {"RandomChoice", "keep shape and type"});
    check_error([&] { (void)chosen_by_recording(choice, batch); }, {"RandomChoice", "keep shape and type"});
  }
  CHECK(shown(to_float, floats(5)).scalar_type() == at::kFloat);
  const Batch unlabelled{batch.data, {}, batch.id};
  CHECK_FALSE(RandomChoice{.choices = {VerticalFlip{}}}(unlabelled, Key(1, batch.id)).target.defined());
}

namespace {

/// What moves pixels, on images that need not be square.
std::vector<AnyTransform> movers() {
  return {HorizontalFlip{},
          VerticalFlip{},
          RandomCrop{.padding = 2},
          PixelPermutation{.seed = 3},
          PixelPermutationPerSample{},
          chain(RandomCrop{.padding = 1}, HorizontalFlip{}, VerticalFlip{}),
          RandomChoice{.choices = {HorizontalFlip{}, RandomCrop{.padding = 1}, chain()}, .picks = 2}};
}

/// [n, height, width]: a number for each pixel, another in the next image, from 1 to 120; or 0 and 1.
at::Tensor numbered(std::int64_t n, std::int64_t height, std::int64_t width, at::ScalarType type) {
  const at::Tensor places = at::arange(height * width, at::kLong).unsqueeze(0) + at::arange(n, at::kLong).unsqueeze(1);
  const at::Tensor numbers = type == at::kBool ? (places * 7).remainder(11) < 4 : places.remainder(120) + 1;
  return numbers.to(type).view({n, height, width});
}

/// Images whose first channel is the mask, so that it tells where the mask is to be.
Batch with_mask(const at::Tensor& mask) {
  const std::int64_t n = mask.size(0);
  const at::Tensor first = mask.to(at::kFloat).unsqueeze(1);
  return {at::cat({first, first.square(), -first}, 1), mask, at::arange(n, at::kLong) * 31 + 5};
}

/// The same numbers, in memory in another order.
at::Tensor permuted_view(const at::Tensor& tensor) {
  std::vector<std::int64_t> order;
  for (std::int64_t i = tensor.dim() - 1; i >= 0; --i) {
    order.push_back(i);
  }
  return tensor.permute(order).contiguous().permute(order);
}

}  // namespace

TEST_CASE("image and mask: they move together, of every type, shape and layout") {
  for (const at::ScalarType type : {at::kLong, at::kByte, at::kBool, at::kInt, at::kFloat, at::kDouble, at::kHalf}) {
    for (const std::int64_t width : {6, 9}) {
      std::vector<AnyTransform> transforms = movers();
      if (width == 6) {
        transforms.push_back(Rotation90{});
      }
      for (const AnyTransform& transform : transforms) {
        CAPTURE(transform.manifest(), type, width);
        const Batch plain = with_mask(numbered(40, 6, width, type));
        const Batch moved = transform(plain, Key(7, plain.id));
        CHECK_FALSE(same(moved.target, plain.target));
        CHECK(same(moved.target, moved.data.select(1, 0).to(type)));

        Batch laid_out = plain;  // the same in other layouts
        laid_out.data = plain.data.contiguous(at::MemoryFormat::ChannelsLast);
        laid_out.target = permuted_view(plain.target);
        CHECK(same(transform(laid_out, Key(7, plain.id)), moved));

        // [N, C, H, W], and tensors of the images' size in extra; others stay.
        Batch channels = plain;
        channels.target = permuted_view(at::stack({plain.target, plain.target.flip({0})}, 1));
        channels.extra = {{"mask", plain.target},
                          {"second", at::cat({plain.data, plain.data}, 1)},
                          {"frames", at::stack({plain.data, plain.data}, 1)},
                          {"number", plain.id},
                          {"coarse", plain.target.slice(1, 0, 3)}};
        const Batch both = transform(channels, Key(7, plain.id));
        CHECK(same(both.data, moved.data));
        CHECK(same(both.target.select(1, 0), moved.target));
        const Batch other = transform(with_mask(plain.target.flip({0})), Key(7, plain.id));
        CHECK(same(both.target.select(1, 1), other.target));
        CHECK(same(both.extra.at("mask"), moved.target));
        CHECK(same(both.extra.at("second"), at::cat({moved.data, moved.data}, 1)));
        CHECK(same(both.extra.at("frames"), at::stack({moved.data, moved.data}, 1)));
        CHECK(same(both.extra.at("number"), plain.id));
        CHECK(same(both.extra.at("coarse"), channels.extra.at("coarse")));
      }
    }
  }
}

TEST_CASE("image and mask: by hand, pixel by pixel; what a crop pads has target_fill, and zeros in extra") {
  const std::int64_t height = 5;
  const std::int64_t width = 7;
  const at::Tensor mask = numbered(30, height, width, at::kLong);
  Batch batch = with_mask(mask);
  batch.extra["second"] = mask.unsqueeze(1);
  const Key key(7, batch.id);
  const auto at = [](const at::Tensor& of, std::int64_t i, std::int64_t y, std::int64_t x) {
    return of[i][y][x].item<std::int64_t>();
  };

  const Batch cropped = RandomCrop{.padding = 2, .target_fill = -100}(batch, key);
  const at::Tensor top = key.fold(0).below(5);
  const at::Tensor left = key.fold(1).below(5);
  const Batch flipped = HorizontalFlip{.probability = 1}(batch, key);
  bool right = true;
  for (std::int64_t i = 0; i < 30; ++i) {
    for (std::int64_t y = 0; y < height; ++y) {
      for (std::int64_t x = 0; x < width; ++x) {
        const std::int64_t from_y = y + top[i].item<std::int64_t>() - 2;
        const std::int64_t from_x = x + left[i].item<std::int64_t>() - 2;
        const bool inside = from_y >= 0 && from_y < height && from_x >= 0 && from_x < width;
        right = right && at(cropped.target, i, y, x) == (inside ? at(mask, i, from_y, from_x) : -100);
        right =
            right && at(cropped.extra.at("second").select(1, 0), i, y, x) == (inside ? at(mask, i, from_y, from_x) : 0);
        right = right && at(flipped.target, i, y, x) == at(mask, i, y, width - 1 - x);
      }
    }
  }
  CHECK(right);
  CHECK((cropped.target == -100).any().item<bool>());
  CHECK(same(cropped.target == -100, cropped.data.select(1, 0) == 0));

  for (const at::ScalarType type : {at::kByte, at::kBool}) {
    const Batch narrow = with_mask(numbered(3, 4, 4, type));
    check_error([&] { (void)RandomCrop{.target_fill = -100}(narrow, Key(1, narrow.id)); },
                {"RandomCrop.target_fill", type == at::kByte ? "[0, 255]" : "[0, 1]", "is -100"});
  }
  check_error([&] { (void)RandomCrop{.target_fill = 0.5}(batch, key); }, {"RandomCrop.target_fill", "is 0.5"});
  const Batch numbers = with_mask(numbered(3, 4, 4, at::kFloat));
  CHECK((RandomCrop{.padding = 3, .target_fill = 0.5}(numbers, Key(1, numbers.id)).target == 0.5).any().item<bool>());
}

TEST_CASE("image and mask: labels and numbers stay; a target of another size is refused, or left by DataOnly") {
  std::vector<AnyTransform> transforms = movers();
  transforms.push_back(Rotation90{});
  const Batch batch = floats(20, 3, 6, 6);
  const Key key(7, batch.id);
  for (const AnyTransform& transform : transforms) {
    CAPTURE(transform.manifest());
    Batch told = batch;
    const at::Tensor moved = transform(batch, key).data;
    for (const at::Tensor& target : {at::Tensor(), batch.target, at::rand({20, 6}), at::ones({20, 6}, at::kLong)}) {
      told.target = target;
      const Batch result = transform(told, key);
      CHECK(same(result.target, target));
      CHECK(same(result.data, moved));
    }
    for (const at::Tensor& target : {at::zeros({20, 3, 3}, at::kLong), at::zeros({20, 1, 12, 12}),
                                     at::zeros({20, 6, 6, 4}), at::zeros({20, 5, 2})}) {
      told.target = target;
      check_error([&] { (void)transform(told, key); },
                  {"the target is [", "and the data are 6 x 6 pixels", "resize the target", "DataOnly{"});
      const Batch left = DataOnly{transform}(told, key);
      CHECK(same(left.target, target));
      CHECK(same(left.data, moved));
    }
    told.target = at::rand({20, 6, 6});
    told.extra["mask"] = told.target;
    const Batch left = DataOnly{transform}(told, key);
    CHECK(same(left.data, moved));
    CHECK(same(left.target, told.target));
    CHECK(same(left.extra.at("mask"), told.target));
    CHECK(same(left.id, batch.id));
  }
  check_error([&] { (void)DataOnly{RandomCrop{.padding = -1}}; }, {"RandomCrop.padding"});
  CHECK(manifest(DataOnly{VerticalFlip{}}) ==
        R"({"type": "DataOnly", "transform": {"type": "VerticalFlip", "probability": 0.5}})");
}

TEST_CASE("image and mask: a permutation moves dense targets of data of any number of dimensions") {
  for (const AnyTransform& transform :
       {AnyTransform(PixelPermutation{.seed = 3}), AnyTransform(PixelPermutationPerSample{})}) {
    const auto moved = [&](const at::Tensor& data, const at::Tensor& target) {
      return transform(Batch{data, target, at::arange(8, at::kLong)}, Key(7, at::arange(8, at::kLong)));
    };
    const at::Tensor signal = at::rand({8, 2, 10});
    const at::Tensor words = (signal.select(1, 0) * 100).to(at::kLong);
    const Batch of_words = moved(signal, words);
    CHECK(same(of_words.target, (of_words.data.select(1, 0) * 100).to(at::kLong)));
    CHECK_FALSE(same(of_words.target, words));
    const Batch as_channel = moved(signal, signal.narrow(1, 0, 1));
    CHECK(same(as_channel.target, as_channel.data.narrow(1, 0, 1)));
    CHECK(same(moved(signal, words.narrow(1, 0, 4)).target, words.narrow(1, 0, 4)));
    check_error([&] { (void)moved(signal, at::rand({8, 10})); }, {"[8, 10] float", "[N, 1, 10]", "DataOnly"});
    check_error([&] { (void)moved(signal, at::rand({8, 2, 9})); }, {"[8, 2, 9] float", "10 pixels"});

    const at::Tensor volume = at::rand({8, 1, 2, 3, 4});
    const Batch of_volume = moved(volume, volume.squeeze(1));
    CHECK(same(of_volume.target, of_volume.data.squeeze(1)));

    const at::Tensor rows = at::rand({8, 10});
    check_error([&] { (void)moved(rows, rows); }, {"[8, 10] float", "[N, 1, 10]", "DataOnly"});  // pixels, or classes
    const at::Tensor others = at::rand({8, 9});
    CHECK(same(moved(rows, others).target, others));
    const Batch of_rows = moved(rows, rows.unsqueeze(1));
    CHECK(same(of_rows.target, of_rows.data.unsqueeze(1)));
  }
}

TEST_CASE("image and mask: pixels in a row and pixels of another resolution are refused, and stay with DataOnly") {
  // [2, 2, 2, 3]: 6 pixels, 12 entries. A target of as many numbers would stay while the image is mirrored.
  const at::Tensor images = at::arange(24, at::kFloat).view({2, 2, 2, 3});
  const auto batch_with = [&](const at::Tensor& target) {
    return Batch{.data = images, .target = target, .id = at::arange(2)};
  };
  const HorizontalFlip flip{.probability = 1};
  const Key key(7, at::arange(2));
  for (const at::Tensor& target : {at::zeros({2, 6}), at::zeros({2, 6}, at::kLong), at::zeros({2, 12})}) {
    const Batch batch = batch_with(target);
    check_error([&] { (void)flip(batch, key); }, {"HorizontalFlip: the target is [2, ", "[N, 1, 2 x 3]", "DataOnly"});
    check_error([&] { (void)PixelPermutation{}(batch, key); }, {"PixelPermutation: the target is [2, "});
    check_error([&] { (void)Cutout{.side = 1}(batch, key); }, {"Cutout: the target is [2, ", "DataOnly"});
    const Batch moved = DataOnly{flip}(batch, key);
    CHECK(moved.data.equal(images.flip({3})));
    CHECK(moved.target.is_same(target));
  }
  for (const at::Tensor& target : {at::zeros({2}, at::kLong), at::zeros({2, 5}), at::zeros({2, 1}), at::Tensor()}) {
    CHECK(flip(batch_with(target), key).data.equal(images.flip({3})));
  }
  // One pixel is nowhere else when it is mirrored.
  Batch single = batch_with(at::zeros({2, 2}));
  single.data = at::zeros({2, 2, 1, 1});
  CHECK_NOTHROW(flip(single, key));

  // The same of rows, whose entries are the pixels.
  const Batch rows{.data = at::arange(8, at::kFloat).view({2, 4}), .target = at::zeros({2, 4}), .id = at::arange(2)};
  check_error([&] { (void)PixelPermutation{}(rows, key); },
              {"PixelPermutation: the target is [2, 4] float", "[N, 1, 4]"});
  check_error([&] { (void)PixelPermutationPerSample{}(rows, key); }, {"PixelPermutationPerSample: the target is"});
  Batch shown = rows;
  shown.target = rows.data.unsqueeze(1);
  const Batch moved = PixelPermutation{.seed = 1}(shown, key);
  CHECK(moved.target.squeeze(1).equal(moved.data));

  Batch with_extra = batch_with(at::zeros({2}, at::kLong));
  for (const at::Tensor& extra :
       {at::zeros({2, 6}), at::zeros({2, 12}), at::zeros({2, 1, 4, 6}), at::zeros({2, 6, 9})}) {
    with_extra.extra["mask"] = extra;
    check_error([&] { (void)flip(with_extra, key); }, {"HorizontalFlip: extra[\"mask\"] is [2, ", "DataOnly"});
    CHECK(DataOnly{flip}(with_extra, key).extra.at("mask").is_same(extra));
  }
  for (const at::Tensor& extra : {at::zeros({2, 5}), at::zeros({2, 1, 2, 2}), at::zeros({2, 7, 9}), at::zeros({2})}) {
    with_extra.extra["mask"] = extra;
    CHECK(flip(with_extra, key).extra.at("mask").is_same(extra));
  }

  // Soft labels of as many classes as there are pixels: CutMix mixes them where it is told that they are classes.
  const Batch soft = batch_with(at::one_hot(at::arange(2), 6).to(at::kFloat));
  check_error([&] { (void)CutMix{.partners = soft}(soft, key); }, {"CutMix: the target is", "CutMix.classes = 6"});
  CHECK(CutMix{.partners = soft, .classes = 6}(soft, key).target.sum().item<double>() == Approx(2));
}

TEST_CASE("complex data: transforms that compute with real numbers refuse them by name, others move them") {
  const Batch waves{.data = at::full({2, 1, 2, 2}, c10::complex<float>(0.5F, 2), at::kComplexFloat),
                    .target = at::zeros({2}, at::kLong),
                    .id = at::arange(2)};
  const Key key(7, waves.id);
  const auto refused = [&](const AnyTransform& transform, const char* who) {
    check_error([&] { (void)transform(waves, key); }, {who, "takes real data", "[2, 1, 2, 2] c10::complex<float>"});
  };
  refused(Normalize{.mean = {0}, .stddev = {1}}, "Normalize");
  refused(GaussianNoise{}, "GaussianNoise");
  refused(GaussianImages{.mean = {0}, .stddev = {1}}, "GaussianImages");
  refused(Mixup{.partners = waves, .classes = 2}, "Mixup");
  refused(SaltAndPepper{}, "SaltAndPepper");
  refused(Brightness{}, "Brightness");
  refused(Contrast{}, "Contrast");
  refused(Cutout{.side = 1}, "Cutout");
  refused(InstanceLabels{.classes = 2}, "InstanceLabels");
  CHECK(HorizontalFlip{.probability = 1}(waves, key).data.equal(waves.data));
  CHECK(ZeroPixels{.fraction = 0}(waves, key).data.equal(waves.data));
}

TEST_CASE("image and mask: an exact share, frozen, moves them together, and leaves the others") {
  Batch batch = with_mask(numbered(50, 6, 9, at::kLong));
  batch.extra["map"] = batch.target.to(at::kFloat).unsqueeze(1);
  for (const AnyTransform& transform : movers()) {
    CAPTURE(transform.manifest());
    const Batch some = materialize(frozen(batch, transform, /*seed=*/7, exactly(0.5)));
    CHECK(same(some.target, some.data.select(1, 0).to(at::kLong)));
    CHECK(same(some.extra.at("map"), some.data.narrow(1, 0, 1)));
    const at::Tensor changed = (some.data != batch.data).flatten(1).any(1);
    CHECK(changed.any().item<bool>());
    CHECK(changed.sum().item<std::int64_t>() <= 25);
  }
  const auto another = [](const Batch& some, const Key&) {
    Batch result = some;
    result.extra["map"] = some.extra.at("map").slice(3, 0, 2);
    return result;
  };
  check_error([&] { (void)materialize(frozen(batch, another, 7, exactly(0.5))); },
              {"frozen with exactly(...)", "keep shape and type", "extra[\"map\"]"});
  check_error([&] { (void)RandomChoice{.choices = {another}}(batch, Key(1, batch.id)); },
              {"RandomChoice", "extra[\"map\"]"});
}

TEST_CASE("Cutout: a dense target is covered by target_fill in the same square, refused without one") {
  for (const at::ScalarType type : {at::kLong, at::kByte, at::kFloat}) {
    Batch batch = with_mask(numbered(30, 5, 7, type));
    batch.extra["mask"] = batch.target;
    const Key key(7, batch.id);
    const Cutout covers{.side = 3, .probability = 0.8, .target_fill = 77};
    const Batch covered = covers(batch, key);
    const at::Tensor square = covered.data.select(1, 0) == 0;  // no pixel was black
    CHECK(square.any().item<bool>());
    CHECK(same(covered.target, batch.target.masked_fill(square, 77)));
    CHECK(same(covered.extra.at("mask"), batch.target));  // nothing moves
    Batch channels = batch;
    channels.target = at::stack({batch.target, batch.target.flip({0})}, 1);
    CHECK(same(covers(channels, key).target, channels.target.masked_fill(square.unsqueeze(1), 77)));

    const Cutout bare{.side = 3, .probability = 0.8};
    check_error([&] { (void)bare(batch, key); }, {"Cutout", "[30, 5, 7]", "target_fill", "DataOnly{Cutout{...}}"});
    const Batch left = DataOnly{bare}(batch, key);
    CHECK(same(left.data, covered.data));
    CHECK(same(left.target, batch.target));
    batch.target = batch.target.slice(1, 0, 2);
    check_error([&] { (void)covers(batch, key); }, {"Cutout", "[30, 2, 7]", "5 x 7 pixels"});
  }
  const Batch narrow = with_mask(numbered(3, 4, 4, at::kByte));
  check_error([&] { (void)Cutout{.target_fill = 256}(narrow, Key(1, narrow.id)); },
              {"Cutout.target_fill", "[0, 255]", "is 256"});
  const Batch labelled = floats(20);
  CHECK(same(shown(Cutout{.target_fill = 3}, labelled), shown(Cutout{}, labelled)));
}

TEST_CASE("bool images: true is white, 1, wherever bytes count to 255") {
  Batch batch = bytes(200);
  batch.data = batch.data.remainder(3) == 0;
  Batch exact = batch;
  exact.data = batch.data.to(at::kFloat);
  const auto equal_to_floating = [&](const AnyTransform& transform) {
    CAPTURE(transform.manifest());
    const at::Tensor expected = shown(transform, exact);
    const at::Tensor data = shown(transform, batch);
    if (data.scalar_type() == at::kBool) {
      CHECK(same(data, expected.round().to(at::kBool)));
    } else {
      CHECK(same(data, expected));
    }
  };
  equal_to_floating(Normalize{.mean = {0.5}, .stddev = {0.25}});
  equal_to_floating(Normalize{.mean = {0.5, 0.4, 0.3}, .stddev = {0.25, 0.2, 0.1}});
  equal_to_floating(GaussianNoise{.stddev = 0.2});
  equal_to_floating(GaussianImages{.mean = {0.5}, .stddev = {0.25}});
  equal_to_floating(SaltAndPepper{.fraction = 0.4});
  equal_to_floating(ZeroPixels{.fraction = 0.4});
  equal_to_floating(Cutout{.side = 3, .fill = {1, 0, 1}});
  equal_to_floating(Brightness{.strength = 0.9});
  equal_to_floating(Contrast{.strength = 0.9});
  for (const AnyTransform& transform : movers()) {
    equal_to_floating(transform);
  }
  // By hand: (1 - 0.5) / 0.25 and (0 - 0.5) / 0.25.
  const at::Tensor normalized = shown(Normalize{.mean = {0.5}, .stddev = {0.25}}, batch);
  CHECK(same(normalized, batch.data.to(at::kFloat) * 4 - 2));
  CHECK(same(shown(GaussianNoise{.stddev = 0}, batch), batch.data.to(at::kFloat)));
  CHECK(same(shown(Brightness{.strength = 0}, batch), batch.data));
  Batch all = batch;
  all.data = at::ones_like(batch.data);
  CHECK(furthest(Mixup{.partners = all, .classes = 10}(all, Key(7, all.id)).data, at::ones({200, 3, 5, 5})) < 1e-6);
  CHECK(shown(Cutout{.side = 99, .fill = {0.6}}, batch).all().item<bool>());
  CHECK_FALSE(shown(Cutout{.side = 99, .fill = {0.4}}, batch).any().item<bool>());

  // Other integers count to 255, of any width.
  for (const at::ScalarType type : {at::kByte, at::kShort, at::kInt, at::kLong}) {
    Batch integers = bytes(5);
    integers.data = (bytes(5).data.to(at::kLong) > 100).to(type) * 255;
    CHECK(furthest(shown(Normalize{.mean = {0.5}, .stddev = {0.25}}, integers),
                   integers.data.to(at::kFloat) / 255 * 4 - 2) < 1e-6);
    CHECK((shown(Cutout{.side = 99, .fill = {0.2}}, integers) == 51).all().item<bool>());
  }
  for (const at::ScalarType type : {at::kHalf, at::kBFloat16}) {
    Batch half = floats(5);
    half.data = half.data.to(type);
    CHECK((shown(Cutout{.side = 99, .fill = {0.5, 0.25, 1}}, half) == at::tensor({0.5, 0.25, 1.}).view({1, 3, 1, 1}))
              .all()
              .item<bool>());
  }
}

TEST_CASE("RandomCrop and Cutout: a padding or a side beyond the image costs nothing, and is what it says") {
  const Batch batch = floats(50, 2, 4, 3);
  const Key key(7, batch.id);
  for (const std::int64_t padding : {4, 6}) {  // by the definition: a window of the image padded with so much
    const at::Tensor padded = at::constant_pad_nd(batch.data, {padding, padding, padding, padding}, 0);
    const at::Tensor top = key.fold(0).below(2 * padding + 1);
    const at::Tensor left = key.fold(1).below(2 * padding + 1);
    std::vector<at::Tensor> windows;
    for (std::int64_t i = 0; i < 50; ++i) {
      windows.push_back(padded[i].narrow(1, top[i].item<std::int64_t>(), 4).narrow(2, left[i].item<std::int64_t>(), 3));
    }
    CHECK(same(RandomCrop{.padding = padding}(batch, key).data, at::stack(windows)));
  }
  const std::int64_t most = (std::int64_t{1} << 30) - 1;
  CHECK((shown(RandomCrop{.padding = most}, batch) == 0).all().item<bool>());
  for (const std::int64_t padding : {most + 1, std::int64_t{1} << 62, std::numeric_limits<std::int64_t>::max()}) {
    check_error([&] { (void)AnyTransform(RandomCrop{.padding = padding}); },
                {"RandomCrop.padding", "at most 1073741823", regimen::detail::text(padding).c_str()});
  }
  for (const std::int64_t side : {std::int64_t{1} << 62, std::numeric_limits<std::int64_t>::max()}) {
    CHECK((shown(Cutout{.side = side}, batch) == 0).all().item<bool>());
  }
}

}  // namespace inputs_test
