#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "regimen/base/error.hpp"
#include "regimen/source/source.hpp"

/// A check for NaN and infinities in the data: divergence is a result, bad data are a mistake that looks like it.
namespace regimen::inline v0 {

namespace detail {

/// Throws Error with the first sample whose row of the tensor is not finite. Integer tensors, and tensors without a row
/// for each sample, are skipped.
inline void require_finite_rows(const Batch& batch, const at::Tensor& part, const std::string& name,
                                const std::string& saying) {
  const bool has_rows = part.defined() && part.dim() > 0 && part.size(0) == batch.size();
  if (!has_rows || !(part.is_floating_point() || part.is_complex())) {
    return;
  }
  const at::Tensor bad = part.reshape({batch.size(), -1}).isfinite().all(1).logical_not().nonzero();
  if (bad.numel() > 0) {
    const auto id = batch.id[bad[0].item<std::int64_t>()].item<std::int64_t>();
    throw Error(saying + name + " of sample " + text(id));
  }
}

}  // namespace detail

/// Throws Error with the first sample that is not finite in data, targets or extra; `saying`: the begin of its text.
/// Reads the source, which must have an end, once.
///     regimen::require_finite(train);    // "NaN or infinite are the data of sample 13"
inline void require_finite(const Source& data, const std::string& saying = "NaN or infinite are ") {
  const Cursor next = data.read({});
  for (Batch batch = next(); batch.size() > 0; batch = next()) {
    detail::require_finite_rows(batch, batch.data, "the data", saying);
    detail::require_finite_rows(batch, batch.target, "the targets", saying);
    for (const auto& [name, tensor] : batch.extra) {
      detail::require_finite_rows(batch, tensor, "extra[\"" + name + "\"]", saying);
    }
  }
}

}  // namespace regimen::inline v0
