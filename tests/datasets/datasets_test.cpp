#include "support/tensors.hpp"

#include "support/folder.hpp"

#include <zlib.h>

#include <bit>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>

namespace datasets_test {

namespace {

namespace fs = std::filesystem;
using Bytes = std::string;

/// A folder for files as they are and packed.
class Folder : public ::Folder {
 public:
  std::string packed(const std::string& name, const Bytes& content) const {
    const gzFile file = gzopen((*this / name).c_str(), "wb");
    REQUIRE(file != nullptr);
    REQUIRE(gzwrite(file, content.data(), static_cast<unsigned>(content.size())) == static_cast<int>(content.size()));
    REQUIRE(gzclose(file) == Z_OK);
    return *this / name;
  }
};

Bytes read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The number with its most significant byte first, by arithmetic instead of by turning memory round.
template <class T>
Bytes big_endian(T value) {
  std::uint64_t word = 0;
  if constexpr (std::is_same_v<T, float>) {
    word = std::bit_cast<std::uint32_t>(value);
  } else if constexpr (std::is_same_v<T, double>) {
    word = std::bit_cast<std::uint64_t>(value);
  } else {
    word = static_cast<std::uint64_t>(value);
  }
  Bytes bytes;
  for (std::size_t i = sizeof(T); i-- > 0;) {
    bytes += static_cast<char>(word >> (8 * i) & 0xFF);
  }
  return bytes;
}

Bytes idx_header(int type, std::initializer_list<std::uint32_t> sizes) {
  Bytes bytes{'\0', '\0', static_cast<char>(type), static_cast<char>(sizes.size())};
  for (const std::uint32_t size : sizes) {
    bytes += big_endian(size);
  }
  return bytes;
}

template <class T>
Bytes idx(int type, std::initializer_list<std::uint32_t> sizes, const std::vector<T>& values) {
  Bytes bytes = idx_header(type, sizes);
  for (const T value : values) {
    bytes += big_endian(value);
  }
  return bytes;
}

/// Whether an Error names the file and says the rest.
void check_error(const std::string& path, const std::string& message, std::initializer_list<const char*> parts) {
  CAPTURE(message);
  CHECK(message.find(path) != std::string::npos);
  for (const char* const part : parts) {
    CAPTURE(part);
    CHECK(message.find(part) != std::string::npos);
  }
}

void check_idx_error(const std::string& path, std::initializer_list<const char*> parts) {
  check_error(path, error_of([&] { (void)regimen::read_idx(path); }), parts);
}

template <class T>
void check_round_trip(const Folder& folder, int type, at::ScalarType expected, const std::vector<T>& values) {
  REQUIRE(values.size() == 6);
  const Bytes bytes = idx(type, {3, 2}, values);
  for (const std::string& path : {folder.write("values", bytes), folder.packed("values.gz", bytes)}) {
    CAPTURE(type, path);
    const at::Tensor tensor = regimen::read_idx(path);
    REQUIRE(tensor.scalar_type() == expected);
    REQUIRE(tensor.sizes() == at::IntArrayRef({3, 2}));
    REQUIRE(tensor.is_contiguous());
    for (std::int64_t i = 0; i < 6; ++i) {
      CHECK(tensor[i / 2][i % 2].item<T>() == values[static_cast<std::size_t>(i)]);
    }
  }
}

Bytes images(std::uint32_t n, std::uint32_t height = 28) {
  std::vector<std::uint8_t> pixels;
  for (std::uint32_t i = 0; i < n * height * 28; ++i) {
    pixels.push_back(static_cast<std::uint8_t>(i % 251));
  }
  return idx(0x08, {n, height, 28}, pixels);
}

Bytes labels(const std::vector<std::uint8_t>& values) {
  return idx(0x08, {static_cast<std::uint32_t>(values.size())}, values);
}

/// Three samples to train on and two to test on.
void write_mnist(const Folder& folder) {
  folder.write("train-images-idx3-ubyte", images(3));
  folder.write("train-labels-idx1-ubyte", labels({9, 0, 4}));
  folder.packed("t10k-images-idx3-ubyte.gz", images(2));
  folder.packed("t10k-labels-idx1-ubyte.gz", labels({1, 2}));
}

/// An image in which the pixel (channel, row, column) is (first + 7 * channel + 3 * row + column) % 256.
Bytes cifar_image(int first) {
  Bytes bytes;
  for (int channel = 0; channel < 3; ++channel) {
    for (int row = 0; row < 32; ++row) {
      for (int column = 0; column < 32; ++column) {
        bytes += static_cast<char>((first + 7 * channel + 3 * row + column) % 256);
      }
    }
  }
  return bytes;
}

/// A record whose image begins with the label.
Bytes cifar_record(int label) {
  return Bytes(1, static_cast<char>(label)) + cifar_image(label);
}

/// A record of CIFAR-100, whose image begins with the fine label.
Bytes cifar100_record(int coarse, int fine) {
  return Bytes{static_cast<char>(coarse), static_cast<char>(fine)} + cifar_image(fine);
}

}  // namespace

TEST_CASE("IDX: every type is read as it was written, plain and packed") {
  const Folder folder;
  check_round_trip<std::uint8_t>(folder, 0x08, at::kByte, {0, 1, 127, 128, 254, 255});
  check_round_trip<std::int8_t>(folder, 0x09, at::kChar, {0, 1, -1, 127, -128, 5});
  check_round_trip<std::int16_t>(folder, 0x0B, at::kShort, {0, 1, -2, 32767, -32768, 258});
  check_round_trip<std::int32_t>(folder, 0x0C, at::kInt, {0, 1, -2, 2147483647, -2147483647 - 1, 16909060});
  check_round_trip<float>(folder, 0x0D, at::kFloat, {0.0F, 1.0F, -1.5F, 3e38F, 1e-40F, 0.1F});
  check_round_trip<double>(folder, 0x0E, at::kDouble, {0.0, 1.0, -1.5, 1e308, 5e-324, 0.1});
}

TEST_CASE("IDX: known bytes of the format") {
  const Folder folder;
  const Bytes bytes("\x00\x00\x0B\x01\x00\x00\x00\x02\x01\x02\xFF\xFE", 12);
  const at::Tensor tensor = regimen::read_idx(folder.write("known", bytes));
  CHECK(tensor.equal(at::tensor({258, -2}, at::kShort)));
}

TEST_CASE("IDX: one to eight dimensions") {
  const Folder folder;
  const at::Tensor one = regimen::read_idx(folder.write("one", labels({5, 6, 7})));
  CHECK(one.equal(at::tensor({5, 6, 7}, at::kByte)));
  const at::Tensor eight =
      regimen::read_idx(folder.write("eight", idx<std::uint8_t>(8, {1, 1, 2, 1, 1, 1, 2, 1}, {1, 2, 3, 4})));
  CHECK(eight.sizes() == at::IntArrayRef({1, 1, 2, 1, 1, 1, 2, 1}));
  CHECK(eight.flatten().equal(at::tensor({1, 2, 3, 4}, at::kByte)));
}

TEST_CASE("IDX: content that is packed a thousandfold arrives whole") {
  const Folder folder;
  std::vector<std::uint8_t> values(3'000'000);
  values.back() = 77;
  const std::string path = folder.packed("zeros.gz", idx(0x08, {3000, 1000}, values));
  REQUIRE(fs::file_size(path) < 10'000);  // so the memory has to grow many times
  const at::Tensor tensor = regimen::read_idx(path);
  REQUIRE(tensor.sizes() == at::IntArrayRef({3000, 1000}));
  CHECK(tensor.sum().item<std::int64_t>() == 77);
  CHECK(tensor[2999][999].item<int>() == 77);
}

TEST_CASE("IDX: a file cut short at any byte is an error") {
  const Folder folder;
  const Bytes whole = idx<std::int16_t>(0x0B, {2, 3}, {1, 2, 3, 4, 5, 6});
  const Bytes packed = read_bytes(folder.packed("whole.gz", whole));
  for (const Bytes& bytes : {whole, packed}) {
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      CAPTURE(length);
      check_idx_error(folder.write("cut", bytes.substr(0, length)), {});
    }
    CHECK_NOTHROW(regimen::read_idx(folder.write("cut", bytes)));
  }
  // Packed without damage, but too little of it.
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    check_idx_error(folder.packed("cut.gz", whole.substr(0, length)), {});
  }
  check_idx_error(folder.write("cut", whole.substr(0, 20)), {"length", "24", "20"});
  check_idx_error(folder.packed("cut.gz", whole.substr(0, 20)), {"length", "24", "20"});
}

