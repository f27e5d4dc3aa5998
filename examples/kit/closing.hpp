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
#include "page.hpp"
#include "pictures.hpp"

namespace kit {

/// What a program ends with: its tables, each as OUT/NAME.csv too, its pictures, and what came of its statements; all
/// of it also as a page, OUT/report.html, of this title.
class Closing {
 public:
  Closing(std::string out, std::string title) : out_(std::move(out)), page_(out_, std::move(title)) {}

  /// `heading`: in the page; "": the table's title, else its name.
  void add(const regimen::report::Table& table, const std::string& name, const std::string& heading = "") {
    text_ += "\n" + regimen::report::terminal(table, {.width = 150});
    regimen::experiment::write_file(out_ + "/" + name + ".csv", regimen::report::csv(table));
    page_.add(table, !heading.empty() ? heading : table.title().empty() ? name : table.title());
  }

  /// Writes OUT/pictures/NAME.svg.
  void draw(const regimen::report::Picture& picture, const std::string& name, const std::string& heading) {
    page_.draw(picture, name, heading);
  }

  /// Writes all into OUT/table.txt and OUT/report.html, and prints it. `said`: sentences behind the statements.
  /// `numbers`: the files that have every number.
  void show(const Claims& claims, const std::string& said = "", const std::string& numbers = "results.csv") {
    page_.say(said);
    page_.add(claims);
    page_.write();
    show_text(text_ + "\nDoes it come out?\n" + claims.text() + said, out_, numbers);
  }

 private:
  std::string out_;
  Page page_;
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
