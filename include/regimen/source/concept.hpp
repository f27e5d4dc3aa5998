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

/// How a source is to be read for one epoch.
struct Order {
  Integer batch = 128;   ///< samples a batch; the last may be smaller
  bool shuffle = false;  ///< in an order that depends on (seed, epoch) alone
  std::uint64_t seed = 0;
  bool drop_last = false;  ///< leave out a last batch that would be smaller
  std::int64_t first = 0;  ///< batches to skip, those that were taken before a resume
  Moment now{};

  // Of an epoch of so many samples, for batches of any size: whoever wants all of them at once may ask for 2^63 - 1.

  /// How many batches there are, those before `first` counted.
  [[nodiscard]] std::int64_t batches(std::int64_t samples) const {
    return samples / batch + (!drop_last && samples % batch > 0 ? 1 : 0);
  }
  /// Where the last batch ends.
  [[nodiscard]] std::int64_t end(std::int64_t samples) const { return drop_last ? samples - samples % batch : samples; }
  /// Where batch `first` begins; at the end if there is none.
  [[nodiscard]] std::int64_t begin(std::int64_t samples) const {
    return first > samples / batch ? end(samples) : std::min(first * batch, end(samples));
  }
};

/// What a source says of itself beside its samples, by an optional `regimen::SourceTraits traits() const`. A view that
/// is a plain struct need not say it: it takes over the traits of the sources among its fields, also in a list or an
/// optional, and the metrics that its schedules read. So does a class with a public member `regimen::Source of`. A
/// `device()` and a `metrics()` of its own have the last word.
struct SourceTraits {
  at::Device device{at::kCPU};    ///< where an indexed source keeps its rows and wants its index
  int random_layers = 0;          ///< draws that are frozen into it, one around another: each mixes this number into
                                  ///< its key, so two layers with one seed draw differently
  bool stable_ids = true;         ///< whether an id names one sample at every reading
  std::vector<Metric> metrics{};  ///< what its schedules read

  /// These traits together with those of a source that lies below.
  [[nodiscard]] SourceTraits on(const SourceTraits& below) const {
    SourceTraits both = *this;
    both.random_layers = std::max(random_layers, below.random_layers);
    both.stable_ids = stable_ids && below.stable_ids;
    both.metrics.insert(both.metrics.end(), below.metrics.begin(), below.metrics.end());
    return both;
  }
};

/// Gives the next batch each time it is called, and an empty one when there are no more.
using Cursor = std::function<Batch()>;

/// Data of which any rows can be had at any time: `size()`, and `get(index)` or `get(index, now)` with index [n] int64,
/// contiguous, on the CPU; or on the device that `at::Device device() const` names, if there is one: that is where the
/// rows are, and nothing waits for it. Every sample has an id that is at least 0 and that no other sample of the source
/// has.
template <class S>
concept Indexed = requires(const S& source, const at::Tensor& index) {
  { source.size() } -> std::convertible_to<std::int64_t>;
} && (requires(const S& source, const at::Tensor& index) {
  { source.get(index) } -> std::same_as<Batch>;
} || requires(const S& source, const at::Tensor& index, const Moment& now) {
  { source.get(index, now) } -> std::same_as<Batch>;
});

/// Data that can only be read in its own order: called with an `Order`, gives a `Cursor`. Shuffling is its own affair;
/// it must skip `first` batches. Endless unless it also has `size()`: then `limit` says where an epoch ends. One that
/// makes batches of a size of its own has `batches(order)`, their number in an epoch.
template <class S>
concept Stream = requires(const S& source, const Order& order) {
  { source(order) } -> std::convertible_to<Cursor>;
};

}  // namespace regimen::inline v0
