#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "regimen/source.hpp"
#include "regimen/transform.hpp"

namespace regimen::inline v0 {

/// An exact share of a source's samples, in [0, 1], rounded to the nearest whole number of them.
struct Exactly {
  double share = 1;

  void check() const { detail::require(share >= 0 && share <= 1, "exactly: share", "in [0, 1]", share); }
};

/// The share for `frozen`.
[[nodiscard]] inline Exactly exactly(double share) {
  const Exactly result{share};
  result.check();
  return result;
}

namespace detail {

/// What a transform that is frozen onto `of` draws from. One that lies on another has other draws, also of the same
/// seed: which entries it damages would else be a function of what the one below did.
inline Key frozen_key(std::uint64_t seed, const Source& of, const Batch& batch, const Now& now) {
  const Key key(seed, batch.id, now);
  return of.layers() == 0 ? key : key.fold(salt::layer).fold(static_cast<std::uint64_t>(of.layers()));
}

struct Frozen {
  Source of;
  AnyTransform transform;
  std::uint64_t seed = 0;

  [[nodiscard]] std::int64_t size() const { return *of.size(); }
  [[nodiscard]] int layers() const { return of.layers() + 1; }
  [[nodiscard]] Batch get(const at::Tensor& index, const Now& now) const {
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
  [[nodiscard]] int layers() const { return of.layers() + 1; }

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
  at::Tensor chosen{};  ///< [size] bool, by place in the source, on its device

  [[nodiscard]] std::int64_t size() const { return *of.size(); }
  [[nodiscard]] int layers() const { return of.layers() + 1; }

  [[nodiscard]] Batch get(const at::Tensor& index, const Now& now) const {
    const Batch batch = of.get(index, now);
    const at::Tensor here = chosen.index_select(0, index);
    return here.is_cpu() ? by_rows(batch, here, now) : by_choice(batch, here.to(batch.data.device()), now);
  }

  [[nodiscard]] std::string manifest() const {
    return json::Object()
        .add("type", "\"Frozen\"")
        .add("of", of.manifest())
        .add("transform", transform.manifest())
        .add("seed", text(seed))
        .add("exact_share", json::number(share))
        .text();
  }

 private:
  /// Transforms the chosen rows alone.
  [[nodiscard]] Batch by_rows(const Batch& batch, const at::Tensor& here, const Now& now) const {
    const at::Tensor places = here.nonzero().flatten().to(batch.data.device());
    if (places.numel() == 0) {
      return batch;
    }
    const Batch part = rows(batch, places);
    const Batch changed = transform(part, frozen_key(seed, of, part, now));
    const auto merge = [&](const at::Tensor& all, const at::Tensor& before, const at::Tensor& after) {
      return before.is_same(after) ? all : all.index_copy(0, places, checked(before, after));
    };
    return merged(batch, part, changed, merge);
  }

  /// Transforms all rows and keeps the chosen: on another device, how many they are is not known without waiting.
  [[nodiscard]] Batch by_choice(const Batch& batch, const at::Tensor& here, const Now& now) const {
    const Batch changed = transform(batch, frozen_key(seed, of, batch, now));
    const auto merge = [&](const at::Tensor& all, const at::Tensor& before, const at::Tensor& after) {
      if (before.is_same(after)) {
        return all;
      }
      std::vector<std::int64_t> by_row(static_cast<std::size_t>(all.dim()), 1);
      by_row[0] = -1;
      return at::where(here.view(by_row), checked(before, after), all);
    };
    return merged(batch, batch, changed, merge);
  }

  template <class Merge>
  static Batch merged(const Batch& all, const Batch& before, const Batch& after, const Merge& merge) {
    Batch result = all;
    result.data = merge(all.data, before.data, after.data);
    result.target = merge(all.target, before.target, after.target);
    return result;
  }

  static const at::Tensor& checked(const at::Tensor& before, const at::Tensor& after) {
    if (after.scalar_type() != before.scalar_type() || after.sizes().slice(1) != before.sizes().slice(1)) {
      throw Error("frozen with exactly(...) takes transforms that keep shape and type; this one turned " +
                  described(before) + " into " + described(after));
    }
    return after;
  }
};

/// [n] bool: the samples with the smallest keys, a share of all rounded to whole ones.
inline at::Tensor choose(const Source& source, std::uint64_t seed, double share) {
  const std::int64_t n = *source.size();
  std::vector<at::Tensor> ids;
  const Cursor next = source.read({.batch = 4096});
  for (Batch batch = next(); batch.size() > 0; batch = next()) {
    ids.push_back(batch.id.cpu());
  }
  const auto count = static_cast<std::int64_t>(std::llround(share * static_cast<double>(n)));
  at::Tensor chosen = at::zeros({n}, at::kBool);
  if (count > 0) {
    const at::Tensor order = ranked(Key(seed, at::cat(ids)).fold(salt::choice));
    chosen.index_fill_(0, order.narrow(0, 0, count), true);
  }
  return chosen.to(source.device());
}

}  // namespace detail

/// The source with each sample transformed in one and the same way, at every epoch and for every reader: what a
/// network can memorize. Nothing is stored; the transform is done again at each reading. It draws from
/// Key(seed, id); frozen onto a source that has such transforms already, from a key of its own, also with their seed.
///     const auto noisy = regimen::frozen(train, regimen::UniformLabels{.classes = 10}, /*seed=*/7);
[[nodiscard]] inline Source frozen(const Source& source, const AnyTransform& transform, std::uint64_t seed) {
  if (!source.stable_ids()) {
    throw Error(
        "frozen takes a source whose ids name the same samples at every epoch; this loader gives none: make "
        "them in the function that makes its batches");
  }
  if (source.indexed()) {
    return detail::Frozen{source, transform, seed};
  }
  return detail::FrozenStream{source, transform, seed};
}

/// The same for an exact share of the samples, chosen by the seed; the others stay as they are. The smaller of two
/// shares chooses some of those that the larger does. Reads the whole source once, for its ids.
///     const auto noisy = regimen::frozen(train, corruptor, /*seed=*/7, regimen::exactly(0.4));
[[nodiscard]] inline Source frozen(const Source& source, const AnyTransform& transform, std::uint64_t seed,
                                   Exactly exact) {
  exact.check();
  if (!source.indexed()) {
    throw Error(
        "frozen with exactly(...) takes an indexed source: an exact share of a stream is not known before its end");
  }
  return detail::FrozenShare{source, transform, seed, exact.share, detail::choose(source, seed, exact.share)};
}

}  // namespace regimen::inline v0
