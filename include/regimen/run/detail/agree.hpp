#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/share/data_parallel.hpp"

/// What the processes of a shared run must have in common: they would otherwise wait for each other for ever, or train
/// different networks.
namespace regimen::inline v0::detail {

/// The texts of all processes, by rank.
inline std::vector<std::string> gather_texts(const DataParallel& share, const std::string& mine,
                                             const at::Device& device) {
  const auto length = static_cast<std::int64_t>(mine.size());
  const at::Tensor lengths =
      share.all_gather(at::tensor({length}, at::kLong).to(device), "the begin of a run").cpu().view({-1});
  at::Tensor bytes = at::zeros({std::max<std::int64_t>(1, lengths.max().item<std::int64_t>())}, at::kByte);
  std::memcpy(bytes.data_ptr(), mine.data(), mine.size());
  const at::Tensor all = share.all_gather(bytes.to(device), "the begin of a run").cpu();
  std::vector<std::string> texts;
  for (std::int64_t rank = 0; rank < all.size(0); ++rank) {
    texts.emplace_back(static_cast<const char*>(all[rank].data_ptr()),
                       static_cast<std::size_t>(lengths[rank].item<std::int64_t>()));
  }
  return texts;
}

/// The part of a text around a place, in quotes.
inline std::string around(const std::string& text, std::size_t place) {
  const std::size_t begin = place > 40 ? place - 40 : 0;
  return "..." + text.substr(begin, place - begin + 40) + "...";
}

/// Throws Error, on every process, unless all of them give the same text.
inline void require_same(const DataParallel& share, const std::string& mine, const at::Device& device) {
  const std::vector<std::string> texts = gather_texts(share, mine, device);
  for (std::size_t rank = 1; rank < texts.size(); ++rank) {
    if (texts[rank] != texts[0]) {
      const auto [first, other] =
          std::mismatch(texts[0].begin(),
                        texts[0].begin() + static_cast<std::ptrdiff_t>(std::min(texts[0].size(), texts[rank].size())),
                        texts[rank].begin());
      const auto place = static_cast<std::size_t>(first - texts[0].begin());
      throw Error(
          "RunOptions.share: all processes must have the same regime, data, random seeds, initial weights, observers "
          "and "
          "number of threads, but "
          "process 0 has " +
          around(texts[0], place) + " where process " + text(rank) + " has " + around(texts[rank], place));
    }
  }
}

/// The numbers of all processes, [size][n]; numbers of at most 2^53.
inline std::vector<std::vector<double>> gather_numbers(const DataParallel& share, const std::vector<double>& mine,
                                                       const at::Device& device, const char* what) {
  const at::Tensor all = share.all_gather(at::tensor(mine, at::kDouble).to(device), what).cpu();
  std::vector<std::vector<double>> numbers;
  for (std::int64_t rank = 0; rank < all.size(0); ++rank) {
    const double* row = all[rank].data_ptr<double>();
    numbers.emplace_back(row, row + mine.size());
  }
  return numbers;
}

}  // namespace regimen::inline v0::detail
