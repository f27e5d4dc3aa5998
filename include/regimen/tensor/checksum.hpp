#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "regimen/base/config.hpp"
#include "regimen/base/json.hpp"
#include "regimen/tensor/crc32.hpp"
#include "regimen/tensor/described.hpp"
#include "regimen/tensor/named.hpp"

namespace regimen::inline v0::detail {

/// CRC-32 of the numbers of all tensors, one after another in row-major order, as eight hexadecimal digits. In Python:
/// format(zlib.crc32(b"".join(t.numpy().tobytes() for t in tensors)), "08x").
inline std::string crc32_of(const std::vector<at::Tensor>& tensors) {
  std::uint32_t sum = 0;
  for (const at::Tensor& tensor : tensors) {
    const at::Tensor on_host = tensor.detach().cpu().contiguous();
    sum = crc32_after(sum, on_host.data_ptr(), on_host.nbytes());
  }
  return crc32_digits(sum);
}

/// CRC-32 of one tensor; "" for an undefined one.
inline std::string crc32_of(const at::Tensor& tensor) {
  return tensor.defined() ? crc32_of(std::vector<at::Tensor>{tensor}) : "";
}

/// Shape, type and checksum of a tensor as JSON. The checksum alone does not tell apart zeros of two shapes.
inline std::string manifest_of_tensor(const at::Tensor& tensor) {
  return json::Object()
      .add("kind", json::quoted(described(tensor)))
      .add("crc32", json::quoted(crc32_of(tensor)))
      .text();
}

/// CRC-32 of the names, shapes and types of tensors: "weight [3, 4] float; ...".
inline std::string crc32_of_kinds(const std::vector<Named>& tensors) {
  std::string kinds;
  for (const Named& named : tensors) {
    kinds += named.name + " " + described(named.tensor) + "; ";
  }
  return crc32_of_text(kinds);
}

}  // namespace regimen::inline v0::detail
