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

/// A source with its true labels; everything else is unchanged.
struct TrueLabels {
  Source of;
  at::Tensor labels;  ///< [size] int64 in the order of the source, on its device

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

/// Data with label noise, split by it. Score the parts by `evaluate`, or during a run by `AccuracyOn`:
///
///     corrupted   accuracy is the share of wrong labels that the network has memorized: fit on these samples
///     truth       accuracy is the share of the same samples whose true label it predicts: label recovery, or clean
///                 accuracy on them (Li, Soltanolkotabi and Oymak 2020). All others are predicted as a third class
///     untouched   accuracy on the other samples, for which fit and clean accuracy are the same
struct NoiseSplit {
  Source corrupted{};       ///< samples whose label is wrong, with that label
  Source truth{};           ///< the same samples with their true labels
  Source untouched{};       ///< all other samples
  at::Tensor mask{};        ///< [n] bool on the CPU, in the order of the data: true for a wrong label
  at::Tensor true_label{};  ///< [n] int64 on the CPU, in the order of the data
};

/// Splits data by their label noise; copies are compared with the sample that they were made from. Reads both sources
/// once. Noise that follows a schedule is that of `now`, in the mask and whenever a part is read (`as_of`). Throws
/// Error as `label_noise` does, and for streams.
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
