#pragma once

#include <ATen/core/Tensor.h>
#include <zlib.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "regimen/base/config.hpp"
#include "regimen/base/json.hpp"
#include "regimen/tensor/described.hpp"
#include "regimen/tensor/named.hpp"

namespace regimen::inline v0::detail {

/// The CRC-32 of all tensors' numbers, one tensor after the other, row by row, in eight hexadecimal digits, as Python
/// has it: format(zlib.crc32(b"".join(t.numpy().tobytes() for t in tensors)), "08x").
inline std::string crc32_of(const std::vector<at::Tensor>& tensors) {
  uLong sum = 0;
  for (const at::Tensor& tensor : tensors) {
    const at::Tensor on_host = tensor.detach().cpu().contiguous();
    // A tensor without numbers has no address, and zlib takes none for "begin anew".
    if (on_host.numel() > 0) {
      sum = ::crc32_z(sum, static_cast<const Bytef*>(on_host.data_ptr()), on_host.nbytes());
    }
  }
  char digits[16];
  std::snprintf(digits, sizeof digits, "%08lx", sum);
  return digits;
}

/// Of one tensor; "" for an undefined one.
inline std::string crc32_of(const at::Tensor& tensor) {
  return tensor.defined() ? crc32_of(std::vector<at::Tensor>{tensor}) : "";
}

inline std::string crc32_of_text(std::string_view bytes) {
  char digits[16];
  std::snprintf(digits, sizeof digits, "%08lx",
                ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
  return digits;
}

/// Shape, type and checksum: zeros of one shape have the bytes of those of another one.
inline std::string manifest_of_tensor(const at::Tensor& tensor) {
  return json::Object()
      .add("kind", json::quoted(described(tensor)))
      .add("crc32", json::quoted(crc32_of(tensor)))
      .text();
}

/// The CRC-32 of what tensors are beside their numbers, names, shapes and types: "weight [3, 4] float; ...".
inline std::string crc32_of_kinds(const std::vector<Named>& tensors) {
  std::string kinds;
  for (const Named& named : tensors) {
    kinds += named.name + " " + described(named.tensor) + "; ";
  }
  return crc32_of_text(kinds);
}

}  // namespace regimen::inline v0::detail
