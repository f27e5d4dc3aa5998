#pragma once
// No LibTorch.

#include <string>

#include <regimen/base/error.hpp>

namespace kit {

/// The statements that a reproduction is to confirm, and whether its results do.
class Claims {
 public:
  /// Adds a statement, and by which numbers it holds or not.
  void add(bool holds, const std::string& what) {
    text_ += std::string(holds ? "  yes  " : "  NO   ") + what + "\n";
    ++all_;
    failed_ += holds ? 0 : 1;
  }

  /// A line for each statement.
  [[nodiscard]] const std::string& text() const { return text_; }

  /// Throws regimen::Error if a statement does not hold, or if there is none: `--check` of a program.
  void require_all() const {
    if (all_ == 0) {
      throw regimen::Error("--check: no statement can be checked with these settings");
    }
    if (failed_ > 0) {
      throw regimen::Error("--check: " + std::to_string(failed_) + " of " + std::to_string(all_) +
                           " statements do not hold; the table says which");
    }
  }

 private:
  std::string text_;
  int all_ = 0;
  int failed_ = 0;
};

}  // namespace kit
