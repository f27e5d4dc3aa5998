#include "support/tensors.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <regimen/regimen.hpp>
#include "regimen/key/detail/threefry_kernel.hpp"
#include "regimen/key/generator_guard.hpp"

namespace regimen::inline v0 {

/// The draws by tensor operations, as another device than the CPU makes them; here of CPU tensors.
struct KeyTest {
  static at::Tensor bits(const Key& key, std::int64_t n) { return key.on_device().draw(key.ids(), n, 2); }
  static at::Tensor top(const Key& key, std::int64_t n) { return key.on_device().draw(key.ids(), n, 4); }
  static at::Tensor uniform(const Key& key, std::int64_t n) { return top(key, n).to(at::kFloat) * Key::unit; }
  static at::Tensor below(const Key& key, std::int64_t n) { return key.below_on_device(n); }
  static detail::Block words(const Key& key) { return key.words_.now(); }
};

}  // namespace regimen::inline v0

namespace key_test {

namespace {

using regimen::Key;
using regimen::KeyTest;
using regimen::detail::Block;

Key key_of(std::int64_t samples, std::uint64_t seed = 7) {
  return Key(seed, at::arange(samples, at::kLong));
}

/// Everything that a key can draw, by name.
std::map<std::string, at::Tensor> draws(const Key& key) {
  return {{"bits", key.bits(5)},
          {"uniform", key.uniform({3, 5})},
          {"one uniform", key.uniform()},
          {"below", key.below(1000)},
          {"replaced", key.replaced(key.ids().remainder(10), 10, 0.4, true)},
          {"normal", key.normal({7})}};
}

/// The same draws: bits, but for normals, which are rounded (1e-6).
void check_same_draws(const std::map<std::string, at::Tensor>& a, const std::map<std::string, at::Tensor>& b) {
  for (const auto& [name, tensor] : a) {
    CAPTURE(name);
    if (name == "normal") {
      CHECK(furthest(tensor, b.at(name)) < 1e-6);
    } else {
      CHECK(same(tensor, b.at(name)));
    }
  }
}

std::map<std::string, at::Tensor> rows_of(std::map<std::string, at::Tensor> all, const at::Tensor& index) {
  for (auto& [name, tensor] : all) {
    tensor = tensor.index_select(0, index);
  }
  return all;
}

/// Counts of values in [0, 1) in `bins` equal bins.
at::Tensor in_bins(const at::Tensor& values, std::int64_t bins) {
  return (values.flatten().to(at::kDouble) * static_cast<double>(bins)).floor().to(at::kLong).bincount({}, bins);
}

/// Uses as many threads as it says while it lives.
class Threads {
 public:
  explicit Threads(int threads) : before_(at::get_num_threads()) { at::set_num_threads(threads); }
  ~Threads() { at::set_num_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

}  // namespace

TEST_CASE("key: the generator is Threefry, as its authors publish it") {
  // kat_vectors of Random123 1.14, threefry2x64 with 20 rounds: counter, key, result.
  constexpr std::uint64_t ones = ~std::uint64_t{0};
  const auto check = [](Block counter, Block key, Block expected) {
    const Block words = regimen::detail::threefry(key, counter);
    CHECK(words.first == expected.first);
    CHECK(words.second == expected.second);
  };
  check({0, 0}, {0, 0}, {0xC2B6E3A8C2C69865, 0x6F81ED42F350084D});
  check({ones, ones}, {ones, ones}, {0xE02CB7C4D95D277A, 0xD06633D0893B8B68});
  check({0x243F6A8885A308D3, 0x13198A2E03707344}, {0xA4093822299F31D0, 0x082EFA98EC4E6C89},
        {0x263C7D30BB0F0AF1, 0x56BE8361D3311526});
}

TEST_CASE("key: the draws of a seed are these, for ever") {
  const Key key(7, longs({0, 1, 2}));
  const auto check = [](const at::Tensor& bits, const std::vector<std::uint64_t>& expected) {
    REQUIRE(bits.numel() == static_cast<std::int64_t>(expected.size()));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CAPTURE(i);
      CHECK(static_cast<std::uint64_t>(bits.flatten()[static_cast<std::int64_t>(i)].item<std::int64_t>()) ==
            expected[i]);
    }
  };
  check(key.bits(2), {0xDEB5226A3F2BF8CC, 0x6999497583953D10, 0x025D1AE56716EC31, 0x4D33A1750CB87696,
                      0xA122EBCBB66CF1CA, 0x3C31D75D2CA9F7C9});
  check(key.fold(1).bits(1), {0x3CB9E68E3608BE9F, 0xF2DE322CFE1CD890, 0xB77316189BAE1633});
  check(key.each_epoch().bits(1), {0xA9F8F8CB24CF04EA, 0xC70686BBB547C788, 0xE4821838B64089C7});
  CHECK(key.below(1000).equal(longs({412, 301, 235})));
  const at::Tensor multiples = key.uniform() * (1 << 24);
  CHECK(multiples.to(at::kLong).equal(longs({4140024, 6756076, 11955441})));
  CHECK(furthest(key.normal(), at::tensor({0.515180945, 1.01350129, -1.08506262})) < 2e-6);
}

TEST_CASE("key: block j of sample i is the generator's block for counter (id, j), however many are drawn at once") {
  // 480 blocks go through the vector registers at a time; so many samples and blocks end everywhere in such a chunk.
  for (const std::int64_t samples : {1, 3, 7, 479, 480, 481, 1000}) {
    for (const std::int64_t n : {1, 2, 5, 12}) {
      const at::Tensor ids = at::arange(samples, at::kLong) * 1234567891234 + 5;
      const at::Tensor bits = Key(99, ids).bits(n);
      REQUIRE(bits.sizes() == at::IntArrayRef({samples, n}));
      std::int64_t wrong = 0;
      for (std::int64_t i = 0; i < samples; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
          const auto id = static_cast<std::uint64_t>(ids.data_ptr<std::int64_t>()[i]);
          const Block words = regimen::detail::threefry(Block{99, 0}, Block{id, static_cast<std::uint64_t>(j / 2)});
          const std::uint64_t expected = j % 2 == 0 ? words.first : words.second;
          wrong += static_cast<std::uint64_t>(bits.data_ptr<std::int64_t>()[i * n + j]) != expected ? 1 : 0;
        }
      }
      CAPTURE(samples, n);
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("key: what a sample is given does not depend on the size or the order of the batch around it") {
  const at::Tensor ids = at::arange(1000, at::kLong) * 3 + 10;
  const auto whole = draws(Key(7, ids));
  for (const std::int64_t size : {1, 7, 128, 999}) {
    CAPTURE(size);
    for (const std::int64_t begin : {std::int64_t{0}, (1000 - size) / 2, 1000 - size}) {
      const at::Tensor part = at::arange(begin, begin + size, at::kLong);
      check_same_draws(draws(Key(7, ids.index_select(0, part))), rows_of(whole, part));
    }
  }
  const at::Tensor anyhow = key_of(1000, 5).bits(1).flatten().argsort();
  check_same_draws(draws(Key(7, ids.index_select(0, anyhow))), rows_of(whole, anyhow));
  const at::Tensor twice = longs({4, 4, 3, 999, 4});
  check_same_draws(draws(Key(7, ids.index_select(0, twice))), rows_of(whole, twice));
  // Ids that lie apart in memory.
  check_same_draws(draws(Key(7, ids.slice(0, 0, 1000, 3))), rows_of(whole, at::arange(0, 1000, 3, at::kLong)));
  check_same_draws(draws(key_of(10).for_ids(ids)), whole);
}

TEST_CASE("key: what a sample is given does not depend on the number of threads") {
  const Key key = key_of(20000);
  std::map<std::string, at::Tensor> one;
  {
    const Threads threads(1);
    one = draws(key);
  }
  const Threads threads(2);
  check_same_draws(draws(key), one);
}

TEST_CASE("key: who draws how often before changes nothing, and no draw touches LibTorch's generators") {
  at::manual_seed(3);
  const at::Tensor expected = at::rand({5});
  at::manual_seed(3);
  const Key key = key_of(100);
  const auto first = draws(key);
  (void)draws(key.fold(4));
  check_same_draws(draws(key), first);
  CHECK(at::rand({5}).equal(expected));
}

TEST_CASE("key: a larger draw begins with the smaller one") {
  const Key key = key_of(50);
  const at::Tensor bits = key.bits(9);
  const at::Tensor uniform = key.uniform({9});
  for (std::int64_t n = 1; n < 9; ++n) {
    CAPTURE(n);
    CHECK(key.bits(n).equal(bits.narrow(1, 0, n)));
    CHECK(key.uniform({n}).equal(uniform.narrow(1, 0, n)));
  }
  CHECK(key.uniform({3, 3}).equal(uniform.view({50, 3, 3})));
  CHECK(key.uniform().equal(uniform.select(1, 0)));
}

TEST_CASE("key: tensor operations, as on a GPU, draw the same bits as the loop on the host") {
  const at::Tensor large = longs(
      {0, 1, 59999, std::int64_t{1} << 31, (std::int64_t{1} << 40) + 3, std::numeric_limits<std::int64_t>::max()});
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{7}, ~std::uint64_t{0}, std::uint64_t{1} << 63}) {
    for (const at::Tensor& ids : {at::arange(500, at::kLong), large}) {
      for (const Key& key : {Key(seed, ids), Key(seed, ids).fold(3), Key(seed, ids).each_epoch()}) {
        for (const std::int64_t n : {1, 2, 3, 4, 5, 28}) {
          CAPTURE(seed, n);
          CHECK(same(KeyTest::bits(key, n), key.bits(n)));
          CHECK(same(KeyTest::uniform(key, n), key.uniform({n})));
        }
        for (const std::int64_t n : {std::int64_t{1}, std::int64_t{2}, std::int64_t{3}, std::int64_t{1000},
                                     (std::int64_t{1} << 31) - 1, std::int64_t{1} << 31}) {
          CAPTURE(seed, n);
          CHECK(same(KeyTest::below(key, n), key.below(n)));
        }
      }
    }
  }
}

TEST_CASE("key: the code of a GPU's kernel, compiled here, draws the same bits") {
  const at::Tensor ids = longs({0, 1, 2, 3, 1000, std::int64_t{1} << 40, std::numeric_limits<std::int64_t>::max()});
  for (const Key& key : {Key(0, ids), Key(7, ids).fold(3), Key(7, ids, {.clock = {.epoch = 5}}).each_epoch()}) {
    const Block words = KeyTest::words(key);
    const auto third = static_cast<std::int64_t>(regimen::detail::threefry_parity ^ words.first ^ words.second);
    for (const std::int64_t draws : {2, 4}) {
      const at::Tensor expected = draws == 2 ? KeyTest::bits(key, 9) : KeyTest::top(key, 9);
      for (std::int64_t i = 0; i < ids.size(0); ++i) {
        for (std::int64_t column = 0; column < 9; ++column) {
          const std::int64_t drawn = regimen::detail::regimen_threefry_draw(
              ids[i].item<std::int64_t>(), column, static_cast<std::int64_t>(words.first),
              static_cast<std::int64_t>(words.second), third, draws);
          CHECK(drawn == expected[i][column].item<std::int64_t>());
        }
      }
    }
  }
}

TEST_CASE("key: words that are folded by the epoch and the step are told for other moments too") {
  using regimen::detail::KeyWords;
  const auto chain = [](const regimen::Clock& clock, bool keep) {
    const KeyWords by_epoch = KeyWords(7).fold(1).each_epoch(clock.epoch, keep).fold(2).fold(3);
    return by_epoch.each_step(clock.step, keep).each_epoch(clock.epoch, keep).fold(4);
  };
  const KeyWords kept = chain({.epoch = 3, .step = 11}, true);
  CHECK(kept.varies());
  CHECK_FALSE(chain({.epoch = 3}, false).varies());
  CHECK_FALSE(KeyWords(7).fold(1).varies());
  for (int epoch = 0; epoch < 5; ++epoch) {
    for (const std::int64_t step : {std::int64_t{0}, std::int64_t{1}, std::int64_t{1} << 40}) {
      const regimen::Clock clock{.epoch = epoch, .step = step};
      const Block expected = chain(clock, false).now();
      CHECK(kept.at(clock).first == expected.first);
      CHECK(kept.at(clock).second == expected.second);
    }
  }
}

TEST_CASE("key: a key for the step looks at the step alone, and is no key for the epoch") {
  const auto key = [](int epoch, std::int64_t step) {
    return Key(7, longs({0, 5}), {.clock = {.epoch = epoch, .step = step}});
  };
  CHECK(key(1, 3).each_step().bits(4).equal(key(2, 3).each_step().bits(4)));
  CHECK_FALSE(key(1, 3).each_step().bits(4).equal(key(1, 4).each_step().bits(4)));
  CHECK_FALSE(key(3, 3).each_step().bits(4).equal(key(3, 3).each_epoch().bits(4)));
  CHECK_FALSE(key(3, 3).each_step().bits(4).equal(key(3, 3).fold(3).bits(4)));
}

TEST_CASE("key: seeds, folds, epochs and samples are apart") {
  const at::Tensor ids = at::arange(10000, at::kLong);
  const auto at_epoch = [&](int epoch) { return Key(7, ids, {.clock = {.epoch = epoch}}); };
  const Key key = at_epoch(0);
  const std::vector<Key> keys{key,
                              Key(8, ids),
                              Key(7, ids + 10000),
                              key.fold(0),
                              key.fold(1),
                              key.fold(0).fold(0),
                              key.fold(0).fold(1),
                              key.fold(1).fold(0),
                              key.each_epoch(),
                              at_epoch(1).each_epoch(),
                              key.each_epoch().fold(0),
                              key.fold(0).each_epoch()};
  for (std::size_t i = 0; i < keys.size(); ++i) {
    for (std::size_t j = i + 1; j < keys.size(); ++j) {
      CAPTURE(i, j);
      CHECK((keys[i].bits(1) == keys[j].bits(1)).sum().item<std::int64_t>() == 0);
      CHECK(std::abs(correlation(keys[i].uniform(), keys[j].uniform())) < 0.05);  // 5 deviations, of 1 / sqrt(10000)
    }
  }
  // Only each_epoch() looks at the clock.
  CHECK(at_epoch(5).bits(3).equal(key.bits(3)));
  CHECK(at_epoch(5).fold(2).bits(3).equal(key.fold(2).bits(3)));
  CHECK(at_epoch(5).each_epoch().bits(3).equal(at_epoch(5).each_epoch().bits(3)));
}

TEST_CASE("key: neighbours in a draw, and samples next to each other, are uncorrelated") {
  const at::Tensor u = key_of(10000).uniform({4});
  for (const std::int64_t lag : {1, 2, 3}) {
    CAPTURE(lag);
    CHECK(std::abs(correlation(u.select(1, 0), u.select(1, lag))) < 0.05);
    CHECK(std::abs(correlation(u.slice(0, 0, 10000 - lag), u.slice(0, lag))) < 0.025);
  }
  CHECK(std::abs(correlation(key_of(10000).uniform(), key_of(10000).below(10))) < 0.05);
}

TEST_CASE("key: the 64 bits of a word are each set half of the time") {
  const at::Tensor bits = key_of(10000).bits(1).flatten();
  for (int i = 0; i < 64; ++i) {
    CAPTURE(i);
    check_share(bits.bitwise_right_shift(i).bitwise_and(1).sum().item<double>(), 10000, 0.5);
  }
}

TEST_CASE("key: uniforms lie in [0, 1), are multiples of 2^-24 and equally likely") {
  for (const at::Tensor& u : {key_of(100000).uniform(), key_of(1).uniform({100000}), key_of(1000).uniform({10, 10})}) {
    CHECK(u.scalar_type() == at::kFloat);
    CHECK(u.min().item<double>() >= 0);
    CHECK(u.max().item<double>() < 1);
    const at::Tensor multiples = u * (1 << 24);
    CHECK(multiples.equal(multiples.floor()));
    check_equally_likely(in_bins(u, 64));
    // The low digits too.
    check_equally_likely(in_bins((multiples / 64).frac(), 64));
  }
}

TEST_CASE("key: the ends of the interval are reachable and no further") {
  // 1.6 million draws: none of them in the last 2^-17 has p = 5e-6.
  const at::Tensor u = key_of(200000).uniform({8});
  CHECK(u.max().item<double>() <= 1 - std::ldexp(1, -24));
  CHECK(u.max().item<double>() > 1 - std::ldexp(1, -17));
  CHECK(u.min().item<double>() < std::ldexp(1, -17));
}

TEST_CASE("key: numbers below n are in [0, n) and equally likely") {
  for (const std::int64_t n : {2, 3, 10, 1000}) {
    CAPTURE(n);
    const at::Tensor drawn = key_of(100000).below(n);
    CHECK(drawn.scalar_type() == at::kLong);
    CHECK(drawn.sizes() == at::IntArrayRef({100000}));
    REQUIRE(drawn.min().item<std::int64_t>() >= 0);
    REQUIRE(drawn.max().item<std::int64_t>() < n);
    check_equally_likely(drawn.bincount({}, n));
  }
  CHECK(key_of(100).below(1).equal(at::zeros({100}, at::kLong)));
  const std::int64_t most = std::int64_t{1} << 31;
  const at::Tensor wide = key_of(100000).below(most);
  CHECK(wide.min().item<std::int64_t>() >= 0);
  CHECK(wide.max().item<std::int64_t>() < most);
  check_equally_likely(in_bins(wide.to(at::kDouble) / static_cast<double>(most), 64));
}

TEST_CASE("key: below needs a bound in [1, 2^31]") {
  const Key key = key_of(3);
  check_error([&] { (void)key.below(0); }, {"Key.below: n", "[1, 2^31]", "is 0"});
  check_error([&] { (void)key.below(-5); }, {"Key.below: n", "is -5"});
  check_error([&] { (void)key.below((std::int64_t{1} << 31) + 1); }, {"Key.below: n", "is 2147483649"});
}

TEST_CASE("key: a share of the values is replaced by draws, each where its uniform lies below the share") {
  const Key key = key_of(100000);
  const at::Tensor values = key.ids().remainder(10);
  for (const double share : {0.0, 0.1, 0.4, 1.0}) {
    for (const bool by_another : {false, true}) {
      CAPTURE(share, by_another);
      // The same by tensor operations, as other devices do it.
      const at::Tensor drawn =
          by_another ? (values + 1 + KeyTest::below(key, 9)).remainder(10) : KeyTest::below(key, 10);
      const at::Tensor expected = at::where(KeyTest::uniform(key, 1).view({-1}) < share, drawn, values);
      CHECK(same(key.replaced(values, 10, share, by_another), expected));
    }
  }
  const at::Tensor others = key.replaced(values, 10, 1, true);
  CHECK((others == values).sum().item<std::int64_t>() == 0);
  check_equally_likely((others - values).remainder(10).sub(1).bincount({}, 9));
}

TEST_CASE("key: values outside of [0, n) are an error, whether they are replaced or not") {
  const Key key = key_of(3);
  for (const double share : {0.0, 1.0}) {
    check_error([&] { (void)key.replaced(longs({0, 5, 1}), 5, share, true); }, {"values", "in [0, 5)", "is 5"});
    check_error([&] { (void)key.replaced(longs({0, 4, -1}), 5, share, false); }, {"values", "in [0, 5)", "is -1"});
  }
  check_error([&] { (void)key.replaced(longs({0, 0, 0}), 1, 0.5, true); }, {"Key.replaced: n", "[2, 2^31]", "is 1"});
}

TEST_CASE("key: normals have the moments and the distribution of a standard normal") {
  constexpr std::int64_t n = 100000;
  for (const at::Tensor& drawn : {key_of(n).normal(), key_of(1).normal({n}), key_of(100).normal({10, 100})}) {
    REQUIRE(drawn.numel() == n);
    REQUIRE(drawn.scalar_type() == at::kFloat);
    const at::Tensor x = drawn.flatten().to(at::kDouble);
    // Six standard errors: 1, sqrt(2), sqrt(15) and sqrt(96) / sqrt(n).
    CHECK(x.mean().item<double>() == Approx(0).margin(0.019));
    CHECK(x.square().mean().item<double>() == Approx(1).margin(0.027));
    CHECK(x.pow(3).mean().item<double>() == Approx(0).margin(0.074));
    CHECK(x.pow(4).mean().item<double>() == Approx(3).margin(0.19));
    // Kolmogorov and Smirnov: sqrt(n) * D is above 2.7 with p = 2 exp(-2 * 2.7^2) = 9e-7.
    const at::Tensor expected = at::special_ndtr(std::get<0>(x.sort()));
    const at::Tensor step = at::arange(n, at::kDouble) / static_cast<double>(n);
    const double above = (step + 1.0 / n - expected).max().item<double>();
    const double below = (expected - step).max().item<double>();
    CHECK(std::sqrt(static_cast<double>(n)) * std::max(above, below) < 2.7);
    CHECK(x.abs().max().item<double>() > 3.5);  // the tails are there,
    CHECK(x.abs().max().item<double>() < 6);    // and end where 24 bits do: sqrt(2 log 2^24)
  }
}

TEST_CASE("key: the normals of a sample are uncorrelated with each other and with those of the next") {
  const at::Tensor x = key_of(10000).normal({2});
  CHECK(std::abs(correlation(x.select(1, 0), x.select(1, 1))) < 0.05);
  CHECK(std::abs(correlation(x.select(1, 0).square(), x.select(1, 1).square())) < 0.05);
  CHECK(std::abs(correlation(x.slice(0, 0, 9999), x.slice(0, 1))) < 0.04);
}

TEST_CASE("key: ids are [N] int64") {
  const auto make = [](const at::Tensor& ids) { return [ids] { (void)Key(1, ids); }; };
  for (const at::Tensor& ids : {at::Tensor(), at::arange(3, at::kInt), at::arange(3, at::kFloat),
                                at::zeros({3, 1}, at::kLong), at::scalar_tensor(3, at::kLong)}) {
    check_error(make(ids), {"Key.ids", "[N] int64"});
  }
  check_error([] { (void)key_of(3).for_ids(at::arange(3, at::kInt)); }, {"Key.ids"});
}

TEST_CASE("key: no samples are no draws") {
  const Key key = key_of(0);
  CHECK(key.size() == 0);
  CHECK(key.bits(3).sizes() == at::IntArrayRef({0, 3}));
  CHECK(key.uniform({2, 2}).sizes() == at::IntArrayRef({0, 2, 2}));
  CHECK(key.below(5).sizes() == at::IntArrayRef({0}));
  CHECK(key_of(4).uniform({0}).sizes() == at::IntArrayRef({4, 0}));
}

TEST_CASE("key: a key hands its moment on through folds") {
  const Key key(7, longs({1}), {.clock = {.epoch = 4, .batch = 2}});
  const regimen::Clock clock = key.fold(1).each_epoch().for_ids(longs({5})).now().clock;
  CHECK(clock.epoch == 4);
  CHECK(clock.batch == 2);
}

TEST_CASE("key: shuffled is a permutation, another one for each seed and epoch") {
  using regimen::detail::shuffled;
  const auto at_epoch = [](int epoch) { return regimen::Moment{.clock = {.epoch = epoch}}; };
  const at::Tensor order = shuffled(1000, 7, {});
  CHECK(std::get<0>(order.sort()).equal(at::arange(1000, at::kLong)));
  CHECK(shuffled(1000, 7, at_epoch(0)).equal(order));
  CHECK_FALSE(shuffled(1000, 7, at_epoch(1)).equal(order));
  CHECK_FALSE(shuffled(1000, 8, {}).equal(order));
  CHECK(std::abs(correlation(order, at::arange(1000, at::kLong))) < 0.16);
  CHECK(std::abs(correlation(order, shuffled(1000, 7, at_epoch(1)))) < 0.16);
}

TEST_CASE("generator guard: LibTorch's generator goes on as if nothing had been drawn, after an exception too") {
  using regimen::detail::GeneratorGuard;
  at::manual_seed(3);
  at::rand({5});
  const at::Tensor expected = at::rand({5});
  const auto begin = [] {
    at::manual_seed(3);
    at::rand({5});
  };
  begin();
  {
    GeneratorGuard guard(at::kCPU);
    at::rand({100});
    guard.seed(7, 1, regimen::Purpose::forward);
    at::randn({3});
    {
      GeneratorGuard inner(at::kCPU);
      inner.seed(8, 2, regimen::Purpose::scoring);
      at::rand({1});
    }
  }
  CHECK(at::rand({5}).equal(expected));
  begin();
  CHECK_THROWS_AS(
      [] {
        GeneratorGuard guard(at::kCPU);
        guard.seed(7, 1, regimen::Purpose::forward);
        at::rand({1});
        throw std::runtime_error("a network that fails");
      }(),
      std::runtime_error);
  CHECK(at::rand({5}).equal(expected));
}

TEST_CASE("generator guard: what is drawn is a function of seed, step and purpose, and each of them counts") {
  using regimen::Purpose;
  const auto drawn = [](std::uint64_t seed, std::int64_t step, Purpose purpose) {
    regimen::detail::GeneratorGuard guard(at::kCPU);
    at::rand({static_cast<std::int64_t>(seed % 5)});  // where the generator stood does not matter
    guard.seed(seed, step, purpose);
    return at::rand({8});
  };
  const at::Tensor first = drawn(7, 3, Purpose::forward);
  CHECK(drawn(7, 3, Purpose::forward).equal(first));
  for (const at::Tensor& other : {drawn(8, 3, Purpose::forward), drawn(7, 4, Purpose::forward),
                                  drawn(7, 3, Purpose::scoring), drawn(7, 3, Purpose::transforms)}) {
    CHECK_FALSE(other.equal(first));
  }
  // The generator's seed is the first word that Threefry makes of the three.
  at::Generator generator = at::globalContext().defaultGenerator(at::kCPU);
  const at::Tensor before = generator.get_state().clone();
  at::manual_seed(regimen::detail::threefry({7, 0}, {3, 0}).first);
  CHECK(at::rand({8}).equal(first));
  generator.set_state(before);
}

}  // namespace key_test
