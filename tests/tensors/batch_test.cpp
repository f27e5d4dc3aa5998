#include "tensors/support.hpp"

#include <regimen/regimen.hpp>

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

}  // namespace batch_test
