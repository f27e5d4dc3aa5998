#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <zlib.h>

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

/// Whether two sources tell the same of the samples that both have.
namespace regimen::inline v0 {

class Source;

namespace detail {

/// Of the samples that two sources have.
struct SharedSamples {
  std::int64_t samples = 0;
  std::int64_t with_other_targets = 0;
};

/// Reads ids and targets of both once, as they are at the beginning; what cannot be compared is not counted at all. For
/// indexed sources with samples.
inline SharedSamples shared_samples(const Source& one, const Source& other);

/// `shared_samples` for two sources that have the same samples at the same places: it compares up to 1,024 places. If
/// one target in a hundred differs, all that it looks at are equal with a probability of 3e-5.
inline SharedSamples shared_at_places(const Source& one, const Source& other);

}  // namespace detail
}  // namespace regimen::inline v0

// Behind the declarations: it includes what calls them.

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

/// Targets of two sources side by side: labels and soft labels by the class that they are for, others of as many
/// numbers by all of these, in the type of the two that holds less.
class TargetComparison {
 public:
  /// Of targets as the two sources have them.
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

  /// Whether the two can be compared at all.
  [[nodiscard]] bool possible() const { return possible_; }

  /// Of a batch of either: id, source id and what its target is told by, [N] int64 all of them.
  [[nodiscard]] std::vector<at::Tensor> columns(const Batch& batch) const {
    const at::Tensor& target = batch.target;
    const bool as_class = by_class_ && !is_labels(target);
    return {batch.id, batch.source_id(), as_class ? target.argmax(1) : by_class_ ? target : told_by(target)};
  }

 private:
  /// 0.1 is another number in float than in double: both are compared in the type that holds less. Whole numbers are
  /// compared as int64, and as floating ones where the other's are.
  static at::ScalarType narrower(at::ScalarType one, at::ScalarType other) {
    const auto whole = [](at::ScalarType type) { return at::isIntegralType(type, /*includeBool=*/true); };
    if (whole(one) || whole(other)) {
      return !whole(one) ? one : !whole(other) ? other : at::kLong;
    }
    return c10::elementSize(one) <= c10::elementSize(other) ? one : other;
  }

  [[nodiscard]] at::Tensor told_by(const at::Tensor& target) const {
    const at::Tensor numbers = target.to(type_) + 0;  // of -0 it makes 0, the same number in other bytes
    return is_labels(numbers) ? numbers : row_checksums(numbers);
  }

  bool possible_ = false;
  bool by_class_ = false;
  at::ScalarType type_ = at::kLong;
};

/// From the joined columns of both. A sample of the other source is shared where one of the first has its id and its
/// source id, which must be told by the same; else where it has its source id, by copies of which some must.
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
