#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <unordered_map>

#include "regimen/record.hpp"
#include "regimen/source.hpp"

namespace regimen::inline v0 {

/// The share of the samples of `data` whose label differs from that of the clean sample that they came from, in [0, 1];
/// NaN where the two cannot be compared (streams, soft targets, samples unknown to `clean`). Reads both sources once.
///     regimen::realised_noise(regimen::frozen(train, regimen::UniformLabels{.classes = 10}, 7), train);  // about 0.9
[[nodiscard]] inline double realised_noise(const Source& data, const Source& clean) {
  if (!data.defined() || !clean.defined() || !data.size() || !clean.size()) {
    return unknown;
  }
  const auto is_labels = [](const at::Tensor& t) {
    return t.defined() && t.dim() == 1 && t.scalar_type() == at::kLong;
  };
  std::unordered_map<std::int64_t, std::int64_t> truth;
  const Cursor next_clean = clean.read({.batch = 4096});
  for (Batch batch = next_clean(); batch.size() > 0; batch = next_clean()) {
    if (!is_labels(batch.target)) {
      return unknown;
    }
    const at::Tensor ids = batch.source_id().cpu().contiguous();
    const at::Tensor labels = batch.target.cpu().contiguous();
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      truth[ids.data_ptr<std::int64_t>()[i]] = labels.data_ptr<std::int64_t>()[i];
    }
  }
  std::int64_t changed = 0;
  std::int64_t samples = 0;
  const Cursor next = data.read({.batch = 4096});
  for (Batch batch = next(); batch.size() > 0; batch = next()) {
    if (!is_labels(batch.target)) {
      return unknown;
    }
    const at::Tensor ids = batch.source_id().cpu().contiguous();
    const at::Tensor labels = batch.target.cpu().contiguous();
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      const auto found = truth.find(ids.data_ptr<std::int64_t>()[i]);
      if (found == truth.end()) {
        return unknown;
      }
      changed += found->second != labels.data_ptr<std::int64_t>()[i] ? 1 : 0;
      ++samples;
    }
  }
  return samples == 0 ? unknown : static_cast<double>(changed) / static_cast<double>(samples);
}

}  // namespace regimen::inline v0
