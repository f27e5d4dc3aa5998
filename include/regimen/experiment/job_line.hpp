#pragma once
// No LibTorch.

#include <cstdio>
#include <optional>
#include <sstream>
#include <string>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::experiment {

/// A worker's message about a job: a line on stdout that its parent process reads.
struct JobLine {
  enum class What { begins, goes_on, ends };
  What what = What::begins;
  std::string job;

  /// Prints "job begins NAME" and flushes, since stdout is a pipe.
  void print() const {
    std::printf("job %s %s\n", word(), job.c_str());
    std::fflush(stdout);
  }

  /// The message in a line; nullopt for any other line.
  static std::optional<JobLine> read(const std::string& line) {
    std::istringstream words(line);
    std::string first;
    std::string second;
    JobLine result;
    if (!(words >> first >> second >> result.job) || first != "job") {
      return std::nullopt;
    }
    for (const What what : {What::begins, What::goes_on, What::ends}) {
      result.what = what;
      if (second == result.word()) {
        return result;
      }
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] const char* word() const {
    static constexpr const char* words[] = {"begins", "goes-on", "ends"};
    return words[static_cast<int>(what)];
  }
};

}  // namespace regimen::inline v0::experiment
