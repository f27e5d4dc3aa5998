#pragma once

#include <ATen/autocast_mode.h>
#include <ATen/core/Tensor.h>
#include <torch/version.h>

#include <fstream>
#include <string>

#include "regimen/batch.hpp"
#include "regimen/error.hpp"
#include "regimen/model.hpp"

namespace regimen::inline v0 {

/// In what numbers the forward pass computes. Parameters, gradients and the loss stay float.
enum class Precision {
  fp32,  ///< as the model is
  bf16,  ///< autocast: products and convolutions in bfloat16, the rest as LibTorch decides
};

[[nodiscard]] inline std::string name_of(Precision precision) {
  return precision == Precision::fp32 ? "fp32" : "bf16";
}

/// How images and 4-d weights lie in memory.
enum class MemoryFormat {
  contiguous,     ///< [N, C, H, W]
  channels_last,  ///< [N, H, W, C] behind the same shape: 20 to 40 % faster convolutions on most processors
};

[[nodiscard]] inline std::string name_of(MemoryFormat format) {
  return format == MemoryFormat::contiguous ? "contiguous" : "channels_last";
}

namespace detail {

/// Autocast for one device type while it lives. LibTorch has no such guard in C++, and renamed the switches in 2.4.
class Autocast {
 public:
  Autocast(at::DeviceType device, bool on)
      : device_(device), before_(enabled(device)), type_before_(type(device)), active_(on || before_) {
    if (active_) {
      set(device, on, at::kBFloat16);
      at::autocast::increment_nesting();
    }
  }

  ~Autocast() {
    if (active_) {
      // The outermost one forgets the cast weights: they are stale after the next step.
      if (at::autocast::decrement_nesting() == 0) {
        at::autocast::clear_cache();
      }
      set(device_, before_, type_before_);
    }
  }

  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
  static bool enabled(at::DeviceType device) { return at::autocast::is_autocast_enabled(device); }
  static at::ScalarType type(at::DeviceType device) { return at::autocast::get_autocast_dtype(device); }
  static void set(at::DeviceType device, bool on, at::ScalarType type) {
    at::autocast::set_autocast_enabled(device, on);
    at::autocast::set_autocast_dtype(device, type);
  }
#else
  static bool enabled(at::DeviceType device) {
    return device == at::kCPU ? at::autocast::is_cpu_enabled() : at::autocast::is_enabled();
  }
  static at::ScalarType type(at::DeviceType device) {
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

}  // namespace detail

/// How a network is computed; what is computed stays the same up to rounding. Opt-in: the default touches nothing.
///
/// A field of `Phase`, and as well a value for a loop of your own:
///     const regimen::Execution fast{.precision = regimen::Precision::bf16,
///                                   .memory_format = regimen::MemoryFormat::channels_last};
///     fast.prepare(net);                            // once: lays 4-d weights out
///     const auto out = fast.forward(net, batch);    // [N, ...] float
struct Execution {
  Precision precision = Precision::fp32;
  MemoryFormat memory_format = MemoryFormat::contiguous;

  /// Lays the model's 4-d parameters out as asked; their values stay. Before the first step, so that the optimizer's
  /// state follows. `run` does it at the start of a phase and leaves them so.
  void prepare(const Model& model) const {
    if (memory_format == MemoryFormat::channels_last) {
      for (at::Tensor& parameter : model.parameters()) {
        if (parameter.dim() == 4) {
          parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
        }
      }
    }
  }

  /// The model's output for the batch, in float where it was computed in bf16.
  [[nodiscard]] at::Tensor forward(const Model& model, Batch batch) const {
    if (memory_format == MemoryFormat::channels_last && batch.data.dim() == 4) {
      batch.data = batch.data.contiguous(at::MemoryFormat::ChannelsLast);
    }
    if (precision == Precision::fp32) {
      return model.forward(batch);
    }
    const detail::Autocast autocast(batch.data.device().type(), true);
    return model.forward(batch).to(at::kFloat);
  }
};

/// Whether this processor multiplies bf16 in hardware (AMX or AVX-512), so that bf16 is faster than fp32.
[[nodiscard]] inline bool cpu_has_bf16() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("flags", 0) == 0) {
      return line.find("amx_bf16") != std::string::npos || line.find("avx512_bf16") != std::string::npos;
    }
  }
  return false;
}

}  // namespace regimen::inline v0
