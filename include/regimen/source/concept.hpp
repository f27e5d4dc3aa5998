#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <functional>
#include <vector>

#include "regimen/base/integer.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/key/moment.hpp"
#include "regimen/record/history.hpp"

namespace regimen::inline v0 {

/// The way in which a source is read for one epoch.
struct Order {
  Integer batch = 128;   ///< samples per batch, at least 1; the last batch may be smaller
  bool shuffle = false;  ///< if true, in an order that depends on (seed, epoch) alone
  std::uint64_t seed = 0;
  bool drop_last = false;  ///< leave out a last batch that is smaller than the others
  std::int64_t first = 0;  ///< batches to skip: those before a resume
  Moment now{};

  // The functions below are for an epoch of `samples` samples. `batch` may be up to 2^63 - 1, for all samples at once.

  /// The number of batches, the skipped ones included.
  [[nodiscard]] std::int64_t batches(std::int64_t samples) const {
    return samples / batch + (!drop_last && samples % batch > 0 ? 1 : 0);
  }
  /// The sample at which the last batch ends.
  [[nodiscard]] std::int64_t end(std::int64_t samples) const { return drop_last ? samples - samples % batch : samples; }
  /// The sample at which batch `first` begins; `end` if there is no such batch.
  [[nodiscard]] std::int64_t begin(std::int64_t samples) const {
    return first > samples / batch ? end(samples) : std::min(first * batch, end(samples));
  }
};

/// Properties of a source beside its samples, from an optional member `regimen::SourceTraits traits() const`. A view
/// that is a plain struct needs none: it has the traits of the sources among its fields (also in a list or an optional)
/// and the metrics that its schedules read; so has a class with a public member `regimen::Source of`. A member
/// `device()` or `metrics()` takes precedence.
struct SourceTraits {
  at::Device device{at::kCPU};    ///< device of an indexed source's rows, on which it takes its index
  int random_layers = 0;          ///< number of frozen random layers, one around another; each mixes its number into
                                  ///< its key, so two layers with one seed draw differently
  bool stable_ids = true;         ///< whether an id means the same sample at every reading
  std::vector<Metric> metrics{};  ///< metrics that the source's schedules read

  /// These traits combined with those of a source below.
  [[nodiscard]] SourceTraits on(const SourceTraits& below) const {
    SourceTraits both = *this;
    both.random_layers = std::max(random_layers, below.random_layers);
    both.stable_ids = stable_ids && below.stable_ids;
    both.metrics.insert(both.metrics.end(), below.metrics.begin(), below.metrics.end());
    return both;
  }
};

/// A function that returns the next batch at each call, and an empty batch at the end.
using Cursor = std::function<Batch()>;

/// Data with random access: `size()`, and `get(index)` or `get(index, now)` for index [n] int64, contiguous, on the CPU
/// or on the device that `at::Device device() const` returns. On another device than the CPU nothing waits for it.
/// Every sample has an id that is at least 0 and unique in the source.
template <class S>
concept Indexed = requires(const S& source, const at::Tensor& index) {
  { source.size() } -> std::convertible_to<std::int64_t>;
} && (requires(const S& source, const at::Tensor& index) {
  { source.get(index) } -> std::same_as<Batch>;
} || requires(const S& source, const at::Tensor& index, const Moment& now) {
  { source.get(index, now) } -> std::same_as<Batch>;
});

/// Data that can only be read in their own order: a call with an `Order` returns a `Cursor`. A stream shuffles by
/// itself and must skip `first` batches. It is endless unless it also has `size()`; `limit` ends an epoch of an endless
/// one. A stream that chooses its batch sizes itself has `batches(order)`, the number of batches in an epoch.
template <class S>
concept Stream = requires(const S& source, const Order& order) {
  { source(order) } -> std::convertible_to<Cursor>;
};

}  // namespace regimen::inline v0
