#pragma once
// gzip, without the part of zlib that PackedFile uses (gzread).

#include <zlib.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fuzz {

inline bool is_packed(std::string_view file) {
  return file.size() >= 2 && file[0] == '\x1f' && file[1] == '\x8b';
}

/// Appends what one packed member holds, and gives the number of packed bytes; none where it is damaged or cut short.
inline std::optional<std::size_t> unpack_member(std::string_view packed, std::string& content) {
  z_stream stream{};
  inflateInit2(&stream, 16 + MAX_WBITS);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  int code = Z_OK;
  char buffer[1 << 14];
  while (code == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer);
    stream.avail_out = sizeof buffer;
    code = inflate(&stream, Z_NO_FLUSH);
    content.append(buffer, sizeof buffer - stream.avail_out);
  }
  const std::size_t used = packed.size() - stream.avail_in;
  inflateEnd(&stream);
  if (code != Z_STREAM_END) {
    return std::nullopt;
  }
  return used;
}

/// What gunzip would make of a packed file; none where it is damaged or cut short.
inline std::optional<std::string> unpack(std::string_view packed) {
  std::string content;
  while (is_packed(packed)) {
    const auto used = unpack_member(packed, content);
    if (!used) {
      return std::nullopt;
    }
    packed.remove_prefix(*used);
  }
  return content;
}

/// The content of a file, packed or not; none where it is damaged.
inline std::optional<std::string> content_of(std::string_view file) {
  return is_packed(file) ? unpack(file) : std::string(file);
}

/// Packs, at zlib's levels: 0 only wraps.
inline std::string pack(std::string_view content, int level) {
  z_stream stream{};
  deflateInit2(&stream, level, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace fuzz
