#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "regimen/batch.hpp"
#include "regimen/detail/batch_parts.hpp"
#include "regimen/error.hpp"

namespace regimen::inline v0::detail {

/// Throws Error unless data, ids and all other tensors of a batch have `rows` rows. who(): whose batch it is, "the
/// transform lambda"; why: what the rows are to be.
template <class Who>
void require_rows(const Batch& batch, std::int64_t rows, const Who& who, const std::string& why) {
  const auto check = [&](const at::Tensor& tensor, const std::string& name, bool optional) {
    if (optional && !tensor.defined()) {
      return;
    }
    if (!tensor.defined() || tensor.dim() == 0 || tensor.size(0) != rows) {
      throw Error(who() + " must give " + text(rows) + " rows, " + why + ", but its " + name + " is " +
                  described(tensor));
    }
  };
  check(batch.data, "data", false);
  check(batch.target, "target", true);
  check(batch.id, "id", false);
  check(batch.origin, "origin", true);
  for (const auto& [name, tensor] : batch.extra) {
    check(tensor, "extra[\"" + name + "\"]", true);
  }
}

}  // namespace regimen::inline v0::detail
