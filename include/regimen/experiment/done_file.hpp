#pragma once
// No LibTorch.

#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include "regimen/experiment/files.hpp"
#include "regimen/tensor/crc32.hpp"

namespace regimen::inline v0::experiment {

namespace detail {

/// Size in bytes and CRC-32 of a file: "4823 0f1e2d3c"; nullopt if there is no such file.
inline std::optional<std::string> size_and_checksum(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return std::nullopt;
  }
  std::uint32_t sum = 0;
  std::size_t size = 0;
  std::array<char, 1U << 16U> part;
  while (file.read(part.data(), part.size()), file.gcount() > 0) {
    const auto got = static_cast<std::size_t>(file.gcount());
    sum = regimen::detail::crc32_after(sum, part.data(), got);
    size += got;
  }
  return std::to_string(size) + " " + regimen::detail::crc32_digits(sum);
}

}  // namespace detail

/// The file "done/UNIT.done" of a results folder: a unit is trained, and its files are these. It is written last, by a
/// rename, so that it is the one output that a scheduler or a make-like tool has to know of. It has a line for each
/// file: size in bytes, CRC-32 as zlib has it, and the path within the folder.
class DoneFile {
 public:
  DoneFile(std::string folder, const std::string& unit)
      : folder_(std::move(folder)), path_(folder_ + "/done/" + unit + ".done") {}

  [[nodiscard]] const std::string& path() const { return path_; }

  /// Writes it, of those files that there are. `files`: paths within the folder.
  template <class Paths>
  void write(const Paths& files) const {
    std::string text;
    for (const std::string& file : files) {
      if (const auto known = detail::size_and_checksum(folder_ + "/" + file)) {
        text += *known + " " + file + "\n";
      }
    }
    write_file(path_, text);
  }

  /// Whether there is such a file, and all that it lists is as it was.
  [[nodiscard]] bool holds() const {
    std::istringstream lines(read_file(path_));
    std::string size;
    std::string sum;
    std::string file;
    bool any = false;
    while (lines >> size >> sum && std::getline(lines >> std::ws, file)) {
      any = true;
      if (detail::size_and_checksum(folder_ + "/" + file) != size + " " + sum) {
        return false;
      }
    }
    return any;
  }

 private:
  std::string folder_;
  std::string path_;
};

}  // namespace regimen::inline v0::experiment
