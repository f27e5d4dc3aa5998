#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros.h>

#include <string>
#include <utility>

#include "regimen/loss/predicted.hpp"
#include "regimen/measure/margins.hpp"
#include "regimen/source/source.hpp"
#include "regimen/track/samples.hpp"

namespace regimen::inline v0 {

/// The area under the margin of each sample: the mean of its margins over all times that it was seen (Pleiss et al.
/// 2020, "Identifying Mislabeled Data using the Area Under the Margin Ranking", equations 1 and 2). It is small for
/// samples that the others contradict: below a threshold the paper takes them for mislabelled.
///
/// As an observer of `run` it adds a sample each time that it is trained on, from the output of the step itself, as the
/// paper does: in train mode, augmented, with the target of that step. It costs no forward pass. In a loop of your own
/// call `add`. The device is waited for only when a result is read.
///
/// Results are [n] in the order of the source, on the device of the last added samples. Reading a result throws Error
/// if a sample was added that is not in the source. Throws Error for `Phase::accumulate` above 1 (see `SampleRows`).
///     regimen::AreaUnderMargin area(noisy);
///     regimen::run(net, {phase}, scoring, area);
///     const at::Tensor suspects = area.values() < 0;
class AreaUnderMargin {
 public:
  /// `phase`: name of the one phase to follow; if empty, all phases.
  explicit AreaUnderMargin(const Source& source, std::string phase = "")
      : rows_(source, "AreaUnderMargin", std::move(phase)),
        sum_(at::zeros({rows_.size() + 1}, at::kDouble)),
        seen_(at::zeros({rows_.size() + 1}, at::kLong)) {}

  AreaUnderMargin(const AreaUnderMargin&) = delete;
  AreaUnderMargin& operator=(const AreaUnderMargin&) = delete;

  void operator()(const RunBegin& begin) { rows_.hear(begin); }
  void operator()(const PhaseBegin& begin) { rows_.hear(begin); }

  void operator()(const Step& step) {
    if (rows_.concerned(step)) {
      add(step.pass.batch.id, step.pass.output, step.pass.batch.target);
    }
  }

  /// Adds samples: ids [N] int64, logits [N, C], targets as for `margins`. A label out of [0, C) makes its sample's
  /// value NaN: an Error would wait for the device.
  void add(const at::Tensor& ids, const at::Tensor& logits, const at::Tensor& targets) {
    const at::NoGradGuard no_grad;
    const at::Tensor margin = detail::margins_of_labels(logits, detail::labels_for(logits, targets, "AreaUnderMargin"));
    sum_ = sum_.to(margin.device());
    seen_ = seen_.to(margin.device());
    const at::Tensor rows = rows_.of(ids.to(margin.device()));
    sum_.index_add_(0, rows, margin);
    seen_.index_add_(0, rows, at::ones_like(rows));
  }

  /// The areas, [n] double; NaN for a sample that was not seen.
  [[nodiscard]] at::Tensor values() const { return rows_.known(sum_, seen_) / seen(); }

  /// The number of times that each sample was added, [n] int64.
  [[nodiscard]] at::Tensor seen() const { return rows_.known(seen_, seen_); }

  /// The ids of the samples, in the order of the results.
  [[nodiscard]] const at::Tensor& ids() const { return rows_.ids(); }

  [[nodiscard]] std::string manifest() const { return rows_.manifest(); }

  /// Writes the sums to a checkpoint's archive: a resumed run gets the same results, bit for bit, as one without a
  /// stop.
  template <class Archive>
  void save(Archive& archive) const {
    rows_.save(archive);
    archive.write("sum", sum_.cpu(), true);
    archive.write("seen", seen_.cpu(), true);
  }

  /// Reads the sums from a checkpoint's archive. Throws Error if it is of other samples.
  template <class Archive>
  void load(Archive& archive) {
    rows_.load(archive);
    detail::load_table(archive, "sum", sum_);
    detail::load_table(archive, "seen", seen_);
  }

 private:
  SampleRows rows_;
  at::Tensor sum_;   ///< [n + 1] double, sums of margins
  at::Tensor seen_;  ///< [n + 1] int64, numbers of margins
};

}  // namespace regimen::inline v0