TEST_CASE("IDX: a damaged packed file is an error, or no damage") {
  const Folder folder;
  const Bytes whole = idx<std::int32_t>(0x0C, {5}, {10, 20, 30, 40, 50});
  const at::Tensor expected = at::tensor({10, 20, 30, 40, 50}, at::kInt);
  const Bytes packed = read_bytes(folder.packed("whole.gz", whole));
  int errors = 0;
  for (std::size_t i = 0; i < packed.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      CAPTURE(i, bit);
      Bytes damaged = packed;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      const std::string path = folder.write("damaged.gz", damaged);
      at::Tensor read;
      if (error_of([&] { read = regimen::read_idx(path); }) == "no error") {
        CHECK(read.equal(expected));
      } else {
        ++errors;
      }
    }
  }
  CHECK(errors > static_cast<int>(packed.size() - 10) * 7);  // its header of ten bytes holds a date
}

TEST_CASE("IDX: bytes too many are an error") {
  const Folder folder;
  const Bytes bytes = labels({1, 2, 3}) + "x";
  check_idx_error(folder.write("long", bytes), {"length", "11", "12"});
  check_idx_error(folder.packed("long.gz", bytes), {"length", "11", "more"});
}

TEST_CASE("IDX: headers that cannot be") {
  const Folder folder;
  const Bytes good = labels({1, 2, 3});
  const auto with = [&](std::size_t place, int value) {
    Bytes bytes = good;
    bytes[place] = static_cast<char>(value);
    return folder.write("bad", bytes);
  };
  check_idx_error(with(0, 200), {"first two bytes", "0 0", "200 0"});
  check_idx_error(with(1, 3), {"first two bytes", "0 0", "0 3"});
  for (const int type : {0, 1, 7, 10, 15, 255}) {
    check_idx_error(with(2, type), {"type", "8, 9, 11, 12, 13 or 14", ("is " + std::to_string(type)).c_str()});
  }
  check_idx_error(with(3, 0), {"dimensions", "[1, 8]", "is 0"});
  check_idx_error(with(3, 9), {"dimensions", "[1, 8]", "is 9"});
  check_idx_error(with(3, 255), {"dimensions", "[1, 8]", "is 255"});
  check_idx_error(folder.write("none", idx_header(0x08, {4, 0, 2})), {"size 1", "at least 1", "is 0"});
}

