#pragma once
// Only where LibTorch has c10d: adapt/c10d.hpp looks.

#include "regimen/adapt/detail/with_c10d.hpp"

#include <ATen/core/Tensor.h>
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <torch/csrc/distributed/c10d/Work.hpp>
#if REGIMEN_WITH_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#endif
#if REGIMEN_WITH_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "regimen/adapt/connection.hpp"
#include "regimen/adapt/detail/broken_pipes.hpp"
#include "regimen/adapt/detail/meet.hpp"
#include "regimen/adapt/detail/own_address.hpp"
#include "regimen/adapt/detail/store_messages.hpp"
#include "regimen/base/error.hpp"
#include "regimen/base/file.hpp"
#include "regimen/base/json.hpp"
#include "regimen/share/launch.hpp"

namespace regimen::inline v0::detail {

/// The connection of a process with the others of its group.
class C10dTalk {
 public:
  /// Meets the others. Throws Error if that takes too long.
  C10dTalk(const Launch& launch, const Connection& how)
      : launch_(launch), on_gpu_(how.backend == "nccl"), timeout_(milliseconds(how.seconds)) {
    ignore_broken_pipes();
    const auto store = open_store(how);
    const std::string common = meet(*store, launch.rank, launch.size, milliseconds(how.meet_seconds));
    store_ = c10::make_intrusive<c10d::PrefixStore>(common, store);
    backend_ = !how.backend.empty() ? how.backend : REGIMEN_WITH_GLOO ? "gloo" : "store";
    if (backend_ == "nccl") {
      talk_over_nccl();
    } else if (backend_ == "store") {
      talk_over_store(how);
    } else {
      talk_over_gloo();
    }
  }

  /// Process 0 waits, 2 s at most, until the others have read its last message, if it holds the store of messages.
  ~C10dTalk() {
    if (all_gather_ && talks_over_store_) {
      count_to_all("left");
    }
  }
  C10dTalk(const C10dTalk&) = delete;
  C10dTalk& operator=(const C10dTalk&) = delete;

  [[nodiscard]] const Launch& launch() const { return launch_; }
  [[nodiscard]] const std::string& backend() const { return backend_; }

  void all_gather(at::Tensor& all, const at::Tensor& mine) { talk(all_gather_, all, mine); }
  void exchange(at::Tensor& out, const at::Tensor& in) { talk(exchange_, out, in); }

  /// Leaves the message for the others, and closes the connections, by which they notice.
  void fail(const std::string& message) {
    if (!all_gather_) {
      return;
    }
    if (!heard_ && look_up(*store_, "failed").empty()) {
      put(*store_, "failed", "process " + text(launch_.rank) + " of " + text(launch_.size) + ": " + message);
      tell_torchrun(message);
    }
    all_gather_ = nullptr;
    exchange_ = nullptr;
    count_to_all("ended");
  }

 private:
  /// Fills `received`, bytes, from the `sent` of all processes.
  using Call = std::function<void(at::Tensor& received, at::Tensor& sent)>;

  /// Says that this process has come so far; process 0 waits for the others if it holds the store, but not long.
  void count_to_all(const std::string& what) noexcept {
    try {
      std::int64_t count = store_->add(what, 1);
      for (int tries = 0; holds_store_ && tries < 40 && count < launch_.size; ++tries) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        count = store_->add(what, 0);
      }
    } catch (const std::exception&) {  // NOLINT: the store is gone, and with it whoever would wait
    }
  }

  /// The store where the processes meet.
  [[nodiscard]] c10::intrusive_ptr<c10d::Store> open_store(const Connection& how) {
    if (!launch_.address.empty() && launch_.port > 0) {
      require(launch_.port < 65536, "the port at which processes meet (MASTER_PORT)", "below 65536", launch_.port);
      c10d::TCPStoreOptions options;
      options.port = static_cast<std::uint16_t>(launch_.port);
      holds_store_ = launch_.rank == 0 && !launch_.agent_store;
      options.isServer = holds_store_;
      options.waitWorkers = false;
      options.timeout = milliseconds(how.meet_seconds);
      return c10::make_intrusive<c10d::TCPStore>(launch_.address, options);
    }
    if (how.file.empty()) {
      throw Error("connect: " + launch_.launcher +
                  " does not say where the processes meet: set Connection.file to a file in a folder that all of them "
                  "see, or MASTER_ADDR and MASTER_PORT in the environment");
    }
    // A FileStore that finds no file waits for it as long as for a lost process.
    if (!std::ofstream(how.file, std::ios::app)) {
      throw Error("Connection.file must be in a folder that this process can write to, but is \"" + how.file + "\"");
    }
    return c10::make_intrusive<c10d::FileStore>(how.file, -1);
  }

