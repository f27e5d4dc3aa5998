#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/key/key.hpp"
#include "regimen/key/moment.hpp"
#include "regimen/key/salts.hpp"
#include "regimen/source/source.hpp"

/// Reading of single columns of a whole source, and the keys of draws for its samples.
namespace regimen::inline v0::detail {

/// Throws Error, in the name of `who`, for a stream.
inline void require_indexed(const Source& source, const std::string& who) {
  if (!source.indexed()) {
    throw Error(who + " takes an indexed source, not a stream");
  }
}

/// The key of draws for the samples of `of`. If `of` holds random draws itself, the key differs from theirs even for an
/// equal seed: otherwise the samples that this layer damages would be a function of what the layer below did.
inline Key apart_from_below(const Key& key, const Source& of) {
  const int layers = of.traits().random_layers;
  return layers == 0 ? key : key.fold(salt::layer).fold(static_cast<std::uint64_t>(layers));
}

/// The tensors that columns(batch) takes from each batch of a source, joined over all batches, on the CPU, at this
/// moment. Reads the source once; empty for a source without samples.
inline std::vector<at::Tensor> read_columns(const Source& source, const Moment& now,
                                            const std::function<std::vector<at::Tensor>(const Batch&)>& columns) {
  std::vector<std::vector<at::Tensor>> parts;
  const Cursor next = source.read({.batch = 4096, .now = now});
  for (Batch batch = next(); batch.size() > 0; batch = next()) {
    const std::vector<at::Tensor> taken = columns(batch);
    parts.resize(taken.size());
    for (std::size_t i = 0; i < taken.size(); ++i) {
      parts[i].push_back(taken[i].cpu());
    }
  }
  std::vector<at::Tensor> joined;
  for (const std::vector<at::Tensor>& part : parts) {
    joined.push_back(at::cat(part));
  }
  return joined;
}

/// The ids of a source's samples in its order, [n] int64 on the CPU.
inline at::Tensor ids_of(const Source& source) {
  const std::vector<at::Tensor> columns =
      read_columns(source, {}, [](const Batch& batch) { return std::vector<at::Tensor>{batch.id}; });
  return columns.empty() ? at::zeros({0}, at::kLong) : columns.front();
}

}  // namespace regimen::inline v0::detail
