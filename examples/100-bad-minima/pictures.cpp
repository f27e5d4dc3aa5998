#include "pictures.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <regimen/base/error.hpp>

#include "workers.hpp"

namespace {

/// Runs gnuplot with one argument, in a folder. A shell between would read a folder's name as commands.
void run_gnuplot(const std::string& argument, const std::string& folder) {
  // Warnings about empty ranges say nothing to whoever waits for results.
  const auto ignore = [](const std::string&, const std::string&) {};
  run_side_by_side({{"gnuplot " + argument, "gnuplot", {"gnuplot", argument}, folder}}, 1, {.complained = ignore});
}

bool has_gnuplot() {
  try {
    run_gnuplot("--version", "");
    return true;
  } catch (const regimen::Error&) {
    return false;
  }
}

/// The text as one word of a shell: 'it'\''s'.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return result + "'";
}

std::vector<std::string> scripts_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".gp") {
      names.push_back(entry.path().filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

void finish_pictures(const Settings& settings) {
  const std::string folder = settings.out + "/pictures";
  if (!std::filesystem::exists(folder)) {
    return;
  }
  if (!has_gnuplot()) {
    std::printf(
        "gnuplot is not installed, so there are no pictures yet. Install it (Debian: gnuplot-nox), then:\n"
        "  cd %s && for script in *.gp; do gnuplot $script; done\n",
        quoted(folder).c_str());
    return;
  }
  for (const std::string& script : scripts_in(folder)) {
    try {
      run_gnuplot(script, folder);
    } catch (const regimen::Error& error) {
      std::printf("gnuplot could not draw %s/%s: %s\n", folder.c_str(), script.c_str(), error.what());
      return;
    }
  }
  std::printf("Pictures: %s/*.png\n", folder.c_str());
}
