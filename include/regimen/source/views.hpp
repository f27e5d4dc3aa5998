#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/json.hpp"
#include "regimen/batch/combined.hpp"
#include "regimen/key/order.hpp"
#include "regimen/key/salts.hpp"
#include "regimen/source/columns.hpp"
#include "regimen/source/in_memory.hpp"
#include "regimen/source/source.hpp"
#include "regimen/tensor/checksum.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

namespace detail {

struct Repeat {
  Source of;
  std::int64_t copies = 1;
  std::int64_t ids = 0;  ///< least number above all ids of the source

  [[nodiscard]] std::int64_t size() const { return *of.size() * copies; }

  [[nodiscard]] Batch get(const at::Tensor& index, const Moment& now) const {
    const std::int64_t n = *of.size();
    Batch batch = of.get(index.remainder(n), now);
    const at::Tensor copy = index.div(n, "floor").to(batch.id.device());
    batch.origin = batch.source_id();
    batch.id = batch.id + copy * ids;
    return batch;
  }
};

struct Cached {
  InMemory memory;
  std::string recipe;
  int random_layers = 0;  ///< that of the source

  [[nodiscard]] std::int64_t size() const { return memory.size(); }
  [[nodiscard]] SourceTraits traits() const { return {.device = memory.device(), .random_layers = random_layers}; }
  [[nodiscard]] Batch get(const at::Tensor& index) const { return memory.get(index); }
  [[nodiscard]] std::string manifest() const {
    return json::Object().add("type", "\"Cached\"").add("of", recipe).text();
  }
};

struct Subset {
  Source of;
  at::Tensor chosen;  ///< [n] int64 on the source's device
  std::string how{};  ///< JSON: how the indices were made; empty if they were given

  [[nodiscard]] std::int64_t size() const { return chosen.size(0); }
  [[nodiscard]] Batch get(const at::Tensor& index, const Moment& now) const {
    return of.get(chosen.index_select(0, index), now);
  }

  [[nodiscard]] std::string manifest() const {
    return json::Object()
        .add("type", "\"Subset\"")
        .add("of", of.manifest())
        .add("samples", text(size()))
        .add("places", how.empty() ? json::Object().add("crc32", json::quoted(crc32_of(chosen))).text() : how)
        .text();
  }
};

struct AsOf {
  Source of;
  Clock clock;
  std::shared_ptr<const History> history;  ///< null if there was none

  [[nodiscard]] std::int64_t size() const { return *of.size(); }
  [[nodiscard]] Batch get(const at::Tensor& index) const {
    return of.get(index, {.clock = clock, .history = history.get()});
  }

  [[nodiscard]] std::string manifest() const {
    return json::Object()
        .add("type", "\"AsOf\"")
        .add("of", of.manifest())
        .add("phase", text(clock.phase))
        .add("epoch", text(clock.epoch))
        .add("batch", text(clock.batch))
        .add("batches", text(clock.batches))
        .add("step", text(clock.step))
        .add("scored_epochs", text(history == nullptr ? 0 : history->size()))
        .text();
  }
};

struct LimitedStream {
  Source of;
  std::int64_t samples = 0;

  [[nodiscard]] std::int64_t size() const { return samples; }

  Cursor operator()(const Order& order) const {
    return [next = of.read(order), left = order.end(samples) - order.begin(samples)]() mutable -> Batch {
      if (left <= 0) {
        return {};
      }
      Batch batch = next();
      if (batch.size() > left) {
        batch = slice(batch, 0, left);
      }
      left = batch.size() == 0 ? 0 : left - batch.size();
      return batch;
    };
  }
};

}  // namespace detail

/// The whole source as one batch, on the source's device: it takes the memory once and saves the work of the views at
/// every epoch. The batch no longer knows of random layers below: a transform that is frozen onto it with a seed used
/// below draws the same numbers again. `cached` keeps them apart.
[[nodiscard]] inline Batch materialize(const Source& source) {
  if (!source.defined() || !source.size()) {
    throw Error("materialize takes a source that ends: limit(stream, samples) makes one");
  }
  std::vector<Batch> parts;
  const Cursor next = source.read({.batch = 4096});
  for (Batch batch = next(); batch.size() > 0; batch = next()) {
    parts.push_back(batch);
  }
  if (parts.empty()) {
    throw Error("materialize takes a source with at least one sample");
  }
  return detail::combined(parts, [](const std::vector<at::Tensor>& each) { return at::cat(each); });
}

