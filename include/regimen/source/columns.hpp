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

/// What is read of a whole source at once, and what its draws are keyed by.
namespace regimen::inline v0::detail {

/// Throws Error for a stream.
inline void require_indexed(const Source& source, const std::string& who) {
  if (!source.indexed()) {
    throw Error(who + " takes an indexed source, not a stream");
  }
}

/// The key of what is drawn for the samples of `of`. What lies on other draws has other ones, also of the same seed:
/// which samples it damages, and how, would else be a function of what the one below did.
inline Key apart_from_below(const Key& key, const Source& of) {
  const int layers = of.traits().random_layers;
  return layers == 0 ? key : key.fold(salt::layer).fold(static_cast<std::uint64_t>(layers));
}

/// Of a whole source what `columns` takes from each batch, joined on the CPU, as it is at this moment. Reads it once;
/// empty for a source without samples.
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

/// [n] int64, on the CPU: the ids of a source's samples, in its order.
inline at::Tensor ids_of(const Source& source) {
  const std::vector<at::Tensor> columns =
      read_columns(source, {}, [](const Batch& batch) { return std::vector<at::Tensor>{batch.id}; });
  return columns.empty() ? at::zeros({0}, at::kLong) : columns.front();
}

}  // namespace regimen::inline v0::detail
