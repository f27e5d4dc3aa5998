#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "regimen/batch/batch.hpp"
#include "regimen/batch/tensors.hpp"
#include "regimen/source/columns.hpp"
#include "regimen/source/source.hpp"
#include "regimen/tensor/crc32.hpp"

/// Comparison of the targets of samples that two sources share.
namespace regimen::inline v0 {

class Source;

namespace detail {

/// The samples that two sources share.
struct SharedSamples {
  std::int64_t samples = 0;
  std::int64_t with_other_targets = 0;
};

/// Counts the samples that two sources share, and those with different targets. Reads ids and targets of both once, as
/// of the beginning; if targets cannot be compared, both counts are 0. For indexed sources with samples.
inline SharedSamples shared_samples(const Source& one, const Source& other);

/// `shared_samples` for two sources with the same samples at the same indices; compares up to 1,024 of them. If one
/// target in a hundred differs, the probability to find none is 3e-5.
inline SharedSamples shared_at_places(const Source& one, const Source& other);

}  // namespace detail
}  // namespace regimen::inline v0

// Below the declarations, since this header includes their callers.

namespace regimen::inline v0::detail {

/// Checksums of the rows' bytes, [N] int64 on the CPU.
inline at::Tensor row_checksums(const at::Tensor& tensor) {
  const at::Tensor rows = tensor.cpu().contiguous();
  const std::int64_t n = rows.size(0);
  at::Tensor sums = at::empty({n}, at::kLong);
  if (n == 0) {
    return sums;
  }
  const auto* const bytes = static_cast<const char*>(rows.data_ptr());
  const std::size_t length = rows.nbytes() / static_cast<std::size_t>(n);
  auto* const to = sums.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < n; ++i) {
    to[i] = crc32_after(0, bytes + static_cast<std::size_t>(i) * length, length);
  }
  return sums;
}

/// Brings the targets of two sources into one form: labels and soft labels as classes; others with the same number of
/// entries per sample as those numbers, in the less precise of the two types.
class TargetComparison {
 public:
  /// one, other: targets of the two sources.
  TargetComparison(const at::Tensor& one, const at::Tensor& other) {
    if (!one.defined() || !other.defined()) {
      return;
    }
    const auto is_soft = [](const at::Tensor& of) { return of.dim() == 2 && of.is_floating_point() && of.size(1) > 1; };
    by_class_ = (is_labels(one) && is_soft(other)) || (is_soft(one) && is_labels(other));
    const auto numbers_in_row = [](const at::Tensor& of) { return of.numel() / std::max<std::int64_t>(1, of.size(0)); };
    possible_ = by_class_ || numbers_in_row(one) == numbers_in_row(other);
    type_ = narrower(one.scalar_type(), other.scalar_type());
  }

  /// Whether the two kinds of targets can be compared.
  [[nodiscard]] bool possible() const { return possible_; }

  /// Id, source id and comparable target of each sample of a batch from either source, [N] int64 each.
  [[nodiscard]] std::vector<at::Tensor> columns(const Batch& batch) const {
    const at::Tensor& target = batch.target;
    const bool as_class = by_class_ && !is_labels(target);
    return {batch.id, batch.source_id(), as_class ? target.argmax(1) : by_class_ ? target : told_by(target)};
  }

 private:
  /// The less precise of two types: 0.1 differs between float and double. Integers are compared as int64, or in the
  /// other's type if that is floating.
  static at::ScalarType narrower(at::ScalarType one, at::ScalarType other) {
    const auto whole = [](at::ScalarType type) { return at::isIntegralType(type, /*includeBool=*/true); };
    if (whole(one) || whole(other)) {
      return !whole(one) ? one : !whole(other) ? other : at::kLong;
    }
    return c10::elementSize(one) <= c10::elementSize(other) ? one : other;
  }

  [[nodiscard]] at::Tensor told_by(const at::Tensor& target) const {
    const at::Tensor numbers = target.to(type_) + 0;  // + 0 turns -0 into 0, which has other bytes
    return is_labels(numbers) ? numbers : row_checksums(numbers);
  }

  bool possible_ = false;
  bool by_class_ = false;
  at::ScalarType type_ = at::kLong;
};

/// Compares the joined columns of two sources. A sample of `other` is shared if a sample of `one` has its id and source
/// id; that one must have an equal target. It is also shared if only its source id occurs; then one of those copies
/// must have an equal target.
inline SharedSamples count_shared(const std::vector<at::Tensor>& one, const std::vector<at::Tensor>& other) {
  const auto for_each_sample = [](const std::vector<at::Tensor>& columns, const auto& act) {
    const at::Tensor ids = columns[0].contiguous();
    const at::Tensor sources = columns[1].contiguous();
    const at::Tensor values = columns[2].contiguous();
    for (std::int64_t i = 0; i < ids.size(0); ++i) {
      act(ids.data_ptr<std::int64_t>()[i], sources.data_ptr<std::int64_t>()[i], values.data_ptr<std::int64_t>()[i]);
    }
  };
  struct Told {
    std::int64_t source;
    std::int64_t value;
  };
  std::unordered_map<std::int64_t, Told> by_id;
  std::unordered_map<std::int64_t, std::unordered_set<std::int64_t>> by_source;
  for_each_sample(one, [&](std::int64_t id, std::int64_t source, std::int64_t value) {
    by_id.emplace(id, Told{source, value});
    by_source[source].insert(value);
  });
  SharedSamples shared;
  for_each_sample(other, [&](std::int64_t id, std::int64_t source, std::int64_t value) {
    const auto copy = by_id.find(id);
    const auto copies = by_source.find(source);
    const bool same_copy = copy != by_id.end() && copy->second.source == source;
    if (same_copy || copies != by_source.end()) {
      ++shared.samples;
      const bool same_target = same_copy ? copy->second.value == value : copies->second.count(value) == 1;
      shared.with_other_targets += same_target ? 0 : 1;
    }
  });
  return shared;
}

inline SharedSamples shared_samples(const Source& one, const Source& other) {
  const at::Tensor first = at::zeros({1}, at::kLong);
  const TargetComparison comparison(one.get(first).target, other.get(first).target);
  if (!comparison.possible()) {
    return {};
  }
  const auto columns_of = [&](const Source& source) {
    return read_columns(source, {}, [&](const Batch& batch) { return comparison.columns(batch); });
  };
  return count_shared(columns_of(one), columns_of(other));
}

inline SharedSamples shared_at_places(const Source& one, const Source& other) {
  const std::int64_t n = *one.size();
  const std::int64_t looked_at = std::min<std::int64_t>(n, 1024);
  const at::Tensor places =
      (at::arange(looked_at, at::kDouble) * static_cast<double>(n) / static_cast<double>(looked_at)).to(at::kLong);
  const Batch ours = one.get(places);
  const Batch theirs = other.get(places);
  const TargetComparison comparison(ours.target, theirs.target);
  if (!comparison.possible()) {
    return {};
  }
  const auto on_host = [](std::vector<at::Tensor> columns) {
    for (at::Tensor& column : columns) {
      column = column.cpu();
    }
    return columns;
  };
  return count_shared(on_host(comparison.columns(ours)), on_host(comparison.columns(theirs)));
}

}  // namespace regimen::inline v0::detail
