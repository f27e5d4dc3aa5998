#pragma once
// No LibTorch.

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

#include "regimen/base/error.hpp"
#include "regimen/base/file.hpp"
#include "regimen/tensor/crc32.hpp"

/// The footer of a checkpoint. A checkpoint is a zip archive, as LibTorch writes it; the footer is the archive's
/// comment, which the zip format provides and every other reader skips:
///     regimen-checkpoint <format> <CRC-32 of all bytes before, in hexadecimal>
namespace regimen::inline v0::detail {

inline constexpr int checkpoint_format = 2;  ///< 2: fields of the state by name
inline constexpr std::string_view footer_mark = "regimen-checkpoint ";
inline constexpr std::string_view end_of_archive = {"PK\5\6", 4};
inline constexpr std::size_t end_of_archive_length = 22;

/// Appends the footer. The last 22 bytes of an archive are the record that ends a zip archive without a comment; the
/// last two of these are the comment's length.
inline void append_footer(std::string& archive) {
  const bool ends = archive.size() >= end_of_archive_length &&
                    archive.compare(archive.size() - end_of_archive_length, 4, end_of_archive) == 0;
  if (!ends) {
    throw Error("checkpoint: LibTorch wrote an archive that does not end as a zip archive does");
  }
  const std::string before = std::string(footer_mark) + text(checkpoint_format) + " ";
  const std::size_t length = before.size() + 8;
  archive[archive.size() - 2] = static_cast<char>(length & 0xFF);
  archive[archive.size() - 1] = static_cast<char>(length >> 8);
  const std::string sum = crc32_of_text(archive);
  archive += before + sum;
}

/// Throws Error unless the bytes are a complete, undamaged checkpoint of a known format.
inline void check_footer(std::string_view bytes) {
  const std::size_t at = bytes.rfind(footer_mark);
  const std::size_t longest = footer_mark.size() + 32;
  if (at == std::string_view::npos || bytes.size() - at > longest) {
    throw Error("it has no footer of regimen's at its end: it is something else, or was cut short");
  }
  const std::string rest(bytes.substr(at + footer_mark.size()));  // "1 0123abcd"
  const std::size_t space = rest.find(' ');
  const int format = std::atoi(rest.c_str());
  if (format < 1 || space == std::string::npos) {
    throw Error("its footer is damaged");
  }
  if (format > checkpoint_format) {
    throw Error("it was written by a newer regimen, in format " + text(format) + "; this one reads up to format " +
                text(checkpoint_format));
  }
  if (rest.substr(space + 1) != crc32_of_text(bytes.substr(0, at))) {
    throw Error("it is damaged: its checksum does not match its content");
  }
}

/// The content of a file.
inline std::string content_of(const std::string& path) {
  std::error_code failure;
  const auto length = std::filesystem::file_size(path, failure);  // fails for folders, which ifstream opens
  if (failure) {
    throw Error("cannot read " + path + ": " + failure.message());
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string bytes(length, '\0');
  if (!file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
    file_error("cannot read", path);
  }
  return bytes;
}

}  // namespace regimen::inline v0::detail
