#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>

#include <cstdint>
#include <string>
#include <utility>

#include "regimen/base/error.hpp"
#include "regimen/base/manifest.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/tensor/checksum.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// Data in memory. A batch without ids gets 0, 1, 2, ... Throws Error if tensors differ in length, or if ids are not
/// [N] int64, not distinct or negative.
struct InMemory {
  explicit InMemory(Batch all) : all_(std::move(all)) {
    if (!all_.data.defined() || all_.data.dim() == 0) {
      throw Error("a source must have data of [N, ...], not an undefined or a 0-d tensor");
    }
    if (!all_.id.defined()) {
      all_.id = at::arange(all_.size(), all_.data.options().dtype(at::kLong));
    }
    if (all_.id.dim() != 1 || all_.id.scalar_type() != at::kLong) {
      throw Error("Batch.id must be [N] int64");
    }
    require_distinct_ids();
    detail::visit_tensors(all_, [&](const at::Tensor& tensor) {
      const std::int64_t length = tensor.dim() == 0 ? 0 : tensor.size(0);
      detail::require(length == all_.size(), "a source's tensors' length",
                      "that of its data, " + detail::text(all_.size()), length);
    });
  }

  [[nodiscard]] std::int64_t size() const { return all_.size(); }
  [[nodiscard]] at::Device device() const { return all_.data.device(); }
  [[nodiscard]] Batch get(const at::Tensor& index) const { return rows(all_, index.to(device())); }

  [[nodiscard]] std::string manifest() const {
    return detail::json::Object()
        .add("type", "\"InMemory\"")
        .add("samples", detail::text(size()))
        .add("shape", regimen::manifest(all_.data.sizes().slice(1).vec()))
        .add("dtype", detail::json::quoted(std::string(all_.data.dtype().name())))
        .add("data_crc32", detail::json::quoted(detail::crc32_of(all_.data)))
        .add("target", detail::json::quoted(detail::described(all_.target)))
        .add("target_crc32", detail::json::quoted(detail::crc32_of(all_.target)))
        .add("id_crc32", detail::json::quoted(detail::crc32_of(all_.id)))
        .add("origin_crc32", detail::json::quoted(detail::crc32_of(all_.origin)))
        .add("extra", extra_sums())
        .text();
  }

 private:
  [[nodiscard]] std::string extra_sums() const {
    detail::json::Object sums;
    for (const auto& [name, tensor] : all_.extra) {
      sums.add(name, detail::manifest_of_tensor(tensor));
    }
    return sums.text();
  }

  /// Two samples with one id would get the same noise, and count as one sample wherever ids are counted.
  void require_distinct_ids() const {
    const at::Tensor sorted = std::get<0>(all_.id.cpu().sort());
    const auto* const id = sorted.data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < sorted.size(0); ++i) {
      detail::require(id[i] >= 0, "Batch.id", "at least 0", id[i]);
      if (i > 0 && id[i] == id[i - 1]) {
        throw Error("Batch.id must be another for each sample, but two are " + detail::text(id[i]));
      }
    }
  }

  Batch all_;
};

}  // namespace regimen::inline v0
