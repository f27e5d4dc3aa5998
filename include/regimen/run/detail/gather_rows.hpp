#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "regimen/share/data_parallel.hpp"

namespace regimen::inline v0::detail {

/// The rows of all processes, one after another. mine [rows[rank], ...]; undefined if this process has none, or if the
/// tensor is undefined on all of them, as is the result then.
inline at::Tensor gather_rows(const DataParallel& share, const at::Tensor& mine, const std::vector<std::int64_t>& rows,
                              const at::Device& device) {
  if (share.size() == 1) {
    return mine;
  }
  // A process without rows does not know their shape.
  constexpr std::int64_t most_dimensions = 8;
  at::Tensor shape = at::zeros({most_dimensions + 2}, at::kLong);
  if (mine.defined()) {
    auto* const numbers = shape.data_ptr<std::int64_t>();
    numbers[0] = mine.dim();
    numbers[1] = static_cast<std::int64_t>(mine.scalar_type());
    detail::require(mine.dim() <= most_dimensions, "RunOptions.share: the dimensions of a batch", "at most 8",
                    mine.dim());
    std::copy(mine.sizes().begin(), mine.sizes().end(), numbers + 2);
  }
  const at::Tensor shapes = share.all_gather(shape.to(device)).cpu();
  const std::int64_t* known = shapes.data_ptr<std::int64_t>();  // of process 0, which has rows if any has
  if (known[0] == 0) {
    return {};
  }
  std::vector<std::int64_t> sizes(known + 2, known + 2 + known[0]);
  sizes[0] = *std::max_element(rows.begin(), rows.end());
  at::Tensor padded = at::zeros(sizes, at::TensorOptions().device(device).dtype(static_cast<at::ScalarType>(known[1])));
  if (mine.defined()) {
    padded.narrow(0, 0, mine.size(0)).copy_(mine);
  }
  const at::Tensor all = share.all_gather(padded);
  std::vector<at::Tensor> parts;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    parts.push_back(all[static_cast<std::int64_t>(i)].narrow(0, 0, rows[i]));
  }
  return at::cat(parts);
}

}  // namespace regimen::inline v0::detail
