#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/batch/combined.hpp"
#include "regimen/source/columns.hpp"
#include "regimen/source/detail/indexed_cursor.hpp"
#include "regimen/source/detail/require_alike.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0 {

namespace detail {

struct Stacked {
  std::vector<Source> sources;
  std::vector<std::uint64_t> seeds;

  [[nodiscard]] std::int64_t size() const { return *sources.front().size(); }

  [[nodiscard]] SourceTraits traits() const {
    SourceTraits all{.stable_ids = false};  // a row has another sample of each source in every epoch
    for (const Source& source : sources) {
      all = all.on(source.traits());
    }
    return all;
  }

  /// Reads the whole epoch of each source at once: a gather for each batch and source would cost more than the steps of
  /// the small networks that this is for.
  Cursor operator()(const Order& order) const {
    const std::int64_t end = order.end(size());
    const std::int64_t begin = order.begin(size());
    if (begin >= end) {
      return [] { return Batch(); };
    }
    return [epoch = epoch(order), batch = order.batch.value, next = begin, end]() mutable {
      const std::int64_t length = std::min(batch, end - next);
      next += length;
      return length > 0 ? slice(epoch, next - length, length) : Batch();
    };
  }

 private:
  [[nodiscard]] Batch epoch(const Order& order) const {
    std::vector<Batch> parts;
    for (std::size_t i = 0; i < sources.size(); ++i) {
      Order own = order;
      own.seed = seeds.empty() ? order.seed : seeds[i];
      parts.push_back(sources[i].get(order_of(sources[i], own), order.now));
      parts.back().origin = at::Tensor();  // like an id, of one member alone
    }
    Batch all = combined(parts, [](const std::vector<at::Tensor>& each) { return at::stack(each, 1); });
    all.id = at::arange(all.size(), parts.front().id.options());
    return all;
  }
};

}  // namespace detail

/// Several sources of one size side by side, for networks in one module that learn from data of their own
/// (`networks::StackedLinear`, `OverOwnTargets`): data, targets and further tensors are [N, sources, ...]. `seeds`, one
/// for each source: when shuffled, source i is in the order in which a run with `Phase::seed` = seeds[i] would read it;
/// without seeds all are shuffled by the run's.
///
/// Rows have their places in the epoch as ids: a sample has another id in each epoch, and a transform of
/// `Phase::augment` makes one draw a row for all members, where a network alone would get another. The result is a
/// stream, and holds an epoch of all sources in memory. `cached` would fix which samples share a row, and so lose the
/// orders of training data: on a GPU, stack sources that are cached there. Throws Error unless all are indexed, of one
/// size of at least 1 and on one device, and their samples have one shape and type; and unless there are no seeds or as
/// many as sources.
///     phase.data = regimen::stacked({noisy_a, noisy_b}, {1, 2});
[[nodiscard]] inline Source stacked(const std::vector<Source>& sources, const std::vector<std::uint64_t>& seeds = {}) {
  if (sources.empty()) {
    throw Error("stacked takes at least one source");
  }
  detail::require(seeds.empty() || seeds.size() == sources.size(), "stacked: seeds.size()",
                  "that of the sources, " + detail::text(sources.size()) + ", or 0", seeds.size());
  std::map<std::string, std::string> first;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const Source& source = sources[i];
    detail::require_indexed(source, "stacked");
    const std::string size = "stacked: the size of source " + detail::text(i);
    detail::require(*source.size() >= 1, size, "at least 1", *source.size());
    detail::require(*source.size() == *sources.front().size(), size,
                    "that of the first, " + detail::text(*sources.front().size()), *source.size());
    detail::require_one_device("stacked", sources.front(), source, i);
    const auto kind = detail::kind_of_sample(source.get(at::arange(1, at::TensorOptions().dtype(at::kLong))));
    first = i == 0 ? kind : first;
    detail::require_one_kind("stacked", first, kind, i);
  }
  return detail::Stacked{sources, seeds};
}

}  // namespace regimen::inline v0
