#include "support/tensors.hpp"

#include "support/folder.hpp"

#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <regimen/regimen.hpp>

namespace mapped_test {

namespace {

using regimen::Batch;
using regimen::Cursor;
using regimen::MappedRecords;
using regimen::Order;
using regimen::Source;

/// A folder with a CIFAR-10 of 5 x 20 and 20 records of pseudo-random bytes.
class Cifar {
 public:
  Cifar() {
    for (const char* const name : {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                                   "data_batch_5.bin", "test_batch.bin"}) {
      std::string bytes;
      for (int record = 0; record < 20; ++record) {
        bytes.push_back(static_cast<char>(next() % 10));
        for (int pixel = 0; pixel < 3072; ++pixel) {
          bytes.push_back(static_cast<char>(next() & 0xFF));
        }
      }
      folder_.write(name, bytes);
    }
  }

  [[nodiscard]] std::string root() const { return folder_ / ""; }
  [[nodiscard]] std::string operator/(const char* name) const { return folder_ / name; }

 private:
  std::uint32_t next() { return state_ = state_ * 1664525 + 1013904223, state_ >> 16; }

  Folder folder_;
  std::uint32_t state_ = 1;
};

std::vector<Batch> batches_of(const Source& source, const Order& order) {
  std::vector<Batch> batches;
  const Cursor next = source.read(order);
  for (Batch batch = next(); batch.size() > 0; batch = next()) {
    batches.push_back(batch);
  }
  return batches;
}

void check_same_batches(const Source& a, const Source& b, const Order& order) {
  const auto left = batches_of(a, order);
  const auto right = batches_of(b, order);
  REQUIRE(left.size() == right.size());
  for (std::size_t i = 0; i < left.size(); ++i) {
    CHECK(same(left[i], right[i]));
  }
}

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

void pack(const std::string& path, const std::string& bytes) {
  const gzFile file = gzopen(path.c_str(), "wb");
  REQUIRE(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())) == static_cast<int>(bytes.size()));
  REQUIRE(gzclose(file) == Z_OK);
}

}  // namespace

TEST_CASE("mapped: CIFAR-10 on disk has the batches of CIFAR-10 in memory, prefetched or not") {
  const Cifar files;
  const auto in_memory = regimen::cifar10(files.root());
  const auto mapped = regimen::mapped_cifar10(files.root());
  CHECK(mapped.train.size() == 100);
  CHECK(mapped.test.size() == 20);
  const auto damage = regimen::chain(regimen::ZeroPixels{.fraction = 0.1}, regimen::UniformLabels{.classes = 10});
  const auto damaged = [&](const Source& source) { return regimen::frozen(regimen::repeat(source, 3), damage, 7); };
  for (const std::int64_t first : {0, 1, 5}) {
    for (const bool drop_last : {false, true}) {
      const Order order{.batch = 32, .shuffle = true, .seed = 3, .drop_last = drop_last, .first = first};
      check_same_batches(mapped.train, in_memory.train, order);
      check_same_batches(mapped.test, in_memory.test, order);
      check_same_batches(regimen::prefetch(mapped.train), in_memory.train, order);
      check_same_batches(regimen::prefetch(damaged(mapped.train), 2), damaged(in_memory.train), order);
    }
  }
}

TEST_CASE("mapped: records of another layout, over several files") {
  const Cifar files;
  write(files / "a.bin", std::string("\x00\x02", 2) + "abcd" + std::string("\x00\x01", 2) + "efgh");
  write(files / "b.bin", std::string("\x07\x00", 2) + "ijkl");
  const MappedRecords records({files / "a.bin", files / "b.bin"}, {.label_bytes = 2, .shape = {1, 2, 2}, .classes = 3});
  CHECK(records.size() == 3);
  const Batch batch = records.get(longs({2, 0, 1}));
  CHECK(batch.target.equal(longs({0, 2, 1})));
  CHECK(batch.id.equal(longs({2, 0, 1})));
  CHECK(batch.data.sizes() == at::IntArrayRef({3, 1, 2, 2}));
  CHECK(batch.data[0].flatten()[0].item<int>() == 'i');
  CHECK(batch.data[2].flatten()[3].item<int>() == 'h');
}

