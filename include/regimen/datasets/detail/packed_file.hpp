#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"

namespace regimen::inline v0 {

namespace detail {

/// A file that is read from front to back, plain or packed by gzip: no format here begins with gzip's mark, 1f 8b. As
/// with gunzip, data behind the packed part are ignored, and the unpacked data are checked against the checksum.
class PackedFile {
 public:
  explicit PackedFile(std::string path) : path_(std::move(path)), file_(nullptr, &gzclose) {
    std::error_code failure;
    const auto length = std::filesystem::file_size(path_, failure);  // fails for folders, which gzopen takes
    if (failure) {
      throw Error("cannot read " + path_ + ": " + failure.message());
    }
    length_ = static_cast<std::int64_t>(length);
    errno = 0;
    file_.reset(gzopen(path_.c_str(), "rb"));
    if (file_ == nullptr) {
      throw Error("cannot read " + path_ + ": " + (errno == 0 ? "out of memory" : std::strerror(errno)));
    }
    gzbuffer(file_.get(), 1 << 17);
    plain_ = gzdirect(file_.get()) != 0;
  }

  [[nodiscard]] const std::string& path() const { return path_; }

  /// Whether the file is not packed; then `length` is that of its content.
  [[nodiscard]] bool plain() const { return plain_; }

  /// Length on disk in bytes.
  [[nodiscard]] std::int64_t length() const { return length_; }

  /// Reads up to n bytes, fewer only at the file's end. Returns their number.
  std::int64_t read(void* to, std::int64_t n) {
    constexpr std::int64_t most = 1 << 30;  // zlib counts in int
    std::int64_t done = 0;
    while (done < n) {
      const auto wanted = static_cast<unsigned>(std::min(most, n - done));
      const int got = gzread(file_.get(), static_cast<char*>(to) + done, wanted);
      require_whole();  // after each call: zlib 1.3.2 forgets in the next one that the file ended too early
      if (got <= 0) {
        break;
      }
      done += got;
    }
    return done;
  }

  /// Reads the next n bytes, or as many as there are: [m] uint8.
  at::Tensor bytes(std::int64_t n) {
    // n may come from a wrong header, so memory of the file's length on disk is taken first, then piece by piece.
    // Joining the pieces takes twice the content in all; a buffer that doubles and is copied when full takes up to
    // three times.
    constexpr std::int64_t piece = 1 << 18;
    std::vector<at::Tensor> pieces;
    std::int64_t done = 0;
    std::int64_t wanted = std::min(n, std::max<std::int64_t>(1, length_));
    for (;;) {
      const at::Tensor next = at::empty({wanted}, at::kByte);
      const std::int64_t got = read(next.data_ptr<std::uint8_t>(), wanted);
      pieces.push_back(next.narrow(0, 0, got));
      done += got;
      if (got < wanted || done == n || ended()) {
        return pieces.size() == 1 ? pieces.front() : at::cat(pieces);
      }
      wanted = std::min(n - done, piece);
    }
  }

  /// Whether all data have been read.
  bool ended() {
    const int next = gzgetc(file_.get());
    require_whole();
    if (next >= 0) {
      gzungetc(next, file_.get());
      return false;
    }
    return true;
  }

 private:
  /// Throws Error if reading stopped for another reason than the file's end: packed data are truncated or damaged.
  void require_whole() {
    int code = Z_OK;
    const char* const what = gzerror(file_.get(), &code);  // names the file
    if (code != Z_OK && code != Z_STREAM_END) {
      throw Error("cannot read " + std::string(what));
    }
  }

  std::string path_;
  std::unique_ptr<gzFile_s, decltype(&gzclose)> file_;
  std::int64_t length_ = 0;
  bool plain_ = true;
};

/// Throws Error unless all labels, [N] uint8, are below `classes`. `what`: the name of the labels in errors.
inline void require_classes(const at::Tensor& labels, int classes, const std::string& path,
                            const std::string& what = "label") {
  const at::Tensor in_line = labels.contiguous();
  const auto* const label = in_line.data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < in_line.size(0); ++i) {
    if (label[i] >= classes) {
      require(false, path + ": the " + what + " of record " + text(i), "in [0, " + text(classes) + ")", int{label[i]});
    }
  }
}

}  // namespace detail
}  // namespace regimen::inline v0
