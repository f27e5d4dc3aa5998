#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "regimen/batch/batch.hpp"

namespace regimen::inline v0::detail {

/// Joins batches, at least one, tensor by tensor: combine(tensors) gets the parts' tensors of one field, in order.
/// Fields that the first part lacks stay undefined.
template <class Combine>
Batch combined(const std::vector<Batch>& parts, const Combine& combine) {
  const auto one = [&](const auto& field) {
    std::vector<at::Tensor> tensors;
    for (const Batch& part : parts) {
      tensors.push_back(field(part));
    }
    return tensors.front().defined() ? combine(tensors) : at::Tensor();
  };
  Batch all{one([](const Batch& b) { return b.data; }), one([](const Batch& b) { return b.target; }),
            one([](const Batch& b) { return b.id; }), one([](const Batch& b) { return b.origin; })};
  for (const auto& entry : parts.front().extra) {
    all.extra.emplace(entry.first, one([&](const Batch& b) { return b.extra.at(entry.first); }));
  }
  return all;
}

}  // namespace regimen::inline v0::detail
