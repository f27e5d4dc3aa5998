#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "regimen/base/error.hpp"

namespace regimen::inline v0::detail {

/// What goes before each message between processes: what it is, in words, and its length. All heads are of one size, so
/// that processes which send different messages learn of it, instead of waiting, or ending in the middle of Gloo, which
/// ends a program that gets another size than it sent. A short message travels with its head.
struct MessageHead {
  static constexpr std::int64_t words = 88;  ///< bytes for what it is
  static constexpr std::int64_t size = words + 8;
  static constexpr std::int64_t room = 4000;  ///< bytes of a message that travels with its head

  /// The head of a message, and the message if it is short: [size + room] bytes, on the message's device.
  static at::Tensor before(const char* what, const at::Tensor& bytes) {
    at::Tensor head = at::zeros({size + room}, at::kByte);
    char* const begin = reinterpret_cast<char*>(head.data_ptr<std::uint8_t>());
    std::strncpy(begin, what, words - 1);
    const std::int64_t length = bytes.numel();
    std::memcpy(begin + words, &length, sizeof length);
    if (bytes.is_cpu() && length <= room) {
      std::memcpy(begin + size, bytes.data_ptr<std::uint8_t>(), static_cast<std::size_t>(length));
    } else {
      head = head.to(bytes.device());
      if (length <= room) {
        head.narrow(0, size, length).copy_(bytes);
      }
    }
    return head;
  }

  /// Throws Error unless the heads of all processes, [processes, size + room], are alike.
  static void require_alike(const at::Tensor& heads) {
    const at::Tensor known = heads.narrow(1, 0, size).cpu().contiguous();
    const char* const first = reinterpret_cast<const char*>(known.data_ptr<std::uint8_t>());
    for (std::int64_t rank = 1; rank < known.size(0); ++rank) {
      const char* const other = first + rank * size;
      if (std::memcmp(first, other, static_cast<std::size_t>(size)) != 0) {
        throw Error("the processes that share a run do not do the same: process 0 is at " + described_head(first) +
                    ", process " + text(rank) + " at " + described_head(other) +
                    "; each of them must make the same calls in the same order");
      }
    }
  }

 private:
  static std::string described_head(const char* head) {
    std::int64_t length = 0;
    std::memcpy(&length, head + words, sizeof length);
    return std::string(head) + " (" + text(length) + " bytes)";
  }
};

}  // namespace regimen::inline v0::detail
