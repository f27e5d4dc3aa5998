#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "regimen/batch.hpp"
#include "regimen/detail/batch_parts.hpp"

// Of what is read of two sources: source.hpp includes what includes this.

/// Whether two sources tell the same of the samples that both have.
namespace regimen::inline v0::detail {

/// [N] int64, on the CPU: a number of each row's bytes, the same for the same rows.
inline at::Tensor row_checksums(const at::Tensor& tensor) {
  const at::Tensor rows = tensor.cpu().contiguous();
  const std::int64_t n = rows.size(0);
  at::Tensor sums = at::empty({n}, at::kLong);
  if (n == 0) {
    return sums;
  }
  const auto* const bytes = static_cast<const Bytef*>(rows.data_ptr());
  const std::size_t length = rows.nbytes() / static_cast<std::size_t>(n);
  auto* const to = sums.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < n; ++i) {
    to[i] = static_cast<std::int64_t>(::crc32_z(0, bytes + static_cast<std::size_t>(i) * length, length));
  }
  return sums;
}

/// Targets of two sources side by side: labels and soft labels by the class that they are for, others of one shape and
/// type by all their numbers.
class TargetComparison {
 public:
  /// Of targets as the two sources have them.
  TargetComparison(const at::Tensor& one, const at::Tensor& other) {
    if (!one.defined() || !other.defined()) {
      return;
    }
    const auto is_soft = [](const at::Tensor& of) { return of.dim() == 2 && of.is_floating_point() && of.size(1) > 1; };
    by_class_ = (is_labels(one) && is_soft(other)) || (is_soft(one) && is_labels(other));
    possible_ = by_class_ || (one.scalar_type() == other.scalar_type() && one.sizes() == other.sizes());
  }

  /// Whether the two can be compared at all.
  [[nodiscard]] bool possible() const { return possible_; }

  /// Of a batch of either: id and what its target is told by, [N] int64 both.
  [[nodiscard]] std::vector<at::Tensor> columns(const Batch& batch) const {
    const at::Tensor target = by_class_ && !is_labels(batch.target) ? batch.target.argmax(1) : batch.target;
    return {batch.id, is_labels(target) ? target : row_checksums(target)};
  }

 private:
  bool possible_ = false;
  bool by_class_ = false;
};

/// Of the samples that two sources have, by their ids.
struct SharedSamples {
  std::int64_t samples = 0;
  std::int64_t with_other_targets = 0;
};

/// From the joined columns of both.
inline SharedSamples count_shared(const std::vector<at::Tensor>& one, const std::vector<at::Tensor>& other) {
  const auto for_each_sample = [](const std::vector<at::Tensor>& columns, const auto& act) {
    const at::Tensor ids = columns[0].contiguous();
    const at::Tensor values = columns[1].contiguous();
    for (std::int64_t i = 0; i < ids.size(0); ++i) {
      act(ids.data_ptr<std::int64_t>()[i], values.data_ptr<std::int64_t>()[i]);
    }
  };
  std::unordered_map<std::int64_t, std::int64_t> told;
  for_each_sample(one, [&](std::int64_t id, std::int64_t value) { told.emplace(id, value); });
  SharedSamples shared;
  for_each_sample(other, [&](std::int64_t id, std::int64_t value) {
    const auto found = told.find(id);
    if (found != told.end()) {
      ++shared.samples;
      shared.with_other_targets += found->second != value ? 1 : 0;
    }
  });
  return shared;
}

}  // namespace regimen::inline v0::detail
