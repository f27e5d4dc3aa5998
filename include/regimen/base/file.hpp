#pragma once
// No LibTorch.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>

#include "regimen/base/error.hpp"

/// Files that survive a kill of the process: they hold the old content, the new content, or whole lines.
namespace regimen::inline v0::detail {

[[noreturn]] inline void file_error(const std::string& what, const std::string& path) {
  throw Error(what + " " + path + ": " + std::strerror(errno));
}

inline void write_all(const std::string& path, const char* mode, std::string_view content, bool sync) {
  std::FILE* file = std::fopen(path.c_str(), mode);
  if (file == nullptr) {
    file_error("cannot open", path);
  }
  std::setvbuf(file, nullptr, _IONBF, 0);  // a buffered stream writes a long text in two parts
  const bool written = std::fwrite(content.data(), 1, content.size(), file) == content.size() &&
                       std::fflush(file) == 0 && (!sync || ::fsync(::fileno(file)) == 0);
  const int why = errno;
  const bool closed = std::fclose(file) == 0;
  if (!written || !closed) {
    errno = written ? errno : why;
    file_error("cannot write", path);
  }
}

inline std::string read_all(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) {
    file_error("cannot open", path);
  }
  std::string content;
  char buffer[1 << 14];
  for (std::size_t read = 1; read > 0;) {
    read = std::fread(buffer, 1, sizeof buffer, file);
    content.append(buffer, read);
  }
  const bool whole = std::ferror(file) == 0;
  const int why = errno;
  std::fclose(file);
  if (!whole) {
    errno = why;
    file_error("cannot read", path);
  }
  return content;
}

/// Appends bytes in one write, so that the file holds all of them or nothing.
inline void append_bytes(const std::string& path, std::string_view bytes) {
  write_all(path, "ab", bytes, /*sync=*/false);
}

/// Appends a line in one write, so that the file holds all of it or nothing.
inline void append_line(const std::string& path, std::string_view line) {
  append_bytes(path, std::string(line) + "\n");
}

/// Renames a finished file to its final name, under which there is always the old or the new content, nothing else.
inline void move_into_place(const std::string& temporary, const std::string& path) {
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    const int why = errno;
    std::remove(temporary.c_str());
    errno = why;
    file_error("cannot replace", path);
  }
}

inline void make_folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) {
    std::error_code failure;
    std::filesystem::create_directories(folder, failure);
    if (failure) {
      throw Error("cannot make the folder " + folder.string() + ": " + failure.message());
    }
  }
}

/// Flushes the folder entry of a file to the disk: after a power cut the name might else hold the old content. Does
/// nothing on file systems that cannot.
inline void sync_folder_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  const int folder = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    static_cast<void>(::fsync(folder));
    ::close(folder);
  }
}

inline void replace_file(const std::string& path, std::string_view content) {
  make_folder_of(path);
  const std::string temporary = path + ".part";
  write_all(temporary, "wb", content, /*sync=*/true);
  move_into_place(temporary, path);
  sync_folder_of(path);
}

/// Gives a file this content. If one is the beginning of the other, the file is cut or continued and stays the same
/// file, so a program that is reading it goes on where it is.
inline void cut_or_continue_file(const std::string& path, std::string_view content) {
  std::error_code failure;
  if (!std::filesystem::is_regular_file(path, failure)) {
    replace_file(path, content);
    return;
  }
  const std::string old = read_all(path);
  if (content.substr(0, old.size()) == old) {
    append_bytes(path, content.substr(old.size()));
  } else if (std::string_view(old).substr(0, content.size()) == content) {
    if (::truncate(path.c_str(), static_cast<::off_t>(content.size())) != 0) {
      file_error("cannot cut", path);
    }
  } else {
    replace_file(path, content);
  }
}

}  // namespace regimen::inline v0::detail
