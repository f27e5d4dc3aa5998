#include "support/tensors.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <regimen/regimen.hpp>

namespace source_test {

namespace {

using regimen::Batch;
using regimen::Cursor;
using regimen::Key;
using regimen::Moment;
using regimen::Order;
using regimen::Source;
using regimen::UniformLabels;
using regimen::ZeroPixels;

/// Images of bytes, labels in [0, 10) and ids from 100.
Batch images(std::int64_t n, bool ids = true) {
  const at::Tensor entries = at::arange(n * 2 * 3 * 4, at::kLong);
  return {(entries.remainder(255) + 1).to(at::kByte).view({n, 2, 3, 4}),
          (at::arange(n, at::kLong) * 7).remainder(10),
          ids ? at::arange(n, at::kLong) + 100 : at::Tensor(),
          {},
          {{"number", at::arange(n, at::kDouble)}}};
}

regimen::Chain damage() {
  return regimen::chain(ZeroPixels{.fraction = 0.3}, UniformLabels{.classes = 10, .fraction = 0.5});
}

std::vector<Batch> batches_of(const Source& source, const Order& order) {
  std::vector<Batch> all;
  const Cursor next = source.read(order);
  for (Batch batch = next(); batch.size() > 0; batch = next()) {
    all.push_back(batch);
  }
  CHECK(next().size() == 0);  // and it stays at its end
  return all;
}

/// Batches in a row, as one.
Batch joined(const std::vector<Batch>& parts) {
  const auto join = [&](auto field) {
    std::vector<at::Tensor> tensors;
    for (const Batch& part : parts) {
      tensors.push_back(field(part));
    }
    return tensors.front().defined() ? at::cat(tensors) : at::Tensor();
  };
  Batch all{join([](const Batch& b) { return b.data; }),
            join([](const Batch& b) { return b.target; }),
            join([](const Batch& b) { return b.id; }),
            join([](const Batch& b) { return b.origin; }),
            {}};
  for (const auto& entry : parts.front().extra) {
    const std::string& name = entry.first;
    all.extra[name] = join([&](const Batch& b) { return b.extra.at(name); });
  }
  return all;
}

Batch whole(const Source& source, const Order& order = {}) {
  return joined(batches_of(source, order));
}

at::Tensor ids(const Source& source, const Order& order = {}) {
  return whole(source, order).id;
}

Moment at_epoch(int epoch) {
  return {.clock = {.epoch = epoch}};
}

/// Indexed data of a user's own, which also counts how many rows were asked for.
struct Squares {
  std::int64_t n = 0;
  std::int64_t* asked = nullptr;

  [[nodiscard]] std::int64_t size() const { return n; }
  [[nodiscard]] Batch get(const at::Tensor& index) const {
    if (asked != nullptr) {
      *asked += index.numel();
    }
    return {.data = (index * index).to(at::kFloat).unsqueeze(1), .target = index.remainder(3), .id = index};
  }
};

/// One whose rows follow the clock.
struct Clockwork {
  std::int64_t n = 0;

