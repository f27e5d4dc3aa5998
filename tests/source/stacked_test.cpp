// Several sources side by side: each row is what each source has there by itself.
#include "support/tensors.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "regimen/damage.hpp"
#include "regimen/schedule.hpp"
#include "regimen/source.hpp"
#include "regimen/transform.hpp"

namespace stacked_test {

namespace {

using regimen::Batch;
using regimen::Order;
using regimen::Source;
using regimen::stacked;

/// n samples of two numbers, which tell the source and the sample apart.
Batch numbers(std::int64_t n, std::int64_t shift) {
  const at::Tensor id = at::arange(n, at::kLong);
  return {.data = (id + shift).to(at::kFloat).unsqueeze(1) * at::tensor({1.F, -1.F}),
          .target = (id + shift).remainder(3),
          .id = id + 5 * shift,
          .extra = {{"mask", (id + shift).remainder(2).to(at::kBool)}}};
}

std::vector<Batch> batches_of(const Source& source, const Order& order) {
  std::vector<Batch> all;
  const regimen::Cursor next = source.read(order);
  for (Batch batch = next(); batch.size() > 0; batch = next()) {
    all.push_back(batch);
  }
  return all;
}

}  // namespace

TEST_CASE("stacked: each source is in the order that its seed gives it alone, in every epoch") {
  const std::vector<Source> sources{numbers(10, 0), numbers(10, 100), numbers(10, 200)};
  const std::vector<std::uint64_t> seeds{4, 4, 9};
  const Source all = stacked(sources, seeds);
  CHECK(*all.size() == 10);
  CHECK_FALSE(all.indexed());
  CHECK_FALSE(all.traits().stable_ids);
  for (const bool shuffle : {false, true}) {
    for (const bool drop_last : {false, true}) {
      for (const int epoch : {0, 3}) {
        for (const int first : {0, 2, 9}) {
          CAPTURE(shuffle, drop_last, epoch, first);
          Order order{.batch = 4, .shuffle = shuffle, .seed = 77, .drop_last = drop_last, .first = first};
          order.now.clock.epoch = epoch;
          const std::vector<Batch> together = batches_of(all, order);
          for (std::size_t i = 0; i < sources.size(); ++i) {
            order.seed = seeds[i];
            const std::vector<Batch> alone = batches_of(sources[i], order);
            REQUIRE(together.size() == alone.size());
            const auto member = static_cast<std::int64_t>(i);
            for (std::size_t k = 0; k < alone.size(); ++k) {
              CHECK(together[k].data.select(1, member).equal(alone[k].data));
              CHECK(together[k].target.select(1, member).equal(alone[k].target));
              CHECK(together[k].extra.at("mask").select(1, member).equal(alone[k].extra.at("mask")));
            }
          }
        }
      }
    }
  }
  const std::vector<Batch> rows = batches_of(all, {.batch = 4, .first = 1});
  CHECK(rows.front().data.sizes() == at::IntArrayRef({4, 3, 2}));
  CHECK(rows.front().id.equal(longs({4, 5, 6, 7})));
}

TEST_CASE("stacked: without seeds all are in the order of the run") {
  const Source all = stacked({numbers(9, 0), numbers(9, 50)});
  const Order order{.batch = 9, .shuffle = true, .seed = 3};
  const at::Tensor data = batches_of(all, order).front().data;
  CHECK((data.select(1, 0) + at::tensor({50.F, -50.F})).equal(data.select(1, 1)));
  CHECK(data.select(1, 0).equal(batches_of(numbers(9, 0), order).front().data));
}

TEST_CASE("stacked: damage that follows a schedule, copies, and data without targets") {
  const regimen::Piecewise rising{.points = {{0, 0}, {2, 1}}, .between = regimen::Between::jump};
  const Source noisy = regimen::frozen(numbers(12, 0), regimen::UniformLabels{.classes = 3, .fraction = rising}, 5);
  const Source all = stacked({noisy, noisy}, {1, 2});
  for (const int epoch : {0, 2}) {
    Order order{.batch = 12, .shuffle = true, .seed = 2};
    order.now.clock.epoch = epoch;
    CHECK(batches_of(all, order).front().target.select(1, 1).equal(batches_of(noisy, order).front().target));
  }
  const Source copies = stacked({regimen::repeat(numbers(5, 0), 2), numbers(10, 7)});
  CHECK_FALSE(batches_of(copies, {}).front().origin.defined());
  const Source bare = stacked({Source(Batch{.data = at::ones({3, 2})}), Source(Batch{.data = at::zeros({3, 2})})});
  CHECK_FALSE(batches_of(bare, {}).front().target.defined());
}

TEST_CASE("stacked: misuse is named") {
  const Source ten = numbers(10, 0);
  check_error([] { (void)stacked({}); }, {"stacked", "at least one"});
  check_error([&] { (void)stacked({ten, ten}, {1}); }, {"seeds.size()", "that of the sources, 2, or 0", "is 1"});
  check_error([&] { (void)stacked({ten, numbers(9, 0)}); }, {"size of source 1", "that of the first, 10", "is 9"});
  check_error([&] { (void)stacked({numbers(0, 0)}); }, {"size of source 0", "at least 1"});
  check_error([&] { (void)stacked({ten, regimen::prefetch(ten)}); }, {"stacked", "indexed"});
  check_error([&] { (void)stacked({ten, Source(Batch{.data = at::ones({10, 3})})}); },
              {"stacked", "one shape and type", "[2] float", "[3] float", "source 1"});
  check_error([&] { (void)regimen::frozen(stacked({ten}), regimen::UniformLabels{.classes = 3, .fraction = 1}, 1); },
              {"id"});
}

}  // namespace stacked_test
