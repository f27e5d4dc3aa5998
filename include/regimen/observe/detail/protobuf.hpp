#pragma once
// No LibTorch.

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "regimen/base/config.hpp"

/// Messages in the wire format of Protocol Buffers, written by hand: the library protobuf would be a dependency of
/// every program.
namespace regimen::inline v0::detail::protobuf {

inline void add_little_endian(std::string& bytes, std::uint64_t value, unsigned size) {
  for (unsigned i = 0; i < size; ++i) {
    bytes += static_cast<char>(static_cast<std::uint8_t>(value >> (8 * i)));
  }
}

/// A whole number of seven bits a byte, the lowest first.
inline void add_varint(std::string& bytes, std::uint64_t value) {
  for (; value >= 0x80U; value >>= 7U) {
    bytes += static_cast<char>(static_cast<std::uint8_t>(value | 0x80U));
  }
  bytes += static_cast<char>(static_cast<std::uint8_t>(value));
}

/// How a field lies in the bytes; its number is part of the format.
enum class Wire : std::uint8_t { varint = 0, eight_bytes = 1, length = 2, four_bytes = 5 };

/// A message, built field by field: Message().number(2, step).text(1, tag).bytes()
class Message {
 public:
  Message& number(unsigned field, std::uint64_t value) {
    begin(field, Wire::varint);
    add_varint(bytes_, value);
    return *this;
  }
  Message& real(unsigned field, double value) {
    begin(field, Wire::eight_bytes);
    add_little_endian(bytes_, std::bit_cast<std::uint64_t>(value), 8);
    return *this;
  }
  Message& real32(unsigned field, float value) {
    begin(field, Wire::four_bytes);
    add_little_endian(bytes_, std::bit_cast<std::uint32_t>(value), 4);
    return *this;
  }
  /// A text, any bytes, or a message within this one.
  Message& text(unsigned field, std::string_view value) {
    begin(field, Wire::length);
    add_varint(bytes_, value.size());
    bytes_ += value;
    return *this;
  }
  Message& message(unsigned field, const Message& value) { return text(field, value.bytes_); }

  /// Several doubles as one "packed" field.
  Message& reals(unsigned field, const std::vector<double>& values) {
    std::string packed;
    for (const double value : values) {
      add_little_endian(packed, std::bit_cast<std::uint64_t>(value), 8);
    }
    return text(field, packed);
  }

  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  void begin(unsigned field, Wire wire) { add_varint(bytes_, (field << 3U) | static_cast<unsigned>(wire)); }

  std::string bytes_;
};

}  // namespace regimen::inline v0::detail::protobuf
