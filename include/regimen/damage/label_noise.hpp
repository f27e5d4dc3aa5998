#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/cat.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "regimen/batch/tensors.hpp"
#include "regimen/damage/detail/same_sample.hpp"
#include "regimen/record/history.hpp"
#include "regimen/source/columns.hpp"
#include "regimen/source/source.hpp"
#include "regimen/statistics/proportion.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// The labels of a source compared with the clean ones, sample by sample in its order, all on the CPU (see
/// `label_noise`).
struct LabelNoise {
  at::Tensor id{};        ///< [N] int64
  at::Tensor original{};  ///< [N] int64, label of the clean sample
  at::Tensor label{};     ///< [N] int64, label in the source
  at::Tensor touched{};   ///< [N] bool, whether the two labels differ
  at::Tensor counts{};    ///< [classes, classes] int64, [i][j]: number of samples of class i with label j

  /// The share of labels that differ, which is exact for these data. The interval (Wilson's) is for the probability
  /// behind it, if labels were changed independently of each other, that is, by `frozen` without an exact share.
  [[nodiscard]] Proportion rate(double level = 0.95) const {
    return wilson_interval(touched.sum().item<std::int64_t>(), touched.size(0), level);
  }

  /// The share of the samples with original label `from` that have label `to`, with an interval as by `rate`.
  [[nodiscard]] Proportion rate_of(std::int64_t from, std::int64_t to, double level = 0.95) const {
    return wilson_interval(counts[from][to].item<std::int64_t>(), counts[from].sum().item<std::int64_t>(), level);
  }

  /// The noise matrix of these data, [classes, classes] double: counts over their row's sum; NaN in a row without
  /// samples.
  [[nodiscard]] at::Tensor matrix() const { return counts.to(at::kDouble) / counts.sum(1, /*keepdim=*/true); }
};

namespace detail {

/// The comparison without `counts`.
inline LabelNoise compare_labels(const Source& data, const Source& clean, const Moment& now, const std::string& who) {
  const Labelled truth = labelled(clean, now, who, "clean targets");
  const Labelled given = labelled(data, now, who, "targets");
  const at::Tensor places = CleanSamples(truth.names, who).places_of(given.names);
  LabelNoise noise{.id = given.names.id, .original = truth.label.index_select(0, places), .label = given.label};
  noise.touched = noise.label != noise.original;
  return noise;
}

}  // namespace detail

/// Compares the labels of data with the clean ones: which samples changed, the original labels, the matrix of counts,
/// and the noise rate with a confidence interval. Copies (`repeat`) are compared with the sample that they were made
/// from. Reads both sources once. A sample whose label was redrawn and came out the same is not `touched`.
/// classes: the size of the matrix, at most 32,768; 0 for the largest label plus 1. `now`: the moment for noise that
/// follows a schedule. Throws Error for endless streams, targets that are not [N] int64, labels out of [0, classes),
/// samples that `clean` does not have, and copies whose original is not unique in `clean`.
///     const auto noise = regimen::label_noise(noisy, train);
///     const auto wrong = regimen::subset(noisy, noise.touched.nonzero().flatten());
[[nodiscard]] inline LabelNoise label_noise(const Source& data, const Source& clean, std::int64_t classes = 0,
                                            const Moment& now = {}) {
  constexpr std::int64_t most = 32768;  // a matrix of 8 GiB
  detail::require(classes >= 0 && classes <= most, "label_noise: classes", "in [0, " + detail::text(most) + "]",
                  classes);
  LabelNoise noise = detail::compare_labels(data, clean, now, "label_noise");
  const auto least = std::min(noise.label.min().item<std::int64_t>(), noise.original.min().item<std::int64_t>());
  const auto largest = std::max(noise.label.max().item<std::int64_t>(), noise.original.max().item<std::int64_t>());
  if (classes == 0) {
    detail::require(largest < most, "label_noise: a label",
                    "below " + detail::text(most) + ", as the matrix has a row for each class up to it", largest);
    classes = std::max<std::int64_t>(largest + 1, 1);
  }
  detail::require(least >= 0 && largest < classes, "label_noise: a label", "in [0, " + detail::text(classes) + ")",
                  least < 0 ? least : largest);
  const at::Tensor pair = noise.original * classes + noise.label;
  noise.counts = at::bincount(pair, {}, classes * classes).view({classes, classes});
  return noise;
}

/// The noise rate: the share of the samples of `data` whose label differs from that of their clean sample, in [0, 1].
/// NaN if the two cannot be compared (streams, soft targets, samples unknown to `clean`). Reads both sources once, as
/// of `now`.
///     regimen::realised_noise(regimen::frozen(train, regimen::UniformLabels{.classes = 10}, 7), train);  // about 0.9
[[nodiscard]] inline double realised_noise(const Source& data, const Source& clean, const Moment& now = {}) {
  try {
    return detail::compare_labels(data, clean, now, "realised_noise").rate().share;
  } catch (const detail::NotComparable&) {
    return unknown;
  }
}

/// The samples of a source that differ from their clean ones, as masks on the CPU (see `touched`).
struct Touched {
  at::Tensor data{};    ///< [N] bool, samples with another input
  at::Tensor target{};  ///< [N] bool, samples with another target; undefined if a source has no targets
};

/// Compares the inputs and targets of `data` with those of their clean samples: masks of any kind of damage, open-set
/// noise and outliers included. Reads `data` once, as many samples of `clean`, and the ids of `clean`, all as of `now`.
/// Throws Error unless `clean` is indexed and has every sample, and shapes and types agree.
///     const at::Tensor strangers = regimen::touched(with_open_set, train).data;
[[nodiscard]] inline Touched touched(const Source& data, const Source& clean, const Moment& now = {}) {
  if (!data.defined() || !data.size() || !clean.indexed()) {
    throw Error("touched takes a source that ends, and an indexed one to compare it with");
  }
  const auto differs = [](const at::Tensor& found, const at::Tensor& before, const std::string& what) {
    if (found.sizes() != before.sizes() || found.scalar_type() != before.scalar_type()) {
      throw Error("touched compares " + what + " of one shape and type, not " + detail::described(found) + " and " +
                  detail::described(before));
    }
    const at::Tensor is = found.cpu();
    const at::Tensor was = before.cpu();
    // NaN is equal to NaN here.
    const at::Tensor other = (is != was).logical_and((is == is).logical_or(was == was));
    return other.reshape({is.size(0), -1}).any(1);
  };
  const std::vector<at::Tensor> names = detail::read_columns(
      clean, now, [](const Batch& batch) { return std::vector<at::Tensor>{batch.id, batch.source_id()}; });
  if (names.empty()) {
    throw Error("touched takes sources with at least one sample");
  }
  const detail::CleanSamples samples({names[0], names[1]}, "touched");
  std::vector<at::Tensor> inputs;
  std::vector<at::Tensor> targets;
  const Cursor next = data.read({.batch = 1024, .now = now});
  for (Batch batch = next(); batch.size() > 0; batch = next()) {
    const Batch before = clean.get(samples.places_of({batch.id, batch.source_id()}), now);
    inputs.push_back(differs(batch.data, before.data, "data"));
    if (batch.target.defined() && before.target.defined()) {
      targets.push_back(differs(batch.target, before.target, "targets"));
    }
  }
  if (inputs.empty()) {
    throw Error("touched takes sources with at least one sample");
  }
  return {at::cat(inputs), targets.size() == inputs.size() ? at::cat(targets) : at::Tensor()};
}

}  // namespace regimen::inline v0