TEST_CASE("IDX: sizes that lie cost no memory") {
  const Folder folder;
  const auto check = [&](const Bytes& bytes, std::initializer_list<const char*> parts) {
    check_idx_error(folder.write("lie", bytes), parts);
    check_idx_error(folder.packed("lie.gz", bytes), parts);
  };
  // 4 exabytes: were they asked for, LibTorch would throw an error of its own, which is not ours.
  check(idx_header(0x08, {1U << 31, 1U << 31}) + "abc", {"length", "4611686018427387916"});
  check(idx_header(0x0E, {1U << 31, 1U << 28}) + "abc", {"length"});
  // 2^63 bytes and more.
  check(idx_header(0x08, {1U << 31, 1U << 31, 2}), {"size 2", "2^63", "is 2"});
  check(idx_header(0x0E, {1U << 31, 1U << 31}), {"size 1", "2^63", "is 2147483648"});
  const std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
  check(idx_header(0x0C, {most, most, most, most, most, most, most, most}), {"size 1", "2^63", "is 4294967295"});
}

TEST_CASE("IDX: a file that is not there, or is a folder") {
  const Folder folder;
  check_idx_error(folder / "absent", {"No such file"});
  fs::create_directory(folder / "sub");
  check_idx_error(folder / "sub", {"directory"});
}

TEST_CASE("MNIST: four files make two sets") {
  const Folder folder;
  write_mnist(folder);
  const auto [train, test] = regimen::mnist(folder / "");
  CHECK(train.data.sizes() == at::IntArrayRef({3, 1, 28, 28}));
  CHECK(train.data.scalar_type() == at::kByte);
  CHECK(train.data[2][0][5][6].item<int>() == (2 * 784 + 5 * 28 + 6) % 251);
  CHECK(train.target.equal(at::tensor({9, 0, 4}, at::kLong)));
  CHECK(train.id.equal(at::arange(3, at::kLong)));
  CHECK(test.data.sizes() == at::IntArrayRef({2, 1, 28, 28}));
  CHECK(test.target.equal(at::tensor({1, 2}, at::kLong)));
  CHECK(test.id.equal(at::arange(2, at::kLong)));
}

TEST_CASE("MNIST: the plain file is taken where there are both") {
  const Folder folder;
  write_mnist(folder);
  folder.packed("train-labels-idx1-ubyte.gz", labels({7, 7, 7}));
  CHECK(regimen::mnist(folder / "").train.target.equal(at::tensor({9, 0, 4}, at::kLong)));
}

