#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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
#include "regimen/base/integer.hpp"
#include "regimen/base/json.hpp"
#include "regimen/datasets/dataset.hpp"
#include "regimen/datasets/detail/dataset_files.hpp"
#include "regimen/datasets/detail/packed_file.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0 {

namespace detail {

/// A read-only memory map of a file: pages are read from the disk when touched, and dropped when memory is short.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status{};
    if (file < 0 || ::fstat(file, &status) != 0) {
      const std::string why = std::strerror(errno);
      if (file >= 0) {
        ::close(file);
      }
      throw Error("cannot read " + path + ": " + why);
    }
    length_ = status.st_size;
    if (S_ISREG(status.st_mode) && length_ > 0) {
      void* const mapped = ::mmap(nullptr, static_cast<std::size_t>(length_), PROT_READ, MAP_PRIVATE, file, 0);
      bytes_ = mapped == MAP_FAILED ? nullptr : static_cast<const std::uint8_t*>(mapped);
    }
    ::close(file);
    if (bytes_ == nullptr) {
      const bool empty = S_ISREG(status.st_mode) && length_ == 0;
      const char* const kind =
          S_ISDIR(status.st_mode) ? "it is a folder, which cannot be mapped" : "it cannot be mapped";
      throw Error("cannot read " + path + ": " + (empty ? "it is empty" : kind));
    }
  }

  ~MappedFile() { ::munmap(const_cast<std::uint8_t*>(bytes_), static_cast<std::size_t>(length_)); }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] const std::uint8_t* bytes() const { return bytes_; }
  [[nodiscard]] std::int64_t length() const { return length_; }

 private:
  const std::uint8_t* bytes_ = nullptr;
  std::int64_t length_ = 0;
};

