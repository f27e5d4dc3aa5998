#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/manifest.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/batch/require_rows.hpp"
#include "regimen/key/key.hpp"
#include "regimen/key/order.hpp"
#include "regimen/record/hooks.hpp"
#include "regimen/record/reads.hpp"
#include "regimen/source/concept.hpp"
#include "regimen/source/detail/counted_cursor.hpp"
#include "regimen/source/in_memory.hpp"

namespace regimen::inline v0 {

class Source;

namespace detail {

template <class S>
SourceTraits traits_of(const S& data);

}  // namespace detail

/// Any data: a `Batch`, anything `Indexed`, or a `Stream`. Cheap to copy; copies share the data.
class Source {
 public:
  Source() = default;
  Source(Batch all) : Source(InMemory(std::move(all))) {}  // NOLINT: a batch is a source

  template <class S>
    requires(!std::same_as<S, Source> && !std::same_as<S, Batch> && !detail::StandIn<S>)
  Source(S source) {  // NOLINT: a source is one of any kind
    static_assert(Indexed<S> || Stream<S>,
                  "a source must be a regimen::Batch; or have size() const and "
                  "regimen::Batch get(const at::Tensor& index) const; "
                  "or be callable as: regimen::Cursor source(const regimen::Order&) const");
    detail::require_hooks<S>();
    static_assert(
        !requires(S& data) { data.traits(); } || requires(const S& data) { SourceTraits(data.traits()); },
        "traits must be: regimen::SourceTraits traits() const");
    static_assert(
        !requires(S& data, const Order& order) { data.batches(order); } ||
            requires(const S& data, const Order& order) { data.batches(order); },
        "batches must be: std::int64_t batches(const regimen::Order&) const");
    if constexpr (Indexed<S> || Stream<S>) {
      data_ = std::make_shared<Of<S>>(std::move(source));
    }
  }

  [[nodiscard]] bool defined() const { return data_ != nullptr; }
  [[nodiscard]] bool indexed() const { return defined() && data_->indexed; }

  /// Samples in an epoch; none for an endless stream.
  [[nodiscard]] std::optional<std::int64_t> size() const { return defined() ? data_->size : std::nullopt; }

  /// What it says of itself; of views what the sources below say.
  [[nodiscard]] SourceTraits traits() const { return defined() ? data_->traits : SourceTraits(); }

  /// Where an indexed source keeps its rows and wants its index. The CPU for what does not say, and for streams.
  [[nodiscard]] at::Device device() const { return defined() ? data_->traits.device : at::Device(at::kCPU); }

  /// The rows at these places, in this order; index [n] int64 on any device. Throws Error for a stream.
  [[nodiscard]] Batch get(const at::Tensor& index, const Now& now = {}) const {
    if (!indexed()) {
      throw Error("a stream has no rows to choose from: only an indexed source can be used here");
    }
    return data_->get(index.to(device()).contiguous(), now);
  }

  /// Batches in an epoch; 0 where unknown.
  [[nodiscard]] std::int64_t batches(const Order& order) const { return defined() ? data_->batches(order) : 0; }

  /// Reads one epoch.
  [[nodiscard]] Cursor read(const Order& order) const;

  /// What schedules in it read.
  [[nodiscard]] std::vector<Metric> metrics() const { return traits().metrics; }

  /// Whether both are copies of one source.
  [[nodiscard]] bool same_as(const Source& other) const { return data_ == other.data_; }

  /// Written when it is asked for: it holds a checksum of all data.
  [[nodiscard]] std::string manifest() const { return defined() ? data_->manifest() : "null"; }

 private:
  /// Data of any type.
  struct Any {
    bool indexed = false;
    std::optional<std::int64_t> size{};
    SourceTraits traits{};

    virtual ~Any() = default;
    virtual Batch get(const at::Tensor& index, const Now& now) const = 0;
    virtual Cursor stream(const Order& order) const = 0;
    virtual std::int64_t batches(const Order& order) const = 0;
    virtual std::string manifest() const = 0;
  };

  /// What a user's type has is asked for here, and nowhere else.
  template <class S>
  struct Of final : Any {
    explicit Of(S source) : data(std::move(source)) {
      indexed = Indexed<S>;
      if constexpr (requires { data.size(); }) {
        size = data.size();
      }
      traits = detail::traits_of(data);
    }

    Batch get(const at::Tensor& index, const Now& now) const override {
      if constexpr (Indexed<S>) {
        Batch batch = rows(index, now);
        detail::require_rows(
            batch, index.size(0), [] { return "get(index) of the source " + detail::name_of_type<S>(); },
            "one for each entry of the index");
        return batch;
      } else {
        return {};
      }
    }

    Cursor stream(const Order& order) const override {
      if constexpr (Indexed<S>) {
        return {};
      } else {
        return data(order);
      }
    }

