#pragma once
// No LibTorch.

#include <signal.h>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// Has a write to a process that is gone fail instead of ending this one by SIGPIPE, without a word: Gloo writes to its
/// sockets as to files. Python ignores the signal, too. A handler of the program's own stays.
inline void ignore_broken_pipes() {
  struct sigaction now{};
  if (::sigaction(SIGPIPE, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_DFL) {
    ::signal(SIGPIPE, SIG_IGN);
  }
}

}  // namespace regimen::inline v0::detail
