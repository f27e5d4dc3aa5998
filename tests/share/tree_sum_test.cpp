#include "support/tensors.hpp"

#include "support/errors.hpp"
#include "support/processes.hpp"

#include <regimen/share.hpp>

namespace {

namespace rg = regimen;

/// Numbers whose sum depends on the order in which they are added: of very different sizes.
at::Tensor terms(std::int64_t rows, std::int64_t columns) {
  torch::manual_seed(2);
  return torch::randn({rows, columns}) * torch::pow(10, 6 * torch::rand({rows, columns}));
}

}  // namespace

TEST_CASE("tree_sum: pairs, then pairs of pairs", "[share]") {
  const at::Tensor x = terms(8, 50);
  const at::Tensor right = ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7]));
  CHECK(torch::equal(rg::detail::tree_sum(x), right));
  CHECK_FALSE(torch::equal(right, x[0] + x[1] + x[2] + x[3] + x[4] + x[5] + x[6] + x[7]));
  rg::detail::TreeSum sum;
  for (std::int64_t i = 0; i < 8; ++i) {
    sum.add(x[i].clone());
  }
  CHECK(torch::equal(sum.take(), right));
}

TEST_CASE("sum_over_processes: the same bits on each, for any number of them", "[share]") {
  const at::Tensor x = terms(8, 103);  // 103: no multiple of a number of processes
  const at::Tensor right = rg::detail::tree_sum(x);
  for (const int count : {1, 2, 4, 8}) {
    CAPTURE(count);
    for (const std::string& each : processes::in_processes(count, [&](const processes::Group& group) {
           const rg::DataParallel share(group);
           rg::detail::TreeSum own;
           for (int i = 0; i < share.own_shards(); ++i) {
             own.add(x[share.first_shard() + i].clone());
           }
           const at::Tensor sum = rg::detail::sum_over_processes(share, own.take(), "a sum");
           return std::string(torch::equal(sum, right) ? "equal" : "different");
         })) {
      CHECK(each == "equal");
    }
  }
}

TEST_CASE("DataParallel: processes and shards are powers of two", "[share]") {
  const auto of = [](int rank, int size, int shards) {
    rg::DataParallel(processes::Group{nullptr, rank, size}, shards);
  };
  check_error([&] { of(0, 3, 8); }, {"number of processes", "power of two of at most 8", "is 3"});
  check_error([&] { of(0, 16, 8); }, {"at most 8", "is 16"});
  check_error([&] { of(0, 2, 6); }, {"DataParallel.shards", "power of two", "is 6"});
  check_error([&] { of(0, 2, 0); }, {"DataParallel.shards", "is 0"});
  check_error([&] { of(2, 2, 8); }, {"rank", "[0, 2)", "is 2"});
  CHECK_NOTHROW(of(15, 16, 16));
  CHECK_FALSE(rg::DataParallel());
  CHECK(rg::DataParallel(rg::Alone{}));
}
