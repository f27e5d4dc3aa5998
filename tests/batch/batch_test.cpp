#include "support/tensors.hpp"

#include <regimen/regimen.hpp>

#include "regimen/batch/require_rows.hpp"

namespace batch_test {

namespace {

regimen::Batch full_batch() {
  return {at::arange(12, at::kFloat).view({4, 3}),
          longs({3, 1, 4, 1}),
          longs({10, 11, 12, 13}),
          longs({0, 1, 0, 1}),
          {{"mask", at::tensor({1, 0, 0, 1}, at::kByte)}, {"second", at::arange(8, at::kDouble).view({4, 2})}}};
}

}  // namespace

TEST_CASE("batch: its size is the number of rows, and 0 without data") {
  CHECK(full_batch().size() == 4);
  CHECK(regimen::Batch{}.size() == 0);
  CHECK(regimen::Batch{.data = at::zeros({0, 3})}.size() == 0);
}

TEST_CASE("batch: the source's id is the origin where there is one, else the id") {
  regimen::Batch batch = full_batch();
  CHECK(batch.source_id().is_same(batch.origin));
  batch.origin = at::Tensor();
  CHECK(batch.source_id().is_same(batch.id));
}

TEST_CASE("batch: a slice holds these rows of every tensor, in the same memory") {
  const regimen::Batch batch = full_batch();
  const regimen::Batch part = regimen::slice(batch, 1, 2);
  const regimen::Batch expected{
      at::tensor({3., 4., 5., 6., 7., 8.}, at::kFloat).view({2, 3}),
      longs({1, 4}),
      longs({11, 12}),
      longs({1, 0}),
      {{"mask", at::tensor({0, 0}, at::kByte)}, {"second", at::tensor({2., 3., 4., 5.}, at::kDouble).view({2, 2})}}};
  CHECK(same(part, expected));
  CHECK(part.data.data_ptr<float>() == batch.data.data_ptr<float>() + 3);
  CHECK(part.target.data_ptr<std::int64_t>() == batch.target.data_ptr<std::int64_t>() + 1);
}

TEST_CASE("batch: rows are copies of the named rows of every tensor, in the named order") {
  const regimen::Batch batch = full_batch();
  const regimen::Batch chosen = regimen::rows(batch, longs({2, 0, 2}));
  CHECK(chosen.target.equal(longs({4, 3, 4})));
  CHECK(chosen.id.equal(longs({12, 10, 12})));
  CHECK(chosen.origin.equal(longs({0, 0, 0})));
  CHECK(chosen.data.select(1, 0).equal(at::tensor({6., 0., 6.}, at::kFloat)));
  CHECK(chosen.extra.at("mask").equal(at::tensor({0, 1, 0}, at::kByte)));
  CHECK(chosen.extra.at("second").select(1, 1).equal(at::tensor({5., 1., 5.}, at::kDouble)));

  chosen.data.zero_();
  CHECK(same(batch, full_batch()));
  CHECK(same(regimen::rows(batch, at::arange(1, 3, at::kLong)), regimen::slice(batch, 1, 2)));
}

TEST_CASE("batch: what is undefined stays undefined") {
  const regimen::Batch batch{.data = at::zeros({3, 2})};
  for (const regimen::Batch& made :
       {regimen::slice(batch, 0, 2), regimen::rows(batch, longs({1})), regimen::to(batch, at::Device(at::kCPU))}) {
    CHECK(made.data.defined());
    CHECK_FALSE(made.target.defined());
    CHECK_FALSE(made.id.defined());
    CHECK_FALSE(made.origin.defined());
    CHECK(made.extra.empty());
  }
}

TEST_CASE("batch: a move to where it already is copies nothing") {
  const regimen::Batch batch = full_batch();
  const regimen::Batch moved = regimen::to(batch, at::Device(at::kCPU));
  CHECK(moved.data.is_same(batch.data));
  CHECK(moved.target.is_same(batch.target));
  CHECK(moved.extra.at("mask").is_same(batch.extra.at("mask")));
  CHECK(same(moved, batch));
}

TEST_CASE("require_rows: a batch whose tensors all have the rows passes, what may be missing left out") {
  int asked = 0;
  const auto who = [&] {
    ++asked;
    return std::string("the transform lambda");
  };
  const auto require_rows = [&](const regimen::Batch& batch, std::int64_t rows) {
    regimen::detail::require_rows(batch, rows, who, "one a sample");
  };
  CHECK_NOTHROW(require_rows(full_batch(), 4));
  CHECK_NOTHROW(require_rows({.data = at::zeros({4, 3}), .id = longs({0, 1, 2, 3})}, 4));
  CHECK_NOTHROW(require_rows({.data = at::zeros({0, 3}), .id = at::zeros({0}, at::kLong)}, 0));
  regimen::Batch batch = full_batch();
  batch.extra["none"] = at::Tensor();
  CHECK_NOTHROW(require_rows(batch, 4));
  CHECK(asked == 0);  // every batch comes through here: no text is made of one that is right
}

TEST_CASE("require_rows: an Error says whose batch it is, what the rows are, and which tensor has others") {
  const auto message = [](const auto& change, std::int64_t rows = 4) {
    regimen::Batch batch = full_batch();
    change(batch);
    return error_of([&] {
      regimen::detail::require_rows(batch, rows, [] { return std::string("the source Mine"); }, "one a place");
    });
  };
  using regimen::Batch;
  CHECK(message([](Batch& batch) { batch.data = at::zeros({3, 2}); }) ==
        "the source Mine must give 4 rows, one a place, but its data is [3, 2] float");
  CHECK(message([](Batch& batch) {
          batch.target = longs({1, 2, 3, 4, 5});
        }).find("the source Mine must give 4 rows, one a place, but its target is [5] long") == 0);
  CHECK(message([](Batch& batch) { batch.id = longs({1}); }).find("its id is [1] long") != std::string::npos);
  CHECK(message([](Batch& batch) { batch.origin = longs({}); }).find("its origin is [0] long") != std::string::npos);
  CHECK(message([](Batch& batch) { batch.extra["mask"] = at::zeros({2}); }).find("its extra[\"mask\"] is [2] float") !=
        std::string::npos);
  // A number is no row of anything, though one is asked for; data and ids must be there.
  CHECK(message([](Batch& batch) { batch = {.data = at::zeros({}), .id = longs({1})}; }, 1).find("its data is") !=
        std::string::npos);
  CHECK(message([](Batch& batch) { batch.data = at::Tensor(); }).find("its data is") != std::string::npos);
  CHECK(message([](Batch& batch) { batch.id = at::Tensor(); }).find("its id is") != std::string::npos);
}

}  // namespace batch_test
