#pragma once

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "regimen/checkpoint/save.hpp"
#include "regimen/experiment/files.hpp"
#include "regimen/record/history.hpp"

namespace regimen::inline v0::experiment {

/// Writes a score on the test set to a CSV file of a header and one line.
inline void write_score(const std::string& path, const Score& score) {
  write_file(path, "test_accuracy,test_loss,test_samples\n" + regimen::detail::text(score.accuracy) + "," +
                       regimen::detail::text(score.loss) + "," + std::to_string(score.samples) + "\n");
}

/// The score in a file of `write_score`; nullopt without the file. The loss of a diverged network is NaN ("-nan").
inline std::optional<Score> read_score(const std::string& path) {
  std::istringstream text(read_file(path));
  std::string header;
  std::string accuracy;
  std::string loss;
  Score score;
  if (!std::getline(text, header) || !std::getline(text, accuracy, ',') || !std::getline(text, loss, ',') ||
      !(text >> score.samples)) {
    return std::nullopt;
  }
  score.accuracy = std::strtod(accuracy.c_str(), nullptr);  // a stream's >> does not read NaN
  score.loss = std::strtod(loss.c_str(), nullptr);
  return score;
}

/// Paths of one job's files: manifest, logs, checkpoint, divergence, score.
struct JobFiles {
  std::string folder;
  std::string name;

  [[nodiscard]] std::string manifest() const { return in("manifests", ".json"); }
  [[nodiscard]] std::string epochs() const { return in("epochs", ".csv"); }
  [[nodiscard]] std::string seconds() const { return in("seconds", ".csv"); }
  [[nodiscard]] std::string checkpoint() const { return in("checkpoints", ".pt"); }

  /// The path of a diverged job's history; the job's checkpoint keeps the last finite weights.
  [[nodiscard]] std::string divergence() const { return in("checkpoints", ".diverged"); }

  /// The path of the trained network's score, if the job has one (`write_score`).
  [[nodiscard]] std::string score() const { return in("scores", ".csv"); }

  /// The history of a finished job, whichever process ran it; nullopt for an unfinished one. Throws Error for a damaged
  /// file.
  [[nodiscard]] std::optional<History> history() const {
    const std::string path = std::filesystem::exists(divergence()) ? divergence() : checkpoint();
    if (!std::filesystem::exists(path)) {
      return std::nullopt;
    }
    const State state = load_checkpoint(path);
    const Ended ended = state.history.ended();
    return ended == Ended::running || ended == Ended::stopped ? std::nullopt : std::optional(state.history);
  }

  /// The history of a finished job with a written score; nullopt for any other.
  [[nodiscard]] std::optional<History> scored_history() const { return read_score(score()) ? history() : std::nullopt; }

 private:
  [[nodiscard]] std::string in(const char* kind, const char* extension) const {
    return folder + "/" + kind + "/" + name + extension;
  }
};

/// Writes manifest.json into a results folder: the settings, which are JSON, and the manifests of these jobs, read from
/// the jobs' files.
inline void write_manifest(const std::string& folder, const std::string& settings,
                           const std::vector<std::string>& jobs) {
  std::string text = "{\"settings\": " + settings + ",\n \"jobs\": {";
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    text += (i == 0 ? "\n" : ",\n") + ("  \"" + jobs[i] + "\": " + read_file(JobFiles{folder, jobs[i]}.manifest()));
  }
  write_file(folder + "/manifest.json", text + "\n}}\n");
}

}  // namespace regimen::inline v0::experiment
