#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/bucketize.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/json.hpp"
#include "regimen/base/text_list.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/batch/combined.hpp"
#include "regimen/key/moment.hpp"
#include "regimen/source/columns.hpp"
#include "regimen/source/detail/require_alike.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0 {

/// The ids of the samples of a concatenation.
enum class PartIds {
  apart,  ///< ids and origins of part k plus k times 10^10: for different sets
  kept,   ///< unchanged: for parts of one set, in which no two samples share an id
};

[[nodiscard]] inline std::string name_of(PartIds ids) {
  return ids == PartIds::apart ? "apart" : "kept";
}

namespace detail {

struct Concatenated {
  std::vector<Source> parts;
  PartIds ids = PartIds::apart;
  std::int64_t stride = 0;  ///< distance between the ids of two parts; 0 for PartIds::kept
  bool copies = false;      ///< true if a part has origins; then all samples get one
  std::vector<std::int64_t> ends{};
  at::Tensor boundaries{};  ///< `ends` as [parts] int64, on the parts' device

  [[nodiscard]] std::int64_t size() const { return ends.back(); }
  [[nodiscard]] SourceTraits traits() const {
    SourceTraits all{.device = parts.front().device()};
    for (const Source& part : parts) {
      all = all.on(part.traits());
    }
    return all;
  }

  /// Asks each part once for all of its rows. Which rows these are is computed on the device, so a GPU is waited for.
  [[nodiscard]] Batch get(const at::Tensor& index, const Moment& now) const {
    const at::Tensor part = at::bucketize(index, boundaries, /*out_int32=*/false, /*right=*/true);
    std::vector<Batch> pieces;
    std::vector<at::Tensor> rows_of_pieces;
    for (std::size_t k = 0; k < parts.size(); ++k) {
      const at::Tensor here = (part == static_cast<std::int64_t>(k)).nonzero().flatten();
      if (here.size(0) > 0) {
        pieces.push_back(piece(k, index.index_select(0, here), now));
        rows_of_pieces.push_back(here);
      }
    }
    if (pieces.empty()) {
      return piece(0, index, now);
    }
    return pieces.size() == 1
               ? pieces.front()
               : rows(combined(pieces, [](const std::vector<at::Tensor>& each) { return at::cat(each); }),
                      at::cat(rows_of_pieces).argsort());
  }

  [[nodiscard]] std::string manifest() const {
    std::string all;
    for (const Source& part : parts) {
      detail::add_item(all, part.manifest());
    }
    return json::Object()
        .add("type", "\"Concatenated\"")
        .add("ids", json::quoted(name_of(ids)))
        .add("parts", "[" + all + "]")
        .text();
  }

 private:
  /// The rows of part k; `index` counts from the first row of the whole.
  [[nodiscard]] Batch piece(std::size_t k, const at::Tensor& index, const Moment& now) const {
    Batch batch = parts[k].get(index - (k == 0 ? 0 : ends[k - 1]), now);
    const std::int64_t offset = stride * static_cast<std::int64_t>(k);
    batch.id = batch.id + offset;
    if (copies) {
      batch.origin = batch.origin.defined() ? batch.origin + offset : batch.id;
    }
    return batch;
  }
};

/// The first of three strides that is above all ids. The strides are fixed, so that the ids of a part do not depend on
/// the others' sizes.
inline std::int64_t stride_of_ids(std::int64_t largest, std::size_t parts) {
  for (const std::int64_t stride : {10'000'000'000, 10'000'000'000'000, 10'000'000'000'000'000}) {
    if (largest < stride && std::cmp_less_equal(parts, std::numeric_limits<std::int64_t>::max() / stride)) {
      return stride;
    }
  }
  throw Error("concatenated moves ids apart, and those of " + text(parts) + " sources with ids up to " + text(largest) +
              " would not stay below 2^63");
}

/// Throws Error if two samples share an id.
inline void require_distinct(const std::vector<at::Tensor>& ids) {
  if (ids.empty()) {
    return;
  }
  const at::Tensor sorted = std::get<0>(at::cat(ids).sort());
  const auto* const id = sorted.data_ptr<std::int64_t>();
  for (std::int64_t i = 1; i < sorted.size(0); ++i) {
    if (id[i] == id[i - 1]) {
      throw Error("concatenated keeps the ids (PartIds::kept), but two samples have id " + text(id[i]) +
                  ": PartIds::apart tells them apart, and repeat makes copies");
    }
  }
}

}  // namespace detail

/// A source that gives several sources one after another. Reads each of them once, for its ids; memory does not grow.
///
/// Ids must be distinct. `PartIds::apart` is for different sets: ids and origins of the second are increased by 10^10,
/// those of the third by 2 * 10^10 (by multiples of 10^13 or 10^16 if an id is larger). A concatenation of noisy sets
/// can therefore be compared with one of the clean sets in the same order: `label_noise(concatenated(noisy_a, noisy_b),
/// concatenated(a, b))`. `PartIds::kept` is for parts of one set that were chosen or damaged differently; the result is
/// compared with that set.
/// On a GPU a read waits for the device; `cached` avoids that.
/// Throws Error unless all are indexed and on one device, their samples have one shape and type, and ids are distinct.
///     const regimen::Source more = regimen::concatenated(train, extra);
///     const regimen::Source all = regimen::concatenated({noisy_half, clean_half}, regimen::PartIds::kept);
[[nodiscard]] inline Source concatenated(const std::vector<Source>& sources, PartIds ids = PartIds::apart) {
  if (sources.empty()) {
    throw Error("concatenated takes at least one source");
  }
  detail::Concatenated whole{.parts = sources, .ids = ids};
  std::vector<at::Tensor> all_ids;
  std::map<std::string, std::string> kind;
  std::int64_t largest = 0;
  for (std::size_t k = 0; k < sources.size(); ++k) {
    const Source& part = sources[k];
    detail::require_indexed(part, "concatenated");
    detail::require_one_device("concatenated", sources.front(), part, k);
    std::map<std::string, std::string> kind_here;
    const std::vector<at::Tensor> names = detail::read_columns(part, {}, [&](const Batch& batch) {
      kind_here = detail::kind_of_sample(batch);
      whole.copies = whole.copies || batch.origin.defined();
      return std::vector<at::Tensor>{batch.id, batch.source_id()};
    });
    whole.ends.push_back((k == 0 ? 0 : whole.ends.back()) + *part.size());
    if (names.empty()) {
      continue;
    }
    kind = kind.empty() ? kind_here : kind;
    detail::require_one_kind("concatenated", kind, kind_here, k);
    all_ids.push_back(names[0]);
    largest = std::max({largest, names[0].max().item<std::int64_t>(), names[1].max().item<std::int64_t>()});
  }
  whole.boundaries = at::tensor(whole.ends, at::kLong).to(whole.traits().device);
  if (ids == PartIds::apart) {
    whole.stride = detail::stride_of_ids(largest, sources.size());
  } else {
    detail::require_distinct(all_ids);
  }
  return whole;
}
template <class... More>
[[nodiscard]] Source concatenated(const Source& first, const Source& second, const More&... more) {
  return concatenated(std::vector<Source>{first, second, Source(more)...});
}

}  // namespace regimen::inline v0
