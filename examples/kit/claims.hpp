#pragma once
// No LibTorch.

#include <cstddef>
#include <string>

#include <regimen/base/error.hpp>
#include <regimen/report/table.hpp>

#include "format.hpp"

namespace kit {

/// The statements that a reproduction is to confirm, and whether its results do.
class Claims {
 public:
  /// Adds a statement, and by which numbers it holds or not.
  void add(bool holds, const std::string& what) {
    text_ += std::string(holds ? "  yes  " : "  NO   ") + what + "\n";
    table_.add({holds ? "yes" : "NO", what});
    ++all_;
    failed_ += holds ? 0 : 1;
  }

  /// Adds the statement that a number is below a bound, which it names with both: "the error (0.02 < 0.05)".
  void below(double number, double bound, const std::string& what) {
    add(number < bound, what + format(" (%.3g < %.3g)", number, bound));
  }

  /// Adds the statement that a number lies in [from, to]: "the slope (-0.5 in [-0.6, -0.4])".
  void within(double number, double from, double to, const std::string& what) {
    add(number >= from && number <= to, what + format(" (%.3g in [%.3g, %.3g])", number, from, to));
  }

  /// How many statements were added, and how many do not hold.
  [[nodiscard]] int all() const { return all_; }
  [[nodiscard]] int failed() const { return failed_; }

  /// Says that some units of the experiment are not complete, so that nothing can be confirmed yet.
  void set_missing(std::size_t units) { missing_ = units; }

  /// A line for each statement.
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const regimen::report::Table& table() const { return table_; }

  /// Throws regimen::Error if a statement does not hold, if there is none, or if units are missing: `--check` of a
  /// program, to be called once its results folder is complete.
  void require_all() const {
    if (missing_ > 0) {
      throw regimen::Error("--check: " + std::to_string(missing_) + " units are not complete: --resume trains them");
    }
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
  regimen::report::Table table_{{{.name = "holds"}, {.name = "statement"}}};
  int all_ = 0;
  int failed_ = 0;
  std::size_t missing_ = 0;
};

}  // namespace kit
