#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "regimen/key/order.hpp"
#include "regimen/key/salts.hpp"
#include "regimen/source/columns.hpp"
#include "regimen/source/source.hpp"
#include "regimen/tensor/described.hpp"
#include "regimen/transform/concept.hpp"
#include "regimen/transform/inputs/values.hpp"

namespace regimen::inline v0 {

/// An exact share of a source's samples, rounded to the nearest whole number; with groups, an exact share of each
/// group, rounded down, so that no group exceeds it.
struct Exactly {
  double share = 1;
  at::Tensor groups{};  ///< [size] int64, the group of each sample in the order of the source; undefined: no groups

  void check() const {
    detail::require(share >= 0 && share <= 1, "exactly: share", "in [0, 1]", share);
    if (groups.defined() && (groups.dim() != 1 || groups.scalar_type() != at::kLong)) {
      throw Error("exactly: groups must be [size] int64, not " + detail::described(groups));
    }
  }
};

/// An exact share of all samples, in [0, 1], for `frozen`. Throws Error for another share.
[[nodiscard]] inline Exactly exactly(double share) {
  Exactly result{.share = share};
  result.check();
  return result;
}

/// An exact share of each group (clusters, classes, annotators), for `frozen`. groups [size] int64; share in [0, 1].
/// Throws Error for others.
[[nodiscard]] inline Exactly exactly_in_each(const at::Tensor& groups, double share) {
  Exactly result{.share = share, .groups = groups};
  result.check();
  if (!groups.defined()) {
    throw Error("exactly_in_each: groups must be [size] int64, not undefined");
  }
  return result;
}

namespace detail {

/// The key of a transform that is frozen onto `of`, which must outlive it.
inline Key frozen_key(std::uint64_t seed, const Source& of, const Batch& batch, const Moment& now) {
  return apart_from_below(Key(seed, batch.id, now).on(of), of);
}

/// The traits of a source with one more random layer.
inline SourceTraits traits_of_frozen(const Source& below, const AnyTransform& transform) {
  SourceTraits traits = below.traits();
  ++traits.random_layers;
  return traits.on({.metrics = transform.metrics()});
}

struct Frozen {
  Source of;
  AnyTransform transform;
  std::uint64_t seed = 0;

  [[nodiscard]] std::int64_t size() const { return *of.size(); }
  [[nodiscard]] SourceTraits traits() const { return traits_of_frozen(of, transform); }
  [[nodiscard]] Batch get(const at::Tensor& index, const Moment& now) const {
    const Batch batch = of.get(index, now);
    return transform(batch, frozen_key(seed, of, batch, now));
  }
};

struct FrozenStream {
  Source of;
  AnyTransform transform;
  std::uint64_t seed = 0;

  [[nodiscard]] std::optional<std::int64_t> size() const { return of.size(); }
  [[nodiscard]] std::int64_t batches(const Order& order) const { return of.batches(order); }
  [[nodiscard]] SourceTraits traits() const { return traits_of_frozen(of, transform); }

  Cursor operator()(const Order& order) const {
    return [next = of.read(order), *this, now = order.now] {
      const Batch batch = next();
      return batch.size() == 0 ? batch : transform(batch, frozen_key(seed, of, batch, now));
    };
  }
};

struct FrozenShare {
  Source of;
  AnyTransform transform;
  std::uint64_t seed = 0;
  double share = 1;
  at::Tensor chosen{};   ///< [size] bool in the order of the source, on its device
  std::string groups{};  ///< checksum of the groups; empty for a share of all samples

  [[nodiscard]] std::int64_t size() const { return *of.size(); }
  [[nodiscard]] SourceTraits traits() const { return traits_of_frozen(of, transform); }

  [[nodiscard]] Batch get(const at::Tensor& index, const Moment& now) const {
    const Batch batch = of.get(index, now);
    const at::Tensor here = chosen.index_select(0, index);
    return here.is_cpu() ? by_rows(batch, here, now) : by_choice(batch, here.to(batch.data.device()), now);
  }

  [[nodiscard]] std::string manifest() const {
    json::Object object;
    object.add("type", "\"Frozen\"")
        .add("of", of.manifest())
        .add("transform", transform.manifest())
        .add("seed", text(seed))
        .add("exact_share", json::number(share));
    if (!groups.empty()) {
      object.add("in_each_of_crc32", json::quoted(groups));
    }
    return object.text();
  }

 private:
  static constexpr const char* who = "frozen with exactly(...)";

  /// Transforms the chosen rows alone.
  [[nodiscard]] Batch by_rows(const Batch& batch, const at::Tensor& here, const Moment& now) const {
    const at::Tensor places = here.nonzero().flatten().to(batch.data.device());
    if (places.numel() == 0) {
      return batch;
    }
    const Batch part = rows(batch, places);
    const Batch changed = transform(part, frozen_key(seed, of, part, now));
    require_same_kind(part, changed, who);
    return change_parts(batch, [&](const auto& tensor) {
      const at::Tensor& all = tensor(batch);
      const at::Tensor& after = tensor(changed);
      return tensor(part).is_same(after) ? all : all.index_copy(0, places, after);
    });
  }

