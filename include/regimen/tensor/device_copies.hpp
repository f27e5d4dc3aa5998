#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Stream.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/manifest.hpp"

namespace regimen::inline v0::detail {

/// The current stream of the calling thread on a device.
inline c10::Stream current_stream(const at::Device& device) {
  return device.is_cpu() ? c10::Stream(c10::Stream::DEFAULT, device)
                         : c10::impl::VirtualGuardImpl(device.type()).getStream(device);
}

/// Tensors that a transform makes once for each device and keeps. A recorded step cannot copy from the host, so lookup
/// tables are made in the passes before it. Copies of a transform share them; any thread may ask.
///
/// Copying to a device is not waited for. The tensor is complete for later work on the stream that was current; another
/// stream could read it too early, so each stream has its own copy.
class DeviceCopies {
 public:
  /// The tensor of this shape on this device, for the current stream there. `make` returns it on the CPU, and is called
  /// once for each.
  template <class Make>
  [[nodiscard]] at::Tensor on(const at::Device& device, at::IntArrayRef shape, Make&& make) const {
    const c10::Stream stream = current_stream(device);
    const std::scoped_lock lock(state_->mutex);
    for (const Made& made : state_->each) {
      if (made.stream == stream && made.tensor.device() == device && made.tensor.sizes() == shape) {
        return made.tensor;
      }
    }
    // A host-to-device copy of pageable memory has read the memory when it returns, so `made` may be freed. A
    // device-to-host copy must block: nothing else would tell when its numbers are there.
    const at::Tensor made = make();
    state_->each.push_back({made.to(device, made.scalar_type(), /*non_blocking=*/made.is_cpu()), stream});
    return state_->each.back().tensor;
  }

 private:
  struct Made {
    at::Tensor tensor;
    c10::Stream stream;
  };

  struct State {
    std::mutex mutex;
    std::vector<Made> each;
  };

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// A list as a field of a transform, which looks entries up in it on any device.
template <class Element>
class Table {
 public:
  Table() = default;
  Table(std::initializer_list<Element> elements) : elements_(elements) {}
  Table(std::vector<Element> elements) : elements_(std::move(elements)) {}  // NOLINT: a list is a table

  [[nodiscard]] const std::vector<Element>& elements() const { return elements_; }
  [[nodiscard]] std::size_t size() const { return elements_.size(); }
  [[nodiscard]] const DeviceCopies& kept() const { return kept_; }
  [[nodiscard]] std::string manifest() const { return regimen::manifest(elements_); }

 private:
  std::vector<Element> elements_;
  DeviceCopies kept_;
};

}  // namespace regimen::inline v0::detail