TEST_CASE("MNIST: a folder of a file's name is passed over") {
  const Folder folder;
  write_mnist(folder);
  fs::create_directory(folder / "t10k-images-idx3-ubyte");  // the packed file lies beside it
  fs::create_directory(folder / "t10k-labels-idx1-ubyte");
  CHECK(regimen::mnist(folder / "").test.target.equal(at::tensor({1, 2}, at::kLong)));

  fs::remove(folder / "t10k-labels-idx1-ubyte.gz");
  check_error(folder / "t10k-labels-idx1-ubyte, which is a folder",
              error_of([&] { (void)regimen::mnist(folder / ""); }), {"t10k-labels-idx1-ubyte.gz"});
}

TEST_CASE("MNIST: names with a dot are found, plain and packed") {
  const Folder folder;
  folder.write("train-images.idx3-ubyte", images(3));
  folder.packed("train-labels.idx1-ubyte.gz", labels({9, 0, 4}));
  fs::create_directory(folder / "train-images-idx3-ubyte");  // as one archive has it
  folder.packed("t10k-images.idx3-ubyte.gz", images(2));
  folder.write("t10k-labels-idx1-ubyte", labels({1, 2}));
  const auto [train, test] = regimen::mnist(folder / "");
  CHECK(train.data.sizes() == at::IntArrayRef({3, 1, 28, 28}));
  CHECK(train.target.equal(at::tensor({9, 0, 4}, at::kLong)));
  CHECK(test.data.sizes() == at::IntArrayRef({2, 1, 28, 28}));
  CHECK(test.target.equal(at::tensor({1, 2}, at::kLong)));
}

TEST_CASE("MNIST: a missing file is an error that lists what was looked for") {
  const Folder folder;
  write_mnist(folder);
  fs::remove(folder / "train-labels-idx1-ubyte");
  const std::string message = error_of([&] { (void)regimen::mnist(folder / ""); });
  for (const char* const name : {"train-labels-idx1-ubyte", "train-labels.idx1-ubyte", "train-labels-idx1-ubyte.gz",
                                 "train-labels.idx1-ubyte.gz"}) {
    check_error(folder / name, message, {});
  }
  CHECK(message.find("images") == std::string::npos);
}

TEST_CASE("MNIST: files that do not fit") {
  const Folder folder;
  write_mnist(folder);
  const auto check = [&](const std::string& name, const Bytes& content, std::initializer_list<const char*> parts) {
    const Bytes before = read_bytes(folder / name);
    folder.write(name, content);
    check_error(folder / name, error_of([&] { (void)regimen::mnist(folder / ""); }), parts);
    folder.write(name, before);
  };
  const std::string data = "train-images-idx3-ubyte";
  const std::string target = "train-labels-idx1-ubyte";
  check(target, labels({9, 10, 4}), {"record 1", "[0, 10)", "is 10"});
  check(target, labels({9, 0}), {"number of labels", "3", "is 2"});
  check(target, images(3), {"dimensions", "1", "is 3"});
  check(target, idx<std::int32_t>(0x0C, {3}, {1, 2, 3}), {"type", "unsigned char", "int"});
  check(data, images(3, 27), {"height", "28", "27"});
  check(data, labels({9, 0, 4}), {"dimensions", "3", "is 1"});
  CHECK_NOTHROW(regimen::mnist(folder / ""));

  fs::remove(folder / target);
  check_error(folder / target, error_of([&] { (void)regimen::mnist(folder / ""); }), {target.c_str(), ".gz"});
}

TEST_CASE("Fashion-MNIST: a missing file is named, and where to get it") {
  const Folder folder;
  const std::string message = error_of([&] { (void)regimen::fashion_mnist(folder / "absent"); });
  check_error(folder / "absent", message, {"train-images-idx3-ubyte", "dataset-fashion-mnist"});
}

