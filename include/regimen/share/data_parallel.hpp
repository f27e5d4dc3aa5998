#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/share/concept.hpp"
#include "regimen/share/detail/message_head.hpp"

namespace regimen::inline v0 {

/// How a run is shared by processes: data parallel, each with the whole network and a part of every batch.
///
/// Each batch is cut, before augmentation, into `shards` virtual shards of batch / shards rows, some with one more;
/// process r computes shards [r shards/size, (r + 1) shards/size). Gradients are weighted by counts and added in one
/// binary tree over the shards, so that weights and records have the same bits for 1, 2, 4 or 8 processes. (An idea of
/// EasyScale, SC 2023.) A BatchNorm layer normalizes over a virtual shard; its running statistics are the mean over the
/// shards.
class DataParallel {
 public:
  DataParallel() = default;  ///< not shared

  /// shards: a power of two; size() must be one too, and at most as large. Throws Error otherwise.
  template <ProcessGroup G>
  DataParallel(G group, int shards = 8) : shards_(shards) {  // NOLINT: a group is enough
    group_ = std::make_shared<Of<G>>(std::move(group));
    const auto power = [](int n) { return n >= 1 && (n & (n - 1)) == 0; };
    detail::require(power(shards), "DataParallel.shards", "a power of two", shards);
    detail::require(power(size()) && size() <= shards, "DataParallel: the number of processes",
                    "a power of two of at most " + detail::text(shards) +
                        ", the number of virtual shards, for the sums to be the same whatever it is",
                    size());
    detail::require(rank() >= 0 && rank() < size(), "DataParallel: the rank of this process",
                    "in [0, " + detail::text(size()) + ")", rank());
  }

  /// Whether the run is cut into virtual shards; true for a group of one process too.
  [[nodiscard]] explicit operator bool() const { return group_ != nullptr; }

  /// Whether the other is a copy of this one.
  [[nodiscard]] bool same_as(const DataParallel& other) const { return group_ == other.group_; }

  [[nodiscard]] int rank() const { return group_ ? group_->rank() : 0; }
  [[nodiscard]] int size() const { return group_ ? group_->size() : 1; }

  /// The number of virtual shards of a batch, 0 if not shared; the first one of this process; how many it computes.
  [[nodiscard]] int shards() const { return group_ ? shards_ : 0; }
  [[nodiscard]] int first_shard() const { return rank() * own_shards(); }
  [[nodiscard]] int own_shards() const { return shards() / size(); }

  /// A layer whose forward pass talks to the other processes says so: then each of them gets rows of every batch.
  void need_rows_everywhere() const {
    if (group_) {
      group_->needs_rows = true;
    }
  }
  [[nodiscard]] bool needs_rows_everywhere() const { return group_ && group_->needs_rows; }

  /// The tensors of all processes, [size, ...], by rank. `what` is the message in words, the same on all of them:
  /// throws Error, on every process, if another one sends something else, for which a group might wait for ever.
  [[nodiscard]] at::Tensor all_gather(const at::Tensor& mine, const char* what) const {
    std::vector<std::int64_t> sizes = mine.sizes().vec();
    sizes.insert(sizes.begin(), size());
    at::Tensor all = at::empty(sizes, mine.options());
    if (size() == 1) {
      all.select(0, 0).copy_(mine);
      return all;
    }
    const at::Tensor sent = mine.contiguous();
    const at::Tensor bytes = sent.view({-1}).view(at::kByte);
    const bool is_short = bytes.numel() <= detail::MessageHead::room;
    const at::Tensor heads = gather_heads(what, bytes);
    if (is_short) {
      const at::Tensor parts = heads.narrow(1, detail::MessageHead::size, bytes.numel()).contiguous();
      all.view({-1}).view(at::kByte).copy_(parts.view({-1}));
    } else {
      group_->all_gather(all, sent);
    }
    return all;
  }

  /// The rows that the processes have for this one: in [size, n] has a row for each process. The result is [size, n].
  [[nodiscard]] at::Tensor exchange(const at::Tensor& in, const char* what) const {
    const at::Tensor sent = in.contiguous();
    (void)gather_heads(what, sent.view({-1}).view(at::kByte));
    at::Tensor out = at::empty(in.sizes(), in.options());
    group_->exchange(out, sent);
    return out;
  }

  /// Tells the other processes why this one ends.
  void fail(const std::string& message) const noexcept {
    if (group_) {
      try {
        group_->fail(message);
      } catch (...) {  // NOLINT: they are gone, or will notice that this one is
      }
    }
  }

 private:
  struct Any {
    Any() = default;
    Any(const Any&) = delete;
    Any& operator=(const Any&) = delete;
    virtual ~Any() = default;
    virtual int rank() = 0;
    virtual int size() = 0;
    virtual void all_gather(at::Tensor& all, const at::Tensor& mine) = 0;
    virtual void exchange(at::Tensor& out, const at::Tensor& in) = 0;
    virtual void fail(const std::string& message) = 0;
    bool needs_rows = false;
  };

  /// The heads of the messages of all processes, each followed by the message itself if it is short; they are alike.
  [[nodiscard]] at::Tensor gather_heads(const char* what, const at::Tensor& bytes) const {
    const at::Tensor mine = detail::MessageHead::before(what, bytes);
    at::Tensor all = at::empty({size(), mine.numel()}, mine.options());
    group_->all_gather(all, mine);
    detail::MessageHead::require_alike(all);
    return all;
  }

  template <class G>
  struct Of final : Any {
    explicit Of(G of) : group(std::move(of)) {}
    int rank() override { return group.rank(); }
    int size() override { return group.size(); }
    void all_gather(at::Tensor& all, const at::Tensor& mine) override { group.all_gather(all, mine); }
    void exchange(at::Tensor& out, const at::Tensor& in) override {
      if constexpr (requires { group.exchange(out, in); }) {
        group.exchange(out, in);
      } else {
        std::vector<std::int64_t> sizes = in.sizes().vec();
        sizes.insert(sizes.begin(), size());
        at::Tensor all = at::empty(sizes, in.options());
        group.all_gather(all, in);
        out.copy_(all.select(1, rank()));
      }
    }
    void fail(const std::string& message) override {
      if constexpr (requires { group.fail(message); }) {
        group.fail(message);
      }
    }
    G group;
  };

  std::shared_ptr<Any> group_;
  int shards_ = 8;
};

}  // namespace regimen::inline v0
