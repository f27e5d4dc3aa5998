#pragma once
// No LibTorch.

#include <unistd.h>

#include <array>
#include <fstream>
#include <iterator>
#include <string>

#include "regimen/base/error.hpp"

namespace regimen::inline v0::detail {

/// The processes whose numbers mean the same as here: those of this start of this machine, and of one container.
inline std::string scope_of_process_ids() {
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  std::array<char, 64> target{};
  const auto length = ::readlink("/proc/self/ns/pid", target.data(), target.size());
  return length > 0 && !boot.empty() ? boot + "/" + std::string(target.data(), static_cast<std::size_t>(length)) : "";
}

/// This process, by a name that no other one has.
inline std::string own_process_id() {
  return scope_of_process_ids() + " " + text(::getpid());
}

/// Whether a process, by its own_process_id, has ended. False if it is on another machine: then nobody here knows.
inline bool has_ended(const std::string& id) {
  const auto space = id.rfind(' ');
  if (space == std::string::npos || space == 0 || id.substr(0, space) != scope_of_process_ids()) {
    return false;
  }
  std::ifstream file("/proc/" + id.substr(space + 1) + "/stat");
  const std::string state{std::istreambuf_iterator<char>(file), {}};
  const auto name_end = state.rfind(')');  // "7 (name) S ...": Z and X have ended
  return name_end == std::string::npos || name_end + 2 >= state.size() || state[name_end + 2] == 'Z' ||
         state[name_end + 2] == 'X';
}

}  // namespace regimen::inline v0::detail
