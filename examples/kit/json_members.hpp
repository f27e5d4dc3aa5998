#pragma once
// No LibTorch.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kit {

/// The members of a JSON object in their order: each name as it stands between its quotation marks, and the text of its
/// value. What is no object has none.
inline std::vector<std::pair<std::string, std::string>> json_members(std::string_view json) {
  constexpr const char* space = " \t\r\n";
  std::vector<std::pair<std::string, std::string>> members;
  const std::size_t open = json.find_first_not_of(space);
  if (open == std::string_view::npos || json[open] != '{') {
    return members;
  }
  std::size_t begin = open + 1;  // of a member
  std::size_t colon = 0;         // between its name and its value
  std::size_t depth = 1;
  bool in_text = false;
  for (std::size_t at = begin; at < json.size() && depth > 0; ++at) {
    const char c = json[at];
    if (in_text) {
      at += c == '\\' ? 1U : 0U;
      in_text = c != '"';
      continue;
    }
    in_text = c == '"';
    colon = c == ':' && depth == 1 ? at : colon;
    depth += c == '{' || c == '[' ? 1U : 0U;
    depth -= c == '}' || c == ']' ? 1U : 0U;
    const bool is_end = (depth == 1 && c == ',') || depth == 0;
    if (is_end && colon > begin) {
      const std::size_t quote = json.find('"', begin);
      const std::size_t from = json.find_first_not_of(space, colon + 1);
      const std::string_view value = json.substr(from, at - from);
      members.emplace_back(json.substr(quote + 1, json.rfind('"', colon) - quote - 1),
                           value.substr(0, value.find_last_not_of(space) + 1));
    }
    begin = is_end ? at + 1 : begin;
  }
  return members;
}

}  // namespace kit