/// The source with its samples in memory (see `materialize`), if named on another device. The manifest keeps the
/// recipe.
///     const regimen::Source fast = regimen::cached(regimen::frozen(regimen::repeat(train, 4), damage, 7));
///     const regimen::Source on_gpu = regimen::cached(train, at::kCUDA);
[[nodiscard]] inline Source cached(const Source& source) {
  return detail::Cached{InMemory(materialize(source)), source.manifest(), source.traits().random_layers};
}
[[nodiscard]] inline Source cached(const Source& source, const at::Device& device) {
  return detail::Cached{InMemory(to(materialize(source), device)), source.manifest(), source.traits().random_layers};
}

/// The source with every sample `copies` times. Each copy has an id of its own, so that transforms treat it separately,
/// and the sample's id as `origin`. Memory does not grow. Reads the source once, for its ids. Throws Error unless
/// copies >= 1 and the source is indexed, and if the copies' ids (id + k * (largest id + 1) for copy k) would not be
/// below 2^63.
[[nodiscard]] inline Source repeat(const Source& source, std::int64_t copies) {
  detail::require(copies >= 1, "repeat: copies", "at least 1", copies);
  detail::require_indexed(source, "repeat");
  const std::vector<at::Tensor> columns =
      detail::read_columns(source, {}, [](const Batch& batch) { return std::vector<at::Tensor>{batch.id}; });
  if (columns.empty()) {
    return detail::Repeat{source, copies, 0};
  }
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  detail::require(copies <= most / *source.size(), "repeat: copies",
                  "at most " + detail::text(most / *source.size()) + " for " + detail::text(*source.size()) +
                      " samples, as the number of all must be below 2^63",
                  copies);
  const auto largest = columns.front().max().item<std::int64_t>();
  detail::require(
      copies == 1 || largest < most / copies, "repeat: the largest id of the source",
      "below " + detail::text(most / copies) + " for " + detail::text(copies) + " copies, as theirs must be below 2^63",
      largest);
  return detail::Repeat{source, copies, std::min(largest, most - 1) + 1};
}

/// The samples at these indices, in this order: `index` [n] int64 in [0, size).
[[nodiscard]] inline Source subset(const Source& source, const at::Tensor& index) {
  detail::require_indexed(source, "subset");
  if (index.dim() != 1 || index.scalar_type() != at::kLong) {
    throw Error("subset: index must be [n] int64, not " + detail::described(index));
  }
  const at::Tensor on_host = index.cpu().contiguous();
  if (on_host.numel() > 0) {
    const auto low = on_host.min().item<std::int64_t>();
    const auto high = on_host.max().item<std::int64_t>();
    detail::require(low >= 0, "subset: index", "at least 0", low);
    detail::require(high < *source.size(), "subset: index", "below the size " + detail::text(*source.size()), high);
  }
  return detail::Subset{source, on_host.to(source.device())};
}

/// The first `samples` samples; for a stream, epochs of this length. Throws Error unless samples >= 1.
[[nodiscard]] inline Source limit(const Source& source, std::int64_t samples) {
  detail::require(samples >= 1, "limit: samples", "at least 1", samples);
  if (source.indexed()) {
    const at::Tensor first = at::arange(std::min(samples, *source.size()), at::kLong);
    return detail::Subset{source, first.to(source.device()), "\"first\""};
  }
  return detail::LimitedStream{source, std::min(samples, source.size().value_or(samples))};
}

/// The source as it is at one moment, whenever it is read: damage that follows a schedule, and scores that the schedule
/// reads, stay at that moment. Throws Error unless the source is indexed.
///     const regimen::Source at_first = regimen::as_of(noisy, {.clock = {.epoch = 0}});
[[nodiscard]] inline Source as_of(const Source& source, const Moment& now) {
  detail::require_indexed(source, "as_of");
  auto history = now.history == nullptr ? nullptr : std::make_shared<const History>(*now.history);
  return detail::AsOf{source, now.clock, std::move(history)};
}

/// A random subset of `samples` different samples, a function of the seed. Throws Error unless the source is indexed
/// and samples is in [1, size].
[[nodiscard]] inline Source sample(const Source& source, std::int64_t samples, std::uint64_t seed) {
  detail::require_indexed(source, "sample");
  detail::require(samples >= 1 && samples <= *source.size(), "sample: samples",
                  "in [1, " + detail::text(*source.size()) + "]", samples);
  const Key key = Key(seed, at::arange(*source.size(), at::kLong)).fold(detail::salt::sample);
  const std::string how = detail::json::Object().add("seed", detail::text(seed)).text();
  return detail::Subset{source, detail::ranked(key).narrow(0, 0, samples).to(source.device()), how};
}

}  // namespace regimen::inline v0
