// read_cifar10_file, read_cifar100_file and MappedRecords against a walk through the file's bytes.

#include <ATen/ops/arange.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <regimen/datasets.hpp>
#include "gzip.hpp"
#include "target.hpp"

namespace {

using fuzz::expect;

struct Record {
  int label;
  std::string_view image;
};

std::int64_t length_of(const regimen::RecordLayout& layout) {
  return layout.label_bytes + layout.pixels();
}

/// The records of a file; nothing where it is empty, ends within a record, or has a label out of range.
std::optional<std::vector<Record>> parse(std::string_view content, const regimen::RecordLayout& layout) {
  const auto length = static_cast<std::size_t>(length_of(layout));
  const auto before = static_cast<std::size_t>(layout.label_bytes);
  if (content.empty() || content.size() % length != 0) {
    return std::nullopt;
  }
  std::vector<Record> records;
  for (; !content.empty(); content.remove_prefix(length)) {
    const int label = static_cast<unsigned char>(content[before - 1]);
    if (label >= layout.classes) {
      return std::nullopt;
    }
    records.push_back({label, content.substr(before, length - before)});
  }
  return records;
}

/// Whether the batch holds these records, the i-th of it being the place[i]-th of them.
void expect_batch(const regimen::Batch& batch, const std::vector<Record>& records,
                  const std::vector<std::int64_t>& places, const std::vector<std::int64_t>& image_shape) {
  std::vector<std::int64_t> shape{static_cast<std::int64_t>(places.size())};
  shape.insert(shape.end(), image_shape.begin(), image_shape.end());
  expect(batch.data.scalar_type() == at::kByte && batch.data.sizes() == at::IntArrayRef(shape), "another shape");
  const at::IntArrayRef one(shape.data(), 1);
  expect(batch.target.sizes() == one && batch.id.sizes() == one, "other numbers of targets and ids than of images");
  expect(batch.target.is_contiguous() && batch.id.is_contiguous(), "targets or ids with gaps");
  const at::Tensor images = batch.data.contiguous();  // in the memory of the file's bytes, labels lie between them
  const auto* pixels = static_cast<const char*>(images.data_ptr());
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Record& record = records[static_cast<std::size_t>(places[i])];
    expect(batch.target.data_ptr<std::int64_t>()[i] == record.label, "another label");
    expect(batch.id.data_ptr<std::int64_t>()[i] == places[i], "another id");
    expect(std::memcmp(pixels, record.image.data(), record.image.size()) == 0, "another image");
    pixels += record.image.size();
  }
}

std::vector<std::int64_t> all_places(std::size_t records) {
  std::vector<std::int64_t> places(records);
  for (std::size_t i = 0; i < records; ++i) {
    places[i] = static_cast<std::int64_t>(i);
  }
  return places;
}

/// Layouts to read by: CIFAR-10's, CIFAR-100's, and small ones of which a small file holds many.
const std::vector<regimen::RecordLayout>& layouts() {
  static const std::vector<regimen::RecordLayout> all{
      {},
      {.label_bytes = 2, .shape = {3, 32, 32}, .classes = 100},
      {.label_bytes = 1, .shape = {1}, .classes = 256},
      {.label_bytes = 1, .shape = {2, 3}, .classes = 10},
      {.label_bytes = 3, .shape = {1, 2, 2}, .classes = 1},
      {.label_bytes = 2, .shape = {5}, .classes = 100},
  };
  return all;
}

std::int64_t image_bytes(const std::optional<std::vector<Record>>& records) {
  return records ? static_cast<std::int64_t>(records->size() * records->front().image.size()) : 0;
}

}  // namespace