TEST_CASE("Fashion-MNIST: Debian's package") {
  if (!fs::exists("/usr/share/datasets/fashion-mnist")) {
    WARN("not checked: Debian's package dataset-fashion-mnist is not installed");
    return;
  }
  const auto [train, test] = regimen::fashion_mnist();
  CHECK(train.data.sizes() == at::IntArrayRef({60000, 1, 28, 28}));
  CHECK(test.data.sizes() == at::IntArrayRef({10000, 1, 28, 28}));
  CHECK(train.data.scalar_type() == at::kByte);
  CHECK(train.target.slice(0, 0, 10).equal(at::tensor({9, 0, 0, 3, 0, 2, 7, 2, 5, 5}, at::kLong)));
  CHECK(train.target.bincount().equal(at::full({10}, 6000, at::kLong)));
  CHECK(test.target.bincount().equal(at::full({10}, 1000, at::kLong)));
  CHECK(train.id.equal(at::arange(60000, at::kLong)));
  // The mean and the deviation that everybody normalizes by.
  const at::Tensor values = train.data.to(at::kFloat) / 255;
  CHECK(values.mean().item<double>() == Approx(0.2860).margin(1e-4));
  CHECK(values.std().item<double>() == Approx(0.3530).margin(1e-4));
}

TEST_CASE("CIFAR-10: planes, rows, columns and labels are where they belong") {
  const Folder folder;
  const regimen::Batch batch = regimen::read_cifar10_file(folder.write("file.bin", cifar_record(3) + cifar_record(9)));
  REQUIRE(batch.data.sizes() == at::IntArrayRef({2, 3, 32, 32}));
  REQUIRE(batch.data.scalar_type() == at::kByte);
  CHECK(batch.target.equal(at::tensor({3, 9}, at::kLong)));
  CHECK(batch.id.equal(at::arange(2, at::kLong)));
  CHECK(batch.data[0][0][0][0].item<int>() == 3);
  CHECK(batch.data[0][0][0][1].item<int>() == 4);                            // columns run fastest,
  CHECK(batch.data[0][0][1][0].item<int>() == 6);                            // then rows,
  CHECK(batch.data[0][1][0][0].item<int>() == 10);                           // then planes
  CHECK(batch.data[1][2][31][30].item<int>() == (9 + 2 * 7 + 31 * 3 + 30));  // and then samples
}

TEST_CASE("CIFAR-10: six files make two sets, from either folder") {
  const Folder folder;
  for (int i = 1; i <= 5; ++i) {
    folder.write("cifar-10-batches-bin/data_batch_" + std::to_string(i) + ".bin",
                 cifar_record(i) + cifar_record(i - 1));
  }
  folder.write("cifar-10-batches-bin/test_batch.bin", cifar_record(8));
  for (const std::string& root : {folder / "", folder / "cifar-10-batches-bin"}) {
    const auto [train, test] = regimen::cifar10(root);
    CHECK(train.data.sizes() == at::IntArrayRef({10, 3, 32, 32}));
    CHECK(train.target.equal(at::tensor({1, 0, 2, 1, 3, 2, 4, 3, 5, 4}, at::kLong)));
    CHECK(train.data.select(1, 0).select(1, 0).select(1, 0).to(at::kLong).equal(train.target));
    CHECK(train.id.equal(at::arange(10, at::kLong)));
    CHECK(test.target.equal(at::tensor({8}, at::kLong)));
    CHECK(test.id.equal(at::arange(1, at::kLong)));
  }

  const std::string third = folder / "cifar-10-batches-bin/data_batch_3.bin";
  fs::remove(third);
  check_error(third, error_of([&] { (void)regimen::cifar10(folder / ""); }), {"binary version"});
  const std::string absent = folder / "absent";
  check_error(absent, error_of([&] { (void)regimen::cifar10(absent); }), {"data_batch_1.bin"});
}

TEST_CASE("CIFAR: packed files are read, and folders of their names are passed over") {
  const Folder folder;
  const auto write = [&](const std::string& name, const Bytes& bytes) {
    fs::create_directory(folder / name);
    folder.packed(name + ".gz", bytes);
  };
  fs::create_directory(folder / "cifar-10-batches-bin");  // empty: the files lie beside it
  for (int i = 1; i <= 5; ++i) {
    write("data_batch_" + std::to_string(i) + ".bin", cifar_record(i));
  }
  write("test_batch.bin", cifar_record(8));
  CHECK(regimen::cifar10(folder / "").train.target.equal(at::tensor({1, 2, 3, 4, 5}, at::kLong)));
  CHECK(regimen::cifar10(folder / "").test.target.equal(at::tensor({8}, at::kLong)));
  write("train.bin", cifar100_record(1, 10));
  write("test.bin", cifar100_record(4, 40));
  CHECK(regimen::cifar100(folder / "").train.target.equal(at::tensor({10}, at::kLong)));
  CHECK(regimen::cifar100(folder / "").test.target.equal(at::tensor({40}, at::kLong)));

  fs::remove(folder / "test.bin.gz");
  const std::string message = error_of([&] { (void)regimen::cifar100(folder / ""); });
  check_error(folder / "test.bin, which is a folder", message, {"test.bin.gz", "binary version of CIFAR-100"});
  check_error(folder / "cifar-100-binary/train.bin", message, {});
}

