#pragma once
// No LibTorch.

#include <string>

#include <regimen/experiment/settings_file.hpp>

#include "settings.hpp"

using regimen::experiment::check_same_settings;
using regimen::experiment::differences;

/// The settings as settings.json holds them, without what no result depends on: machines that share a folder may have
/// other paths and processors.
inline std::string text_of(Settings settings) {
  settings.out.clear();
  settings.root.clear();
  settings.workers = 0;
  settings.threads = 0;  // a sum's rounding depends on them, and nothing else
  return regimen::experiment::settings_text(settings);
}

/// Whether a text is one of those, and no other program's settings.json.
inline bool is_settings_text(const std::string& text) {
  return regimen::experiment::is_settings_text(text, "Settings");
}
