#pragma once
// No LibTorch.

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "regimen/base/config.hpp"

/// A reader of the JSON that `manifest` writes, for comparing two manifests.
namespace regimen::inline v0::experiment::detail {

/// A field that is no object, with a path of the objects around it: {"recipe.momentum", "momentum", "0.9"}.
struct JsonField {
  std::string path;
  std::string name;
  std::string value;
};

/// The index behind a text in quotes whose first quote is at `begin`.
inline std::size_t end_of_quoted(const std::string& json, std::size_t begin) {
  std::size_t end = begin + 1;
  while (end < json.size() && json[end] != '"') {
    end += json[end] == '\\' ? 2U : 1U;
  }
  return std::min(end + 1, json.size());
}

/// The index behind a list that begins at `begin`; elements may be lists and objects.
inline std::size_t end_of_list(const std::string& json, std::size_t begin) {
  std::size_t depth = 0;
  for (std::size_t i = begin; i < json.size();) {
    const char c = json[i];
    if (c == '"') {
      i = end_of_quoted(json, i);
      continue;
    }
    depth += c == '[' || c == '{' ? 1U : 0U;
    depth -= c == ']' || c == '}' ? 1U : 0U;
    ++i;
    if (depth == 0) {
      return i;
    }
  }
  return json.size();
}

/// The index behind a list, a text or a number that begins at `begin`.
inline std::size_t end_of_value(const std::string& json, std::size_t begin) {
  if (json[begin] == '"') {
    return end_of_quoted(json, begin);
  }
  return json[begin] == '[' ? end_of_list(json, begin) : std::min(json.find_first_of(",}\n", begin), json.size());
}

/// All fields but "type", which is no setting, in order. A text that is cut short has those before the cut.
inline std::vector<JsonField> json_fields(const std::string& json) {
  std::vector<JsonField> fields;
  std::vector<std::string> around;  // the path of each object that is open, with a dot behind it
  for (std::size_t i = 0; i < json.size();) {
    if (json[i] != '"') {
      if (json[i] == '}' && !around.empty()) {
        around.pop_back();
      }
      ++i;
      continue;
    }
    const std::size_t end = end_of_quoted(json, i);
    const std::string name = json.substr(i + 1, end - i - 2);
    const std::string path = (around.empty() ? "" : around.back()) + name;
    i = json.find_first_not_of(": \n", end);
    if (i < json.size() && json[i] == '{') {
      around.push_back(path + ".");
      ++i;
    } else if (i < json.size()) {
      const std::size_t value_end = end_of_value(json, i);
      if (name != "type") {
        fields.push_back({path, name, json.substr(i, value_end - i)});
      }
      i = value_end;
    }
  }
  return fields;
}

}  // namespace regimen::inline v0::experiment::detail
