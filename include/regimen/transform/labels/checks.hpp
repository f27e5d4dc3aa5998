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

/// What transforms of targets ask of the targets that they are given, and what several of them do.
namespace regimen::inline v0::detail {

/// Labels must be checked where they are used: a wrong one would only show as a crash, or not at all, in the loss.
inline void require_labels(const Batch& batch, const std::string& who) {
  if (!is_labels(batch.target)) {
    throw Error(who + " takes targets of [N] int64, not " + described(batch.target));
  }
}

/// The same, and on the CPU that they are in [0, classes): on other devices looking would mean to wait.
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

/// [N, classes] float: 1 on the label, which must be in [0, classes). at::one_hot looks, and a device would be waited
/// for.
inline at::Tensor one_hot_rows(const at::Tensor& labels, std::int64_t classes) {
  const at::Tensor zeros = at::zeros({labels.size(0), classes}, labels.options().dtype(at::kFloat));
  return zeros.scatter(1, labels.unsqueeze(1), 1);
}

/// [N, classes] float: labels as distributions, all of each on its label. Floating targets as they are.
inline at::Tensor soft_target(const Batch& batch, std::int64_t classes, const std::string& who) {
  if (batch.target.defined() && batch.target.is_floating_point()) {
    return batch.target;
  }
  require(classes >= 2, who + ".classes", "at least 2 where targets are labels", classes);
  require_labels_below(batch, classes, who);
  return one_hot_rows(batch.target, classes);
}

/// values [N], of the shape [N, 1, ..., 1] that goes with `like`.
inline at::Tensor weights_by_row(const at::Tensor& values, const at::Tensor& like) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(like.dim()), 1);
  sizes[0] = -1;
  return values.view(sizes);
}

/// [N] double in [0, 1), a multiple of 2^-53: for probabilities that must be met better than to 2^-24.
inline at::Tensor fine_uniform(const Key& key) {
  constexpr std::int64_t kept = (std::int64_t{1} << 53) - 1;  // LibTorch shifts int64 with its sign
  return key.bits(1).flatten().bitwise_right_shift(11).bitwise_and(kept).to(at::kDouble) * 0x1p-53;
}

}  // namespace regimen::inline v0::detail
