#pragma once
// No LibTorch.

#include <algorithm>
#include <string>
#include <utility>

#include <regimen/experiment/files.hpp>
#include <regimen/experiment/results.hpp>
#include <regimen/report/csv.hpp>
#include <regimen/report/table.hpp>
#include <regimen/report/terminal.hpp>

#include "claims.hpp"
#include "format.hpp"
#include "pictures.hpp"

namespace kit {

/// What a program ends with: its tables, each as OUT/NAME.csv too, and what came of its statements.
class Closing {
 public:
  explicit Closing(std::string out) : out_(std::move(out)) {}

  void add(const regimen::report::Table& table, const std::string& name) {
    text_ += "\n" + regimen::report::terminal(table, {.width = 150});
    regimen::experiment::write_file(out_ + "/" + name + ".csv", regimen::report::csv(table));
  }

  /// Writes all into OUT/table.txt and prints it. `said`: sentences behind the statements. `numbers`: the files that
  /// have every number.
  void show(const Claims& claims, const std::string& said = "", const std::string& numbers = "results.csv") const {
    show_text(text_ + "\nDoes it come out?\n" + claims.text() + said, out_, numbers);
  }

 private:
  std::string out_;
  std::string text_{};
};

/// Adds a statement that does not hold if some trainings diverged: "2 trainings diverged", and what follows from that.
inline void claim_none_diverged(const regimen::experiment::Results& results, Claims& claims,
                                const std::string& consequence = "") {
  const auto diverged =
      std::count_if(results.begin(), results.end(), [](const auto& result) { return result.diverged(); });
  if (diverged > 0) {
    claims.add(false, format("%td trainings diverged%s", diverged, consequence.c_str()));
  }
}

}  // namespace kit