    std::int64_t batches(const Order& order) const override {
      if constexpr (requires { static_cast<std::int64_t>(data.batches(order)); }) {
        return static_cast<std::int64_t>(data.batches(order));
      } else {
        return order.batches(size.value_or(0));
      }
    }

    std::string manifest() const override { return regimen::manifest(data); }

    Batch rows(const at::Tensor& index, const Now& now) const {
      if constexpr (requires { data.get(index, now); }) {
        return data.get(index, now);
      } else {
        return data.get(index);
      }
    }

    S data;
  };

  std::shared_ptr<const Any> data_;
};

namespace detail {

/// What a source's type says of itself, or else what follows from its fields.
template <class S>
SourceTraits traits_of(const S& data) {
  if constexpr (requires { SourceTraits(data.traits()); }) {
    return data.traits();
  } else {
    SourceTraits traits;
    if constexpr (Plain<S>) {
      bool found = false;
      for_each_field(data, [&](const auto& field) {
        if constexpr (std::same_as<std::remove_cvref_t<decltype(field)>, Source>) {
          traits = traits.on(field.traits());
          traits.device = found ? traits.device : field.device();
          found = true;
        } else {
          traits.metrics = traits.on({.metrics = metrics_of(field)}).metrics;
        }
      });
    }
    if constexpr (requires { at::Device{data.device()}; }) {
      traits.device = data.device();
    }
    if constexpr (requires { std::vector<Metric>(data.metrics()); }) {
      traits.metrics = data.metrics();
    }
    return traits;
  }
}

/// [size] int64, on the source's device: the places of an indexed source in the order of an epoch.
inline at::Tensor order_of(const Source& source, const Order& order) {
  const std::int64_t n = *source.size();
  const at::Tensor places = order.shuffle ? shuffled(n, order.seed, order.now) : at::arange(n, at::kLong);
  return places.to(source.device());
}

/// Reads an indexed source a few batches at a time and hands them out as slices: one gather for many small batches
/// costs less than many gathers, and no transform can tell the difference.
class IndexedCursor {
 public:
  IndexedCursor(Source source, const Order& order) : source_(std::move(source)), order_(order) {
    const std::int64_t n = *source_.size();
    index_ = order_of(source_, order);
    end_ = order.end(n);
    next_ = order.begin(n);
    order_.batch = std::min<std::int64_t>(order.batch,
                                          std::max<std::int64_t>(n, 1));  // of more than there are nothing is computed
  }

  Batch operator()() {
    if (next_ >= end_) {
      return {};
    }
    while (next_ >= loaded_end_) {
      load();
    }
    const std::int64_t length = std::min<std::int64_t>(order_.batch, end_ - next_);
    const Batch batch = slice(loaded_, next_ - loaded_begin_, length);
    next_ += length;
    return batch;
  }

 private:
  // The first load is a single batch, so that the first batch is there at once; it tells how many fit a load. A reader
  // that begins later, after a resume, makes that load too, and then those that its own batches lie in: a sample's
  // place in a load, on which the last bit of a transform's logarithm may hang, is the same for all readers.
  static constexpr std::int64_t load_bytes = 1 << 20;

  void load() {
    const std::int64_t full = batches_a_load_ * order_.batch;
    const std::int64_t begin = loaded_end_ + (loaded_end_ > 0 ? (next_ - loaded_end_) / full * full : 0);
    const std::int64_t length = std::min(full, end_ - begin);
    loaded_ = source_.get(index_.narrow(0, begin, length), order_.now);
    loaded_begin_ = begin;
    loaded_end_ = begin + length;
    const std::int64_t sample_bytes =
        std::max<std::int64_t>(1, static_cast<std::int64_t>(loaded_.data.nbytes()) / std::max<std::int64_t>(1, length));
    batches_a_load_ = std::max<std::int64_t>(1, load_bytes / (sample_bytes * order_.batch));
  }

  Source source_;
  Order order_;
  at::Tensor index_;
  std::int64_t end_ = 0;
  std::int64_t next_ = 0;
  Batch loaded_;
  std::int64_t loaded_begin_ = 0;
  std::int64_t loaded_end_ = 0;
  std::int64_t batches_a_load_ = 1;
};

}  // namespace detail

inline Cursor Source::read(const Order& order) const {
  detail::require(order.batch >= 1, "Order.batch", "at least 1", order.batch);
  detail::require(order.first >= 0, "Order.first", "at least 0", order.first);
  if (!defined()) {
    throw Error("a source that is not defined cannot be read");
  }
  if (indexed()) {
    return detail::IndexedCursor(*this, order);
  }
  Cursor next = data_->stream(order);
  return size() ? detail::CountedCursor(std::move(next), *size(), order) : std::move(next);
}

}  // namespace regimen::inline v0
