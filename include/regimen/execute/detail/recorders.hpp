#pragma once

#include <c10/core/Device.h>

#include <array>
#include <cstddef>
#include <memory>

#include "regimen/base/cuda.hpp"
#include "regimen/execute/detail/cuda_recorder.hpp"
#include "regimen/execute/detail/recorder.hpp"

namespace regimen::inline v0::detail {

using MakeRecorder = std::unique_ptr<Recorder> (*)(const at::Device&);

/// The maker of recorders for a type of device; null if there is none. A backend of a user may set its own.
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

/// A recorder for the device; null if it cannot record.
inline std::unique_ptr<Recorder> make_recorder(const at::Device& device) {
  const MakeRecorder make = maker_of_recorders(device.type());
  return make != nullptr ? make(device) : nullptr;
}

}  // namespace regimen::inline v0::detail
