#pragma once

#include "regimen/batch/batch.hpp"
#include "regimen/evaluate/evaluate.hpp"
#include "regimen/key/key.hpp"
#include "regimen/key/moment.hpp"
#include "regimen/key/salts.hpp"
#include "regimen/run/phase.hpp"
#include "regimen/source/source.hpp"
#include "regimen/transform/in_turn.hpp"

namespace regimen::inline v0::detail {

/// A batch as the network sees it in training: augmented with keys of (seed, sample, epoch), on the model's device,
/// preprocessed.
inline Batch shown(const Batch& batch, const Phase& phase, const at::Device& device, const Moment& now) {
  if (phase.augment.empty()) {
    return prepared(batch, phase.preprocess, device, now);
  }
  const Key key = Key(phase.seed, batch.id, now).fold(salt::augment).each_epoch();
  const Batch augmented = in_turn(phase.augment, phase.augment.size(), batch, key);
  if (phase.preprocess.empty() || now.data == nullptr || !now.data->indexed()) {
    return prepared(augmented, phase.preprocess, device, now);
  }
  const Source so_far = SoFar{*now.data, &phase.augment, phase.augment.size(), key};
  Moment here = now;
  here.so_far = &so_far;
  return prepared(augmented, phase.preprocess, device, here);
}

}  // namespace regimen::inline v0::detail
