#pragma once

#include <ATen/autocast_mode.h>

#include "regimen/base/config.hpp"
#include "regimen/tensor/libtorch.hpp"

namespace regimen::inline v0::detail {

/// True if autocast's switches take a device type; then the CPU can compute in fp16 as well.
inline constexpr bool autocast_by_device = REGIMEN_AUTOCAST_BY_DEVICE;

/// Clears autocast's cache of cast weights at its begin and end. Autocast keeps casts until its outermost guard ends;
/// this guard goes around code that swaps weights or runs a network without a graph.
class FreshCasts {
 public:
  FreshCasts() { at::autocast::clear_cache(); }
  ~FreshCasts() { at::autocast::clear_cache(); }
  FreshCasts(const FreshCasts&) = delete;
  FreshCasts& operator=(const FreshCasts&) = delete;
};

/// Autocast for one device type for the guard's lifetime. LibTorch has no such guard in C++.
class Autocast {
 public:
  Autocast(at::DeviceType device, bool on, at::ScalarType type = at::kBFloat16)
      : device_(device), before_(enabled(device)), type_before_(type_of(device)), active_(on || before_) {
    if (active_) {
      set(device, on, type);
      at::autocast::increment_nesting();
    }
  }

  ~Autocast() {
    if (active_) {
      // The outermost guard clears the cast weights: they are stale after the next step.
      if (at::autocast::decrement_nesting() == 0) {
        at::autocast::clear_cache();
      }
      set(device_, before_, type_before_);
    }
  }

  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
#if REGIMEN_AUTOCAST_BY_DEVICE
  static bool enabled(at::DeviceType device) { return at::autocast::is_autocast_enabled(device); }
  static at::ScalarType type_of(at::DeviceType device) { return at::autocast::get_autocast_dtype(device); }
  static void set(at::DeviceType device, bool on, at::ScalarType type) {
    at::autocast::set_autocast_enabled(device, on);
    at::autocast::set_autocast_dtype(device, type);
  }
#else
  static bool enabled(at::DeviceType device) {
    return device == at::kCPU ? at::autocast::is_cpu_enabled() : at::autocast::is_enabled();
  }
  static at::ScalarType type_of(at::DeviceType device) {
    return device == at::kCPU ? at::autocast::get_autocast_cpu_dtype() : at::autocast::get_autocast_gpu_dtype();
  }
  static void set(at::DeviceType device, bool on, at::ScalarType type) {
    if (device == at::kCPU) {
      at::autocast::set_cpu_enabled(on);
      at::autocast::set_autocast_cpu_dtype(type);
    } else {
      at::autocast::set_enabled(on);
      at::autocast::set_autocast_gpu_dtype(type);
    }
  }
#endif

  at::DeviceType device_;
  bool before_;
  at::ScalarType type_before_;
  bool active_;
};

}  // namespace regimen::inline v0::detail
