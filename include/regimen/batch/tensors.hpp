#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>

#include "regimen/base/error.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0::detail {

/// A copy of the batch with other data.
inline Batch with_data(const Batch& batch, at::Tensor data) {
  Batch result = batch;
  result.data = std::move(data);
  return result;
}

/// A copy of the batch with other targets.
inline Batch with_target(const Batch& batch, at::Tensor target) {
  Batch result = batch;
  result.target = std::move(target);
  return result;
}

/// The batch with each tensor that a transform may change (data, target and extra) replaced by `change(of)`, where
/// of(other) is that tensor of another batch. An undefined target stays undefined.
template <class Change>
Batch change_parts(const Batch& batch, const Change& change) {
  Batch result = batch;
  result.data = change([](const Batch& of) -> const at::Tensor& { return of.data; });
  if (batch.target.defined()) {
    result.target = change([](const Batch& of) -> const at::Tensor& { return of.target; });
  }
  for (auto& [name, tensor] : result.extra) {
    if (tensor.defined()) {
      tensor = change([&key = name](const Batch& of) -> const at::Tensor& { return of.extra.at(key); });
    }
  }
  return result;
}

/// Whether targets are labels, [N] int64.
inline bool is_labels(const at::Tensor& target) {
  return target.defined() && target.dim() == 1 && target.scalar_type() == at::kLong;
}

/// Throws Error unless `after` has the shapes and types of `before`, so that rows of the two can be combined.
inline void require_same_kind(const Batch& before, const Batch& after, const std::string& who) {
  const auto require_same = [&](const at::Tensor& one, const at::Tensor& other, const std::string& name) {
    const bool both = one.defined() && other.defined();
    if (both ? one.scalar_type() != other.scalar_type() || one.sizes() != other.sizes()
             : one.defined() != other.defined()) {
      throw Error(who + " takes transforms that keep shape and type; this one turned " + name + described(one) +
                  " into " + described(other));
    }
  };
  require_same(before.data, after.data, "");
  require_same(before.target, after.target, before.target.defined() ? "" : "a target that is ");
  for (const auto& [name, tensor] : before.extra) {
    const auto found = after.extra.find(name);
    require_same(tensor, found == after.extra.end() ? at::Tensor() : found->second, "extra[\"" + name + "\"], ");
  }
  if (after.extra.size() != before.extra.size()) {
    throw Error(who + " takes transforms that keep shape and type; this one added tensors to the " +
                text(before.extra.size()) + " in extra");
  }
}

}  // namespace regimen::inline v0::detail
