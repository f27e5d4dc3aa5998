#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "regimen/batch/tensors.hpp"
#include "regimen/source/columns.hpp"
#include "regimen/source/source.hpp"
#include "regimen/tensor/described.hpp"

/// The clean sample that a sample came from: the partner of the comparisons in `label_noise`, `touched` and
/// `split_by_noise`.
namespace regimen::inline v0::detail {

/// An error: two sources cannot be compared, and why.
class NotComparable : public Error {
 public:
  using Error::Error;
};

/// Ids and source ids of the samples of a source, in its order, on the CPU.
struct Names {
  at::Tensor id;         ///< [n] int64
  at::Tensor source_id;  ///< [n] int64
};

/// Ids, source ids and labels of the samples of a source.
struct Labelled {
  Names names;
  at::Tensor label;  ///< [n] int64
};

/// Reads a source once, as of this moment. Throws NotComparable unless it ends, has samples, and its targets, called
/// `what` in errors, are labels.
inline Labelled labelled(const Source& source, const Moment& now, const std::string& who, const std::string& what) {
  if (!source.defined() || !source.size()) {
    throw NotComparable(who + " takes two sources that end");
  }
  const std::vector<at::Tensor> columns = read_columns(source, now, [&](const Batch& batch) {
    if (!is_labels(batch.target)) {
      throw NotComparable(who + " takes " + what + " of [N] int64, not " + described(batch.target));
    }
    return std::vector<at::Tensor>{batch.id, batch.source_id(), batch.target};
  });
  if (columns.empty()) {
    throw NotComparable(who + " takes sources with at least one sample");
  }
  return {{columns[0], columns[1]}, columns[2]};
}

/// The samples of a clean source, to look up those that other samples came from.
///
/// A sample came from the clean sample with its id and origin if there is one. Otherwise it is a copy, and came from
/// the one clean sample of its origin; if there are several, themselves copies, it cannot be told from which.
class CleanSamples {
 public:
  CleanSamples(const Names& clean, std::string who) : who_(std::move(who)) {
    const std::vector<std::int64_t> ids = numbers(clean.id);
    const std::vector<std::int64_t> origins = numbers(clean.source_id);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto place = static_cast<std::int64_t>(i);
      by_id_.emplace(ids[i], Sample{place, origins[i]});
      const bool first = by_origin_.emplace(origins[i], place).second;
      if (!first) {
        by_origin_[origins[i]] = several;
      }
    }
  }

  /// The indices of the clean samples that these samples came from, [N] int64 on the CPU. Throws NotComparable for a
  /// sample with none or several.
  [[nodiscard]] at::Tensor places_of(const Names& samples) const {
    const std::vector<std::int64_t> ids = numbers(samples.id);
    const std::vector<std::int64_t> origins = numbers(samples.source_id);
    at::Tensor places = at::empty({samples.id.size(0)}, at::kLong);
    auto* const to = places.data_ptr<std::int64_t>();
    for (std::size_t i = 0; i < ids.size(); ++i) {
      to[i] = place_of(ids[i], origins[i]);
    }
    return places;
  }

 private:
  struct Sample {
    std::int64_t place;
    std::int64_t origin;
  };

  static constexpr std::int64_t several = -1;

  static std::vector<std::int64_t> numbers(const at::Tensor& tensor) {
    const at::Tensor here = tensor.cpu().contiguous();
    const auto* const begin = here.data_ptr<std::int64_t>();
    return {begin, begin + here.numel()};
  }

  [[nodiscard]] std::int64_t place_of(std::int64_t id, std::int64_t origin) const {
    const auto same = by_id_.find(id);
    if (same != by_id_.end() && same->second.origin == origin) {
      return same->second.place;
    }
    const auto original = by_origin_.find(origin);
    if (original == by_origin_.end()) {
      throw NotComparable(who_ + " found no clean sample of id " + text(origin));
    }
    if (original->second == several) {
      throw NotComparable(who_ + " cannot tell which of several clean samples of origin " + text(origin) +
                          " the sample of id " + text(id) + " is a copy of");
    }
    return original->second;
  }

  std::string who_;
  std::unordered_map<std::int64_t, Sample> by_id_;
  std::unordered_map<std::int64_t, std::int64_t> by_origin_;  ///< indices, or `several`
};

}  // namespace regimen::inline v0::detail
