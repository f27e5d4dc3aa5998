#include "support/tensors.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "regimen/damage.hpp"
#include "regimen/schedule.hpp"
#include "regimen/source.hpp"
#include "regimen/transform.hpp"

namespace concatenated_test {

namespace {

using regimen::Batch;
using regimen::concatenated;
using regimen::materialize;
using regimen::Moment;
using regimen::PartIds;
using regimen::repeat;
using regimen::Source;
using regimen::UniformLabels;

constexpr std::int64_t stride = 10'000'000'000;

/// n samples of ids from `first`; data and labels tell which one it is.
Batch numbers(std::int64_t n, std::int64_t first = 0, std::int64_t shift = 0) {
  const at::Tensor id = at::arange(first, first + n, at::kLong);
  return {.data = (id + shift).to(at::kFloat).unsqueeze(1),
          .target = (id + shift).remainder(3),
          .id = id,
          .extra = {{"mask", (id + shift).remainder(2).to(at::kBool)}}};
}

at::Tensor ids_of(const Source& source) {
  return materialize(source).id;
}

/// Rows that follow the clock.
struct Clockwork {
  [[nodiscard]] std::int64_t size() const { return 4; }
  [[nodiscard]] Batch get(const at::Tensor& index, const Moment& now) const {
    return {.data = (index + 100 * now.clock.epoch).to(at::kFloat).unsqueeze(1), .id = index};
  }
};

/// Samples that lie on another device.
struct Elsewhere {
  [[nodiscard]] std::int64_t size() const { return 4; }
  [[nodiscard]] at::Device device() const { return at::Device(at::kMeta); }
  [[nodiscard]] Batch get(const at::Tensor& index) const { return {.data = index, .id = index}; }
};

}  // namespace

TEST_CASE("concatenated: one source after another, every sample with an id of its own") {
  const Source joined = concatenated(numbers(3), numbers(2, 0, 50), numbers(4, 7));
  CHECK(joined.indexed());
  CHECK(joined.size() == 9);
  const Batch all = materialize(joined);
  CHECK(all.data.flatten().equal(at::tensor({0., 1., 2., 50., 51., 7., 8., 9., 10.}, at::kFloat)));
  CHECK(all.target.equal(longs({0, 1, 2, 2, 0, 1, 2, 0, 1})));
  CHECK(all.extra.at("mask").equal(bools({0, 1, 0, 0, 1, 1, 0, 1, 0})));
  CHECK(all.id.equal(
      longs({0, 1, 2, stride, stride + 1, 2 * stride + 7, 2 * stride + 8, 2 * stride + 9, 2 * stride + 10})));
  CHECK_FALSE(all.origin.defined());
}

TEST_CASE("concatenated: any rows, in the order that they are asked for") {
  const Source joined = concatenated(numbers(30), numbers(20, 0, 100), numbers(10, 3));
  const Batch all = materialize(joined);
  const at::Tensor index = longs({59, 0, 30, 29, 0, 49, 50, 31, 7});
  CHECK(same(joined.get(index), regimen::rows(all, index)));
  CHECK(same(joined.get(longs({31, 30})), regimen::rows(all, longs({31, 30}))));
  CHECK(joined.get(at::empty({0}, at::kLong)).size() == 0);

  const regimen::Cursor next = joined.read({.batch = 7, .shuffle = true, .seed = 3});
  std::int64_t rows = 0;
  for (Batch batch = next(); batch.size() > 0; batch = next()) {
    rows += batch.size();
  }
  CHECK(rows == 60);
}

TEST_CASE("concatenated: sources without samples may take part") {
  const Source none = regimen::subset(numbers(3), at::empty({0}, at::kLong));
  const Source joined = concatenated(none, numbers(2, 5), none, numbers(1));
  CHECK(joined.size() == 3);
  CHECK(ids_of(joined).equal(longs({stride + 5, stride + 6, 3 * stride})));
  CHECK(concatenated(none, none).size() == 0);
}

TEST_CASE("concatenated: parts of parts, and large ids, are moved further") {
  const Source inner = concatenated(numbers(2), numbers(2));
  const Source outer = concatenated(inner, numbers(1, 4));
  CHECK(ids_of(outer).equal(longs({0, 1, stride, stride + 1, 1000 * stride + 4})));
  const Source large = Batch{.data = at::zeros({1, 1}), .id = longs({9'000'000'000'000'000'000})};
  check_error([&] { (void)concatenated(large, large); }, {"concatenated", "2 sources", "9000000000000000000", "2^63"});
}

TEST_CASE("concatenated: copies keep the sample that they came from") {
  const Source joined = concatenated(repeat(numbers(2), 2), numbers(2, 0, 50));
  const Batch all = materialize(joined);
  CHECK(all.id.equal(longs({0, 1, 2, 3, stride, stride + 1})));
  CHECK(all.origin.equal(longs({0, 1, 0, 1, stride, stride + 1})));
  CHECK(materialize(repeat(concatenated(numbers(1), numbers(1)), 2)).origin.equal(longs({0, stride, 0, stride})));
}

TEST_CASE("concatenated: noisy sets joined are compared with the clean sets joined") {
  const Source a = numbers(300);
  const Source b = numbers(200, 0, 1);  // the ids of a, other labels
  const UniformLabels noise{.classes = 3, .fraction = 0.5};
  const Source noisy_a = frozen(a, noise, 1);
  const Source noisy_b = frozen(b, noise, 2);
  const Source clean = concatenated(a, b);

  const auto touched_by = [](const Source& data, const Source& before) {
    return regimen::label_noise(data, before).touched;
  };
  const at::Tensor apart = at::cat({touched_by(noisy_a, a), touched_by(noisy_b, b)});
  CHECK(touched_by(concatenated(noisy_a, noisy_b), clean).equal(apart));

  const Source copies = concatenated(frozen(repeat(a, 3), noise, 1), frozen(repeat(b, 2), noise, 2));
  const at::Tensor of_copies =
      at::cat({touched_by(frozen(repeat(a, 3), noise, 1), a), touched_by(frozen(repeat(b, 2), noise, 2), b)});
  CHECK(touched_by(copies, clean).equal(of_copies));
  CHECK(touched_by(repeat(concatenated(noisy_a, noisy_b), 2), clean).equal(at::cat({apart, apart})));

  const regimen::NoiseSplit parts = regimen::split_by_noise(concatenated(noisy_a, noisy_b), clean);
  CHECK(parts.mask.equal(apart));
  CHECK(parts.true_label.equal(materialize(clean).target));

  // What is compared with one of the sets alone is refused: b's samples are no samples of a.
  check_error([&] { (void)regimen::label_noise(concatenated(noisy_a, noisy_b), a); }, {"no clean sample of id"});
}

TEST_CASE("concatenated: the parts of one set keep their ids, and are compared with it") {
  const Source all = numbers(100, 5);
  const Source first = regimen::subset(all, at::arange(60, at::kLong));
  const Source second = regimen::subset(all, at::arange(60, 100, at::kLong));
  CHECK(same(materialize(concatenated({first, second}, PartIds::kept)), materialize(all)));

  const Source noisy = frozen(second, UniformLabels{.classes = 3, .exclude_true = true}, 1);
  const at::Tensor touched = regimen::label_noise(concatenated({noisy, first}, PartIds::kept), all).touched;
  CHECK(touched.equal(at::arange(100, at::kLong) < 40));
  check_error([&] { (void)concatenated({all, first}, PartIds::kept); },
              {"concatenated keeps the ids", "two samples have id 5", "PartIds::apart"});
}

TEST_CASE("concatenated: what is frozen onto it draws apart from what is below") {
  const UniformLabels noise{.classes = 3};
  const Source a = numbers(200);
  const at::Tensor of_both = materialize(frozen(concatenated(a, a), noise, 4)).target;
  CHECK(of_both.narrow(0, 0, 200).equal(materialize(frozen(a, noise, 4)).target));
  CHECK_FALSE(of_both.narrow(0, 200, 200).equal(of_both.narrow(0, 0, 200)));

  const Source below = concatenated(a, frozen(a, noise, 4));
  CHECK(below.traits().random_layers == 1);
  CHECK_FALSE(materialize(frozen(below, noise, 4)).target.narrow(0, 0, 200).equal(of_both.narrow(0, 0, 200)));
}

TEST_CASE("concatenated: the moment reaches every part, and their metrics are known") {
  const Source joined = concatenated(Clockwork{}, Clockwork{});
  const Batch batch = joined.get(longs({1, 6}), {.clock = {.epoch = 3}});
  CHECK(batch.data.flatten().equal(at::tensor({301., 302.}, at::kFloat)));

  const regimen::Knob falling = regimen::PlateauDecay{.metric = regimen::Metric::validation_loss};
  const Source noisy = frozen(numbers(3), UniformLabels{.classes = 3, .fraction = falling}, 1);
  CHECK((concatenated(numbers(3), noisy).metrics() == std::vector{regimen::Metric::validation_loss}));
}

TEST_CASE("concatenated: streams, other devices and samples of another kind are errors") {
  const Source stream = [](const regimen::Order&) { return regimen::Cursor([] { return Batch{}; }); };
  const Batch plain = numbers(3);
  const auto with = [&](auto change) {
    Batch other = plain;
    change(other);
    return Source(other);
  };
  check_error([&] { (void)concatenated(plain, stream); }, {"concatenated takes an indexed source, not a stream"});
  check_error([] { (void)concatenated(std::vector<Source>()); }, {"concatenated takes at least one source"});
  check_error([&] { (void)concatenated(plain, Elsewhere{}); },
              {"sources on one device", "the first is on cpu", "source 1 on meta"});
  check_error([&] { (void)concatenated(plain, with([](Batch& b) { b.data = at::zeros({3, 2}); })); },
              {"data of a sample is [1] float in the first and [2] float in source 1"});
  check_error([&] { (void)concatenated(plain, plain, with([](Batch& b) { b.data = b.data.to(at::kByte); })); },
              {"[1] float in the first and [1] unsigned char in source 2"});
  check_error([&] { (void)concatenated(plain, with([](Batch& b) { b.target = at::Tensor(); })); },
              {"target of a sample is [] ", " in the first and undefined in source 1"});
  check_error([&] { (void)concatenated(with([](Batch& b) { b.extra.clear(); }), plain); },
              {"extra[\"mask\"] of a sample is not there in the first and [] bool in source 1"});
}

TEST_CASE("concatenated: the manifest names all parts and how they are called") {
  const Source a = numbers(3);
  const Source b = numbers(4, 9);
  const std::string parts = "\"parts\": [" + a.manifest() + ", " + b.manifest() + "]}";
  CHECK(concatenated(a, b).manifest() == "{\"type\": \"Concatenated\", \"ids\": \"apart\", " + parts);
  CHECK(concatenated({a, b}, PartIds::kept).manifest() == "{\"type\": \"Concatenated\", \"ids\": \"kept\", " + parts);
}

}  // namespace concatenated_test