/// Whether the file can be unpacked by gzip, as far as its first bytes tell.
inline bool unpacks(const std::string& path) {
  try {
    char begin[512];
    PackedFile file(path);
    return !file.plain() && file.read(begin, sizeof begin) > 0;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace detail

/// The layout of records of one length: `label_bytes` bytes of labels, of which the last is the target (CIFAR-10 has
/// one byte, CIFAR-100 two: coarse and fine), and an image of bytes in this shape.
struct RecordLayout {
  Integer label_bytes = 1;
  std::vector<std::int64_t> shape{3, 32, 32};
  Integer classes = 10;

  void check() const {
    detail::require(label_bytes >= 1, "RecordLayout.label_bytes", "at least 1", label_bytes);
    detail::require(classes >= 1 && classes <= 256, "RecordLayout.classes", "in [1, 256]", classes);
    detail::require(!shape.empty(), "RecordLayout.shape.size()", "at least 1", shape.size());
    for (const std::int64_t length : shape) {
      detail::require(length >= 1, "RecordLayout.shape", "at least 1", length);
    }
  }

  /// Length of an image in bytes.
  [[nodiscard]] std::int64_t pixels() const {
    std::int64_t product = 1;
    for (const std::int64_t length : shape) {
      product *= length;
    }
    return product;
  }
};

/// Records in files that may be larger than memory, in the order of the files: an indexed source that reads records
/// when they are asked for. `prefetch` around it reads ahead.
///
/// data [N, shape...] uint8, target [N] int64 in [0, classes), id 0 to size - 1. A file must not be truncated while it
/// is in use: the system kills a process that reads the missing part. Throws Error for a file that cannot be read, is
/// packed by gzip, or whose length is not a multiple of the record's; at reading, for a label out of range, naming file
/// and record.
///     const regimen::Source train = regimen::MappedRecords({"a.bin", "b.bin"}, {.shape = {3, 96, 96}});
class MappedRecords {
 public:
  explicit MappedRecords(std::vector<std::string> paths, RecordLayout layout = {})
      : paths_(std::move(paths)), layout_(std::move(layout)) {
    layout_.check();
    detail::require(!paths_.empty(), "MappedRecords: paths.size()", "at least 1", paths_.size());
    const std::int64_t record = layout_.label_bytes + layout_.pixels();
    for (const std::string& path : paths_) {
      files_.push_back(std::make_shared<const detail::MappedFile>(path));
      require_unpacked(path, *files_.back(), record);
      detail::require(files_.back()->length() % record == 0, path + ": the length",
                      "a multiple of " + detail::text(record) + " bytes, a record's", files_.back()->length());
      ends_.push_back(size() + files_.back()->length() / record);
    }
  }

  [[nodiscard]] std::int64_t size() const { return ends_.empty() ? 0 : ends_.back(); }

  [[nodiscard]] Batch get(const at::Tensor& places) const {
    const at::Tensor index = places.contiguous();
    std::vector<std::int64_t> shape{index.size(0)};
    shape.insert(shape.end(), layout_.shape.begin(), layout_.shape.end());
    Batch batch{.data = at::empty(shape, at::kByte), .target = at::empty({index.size(0)}, at::kLong), .id = index};
    const std::int64_t pixels = layout_.pixels();
    auto* const data = batch.data.data_ptr<std::uint8_t>();
    auto* const target = batch.target.data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < index.size(0); ++i) {
      const std::uint8_t* const record = find(index.data_ptr<std::int64_t>()[i]);
      target[i] = record[layout_.label_bytes - 1];
      std::memcpy(data + i * pixels, record + layout_.label_bytes, static_cast<std::size_t>(pixels));
    }
    return batch;
  }

  [[nodiscard]] std::string manifest() const {
    return detail::json::Object()
        .add("type", "\"MappedRecords\"")
        .add("paths", regimen::manifest(paths_))
        .add("layout", regimen::manifest(layout_))
        .add("samples", detail::text(size()))
        .text();
  }

 private:
  /// Throws Error for a file packed by gzip. Records may begin with gzip's mark, 1f 8b, too: such a file is accepted if
  /// it has a whole number of records, its first label is in range, and it does not unpack.
  void require_unpacked(const std::string& path, const detail::MappedFile& file, std::int64_t record) const {
    const std::uint8_t* const bytes = file.bytes();
    if (file.length() < 2 || bytes[0] != 0x1F || bytes[1] != 0x8B) {
      return;
    }
    const bool fits = file.length() % record == 0 && bytes[layout_.label_bytes - 1] < layout_.classes;
    if (!fits || detail::unpacks(path)) {
      throw Error("MappedRecords: " + path +
                  " is packed by gzip, and what is packed cannot be mapped: unpack it (gunzip), or read it into memory "
                  "(cifar10() and cifar100() take packed files)");
    }
  }

  /// The bytes of a record. Throws Error if its label is out of range.
  [[nodiscard]] const std::uint8_t* find(std::int64_t place) const {
    if (place < 0 || place >= size()) {
      detail::require(false, "MappedRecords: a place", "in [0, " + detail::text(size()) + ")", place);
    }
    const auto file = static_cast<std::size_t>(std::upper_bound(ends_.begin(), ends_.end(), place) - ends_.begin());
    const std::int64_t in_file = place - (file == 0 ? 0 : ends_[file - 1]);
    const std::uint8_t* const record = files_[file]->bytes() + in_file * (layout_.label_bytes + layout_.pixels());
    const int label = record[layout_.label_bytes - 1];
    if (label >= layout_.classes) {
      detail::require(false, paths_[file] + ": the label of record " + detail::text(in_file),
                      "in [0, " + detail::text(layout_.classes.value) + ")", label);
    }
    return record;
  }

  std::vector<std::string> paths_;
  RecordLayout layout_;
  std::vector<std::shared_ptr<const detail::MappedFile>> files_;
  std::vector<std::int64_t> ends_;
};

/// A training and a test set on disk.
struct MappedDataset {
  Source train;
  Source test;
};

/// CIFAR-10 on disk: sources with the samples of `cifar10` that do not load them into memory. The files must be
/// unpacked.
///     const auto [train, test] = regimen::mapped_cifar10("data");
[[nodiscard]] inline MappedDataset mapped_cifar10(const std::string& root) {
  std::vector<std::string> paths = detail::cifar10_files(root);
  const Source test = MappedRecords({paths.back()});
  paths.pop_back();
  return {MappedRecords(std::move(paths)), test};
}

/// CIFAR-100 on disk: sources with the samples of `cifar100`, without coarse labels, that do not load them into memory.
/// The files must be unpacked.
///     const auto [train, test] = regimen::mapped_cifar100("data");
[[nodiscard]] inline MappedDataset mapped_cifar100(const std::string& root) {
  const std::vector<std::string> paths = detail::cifar100_files(root);
  const RecordLayout layout{.label_bytes = 2, .classes = 100};
  return {MappedRecords({paths.front()}, layout), MappedRecords({paths.back()}, layout)};
}

}  // namespace regimen::inline v0
