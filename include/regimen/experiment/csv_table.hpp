#pragma once
// No LibTorch.

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/csv_record.hpp"
#include "regimen/base/error.hpp"
#include "regimen/experiment/files.hpp"
#include "regimen/observe/read_log.hpp"

namespace regimen::inline v0::experiment {

/// The records of a CSV file behind its heading line.
struct CsvTable {
  std::vector<std::string> heads{};
  std::vector<std::vector<std::string>> rows{};

  /// The column of this name. Throws Error without one.
  [[nodiscard]] std::size_t column(const std::string& path, const std::string& name) const {
    const auto found = std::find(heads.begin(), heads.end(), name);
    if (found == heads.end()) {
      throw Error(path + " has no column \"" + name + "\": it is not of this experiment");
    }
    return static_cast<std::size_t>(found - heads.begin());
  }
};

/// A CSV file whose first line has the names of its columns; no columns if there is no file. Throws Error, with file
/// and line, for a line with another number of fields.
///     const regimen::experiment::CsvTable table = regimen::experiment::read_csv("results/results.csv");
[[nodiscard]] inline CsvTable read_csv(const std::string& path) {
  const std::string text = read_file(path);
  CsvTable table;
  regimen::detail::for_each_record(text, path, [&](std::size_t& at) {
    std::vector<std::string> fields = regimen::detail::csv_record(text, at);
    if (table.heads.empty()) {
      table.heads = std::move(fields);
    } else if (fields.size() == table.heads.size()) {
      table.rows.push_back(std::move(fields));
    } else {
      throw Error("a line must have " + regimen::detail::text(table.heads.size()) +
                  " fields, as the first has, but has " + regimen::detail::text(fields.size()));
    }
  });
  return table;
}

}  // namespace regimen::inline v0::experiment