TEST_CASE("CIFAR-10: files that are not") {
  const Folder folder;
  const auto check = [&](const Bytes& bytes, std::initializer_list<const char*> parts) {
    const std::string path = folder.write("bad.bin", bytes);
    check_error(path, error_of([&] { (void)regimen::read_cifar10_file(path); }), parts);
  };
  check("", {"length", "3073", "is 0"});
  check(cifar_record(1).substr(0, 3072), {"length", "3073", "is 3072"});
  check(cifar_record(1) + cifar_record(2) + "x", {"length", "3073", "is 6147"});
  check(cifar_record(1) + cifar_record(2) + cifar_record(10), {"record 2", "[0, 10)", "is 10"});
  check(cifar_record(255), {"record 0", "[0, 10)", "is 255"});
  const std::string absent = folder / "absent.bin";
  check_error(absent, error_of([&] { (void)regimen::read_cifar10_file(absent); }), {"No such file"});
}

TEST_CASE("CIFAR-100: planes, rows, columns and both labels are where they belong") {
  const Folder folder;
  const Bytes bytes = cifar100_record(19, 3) + cifar100_record(0, 99);
  for (const std::string& path : {folder.write("file.bin", bytes), folder.packed("file.bin.gz", bytes)}) {
    CAPTURE(path);
    const regimen::Batch batch = regimen::read_cifar100_file(path);
    REQUIRE(batch.data.sizes() == at::IntArrayRef({2, 3, 32, 32}));
    REQUIRE(batch.data.scalar_type() == at::kByte);
    CHECK(batch.target.equal(at::tensor({3, 99}, at::kLong)));
    REQUIRE(batch.extra.size() == 1);
    CHECK(batch.extra.at("coarse").equal(at::tensor({19, 0}, at::kLong)));
    CHECK(batch.id.equal(at::arange(2, at::kLong)));
    CHECK(batch.data[0][0][0][0].item<int>() == 3);
    CHECK(batch.data[0][0][0][1].item<int>() == 4);                             // columns run fastest,
    CHECK(batch.data[0][0][1][0].item<int>() == 6);                             // then rows,
    CHECK(batch.data[0][1][0][0].item<int>() == 10);                            // then planes
    CHECK(batch.data[1][2][31][30].item<int>() == (99 + 2 * 7 + 31 * 3 + 30));  // and then samples
  }
}

TEST_CASE("CIFAR-100: two files make two sets, from either folder, in memory and mapped") {
  const Folder folder;
  folder.write("cifar-100-binary/train.bin", cifar100_record(1, 10) + cifar100_record(2, 20) + cifar100_record(3, 30));
  folder.write("cifar-100-binary/test.bin", cifar100_record(4, 40));
  for (const std::string& root : {folder / "", folder / "cifar-100-binary"}) {
    const auto [train, test] = regimen::cifar100(root);
    CHECK(train.data.sizes() == at::IntArrayRef({3, 3, 32, 32}));
    CHECK(train.target.equal(at::tensor({10, 20, 30}, at::kLong)));
    CHECK(train.extra.at("coarse").equal(at::tensor({1, 2, 3}, at::kLong)));
    CHECK(train.id.equal(at::arange(3, at::kLong)));
    CHECK(test.target.equal(at::tensor({40}, at::kLong)));
    CHECK(test.extra.at("coarse").equal(at::tensor({4}, at::kLong)));
    CHECK(test.id.equal(at::arange(1, at::kLong)));

    const auto mapped = regimen::mapped_cifar100(root);
    const regimen::Batch same = mapped.train.get(at::arange(3, at::kLong));
    CHECK(same.data.equal(train.data));
    CHECK(same.target.equal(train.target));
    CHECK(mapped.test.get(at::arange(1, at::kLong)).data.equal(test.data));
  }

  const std::string missing = folder / "cifar-100-binary/test.bin";
  fs::remove(missing);
  for (const auto& read : {+[](const std::string& root) { (void)regimen::cifar100(root); },
                           +[](const std::string& root) { (void)regimen::mapped_cifar100(root); }}) {
    check_error(missing, error_of([&] { read(folder / ""); }), {"binary version of CIFAR-100"});
    const std::string absent = folder / "absent";
    check_error(absent, error_of([&] { read(absent); }), {"train.bin"});
  }
}

