#pragma once

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include <cstdint>
#include <string>
#include <utility>

#include "regimen/detail/augmented.hpp"
#include "regimen/detail/buffer_guard.hpp"
#include "regimen/detail/guards.hpp"
#include "regimen/detail/phase_errors.hpp"
#include "regimen/phase.hpp"

/// What can be said of a phase's data before the first step, from one sample of each source: targets that the loss
/// cannot take would otherwise show after whole phases of work. Streams are not looked into, and the network is not
/// run, for either may remember that it was.
namespace regimen::inline v0::detail {

/// The sample at a place, as a batch.
inline Batch sample_of(const Source& source, const Now& now) {
  return source.get(at::zeros({1}, at::kLong), now);
}

/// Throws Error where the loss cannot take the targets of a source.
inline void check_targets(const Phase& phase, const Source& source, const std::string& field, const Now& now,
                          bool is_augmented) {
  if (!source.indexed()) {
    return;
  }
  try {
    const Now here = now.on(source);
    Batch sample = sample_of(source, here);
    const at::Device device = sample.data.device();
    sample = is_augmented ? shown(sample, phase, device, here) : prepared(sample, phase.preprocess, device, here);
    phase.loss.check_target(sample.target);
  } catch (const Error& failure) {
    const std::string text = failure.what();
    throw Error(text.rfind("Phase \"", 0) == 0 ? text : "Phase \"" + phase.name + "\", " + field + ": " + text);
  }
}

inline void check_samples(const Phase& phase, int number, const Splits& splits, const at::Device& device) {
  const GeneratorGuard generators(device);  // a transform may draw from them, which it should not
  const Now now{.clock = {.phase = number}};
  check_targets(phase, phase.data, "data", now, /*is_augmented=*/true);
  check_targets(phase, splits.clean, "Splits.clean", now, false);
  check_targets(phase, splits.test, "Splits.test", now, false);
  check_targets(phase, splits.validation, "Splits.validation", now, false);
}

/// Whether the model normalizes by batches.
inline bool has_running_statistics(const Weights& model) {
  for (const Named& named : model.named_buffers()) {
    if (named.name.find("running_var") != std::string::npos) {
      return true;
    }
  }
  return false;
}

/// Throws Error where an epoch ends with a batch of a single sample and the network cannot be trained on one, as
/// BatchNorm cannot where its statistics would be of one number. Tried, for it can on images.
inline void check_last_batch(const Phase& phase, int number, const Model& model) {
  const std::int64_t n = *phase.data.size();
  if (!phase.data.indexed() || phase.drop_last || n % phase.batch != 1 || n == 1 || !has_running_statistics(model)) {
    return;
  }
  const Now now = Now{.clock = {.phase = number}}.on(phase.data);
  const ModeGuard modes(model);
  const BufferGuard buffers(model);
  const GeneratorGuard generators(model.device());
  const at::NoGradGuard no_grad;
  const Batch sample = shown(sample_of(phase.data, now), phase, model.device(), now);
  model.train(true, phase.eval);
  try {
    (void)model.forward(sample);
  } catch (const c10::Error& failure) {
    const std::string text = failure.what_without_backtrace();
    throw Error("Phase \"" + phase.name + "\".batch = " + detail::text(phase.batch.value) +
                " leaves a last batch of 1 of " + detail::text(n) +
                " samples, on which this network cannot be trained (LibTorch says: " + text.substr(0, text.find('\n')) +
                "): set drop_last = true, or another batch");
  }
}

}  // namespace regimen::inline v0::detail
