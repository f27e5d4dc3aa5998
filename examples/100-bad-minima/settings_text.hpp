#pragma once
// No LibTorch.

#include <string>

#include "settings.hpp"

/// The settings as settings.json holds them, without what no result depends on: machines that share a folder may have
/// other paths and processors.
std::string text_of(Settings settings);

/// Whether a text is one of those, and no other program's settings.json.
bool is_settings_text(const std::string& text);

/// The settings that differ between two such texts, a line each: "  momentum: 0.9 there, 0.8 now". Those that only one
/// of them has are "nothing" in the other.
std::string differences(const std::string& there, const std::string& now);

/// Makes sure that the results folder's settings.json holds these settings. Throws regimen::Error with the differences.
void check_same_settings(const std::string& path, const std::string& now);