  /// Transforms all rows and keeps the chosen ones: on another device their number is not known without waiting.
  [[nodiscard]] Batch by_choice(const Batch& batch, const at::Tensor& here, const Moment& now) const {
    const Batch changed = transform(batch, frozen_key(seed, of, batch, now));
    require_same_kind(batch, changed, who);
    return change_parts(batch, [&](const auto& tensor) {
      const at::Tensor& all = tensor(batch);
      const at::Tensor& after = tensor(changed);
      return all.is_same(after) ? all : at::where(by_sample(here, all), after, all);
    });
  }
};

/// A permutation of the indices of a source's samples, [n] int64: a function of the seed and their ids.
inline at::Tensor order_of_choice(const Source& source, std::uint64_t seed) {
  const at::Tensor ids = ids_of(source);
  if (ids.numel() == 0) {
    return ids;
  }
  return ranked(apart_from_below(Key(seed, ids), source).fold(salt::choice));
}

/// The samples that come first by `order_of_choice`, [n] bool: a share of all, rounded.
inline at::Tensor choose_of_all(const Source& source, std::uint64_t seed, double share) {
  const std::int64_t n = *source.size();
  const auto count = static_cast<std::int64_t>(std::llround(share * static_cast<double>(n)));
  at::Tensor chosen = at::zeros({n}, at::kBool);
  if (count > 0) {
    chosen.index_fill_(0, order_of_choice(source, seed).narrow(0, 0, count), true);
  }
  return chosen.to(source.device());
}

/// The samples of each group that come first by `order_of_choice`, [n] bool: a share of each, rounded down.
inline at::Tensor choose_in_each(const Source& source, std::uint64_t seed, const Exactly& exact) {
  const std::int64_t n = *source.size();
  require(exact.groups.size(0) == n, "exactly: groups.size(0)", "the source's size, " + text(n), exact.groups.size(0));
  const at::Tensor groups = exact.groups.cpu().contiguous();
  const at::Tensor order = order_of_choice(source, seed).contiguous();
  const auto* const group = groups.data_ptr<std::int64_t>();
  const auto* const place = order.data_ptr<std::int64_t>();
  std::unordered_map<std::int64_t, std::int64_t> left;
  for (std::int64_t i = 0; i < n; ++i) {
    ++left[group[i]];
  }
  for (auto& [name, samples] : left) {
    // 0.29 * 100 is 28.999999999999996 in doubles, and means 29.
    samples = static_cast<std::int64_t>(exact.share * static_cast<double>(samples) + 1e-9);
  }
  at::Tensor chosen = at::zeros({n}, at::kBool);
  auto* const is_chosen = chosen.data_ptr<bool>();
  for (std::int64_t i = 0; i < n; ++i) {
    is_chosen[place[i]] = left[group[place[i]]]-- > 0;
  }
  return chosen.to(source.device());
}

}  // namespace detail

/// A source with each sample transformed in one fixed way, at every epoch and for every reader: damage that a network
/// can memorize. Nothing is stored; the transform is applied at each reading, with draws from Key(seed, id). On a
/// source that already has frozen transforms the key differs from theirs, even for an equal seed.
///     const auto noisy = regimen::frozen(train, regimen::UniformLabels{.classes = 10}, /*seed=*/7);
[[nodiscard]] inline Source frozen(const Source& source, const AnyTransform& transform, std::uint64_t seed) {
  if (!source.traits().stable_ids) {
    throw Error(
        "frozen takes a source whose ids name the same samples at every epoch; this loader gives none: make "
        "them in the function that makes its batches");
  }
  transform.check_data(source, "frozen");
  if (source.indexed()) {
    return detail::Frozen{source, transform, seed};
  }
  return detail::FrozenStream{source, transform, seed};
}

/// A source with an exact share of its samples transformed, chosen by the seed; the others stay. The samples chosen for
/// a smaller share are among those for a larger one. Reads the whole source once, for its ids.
///
/// With groups, each has a share of its own samples transformed, as each cluster in Li, Soltanolkotabi and Oymak
/// (2020). The transform decides how: `UniformLabels` with `exclude_true` for random wrong labels, `PairFlip` for one
/// fixed wrong label per class.
///     const auto noisy = regimen::frozen(train, corruptor, /*seed=*/7, regimen::exactly(0.4));
///     const auto lied_to = regimen::frozen(train, corruptor, /*seed=*/7, regimen::exactly_in_each(clusters, 0.2));
[[nodiscard]] inline Source frozen(const Source& source, const AnyTransform& transform, std::uint64_t seed,
                                   Exactly exact) {
  exact.check();
  if (!source.indexed()) {
    throw Error(
        "frozen with exactly(...) takes an indexed source: an exact share of a stream is not known before its end");
  }
  transform.check_data(source, "frozen");
  const at::Tensor chosen = exact.groups.defined() ? detail::choose_in_each(source, seed, exact)
                                                   : detail::choose_of_all(source, seed, exact.share);
  return detail::FrozenShare{source, transform, seed, exact.share, chosen, detail::crc32_of(exact.groups)};
}

}  // namespace regimen::inline v0
