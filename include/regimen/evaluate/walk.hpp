#pragma once

#include <cstdint>
#include <string>

#include "regimen/evaluate/evaluation.hpp"
#include "regimen/model/guards.hpp"
#include "regimen/model/model.hpp"
#include "regimen/model/torch_errors.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0::detail {

/// Throws Error, in the name of `who`, unless a source has at least one sample and an end.
inline void require_ends(const Source& source, const std::string& who) {
  if (!source.defined() || !source.size()) {
    throw Error(who + " takes a source that ends: limit(stream, samples) makes one");
  }
  if (*source.size() == 0) {
    throw Error(who + " takes a source with at least one sample");
  }
}

/// Calls visit(batch) for each batch of a source for which takes() is true, in order, prepared for the network, which
/// is in eval mode meanwhile. The caller decides about gradients. Errors of LibTorch are thrown as Error, in the name
/// of `who` and with types and shapes. Throws Error for an empty or endless source.
template <class Takes, class Visit>
void walk_some(const Model& model, const Source& source, const Evaluation& how, const std::string& who,
               const Takes& takes, const Visit& visit) {
  require_ends(source, who);
  require(how.batch >= 1, "Evaluation.batch", "at least 1", how.batch);
  const ModeGuard modes(model);
  const at::Device device = model.device();
  model.train(false);
  const Cursor next = source.read({.batch = how.batch, .now = how.now});
  for (Batch batch = next(); batch.size() > 0; batch = next()) {
    if (!takes()) {
      continue;
    }
    batch = prepared(batch, how.preprocess, device, how.now.on(source));
    with_circumstances(
        who, [&] { visit(batch); }, [&](const std::string& said) { return described_forward(batch, model, said); });
  }
}

/// Calls visit(batch) for every batch of a source: `walk_some` without one left out.
template <class Visit>
void walk(const Model& model, const Source& source, const Evaluation& how, const std::string& who, const Visit& visit) {
  walk_some(model, source, how, who, [] { return true; }, visit);
}

}  // namespace regimen::inline v0::detail
