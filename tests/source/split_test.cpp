#include "support/tensors.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "regimen/damage.hpp"
#include "regimen/source.hpp"
#include "regimen/transform.hpp"

namespace split_test {

namespace {

using regimen::Batch;
using regimen::materialize;
using regimen::repeat;
using regimen::Source;
using regimen::split;

/// Samples of these ids, labels by their remainder.
Source samples(const at::Tensor& id, std::int64_t classes = 3) {
  return Batch{.data = id.to(at::kFloat).unsqueeze(1), .target = id.remainder(classes), .id = id};
}

Source samples(std::int64_t n) {
  return samples(at::arange(n, at::kLong));
}

at::Tensor ids_of(const Source& source) {
  return materialize(source).id;
}

at::Tensor sorted_ids(const Source& source) {
  return std::get<0>(ids_of(source).sort());
}

/// Which of the ids are among the others.
at::Tensor among(const at::Tensor& id, const at::Tensor& others) {
  return (id.unsqueeze(1) == others.unsqueeze(0)).any(1);
}

}  // namespace

TEST_CASE("split: two parts with nothing in common, together all, in the order of the data") {
  const Source all = samples(longs({9, 3, 5, 1, 0, 7, 8, 2, 6, 4}));
  const auto [train, validation] = split(all, {.samples = 3}, 7);
  CHECK(train.size() == 7);
  CHECK(validation.size() == 3);
  CHECK(std::get<0>(at::cat({ids_of(train), ids_of(validation)}).sort()).equal(at::arange(10, at::kLong)));
  const at::Tensor order = ids_of(all);
  CHECK(ids_of(train).equal(order.masked_select(among(order, ids_of(train)))));
  CHECK(ids_of(validation).equal(order.masked_select(among(order, ids_of(validation)))));
}

TEST_CASE("split: a share is a number of samples, to the nearest") {
  CHECK(split(samples(1000), {.share = 0.1}, 7).validation.size() == 100);
  CHECK(split(samples(1000), {.share = 0.29}, 7).validation.size() == 290);
  CHECK(split(samples(7), {.share = 0.25}, 7).validation.size() == 2);
  CHECK(same(ids_of(split(samples(1000), {.share = 0.1}, 7).validation),
             ids_of(split(samples(1000), {.samples = 100}, 7).validation)));
}

TEST_CASE("split: who is held out depends on seed and ids, not on the order of the data") {
  for (const bool by_class : {false, true}) {
    CAPTURE(by_class);
    const at::Tensor id = at::arange(200, at::kLong);
    const regimen::Holdout holdout{.share = 0.2, .by_class = by_class};
    const Source forth = split(samples(id), holdout, 7).validation;
    const Source back = split(samples(id.flip(0)), holdout, 7).validation;
    CHECK(sorted_ids(forth).equal(sorted_ids(back)));
    CHECK_FALSE(sorted_ids(forth).equal(sorted_ids(split(samples(id), holdout, 8).validation)));
  }
}

TEST_CASE("split: a larger share holds out the same samples and further ones") {
  const at::Tensor small = ids_of(split(samples(300), {.share = 0.1}, 7).validation);
  const at::Tensor large = ids_of(split(samples(300), {.share = 0.3}, 7).validation);
  CHECK(among(small, large).all().item<bool>());
}

TEST_CASE("split: every sample is as likely to be held out") {
  at::Tensor counts = at::zeros({20}, at::kLong);
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    counts.index_add_(0, ids_of(split(samples(20), {.samples = 1}, seed).validation), at::ones({1}, at::kLong));
  }
  check_equally_likely(counts);
}

