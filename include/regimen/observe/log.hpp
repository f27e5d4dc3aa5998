#pragma once
// No LibTorch.

#include <string>
#include <utility>
#include <vector>

#include "regimen/base/csv_field.hpp"
#include "regimen/base/file.hpp"
#include "regimen/base/json.hpp"
#include "regimen/observe/event.hpp"
#include "regimen/record/history.hpp"

namespace regimen::inline v0 {

namespace detail {

/// The numbers of an epoch with their names, in the order in which every log writes them.
inline std::vector<std::pair<std::string, double>> numbers_of(const Epoch& epoch) {
  return {
      {"learning_rate", epoch.learning_rate},
      {"train_loss", epoch.train_loss},
      {"fit_accuracy", epoch.fit.accuracy},
      {"fit_loss", epoch.fit.loss},
      {"clean_accuracy", epoch.clean.accuracy},
      {"clean_loss", epoch.clean.loss},
      {"test_accuracy", epoch.test.accuracy},
      {"test_loss", epoch.test.loss},
      {"validation_accuracy", epoch.validation.accuracy},
      {"validation_loss", epoch.validation.loss},
  };
}

/// A log file with one line per epoch. Its content is a function of the history: when a run begins or resumes, the file
/// is replaced by the lines of the history so far, which drops lines from after the last checkpoint. In a loop of your
/// own, which sends no `RunBegin`, the first epoch begins the file anew.
template <class Derived>
class EpochFile {
 public:
  static constexpr bool writes = true;

  explicit EpochFile(std::string path) : path_(std::move(path)) {}

  void operator()(const RunBegin& begin) {
    measures_ = begin.measures;
    replace_by(begin.history);
  }

  void operator()(const Epoch& epoch) {
    if (begun_) {
      append_line(path_, self().line(epoch));
      return;
    }
    for (const auto& measure : epoch.measures) {
      measures_.push_back(measure.first);
    }
    History first;
    first.epochs.push_back(epoch);
    replace_by(first);
  }

  /// Makes the file that of a whole history.
  void replace_by(const History& history) {
    std::string content = self().header();
    for (const Epoch& epoch : history) {
      content += self().line(epoch) + "\n";
    }
    replace_file(path_, content);
    begun_ = true;
  }

  [[nodiscard]] const std::string& path() const { return path_; }

 protected:
  std::vector<std::string> measures_;

 private:
  const Derived& self() const { return static_cast<const Derived&>(*this); }

  std::string path_;
  bool begun_ = false;
};

}  // namespace detail

/// A CSV file with one line per epoch: phase, epoch, step, learning rate, losses and accuracies (in [0, 1]), then the
/// measures. Fields that were not scored are empty. Equal random seeds give equal bytes.
///     regimen::run(net, phases, scoring, regimen::CsvLog("results/epochs.csv"));
class CsvLog : public detail::EpochFile<CsvLog> {
 public:
  using EpochFile::EpochFile;

  [[nodiscard]] std::string header() const {
    std::string names = "phase,epoch,step";
    for (const auto& [name, value] : detail::numbers_of({})) {
      names.append(",").append(name);
    }
    for (const std::string& name : measures_) {
      names.append(",").append(detail::csv_field(name));
    }
    return names + "\n";
  }

  [[nodiscard]] std::string line(const Epoch& epoch) const {
    std::string values =
        detail::csv_field(epoch.phase) + "," + detail::text(epoch.clock.epoch) + "," + detail::text(epoch.clock.step);
    for (const auto& [name, value] : detail::numbers_of(epoch)) {
      values.append(",").append(detail::csv_number(value));
    }
    for (const std::string& name : measures_) {
      const auto found = epoch.measures.find(name);
      values.append(",").append(found == epoch.measures.end() ? "" : detail::csv_number(found->second));
    }
    return values;
  }
};

/// A file with one JSON object per epoch and line, with the names of `CsvLog`; values that were not scored are null.
class JsonLog : public detail::EpochFile<JsonLog> {
 public:
  using EpochFile::EpochFile;

  [[nodiscard]] std::string header() const { return ""; }

  [[nodiscard]] std::string line(const Epoch& epoch) const {
    namespace json = detail::json;
    json::Object object;
    object.add("phase", json::quoted(epoch.phase));
    object.add("epoch", detail::text(epoch.clock.epoch));
    object.add("step", detail::text(epoch.clock.step));
    for (const auto& [name, value] : detail::numbers_of(epoch)) {
      object.add(name, json::number(value));
    }
    for (const auto& [name, value] : epoch.measures) {
      object.add(name, json::number(value));
    }
    return object.text();
  }
};

/// A CSV file with one line per epoch: wall time since the phase's begin, in seconds. A file of its own, because equal
/// random seeds do not repeat it.
class TimeLog : public detail::EpochFile<TimeLog> {
 public:
  using EpochFile::EpochFile;

  [[nodiscard]] std::string header() const { return "phase,epoch,seconds\n"; }

  [[nodiscard]] std::string line(const Epoch& epoch) const {
    return detail::csv_field(epoch.phase) + "," + detail::text(epoch.clock.epoch) + "," + detail::text(epoch.seconds);
  }
};

}  // namespace regimen::inline v0
