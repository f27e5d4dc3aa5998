#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <regimen/base/version.hpp>
#include <regimen/tensor/libtorch.hpp>

template <class Work>
double seconds_of(Work&& work) {
  const auto began = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

inline double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
}

/// Seconds of two ways of doing one thing, measured in turn, so that the machine's moods meet both alike.
struct Turns {
  std::vector<double> ours;
  std::vector<double> theirs;
};

/// Takes `pairs` turns, first one then the other first; both callables give the seconds that they took. The first pair
/// warms up and is left out.
template <class Ours, class Theirs>
Turns take_turns(int pairs, Ours&& ours, Theirs&& theirs) {
  Turns turns;
  for (int i = 0; i <= pairs; ++i) {
    double a = 0;
    double b = 0;
    if (i % 2 == 0) {
      a = ours();
      b = theirs();
    } else {
      b = theirs();
      a = ours();
    }
    if (i > 0) {
      turns.ours.push_back(a);
      turns.theirs.push_back(b);
    }
  }
  return turns;
}

/// "AMD EPYC, 2 processors, AVX2"
inline std::string name_of_machine() {
  std::ifstream info("/proc/cpuinfo");
  std::string line;
  std::string model = "unknown processor";
  std::string best;
  int processors = 0;
  while (std::getline(info, line)) {
    if (line.rfind("model name", 0) == 0) {
      model = line.substr(line.find(':') + 2);
      ++processors;
    }
    for (const auto& [flag, name] : {std::pair{" amx_bf16", "AMX"},
                                     {" avx512_bf16", "AVX-512 bf16"},
                                     {" avx512f", "AVX-512"},
                                     {" avx2", "AVX2"}}) {
      if (best.empty() && line.rfind("flags", 0) == 0 && line.find(flag) != std::string::npos) {
        best = name;
      }
    }
  }
  return model + ", " + std::to_string(processors) + " processors" + (best.empty() ? "" : ", " + best);
}

/// The table on the terminal and, if BENCHMARK_CSV names a file, the same as lines at its end. Every line is a ratio of
/// two ways that took turns, its median with quartiles.
class Report {
 public:
  explicit Report(const std::string& title, std::string machine = name_of_machine()) : machine_(std::move(machine)) {
    std::printf("\n%s (regimen %s, LibTorch %s, %s)\n", title.c_str(), regimen::version, regimen::libtorch_version,
                machine_.c_str());
  }

  /// How many times as fast ours is; `goal` at least.
  void faster(const std::string& ours, const std::string& theirs, double goal, const Turns& turns) const {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < turns.ours.size(); ++i) {
      ratios.push_back(turns.theirs[i] / turns.ours[i]);
    }
    add(ours, theirs, "times as fast", ">=", goal, ratios, turns);
  }

  /// What ours takes over theirs; `goal` at most.
  void cost(const std::string& ours, const std::string& theirs, double goal, const Turns& turns) const {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < turns.ours.size(); ++i) {
      ratios.push_back(turns.ours[i] / turns.theirs[i]);
    }
    add(ours, theirs, "of the time", "<=", goal, ratios, turns);
  }

 private:
  void add(const std::string& ours, const std::string& theirs, const char* what, const char* relation, double goal,
           const std::vector<double>& ratios, const Turns& turns) const {
    const double median = quantile(ratios, 0.5);
    const double low = quantile(ratios, 0.25);
    const double high = quantile(ratios, 0.75);
    const double our_seconds = quantile(turns.ours, 0.5);
    const double their_seconds = quantile(turns.theirs, 0.5);
    std::printf("%s\n    against %s: %.3f [%.3f, %.3f] %s, goal %s %g, %zu pairs, %.4g s and %.4g s\n", ours.c_str(),
                theirs.c_str(), median, low, high, what, relation, goal, ratios.size(), our_seconds, their_seconds);
    std::fflush(stdout);
    const char* const path = std::getenv("BENCHMARK_CSV");
    if (path == nullptr) {
      return;
    }
    const bool anew = !std::ifstream(path).good();
    std::ofstream csv(path, std::ios::app);
    if (anew) {
      csv << "ours,against,what,median,quartile1,quartile3,goal,pairs,our_seconds,their_seconds,regimen,libtorch,"
             "machine\n";
    }
    char numbers[200];
    std::snprintf(numbers, sizeof numbers, "%.4f,%.4f,%.4f,%s %g,%zu,%.6g,%.6g", median, low, high, relation, goal,
                  ratios.size(), our_seconds, their_seconds);
    csv << '"' << ours << "\",\"" << theirs << "\"," << what << "," << numbers << "," << regimen::version << ","
        << regimen::libtorch_version << ",\"" << machine_ << "\"\n";
  }

  std::string machine_;
};
