#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <bit>
#include <cstddef>
#include <string>
#include <string_view>

#include "regimen/base/error.hpp"
#include "regimen/base/file.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

namespace detail {

/// NumPy's name of a type of numbers, without the order of bytes; "" if NumPy has none.
inline std::string npy_type(at::ScalarType type) {
  switch (type) {
    case at::kBool:
      return "b1";
    case at::kByte:
      return "u1";
    case at::kChar:
      return "i1";
    case at::kShort:
      return "i2";
    case at::kInt:
      return "i4";
    case at::kLong:
      return "i8";
    case at::kHalf:
      return "f2";
    case at::kFloat:
      return "f4";
    case at::kDouble:
      return "f8";
    default:
      return "";
  }
}

/// The tensor as the bytes of a .npy file.
inline std::string npy_of(const at::Tensor& tensor) {
  const std::string type = tensor.defined() ? npy_type(tensor.scalar_type()) : "";
  if (type.empty()) {
    throw Error("write_npy takes numbers of a type that NumPy has, not " + described(tensor) +
                " (tensor.to(at::kFloat) has one)");
  }
  const at::Tensor on_host = tensor.detach().cpu().contiguous();
  std::string shape;
  for (const std::int64_t size : on_host.sizes()) {
    shape += text(size) + ",";  // Python's tuples: "(3,)", "(2,3,)", "()"
  }
  const char order = type.back() == '1' ? '|' : std::endian::native == std::endian::little ? '<' : '>';
  std::string header = "{'descr': '" + (order + type) + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  constexpr std::size_t before = 10;  // bytes in front of the header; the numbers begin at a multiple of 64
  header.append(63 - (before + header.size()) % 64, ' ');
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(static_cast<unsigned char>(header.size() & 0xFFU));
  bytes += static_cast<char>(static_cast<unsigned char>(header.size() >> 8U));
  bytes += header;
  return bytes.append(static_cast<const char*>(on_host.data_ptr()), on_host.nbytes());
}

}  // namespace detail

/// Writes a tensor of any shape as a file of NumPy's: numpy.load(path) has the same type, shape and bits. Takes bool,
/// bytes, int8 to int64, half, float and double. The file is replaced as a whole, and its folder is made. Throws Error
/// for other types (bfloat16, complex), and if the file cannot be written.
///     regimen::write_npy("results/area_under_margin.npy", area.values());
inline void write_npy(const std::string& path, const at::Tensor& tensor) {
  detail::replace_file(path, detail::npy_of(tensor));
}

}  // namespace regimen::inline v0
