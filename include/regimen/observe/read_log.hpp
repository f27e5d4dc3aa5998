#pragma once
// No LibTorch.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "regimen/base/csv_record.hpp"
#include "regimen/base/error.hpp"
#include "regimen/base/file.hpp"
#include "regimen/observe/detail/json_line.hpp"
#include "regimen/observe/detail/number.hpp"
#include "regimen/observe/log.hpp"
#include "regimen/record/history.hpp"

namespace regimen::inline v0 {

namespace detail {

/// The number of an epoch in column `column` of `numbers_of`.
inline double& number_at(Epoch& epoch, std::size_t column) {
  const std::array<double*, 10> numbers = {&epoch.learning_rate,  &epoch.train_loss,     &epoch.fit.accuracy,
                                           &epoch.fit.loss,       &epoch.clean.accuracy, &epoch.clean.loss,
                                           &epoch.test.accuracy,  &epoch.test.loss,      &epoch.validation.accuracy,
                                           &epoch.validation.loss};
  return *numbers[column];
}

/// Sets the samples of each score: 0 if the log has no number for it, else 1.
inline void mark_scores(Epoch& epoch) {
  for (Score* const score : {&epoch.fit, &epoch.clean, &epoch.test, &epoch.validation}) {
    score->samples = std::isnan(score->accuracy) && std::isnan(score->loss) ? 0 : 1;
  }
}

/// Sets the phase indices: a new phase begins if the name changes or the epoch does not increase.
inline void number_phases(History& history) {
  for (std::size_t i = 1; i < history.epochs.size(); ++i) {
    const Epoch& before = history.epochs[i - 1];
    Epoch& epoch = history.epochs[i];
    const bool goes_on = epoch.phase == before.phase && epoch.clock.epoch > before.clock.epoch;
    epoch.clock.phase = before.clock.phase + (goes_on ? 0 : 1);
  }
}

/// Reads a text record by record: read(at) reads the record at `at` and moves `at` behind it. Adds file and line to its
/// Errors.
template <class Read>
void for_each_record(const std::string& text, const std::string& path, const Read& read) {
  std::size_t line = 1;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    try {
      read(at);
    } catch (const Error& error) {
      throw Error(path + ":" + detail::text(line) + ": " + error.what());
    }
    line += static_cast<std::size_t>(std::count(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                                text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
  }
}

inline double csv_value(const std::string& field, const std::string& column) {
  double value = unknown;
  if (!field.empty() && !read_number(field, value)) {
    throw Error(column + " must be a number or empty, but is \"" + field + "\"");
  }
  return value;
}

inline std::int64_t csv_count(const std::string& field, const std::string& column) {
  std::int64_t value = 0;
  if (!read_number(field, value)) {
    throw Error(column + " must be a whole number, but is \"" + field + "\"");
  }
  return value;
}

/// Names of the columns that every log has, in order.
inline std::vector<std::string> columns_of_logs() {
  std::vector<std::string> names = {"phase", "epoch", "step"};
  for (const auto& [name, value] : numbers_of({})) {
    names.push_back(name);
  }
  return names;
}

/// An epoch from the fields of a CSV line.
inline Epoch epoch_of_csv(const std::vector<std::string>& fields, const std::vector<std::string>& columns) {
  if (fields.size() != columns.size()) {
    throw Error("a line must have " + text(columns.size()) + " fields, as the first has, but has " +
                text(fields.size()));
  }
  static const std::size_t fixed = columns_of_logs().size();
  Epoch epoch;
  epoch.phase = fields[0];
  epoch.clock.epoch = csv_count(fields[1], columns[1]);
  epoch.clock.step = csv_count(fields[2], columns[2]);
  for (std::size_t i = 3; i < fixed; ++i) {
    number_at(epoch, i - 3) = csv_value(fields[i], columns[i]);
  }
  mark_scores(epoch);
  bool taken = epoch.scored();
  for (std::size_t i = fixed; i < fields.size(); ++i) {
    epoch.measures[columns[i]] = csv_value(fields[i], columns[i]);
    taken = taken || !fields[i].empty();
  }
  if (!taken) {
    epoch.measures.clear();
  }
  return epoch;
}

inline Epoch epoch_of_json(std::string_view content) {
  static const std::vector<std::string> columns = columns_of_logs();
  JsonLine line(content);
  const auto expect_name = [&line](const std::string& name) {
    const std::string found = line.text();
    if (found != name) {
      throw Error("expected the member \"" + name + "\", but found \"" + found + "\"");
    }
    line.expect(':');
  };
  Epoch epoch;
  line.expect('{');
  expect_name(columns[0]);
  epoch.phase = line.text();
  line.expect(',');
  expect_name(columns[1]);
  epoch.clock.epoch = line.whole_number();
  line.expect(',');
  expect_name(columns[2]);
  epoch.clock.step = line.whole_number();
  for (std::size_t i = 3; i < columns.size(); ++i) {
    line.expect(',');
    expect_name(columns[i]);
    number_at(epoch, i - 3) = line.number();
  }
  while (line.take(',')) {
    const std::string name = line.text();
    line.expect(':');
    epoch.measures[name] = line.number();
  }
  line.expect('}');
  line.expect_end();
  mark_scores(epoch);
  return epoch;
}

}  // namespace detail

/// The history in a file of `CsvLog`: phase names, `clock.epoch` and `clock.step`, learning rates, losses, accuracies
/// and measures, exact to the bit. A `CsvLog` of it has the same bytes.
///
/// A log does not hold `Outcome`s, seconds (see `TimeLog`), `clock.batch`, `clock.batches` and the number of samples of
/// a score, which is set to 1 if the score has a number and to 0 otherwise, so that `scored()` holds. NaN and a missing
/// value look alike: a score of NaN alone is read as not scored; a measure without a value is read as NaN if the epoch
/// has any other number among its scores and measures, else as not there. `clock.phase` counts the phases in the file:
/// a new one begins if the name changes or the epoch does not increase. Throws Error, with file and line, if the file
/// is not such a log or is cut off.
///     const regimen::History history = regimen::read_csv_log("results/epochs.csv");
[[nodiscard]] inline History read_csv_log(const std::string& path) {
  const std::string text = detail::read_all(path);
  static const std::vector<std::string> fixed = detail::columns_of_logs();
  History history;
  std::vector<std::string> columns;
  detail::for_each_record(text, path, [&](std::size_t& at) {
    const std::vector<std::string> fields = detail::csv_record(text, at);
    if (!columns.empty()) {
      history.epochs.push_back(detail::epoch_of_csv(fields, columns));
    } else if (fields.size() >= fixed.size() && std::equal(fixed.begin(), fixed.end(), fields.begin())) {
      columns = fields;
    } else {
      throw Error("the first line must be the header of a CsvLog: phase,epoch,step,learning_rate,...");
    }
  });
  if (columns.empty()) {
    throw Error(path + " is empty, and no CsvLog");
  }
  detail::number_phases(history);
  return history;
}

/// The history in a file of `JsonLog`, as by `read_csv_log`. Infinite numbers, which JSON does not have, become NaN;
/// each epoch has the measures of its line. An empty file is a log without epochs.
/// Throws Error, with file and line, if the file is not such a log or is cut off.
///     const regimen::History history = regimen::read_json_log("results/epochs.jsonl");
[[nodiscard]] inline History read_json_log(const std::string& path) {
  const std::string text = detail::read_all(path);
  History history;
  detail::for_each_record(text, path, [&](std::size_t& at) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string::npos) {
      throw Error("the line is cut off");
    }
    history.epochs.push_back(detail::epoch_of_json(std::string_view(text).substr(at, end - at)));
    at = end + 1;
  });
  detail::number_phases(history);
  return history;
}

}  // namespace regimen::inline v0
