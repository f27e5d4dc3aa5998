#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "regimen/base/crc32c.hpp"
#include "regimen/base/error.hpp"
#include "regimen/base/image_bytes.hpp"
#include "regimen/base/utf8.hpp"
#include "regimen/observe/detail/buckets.hpp"
#include "regimen/observe/detail/protobuf.hpp"

/// The records of an event file, which TensorBoard reads. The numbers of the fields are those of TensorFlow's
/// event.proto, summary.proto and tensor.proto, and of TensorBoard's layout.proto.
namespace regimen::inline v0::detail::events {

using protobuf::Message;

/// The checksum of a part of a record, masked as TensorFlow does: a checksum of bytes that contain a checksum of their
/// own would be weak.
inline std::uint32_t masked_crc32c(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return ((crc >> 15U) | (crc << 17U)) + 0xA282EAD8U;
}

/// One record of a TFRecord file: the number of bytes, the checksum of that number, the bytes, their checksum.
inline std::string record(std::string_view bytes) {
  std::string result;
  protobuf::add_little_endian(result, bytes.size(), 8);
  protobuf::add_little_endian(result, masked_crc32c(result), 4);
  result += bytes;
  protobuf::add_little_endian(result, masked_crc32c(bytes), 4);
  return result;
}

/// The record that an event file begins with. Without it TensorBoard takes the file for one of the first version, and
/// drops what lies behind a step that goes back, of all tags.
inline std::string version(double wall_time) {
  return record(Message().real(1, wall_time).text(3, "brain.Event:2").bytes());
}

/// A record with a value. wall_time: seconds since 1970.
inline std::string event(double wall_time, std::int64_t step, const Message& value) {
  return record(Message()
                    .real(1, wall_time)
                    .number(2, static_cast<std::uint64_t>(step))
                    .message(5, Message().message(1, value))
                    .bytes());
}

/// The nearest float. Finite numbers stay finite: TensorBoard draws infinite ones as such.
inline float as_float(double value) {
  constexpr double most = std::numeric_limits<float>::max();
  return static_cast<float>(std::isfinite(value) ? std::clamp(value, -most, most) : value);
}

inline Message scalar(const std::string& tag, double value) {
  return Message().text(1, tag).real32(2, as_float(value));
}

inline Message histogram(const std::string& tag, const Buckets& buckets) {
  return Message().text(1, tag).message(5, Message()
                                               .real(1, buckets.min)
                                               .real(2, buckets.max)
                                               .real(3, static_cast<double>(buckets.finite))
                                               .real(4, buckets.sum)
                                               .real(5, buckets.sum_of_squares)
                                               .reals(6, buckets.limits)
                                               .reals(7, buckets.counts));
}

inline Message image(const std::string& tag, const ImageBytes& image) {
  return Message().text(1, tag).message(
      4, Message().number(1, image.height).number(2, image.width).number(3, image.channels).text(4, png_of(image)));
}

/// A text for one of TensorBoard's plugins: a tensor without dimensions.
inline Message text_for(const std::string& plugin, const std::string& tag, std::string_view text) {
  constexpr std::uint64_t string_type = 7;
  return Message()
      .text(1, tag)
      .message(8, Message().number(1, string_type).text(2, "").text(8, text))
      .message(9, Message().message(1, Message().text(1, plugin)));
}

/// Throws Error unless TensorBoard can read the text: at one that is not UTF-8 it
/// stops, with TensorBoard 2.21 also in the files of other runs (--load_fast=false).
inline void require_utf8(const std::string& where, const std::string& text) {
  if (!is_utf8(text)) {
    throw Error(where + " must be UTF-8, or TensorBoard stops reading there, but is \"" + text + "\"");
  }
}

/// Throws Error unless the path is that of a file that TensorBoard finds in its folder.
inline void check_path(const std::string& who, const std::string& path) {
  if (path.substr(path.find_last_of('/') + 1).find("tfevents") == std::string::npos) {
    throw Error(who +
                ".path must have \"tfevents\" in the name of its file (\"results/board/run.tfevents\"), or "
                "TensorBoard does not look into it, but is \"" +
                path + "\"");
  }
}

}  // namespace regimen::inline v0::detail::events
