#pragma once
// No LibTorch.

#include <optional>
#include <string>

#include <regimen/experiment/folder.hpp>

#include "plan.hpp"
#include "settings.hpp"

/// What a budget had cut the experiment in this folder to. Without a plan in the folder it is the whole experiment; if
/// the folder holds no experiment of these settings, there is none.
std::optional<Cut> planned_cut(const Settings& settings);

/// The results folder of the experiment, of which a plan is a cut.
class ResultsFolder {
 public:
  /// Throws regimen::Error as `regimen::experiment::ResultsFolder` does.
  ResultsFolder(const Settings& settings, const Task& task);

  /// The cut that a resumed run keeps to; none for a new run.
  [[nodiscard]] std::optional<Cut> cut() const;

  /// Starts anew, or goes on with what is there. Throws regimen::Error if the folder has other settings than these with
  /// the cut applied.
  void open(const std::optional<Cut>& cut) { folder_.open(cut ? text_of(*cut) : ""); }

  /// Notes that every unit is complete, so that a new run may replace the results; or that some are not.
  void note_complete(bool complete) const { folder_.note_complete(complete); }

 private:
  Settings settings_;
  regimen::experiment::ResultsFolder folder_;
};
