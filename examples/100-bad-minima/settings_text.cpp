#include "settings_text.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <regimen/base/error.hpp>
#include <regimen/base/manifest.hpp>

#include "files.hpp"

namespace {

struct Field {
  std::string name;
  std::string value;
};

/// The end of a text in quotes that begins at `begin`, one behind its last quote.
std::size_t end_of_quoted(const std::string& json, std::size_t begin) {
  std::size_t end = begin + 1;
  while (end < json.size() && json[end] != '"') {
    end += json[end] == '\\' ? 2 : 1;
  }
  return std::min(end + 1, json.size());
}

/// The end of a list, a text or a number that begins at `begin`.
std::size_t end_of_value(const std::string& json, std::size_t begin) {
  if (json[begin] == '"') {
    return end_of_quoted(json, begin);
  }
  const bool list = json[begin] == '[';
  const std::size_t last = list ? json.find(']', begin) : json.find_first_of(",}\n", begin);
  return last == std::string::npos ? json.size() : last + (list ? 1 : 0);
}

/// Every field of a settings text that is not a struct itself, in order. The structs have no field names in common but
/// "type", which nobody can set.
std::vector<Field> fields_of(const std::string& json) {
  std::vector<Field> fields;
  for (std::size_t i = json.find('"'); i < json.size(); i = json.find('"', i)) {
    const std::size_t end = end_of_quoted(json, i);
    const std::string name = json.substr(i + 1, end - i - 2);
    i = json.find_first_not_of(": ", end);
    if (i < json.size() && json[i] != '{') {
      const std::size_t value_end = end_of_value(json, i);
      if (name != "type") {
        fields.push_back({name, json.substr(i, value_end - i)});
      }
      i = value_end;
    }
  }
  return fields;
}

std::string value_in(const std::vector<Field>& fields, const std::string& name) {
  const auto found = std::find_if(fields.begin(), fields.end(), [&](const Field& field) { return field.name == name; });
  return found == fields.end() ? "nothing" : found->value;
}

}  // namespace

std::string text_of(Settings settings) {
  settings.out.clear();
  settings.root.clear();
  settings.workers = 0;
  settings.threads = 0;  // a sum's rounding depends on them, and nothing else
  return regimen::manifest(settings) + "\n";
}

bool is_settings_text(const std::string& text) {
  return text.rfind("{\"type\": \"Settings\"", 0) == 0;
}

std::string differences(const std::string& there, const std::string& now) {
  const std::vector<Field> old_fields = fields_of(there);
  const std::vector<Field> new_fields = fields_of(now);
  std::vector<Field> all = new_fields;
  all.insert(all.end(), old_fields.begin(), old_fields.end());
  std::string text;
  std::map<std::string, bool> told;
  for (const Field& field : all) {
    const std::string before = value_in(old_fields, field.name);
    const std::string after = value_in(new_fields, field.name);
    if (before != after && !std::exchange(told[field.name], true)) {
      text += "  " + field.name + ": " + before + " there, " + after + " now\n";
    }
  }
  return text;
}

void check_same_settings(const std::string& path, const std::string& now) {
  const std::string there = read_file(path);
  if (there == now) {
    return;
  }
  if (there.empty()) {
    throw regimen::Error("there is no " + path + ": nothing was trained there yet");
  }
  throw regimen::Error(path + " was written with other settings:\n" + differences(there, now) +
                       "Repeat that run's options, or name another folder with --out");
}
