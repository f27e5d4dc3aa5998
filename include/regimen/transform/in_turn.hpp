#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "regimen/batch/batch.hpp"
#include "regimen/key/key.hpp"
#include "regimen/source/source.hpp"
#include "regimen/transform/concept.hpp"

/// Transforms that are done one after another: a chain, a phase's augmentation.
namespace regimen::inline v0::detail {

/// The first `count` transforms, one after another, each with randomness of its own: part i by key.fold(first_fold +
/// i). Each is told of the data as the parts before it leave them (`Moment::so_far`).
inline Batch in_turn(const std::vector<AnyTransform>& parts, std::size_t count, Batch batch, const Key& key,
                     std::uint64_t first_fold = 0);

/// An indexed source as the first `count` transforms of a list leave it. What draws partners from it, `Mixup` say, gets
/// them with the inputs and the labels that the network is shown for them elsewhere: the key is the list's, so the
/// draws for a sample are the same here and there. The list must outlive it.
struct SoFar {
  Source of;
  const std::vector<AnyTransform>* parts = nullptr;
  std::size_t count = 0;
  Key key;
  std::uint64_t first_fold = 0;

  [[nodiscard]] std::int64_t size() const { return *of.size(); }
  [[nodiscard]] Batch get(const at::Tensor& index, const Moment& now) const {
    const Batch batch = of.get(index, now);
    return in_turn(*parts, count, batch, key.for_ids(batch.id), first_fold);
  }
  [[nodiscard]] std::string manifest() const { return of.manifest(); }
};

inline Batch in_turn(const std::vector<AnyTransform>& parts, std::size_t count, Batch batch, const Key& key,
                     std::uint64_t first_fold) {
  const Source* const data = key.now().so_far != nullptr ? key.now().so_far : key.now().data;
  for (std::size_t i = 0; i < count; ++i) {
    const Key own = key.fold(first_fold + i);
    if (i > 0 && data != nullptr && data->indexed()) {
      const Source so_far = SoFar{*data, &parts, i, key, first_fold};
      batch = parts[i](batch, own.so_far(so_far));
    } else {
      batch = parts[i](batch, own);
    }
  }
  return batch;
}

/// The source as the first `count` transforms leave it, for a look at it before anything is trained: drawn by a key of
/// no meaning, as of the beginning. Itself where there are none, and where it is a stream.
inline Source looked_at(const Source& source, const std::vector<AnyTransform>& parts, std::size_t count) {
  if (count == 0 || !source.indexed()) {
    return source;
  }
  const Key key = Key(0, at::zeros({1}, at::kLong)).on(source);
  return SoFar{source, &parts, count, key};
}

/// Asks each transform of a list whether the data suit it, as the transforms before it leave them. who(i): what
/// transform i is to the user.
inline void check_in_turn(const std::vector<AnyTransform>& parts, const DataSoFar& data,
                          const std::function<std::string(std::size_t)>& who) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Source so_far = looked_at(data.so_far, parts, i);
    parts[i].check_data({data.read, so_far}, who(i));
  }
}

}  // namespace regimen::inline v0::detail
