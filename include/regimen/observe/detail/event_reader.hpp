#pragma once
// No LibTorch.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "regimen/base/error.hpp"
#include "regimen/observe/detail/event_records.hpp"
#include "regimen/observe/detail/protobuf.hpp"

/// The way back for the event files that this library writes: which record is of which tag and step.
namespace regimen::inline v0::detail::events {

inline std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) {
    value = (value << 8U) | static_cast<std::uint8_t>(bytes[i - 1]);
  }
  return value;
}

/// Walks over the fields of a message; bytes that end too early, or a number of too many bytes, end the walk.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}

  /// Goes to the next field. False if there is none.
  bool next() {
    const std::uint64_t key = varint();
    field_ = key >> 3U;
    const auto wire = static_cast<protobuf::Wire>(key & 7U);
    if (rest_.empty()) {
      return false;
    }
    number_ = wire == protobuf::Wire::varint || wire == protobuf::Wire::length ? varint() : 0;
    const std::uint64_t size = wire == protobuf::Wire::length        ? number_
                               : wire == protobuf::Wire::eight_bytes ? 8
                               : wire == protobuf::Wire::four_bytes  ? 4
                                                                     : 0;
    text_ = rest_.substr(0, size);
    rest_.remove_prefix(text_.size());
    return true;
  }

  [[nodiscard]] std::uint64_t field() const { return field_; }
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<std::uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if (byte < 0x80U) {
        break;
      }
    }
    return value;
  }

  std::string_view rest_;
  std::uint64_t field_ = 0;
  std::uint64_t number_ = 0;
  std::string_view text_;
};

/// The text or message in a field; empty if there is none.
inline std::string_view field_of(std::string_view message, std::uint64_t field) {
  for (Fields fields(message); fields.next();) {
    if (fields.field() == field) {
      return fields.text();
    }
  }
  return {};
}

/// What a record says: an event's step, and the tag of its first value.
struct Event {
  std::int64_t step = 0;
  std::string tag{};
};

inline Event event_of(std::string_view bytes) {
  Event event;
  for (Fields fields(bytes); fields.next();) {
    if (fields.field() == 2) {
      event.step = static_cast<std::int64_t>(fields.number());
    } else if (fields.field() == 5) {
      event.tag = std::string(field_of(field_of(fields.text(), 1), 1));
    }
  }
  return event;
}

/// Calls see(record, event) for each whole record of a file's content. A record that is cut off at the end is passed
/// over: the program that wrote it was killed. Throws Error for one that is damaged.
template <class See>
void for_each_event(std::string_view content, const std::string& path, const See& see) {
  constexpr std::size_t head = 12;  // length and its checksum
  for (std::size_t at = 0; content.size() - at >= head;) {
    const std::string_view length = content.substr(at, 8);
    if (little_endian(content.substr(at + 8, 4)) != masked_crc32c(length)) {
      throw Error(path + ": byte " + text(at) + " begins no record of an event file");
    }
    const std::uint64_t size = little_endian(length);
    if (size > content.size() - at - head || content.size() - at - head - size < 4) {
      return;
    }
    const std::string_view bytes = content.substr(at + head, size);
    if (little_endian(content.substr(at + head + size, 4)) != masked_crc32c(bytes)) {
      throw Error(path + ": the record at byte " + text(at) + " is damaged");
    }
    see(content.substr(at, head + size + 4), event_of(bytes));
    at += head + size + 4;
  }
}

}  // namespace regimen::inline v0::detail::events
