#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "regimen/base/json.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/batch/tensors.hpp"
#include "regimen/damage/by_class.hpp"
#include "regimen/damage/label_noise.hpp"
#include "regimen/key/moment.hpp"
#include "regimen/source/columns.hpp"
#include "regimen/source/source.hpp"
#include "regimen/source/views.hpp"
#include "regimen/tensor/checksum.hpp"

namespace regimen::inline v0 {
namespace detail {

/// A source with its true labels; data, ids and all else are its own.
struct TrueLabels {
  Source of;
  at::Tensor labels;  ///< [size] int64, by place in the source, on its device

  [[nodiscard]] std::int64_t size() const { return *of.size(); }
  [[nodiscard]] Batch get(const at::Tensor& index, const Moment& now) const {
    const Batch batch = of.get(index, now);
    return with_target(batch, labels.index_select(0, index).to(batch.target.device()));
  }

  [[nodiscard]] std::string manifest() const {
    return json::Object()
        .add("type", "\"TrueLabels\"")
        .add("of", of.manifest())
        .add("labels_crc32", json::quoted(crc32_of(labels)))
        .text();
  }
};

}  // namespace detail

/// Data with label noise, taken apart by it. Score the parts by `evaluate`, or along a run by `AccuracyOn`:
///
///     corrupted   accuracy is the share of the wrong labels that the network has learned by heart: fit on them
///     truth       accuracy is the share of the same samples that it predicts as they truly are: label recovery, or
///                 clean accuracy on them (Li, Soltanolkotabi and Oymak 2020). What is left is neither
///     untouched   fit and clean accuracy on the others, for whom the two are one
struct NoiseSplit {
  Source corrupted{};       ///< the samples whose label is not their true one, labelled as in the data
  Source truth{};           ///< the same samples, shown as in the data, with their true labels
  Source untouched{};       ///< all others
  at::Tensor mask{};        ///< [n] bool on the CPU: which are corrupted, in the order of the data
  at::Tensor true_label{};  ///< [n] int64 on the CPU, in that order
};

/// Takes data apart by `label_noise`: copies are compared with the sample that they were made from. Reads both sources
/// once. Noise that follows a schedule is that of `now`, in the mask and whenever a part is read (`as_of`).
/// Throws Error as `label_noise` does, and for streams.
///     const auto parts = regimen::split_by_noise(noisy, train);
///     scoring.measures["by_heart"] = regimen::AccuracyOn{parts.corrupted};
///     scoring.measures["recovered"] = regimen::AccuracyOn{parts.truth};
[[nodiscard]] inline NoiseSplit split_by_noise(const Source& data, const Source& clean, const Moment& now = {}) {
  const LabelNoise noise = detail::compare_labels(data, clean, now, "split_by_noise");
  detail::require_indexed(data, "split_by_noise");
  const Source still = as_of(data, now);
  NoiseSplit parts{.mask = noise.touched, .true_label = noise.original};
  const at::Tensor places = parts.mask.nonzero().flatten();
  parts.corrupted = subset(still, places);
  parts.truth = detail::TrueLabels{parts.corrupted, parts.true_label.index_select(0, places).to(data.device())};
  parts.untouched = detail::marked(still, parts.mask.logical_not());
  return parts;
}

}  // namespace regimen::inline v0