TEST_CASE("mapped: what is no file of such records says what it is") {
  const Cifar files;
  const auto open = [&](const char* name) { return [=, &files] { const MappedRecords records({files / name}); }; };
  check_error(open("missing.bin"), {"missing.bin", "No such file"});
  write(files / "empty.bin", "");
  check_error(open("empty.bin"), {"empty.bin", "empty"});
  write(files / "short.bin", std::string(3072, '\0'));
  check_error(open("short.bin"), {"short.bin", "a multiple of 3073", "is 3072"});
  write(files / "long.bin", std::string(3074, '\0'));
  check_error(open("long.bin"), {"long.bin", "is 3074"});
  check_error([&] { const MappedRecords records({files.root()}); },
              {files.root().c_str(), "a folder", "cannot be mapped"});
  check_error([] { const MappedRecords records(std::vector<std::string>{}); }, {"paths.size()", "at least 1", "is 0"});
  check_error([&] { const MappedRecords records({files / "test_batch.bin"}, {.shape = {3, 0}}); },
              {"RecordLayout.shape", "at least 1", "is 0"});
  write(files / "label.bin", std::string(3073, '\0') + std::string(1, '\x0A') + std::string(3072, '\0'));
  const MappedRecords wrong({files / "label.bin"});
  CHECK(wrong.get(longs({0})).size() == 1);
  check_error([&] { (void)wrong.get(longs({0, 1})); }, {"label.bin", "record 1", "[0, 10)", "is 10"});
}

TEST_CASE("mapped: a packed file is refused with the cure, whatever it is called") {
  const Cifar files;
  const auto check = [](const std::string& path, const auto& open) {
    check_error(open, {path.c_str(), "is packed by gzip", "gunzip", "cifar10()", "cifar100()"});
  };
  const std::string record = std::string(1, '\x03') + std::string(3072, 'x');
  pack(files / "data_batch_3.bin", record);
  check(files / "data_batch_3.bin", [&] { (void)regimen::mapped_cifar10(files.root()); });
  CHECK(regimen::cifar10(files.root()).train.size() == 81);  // as the error says
  std::filesystem::rename(files / "test_batch.bin", files / "unpacked");
  pack(files / "test_batch.bin.gz", record);
  check(files / "test_batch.bin.gz", [&] { (void)regimen::mapped_cifar10(files.root()); });
  CHECK(regimen::cifar10(files.root()).test.size() == 1);
  pack(files / "train.bin.gz", std::string(1, '\0') + record);
  pack(files / "test.bin", std::string(1, '\0') + record);
  check(files / "train.bin.gz", [&] { (void)regimen::mapped_cifar100(files.root()); });

  // Packed, and by length and label it might be records of a label and a byte.
  pack(files / "labels", record);
  if (std::filesystem::file_size(files / "labels") % 2 == 1) {
    std::ofstream(files / "labels", std::ios::binary | std::ios::app) << 'x';  // readers of gzip ignore what follows
  }
  check(files / "labels", [&] { const MappedRecords records({files / "labels"}, {.shape = {1}, .classes = 256}); });
}

TEST_CASE("mapped: records that begin as a packed file does are read") {
  const Cifar files;
  const std::string record = "\x1F\x8B\x08\x04q";
  write(files / "records", record + record);
  const MappedRecords records({files / "records"}, {.shape = {4}, .classes = 32});
  CHECK(records.get(longs({1})).target.equal(longs({31})));
  CHECK(records.get(longs({1})).data.equal(at::tensor({0x8B, 8, 4, int{'q'}}, at::kByte).unsqueeze(0)));
}

TEST_CASE("prefetch: an error of the source comes out where its batch would have") {
  const Cifar files;
  write(files / "label.bin", std::string(3073, '\0') + std::string(1, '\x0A') + std::string(3072, '\0'));
  const Source source = regimen::prefetch(MappedRecords({files / "label.bin"}));
  const Cursor next = source.read({.batch = 1});
  CHECK(next().size() == 1);
  check_error([&] { (void)next(); }, {"label.bin", "record 1"});
}

TEST_CASE("prefetch: what is left before its end leaves no thread behind, and may be read again") {
  const Source source = regimen::prefetch(Source(Batch{.data = at::arange(1000).to(at::kFloat).unsqueeze(1)}));
  for (int i = 0; i < 20; ++i) {
    const Cursor next = source.read({.batch = 10});
    CHECK(next().size() == 10);
  }
  CHECK(source.size() == 1000);
  CHECK(source.batches({.batch = 128}) == 8);
  CHECK_FALSE(source.indexed());
  check_error([] { (void)regimen::prefetch(Source(), 2); }, {"prefetch"});
  check_error([&] { (void)regimen::prefetch(source, 0); }, {"prefetch: depth", "at least 1", "is 0"});
}

}  // namespace mapped_test