TEST_CASE("split: by class, exact numbers of each, rounded by the largest remainder") {
  const auto of_sizes = [](const std::vector<std::int64_t>& sizes) {
    std::vector<at::Tensor> labels;
    for (std::size_t c = 0; c < sizes.size(); ++c) {
      labels.push_back(at::full({sizes[c]}, static_cast<std::int64_t>(c), at::kLong));
    }
    const at::Tensor label = at::cat(labels);
    return Source(Batch{.data = at::zeros({label.size(0), 1}), .target = label});
  };
  const auto held_out = [&](const std::vector<std::int64_t>& sizes, const regimen::Holdout& holdout) {
    const auto [train, validation] = split(of_sizes(sizes), holdout, 7);
    const auto classes = static_cast<std::int64_t>(sizes.size());
    const at::Tensor counts = materialize(validation).target.bincount({}, classes);
    CHECK((counts + materialize(train).target.bincount({}, classes)).equal(longs(sizes)));
    return counts;
  };
  CHECK(held_out({50, 30, 20}, {.share = 0.1, .by_class = true}).equal(longs({5, 3, 2})));
  // Of 4 in 10: 2, 1.2 and 0.8. Of 2 in 9, three of 0.67: the first two.
  CHECK(held_out({5, 3, 2}, {.samples = 4, .by_class = true}).equal(longs({2, 1, 1})));
  CHECK(held_out({3, 3, 3}, {.samples = 2, .by_class = true}).equal(longs({1, 1, 0})));
  CHECK(held_out({0, 4, 6}, {.samples = 5, .by_class = true}).equal(longs({0, 2, 3})));
}

TEST_CASE("split: it knows nothing of what else is drawn by its seed") {
  const Source all = samples(4000);
  const at::Tensor held_out = ids_of(split(all, {.share = 0.25}, 7).validation);
  const at::Tensor drawn = ids_of(regimen::sample(all, 1000, 7));
  check_share(among(held_out, drawn).sum().item<double>(), 1000, 0.25);
  const Source noisy = frozen(all, regimen::UniformLabels{.classes = 3, .fraction = 0.3}, 7);
  const at::Tensor touched = regimen::label_noise(noisy, all).touched;
  check_share(touched.index_select(0, held_out).sum().item<double>(), 1000, 0.2);
}

TEST_CASE("split: copies would lie on both sides, so they are made afterwards") {
  const Source all = samples(20);
  check_error([&] { (void)split(repeat(all, 2), {.share = 0.5}, 7); },
              {"split takes data without copies", "two samples came from 0", "repeat then"});
  CHECK(repeat(split(all, {.share = 0.5}, 7).train, 2).size() == 20);
}

TEST_CASE("split: its two sides are one set again, in another order") {
  const Source all = samples(50);
  const auto [train, validation] = split(all, {.share = 0.2}, 7);
  const Source again = regimen::concatenated({train, validation}, regimen::PartIds::kept);
  CHECK(sorted_ids(again).equal(ids_of(all)));
}

TEST_CASE("split: the manifest says which side, of what, how large and by which seed") {
  const Source all = samples(50);
  const auto [train, validation] = split(all, {.share = 0.2}, 7);
  CHECK(train.manifest() != validation.manifest());
  const std::string manifest = validation.manifest();
  for (const std::string& part : {all.manifest(), std::string("\"side\": \"validation\""), std::string("\"seed\": 7"),
                                  std::string("\"share\": 0.2"), std::string("\"samples\": 10")}) {
    CAPTURE(manifest, part);
    CHECK(manifest.find(part) != std::string::npos);
  }
}

TEST_CASE("split: streams, empty sides, two sizes or none, and soft targets are errors") {
  const Source all = samples(10);
  const Source stream = [](const regimen::Order&) { return regimen::Cursor([] { return Batch{}; }); };
  check_error([&] { (void)split(stream, {.share = 0.1}, 7); }, {"split takes an indexed source, not a stream"});
  check_error([&] { (void)split(all, {}, 7); }, {"split: set either Holdout.share or Holdout.samples"});
  check_error([&] { (void)split(all, {.share = 0.1, .samples = 1}, 7); }, {"set either"});
  check_error([&] { (void)split(all, {.share = 1}, 7); }, {"Holdout.share must be in (0, 1), but is 1"});
  check_error([&] { (void)split(all, {.share = -0.5}, 7); }, {"Holdout.share", "is -0.5"});
  check_error([&] { (void)split(all, {.share = 0.01}, 7); }, {"held out of 10", "at least 1", "is 0"});
  check_error([&] { (void)split(all, {.samples = 10}, 7); }, {"leave one to train on", "is 10"});
  check_error([&] { (void)split(all, {.samples = -1}, 7); }, {"at least 1", "is -1"});
  const Source soft = Batch{.data = at::zeros({10, 1}), .target = at::zeros({10, 3})};
  check_error([&] { (void)split(soft, {.share = 0.5, .by_class = true}, 7); },
              {"split by class takes targets of [N] int64, not [10, 3] float"});
  CHECK(split(soft, {.share = 0.5}, 7).train.size() == 5);
}

}  // namespace split_test
