#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "regimen/base/error.hpp"
#include "regimen/source/source.hpp"

/// A check for NaN and infinities in the data: divergence is a result, bad data are a mistake that looks like it.
namespace regimen::inline v0::detail {

/// Throws Error with the first sample whose row of the tensor is not finite. Integer tensors, and tensors without a row
/// for each sample, are skipped.
inline void require_finite(const Batch& batch, const at::Tensor& part, const std::string& name) {
  const bool has_rows = part.defined() && part.dim() > 0 && part.size(0) == batch.size();
  if (!has_rows || !(part.is_floating_point() || part.is_complex())) {
    return;
  }
  const at::Tensor bad = part.reshape({batch.size(), -1}).isfinite().all(1).logical_not().nonzero();
  if (bad.numel() > 0) {
    const auto id = batch.id[bad[0].item<std::int64_t>()].item<std::int64_t>();
    throw Error("the training loss is NaN or infinite, and so are " + name + " of sample " + text(id));
  }
}

/// Throws Error with the first sample that is not finite in data, targets or extra.
inline void require_finite(const Source& data) {
  const Cursor next = data.read({});
  for (Batch batch = next(); batch.size() > 0; batch = next()) {
    require_finite(batch, batch.data, "the data");
    require_finite(batch, batch.target, "the targets");
    for (const auto& [name, tensor] : batch.extra) {
      require_finite(batch, tensor, "extra[\"" + name + "\"]");
    }
  }
}

}  // namespace regimen::inline v0::detail