  [[nodiscard]] int size() const { return static_cast<int>(n); }
  [[nodiscard]] Batch get(const at::Tensor& index, const Moment& now) const {
    return {.data = (index + 1000 * now.clock.epoch).to(at::kFloat).unsqueeze(1), .id = index};
  }
};

/// 0, 1, 2, ... for ever. Ids as data.
Cursor counting(const Order& order) {
  return [next = order.first * order.batch, n = order.batch]() mutable -> Batch {
    const at::Tensor id = at::arange(next, next + n, at::kLong);
    next += n;
    return {.data = id.to(at::kFloat).unsqueeze(1), .target = id.remainder(10), .id = id};
  };
}

/// Shards of three files that end: a stream with a size.
struct Files {
  [[nodiscard]] std::int64_t size() const { return 30; }
  Cursor operator()(const Order& order) const {
    const Source rows = Squares{30};
    return rows.read(order);
  }
};

}  // namespace

TEST_CASE("source: a batch without ids is given 0, 1, 2, ..., one with ids keeps them") {
  CHECK(ids(images(300, false)).equal(at::arange(300, at::kLong)));
  CHECK(ids(images(300)).equal(at::arange(300, at::kLong) + 100));
}

TEST_CASE("source: rows come in the order that they are asked for, every tensor's") {
  const Batch all = images(20);
  const Source source = all;
  const at::Tensor index = longs({3, 19, 3, 0});
  CHECK(source.indexed());
  CHECK(source.size() == 20);
  CHECK(same(source.get(index), regimen::rows(all, index)));
}

TEST_CASE("source: tensors of different lengths, ids of another type and no data are errors") {
  const auto use = [](const Batch& batch) { return [batch] { (void)Source(batch); }; };
  Batch batch = images(5);
  batch.target = longs({1, 2, 3, 4});
  check_error(use(batch), {"length", "that of its data, 5", "is 4"});
  batch = images(5);
  batch.extra["mask"] = at::zeros({6});
  check_error(use(batch), {"length", "is 6"});
  batch = images(5);
  batch.target = at::scalar_tensor(3, at::kLong);
  check_error(use(batch), {"length", "that of its data, 5"});
  batch = images(5);
  batch.id = at::arange(5, at::kInt);
  check_error(use(batch), {"Batch.id", "[N] int64"});
  batch.id = at::zeros({5, 1}, at::kLong);
  check_error(use(batch), {"Batch.id", "[N] int64"});
  check_error(use(Batch{}), {"data", "undefined"});
  check_error(use(Batch{.data = at::scalar_tensor(1.0)}), {"data", "0-d"});
}

TEST_CASE("source: one that is not defined says so") {
  const Source none;
  CHECK_FALSE(none.defined());
  CHECK_FALSE(none.indexed());
  CHECK_FALSE(none.size().has_value());
  check_error([&] { (void)none.read({}); }, {"not defined"});
  check_error([&] { (void)none.get(longs({0})); }, {"indexed"});
  check_error([&] { (void)regimen::repeat(none, 2); }, {"repeat", "indexed"});
  check_error([&] { (void)regimen::materialize(none); }, {"materialize"});
}

TEST_CASE("source: a batch has at least one sample") {
  const Source source = images(5);
  check_error([&] { (void)source.read({.batch = 0}); }, {"Order.batch", "at least 1", "is 0"});
}

TEST_CASE("source: reading in batches of any size gives every sample once, in order") {
  const Batch all = images(1000);
  for (const std::int64_t size : {1, 3, 128, 250, 999, 1000, 5000}) {
    CAPTURE(size);
    const std::vector<Batch> batches = batches_of(all, {.batch = size});
    CHECK(static_cast<std::int64_t>(batches.size()) == (1000 + size - 1) / size);
    CHECK(static_cast<std::int64_t>(batches.size()) == Source(all).batches({.batch = size}));
    for (std::size_t i = 0; i + 1 < batches.size(); ++i) {
      CHECK(batches[i].size() == size);
    }
    CHECK(same(joined(batches), all));
  }
}

TEST_CASE("source: batches larger than what is loaded at once are read whole too") {
  // 3,072 floats a sample: 85 samples are a mebibyte.
  const Batch all{.data = at::arange(400 * 3072, at::kFloat).view({400, 3072})};
  for (const std::int64_t size : {1, 32, 85, 86, 200}) {
    CAPTURE(size);
    CHECK(whole(all, {.batch = size}).data.equal(all.data));
  }
}

TEST_CASE("source: drop_last leaves out the smaller batch at the end") {
  const Source source = images(100);
  const std::vector<Batch> batches = batches_of(source, {.batch = 32, .drop_last = true});
  REQUIRE(batches.size() == 3);
  CHECK(source.batches({.batch = 32, .drop_last = true}) == 3);
  CHECK(source.batches({.batch = 32}) == 4);
  for (const Batch& batch : batches) {
    CHECK(batch.size() == 32);
  }
  CHECK(batches_of(source, {.batch = 25, .drop_last = true}).size() == 4);
  CHECK(batches_of(source, {.batch = 101, .drop_last = true}).empty());
}

TEST_CASE("source: first skips the batches before it and changes nothing else") {
  const std::vector<Source> sources{images(100), regimen::frozen(images(100), damage(), 5),
                                    regimen::limit(counting, 100), regimen::repeat(images(50), 2)};
  for (std::size_t i = 0; i < sources.size(); ++i) {
    for (const bool drop_last : {false, true}) {
      Order order{.batch = 16, .shuffle = true, .seed = 3, .drop_last = drop_last, .now = at_epoch(2)};
      const std::vector<Batch> all = batches_of(sources[i], order);
      REQUIRE(all.size() == (drop_last ? 6 : 7));
      for (order.first = 0; order.first <= 8; ++order.first) {
        CAPTURE(i, drop_last, order.first);
        const std::vector<Batch> rest = batches_of(sources[i], order);
        const std::size_t skipped = std::min(all.size(), static_cast<std::size_t>(order.first));
        REQUIRE(rest.size() == all.size() - skipped);
        for (std::size_t k = 0; k < rest.size(); ++k) {
          CHECK(same(rest[k], all[skipped + k]));
        }
      }
    }
  }
}

TEST_CASE("source: shuffling is a permutation, another one for each epoch and seed, whatever the batch size") {
  const Source source = images(500);
  const auto order = [](std::uint64_t seed, int epoch, std::int64_t batch = 64) {
    return Order{.batch = batch, .shuffle = true, .seed = seed, .now = at_epoch(epoch)};
  };
  const Batch shuffled = whole(source, order(7, 0));
  CHECK(std::get<0>(shuffled.id.sort()).equal(at::arange(500, at::kLong) + 100));
  CHECK_FALSE(shuffled.id.equal(at::arange(500, at::kLong) + 100));
  // Rows move as a whole.
  CHECK(same(shuffled, regimen::rows(images(500), shuffled.id - 100)));

  CHECK(ids(source, order(7, 0, 17)).equal(shuffled.id));
  CHECK(ids(images(500), order(7, 0)).equal(shuffled.id));
  CHECK_FALSE(ids(source, order(7, 1)).equal(shuffled.id));
  CHECK_FALSE(ids(source, order(8, 0)).equal(shuffled.id));
  // Where a sample ends up is uniform: of 500 orders, how often the first sample comes in each tenth.
  at::Tensor tenths = at::zeros({10}, at::kLong);
  for (int epoch = 0; epoch < 500; ++epoch) {
    const at::Tensor places = regimen::detail::shuffled(500, 7, at_epoch(epoch));
    tenths[(places == 0).nonzero().item<std::int64_t>() / 50] += 1;
  }
  check_equally_likely(tenths);
}

TEST_CASE("source: a struct of one's own with size() and get(), with or without the clock, is one") {
  const Source squares = Squares{50};
  CHECK(squares.indexed());
  CHECK(whole(squares, {.batch = 7}).data.flatten().equal(at::arange(50, at::kFloat).square()));
  CHECK(regimen::materialize(regimen::subset(squares, longs({3, 5}))).data.flatten().equal(at::tensor({9.0F, 25.0F})));

  const Source clockwork = Clockwork{50};
  CHECK(clockwork.size() == 50);
  CHECK(whole(clockwork, {.now = at_epoch(2)}).data.equal(whole(clockwork).data + 2000));
  // Views hand the clock through.
  const Source view = regimen::repeat(regimen::subset(clockwork, longs({4, 2})), 2);
  CHECK(view.get(longs({1, 2}), at_epoch(3)).data.flatten().equal(at::tensor({3002.0F, 3004.0F})));
  const std::vector<Source> views{regimen::frozen(clockwork, regimen::chain(), 1),
                                  regimen::frozen(clockwork, regimen::chain(), 1, regimen::exactly(0.5)),
                                  regimen::limit(clockwork, 50), regimen::sample(clockwork, 50, 1)};
  for (const Source& each : views) {
    const Batch batch = whole(each, {.now = at_epoch(3)});
    CHECK(batch.data.flatten().equal((batch.id + 3000).to(at::kFloat)));
  }
}

TEST_CASE("source: copies share the data, and only copies are the same source") {
  const Source source = images(10);
  const Source copy = source;
  CHECK(copy.same_as(source));
  CHECK_FALSE(Source(images(10)).same_as(source));
  CHECK_FALSE(regimen::limit(source, 5).same_as(source));
}

TEST_CASE("stream: a lambda is one, endless until limit says where an epoch ends") {
  const Source endless = counting;
  CHECK_FALSE(endless.indexed());
  CHECK_FALSE(endless.size().has_value());
  CHECK(endless.batches({.batch = 10}) == 0);
  const Cursor next = endless.read({.batch = 10});
  CHECK(next().id.equal(at::arange(10, at::kLong)));
  CHECK(next().id.equal(at::arange(10, 20, at::kLong)));

  const Source limited = regimen::limit(endless, 25);
  CHECK_FALSE(limited.indexed());
  CHECK(limited.size() == 25);
  CHECK(limited.batches({.batch = 10}) == 3);
  const std::vector<Batch> batches = batches_of(limited, {.batch = 10});
  REQUIRE(batches.size() == 3);
  CHECK(batches[2].size() == 5);
  CHECK(joined(batches).id.equal(at::arange(25, at::kLong)));
  CHECK(batches_of(limited, {.batch = 10, .drop_last = true}).size() == 2);
  CHECK(batches_of(limited, {.batch = 25}).size() == 1);
  CHECK(batches_of(limited, {.batch = 26}).size() == 1);
}

TEST_CASE("stream: rows cannot be had from one, and views that need them say so") {
  for (const Source& stream : {Source(counting), regimen::limit(counting, 25), Source(Files{})}) {
    check_error([&] { (void)stream.get(longs({0})); }, {"stream", "indexed"});
    check_error([&] { (void)regimen::repeat(stream, 2); }, {"repeat", "indexed", "stream"});
    check_error([&] { (void)regimen::subset(stream, longs({0})); }, {"subset", "indexed"});
    check_error([&] { (void)regimen::sample(stream, 1, 1); }, {"sample", "indexed"});
    check_error([&] { (void)regimen::permuted_labels(stream, 1); }, {"permuted_labels", "indexed"});
    check_error([&] { (void)regimen::frozen(stream, damage(), 1, regimen::exactly(0.5)); }, {"frozen", "exactly"});
  }
  check_error([] { (void)regimen::materialize(counting); }, {"materialize", "limit"});
}

TEST_CASE("stream: frozen gives a streamed sample what it would give a stored one") {
  const UniformLabels noise{.classes = 10};
  const Batch stored = whole(regimen::frozen(regimen::materialize(regimen::limit(counting, 100)), noise, 7));
  const Batch streamed = whole(regimen::limit(regimen::frozen(counting, noise, 7), 100), {.batch = 13});
  CHECK(same(streamed, stored));
  CHECK_FALSE(stored.target.equal(stored.id.remainder(10)));
  // Whichever is limited first.
  const Source inside = regimen::frozen(regimen::limit(counting, 100), noise, 7);
  CHECK(inside.size() == 100);
  CHECK(same(whole(inside, {.batch = 13}), stored));
  CHECK(same(regimen::materialize(inside), stored));
  CHECK_FALSE(regimen::frozen(counting, noise, 7).size().has_value());
}

TEST_CASE("stream: one that ends by itself has a size, and no limit makes it longer") {
  const Source files = Files{};
  CHECK_FALSE(files.indexed());
  CHECK(files.size() == 30);
  CHECK(whole(files, {.batch = 8}).id.equal(at::arange(30, at::kLong)));
  CHECK(regimen::limit(files, 100).size() == 30);
  CHECK(regimen::limit(files, 20).size() == 20);
  CHECK(whole(regimen::limit(regimen::limit(counting, 20), 100)).size() == 20);
  CHECK(regimen::limit(regimen::limit(counting, 20), 100).size() == 20);
}

TEST_CASE("frozen: is the transform keyed by seed and sample, at every epoch, in any order and batch size") {
  const Batch all = images(300);
  const Source source = regimen::frozen(all, damage(), 7);
  const Batch expected = damage()(all, Key(7, all.id));
  CHECK_FALSE(same(expected, all));
  CHECK(same(whole(source), expected));
  CHECK(same(whole(source, {.batch = 7, .now = at_epoch(9)}), expected));
  const Batch shuffled = whole(source, {.batch = 32, .shuffle = true, .seed = 1, .now = at_epoch(4)});
  CHECK(same(shuffled, regimen::rows(expected, shuffled.id - 100)));
  CHECK(same(source.get(longs({5, 5, 299})), regimen::rows(expected, longs({5, 5, 299}))));
  CHECK_FALSE(same(whole(regimen::frozen(all, damage(), 8)), expected));
}

TEST_CASE("frozen: damage whose fraction follows a schedule grows with the epoch, and the damaged sets are nested") {
  const UniformLabels growing{.classes = 10, .fraction = [](const regimen::Clock& c) { return 0.1 * c.epoch; }};
  const Batch all = images(500);
  const Source source = regimen::frozen(all, growing, 7);
  CHECK(whole(source).target.equal(all.target));
  at::Tensor before = at::zeros({500}, at::kBool);
  for (const int epoch : {2, 5, 9}) {
    const at::Tensor changed = whole(source, {.now = at_epoch(epoch)}).target != all.target;
    CHECK(changed.logical_or(before).equal(changed));
    CHECK(changed.sum().item<std::int64_t>() > before.sum().item<std::int64_t>());
    before = changed;
  }
}

TEST_CASE("frozen exactly: changes just that many samples, and a larger share changes the same ones and more") {
  const Batch all = images(1000);
  const UniformLabels other{.classes = 10, .exclude_true = true};  // changes each label that it touches
  at::Tensor before = at::zeros({1000}, at::kBool);
  for (const double share : {0.0, 0.001, 0.4, 0.4004, 0.4006, 0.75, 1.0}) {
    CAPTURE(share);
    const Batch noisy = whole(regimen::frozen(all, other, 7, regimen::exactly(share)), {.batch = 64});
    const at::Tensor changed = noisy.target != all.target;
    CHECK(changed.sum().item<std::int64_t>() == std::llround(share * 1000));
    CHECK(changed.logical_or(before).equal(changed));
    CHECK(noisy.data.equal(all.data));
    CHECK(noisy.id.equal(all.id));
    CHECK(noisy.extra.at("number").equal(all.extra.at("number")));
    before = changed;
  }
}

TEST_CASE("frozen exactly: the chosen samples are what frozen makes of them, the others as they were") {
  const Batch all = images(1000);
  const regimen::Chain both =
      regimen::chain(ZeroPixels{.fraction = 0.5}, UniformLabels{.classes = 10, .exclude_true = true});
  const Batch frozen = whole(regimen::frozen(all, both, 7));
  const Source source = regimen::frozen(all, both, 7, regimen::exactly(0.3));
  const Batch part = whole(source);
  const at::Tensor chosen = part.target != all.target;
  CHECK(part.target.index({chosen}).equal(frozen.target.index({chosen})));
  CHECK(part.data.index({chosen}).equal(frozen.data.index({chosen})));
  CHECK(part.data.index({chosen.logical_not()}).equal(all.data.index({chosen.logical_not()})));
  // In any order and batch size, also in batches without a chosen sample.
  const Batch shuffled = whole(source, {.batch = 2, .shuffle = true, .seed = 5});
  CHECK(same(shuffled, regimen::rows(part, shuffled.id - 100)));
  // Who is chosen is the seed's affair, and knows nothing of the place.
  CHECK_FALSE(whole(regimen::frozen(all, both, 8, regimen::exactly(0.3))).target.equal(part.target));
  check_share(chosen.slice(0, 0, 500).sum().item<double>(), 300, 0.5);
}

TEST_CASE("frozen exactly: the choice is independent of what the transform draws") {
  // The transform draws from the same seed; were the choice its chance, only low draws would be seen.
  const Batch all{.data = at::zeros({10000, 1}), .target = at::zeros({10000}, at::kLong)};
  const UniformLabels half{.classes = 10, .fraction = 0.5, .exclude_true = true};
  const Batch noisy = whole(regimen::frozen(all, half, 7, regimen::exactly(0.4)));
  check_share((noisy.target != 0).sum().item<double>(), 4000, 0.5);
}

TEST_CASE("frozen exactly: the share is in [0, 1], and the transform keeps shape and type") {
  check_error([] { (void)regimen::exactly(1.1); }, {"exactly: share", "[0, 1]", "is 1.1"});
  check_error([] { (void)regimen::exactly(-0.5); }, {"exactly: share", "is -0.5"});
  check_error([] { (void)regimen::frozen(images(4), damage(), 1, {.share = 2}); }, {"exactly: share", "is 2"});
  const Source soft = regimen::frozen(images(4), regimen::LabelSmoothing{.classes = 10}, 1, regimen::exactly(0.5));
  check_error([&] { (void)whole(soft); }, {"exactly", "shape and type", "[2] long", "[2, 10] float"});
}

TEST_CASE("repeat: each copy has an id of its own and the sample's id as origin") {
  const Batch all = images(50);
  const Source source = regimen::repeat(all, 4);
  CHECK(source.size() == 200);
  const Batch copies = whole(source, {.batch = 33});
  REQUIRE(copies.size() == 200);
  CHECK(copies.data.equal(all.data.repeat({4, 1, 1, 1})));
  CHECK(copies.target.equal(all.target.repeat(4)));
  CHECK(copies.origin.equal(all.id.repeat(4)));
  CHECK(copies.id.slice(0, 0, 50).equal(all.id));  // the first copy is the sample itself
  CHECK(copies.id.min().item<std::int64_t>() >= 0);
  CHECK(std::get<0>(at::_unique(copies.id)).numel() == 200);

  const Batch once = whole(regimen::repeat(all, 1));
  CHECK(once.id.equal(all.id));
  CHECK(once.origin.equal(all.id));
}

TEST_CASE("repeat: repeated again, ids stay unique and origins those of the first source") {
  const Batch all = images(20);
  const Batch copies = whole(regimen::repeat(regimen::repeat(all, 3), 5), {.batch = 17});
  REQUIRE(copies.size() == 300);
  CHECK(std::get<0>(at::_unique(copies.id)).numel() == 300);
  CHECK(copies.origin.equal(all.id.repeat(15)));
  CHECK(copies.data.equal(all.data.repeat({15, 1, 1, 1})));
  // Also of a part of the copies.
  const Source part = regimen::subset(regimen::repeat(all, 3), longs({59, 0, 25}));
  const Batch again = whole(regimen::repeat(part, 2));
  CHECK(std::get<0>(at::_unique(again.id)).numel() == 6);
  CHECK(again.origin.equal(longs({119, 100, 105, 119, 100, 105})));
}

TEST_CASE("repeat: a transform treats each copy in its own way") {
  const Batch all = images(100);
  const Batch copies = whole(regimen::frozen(regimen::repeat(all, 3), damage(), 7));
  const auto copy = [&](std::int64_t k) { return regimen::slice(copies, 100 * k, 100); };
  CHECK_FALSE(copy(0).data.equal(copy(1).data));
  CHECK_FALSE(copy(1).data.equal(copy(2).data));
  CHECK_FALSE(copy(0).target.equal(copy(1).target));
  CHECK(copy(0).data.equal(whole(regimen::frozen(all, damage(), 7)).data));
}

TEST_CASE("repeat: a thousand copies read no more than is asked for, and no more memory") {
  std::int64_t asked = 0;
  const Source source = regimen::frozen(regimen::repeat(Squares{1000, &asked}, 1000), UniformLabels{.classes = 3}, 1);
  CHECK(source.size() == 1'000'000);
  CHECK(asked == 1000);  // once, for the ids
  const Batch batch = source.get(longs({999'999, 5, 5'007}));
  CHECK(asked == 1003);
  CHECK(batch.origin.equal(longs({999, 5, 7})));
  CHECK(batch.data.flatten().equal(at::tensor({999.0F * 999.0F, 25.0F, 49.0F})));
  const Cursor next = source.read({.batch = 10});
  CHECK(next().size() == 10);
  CHECK(asked == 1013);  // the first batch is there at once
}

TEST_CASE("repeat: at least one copy") {
  check_error([] { (void)regimen::repeat(images(3), 0); }, {"repeat: copies", "at least 1", "is 0"});
}

TEST_CASE("limit: of an indexed source it is its first samples, and all of a smaller one") {
  const Batch all = images(50);
  const Source source = regimen::limit(all, 20);
  CHECK(source.indexed());
  CHECK(source.size() == 20);
  CHECK(same(whole(source, {.batch = 7}), regimen::slice(all, 0, 20)));
  CHECK(regimen::limit(all, 100).size() == 50);
  check_error([&] { (void)regimen::limit(all, 0); }, {"limit: samples", "at least 1", "is 0"});
  check_error([&] { (void)regimen::limit(counting, -1); }, {"limit: samples", "is -1"});
}

TEST_CASE("subset: the samples at these places, in this order") {
  const Batch all = images(50);
  const at::Tensor places = longs({49, 0, 7, 7});
  const Source source = regimen::subset(all, places);
  CHECK(source.size() == 4);
  CHECK(same(whole(source), regimen::rows(all, places)));
  CHECK(same(whole(regimen::subset(source, longs({2, 0}))), regimen::rows(all, longs({7, 49}))));
  CHECK(regimen::subset(all, at::zeros({0}, at::kLong)).size() == 0);
  // Places that lie apart in memory.
  CHECK(
      ids(regimen::subset(all, at::arange(50, at::kLong).slice(0, 0, 50, 10))).equal(longs({100, 110, 120, 130, 140})));
}

TEST_CASE("subset: index are [n] int64 in [0, size)") {
  const Source source = images(50);
  const auto use = [&](const at::Tensor& places) {
    return [&source, places] { (void)regimen::subset(source, places); };
  };
  check_error(use(longs({3, -1})), {"subset: index", "at least 0", "is -1"});
  check_error(use(longs({50})), {"subset: index", "50", "is 50"});
  check_error(use(at::zeros({3}, at::kInt)), {"subset: index", "[n] int64", "[3] int"});
  check_error(use(at::zeros({3, 1}, at::kLong)), {"subset: index", "[n] int64"});
}

TEST_CASE("sample: different samples, drawn by the seed, all equally likely") {
  const Source source = images(200);
  const at::Tensor drawn = ids(regimen::sample(source, 60, 7));
  CHECK(drawn.numel() == 60);
  CHECK(std::get<0>(at::_unique(drawn)).numel() == 60);
  CHECK(ids(regimen::sample(source, 60, 7)).equal(drawn));
  CHECK_FALSE(ids(regimen::sample(source, 60, 8)).equal(drawn));
  CHECK(ids(regimen::sample(source, 30, 7)).equal(drawn.slice(0, 0, 30)));
  CHECK(std::get<0>(ids(regimen::sample(source, 200, 7)).sort()).equal(at::arange(200, at::kLong) + 100));
  std::vector<at::Tensor> all;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    all.push_back(ids(regimen::sample(images(20), 1, seed)) - 100);
  }
  check_equally_likely(at::cat(all).bincount({}, 20));
  check_error([&] { (void)regimen::sample(source, 0, 1); }, {"sample: samples", "[1, 200]", "is 0"});
  check_error([&] { (void)regimen::sample(source, 201, 1); }, {"sample: samples", "[1, 200]", "is 201"});
}

