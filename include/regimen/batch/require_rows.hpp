#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "regimen/base/error.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/batch/tensors.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0::detail {

/// Throws Error unless data, ids and all other tensors of a batch have `rows` rows. who() names the batch's maker, "the
/// transform lambda"; `why` explains the number of rows. `who` is a function since every batch is checked here, and no
/// text should be made without an error.
template <class Who>
void require_rows(const Batch& batch, std::int64_t rows, const Who& who, const char* why) {
  const auto has_rows = [rows](const at::Tensor& tensor) { return tensor.dim() > 0 && tensor.size(0) == rows; };
  const auto fail = [&](const at::Tensor& tensor, const std::string& name) {
    throw Error(who() + " must give " + text(rows) + " rows, " + why + ", but its " + name + " is " +
                described(tensor));
  };
  const auto check = [&](const at::Tensor& tensor, const char* name, bool optional) {
    if (tensor.defined() ? !has_rows(tensor) : !optional) {
      fail(tensor, name);
    }
  };
  check(batch.data, "data", false);
  check(batch.target, "target", true);
  check(batch.id, "id", false);
  check(batch.origin, "origin", true);
  for (const auto& [name, tensor] : batch.extra) {
    if (tensor.defined() && !has_rows(tensor)) {
      fail(tensor, "extra[\"" + name + "\"]");
    }
  }
}

}  // namespace regimen::inline v0::detail
