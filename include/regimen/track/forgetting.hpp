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

/// How often each sample was forgotten: predicted rightly the last time that it was seen, and wrongly now (Toneva et
/// al. 2019, "An Empirical Study of Example Forgetting during Deep Neural Network Learning", section 3).
///
/// Counted each time that a sample is added, against the last time that it was. As an observer of `run` that is each
/// time that it is trained on, by the output from which the step was computed: in train mode, augmented, with the
/// target that it was shown with. That is the paper's count, and costs no forward pass. In a loop of your own it is
/// whatever you add; each sample at most once in a call. Nothing waits for the device before a result is read.
///
/// Results are [n] in the order of the source, on the device of what was added last. Throws Error, when one is read,
/// if a sample was added that is not in the source; and for `Phase::accumulate` above 1 (see `SampleRows`).
///     regimen::ForgettingEvents forgetting(noisy);
///     regimen::run(net, {phase}, scoring, forgetting);
///     forgetting.events();
///     forgetting.add(batch.id, output, batch.target);  // in a loop of your own
class ForgettingEvents {
 public:
  /// `phase`: the only one to follow, of a run with several; all if it is empty.
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

  /// ids [N] int64, logits [N, C], targets [N] int64 or [N, C], of which the largest entry is the label.
  void add(const at::Tensor& ids, const at::Tensor& logits, const at::Tensor& targets) {
    const at::NoGradGuard no_grad;
    add(ids, predicted_classes(logits) == detail::labels_for(logits, targets, "ForgettingEvents"));
  }

  /// ids [N] int64, right [N] bool: any notion of right.
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

  /// [n] int64: forgetting events.
  [[nodiscard]] at::Tensor events() const { return rows_.known(events_, seen_); }

  /// [n] int64: how often each sample was added.
  [[nodiscard]] at::Tensor seen() const { return rows_.known(seen_, seen_); }

  /// [n] bool: predicted rightly at least once. The others are the paper's "never learned".
  [[nodiscard]] at::Tensor learned() const { return rows_.known(learned_, seen_); }

  /// [n] bool: predicted rightly the last time.
  [[nodiscard]] at::Tensor right() const { return rows_.known(right_, seen_); }

  /// [n] bool: learned, and never forgotten after that.
  [[nodiscard]] at::Tensor unforgettable() const { return learned().logical_and(events() == 0); }

  /// [n] double, what the paper sorts by: the events; infinity where a sample was seen and never learned; NaN where it
  /// was not seen.
  [[nodiscard]] at::Tensor score() const {
    return events()
        .to(at::kDouble)
        .masked_fill(learned().logical_not(), std::numeric_limits<double>::infinity())
        .masked_fill(seen() == 0, unknown);
  }

  /// Whose result is which.
  [[nodiscard]] const at::Tensor& ids() const { return rows_.ids(); }

  [[nodiscard]] std::string manifest() const { return rows_.manifest(); }

  /// For a checkpoint: a resumed run counts as if it had never stopped.
  template <class Archive>
  void save(Archive& archive) const {
    rows_.save(archive);
    archive.write("right", right_.cpu(), true);
    archive.write("learned", learned_.cpu(), true);
    archive.write("events", events_.cpu(), true);
    archive.write("seen", seen_.cpu(), true);
  }

  /// Throws Error for an archive of other samples.
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
  at::Tensor right_;    ///< [n + 1] bool: the last time
  at::Tensor learned_;  ///< [n + 1] bool: ever
  at::Tensor events_;   ///< [n + 1] int64
  at::Tensor seen_;     ///< [n + 1] int64
};

}  // namespace regimen::inline v0
