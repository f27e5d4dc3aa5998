#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "regimen/key/generator_guard.hpp"
#include "regimen/model/guards.hpp"
#include "regimen/run/detail/augmented.hpp"
#include "regimen/run/detail/phase_errors.hpp"
#include "regimen/run/phase.hpp"
#include "regimen/run/scoring.hpp"
#include "regimen/source/source.hpp"
#include "regimen/tensor/described.hpp"

/// Checks of a phase's data before the first step, by one sample of each source: targets that the loss cannot take
/// would else be noticed after whole phases. Streams are not read, as that may change their state.
namespace regimen::inline v0::detail {

/// A source of a run with the name of its field.
struct NamedSource {
  Source source{};
  std::string field{};
  bool is_augmented = false;  ///< true for the phase's own data, which are augmented in training
};

/// Samples as the network sees them: in training those that are augmented, else in scoring.
inline Batch seen(const Batch& raw, const Phase& phase, bool is_augmented, const Moment& now) {
  const at::Device device = raw.data.device();
  return is_augmented ? shown(raw, phase, device, now) : prepared(raw, phase.preprocess, device, now);
}

/// The transform that fails for these samples, ".augment[1]"; empty if none does.
inline std::string failing_transform(const Batch& raw, const Phase& phase, bool is_augmented, const Moment& now) {
  Phase first = phase;  // with one more of its transforms at each try
  first.augment.clear();
  first.preprocess.clear();
  const auto fails = [&] {
    try {
      static_cast<void>(seen(raw, first, is_augmented, now));
      return false;
    } catch (const std::exception&) {
      return true;
    }
  };
  for (const auto& [list, name] :
       {std::pair(&Phase::augment, ".augment["), std::pair(&Phase::preprocess, ".preprocess[")}) {
    for (std::size_t i = 0; i < (phase.*list).size(); ++i) {
      (first.*list).push_back((phase.*list)[i]);
      if (fails()) {
        return name + text(i) + "]";
      }
    }
  }
  return "";
}

/// Calls look(batch) with the first `count` samples of a source as the network sees them; a smaller source is repeated.
/// Failures become an Error with the phase and the field.
template <class Look>
void look_at_samples(const Phase& phase, const NamedSource& from, std::int64_t count, const Moment& now,
                     const Look& look) {
  const std::string who = "Phase \"" + phase.name + "\", " + from.field;
  Batch raw;
  try {
    with_circumstances(
        who,
        [&] {
          const Moment here = now.on(from.source);
          raw = from.source.get(at::arange(count, at::kLong).remainder(*from.source.size()), here);
          look(seen(raw, phase, from.is_augmented, here));
        },
        [&](const std::string& /*said*/) {
          return " (before its transforms the data are " + described(raw.data) + ", the targets " +
                 described(raw.target) + ")";
        });
  } catch (const Error& failure) {
    std::string said = failure.what();
    if (said.rfind(who + ": ", 0) == 0) {
      said.erase(0, who.size() + 2);
    } else if (said.rfind("Phase \"", 0) == 0) {
      throw;
    }
    const std::string transform =
        raw.data.defined() ? failing_transform(raw, phase, from.is_augmented, now.on(from.source)) : "";
    throw Error("Phase \"" + phase.name + "\"" + transform + ", " + from.field + ": " + said);
  }
}

/// Throws Error if the loss cannot take the targets of a source, or a transform its samples.
inline void check_targets(const Phase& phase, const NamedSource& from, const Moment& now) {
  if (from.source.indexed()) {
    look_at_samples(phase, from, 1, now, [&](const Batch& shown) { phase.loss.check_target(shown.target); });
  }
}

/// The sources that a run scores beside the phase's own data.
inline std::vector<NamedSource> held_out(const Scoring& scoring) {
  return {{scoring.clean, "Scoring.clean"}, {scoring.test, "Scoring.test"}, {scoring.validation, "Scoring.validation"}};
}

inline void check_samples(const Phase& phase, int number, const Scoring& scoring, const at::Device& device) {
  const GeneratorGuard generators(device);  // a transform may draw from them, though it should not
  const Moment now{.clock = {.phase = number}};
  check_targets(phase, {phase.data, "data", /*is_augmented=*/true}, now);
  for (const NamedSource& each : held_out(scoring)) {
    check_targets(phase, each, now);
  }
}

}  // namespace regimen::inline v0::detail
