#pragma once
// Only where LibTorch has Gloo: adapt/c10d.hpp looks.

#include <ATen/core/Tensor.h>
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#if REGIMEN_WITH_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "regimen/adapt/connection.hpp"
#include "regimen/adapt/detail/meet.hpp"
#include "regimen/adapt/detail/own_address.hpp"
#include "regimen/base/error.hpp"
#include "regimen/base/file.hpp"
#include "regimen/base/json.hpp"
#include "regimen/share/launch.hpp"

namespace regimen::inline v0::detail {

inline std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(1000 * seconds));
}

/// The connection of a process with the others of its group.
class C10dTalk {
 public:
  /// Meets the others. Throws Error if that takes too long.
  C10dTalk(const Launch& launch, const Connection& how) : launch_(launch), on_gpu_(how.backend == "nccl") {
    const auto store = open_store(how);
    const std::string common = meet(*store, launch.rank, launch.size, milliseconds(how.meet_seconds));
    store_ = c10::make_intrusive<c10d::PrefixStore>(common, store);
    const std::chrono::milliseconds timeout = milliseconds(how.seconds);
    if (on_gpu_) {
#if REGIMEN_WITH_NCCL
      auto options = c10d::ProcessGroupNCCL::Options::create();
      options->timeout = timeout;
      talk_over(c10::make_intrusive<c10d::ProcessGroupNCCL>(store_, launch.rank, launch.size, options));
#else
      throw Error("Connection.backend must be \"gloo\", for this program was compiled without nccl.h, but is \"nccl\"");
#endif
    } else {
      auto options = c10d::ProcessGroupGloo::Options::create();
      options->timeout = timeout;
      options->devices.push_back(device());
      talk_over(c10::make_intrusive<c10d::ProcessGroupGloo>(store_, launch.rank, launch.size, options));
    }
  }

  [[nodiscard]] const Launch& launch() const { return launch_; }

  void all_gather(at::Tensor& all, const at::Tensor& mine) {
    std::vector<at::Tensor> in{bytes_of(mine)};
    const at::Tensor received = bytes_of(all);
    std::vector<std::vector<at::Tensor>> out(1);
    for (std::int64_t i = 0; i < launch_.size; ++i) {
      out[0].push_back(received.narrow(0, i * in[0].numel(), in[0].numel()));
    }
    wait([&] { return all_gather_(out, in); });
    put_back(received, all);
  }

  void exchange(at::Tensor& out, const at::Tensor& in) {
    at::Tensor sent = bytes_of(in);
    at::Tensor received = bytes_of(out);
    wait([&] { return exchange_(received, sent); });
    put_back(received, out);
  }

