#pragma once
// A reader of event files that shares no line with what writes them. Behind Catch2; needs no LibTorch.

#include <bit>
#include <cstdint>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace event_file {

/// Bit by bit, without a table.
inline std::uint32_t crc32c(const std::string& bytes) {
  std::uint32_t crc = ~0U;
  for (const char c : bytes) {
    for (int bit = 0; bit < 8; ++bit) {
      const bool odd = ((crc ^ (static_cast<std::uint8_t>(c) >> bit)) & 1U) != 0;
      crc = (crc >> 1U) ^ (odd ? 0x82F63B78U : 0U);
    }
  }
  return ~crc;
}

inline std::uint32_t masked(const std::string& bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xA282EAD8U;
}

inline std::uint64_t whole(const std::string& bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    value += static_cast<std::uint64_t>(static_cast<std::uint8_t>(bytes[i])) << (8 * i);
  }
  return value;
}

inline double real(const std::string& bytes) {
  return std::bit_cast<double>(whole(bytes));
}

/// The fields of a message by number: the bytes of each, of a varint as eight bytes.
inline std::multimap<unsigned, std::string> fields(const std::string& message) {
  std::multimap<unsigned, std::string> result;
  std::size_t at = 0;
  const auto varint = [&] {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      REQUIRE(at < message.size());
      const auto byte = static_cast<std::uint8_t>(message[at++]);
      value |= static_cast<std::uint64_t>(byte & 127U) << shift;
      if (byte < 128) {
        return value;
      }
    }
  };
  while (at < message.size()) {
    const std::uint64_t key = varint();
    std::size_t size = 0;
    switch (key & 7U) {
      case 0: {
        std::string bytes;
        const std::uint64_t value = varint();
        for (unsigned i = 0; i < 8; ++i) {
          bytes += static_cast<char>(value >> (8 * i));
        }
        result.emplace(key >> 3U, bytes);
        continue;
      }
      case 1:
        size = 8;
        break;
      case 2:
        size = varint();
        break;
      case 5:
        size = 4;
        break;
      default:
        FAIL("a field of an unknown kind");
    }
    REQUIRE(size <= message.size() - at);
    result.emplace(key >> 3U, message.substr(at, size));
    at += size;
  }
  return result;
}

/// The only field of a number; "" if there is none.
inline std::string only(const std::string& message, unsigned number) {
  const auto all = fields(message);
  REQUIRE(all.count(number) <= 1);
  const auto found = all.find(number);
  return found == all.end() ? "" : found->second;
}

inline std::vector<double> reals(const std::string& packed) {
  std::vector<double> result;
  for (std::size_t at = 0; at < packed.size(); at += 8) {
    result.push_back(real(packed.substr(at, 8)));
  }
  return result;
}

struct Event {
  double wall_time = 0;
  std::int64_t step = 0;
  std::string version;
  std::string tag;
  std::string plugin;
  std::string text;
  std::optional<float> scalar;
  std::string histogram;  ///< as bytes
  std::string image;      ///< as bytes
};

inline Event event_of(const std::string& bytes) {
  Event event;
  event.wall_time = real(only(bytes, 1));
  event.step = static_cast<std::int64_t>(whole(only(bytes, 2)));
  event.version = only(bytes, 3);
  const std::string value = only(only(bytes, 5), 1);
  event.tag = only(value, 1);
  const std::string scalar = only(value, 2);
  if (!scalar.empty()) {
    event.scalar = std::bit_cast<float>(static_cast<std::uint32_t>(whole(scalar)));
  }
  event.image = only(value, 4);
  event.histogram = only(value, 5);
  const std::string tensor = only(value, 8);
  if (!tensor.empty()) {
    CHECK(whole(only(tensor, 1)) == 7);  // DT_STRING
    event.text = only(tensor, 8);
  }
  event.plugin = only(only(only(value, 9), 1), 1);
  return event;
}

/// All events of a file; every checksum is compared.
inline std::vector<Event> read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream stream;
  stream << file.rdbuf();
  const std::string content = stream.str();
  std::vector<Event> events;
  for (std::size_t at = 0; at < content.size();) {
    REQUIRE(content.size() - at >= 16);
    const std::string length = content.substr(at, 8);
    CHECK(whole(content.substr(at + 8, 4)) == masked(length));
    const std::size_t size = whole(length);
    REQUIRE(content.size() - at >= size + 16);
    const std::string bytes = content.substr(at + 12, size);
    CHECK(whole(content.substr(at + 12 + size, 4)) == masked(bytes));
    events.push_back(event_of(bytes));
    at += size + 16;
  }
  return events;
}

/// The scalars of a tag: step and value.
inline std::vector<std::pair<std::int64_t, float>> scalars(const std::vector<Event>& events, const std::string& tag) {
  std::vector<std::pair<std::int64_t, float>> result;
  for (const Event& event : events) {
    if (event.tag == tag && event.scalar) {
      result.emplace_back(event.step, *event.scalar);
    }
  }
  return result;
}

}  // namespace event_file