TEST_CASE("permuted_labels: deals the same labels out anew, and leaves the rest") {
  Batch all = images(1000);
  all.target = at::arange(1000, at::kLong).div(100, "floor");  // ten classes in blocks
  const Source source = regimen::permuted_labels(all, 7);
  const Batch dealt = whole(source, {.batch = 64});
  CHECK(dealt.target.bincount({}, 10).equal(all.target.bincount({}, 10)));
  CHECK(dealt.data.equal(all.data));
  CHECK(dealt.id.equal(all.id));
  check_share((dealt.target == all.target).sum().item<double>(), 1000, 0.1);
  // The same at every reading, in any order, for this seed.
  const Batch shuffled = whole(source, {.batch = 32, .shuffle = true, .seed = 3, .now = at_epoch(5)});
  CHECK(same(shuffled, regimen::rows(dealt, shuffled.id - 100)));
  CHECK(whole(regimen::permuted_labels(all, 7)).target.equal(dealt.target));
  CHECK_FALSE(whole(regimen::permuted_labels(all, 8)).target.equal(dealt.target));

  all.target = at::zeros({1000});
  check_error([&] { (void)regimen::permuted_labels(all, 7); }, {"permuted_labels", "[N] int64", "[1000] float"});
}

TEST_CASE("materialize: the whole source as one batch, bit for bit as when read") {
  const Batch all = images(5000);  // more than is read at once
  const Source lazy = regimen::frozen(regimen::repeat(all, 2), damage(), 7);
  const Batch stored = regimen::materialize(lazy);
  CHECK(stored.size() == 10000);
  CHECK(same(stored, whole(lazy, {.batch = 333})));
  const Order shuffled{.batch = 100, .shuffle = true, .seed = 3, .now = at_epoch(1)};
  CHECK(same(whole(stored, shuffled), whole(lazy, shuffled)));
  CHECK(same(regimen::materialize(stored), stored));
  check_error([] { (void)regimen::materialize(regimen::subset(images(3), at::zeros({0}, at::kLong))); },
              {"materialize", "at least one sample"});
}

