#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/constant_pad_nd.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "regimen/share/data_parallel.hpp"

namespace regimen::inline v0::detail {

/// The sum of the rows of a tensor, [2^k, n], in one binary tree: ((0 + 1) + (2 + 3)) + ... The result is [n].
inline at::Tensor tree_sum(at::Tensor rows) {
  while (rows.size(0) > 1) {
    const at::Tensor pairs = rows.view({rows.size(0) / 2, 2, -1});
    rows = pairs.select(1, 0) + pairs.select(1, 1);
  }
  return rows.select(0, 0);
}

/// A sum whose terms come one after another, in the tree of `tree_sum`: only as many partial sums are kept as the tree
/// is high. Takes 2^k terms.
class TreeSum {
 public:
  void add(at::Tensor term) {
    int height = 0;
    while (!parts_.empty() && parts_.back().height == height) {
      term = parts_.back().sum.add_(term);
      parts_.pop_back();
      ++height;
    }
    parts_.push_back({std::move(term), height});
  }

  /// The sum of all terms; forgets them.
  [[nodiscard]] at::Tensor take() {
    at::Tensor sum = std::move(parts_.front().sum);
    parts_.clear();
    return sum;
  }

 private:
  struct Part {
    at::Tensor sum;
    int height = 0;  ///< a sum of 2^height terms
  };

  std::vector<Part> parts_;
};

/// The sum of a tensor [n] over the processes, with the same bits on each of them. `what`: see
/// DataParallel::all_gather.
inline at::Tensor sum_over_processes(const DataParallel& share, const at::Tensor& mine, const char* what) {
  const std::int64_t size = share.size();
  if (size == 1) {
    return mine;
  }
  if (size == 2 || static_cast<std::int64_t>(mine.nbytes()) <= MessageHead::room) {  // one message instead of two
    return tree_sum(share.all_gather(mine, what));
  }
  // Each process adds up one part of the tensor, for all.
  const std::int64_t part = (mine.numel() + size - 1) / size;
  const at::Tensor padded = at::constant_pad_nd(mine, {0, part * size - mine.numel()});
  const at::Tensor sum = tree_sum(share.exchange(padded.view({size, part}), what));
  return share.all_gather(sum, what).view({-1}).narrow(0, 0, mine.numel());
}

}  // namespace regimen::inline v0::detail
