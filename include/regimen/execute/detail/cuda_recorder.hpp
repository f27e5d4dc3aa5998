#pragma once

#include "regimen/base/cuda.hpp"
#include "regimen/execute/detail/recorder.hpp"
#include "regimen/tensor/libtorch.hpp"

#if REGIMEN_WITH_CUDA

#include <ATen/core/Tensor.h>
#include <ATen/cuda/CUDAEvent.h>
#include <ATen/cuda/CUDAGraph.h>
#include <ATen/ops/zeros.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <c10/util/Exception.h>

#include <functional>
#include <memory>
#include <utility>

#if REGIMEN_FAILED_RECORDING_STAYS_OPEN
#include <ATen/core/CachingHostAllocator.h>
#endif

namespace regimen::inline v0::detail {

/// Makes a stream the current one for the guard's lifetime, ordered after the previous one at the begin and before it
/// at the end.
class OnStream {
 public:
  explicit OnStream(const at::cuda::CUDAStream& stream)
      : stream_(stream), outer_(at::cuda::getCurrentCUDAStream(stream.device_index())), guard_(stream) {
    follow(stream_, outer_);
  }
  ~OnStream() {
    try {
      follow(outer_, stream_);
    } catch (const c10::Error&) {
      return;  // the next call on this device reports it again
    }
  }
  OnStream(const OnStream&) = delete;
  OnStream& operator=(const OnStream&) = delete;

 private:
  static void follow(const at::cuda::CUDAStream& later, const at::cuda::CUDAStream& earlier) {
    at::cuda::CUDAEvent event;
    event.record(earlier);
    event.block(later);
  }

  at::cuda::CUDAStream stream_;
  at::cuda::CUDAStream outer_;
  c10::cuda::CUDAStreamGuard guard_;
};

/// Detects whether the host waits for the device during the object's lifetime, by LibTorch's debug mode for
/// synchronizing operations. Its warnings are passed on only if that mode was on before.
class WaitWatch final : public c10::WarningHandler {
 public:
  WaitWatch() : outer_(c10::WarningUtils::get_warning_handler()), mode_(state().get_sync_debug_mode()) {
    c10::WarningUtils::set_warning_handler(this);
    state().set_sync_debug_mode(c10::cuda::SyncDebugMode::L_WARN);
  }
  ~WaitWatch() override {
    state().set_sync_debug_mode(mode_);
    c10::WarningUtils::set_warning_handler(outer_);
  }
  WaitWatch(const WaitWatch&) = delete;
  WaitWatch& operator=(const WaitWatch&) = delete;

  void process(const c10::Warning& warning) override {
    const bool waits = warning.msg().find("synchronizing CUDA operation") != std::string::npos;
    waited_ = waited_ || waits;
    if (!waits || mode_ != c10::cuda::SyncDebugMode::L_DISABLED) {
      outer_->process(warning);
    }
  }

  [[nodiscard]] bool waited() const { return waited_; }

 private:
  static c10::cuda::WarningState& state() { return c10::cuda::warning_state(); }

  c10::WarningHandler* outer_;
  c10::cuda::SyncDebugMode mode_;
  bool waited_ = false;
};

/// A CUDA graph. It has to be recorded on a stream that is not the default one, and is replayed on the caller's.
class CudaRecorder final : public Recorder {
 public:
  explicit CudaRecorder(const at::Device& device)
      : stream_(at::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index())) {}

  bool warm_up(const std::function<void()>& work) override {
    const OnStream on(stream_);
    const WaitWatch watch;
    work();
    return watch.waited();
  }

  void record(const std::function<void()>& work) override {
    const OnStream on(stream_);
    stream_.synchronize();
    auto graph = std::make_unique<at::cuda::CUDAGraph>();
    const auto pool = at::cuda::graph_pool_handle();
    try {
      graph->capture_begin(pool);
      work();
      graph->capture_end();
    } catch (...) {
      end_in_failure(*graph, pool);
      throw;
    }
    graph_ = std::move(graph);
  }

  void replay() override { graph_->replay(); }

 private:
  template <class Act>
  static void try_to(Act&& act) {
    try {
      act();
    } catch (const c10::Error&) {
      return;  // the failure is reported already
    }
  }

  /// Ends a failed recording. The stream is still recording, and ending it reports the failure once more. LibTorch 2.11
  /// then leaves its allocators and its generator in the state of a recording (pytorch#180395), and the next dropout
  /// would throw.
  void end_in_failure(at::cuda::CUDAGraph& graph, const c10::MempoolId_t& pool) const {
    try_to([&] { graph.capture_end(); });
#if REGIMEN_FAILED_RECORDING_STAYS_OPEN
    const c10::DeviceIndex device = stream_.device_index();
    try_to([&] { c10::cuda::CUDACachingAllocator::endAllocateToPool(device, pool); });
    try_to([&] { c10::cuda::CUDACachingAllocator::releasePool(device, pool); });
    try_to([&] { at::getHostAllocator(at::kCUDA)->end_allocate_to_pool(pool); });
    try_to([&] { at::getHostAllocator(at::kCUDA)->release_pool(pool); });
#else
    (void)pool;
#endif
    // Only a successful recording tells the generator of its end.
    try_to([&] {
      at::Tensor some = at::zeros({1}, at::TensorOptions(stream_.device()));
      at::cuda::CUDAGraph trivial;
      trivial.capture_begin();
      some.zero_();
      trivial.capture_end();
    });
  }

  at::cuda::CUDAStream stream_;
  std::unique_ptr<at::cuda::CUDAGraph> graph_;
};

}  // namespace regimen::inline v0::detail

#endif