  /// Leaves the message for the others, and closes the connections, by which they notice.
  void fail(const std::string& message) {
    if (!all_gather_) {
      return;
    }
    if (look_up(*store_, "failed").empty()) {
      put(*store_, "failed", "process " + text(launch_.rank) + " of " + text(launch_.size) + ": " + message);
      tell_torchrun(message);
    }
    all_gather_ = nullptr;
    exchange_ = nullptr;
    std::int64_t ended = store_->add("ended", 1);
    if (launch_.rank == 0) {  // which may hold the store, where the others read the message
      for (int tries = 0; tries < 100 && ended < launch_.size; ++tries) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        ended = store_->add("ended", 0);
      }
    }
  }

 private:
  using Work = c10::intrusive_ptr<c10d::Work>;

  /// The store where the processes meet.
  [[nodiscard]] c10::intrusive_ptr<c10d::Store> open_store(const Connection& how) const {
    if (!launch_.address.empty() && launch_.port > 0) {
      c10d::TCPStoreOptions options;
      options.port = static_cast<std::uint16_t>(launch_.port);
      options.isServer = launch_.rank == 0 && !launch_.agent_store;
      options.waitWorkers = false;
      options.timeout = milliseconds(how.meet_seconds);
      return c10::make_intrusive<c10d::TCPStore>(launch_.address, options);
    }
    if (how.file.empty()) {
      throw Error("connect: " + launch_.launcher +
                  " does not say where the processes meet: set Connection.file to a file in a folder that all of them "
                  "see, or MASTER_ADDR and MASTER_PORT in the environment");
    }
    return c10::make_intrusive<c10d::FileStore>(how.file, -1);
  }

  /// The network interface that Gloo uses.
  [[nodiscard]] std::shared_ptr<::gloo::transport::Device> device() const {
    using Gloo = c10d::ProcessGroupGloo;
    if (const char* const name = std::getenv("GLOO_SOCKET_IFNAME")) {
      return Gloo::createDeviceForInterface(name);
    }
    return Gloo::createDeviceForHostname(own_address(launch_.address, launch_.one_host));
  }

  template <class Backend>
  void talk_over(const c10::intrusive_ptr<Backend>& backend) {
    all_gather_ = [backend](std::vector<std::vector<at::Tensor>>& out, std::vector<at::Tensor>& in) {
      return backend->allgather(out, in);
    };
    exchange_ = [backend](at::Tensor& out, at::Tensor& in) {
      std::vector<std::int64_t> equal_parts;
      return backend->alltoall_base(out, in, equal_parts, equal_parts);
    };
  }

  /// The memory of a contiguous tensor, which is sent whatever its type is. On the CPU for Gloo.
  [[nodiscard]] at::Tensor bytes_of(const at::Tensor& tensor) const {
    return (on_gpu_ ? tensor : tensor.cpu()).reshape({-1}).view(at::kByte);
  }

  /// Copies what was received to the GPU, if it was received on the CPU for it.
  void put_back(const at::Tensor& received, at::Tensor& out) const {
    if (!on_gpu_ && out.is_cuda()) {
      out.copy_(received.view(out.scalar_type()).view(out.sizes()));
    }
  }

  template <class Begin>
  void wait(const Begin& begin) {
    if (!all_gather_) {
      throw Error("the processes that share runs have parted, for one has failed: connect them again");
    }
    try {
      const Work work = begin();
      if (on_gpu_) {
        watch(*work);
      }
      work->wait();
    } catch (const Error&) {
      throw;
    } catch (const std::exception& failure) {
      const std::string said = failure.what();
      throw Error(said_by_others(said.substr(0, said.find('\n'))));  // the other lines are LibTorch's stack
    }
  }

  /// Waits on the host and looks whether another process has failed, for which a kernel of NCCL would wait for ever.
  void watch(c10d::Work& work) {
    using Clock = std::chrono::steady_clock;
    auto looked = Clock::now();
    while (!work.isCompleted()) {
      if (Clock::now() - looked > std::chrono::milliseconds(500)) {
        looked = Clock::now();
        const std::string said = look_up(*store_, "failed");
        if (!said.empty()) {
          throw Error(said);
        }
      }
      std::this_thread::yield();
    }
  }

  /// What the process that failed has said; else what LibTorch says.
  std::string said_by_others(const std::string& otherwise) {
    try {
      for (int tries = 0; tries < 20; ++tries) {
        const std::string said = look_up(*store_, "failed");
        if (!said.empty()) {
          return said;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      }
    } catch (const std::exception&) {  // NOLINT: the store went with process 0
    }
    return "a process that shares the run is gone: it was killed, or its host cannot be reached (" + otherwise + ")";
  }

  /// Writes the file from which torchrun takes the cause of a failure.
  static void tell_torchrun(const std::string& message) {
    const char* const path = std::getenv("TORCHELASTIC_ERROR_FILE");
    if (path == nullptr) {
      return;
    }
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now).count();
    json::Object extra;
    extra.add("py_callstack", json::quoted("")).add("timestamp", json::quoted(text(seconds)));
    json::Object content;
    content.add("message", json::quoted(message)).add("extraInfo", extra.text());
    replace_file(path, json::Object().add("message", content.text()).text());
  }

  Launch launch_;
  bool on_gpu_ = false;
  c10::intrusive_ptr<c10d::Store> store_;
  std::function<Work(std::vector<std::vector<at::Tensor>>&, std::vector<at::Tensor>&)> all_gather_;
  std::function<Work(at::Tensor&, at::Tensor&)> exchange_;
};

}  // namespace regimen::inline v0::detail