TEST_CASE("CIFAR-100: files that are not") {
  const Folder folder;
  const auto check = [&](const Bytes& bytes, std::initializer_list<const char*> parts) {
    const std::string path = folder.write("bad.bin", bytes);
    check_error(path, error_of([&] { (void)regimen::read_cifar100_file(path); }), parts);
  };
  const Bytes good = cifar100_record(1, 2);
  check("", {"length", "3074", "is 0"});
  check(good.substr(0, 3073), {"length", "a coarse and a fine label", "3074", "is 3073"});
  check(good + good + "x", {"length", "3074", "is 6149"});
  check(cifar_record(1) + cifar_record(2), {"length", "3074", "is 6146"});  // CIFAR-10's
  check(good + good + cifar100_record(20, 2), {"the coarse label of record 2", "[0, 20)", "is 20"});
  check(good + cifar100_record(1, 100), {"the fine label of record 1", "[0, 100)", "is 100"});
  check(cifar100_record(255, 255), {"the coarse label of record 0", "[0, 20)", "is 255"});
  const std::string absent = folder / "absent.bin";
  check_error(absent, error_of([&] { (void)regimen::read_cifar100_file(absent); }), {"No such file"});
}

TEST_CASE("two clusters: as many of each class, where the paper has them") {
  const std::int64_t per_class = 20000;
  const regimen::Batch batch = regimen::two_clusters(per_class, 137);
  REQUIRE(batch.data.sizes() == at::IntArrayRef({2 * per_class, 2}));
  REQUIRE(batch.data.scalar_type() == at::kFloat);
  REQUIRE(batch.target.sizes() == at::IntArrayRef({2 * per_class}));
  REQUIRE(batch.target.scalar_type() == at::kLong);
  CHECK(batch.id.equal(at::arange(2 * per_class, at::kLong)));
  CHECK(batch.target.sum().item<double>() == per_class);
  for (const int label : {0, 1}) {
    CAPTURE(label);
    const at::Tensor points = batch.data.index({batch.target == label}).to(at::kDouble);
    REQUIRE(points.size(0) == per_class);
    // Seven standard errors: 0.15 / sqrt(20000) is 0.0011, and that of the deviation is 0.00075.
    CHECK(points.select(1, 0).mean().item<double>() == Approx(label == 1 ? 0.85 : -0.45).margin(0.0075));
    CHECK(points.select(1, 1).mean().item<double>() == Approx(0.2).margin(0.0075));
    CHECK(points.select(1, 0).std().item<double>() == Approx(0.15).margin(0.005));
    CHECK(points.select(1, 1).std().item<double>() == Approx(0.15).margin(0.005));
    const at::Tensor centred = points - points.mean(0);
    const double covariance = (centred.select(1, 0) * centred.select(1, 1)).mean().item<double>();
    CHECK(covariance / (0.15 * 0.15) == Approx(0).margin(0.05));
  }
  const at::Tensor best = batch.data.select(1, 0) > regimen::two_clusters_boundary;
  CHECK((best == (batch.target > 0.5)).to(at::kDouble).mean().item<double>() > 0.9995);
}

TEST_CASE("two clusters: a sample depends on the seed and its id alone") {
  const regimen::Batch whole = regimen::two_clusters(50, 5);
  CHECK(regimen::two_clusters(50, 5).data.equal(whole.data));
  CHECK_FALSE(regimen::two_clusters(50, 6).data.equal(whole.data));
  CHECK(regimen::two_clusters(10, 5).data.equal(whole.data.slice(0, 0, 20)));

  const at::Tensor ids = at::tensor({99, 3, 4, 50, 3}, at::kLong);
  const regimen::Batch some = regimen::two_clusters(regimen::Key(5, ids));
  CHECK(some.data.equal(whole.data.index_select(0, ids)));
  CHECK(some.target.equal(whole.target.index_select(0, ids)));
  CHECK(some.id.equal(ids));

  at::manual_seed(1);
  const at::Tensor before = at::rand({3});
  at::manual_seed(1);
  (void)regimen::two_clusters(50, 5);
  CHECK(at::rand({3}).equal(before));
}

