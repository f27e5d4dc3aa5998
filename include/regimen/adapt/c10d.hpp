#pragma once

#include <ATen/core/Tensor.h>

#include <exception>
#include <memory>
#include <string>

#include "regimen/adapt/connection.hpp"
#include "regimen/adapt/detail/with_c10d.hpp"
#include "regimen/base/error.hpp"
#include "regimen/share/launch.hpp"

#if REGIMEN_WITH_C10D
#include "regimen/adapt/detail/c10d_talk.hpp"
#endif

namespace regimen::inline v0 {

#if REGIMEN_WITH_C10D
namespace detail {
using Talk = C10dTalk;
}  // namespace detail
#else
namespace detail {

/// Stands in for the connection where LibTorch has none.
class Talk {
 public:
  Talk(const Launch& launch, const Connection& /*how*/) {
    throw Error(
        "connect: " + launch.launcher + " has started " + text(launch.size) +
        " processes, but this program was compiled without c10d: link with the CMake target of a LibTorch that has "
        "it, which defines USE_DISTRIBUTED");
  }
  [[nodiscard]] Launch launch() const { return {}; }
  [[nodiscard]] std::string backend() const { return ""; }
  void all_gather(at::Tensor& /*all*/, const at::Tensor& /*mine*/) {}
  void exchange(at::Tensor& /*out*/, const at::Tensor& /*in*/) {}
  void fail(const std::string& /*message*/) {}
};

}  // namespace detail
#endif

/// A group of processes that talk over LibTorch's c10d, a `ProcessGroup` (share/concept.hpp); `connect` makes it.
/// Copies are the same group. Should a process be killed, the next call of each other one throws Error.
class C10dGroup {
 public:
  /// A process of its own.
  C10dGroup() = default;

  [[nodiscard]] int rank() const { return talk_ ? talk_->launch().rank : 0; }
  [[nodiscard]] int size() const { return talk_ ? talk_->launch().size : 1; }

  /// How the processes talk: "gloo", "nccl" or "store" (see Connection); empty for one process.
  [[nodiscard]] std::string backend() const { return talk_ ? talk_->backend() : ""; }

  void all_gather(at::Tensor& all, const at::Tensor& mine) {
    if (talk_) {
      talk_->all_gather(all, mine);
    } else {
      all.select(0, 0).copy_(mine);
    }
  }

  void exchange(at::Tensor& out, const at::Tensor& in) {
    if (talk_) {
      talk_->exchange(out, in);
    } else {
      out.copy_(in);
    }
  }

  /// Tells the others, and torchrun, why this process ends. The group is of no use after it.
  void fail(const std::string& message) {
    if (talk_) {
      talk_->fail(message);
    }
  }

 private:
  friend C10dGroup connect(const Launch& launch, const Connection& how);

  std::shared_ptr<detail::Talk> talk_;
};

/// Connects this process with the others of its launch (see `read_launch`); all of them must call it. Without a
/// launcher the result is a group of one, so that a program needs no other way for that. Throws Error, with the cure,
/// if the processes do not find each other in time, or this program was compiled without c10d or the backend.
///     auto group = regimen::connect();                           // under torchrun, srun, or with MASTER_ADDR
///     auto group = regimen::connect(regimen::read_launch(), {.file = "results/meeting"});         // under mpirun too
///     regimen::run(net, phases, scoring, {.share = group});
inline C10dGroup connect(const Launch& launch = read_launch(), const Connection& how = {}) {
  how.check();
  C10dGroup group;
  if (launch.size == 1) {
    return group;
  }
  const std::string where = launch.address.empty() ? how.file : launch.address + ":" + detail::text(launch.port);
  try {
    group.talk_ = std::make_shared<detail::Talk>(launch, how);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& failure) {
    const std::string said = failure.what();
    throw Error("connect: process " + detail::text(launch.rank) + " of " + detail::text(launch.size) + " at " + where +
                ": " + said.substr(0, said.find('\n')));
  }
  return group;
}

}  // namespace regimen::inline v0
