#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros.h>

#include <limits>
#include <string>
#include <utility>

#include "regimen/loss/predicted.hpp"
#include "regimen/source/source.hpp"
#include "regimen/track/samples.hpp"

namespace regimen::inline v0 {

/// The number of times that each sample was forgotten: predicted correctly the last time that it was seen, and wrongly
/// now (Toneva et al. 2019, "An Empirical Study of Example Forgetting during Deep Neural Network Learning", section 3).
///
/// As an observer of `run` it looks at a sample each time that it is trained on, by the output of the step itself: in
/// train mode, augmented, with the target of that step. That is the paper's count, and costs no forward pass. In a loop
/// of your own call `add`, with each sample at most once in a call. The device is waited for only when a result is
/// read.
///
/// Results are [n] in the order of the source, on the device of the last added samples. Reading a result throws Error
/// if a sample was added that is not in the source. Throws Error for `Phase::accumulate` above 1 (see `SampleRows`).
///     regimen::ForgettingEvents forgetting(noisy);
///     regimen::run(net, {phase}, scoring, forgetting);
///     forgetting.events();
///     forgetting.add(batch.id, output, batch.target);  // in a loop of your own
class ForgettingEvents {
 public:
  /// `phase`: name of the one phase to follow; if empty, all phases.
  explicit ForgettingEvents(const Source& source, std::string phase = "")
      : rows_(source, "ForgettingEvents", std::move(phase)),
        right_(at::zeros({rows_.size() + 1}, at::kBool)),
        learned_(at::zeros({rows_.size() + 1}, at::kBool)),
        events_(at::zeros({rows_.size() + 1}, at::kLong)),
        seen_(at::zeros({rows_.size() + 1}, at::kLong)) {}

  ForgettingEvents(const ForgettingEvents&) = delete;
  ForgettingEvents& operator=(const ForgettingEvents&) = delete;

  void operator()(const RunBegin& begin) { rows_.hear(begin); }
  void operator()(const PhaseBegin& begin) { rows_.hear(begin); }

  void operator()(const Step& step) {
    if (rows_.concerned(step)) {
      add(step.pass.batch.id, step.pass.output, step.pass.batch.target);
    }
  }

  /// Adds samples: ids [N] int64, logits [N, C], targets [N] int64 or [N, C], whose largest entry is the label.
  void add(const at::Tensor& ids, const at::Tensor& logits, const at::Tensor& targets) {
    const at::NoGradGuard no_grad;
    add(ids, predicted_classes(logits) == detail::labels_for(logits, targets, "ForgettingEvents"));
  }

  /// Adds samples: ids [N] int64, right [N] bool by any definition of correct.
  void add(const at::Tensor& ids, const at::Tensor& right) {
    const at::NoGradGuard no_grad;
    for (at::Tensor* const table : {&right_, &learned_, &events_, &seen_}) {
      *table = table->to(right.device());
    }
    const at::Tensor rows = rows_.of(ids.to(right.device()));
    const at::Tensor forgotten = right_.index_select(0, rows).logical_and(right.logical_not());
    events_.index_add_(0, rows, forgotten.to(at::kLong));
    seen_.index_add_(0, rows, at::ones_like(rows));
    learned_.index_copy_(0, rows, learned_.index_select(0, rows).logical_or(right));
    right_.index_copy_(0, rows, right);
  }

  /// The number of forgetting events, [n] int64.
  [[nodiscard]] at::Tensor events() const { return rows_.known(events_, seen_); }

  /// The number of times that each sample was added, [n] int64.
  [[nodiscard]] at::Tensor seen() const { return rows_.known(seen_, seen_); }

  /// Whether each sample was predicted correctly at least once, [n] bool. The others are the paper's "never learned".
  [[nodiscard]] at::Tensor learned() const { return rows_.known(learned_, seen_); }

  /// Whether each sample was predicted correctly the last time, [n] bool.
  [[nodiscard]] at::Tensor right() const { return rows_.known(right_, seen_); }

  /// Whether each sample was learned and never forgotten afterwards, [n] bool.
  [[nodiscard]] at::Tensor unforgettable() const { return learned().logical_and(events() == 0); }

  /// The paper's sort key, [n] double: the events; infinity for a sample that was seen and never learned; NaN for one
  /// that was not seen.
  [[nodiscard]] at::Tensor score() const {
    return events()
        .to(at::kDouble)
        .masked_fill(learned().logical_not(), std::numeric_limits<double>::infinity())
        .masked_fill(seen() == 0, unknown);
  }

  /// The ids of the samples, in the order of the results.
  [[nodiscard]] const at::Tensor& ids() const { return rows_.ids(); }

  [[nodiscard]] std::string manifest() const { return rows_.manifest(); }

  /// Writes the counts to a checkpoint's archive: a resumed run counts as one without a stop.
  template <class Archive>
  void save(Archive& archive) const {
    rows_.save(archive);
    archive.write("right", right_.cpu(), true);
    archive.write("learned", learned_.cpu(), true);
    archive.write("events", events_.cpu(), true);
    archive.write("seen", seen_.cpu(), true);
  }

  /// Reads the counts from a checkpoint's archive. Throws Error if it is of other samples.
  template <class Archive>
  void load(Archive& archive) {
    rows_.load(archive);
    detail::load_table(archive, "right", right_);
    detail::load_table(archive, "learned", learned_);
    detail::load_table(archive, "events", events_);
    detail::load_table(archive, "seen", seen_);
  }

 private:
  SampleRows rows_;
  at::Tensor right_;    ///< [n + 1] bool: correct the last time
  at::Tensor learned_;  ///< [n + 1] bool: correct at least once
  at::Tensor events_;   ///< [n + 1] int64
  at::Tensor seen_;     ///< [n + 1] int64
};

}  // namespace regimen::inline v0