TEST_CASE("cached: the same samples as the source, and its manifest as the recipe") {
  std::int64_t asked = 0;
  const Source lazy = regimen::frozen(Squares{100, &asked}, UniformLabels{.classes = 3}, 7);
  const Source fast = regimen::cached(lazy);
  CHECK(asked == 100);
  CHECK(fast.indexed());
  CHECK(fast.size() == 100);
  const Batch read = whole(fast, {.batch = 9});
  CHECK(asked == 100);
  CHECK(same(read, whole(lazy)));
  CHECK(fast.manifest().find(lazy.manifest()) != std::string::npos);
}

TEST_CASE("source: a source without samples can be read, and ends at once") {
  const Source none = regimen::subset(images(3), at::zeros({0}, at::kLong));
  CHECK(none.size() == 0);
  CHECK(batches_of(none, {}).empty());
  CHECK(batches_of(regimen::frozen(none, damage(), 1), {.shuffle = true}).empty());
  CHECK(none.batches({}) == 0);
}

TEST_CASE("frozen: one seed for two transforms, one on the other, gives draws that do not know of each other") {
  const at::Tensor data = at::ones({2000, 16});
  const Source train = Batch{.data = data, .target = at::zeros({2000}, at::kLong)};
  const UniformLabels labels{.classes = 2};
  for (const Source& both :
       {regimen::frozen(regimen::frozen(train, ZeroPixels{.fraction = 0.5}, 7), labels, 7),
        regimen::frozen(regimen::cached(regimen::frozen(train, ZeroPixels{.fraction = 0.5}, 7)), labels, 7)}) {
    const Batch batch = whole(both);
    for (std::int64_t entry = 0; entry < 16; ++entry) {
      CAPTURE(entry);
      const at::Tensor kept = batch.data.select(1, entry);
      CHECK(std::abs(correlation(kept, batch.target.to(at::kFloat))) < 0.12);  // 5 deviations
    }
  }
  // A single layer draws from Key(seed, id) itself.
  const Batch batch = whole(train);
  CHECK(same(whole(regimen::frozen(train, labels, 7)), labels(batch, Key(7, batch.id))));
}

