#pragma once
// No LibTorch: what tests of SVG and HTML share.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// How often a text has a part.
inline std::size_t count(const std::string& text, std::string_view part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++n;
  }
  return n;
}

/// Whether a text has a part.
inline bool has(const std::string& text, std::string_view part) {
  return count(text, part) > 0;
}

/// What is wrong with a text as XML: tags that do not match, attributes without quotes or given twice, a bare "<" or
/// "&"; "" if nothing is. Enough for a file without comments and sections.
inline std::string xml_fault(const std::string& xml) {
  std::vector<std::string> open;
  const auto entity_is_known = [&](std::size_t at) {
    for (const std::string_view entity : {"&amp;", "&lt;", "&gt;", "&quot;"}) {
      if (xml.compare(at, entity.size(), entity) == 0) {
        return true;
      }
    }
    return false;
  };
  for (std::size_t at = 0; at < xml.size(); ++at) {
    if (xml[at] == '&' && !entity_is_known(at)) {
      return "a bare & at " + std::to_string(at);
    }
    if (xml[at] != '<') {
      continue;
    }
    const std::size_t end = xml.find('>', at);
    if (end == std::string::npos) {
      return "a tag without an end";
    }
    std::string tag = xml.substr(at + 1, end - at - 1);
    at = end;
    if (tag[0] == '/') {
      if (open.empty() || open.back() != tag.substr(1)) {
        return "</" + tag.substr(1) + "> closes nothing";
      }
      open.pop_back();
      continue;
    }
    const bool closes = tag.back() == '/';
    tag = closes ? tag.substr(0, tag.size() - 1) : tag;
    std::size_t place = tag.find(' ');
    const std::string name = tag.substr(0, place);
    std::vector<std::string> names;
    while (place != std::string::npos && place < tag.size()) {
      const std::size_t equals = tag.find("=\"", place);
      const std::size_t last = equals == std::string::npos ? equals : tag.find('"', equals + 2);
      if (tag[place] != ' ' || last == std::string::npos) {
        return "no attributes: " + tag;
      }
      const std::string attribute = tag.substr(place + 1, equals - place - 1);
      for (const std::string& other : names) {
        if (other == attribute) {
          return attribute + " twice: " + tag;
        }
      }
      names.push_back(attribute);
      place = last + 1;
    }
    if (!closes) {
      open.push_back(name);
    }
    if (open.empty() && xml.find_first_not_of('\n', end + 1) != std::string::npos) {
      return "something behind the root";
    }
  }
  return open.empty() ? "" : "<" + open.back() + "> is not closed";
}
