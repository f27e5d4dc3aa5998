#pragma once
// No LibTorch.

#include <string>
#include <string_view>

#include "regimen/base/file.hpp"

namespace regimen::inline v0::report {

/// Writes a text to a file, and makes its folder if there is none. If the program dies, the file holds either the old
/// content or the new. Throws Error if it cannot be written.
inline void write_file(const std::string& path, std::string_view text) {
  detail::replace_file(path, text);
}

}  // namespace regimen::inline v0::report
