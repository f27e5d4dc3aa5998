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

/// Writes a score on the test set to a file of a line, numbers without loss.
inline void write_score(const std::string& path, const Score& score) {
  write_file(path, "test_accuracy,test_loss,test_samples\n" + regimen::detail::text(score.accuracy) + "," +
                       regimen::detail::text(score.loss) + "," + std::to_string(score.samples) + "\n");
}

/// The score in such a file; none without the file. The loss of a network that diverged is NaN, "-nan" in the file.
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

/// Where a job of a results folder leaves what it is made of, what came of it, and where it can be gone on with.
struct JobFiles {
  std::string folder;
  std::string name;

  [[nodiscard]] std::string manifest() const { return in("manifests", ".json"); }
  [[nodiscard]] std::string epochs() const { return in("epochs", ".csv"); }
  [[nodiscard]] std::string seconds() const { return in("seconds", ".csv"); }
  [[nodiscard]] std::string checkpoint() const { return in("checkpoints", ".pt"); }

  /// The history of a job that diverged: its checkpoint keeps the last weights that were finite.
  [[nodiscard]] std::string divergence() const { return in("checkpoints", ".diverged"); }

  /// The score of the network that the job ends with, where it was taken (`write_score`).
  [[nodiscard]] std::string score() const { return in("scores", ".csv"); }

  /// The history of a job that is at its end, whichever process did it; none for any other. Throws Error for a file
  /// that is damaged.
  [[nodiscard]] std::optional<History> history() const {
    const std::string path = std::filesystem::exists(divergence()) ? divergence() : checkpoint();
    if (!std::filesystem::exists(path)) {
      return std::nullopt;
    }
    const State state = load_checkpoint(path);
    const Ended ended = state.history.ended();
    return ended == Ended::running || ended == Ended::stopped ? std::nullopt : std::optional(state.history);
  }

  /// The history of a job that is at its end, and of whose network the score was taken; none for any other.
  [[nodiscard]] std::optional<History> scored_history() const { return read_score(score()) ? history() : std::nullopt; }

 private:
  [[nodiscard]] std::string in(const char* kind, const char* extension) const {
    return folder + "/" + kind + "/" + name + extension;
  }
};

/// Writes manifest.json into a results folder: the settings, as JSON, and the manifests of these jobs, as they left
/// them.
inline void write_manifest(const std::string& folder, const std::string& settings,
                           const std::vector<std::string>& jobs) {
  std::string text = "{\"settings\": " + settings + ",\n \"jobs\": {";
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    text += (i == 0 ? "\n" : ",\n") + ("  \"" + jobs[i] + "\": " + read_file(JobFiles{folder, jobs[i]}.manifest()));
  }
  write_file(folder + "/manifest.json", text + "\n}}\n");
}

}  // namespace regimen::inline v0::experiment
