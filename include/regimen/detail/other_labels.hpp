#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "regimen/detail/batch_parts.hpp"
#include "regimen/source.hpp"

/// Whether two sources tell the same of the samples that both have.
namespace regimen::inline v0::detail {

/// [N] int64, on the CPU: a number of each row's bytes, the same for the same rows.
inline at::Tensor row_checksums(const at::Tensor& tensor) {
  const at::Tensor rows = tensor.cpu().contiguous();
  const std::int64_t n = rows.size(0);
  at::Tensor sums = at::empty({n}, at::kLong);
  if (n == 0) {
    return sums;
  }
  const auto* const bytes = static_cast<const Bytef*>(rows.data_ptr());
  const std::size_t length = rows.nbytes() / static_cast<std::size_t>(n);
  auto* const to = sums.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < n; ++i) {
    to[i] = static_cast<std::int64_t>(::crc32_z(0, bytes + static_cast<std::size_t>(i) * length, length));
  }
  return sums;
}

/// Of the samples that two sources have, by their ids.
struct SharedSamples {
  std::int64_t samples = 0;
  std::int64_t with_other_targets = 0;
};

/// Reads ids and targets of both once, as they are at the beginning. Labels and soft labels are compared by the class
/// that they are for; what cannot be compared is not counted at all. For indexed sources with samples.
inline SharedSamples shared_samples(const Source& one, const Source& other) {
  const at::Tensor first = at::zeros({1}, at::kLong);
  const at::Tensor target = one.get(first).target;
  const at::Tensor others = other.get(first).target;
  if (!target.defined() || !others.defined()) {
    return {};
  }
  const auto is_soft = [](const at::Tensor& of) { return of.dim() == 2 && of.is_floating_point() && of.size(1) > 1; };
  const bool by_class = (is_labels(target) && is_soft(others)) || (is_soft(target) && is_labels(others));
  const bool alike = target.scalar_type() == others.scalar_type() && target.sizes() == others.sizes();
  if (!by_class && !alike) {
    return {};
  }
  const auto columns_of = [&](const Source& source) {
    return read_columns(source, {}, [&](const Batch& batch) -> std::vector<at::Tensor> {
      const at::Tensor soft = by_class && !is_labels(batch.target) ? batch.target.argmax(1) : batch.target;
      return {batch.id, is_labels(soft) ? soft : row_checksums(soft)};
    });
  };
  const auto for_each_sample = [](const std::vector<at::Tensor>& columns, const auto& act) {
    const at::Tensor ids = columns[0].contiguous();
    const at::Tensor values = columns[1].contiguous();
    for (std::int64_t i = 0; i < ids.size(0); ++i) {
      act(ids.data_ptr<std::int64_t>()[i], values.data_ptr<std::int64_t>()[i]);
    }
  };
  std::unordered_map<std::int64_t, std::int64_t> told;
  for_each_sample(columns_of(one), [&](std::int64_t id, std::int64_t value) { told.emplace(id, value); });
  SharedSamples shared;
  for_each_sample(columns_of(other), [&](std::int64_t id, std::int64_t value) {
    const auto found = told.find(id);
    if (found != told.end()) {
      ++shared.samples;
      shared.with_other_targets += found->second != value ? 1 : 0;
    }
  });
  return shared;
}

}  // namespace regimen::inline v0::detail
