#pragma once
// No LibTorch.

#include <cstdio>
#include <filesystem>
#include <string>

#include <regimen/report/svg.hpp>
#include <regimen/report/write_file.hpp>

namespace kit {

/// Writes OUT/pictures/NAME.svg.
inline void write_picture(const regimen::report::Picture& picture, const std::string& name, const std::string& out) {
  regimen::report::write_file(out + "/pictures/" + name + ".svg", regimen::report::svg(picture));
}

/// Prints where a results folder's pictures are, if it has any.
inline void say_pictures(const std::string& out) {
  if (std::filesystem::exists(out + "/pictures")) {
    std::printf("Pictures: %s/pictures/*.svg\n", out.c_str());
  }
}

}  // namespace kit