namespace fuzz {

void cifar(std::string_view file) {
  const regimen::RecordLayout layout;
  const Content content = content_of(file);
  const auto expected = content.whole ? parse(content.bytes, layout) : std::nullopt;
  const std::size_t size = std::max(file.size(), content.bytes.size());
  const MemoryFile in_memory(file);
  // Labels and ids are 16 bytes for the 3073 of a record; CIFAR-100's, with two labels, 24 for 3074.
  const auto bound = static_cast<std::int64_t>(2 * size + size / 128) + reader_slack;
  const auto batch = attempt(in_memory.path(), bound, [&] { return regimen::read_cifar10_file(in_memory.path()); });

  expect(batch.has_value() == expected.has_value(), expected ? "a good CIFAR-10 file was refused" : "a bad was read");
  if (batch) {
    expect_batch(*batch, *expected, all_places(expected->size()), layout.shape);
  }

  // The same bytes as CIFAR-100: the fine label is the last of a record's two, the coarse one before it has a bound
  // too.
  const regimen::RecordLayout two_labels{.label_bytes = 2, .classes = 100};
  auto fine = content.whole ? parse(content.bytes, two_labels) : std::nullopt;
  const auto coarse_of = [](const Record& record) { return static_cast<unsigned char>(*(record.image.data() - 2)); };
  if (fine && std::any_of(fine->begin(), fine->end(), [&](const Record& record) { return coarse_of(record) >= 20; })) {
    fine.reset();
  }
  const auto hundred = attempt(in_memory.path(), bound, [&] { return regimen::read_cifar100_file(in_memory.path()); });
  expect(hundred.has_value() == fine.has_value(), fine ? "a good CIFAR-100 file was refused" : "a bad was read");
  if (hundred) {
    expect_batch(*hundred, *fine, all_places(fine->size()), two_labels.shape);
    const at::Tensor& coarse = hundred->extra.at("coarse");
    expect(coarse.sizes() == hundred->target.sizes(), "another number of coarse labels");
    for (std::size_t i = 0; i < fine->size(); ++i) {
      expect(coarse.data_ptr<std::int64_t>()[i] == coarse_of((*fine)[i]), "another coarse label");
    }
  }
}

void mapped(std::string_view input) {
  if (input.size() < 2) {
    return;
  }
  const std::size_t choice = static_cast<unsigned char>(input[0]) % layouts().size();
  const regimen::RecordLayout& layout = layouts()[choice];
  const std::size_t in_first = static_cast<unsigned char>(input[1]) * static_cast<std::size_t>(length_of(layout));
  const std::string_view content = input.substr(2);

  // One file, or two of which the first has so many records.
  std::vector<std::string_view> parts{content};
  if (in_first > 0 && in_first < content.size()) {
    parts = {content.substr(0, in_first), content.substr(in_first)};
  }
  const MemoryFile first(parts.front());
  const MemoryFile second(parts.back());
  std::vector<std::string> paths{first.path()};
  if (parts.size() == 2) {
    paths.push_back(second.path());
  }

  const auto expected = parse(content, layout);
  const auto records = static_cast<std::int64_t>(expected ? expected->size() : 0);
  // Backwards: so every record's place is found without the one before it.
  std::vector<std::int64_t> places = all_places(static_cast<std::size_t>(records));
  std::reverse(places.begin(), places.end());

  // The file is not taken into memory at all; a batch of all its records is, with 8 bytes for a label, 8 for an index.
  const std::int64_t bound = image_bytes(expected) + 16 * records + reader_slack;
  std::optional<std::int64_t> size;
  const auto batch = attempt(first.path().substr(0, first.path().rfind('/')), bound, [&] {
    const regimen::MappedRecords source(paths, layout);
    size = source.size();
    return source.get(at::arange(*size - 1, -1, -1, at::kLong));
  });

  expect(batch.has_value() == expected.has_value(), expected ? "a good file was refused" : "a bad one was read");
  if (batch) {
    expect(*size == records, "another number of records");
    expect_batch(*batch, *expected, places, layout.shape);
  }
  if (choice == 0 && parts.size() == 1 && !is_packed(content)) {
    const auto again = attempt(first.path(), 2 * static_cast<std::int64_t>(content.size()) + reader_slack,
                               [&] { return regimen::read_cifar10_file(first.path()); });
    expect(again.has_value() == batch.has_value(), "read_cifar10_file says otherwise");
    if (again) {
      expect_batch(*again, *expected, all_places(expected->size()), layout.shape);
    }
  }
}

}  // namespace fuzz
