#pragma once

#include <ATen/core/grad_mode.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "regimen/source/detail/producer.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0 {

namespace detail {

struct Prefetched {
  Source of;
  std::int64_t depth = 4;

  [[nodiscard]] std::optional<std::int64_t> size() const { return of.size(); }
  [[nodiscard]] std::int64_t batches(const Order& order) const { return of.batches(order); }

  Cursor operator()(const Order& order) const {
    const auto make = [next = of.read(order)] {
      const at::NoGradGuard no_grad;
      return next();
    };
    const auto is_last = [](const Batch& batch) { return batch.size() == 0; };
    const auto producer = std::make_shared<Producer<Batch>>(make, is_last, static_cast<std::size_t>(depth));
    return [producer] { return producer->take(); };
  }
};

}  // namespace detail

/// The source, read on a thread of its own up to `depth` batches ahead: the same batches in the same order, for data
/// from a disk or through slow transforms. The result is a stream, so make it the outermost view.
///
/// The source must not read what the training thread changes; sources, views and transforms of this library do not. A
/// transform that draws from LibTorch's global generator (which none should) would draw at random times. Throws Error
/// unless depth >= 1; exceptions of the source are rethrown in place of its batch.
///     phase.data = regimen::prefetch(regimen::frozen(regimen::mapped_cifar10("data").train, corruptor, 7));
[[nodiscard]] inline Source prefetch(const Source& source, std::int64_t depth = 4) {
  detail::require(depth >= 1, "prefetch: depth", "at least 1", depth);
  if (!source.defined()) {
    throw Error("prefetch takes a source that is defined");
  }
  return detail::Prefetched{source, depth};
}

}  // namespace regimen::inline v0
