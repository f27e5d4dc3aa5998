#pragma once
// No LibTorch.

#include <filesystem>
#include <string>

#include "regimen/base/error.hpp"
#include "regimen/experiment/files.hpp"

namespace regimen::inline v0::experiment {

/// Copies the tables and pictures of a folder (*.csv, *.svg, also those in pictures/) into a new one, where a program
/// shows them again, with settings.json, manifest.json and measured.txt, which says where and when they were made, if
/// these are there. shown-again.txt names the folder. Throws Error if there are files already, for those of a run would
/// be mixed with it, or if a file cannot be copied.
inline void copy_published(const std::string& from, const std::string& out) {
  namespace fs = std::filesystem;
  try {
    if (fs::exists(out) && !fs::is_empty(out)) {
      throw Error("the results of " + from + " are shown in a new folder, and " + out +
                  " is not empty: name another one with --out");
    }
    for (const std::string& part : {std::string(), std::string("/pictures")}) {
      if (!fs::is_directory(from + part)) {
        continue;
      }
      for (const auto& entry : fs::directory_iterator(from + part)) {
        const fs::path name = entry.path().filename();
        const bool is_shown = name.extension() == ".csv" || name.extension() == ".svg" || name == "settings.json" ||
                              name == "manifest.json" || name == "measured.txt";
        if (is_shown) {
          fs::create_directories(out + part);
          fs::copy_file(entry.path(), fs::path(out + part) / name);
        }
      }
    }
    const fs::path folder = fs::path(from) / "";  // also where it is written with a slash at its end
    write_file(out + "/shown-again.txt", folder.parent_path().filename().string() + "\n");
  } catch (const fs::filesystem_error& fault) {
    throw Error("the results of " + from + " cannot be copied to " + out + ": " + fault.code().message());
  }
}

}  // namespace regimen::inline v0::experiment
