// read_idx against a parse of its own.

#include <regimen/datasets.hpp>

#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gzip.hpp"
#include "target.hpp"

namespace {

struct Type {
  at::ScalarType scalar;
  std::size_t width;
};

const std::map<int, Type> types{{0x08, {at::kByte, 1}}, {0x09, {at::kChar, 1}},  {0x0B, {at::kShort, 2}},
                                {0x0C, {at::kInt, 4}},  {0x0D, {at::kFloat, 4}}, {0x0E, {at::kDouble, 8}}};

struct Idx {
  Type type;
  std::vector<std::int64_t> sizes;
  std::string_view elements;
};

/// The parts of an IDX file of at least 1 and at most 8 dimensions, none empty; nothing where it is none.
std::optional<Idx> parse(std::string_view file) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(file[i]); };
  if (file.size() < 4 || byte(0) != 0 || byte(1) != 0 || types.count(byte(2)) == 0 || byte(3) < 1 || byte(3) > 8) {
    return std::nullopt;
  }
  Idx idx{.type = types.at(byte(2)), .sizes = {}, .elements = {}};
  const std::size_t header = 4 + 4 * std::size_t{byte(3)};
  if (file.size() < header) {
    return std::nullopt;
  }
  idx.elements = file.substr(header);
  std::size_t expected = idx.type.width;
  for (std::size_t i = 4; i < header; i += 4) {
    const std::size_t size = byte(i) * 0x1000000UL + byte(i + 1) * 0x10000UL + byte(i + 2) * 0x100UL + byte(i + 3);
    idx.sizes.push_back(static_cast<std::int64_t>(size));
    if (size == 0 || expected > idx.elements.size()) {  // a product beyond the file's length need not be known
      return std::nullopt;
    }
    expected *= size;
  }
  return expected == idx.elements.size() ? std::optional(idx) : std::nullopt;
}

/// Whether memory holds the elements of the file, which come with their most significant byte first.
bool same_elements(const char* memory, std::string_view elements, std::size_t width) {
  if (width == 1) {
    return std::memcmp(memory, elements.data(), elements.size()) == 0;
  }
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const std::size_t first = i - i % width;
    if (memory[first + width - 1 - i % width] != elements[i]) {
      return false;
    }
  }
  return true;
}

}  // namespace

namespace fuzz {

void idx(std::string_view file) {
  const Content content = content_of(file);
  const auto expected = content.whole ? parse(content.bytes) : std::nullopt;
  const std::size_t size = std::max(file.size(), content.bytes.size());
  const MemoryFile in_memory(file);
  const auto bound = static_cast<std::int64_t>(2 * size) + reader_slack;
  const auto tensor = attempt(in_memory.path(), bound, [&] { return regimen::read_idx(in_memory.path()); });

  expect(tensor.has_value() == expected.has_value(), expected ? "a good IDX file was refused" : "a bad one was read");
  if (tensor) {
    expect(tensor->scalar_type() == expected->type.scalar, "another element type");
    expect(tensor->sizes() == at::IntArrayRef(expected->sizes), "another shape");
    expect(tensor->is_contiguous(), "not in one piece");
    const auto* const memory = static_cast<const char*>(tensor->data_ptr());
    expect(same_elements(memory, expected->elements, expected->type.width), "other elements");
  }
}

}  // namespace fuzz
