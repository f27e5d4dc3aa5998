#pragma once

#include <c10/core/Device.h>

#include <array>
#include <cstddef>
#include <functional>
#include <memory>

#include "regimen/detail/cuda.hpp"

#if REGIMEN_WITH_CUDA
#include <ATen/cuda/CUDAEvent.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

namespace regimen::inline v0::detail {

/// What a device can do with work: record it once, and do it again as it was recorded, at the same addresses.
class Recorder {
 public:
  virtual ~Recorder() = default;

  /// Does the work where it will be recorded.
  virtual void warm_up(const std::function<void()>& work) = 0;

  /// Records the work, which is not done. Throws what the work throws, and c10::Error for what cannot be recorded.
  virtual void record(const std::function<void()>& work) = 0;

  /// Does what was recorded.
  virtual void replay() = 0;
};

#if REGIMEN_WITH_CUDA

/// A CUDA graph. It can only be recorded on a stream that is not the default one, and is replayed on the caller's.
class CudaRecorder final : public Recorder {
 public:
  explicit CudaRecorder(const at::Device& device)
      : stream_(at::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index())) {}

  void warm_up(const std::function<void()>& work) override {
    const Aside aside(stream_);
    work();
  }

  void record(const std::function<void()>& work) override {
    const Aside aside(stream_);
    stream_.synchronize();
    auto graph = std::make_unique<at::cuda::CUDAGraph>();
    graph->capture_begin();
    try {
      work();
    } catch (...) {
      end_in_failure(*graph);
      throw;
    }
    graph->capture_end();
    graph_ = std::move(graph);
  }

  void replay() override { graph_->replay(); }

 private:
  /// Makes a stream the current one while it lives, in order with the one that was.
  class Aside {
   public:
    explicit Aside(const at::cuda::CUDAStream& stream)
        : stream_(stream), outer_(at::cuda::getCurrentCUDAStream(stream.device_index())) {
      follow(stream_, outer_);
      at::cuda::setCurrentCUDAStream(stream_);
    }
    ~Aside() {
      at::cuda::setCurrentCUDAStream(outer_);
      follow(outer_, stream_);
    }
    Aside(const Aside&) = delete;
    Aside& operator=(const Aside&) = delete;

   private:
    static void follow(const at::cuda::CUDAStream& later, const at::cuda::CUDAStream& earlier) {
      at::cuda::CUDAEvent event;
      event.record(earlier);
      event.block(later);
    }

    at::cuda::CUDAStream stream_;
    at::cuda::CUDAStream outer_;
  };

  /// The stream is recording still, and its end reports once more what went wrong.
  static void end_in_failure(at::cuda::CUDAGraph& graph) {
    try {
      graph.capture_end();
    } catch (const c10::Error&) {
      return;
    }
  }

  at::cuda::CUDAStream stream_;
  std::unique_ptr<at::cuda::CUDAGraph> graph_;
};

#endif

using MakeRecorder = std::unique_ptr<Recorder> (*)(const at::Device&);

/// Who makes the recorders of a type of device; none where nobody does. A backend of somebody's own may add itself.
inline MakeRecorder& maker_of_recorders(c10::DeviceType type) {
  static std::array<MakeRecorder, static_cast<std::size_t>(c10::DeviceType::COMPILE_TIME_MAX_DEVICE_TYPES)> makers =
      [] {
        std::array<MakeRecorder, static_cast<std::size_t>(c10::DeviceType::COMPILE_TIME_MAX_DEVICE_TYPES)> known{};
#if REGIMEN_WITH_CUDA
        known[static_cast<std::size_t>(c10::DeviceType::CUDA)] =
            [](const at::Device& device) -> std::unique_ptr<Recorder> {
          return std::make_unique<CudaRecorder>(device);
        };
#endif
        return known;
      }();
  return makers[static_cast<std::size_t>(type)];
}

/// None for a device that cannot record.
inline std::unique_ptr<Recorder> make_recorder(const at::Device& device) {
  const MakeRecorder make = maker_of_recorders(device.type());
  return make != nullptr ? make(device) : nullptr;
}

}  // namespace regimen::inline v0::detail
