#pragma once
// No LibTorch.

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <vector>

#include "regimen/base/manifest.hpp"
#include "regimen/experiment/detail/json_fields.hpp"
#include "regimen/experiment/errors.hpp"
#include "regimen/experiment/files.hpp"

namespace regimen::inline v0::experiment {

/// The text of settings.json for a plain struct of settings: its manifest on one line. Reset, in a copy, fields that no
/// result depends on: machines that share a folder may have other paths and processors.
template <class Settings>
std::string settings_text(const Settings& settings) {
  return manifest(settings) + "\n";
}

/// The name of the settings' struct at the start of a `settings_text`; empty for any other text.
inline std::string settings_type(const std::string& text) {
  const std::string begin = "{\"type\": \"";
  const std::size_t end = text.rfind(begin, 0) == 0 ? text.find('"', begin.size()) : std::string::npos;
  return end == std::string::npos ? "" : text.substr(begin.size(), end - begin.size());
}

/// Whether a text holds settings of this type, rather than those of another program.
///     is_settings_text(read_file("results/settings.json"), "Settings")
inline bool is_settings_text(const std::string& text, const std::string& type) {
  return !type.empty() && settings_type(text) == type;
}

/// The settings that differ between two texts, one a line: "  momentum: 0.9 there, 0.8 now"; empty if none does.
///
/// Fields are compared by name, in any order. A field that is missing in `there`, the file of an older program, has its
/// value from `defaults`, the text of default settings. A field of only one text is "nothing" in the other. A field
/// within a struct is named without that struct, unless another one has a field of its name, or it is called "name".
inline std::string differences(const std::string& there, const std::string& now, const std::string& defaults = "") {
  const std::vector<detail::JsonField> old_fields = detail::json_fields(there);
  const std::vector<detail::JsonField> new_fields = detail::json_fields(now);
  const std::vector<detail::JsonField> default_fields = detail::json_fields(defaults);
  const auto find = [](const std::vector<detail::JsonField>& fields, const std::string& path) {
    const auto found = std::find_if(fields.begin(), fields.end(), [&](const auto& each) { return each.path == path; });
    return found == fields.end() ? nullptr : &*found;
  };
  std::vector<detail::JsonField> all = new_fields;
  std::copy_if(old_fields.begin(), old_fields.end(), std::back_inserter(all),
               [&](const auto& each) { return find(new_fields, each.path) == nullptr; });
  std::string text;
  for (const detail::JsonField& field : all) {
    const detail::JsonField* before = find(old_fields, field.path);
    before = before == nullptr ? find(default_fields, field.path) : before;
    const detail::JsonField* const after = find(new_fields, field.path);
    const std::string old_value = before == nullptr ? "nothing" : before->value;
    const std::string new_value = after == nullptr ? "nothing" : after->value;
    if (old_value != new_value) {
      const bool alone = field.name != "name" && std::count_if(all.begin(), all.end(), [&](const auto& each) {
                                                   return each.name == field.name;
                                                 }) == 1;
      text += "  " + (alone ? field.name : field.path) + ": " + old_value + " there, " + new_value + " now\n";
    }
  }
  return text;
}

/// Checks that the settings.json at `path` holds the settings `now`; for `now` and `defaults` see `differences`. Throws
/// UsageError with the differences, or if there is no file.
inline void check_same_settings(const std::string& path, const std::string& now, const std::string& defaults = "") {
  const std::string there = read_file(path);
  if (there.empty()) {
    throw UsageError("there is no " + path + ": nothing was trained there yet");
  }
  const std::string other = differences(there, now, defaults);
  if (!other.empty()) {
    throw UsageError(path + " was written with other settings:\n" + other +
                     "Repeat that run's options, or name another folder with --out");
  }
}

}  // namespace regimen::inline v0::experiment
