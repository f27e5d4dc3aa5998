#pragma once
// No LibTorch.

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

#include "regimen/base/error.hpp"
#include "regimen/base/text_list.hpp"

/// A few functions that write JSON. The library reads no JSON but its own logs (observe/read_log.hpp), and a JSON
/// library in a header that every user compiles would cost more than all torch-free headers together.
namespace regimen::inline v0::detail::json {

inline std::string quoted(std::string_view value) {
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
      out += escaped;
    } else {
      out += c;
    }
  }
  return out + '"';
}

/// A JSON number; "null" for NaN and infinity, which JSON does not have.
inline std::string number(double value) {
  return std::isfinite(value) ? text(value) : "null";
}

/// A JSON object, built member by member: Object{}.add("name", quoted("vanilla")).add("epochs", "350").text()
class Object {
 public:
  Object& add(std::string_view name, std::string_view value) {
    add_item(members_, quoted(name) + ": " + std::string(value));
    return *this;
  }

  [[nodiscard]] std::string text() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

/// Compact JSON, broken into indented lines for people.
inline std::string indented(std::string_view compact) {
  std::string out;
  std::size_t depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < compact.size(); ++i) {
    const char c = compact[i];
    const bool opens = !in_text && (c == '{' || c == '[');
    const bool closes = !in_text && (c == '}' || c == ']');
    const bool empty = opens && i + 1 < compact.size() && (compact[i + 1] == '}' || compact[i + 1] == ']');
    if (c == '"') {
      in_text = !in_text;
    }
    if (empty || (in_text && c == '\\')) {  // this character and the next belong together
      out += c;
      out += compact[++i];
    } else if (opens) {
      out += c;
      out.append("\n").append(2 * ++depth, ' ');
    } else if (closes) {
      out.append("\n").append(2 * --depth, ' ');
      out += c;
    } else if (!in_text && c == ',') {
      out.append(",\n").append(2 * depth, ' ');
      i += i + 1 < compact.size() && compact[i + 1] == ' ' ? 1U : 0U;
    } else {
      out += c;
    }
  }
  return out + "\n";
}

}  // namespace regimen::inline v0::detail::json
