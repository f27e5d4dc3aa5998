#pragma once

#include <torch/serialize/archive.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/checkpoint/detail/archive_values.hpp"
#include "regimen/checkpoint/detail/fields_of_state.hpp"
#include "regimen/checkpoint/detail/state_format_1.hpp"
#include "regimen/observe/event.hpp"
#include "regimen/record/history.hpp"

/// The state of a run as an archive: tables, with a column for each field, under its name.
namespace regimen::inline v0::detail {

/// Collects rows, each by a visit of its fields, and writes them as columns.
class TableWriter {
 public:
  template <class T>
  void operator()(const std::string& name, const T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      texts_[name].push_back(value);
    } else if constexpr (std::is_floating_point_v<T>) {
      reals_[name].push_back(value);
    } else {
      wholes_[name].push_back(static_cast<std::int64_t>(value));
    }
  }

  void write(torch::serialize::OutputArchive& archive, const std::string& table) const {
    torch::serialize::OutputArchive part;
    for (const auto& [name, column] : texts_) {
      part.write(name, list_of(column));
    }
    for (const auto& [name, column] : reals_) {
      part.write(name, tensor_of(column), /*is_buffer=*/true);
    }
    for (const auto& [name, column] : wholes_) {
      part.write(name, tensor_of(column), /*is_buffer=*/true);
    }
    archive.write(table, part);
  }

 private:
  std::map<std::string, std::vector<std::string>> texts_{};
  std::map<std::string, std::vector<double>> reals_{};
  std::map<std::string, std::vector<std::int64_t>> wholes_{};
};

/// Reads columns back, row by row. If a column does not exist, its field keeps its value.
class TableReader {
 public:
  /// A table of one row.
  TableReader(torch::serialize::InputArchive& archive, std::string table) : table_(std::move(table)), rows_(1) {
    archive.read(table_, part_);
    for (std::string& name : part_.keys()) {
      names_.insert(std::move(name));
    }
  }

  /// A table with as many rows as the text column `column`; none if that does not exist.
  TableReader(torch::serialize::InputArchive& archive, std::string table, const std::string& column)
      : TableReader(archive, std::move(table)) {
    const std::vector<std::string> texts =
        names_.count(column) > 0 ? strings_of(part_, column) : std::vector<std::string>();
    rows_ = static_cast<std::int64_t>(texts.size());
  }

  [[nodiscard]] std::int64_t rows() const { return rows_; }

  /// Goes to a row, whose fields are then to be visited once each.
  TableReader& row(std::int64_t row) {
    row_ = static_cast<std::size_t>(row);
    return *this;
  }

  template <class T>
  void operator()(const std::string& name, T& value) {
    if (names_.count(name) == 0) {
      return;
    }
    if constexpr (std::is_same_v<T, std::string>) {
      value = column(texts_, name, [&] { return strings_of(part_, name); })[row_];
    } else if constexpr (std::is_floating_point_v<T>) {
      value = column(reals_, name, [&] { return vector_of<double>(part_, name); })[row_];
    } else {
      const std::int64_t whole = column(wholes_, name, [&] { return vector_of<std::int64_t>(part_, name); })[row_];
      if constexpr (std::is_same_v<T, Ended>) {
        value = ended_of(whole);
      } else if constexpr (std::is_same_v<T, int>) {
        value = int_of(whole);
      } else {
        value = whole;
      }
    }
  }

 private:
  /// A column, read at its first use. Throws Error unless its length is the table's, beyond which it would else be
  /// read.
  template <class Columns, class Read>
  const typename Columns::mapped_type& column(Columns& columns, const std::string& name, Read&& read) {
    const auto found = columns.find(name);
    if (found != columns.end()) {
      return found->second;
    }
    auto column = read();
    require(static_cast<std::int64_t>(column.size()) == rows_, "checkpoint: the length of " + table_ + "." + name,
            text(rows_), column.size());
    return columns.emplace(name, std::move(column)).first->second;
  }

  std::string table_;
  torch::serialize::InputArchive part_{};
  std::set<std::string> names_{};
  std::int64_t rows_;
  std::size_t row_ = 0;
  std::map<std::string, std::vector<std::string>> texts_{};
  std::map<std::string, std::vector<double>> reals_{};
  std::map<std::string, std::vector<std::int64_t>> wholes_{};
};

/// The value of a measure at an epoch, as a row.
struct MeasureRow {
  std::int64_t epoch = 0;  ///< index of the epoch in the history
  std::string name{};
  double value = unknown;
};

template <class M, class Visit>
void visit_measure(M& measure, Visit&& visit) {
  visit("epoch", measure.epoch);
  visit("name", measure.name);
  visit("value", measure.value);
}

inline void save_state(torch::serialize::OutputArchive& archive, const State& state) {
  TableWriter run;
  TableWriter epochs;
  TableWriter measures;
  TableWriter outcomes;
  visit_state(state, run);
  for (std::size_t i = 0; i < state.history.epochs.size(); ++i) {
    const Epoch& epoch = state.history.epochs[i];
    visit_epoch(epoch, epochs);
    for (const auto& [name, value] : epoch.measures) {
      const MeasureRow row{static_cast<std::int64_t>(i), name, value};
      visit_measure(row, measures);
    }
  }
  for (const Outcome& outcome : state.history.outcomes) {
    visit_outcome(outcome, outcomes);
  }
  run.write(archive, "run");
  epochs.write(archive, "epochs");
  measures.write(archive, "measures");
  outcomes.write(archive, "outcomes");
}

/// Reads a state. Throws Error for numbers out of range and columns of the wrong length.
inline State load_state(torch::serialize::InputArchive& archive) {
  c10::IValue format;
  if (archive.try_read("format", format)) {
    require(format.toInt() == 1, "checkpoint: the format of its state", "1", format.toInt());
    return load_state_of_format_1(archive);
  }
  State state;
  TableReader run(archive, "run");
  visit_state(state, run.row(0));
  TableReader epochs(archive, "epochs", "phase");
  for (std::int64_t i = 0; i < epochs.rows(); ++i) {
    Epoch epoch;
    visit_epoch(epoch, epochs.row(i));
    state.history.epochs.push_back(std::move(epoch));
  }
  TableReader measures(archive, "measures", "name");
  for (std::int64_t i = 0; i < measures.rows(); ++i) {
    MeasureRow measure;
    visit_measure(measure, measures.row(i));
    require(measure.epoch >= 0 && measure.epoch < epochs.rows(), "checkpoint: the epoch of a measure",
            "in [0, " + text(epochs.rows()) + ")", measure.epoch);
    state.history.epochs[static_cast<std::size_t>(measure.epoch)].measures[measure.name] = measure.value;
  }
  TableReader outcomes(archive, "outcomes", "phase");
  for (std::int64_t i = 0; i < outcomes.rows(); ++i) {
    Outcome outcome;
    visit_outcome(outcome, outcomes.row(i));
    state.history.outcomes.push_back(std::move(outcome));
  }
  return state;
}

}  // namespace regimen::inline v0::detail
