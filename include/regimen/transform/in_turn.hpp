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

/// Transforms one after another: a chain, a phase's augmentation.
namespace regimen::inline v0::detail {

/// Applies the first `count` transforms, each with its own randomness: part i with key.fold(first_fold + i). Each one
/// gets the data as the parts before it leave them (`Moment::so_far`).
inline Batch in_turn(const std::vector<AnyTransform>& parts, std::size_t count, Batch batch, const Key& key,
                     std::uint64_t first_fold = 0);

/// An indexed source as the first `count` transforms of a list leave it. Partners drawn from it, as by `Mixup`, have
/// the inputs and labels that the network sees for them elsewhere: the key is the list's, so draws for a sample are the
/// same. The list must outlive this object.
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

/// The source as the first `count` transforms leave it, for checks before training: with an arbitrary key, as of the
/// beginning. The source itself if `count` is 0 or it is a stream.
inline Source looked_at(const Source& source, const std::vector<AnyTransform>& parts, std::size_t count) {
  if (count == 0 || !source.indexed()) {
    return source;
  }
  const Key key = Key(0, at::zeros({1}, at::kLong)).on(source);
  return SoFar{source, &parts, count, key};
}

/// Checks each transform of a list against the data as the transforms before it leave them. who(i): the name of
/// transform i for the user.
inline void check_in_turn(const std::vector<AnyTransform>& parts, const DataSoFar& data,
                          const std::function<std::string(std::size_t)>& who) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Source so_far = looked_at(data.so_far, parts, i);
    parts[i].check_data({data.read, so_far}, who(i));
  }
}

}  // namespace regimen::inline v0::detail
