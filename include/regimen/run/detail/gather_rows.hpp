#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/share/data_parallel.hpp"

namespace regimen::inline v0::detail {

/// The rows of all processes, one after another. mine [rows, ...]; undefined if this process has none, or if the tensor
/// is undefined on all of them, as is the result then.
inline at::Tensor gather_rows(const DataParallel& share, const at::Tensor& mine, const at::Device& device) {
  if (share.size() == 1) {
    return mine;
  }
  // A process without rows does not know their shape: number of dimensions, type, sizes.
  constexpr std::int64_t most_dimensions = 8;
  at::Tensor shape = at::zeros({most_dimensions + 2}, at::kLong);
  if (mine.defined()) {
    auto* const numbers = shape.data_ptr<std::int64_t>();
    require(mine.dim() >= 1 && mine.dim() <= most_dimensions, "RunOptions.share: the dimensions of a batch",
            "1 to 8, for an observer of steps sees the batches of all processes", mine.dim());
    numbers[0] = mine.dim();
    numbers[1] = static_cast<std::int64_t>(mine.scalar_type());
    std::copy(mine.sizes().begin(), mine.sizes().end(), numbers + 2);
  }
  const at::Tensor shapes = share.all_gather(shape.to(device), "rows for an observer of steps").cpu();
  const std::int64_t* first = shapes.data_ptr<std::int64_t>();  // of process 0, which has rows if any has
  if (first[0] == 0) {
    return {};
  }
  std::vector<std::int64_t> sizes(first + 2, first + 2 + first[0]);
  std::vector<std::int64_t> rows;
  for (std::int64_t rank = 0; rank < share.size(); ++rank) {
    const std::int64_t* const known = first + rank * (most_dimensions + 2);
    if (known[0] != 0 && (known[0] != first[0] || known[1] != first[1] ||
                          !std::equal(known + 3, known + 2 + known[0], sizes.begin() + 1))) {
      throw Error(
          "RunOptions.share: an observer of steps sees the outputs of all processes one after another, but those "
          "of process " +
          text(rank) + " have other sizes, beside the first, than those of process 0");
    }
    rows.push_back(known[0] == 0 ? 0 : known[2]);
  }
  sizes[0] = *std::max_element(rows.begin(), rows.end());
  at::Tensor padded = at::zeros(sizes, at::TensorOptions().device(device).dtype(static_cast<at::ScalarType>(first[1])));
  if (mine.defined()) {
    padded.narrow(0, 0, mine.size(0)).copy_(mine);
  }
  const at::Tensor all = share.all_gather(padded, "rows for an observer of steps");
  std::vector<at::Tensor> parts;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    parts.push_back(all[static_cast<std::int64_t>(i)].narrow(0, 0, rows[i]));
  }
  return at::cat(parts);
}

}  // namespace regimen::inline v0::detail
