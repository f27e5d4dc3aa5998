#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "regimen/batch/batch.hpp"
#include "regimen/batch/tensors.hpp"
#include "regimen/key/key.hpp"
#include "regimen/tensor/described.hpp"

/// Checks and conversions of targets that transforms of targets share.
namespace regimen::inline v0::detail {

/// Throws Error unless targets are [N] int64. Checked where labels are used: in the loss a wrong one would show as a
/// crash or not at all.
inline void require_labels(const Batch& batch, const std::string& who) {
  if (!is_labels(batch.target)) {
    throw Error(who + " takes targets of [N] int64, not " + described(batch.target));
  }
}

/// Throws Error unless targets are [N] int64 and, on the CPU, in [0, classes). Other devices would have to be waited
/// for.
inline void require_labels_below(const Batch& batch, std::int64_t classes, const std::string& who) {
  require_labels(batch, who);
  if (!batch.target.device().is_cpu()) {
    return;
  }
  const at::Tensor in_line = batch.target.contiguous();
  const auto* const label = in_line.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < in_line.size(0); ++i) {
    if (label[i] < 0 || label[i] >= classes) {
      require(false, who + ": a label", "in [0, " + text(classes) + ")", label[i]);
    }
  }
}

inline void require_floating_target(const Batch& batch, const std::string& who) {
  if (!batch.target.defined() || !batch.target.is_floating_point()) {
    throw Error(who + " takes floating targets, not " + described(batch.target));
  }
}

/// One-hot rows, [N, classes] float, of labels in [0, classes). Unlike at::one_hot, does not wait for the device.
inline at::Tensor one_hot_rows(const at::Tensor& labels, std::int64_t classes) {
  const at::Tensor zeros = at::zeros({labels.size(0), classes}, labels.options().dtype(at::kFloat));
  return zeros.scatter(1, labels.unsqueeze(1), 1);
}

/// Labels as one-hot distributions, [N, classes] float; floating targets unchanged.
inline at::Tensor soft_target(const Batch& batch, std::int64_t classes, const std::string& who) {
  if (batch.target.defined() && batch.target.is_floating_point()) {
    return batch.target;
  }
  require(classes >= 2, who + ".classes", "at least 2 where targets are labels", classes);
  require_labels_below(batch, classes, who);
  return one_hot_rows(batch.target, classes);
}

/// values [N] in the shape [N, 1, ..., 1] that broadcasts to `like`.
inline at::Tensor weights_by_row(const at::Tensor& values, const at::Tensor& like) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(like.dim()), 1);
  sizes[0] = -1;
  return values.view(sizes);
}

/// Uniform numbers, [N] double in [0, 1), multiples of 2^-53: for probabilities that must be more precise than 2^-24.
inline at::Tensor fine_uniform(const Key& key) {
  constexpr std::int64_t kept = (std::int64_t{1} << 53) - 1;  // masks the copies of the sign bit
  return key.bits(1).flatten().bitwise_right_shift(11).bitwise_and(kept).to(at::kDouble) * 0x1p-53;
}

}  // namespace regimen::inline v0::detail