TEST_CASE("two clusters: labels drawn with the seed of the points know nothing about them") {
  const regimen::Batch batch = regimen::two_clusters(10000, 7);
  const at::Tensor drawn = regimen::UniformLabels{.classes = 4}(batch, regimen::Key(7, batch.id)).target;
  const at::Tensor first = batch.target * 1.3 - 0.45;
  const at::Tensor centres = at::stack({first, at::full_like(first, 0.2)}, 1);
  const at::Tensor noise = (batch.data - centres) / 0.15;
  for (const int label : {0, 1, 2, 3}) {
    CAPTURE(label);
    const at::Tensor part = noise.index({drawn == label});
    for (const int axis : {0, 1}) {
      CAPTURE(axis);
      // Seven standard errors of about 5000 normals; E|x| is sqrt(2 / pi).
      CHECK(part.select(1, axis).mean().item<double>() == Approx(0).margin(0.1));
      CHECK(part.select(1, axis).abs().mean().item<double>() == Approx(0.798).margin(0.06));
    }
  }
}

TEST_CASE("two moons: the points of scikit-learn's make_moons, class by class in turn") {
  // make_moons(n_samples=6, shuffle=False): (1, 0), (0, 1), (-1, 0) and (0, 0.5), (1, -0.5), (2, 0.5).
  const regimen::Batch moons = regimen::two_moons(3);
  const at::Tensor expected =
      at::tensor({1.0, 0.0, 0.0, 0.5, 0.0, 1.0, 1.0, -0.5, -1.0, 0.0, 2.0, 0.5}, at::kDouble).view({6, 2});
  CHECK((moons.data - expected).abs().max().item<double>() < 1e-6);
  CHECK(moons.data.scalar_type() == at::kFloat);
  CHECK(moons.target.equal(at::tensor({0, 1, 0, 1, 0, 1}, at::kLong)));
  CHECK(moons.id.equal(at::arange(6, at::kLong)));
  // Half circles of radius 1 around (0, 0) and (1, 0.5), the upper and the lower.
  const regimen::Batch many = regimen::two_moons(500);
  for (const int label : {0, 1}) {
    const at::Tensor from_middle = many.data.index({many.target == label}) - at::tensor({1.0 * label, 0.5 * label});
    CHECK((from_middle.square().sum(1) - 1).abs().max().item<double>() < 1e-5);
    CHECK((from_middle.select(1, 1) * (1 - 2 * label)).min().item<double>() > -1e-6);
  }
}

TEST_CASE("two moons: the noise is normal, of its seed, and moves no other sample") {
  const std::int64_t per_class = 10000;
  const at::Tensor noise = (regimen::two_moons(per_class, 0.2, 3).data - regimen::two_moons(per_class).data) / 0.2;
  // Seven standard errors of 20,000 normals.
  CHECK(noise.mean(0).abs().max().item<double>() < 0.05);
  CHECK((noise.std(0) - 1).abs().max().item<double>() < 0.035);
  CHECK((noise.select(1, 0) * noise.select(1, 1)).mean().abs().item<double>() < 0.05);
  CHECK(regimen::two_moons(50, 0.2, 3).data.equal(regimen::two_moons(50, 0.2, 3).data));
  CHECK_FALSE(regimen::two_moons(50, 0.2, 3).data.equal(regimen::two_moons(50, 0.2, 4).data));
  CHECK(error_of([] { (void)regimen::two_moons(1); }) == "two_moons: per_class must be at least 2, but is 1");
  check_error("", error_of([] { (void)regimen::two_moons(5, -0.1); }), {"two_moons: noise", "at least 0", "is -0.1"});
  check_error("", error_of([] { (void)regimen::two_moons(5, std::nan("")); }), {"two_moons: noise", "at least 0"});
}

TEST_CASE("two clusters: at least one a class") {
  CHECK(error_of([] { (void)regimen::two_clusters(0, 1); }) == "two_clusters: per_class must be at least 1, but is 0");
  CHECK(regimen::two_clusters(1, 1).size() == 2);
}

TEST_CASE("read_idx: a file with its least significant bytes first is an Error, not a tensor of another size") {
  const Folder folder;
  // The magic number and the size 3, turned round.
  const std::string turned =
      folder.write("turned", Bytes{'\x01', '\x08', '\0', '\0', '\x03', '\0', '\0', '\0', 'a', 'b', 'c'});
  check_error(turned, error_of([&] { (void)regimen::read_idx(turned); }),
              {"the first two bytes of an IDX file", "1 8"});
  // Only the size.
  const std::string size =
      folder.write("size", Bytes{'\0', '\0', '\x08', '\x01', '\x03', '\0', '\0', '\0', 'a', 'b', 'c'});
  check_error(size, error_of([&] { (void)regimen::read_idx(size); }),
              {"the length of the content", "50331656 bytes", "is 11"});
}

}  // namespace datasets_test
