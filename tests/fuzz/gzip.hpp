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

/// Appends what one packed member holds, and gives the number of packed bytes; none where it is damaged, cut short, or
/// takes the content to `most` bytes.
inline std::optional<std::size_t> unpack_member(std::string_view packed, std::string& content, std::size_t most) {
  z_stream stream{};
  inflateInit2(&stream, 16 + MAX_WBITS);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  int code = Z_OK;
  char buffer[1 << 14];
  while (code == Z_OK && content.size() < most) {
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

/// What a file, packed or not, holds; `whole` unless its packed data are damaged or cut short.
struct Content {
  std::string bytes;
  bool whole = true;
};

/// As gunzip has it: what follows the packed members is ignored. Gives up at `most` bytes.
inline Content content_of(std::string_view file, std::size_t most = std::string::npos) {
  if (!is_packed(file)) {
    return {.bytes = std::string(file)};
  }
  Content content;
  while (content.whole && is_packed(file)) {
    const auto used = unpack_member(file, content.bytes, most);
    content.whole = used.has_value();
    file.remove_prefix(used.value_or(0));
  }
  return content;
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