  void talk_over_gloo() {
#if REGIMEN_WITH_GLOO
    using Gloo = c10d::ProcessGroupGloo;
    const char* const name = std::getenv("GLOO_SOCKET_IFNAME");
    auto options = Gloo::Options::create();
    options->timeout = timeout_;
    options->devices.push_back(name != nullptr
                                   ? Gloo::createDeviceForInterface(name)
                                   : Gloo::createDeviceForHostname(own_address(launch_.address, launch_.one_host)));
    talk_over(c10::make_intrusive<Gloo>(store_, launch_.rank, launch_.size, options));
#else
    throw Error(
        "Connection.backend must be \"store\", for this program was compiled without Gloo (link with the CMake target "
        "regimen::c10d; Debian: libgloo-dev), but is \"gloo\"");
#endif
  }

  void talk_over_nccl() {
#if REGIMEN_WITH_NCCL
    auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = timeout_;
    talk_over(c10::make_intrusive<c10d::ProcessGroupNCCL>(store_, launch_.rank, launch_.size, options));
#else
    throw Error(
        "Connection.backend must be \"gloo\" or \"store\", for this program was compiled without NCCL, but is "
        "\"nccl\"");
#endif
  }

  /// A file would keep all messages: processes that have met at one talk through a server of process 0, and part there.
  void talk_over_store(const Connection& how) {
    if (launch_.address.empty()) {
      store_ = server_of_process_0(milliseconds(how.meet_seconds));
    }
    talks_over_store_ = true;
    const auto messages = std::make_shared<StoreMessages>(store_, launch_.rank, launch_.size, timeout_);
    all_gather_ = [messages](at::Tensor& received, at::Tensor& sent) { messages->all_gather(received, sent); };
    exchange_ = [messages](at::Tensor& received, at::Tensor& sent) { messages->exchange(received, sent); };
  }

  c10::intrusive_ptr<c10d::Store> server_of_process_0(std::chrono::milliseconds timeout) {
    c10d::TCPStoreOptions options;
    options.waitWorkers = false;
    options.timeout = timeout;
    options.isServer = launch_.rank == 0;
    if (launch_.rank == 0) {
      options.port = 0;  // a free one
      const std::string host = own_address("", launch_.one_host);
      auto server = c10::make_intrusive<c10d::TCPStore>(host, options);
      put(*store_, "server", host + " " + text(server->getPort()));
      holds_store_ = true;
      return server;
    }
    store_->wait({"server"}, timeout);
    const std::string where = look_up(*store_, "server");
    const auto space = where.find(' ');
    options.port = static_cast<std::uint16_t>(std::stoi(where.substr(space + 1)));
    return c10::make_intrusive<c10d::TCPStore>(where.substr(0, space), options);
  }

  template <class Backend>
  void talk_over(const c10::intrusive_ptr<Backend>& backend) {
    all_gather_ = [this, backend](at::Tensor& received, at::Tensor& sent) {
      std::vector<at::Tensor> in{sent};
      std::vector<std::vector<at::Tensor>> out(1);
      for (std::int64_t i = 0; i < launch_.size; ++i) {
        out[0].push_back(received.narrow(0, i * sent.numel(), sent.numel()));
      }
      wait(*backend->allgather(out, in));
    };
    exchange_ = [this, backend](at::Tensor& received, at::Tensor& sent) {
      std::vector<std::int64_t> equal_parts;
      wait(*backend->alltoall_base(received, sent, equal_parts, equal_parts));
    };
  }

  /// The memory of a contiguous tensor, which is sent whatever its type is. On the CPU for Gloo.
  [[nodiscard]] at::Tensor bytes_of(const at::Tensor& tensor) const {
    return (on_gpu_ ? tensor : tensor.cpu()).reshape({-1}).view(at::kByte);
  }

  void talk(const Call& call, at::Tensor& out, const at::Tensor& mine) {
    if (!call) {
      throw Error("the processes that share runs have parted, for one has failed: connect them again");
    }
    try {
      at::Tensor sent = bytes_of(mine);
      at::Tensor received = bytes_of(out);
      call(received, sent);
      if (!on_gpu_ && out.is_cuda()) {
        out.copy_(received.view(out.scalar_type()).view(out.sizes()));
      }
    } catch (const Error&) {
      heard_ = true;
      throw;
    } catch (const std::exception& failure) {
      heard_ = true;
      const std::string said = failure.what();
      throw Error(said_by_others(said.substr(0, said.find('\n'))));  // the other lines are LibTorch's stack
    }
  }

  void wait(c10d::Work& work) {
    if (on_gpu_) {
      watch(work);
    }
    work.wait();
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
    return "a process that shares the run is gone: it has ended or was killed, or its host cannot be reached (" +
           otherwise + ")";
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
  std::string backend_;
  bool on_gpu_ = false;
  std::chrono::milliseconds timeout_;
  c10::intrusive_ptr<c10d::Store> store_;
  bool holds_store_ = false;  ///< it is in this process
  bool talks_over_store_ = false;
  bool heard_ = false;  ///< this process has learned of a failure from the others, to whom it is no news
  Call all_gather_;
  Call exchange_;
};

}  // namespace regimen::inline v0::detail