TEST_CASE("source: a reader that begins later loads the rows that the others load, in the same loads") {
  struct Loads {
    std::vector<std::vector<std::int64_t>>* seen;
    [[nodiscard]] std::int64_t size() const { return 5000; }
    [[nodiscard]] Batch get(const at::Tensor& index) const {
      seen->push_back({index[0].item<std::int64_t>(), index.numel()});
      return {.data = index.to(at::kFloat).unsqueeze(1).repeat({1, 1000}), .id = index};
    }
  };
  std::vector<std::vector<std::int64_t>> all;
  const at::Tensor expected = ids(Source(Loads{&all}), {.batch = 10});
  CHECK(all.size() > 10);
  for (const std::int64_t first : {0, 1, 2, 25, 26, 27, 100, 499}) {
    CAPTURE(first);
    std::vector<std::vector<std::int64_t>> some;
    CHECK(ids(Source(Loads{&some}), {.batch = 10, .first = first}).equal(expected.slice(0, 10 * first)));
    for (const auto& load : some) {
      CHECK(std::find(all.begin(), all.end(), load) != all.end());
    }
  }
}

TEST_CASE("source: the manifest holds what the data sum to, and how a sample was drawn") {
  const at::Tensor data = at::arange(12, at::kByte).view({4, 3});
  const Source train = Batch{.data = data, .target = longs({0, 1, 0, 1})};
  // zlib.crc32(bytes(range(12))) and zlib.crc32(numpy.array([0, 1, 0, 1]).tobytes()) in Python.
  CHECK(train.manifest().find("\"data_crc32\": \"9270c965\"") != std::string::npos);
  CHECK(train.manifest().find("\"target_crc32\": \"54853014\"") != std::string::npos);
  CHECK(regimen::sample(train, 2, 77).manifest().find("\"seed\": 77") != std::string::npos);
  CHECK(regimen::subset(train, longs({2, 0})).manifest().find("crc32") != std::string::npos);
  CHECK(regimen::subset(train, longs({2, 0})).manifest() != regimen::subset(train, longs({0, 2})).manifest());
}

