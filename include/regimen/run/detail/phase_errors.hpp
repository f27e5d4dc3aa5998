#pragma once

#include <string>
#include <utility>

#include "regimen/base/error.hpp"
#include "regimen/model/torch_errors.hpp"
#include "regimen/regularize/concept.hpp"
#include "regimen/regularize/pass.hpp"

namespace regimen::inline v0::detail {

/// Calls `act`; failures become an Error that begins with the phase's name. For LibTorch's errors it has their first
/// line and circumstances(that line): what the network's input was, which LibTorch does not tell.
template <class Act, class Circumstances>
decltype(auto) in_phase(const std::string& phase, Act&& act, Circumstances&& circumstances) {
  const std::string who = "Phase \"" + phase + "\"";
  try {
    return with_circumstances(who, std::forward<Act>(act), std::forward<Circumstances>(circumstances));
  } catch (const Error& failure) {
    const std::string text = failure.what();
    if (text.rfind("Phase \"", 0) == 0) {
      throw;
    }
    throw Error(who + ": " + text);
  }
}

/// The input of a pass, with advice if types do not fit.
inline std::string described_batch(const Pass& pass, const std::string& said) {
  return pass.model != nullptr ? described_forward(pass.batch, *pass.model, said) : "";
}

template <class Act>
decltype(auto) in_phase(const std::string& phase, Act&& act) {
  return in_phase(phase, std::forward<Act>(act), [](const std::string& /*said*/) { return std::string(); });
}

}  // namespace regimen::inline v0::detail
