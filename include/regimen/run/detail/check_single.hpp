#pragma once

#include <ATen/core/grad_mode.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "regimen/key/generator_guard.hpp"
#include "regimen/model/guards.hpp"
#include "regimen/model/torch_errors.hpp"
#include "regimen/run/detail/check_samples.hpp"
#include "regimen/run/phase.hpp"
#include "regimen/run/scoring.hpp"
#include "regimen/share/data_parallel.hpp"

/// Checks whether the network can take a last batch of a single sample. BatchNorm cannot in train mode, nor, without
/// running statistics, in eval mode: its statistics would be of one number. On images it can, so the network is tried.
namespace regimen::inline v0::detail {

/// The first line of LibTorch's error in the network's forward pass; empty if there is none.
inline std::string complaint_about(const Model& model, const Batch& batch) {
  try {
    (void)model.forward(to(batch, model.device()));
    return "";
  } catch (const c10::Error& failure) {
    return first_line(failure);
  }
}

/// LibTorch's error for one sample of the source, if the network takes two samples. Empty if it takes one, and if it
/// fails for two as well: then for another reason, which the step itself reports.
inline std::string complaint_about_one(const Model& model, const Phase& phase, const NamedSource& from,
                                       bool in_train_mode, const Moment& now) {
  const ModeGuard modes(model);
  const BufferGuard buffers(model);
  const GeneratorGuard generators(model.device());
  const at::NoGradGuard no_grad;
  model.train(in_train_mode, in_train_mode ? phase.eval : std::vector<std::string>());
  std::string of_one;
  look_at_samples(phase, from, 1, now, [&](const Batch& one) { of_one = complaint_about(model, one); });
  if (of_one.empty()) {
    return "";
  }
  bool takes_two = false;
  look_at_samples(phase, from, 2, now, [&](const Batch& two) { takes_two = complaint_about(model, two).empty(); });
  return takes_two ? of_one : "";
}

/// Whether the phase's last batch is a single sample. False if a loader makes the batches.
inline bool trains_on_one(const Phase& phase) {
  const std::int64_t n = *phase.data.size();
  const Order order{.batch = phase.batch, .drop_last = phase.drop_last};
  return !phase.drop_last && n > 1 && n % phase.batch == 1 && phase.data.batches(order) == order.batches(n);
}

/// A source with rows like the phase's: its data; if they are a stream, which is not read, an indexed source that it is
/// scored on. Undefined if there is none.
inline NamedSource rows_like_data(const Phase& phase, const Scoring& scoring) {
  if (phase.data.indexed()) {
    return {phase.data, "data", /*is_augmented=*/true};
  }
  for (const NamedSource& each : held_out(scoring)) {
    if (each.source.indexed()) {
      return each;
    }
  }
  return {};
}

/// Throws Error if an epoch ends with a batch of a single sample and the network cannot be trained on one.
inline void check_last_batch(const Phase& phase, const Scoring& scoring, const Moment& now, const Model& model) {
  const NamedSource rows = rows_like_data(phase, scoring);
  if (!rows.source.defined() || !trains_on_one(phase)) {
    return;
  }
  const std::string complaint = complaint_about_one(model, phase, rows, /*in_train_mode=*/true, now);
  if (!complaint.empty()) {
    throw Error("Phase \"" + phase.name + "\".batch = " + text(phase.batch.value) + " leaves a last batch of 1 of " +
                text(*phase.data.size()) + " samples, on which this network cannot be trained (LibTorch says: " +
                complaint + "): set drop_last = true, or another batch");
  }
}

/// Throws Error if a shared run cuts a batch into shards of a single sample and the network cannot be trained on one.
inline void check_shards(const Phase& phase, const Scoring& scoring, const Moment& now, const Model& model,
                         int shards) {
  const NamedSource rows = rows_like_data(phase, scoring);
  const std::int64_t batch = std::min<std::int64_t>(phase.batch, phase.data.size().value_or(phase.batch));
  if (shards == 0 || batch >= 2 * shards || batch == 1 || !rows.source.defined()) {
    return;
  }
  const std::string complaint = complaint_about_one(model, phase, rows, /*in_train_mode=*/true, now);
  if (!complaint.empty()) {
    throw Error("Phase \"" + phase.name + "\".batch must be at least " + text(2 * shards) +
                ", two samples for each of " + text(shards) + " virtual shards, but is " + text(batch) +
                ": on one sample this network cannot be trained (LibTorch says: " + complaint +
                "); or share the run with fewer shards, DataParallel(group, " + text(shards / 2) + ")");
  }
}

/// Throws Error if an epoch ends with a batch of fewer rows than there are processes, and a layer of the network talks
/// in its forward pass, for which each process must have some.
inline void check_rows_everywhere(const Phase& phase, const DataParallel& share) {
  if (!share.needs_rows_everywhere() || phase.data.size().value_or(0) == 0) {
    return;
  }
  const std::int64_t n = *phase.data.size();
  const std::int64_t left = n % phase.batch;
  const bool whole_is_small = std::min<std::int64_t>(phase.batch, n) < share.size();
  if (whole_is_small || (left > 0 && left < share.size() && !phase.drop_last)) {
    throw Error("Phase \"" + phase.name + "\".batch = " + text(phase.batch.value) + " leaves a batch of " +
                text(whole_is_small ? std::min<std::int64_t>(phase.batch, n) : left) + " of " + text(n) +
                " samples, but SyncBatchNorm needs one for each of " + text(share.size()) +
                " processes: set drop_last = true, or another batch");
  }
}

/// A notice if this cannot be tried for a network with BatchNorm; else empty.
inline std::string untried_last_batch(const Phase& phase, const Scoring& scoring, const Weights& model) {
  if (rows_like_data(phase, scoring).source.defined() || !trains_on_one(phase)) {
    return "";
  }
  for (const Named& named : model.named_buffers()) {
    if (named.name.find("running_var") != std::string::npos) {
      return "the last batch of phase \"" + phase.name + "\" is 1 of " + text(*phase.data.size()) +
             " samples, on which a network with BatchNorm may fail: drop_last = true leaves it out";
    }
  }
  return "";
}

/// Throws Error if scoring a source ends with a batch of a single sample and the network cannot be scored on one.
inline void check_scored_batch(const Phase& phase, const Scoring& scoring, const NamedSource& from, const Moment& now,
                               const Model& model) {
  if (!from.source.indexed() || (*from.source.size() - 1) % scoring.batch != 0) {
    return;
  }
  const std::string complaint = complaint_about_one(model, phase, from, /*in_train_mode=*/false, now);
  if (!complaint.empty()) {
    throw Error("Scoring.batch = " + text(scoring.batch.value) + " leaves a last batch of 1 of the " +
                text(*from.source.size()) + " samples of " + from.field + ", on which this network cannot be scored " +
                "(LibTorch says: " + complaint + "): give its normalization running statistics, without which scores " +
                "depend on Scoring.batch, or take another Scoring.batch");
  }
}

inline void check_single_samples(const Phase& phase, int number, const Scoring& scoring, const Model& model,
                                 const DataParallel& share) {
  const Moment now{.clock = {.phase = number}};
  check_rows_everywhere(phase, share);
  check_shards(phase, scoring, now, model, share.shards());
  check_last_batch(phase, scoring, now, model);
  if (scoring.score_fit) {
    check_scored_batch(phase, scoring, {phase.data, "data"}, now, model);
  }
  for (const NamedSource& each : held_out(scoring)) {
    check_scored_batch(phase, scoring, each, now, model);
  }
}

}  // namespace regimen::inline v0::detail