TEST_CASE("source: a batch of 2^63 - 1 is all samples, also after a resume, and with drop_last none") {
  const std::int64_t all = std::numeric_limits<std::int64_t>::max();
  const Batch batch = images(30);
  const Source limited = regimen::limit(Files{}, 25);
  for (const std::int64_t size : {all, all - 1, all / 2 + 1, std::int64_t{1} << 40}) {
    CAPTURE(size);
    const Source source = batch;
    CHECK(source.batches({.batch = size}) == 1);
    CHECK(source.batches({.batch = size, .drop_last = true}) == 0);
    CHECK(same(joined(batches_of(source, {.batch = size})), batch));
    CHECK(batches_of(source, {.batch = size, .shuffle = true, .seed = 3}).size() == 1);
    CHECK(batches_of(source, {.batch = size, .drop_last = true}).empty());
    for (const std::int64_t first : {std::int64_t{1}, std::int64_t{2}, all}) {
      CHECK(batches_of(source, {.batch = size, .first = first}).empty());
      CHECK(limited.read({.batch = size, .first = first})().size() == 0);
    }
    CHECK(whole(limited, {.batch = size}).size() == 25);
    CHECK(whole(regimen::prefetch(batch), {.batch = size}).size() == 30);
  }
  CHECK(batches_of(batch, {.batch = 7, .first = all / 7 + 1}).empty());
  check_error([&] { (void)Source(batch).read({.first = -1}); }, {"Order.first", "at least 0", "is -1"});
}

TEST_CASE("repeat: ids and sizes that would not stay below 2^63 are refused") {
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const auto with_largest = [](std::int64_t id) {
    Batch batch = images(3);
    batch.id = longs({5, id, 7});
    return batch;
  };
  // The last copy's largest id is (largest + 1) * copies - 1.
  const std::int64_t quarter = most / 4;
  const Batch fits = whole(regimen::repeat(with_largest(quarter - 1), 4));
  CHECK(fits.id.max().item<std::int64_t>() == quarter * 4 - 1);
  CHECK(fits.id.min().item<std::int64_t>() == 5);
  CHECK(std::get<0>(fits.id.sort()).diff().min().item<std::int64_t>() > 0);
  for (const std::int64_t id : {quarter, std::int64_t{1} << 62, most - 1, most}) {
    check_error([&] { (void)regimen::repeat(with_largest(id), 4); },
                {"repeat: the largest id", "2305843009213693951 for 4 copies", regimen::detail::text(id).c_str()});
    CHECK(ids(regimen::repeat(with_largest(id), 1)).equal(longs({5, id, 7})));
  }
  check_error([&] { (void)regimen::repeat(images(3), most / 2); }, {"repeat: copies", "for 3 samples"});
}

}  // namespace source_test
