#pragma once

#include <c10/util/Exception.h>

#include <string>
#include <utility>

#include "regimen/detail/batch_parts.hpp"
#include "regimen/error.hpp"
#include "regimen/regularize.hpp"

namespace regimen::inline v0::detail {

/// Calls `act`; what goes wrong in it is an Error that begins with the phase's name. Of LibTorch's own errors the first
/// line is kept, and `circumstances()` is added, which LibTorch does not tell: what the network was shown.
template <class Act, class Circumstances>
decltype(auto) in_phase(const std::string& phase, Act&& act, Circumstances&& circumstances) {
  const std::string who = "Phase \"" + phase + "\"";
  try {
    return std::forward<Act>(act)();
  } catch (const Error& failure) {
    const std::string text = failure.what();
    if (text.rfind("Phase \"", 0) == 0) {
      throw;
    }
    throw Error(who + ": " + text);
  } catch (const c10::OutOfMemoryError&) {
    throw;
  } catch (const c10::Error& failure) {
    const std::string text = failure.what_without_backtrace();
    throw Error(who + ": LibTorch says: " + text.substr(0, text.find('\n')) + circumstances());
  }
}

/// What a pass was shown, which LibTorch's errors do not say.
inline std::string described_batch(const Pass& pass) {
  std::string text = " (the data are " + described(pass.batch.data) + ", the targets " + described(pass.batch.target);
  if (pass.model != nullptr && !pass.model->parameters().empty()) {
    text += ", the parameters " + std::string(pass.model->parameters().front().dtype().name());
  }
  return text + ")";
}

template <class Act>
decltype(auto) in_phase(const std::string& phase, Act&& act) {
  return in_phase(phase, std::forward<Act>(act), [] { return std::string(); });
}

}  // namespace regimen::inline v0::detail
