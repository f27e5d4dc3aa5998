#pragma once
// No LibTorch.

#include <optional>
#include <string>

#include <regimen/base/lock.hpp>

#include "plan.hpp"
#include "settings.hpp"

/// What a budget had cut the experiment in this folder to. Without a plan in the folder it is the whole experiment; if
/// the folder holds no experiment of these settings, there is none.
std::optional<Cut> planned_cut(const Settings& settings);

/// A results folder, held against other processes. A process that runs the whole experiment, or collects its results,
/// holds the folder alone. A process that trains one unit holds it only until `open` has compared the settings; from
/// then on a lock of its own says that somebody works there. A worker relies on its parent's lock.
class ResultsFolder {
 public:
  /// Throws regimen::Error if another process holds the folder, if it has files of somebody else's where results would
  /// go, or if a new run would remove an unfinished one.
  ResultsFolder(const Settings& settings, const Task& task);

  /// The cut that a resumed run keeps to; none for a new run.
  [[nodiscard]] std::optional<Cut> cut(const Settings& settings) const;

  /// Starts anew, or goes on with what is there. `settings`: with the cut applied. Throws regimen::Error if the folder
  /// has other settings.
  void open(const Settings& settings, const std::optional<Cut>& cut);

  /// Notes that every unit is complete, so that a new run may replace the results; or that some are not.
  void note_complete(bool complete) const;

 private:
  [[nodiscard]] bool goes_on() const;
  [[nodiscard]] bool is_ours() const;
  void check_foreign() const;
  void check_unfinished(const Settings& settings) const;
  void clear() const;

  std::string path_;
  Task task_;
  std::optional<regimen::Lock> alone_{};
  std::optional<regimen::Lock> looking_{};
  std::optional<regimen::Lock> present_{};
};
