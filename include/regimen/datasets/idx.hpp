#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>

#include <bit>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "regimen/datasets/dataset.hpp"
#include "regimen/datasets/detail/dataset_files.hpp"
#include "regimen/datasets/detail/packed_file.hpp"

namespace regimen::inline v0 {

namespace detail {

/// The element type for the third byte of an IDX file.
inline at::ScalarType idx_type(int code, const std::string& path) {
  switch (code) {
    case 0x08:
      return at::kByte;
    case 0x09:
      return at::kChar;
    case 0x0B:
      return at::kShort;
    case 0x0C:
      return at::kInt;
    case 0x0D:
      return at::kFloat;
    case 0x0E:
      return at::kDouble;
    default:
      require(false, path + ": the IDX type", "8, 9, 11, 12, 13 or 14", code);
      return at::kByte;
  }
}

/// The next `n` bytes of the header. Throws Error that names the part if there are fewer.
inline std::vector<std::uint8_t> idx_header(PackedFile& file, std::int64_t n, const std::string& part) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(n));
  const std::int64_t got = file.read(bytes.data(), n);
  require(got == n, file.path() + ": " + part, text(n) + " bytes long", got);
  return bytes;
}

}  // namespace detail

/// Reads a tensor from a file in IDX format, plain or packed by gzip.
///
/// The format (LeCun, yann.lecun.com/exdb/mnist): 0, 0, the type (8 uint8, 9 int8, 11 int16, 12 int32, 13 float, 14
/// double), the number of dimensions, then each size as 4 bytes and the elements, the last dimension fastest, all
/// big-endian. At most 8 dimensions, none empty. Throws Error for a file that cannot be read, has another header, or is
/// shorter or longer than the header says. A wrong header costs no memory, as memory is taken only as content arrives.
///     const at::Tensor images = regimen::read_idx("train-images-idx3-ubyte.gz");  // [60000, 28, 28] uint8
[[nodiscard]] inline at::Tensor read_idx(const std::string& path) {
  detail::PackedFile file(path);
  const auto magic = detail::idx_header(file, 4, "the IDX magic number");
  detail::require(magic[0] == 0 && magic[1] == 0, path + ": the first two bytes of an IDX file", "0 0",
                  detail::text(int{magic[0]}) + " " + detail::text(int{magic[1]}));
  const at::ScalarType type = detail::idx_type(magic[2], path);
  const int dimensions = magic[3];
  detail::require(dimensions >= 1 && dimensions <= 8, path + ": the number of dimensions", "in [1, 8]", dimensions);

  const auto raw = detail::idx_header(file, 4 * dimensions, "the list of sizes");
  const std::int64_t header = 4 + 4 * dimensions;
  const auto width = static_cast<std::int64_t>(c10::elementSize(type));
  std::int64_t content = width;
  std::vector<std::int64_t> sizes;
  for (std::size_t i = 0; i < raw.size(); i += 4) {
    const std::int64_t size = std::int64_t{raw[i]} << 24 | raw[i + 1] << 16 | raw[i + 2] << 8 | raw[i + 3];
    detail::require(size >= 1, path + ": size " + detail::text(i / 4), "at least 1", size);
    detail::require(content <= (std::numeric_limits<std::int64_t>::max() - header) / size,
                    path + ": size " + detail::text(i / 4), "small enough for the product to stay below 2^63", size);
    content *= size;
    sizes.push_back(size);
  }

  const std::string length = path + ": the length of the content";
  const std::string expected = detail::text(header + content) + " bytes, as its header says";
  if (file.plain()) {  // its length is known without reading
    detail::require(file.length() == header + content, length, expected, file.length());
  }
  at::Tensor bytes = file.bytes(content);
  detail::require(bytes.size(0) == content, length, expected, header + bytes.size(0));
  detail::require(file.ended(), length, expected, "more");

  if (std::endian::native == std::endian::little && width > 1) {
    bytes = bytes.view({-1, width}).flip({1});
  }
  return bytes.view(type).view(sizes);
}

namespace detail {

/// The path of a part ("train") of MNIST's files, "images" in "idx3" or "labels" in "idx1": under its original name, or
/// with the dot that some archives have for a hyphen ("train-images.idx3-ubyte"), plain or packed.
inline std::string idx_file(const std::string& folder, const std::string& part, const std::string& what,
                            const std::string& dimensions, const std::string& hint) {
  std::vector<std::string> candidates;
  for (const char* const packed : {"", ".gz"}) {
    for (const char* const mark : {"-", "."}) {
      const std::string name = part + "-" + what + mark + dimensions + "-ubyte" + packed;
      candidates.push_back((std::filesystem::path(folder) / name).string());
    }
  }
  const std::string found = first_file(candidates);
  if (found.empty()) {
    throw Error(none_of(candidates) + hint);
  }
  return found;
}

inline Batch mnist_part(const std::string& folder, const std::string& part, const std::string& hint) {
  const std::string images_path = idx_file(folder, part, "images", "idx3", hint);
  const std::string labels_path = idx_file(folder, part, "labels", "idx1", hint);
  const auto read = [](const std::string& path, std::int64_t dimensions) {
    at::Tensor tensor = read_idx(path);
    require(tensor.scalar_type() == at::kByte, path + ": the element type", "unsigned char",
            std::string(tensor.dtype().name()));
    require(tensor.dim() == dimensions, path + ": the number of dimensions", text(dimensions), tensor.dim());
    return tensor;
  };
  const at::Tensor images = read(images_path, 3);
  require(images.size(1) == 28, images_path + ": the images' height", "28", images.size(1));
  require(images.size(2) == 28, images_path + ": the images' width", "28", images.size(2));
  const at::Tensor labels = read(labels_path, 1);
  require(labels.size(0) == images.size(0), labels_path + ": the number of labels",
          "that of the images, " + text(images.size(0)), labels.size(0));
  require_classes(labels, 10, labels_path);
  return {images.unsqueeze(1), labels.to(at::kLong), at::arange(labels.size(0), at::kLong), {}, {}};
}

inline Dataset mnist(const std::string& folder, const std::string& hint) {
  return {mnist_part(folder, "train", hint), mnist_part(folder, "t10k", hint)};
}

}  // namespace detail

/// MNIST: handwritten digits (LeCun et al. 1998), or another set in the same four files: {train,t10k}-images-idx3-ubyte
/// and {train,t10k}-labels-idx1-ubyte, each plain or with .gz, and also with a dot before "idx"
/// ("train-images.idx3-ubyte"). Plain files are preferred; folders of such a name are skipped.
///
/// data [N, 1, 28, 28] uint8, target [N] int64 in [0, 10), id 0 to N - 1 in train and again in test. MNIST has 60,000
/// and 10,000 samples; other numbers are accepted. Throws Error for a file that is missing or is not IDX of bytes in
/// these shapes, and for a label out of [0, 10).
[[nodiscard]] inline Dataset mnist(const std::string& folder) {
  return detail::mnist(folder, "");
}

/// Fashion-MNIST: 60,000 training and 10,000 test images of ten kinds of clothing (Xiao, Rasul and Vollgraf 2017,
/// arXiv:1708.07747). Files, shapes and errors are those of `mnist`; the default folder is that of Debian's package.
///     const auto [train, test] = regimen::fashion_mnist();
[[nodiscard]] inline Dataset fashion_mnist(const std::string& folder = "/usr/share/datasets/fashion-mnist") {
  return detail::mnist(folder, "; Debian's package dataset-fashion-mnist has it, in /usr/share/datasets/fashion-mnist");
}

}  // namespace regimen::inline v0
