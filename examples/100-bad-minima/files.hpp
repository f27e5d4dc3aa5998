#pragma once

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <regimen/base/error.hpp>

/// Replaces a file of results as a whole: it holds the old content or the new, whenever the program dies, and a full
/// disk is an error.
inline void write_file(const std::string& path, const std::string& content) {
  const std::string temporary = path + ".part";
  std::ofstream out(temporary, std::ios::binary);
  out << content;
  out.close();
  if (!out || std::rename(temporary.c_str(), path.c_str()) != 0) {
    throw regimen::Error("cannot write " + path);
  }
}

/// The whole of a file; empty if there is none.
inline std::string read_file(const std::string& path) {
  const std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

/// The name as files may bear it.
inline std::string file_name(std::string name) {
  for (char& c : name) {
    c = c == ' ' || c == ',' || c == '+' ? '_' : c;
  }
  return name;
}
