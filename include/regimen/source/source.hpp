#pragma once

#include <ATen/core/Tensor.h>

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
#include "regimen/source/detail/indexed_cursor.hpp"
#include "regimen/source/in_memory.hpp"

namespace regimen::inline v0 {

class Source;

namespace detail {

template <class S>
SourceTraits traits_of(const S& data);

}  // namespace detail

/// Any data: a `Batch`, an `Indexed` source or a `Stream`. Cheap to copy; copies share the data.
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
      // Without std::make_shared, which costs more to compile: this is done for each type of source.
      data_ = std::unique_ptr<const Any>(new Of<S>(std::move(source)));
    }
  }

  [[nodiscard]] bool defined() const { return data_ != nullptr; }
  [[nodiscard]] bool indexed() const { return defined() && data_->indexed; }

  /// The number of samples in an epoch; nullopt for an endless stream.
  [[nodiscard]] std::optional<std::int64_t> size() const { return defined() ? data_->size : std::nullopt; }

  /// The source's traits; for a view, combined with those of the sources below.
  [[nodiscard]] SourceTraits traits() const { return defined() ? data_->traits : SourceTraits(); }

  /// Device of an indexed source's rows, on which it takes its index; the CPU by default, and for streams.
  [[nodiscard]] at::Device device() const { return defined() ? data_->traits.device : at::Device(at::kCPU); }

  /// The rows of these indices, in this order; index [n] int64 on any device. Throws Error for a stream.
  [[nodiscard]] Batch get(const at::Tensor& index, const Moment& now = {}) const {
    if (!indexed()) {
      throw Error("a stream has no rows to choose from: only an indexed source can be used here");
    }
    return data_->get(index.to(device()).contiguous(), now);
  }

  /// The number of batches in an epoch; 0 if unknown.
  [[nodiscard]] std::int64_t batches(const Order& order) const { return defined() ? data_->batches(order) : 0; }

  /// Begins to read one epoch.
  [[nodiscard]] Cursor read(const Order& order) const;

  /// Metrics that the source's schedules read.
  [[nodiscard]] std::vector<Metric> metrics() const { return traits().metrics; }

  /// Whether both are copies of one source.
  [[nodiscard]] bool same_as(const Source& other) const { return data_ == other.data_; }

  /// The source as JSON, with a checksum of all data; computed at each call.
  [[nodiscard]] std::string manifest() const { return defined() ? data_->manifest() : "null"; }

 private:
  /// Base of data of any type.
  struct Any {
    bool indexed = false;
    std::optional<std::int64_t> size{};
    SourceTraits traits{};

    virtual ~Any() = default;
    virtual Batch get(const at::Tensor& index, const Moment& now) const = 0;
    virtual Cursor stream(const Order& order) const = 0;
    virtual std::int64_t batches(const Order& order) const = 0;
    virtual std::string manifest() const = 0;
  };

  /// The only class that uses the members of a user's type.
  template <class S>
  struct Of final : Any {
    explicit Of(S source) : data(std::move(source)) {
      indexed = Indexed<S>;
      if constexpr (requires { data.size(); }) {
        size = data.size();
      }
      traits = detail::traits_of(data);
    }

    Batch get(const at::Tensor& index, const Moment& now) const override {
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

    Batch rows(const at::Tensor& index, const Moment& now) const {
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

/// Pointers to the sources in a list or an optional.
inline std::vector<const Source*> sources_in(const std::vector<Source>& list) {
  std::vector<const Source*> all;
  for (const Source& source : list) {
    all.push_back(&source);
  }
  return all;
}
inline std::vector<const Source*> sources_in(const std::optional<Source>& perhaps) {
  return perhaps ? std::vector<const Source*>{&*perhaps} : std::vector<const Source*>();
}

/// The combined traits of the sources in one field of a view, and the metrics that its schedules read.
template <class Field>
SourceTraits traits_of_field(const Field& field) {
  if constexpr (std::same_as<Field, Source>) {
    return field.traits();
  } else if constexpr (is_vector<Field> || is_optional<Field>) {
    SourceTraits all{.metrics = metrics_of(field)};
    if constexpr (requires { requires std::same_as<typename Field::value_type, Source>; }) {
      all.metrics.clear();
      for (const Source* const source : sources_in(field)) {
        all = source->traits().on(all);
      }
    }
    return all;
  } else {
    return {.metrics = metrics_of(field)};
  }
}

/// The traits of a source's type: its own, or else those that follow from its fields.
template <class S>
SourceTraits traits_of(const S& data) {
  constexpr bool says = requires { SourceTraits(data.traits()); };
  static_assert(says || !(
                            requires { data.layers(); } || requires { data.stable_ids(); }),
                "layers() and stable_ids() are said in: regimen::SourceTraits traits() const");
  SourceTraits traits;
  if constexpr (says) {
    traits = data.traits();
  } else if constexpr (HasParts<S> && !is_vector<S>) {
    bool found = false;
    for_each_field(data, [&](const auto& field) {
      const SourceTraits below = traits_of_field(field);
      const at::Device device = found ? traits.device : below.device;
      found = found || below.device != at::Device(at::kCPU);
      traits = traits.on(below);
      traits.device = device;
    });
  } else if constexpr (requires { requires std::same_as<std::remove_cvref_t<decltype(data.of)>, Source>; }) {
    traits = data.of.traits();
    if constexpr (requires { std::vector<Metric>(data.transform.metrics()); }) {
      traits = traits.on({.metrics = data.transform.metrics()});
    }
  }
  if constexpr (requires { at::Device{data.device()}; }) {
    traits.device = data.device();
  }
  if constexpr (requires { std::vector<Metric>(data.metrics()); }) {
    traits.metrics = data.metrics();
  }
  if constexpr (!Indexed<S>) {
    traits.device = at::kCPU;  // a stream takes no index
  }
  return traits;
}

}  // namespace detail

inline Cursor Source::read(const Order& order) const {
  detail::require(order.batch >= 1, "Order.batch", "at least 1", order.batch);
  detail::require(order.first >= 0, "Order.first", "at least 0", order.first);
  if (!defined()) {
    throw Error("a source that is not defined cannot be read");
  }
  if (indexed()) {
    return detail::IndexedCursor<Source>(*this, order);
  }
  Cursor next = data_->stream(order);
  return size() ? detail::CountedCursor(std::move(next), *size(), order) : std::move(next);
}

}  // namespace regimen::inline v0
