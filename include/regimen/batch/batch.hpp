#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>

#include "regimen/base/error.hpp"

namespace regimen::inline v0 {

/// A mini-batch: N samples and their ids. Row i of every tensor belongs to sample i.
///
/// data    [N, ...]        the network's input; raw bytes are allowed, `Normalize` makes them floating
/// target  [N] int64, or [N, C] or [N] floating; or dense, a value for each pixel: [N, H, W], [N, C, H, W] of any type
/// id      [N] int64, at least 0 and stable for the life of the data: draws depend on it. A Batch that is used as a
///         source without ids gets 0, 1, 2, ...
/// origin  [N] int64, the id in the set that a copy was made from; undefined if nothing was copied
/// extra   further tensors of N rows, by name: masks, second inputs
struct Batch {
  at::Tensor data{};
  at::Tensor target{};
  at::Tensor id{};
  at::Tensor origin{};
  std::map<std::string, at::Tensor> extra{};

  /// The number of samples, N.
  [[nodiscard]] std::int64_t size() const { return data.defined() ? data.size(0) : 0; }

  /// Ids in the original set: `origin` if it is defined, else `id`.
  [[nodiscard]] const at::Tensor& source_id() const { return origin.defined() ? origin : id; }
};

namespace detail {

/// The batch with `change` applied to each defined tensor.
template <class Change>
Batch map_tensors(const Batch& batch, Change&& change) {
  const auto changed = [&](const at::Tensor& tensor) { return tensor.defined() ? change(tensor) : tensor; };
  Batch result{changed(batch.data), changed(batch.target), changed(batch.id), changed(batch.origin)};
  for (const auto& [name, tensor] : batch.extra) {
    result.extra.emplace(name, changed(tensor));
  }
  return result;
}

/// Calls visit(tensor) for each defined tensor.
template <class Visit>
void visit_tensors(const Batch& batch, Visit&& visit) {
  (void)map_tensors(batch, [&](const at::Tensor& tensor) {
    visit(tensor);
    return tensor;
  });
}

}  // namespace detail

/// Rows `begin` to `begin + length - 1`, sharing memory.
[[nodiscard]] inline Batch slice(const Batch& batch, std::int64_t begin, std::int64_t length) {
  return detail::map_tensors(batch, [&](const at::Tensor& tensor) { return tensor.narrow(0, begin, length); });
}

/// The rows of these indices, copied. index [n] int64, on the batch's device.
[[nodiscard]] inline Batch rows(const Batch& batch, const at::Tensor& index) {
  return detail::map_tensors(batch, [&](const at::Tensor& tensor) { return tensor.index_select(0, index); });
}

/// The batch on another device; not copied if it is there already.
[[nodiscard]] inline Batch to(const Batch& batch, const at::Device& device) {
  return detail::map_tensors(batch, [&](const at::Tensor& tensor) { return tensor.to(device, tensor.scalar_type()); });
}

}  // namespace regimen::inline v0
