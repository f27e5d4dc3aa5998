#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "regimen/detail/checksum.hpp"
#include "regimen/detail/json.hpp"
#include "regimen/evaluate.hpp"
#include "regimen/measure.hpp"
#include "regimen/source.hpp"
#include "regimen/source/noise.hpp"
#include "regimen/track.hpp"
#include "regimen/transform/labels.hpp"

namespace regimen::inline v0 {

namespace detail {

/// A source with its true labels; data, ids and all else are its own.
struct TrueLabels {
  Source of;
  at::Tensor labels;  ///< [size] int64, by place in the source, on its device

  [[nodiscard]] std::int64_t size() const { return *of.size(); }
  [[nodiscard]] Batch get(const at::Tensor& index, const Now& now) const {
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

/// The samples whose place is marked; mask [n] bool.
inline Source marked(const Source& source, const at::Tensor& mask) {
  return subset(source, mask.nonzero().flatten());
}

}  // namespace detail

/// The samples of each class by themselves: as many sources as there are classes, some perhaps empty. Reads the source
/// once. Damage that follows a schedule is that of `now`, also when a part is read later (`as_of`).
/// Throws Error unless the source is indexed, its targets are [N] int64 in [0, classes), and classes >= 1.
///     const auto parts = regimen::by_class(test, /*classes=*/10);
[[nodiscard]] inline std::vector<Source> by_class(const Source& source, std::int64_t classes, const Now& now = {}) {
  detail::require(classes >= 1, "by_class: classes", "at least 1", classes);
  const at::Tensor labels = detail::labelled_ids(source, "by_class", now).label;
  const auto least = labels.min().item<std::int64_t>();
  const auto largest = labels.max().item<std::int64_t>();
  const std::string bound = "in [0, " + detail::text(classes) + ")";
  detail::require(least >= 0, "by_class: a label", bound, least);
  detail::require(largest < classes, "by_class: a label", bound, largest);
  const Source still = as_of(source, now);
  std::vector<Source> parts;
  for (std::int64_t c = 0; c < classes; ++c) {
    parts.push_back(detail::marked(still, labels == c));
  }
  return parts;
}

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
///     splits.measures["by_heart"] = regimen::AccuracyOn{parts.corrupted};
///     splits.measures["recovered"] = regimen::AccuracyOn{parts.truth};
[[nodiscard]] inline NoiseSplit split_by_noise(const Source& data, const Source& clean, const Now& now = {}) {
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

/// `evaluate` of each part; an empty part is not scored: its accuracy and loss are NaN. Together the parts of a source
/// cost about one pass over it.
///     const std::vector<regimen::Score> each = regimen::scores(net, regimen::by_class(test, 10));
[[nodiscard]] inline std::vector<Score> scores(const Model& model, const std::vector<Source>& parts,
                                               const Evaluation& how = {}) {
  std::vector<Score> result;
  for (const Source& part : parts) {
    const bool empty = part.defined() && part.size() == 0;
    result.push_back(empty ? Score{} : evaluate(model, part, how));
  }
  return result;
}

/// The accuracy on a part of the data, as a measure for `Splits::measures`: one pass over the part at each scoring.
/// NaN for an empty part. What `how` leaves at its defaults is as the phase has it: its loss, preprocessing, precision.
/// (No preprocessing where the phase has some: `.preprocess = {regimen::chain()}`.)
struct AccuracyOn {
  Source part;
  Evaluation how{};

  double operator()(const Probe& probe) const {
    return scores(probe.model, {part}, detail::filled_in(how, probe.how)).front().accuracy;
  }
};

/// The mean loss on a part of the data; else as `AccuracyOn`.
struct LossOn {
  Source part;
  Evaluation how{};

  double operator()(const Probe& probe) const {
    return scores(probe.model, {part}, detail::filled_in(how, probe.how)).front().loss;
  }
};

/// The gap in accuracy of one part, of training minus held out, as a measure for `Splits::measures`: one pass over
/// each. NaN if either is empty. For all classes at once: `class_gaps`.
struct PartGap {
  Source on_training_data;
  Source held_out;
  Evaluation how{};

  double operator()(const Probe& probe) const {
    const Evaluation filled = detail::filled_in(how, probe.how);
    return gaps(scores(probe.model, {on_training_data}, filled), scores(probe.model, {held_out}, filled)).front();
  }
};

/// The gaps of all classes along training, as measures "class_gap_0", "class_gap_1", ...: all together cost one pass
/// over both sources at each scoring. `now`: for damage that follows a schedule, as of when.
/// Throws Error as `by_class` does.
///     splits.measures = regimen::class_gaps(train, test, /*classes=*/10);
[[nodiscard]] inline std::map<std::string, AnyMeasure> class_gaps(const Source& on_training_data,
                                                                  const Source& held_out, std::int64_t classes,
                                                                  const Evaluation& how = {}, const Now& now = {}) {
  const std::vector<Source> train_parts = by_class(on_training_data, classes, now);
  const std::vector<Source> held_out_parts = by_class(held_out, classes, now);
  std::map<std::string, AnyMeasure> measures;
  for (std::size_t c = 0; c < train_parts.size(); ++c) {
    measures.emplace("class_gap_" + detail::text(c), PartGap{train_parts[c], held_out_parts[c], how});
  }
  return measures;
}

/// The largest gap in accuracy of any class, or of other parts, as a measure for `Splits::measures`: of training minus
/// held out, part by part; parts that are empty on either side are left out, and NaN is left if all are.
///     splits.measures["worst_class_gap"] = regimen::WorstGap{by_class(train, 10), by_class(test, 10)};
/// Throws Error where the two have different lengths.
struct WorstGap {
  std::vector<Source> on_training_data;
  std::vector<Source> held_out;
  Evaluation how{};

  double operator()(const Probe& probe) const {
    const Evaluation filled = detail::filled_in(how, probe.how);
    double worst = unknown;
    for (const double gap :
         gaps(scores(probe.model, on_training_data, filled), scores(probe.model, held_out, filled))) {
      worst = std::fmax(worst, gap);  // the one that is a number, if the other is NaN
    }
    return worst;
  }
};

}  // namespace regimen::inline v0
