#pragma once

#include <ATen/record_function.h>

#include <cstring>
#include <functional>
#include <memory>
#include <utility>

#include "regimen/base/config.hpp"
#include "regimen/model/listening.hpp"

namespace regimen::inline v0::detail {

/// Calls a function after each batch normalization (LibTorch's batch_norm and instance_norm) in this thread during the
/// watch's lifetime. All kinds of models end there, TorchScript's included, and only there can two calls of one layer
/// in a pass be told from one.
class NormalizationWatch {
 public:
  explicit NormalizationWatch(std::function<void()> after)
      : after_(std::move(after)), outer_(std::exchange(innermost(), this)) {}
  ~NormalizationWatch() { innermost() = outer_; }
  NormalizationWatch(const NormalizationWatch&) = delete;
  NormalizationWatch& operator=(const NormalizationWatch&) = delete;

 private:
  static NormalizationWatch*& innermost() {
    thread_local NormalizationWatch* watch = nullptr;
    return watch;
  }

  static bool normalizes(const at::RecordFunction& operation) {
    return std::strcmp(operation.name(), "aten::batch_norm") == 0 ||
           std::strcmp(operation.name(), "aten::instance_norm") == 0;
  }

  static std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction& operation) {
    if (normalizes(operation)) {
      ++innermost()->depth_;  // instance_norm calls batch_norm
    }
    return nullptr;
  }

  static void end(const at::RecordFunction& operation, at::ObserverContext* /*context*/) {
    if (normalizes(operation) && --innermost()->depth_ == 0) {
      innermost()->after_();
    }
  }

  std::function<void()> after_;
  NormalizationWatch* outer_;
  int depth_ = 0;
  Listening listening_{at::RecordFunctionCallback(&begin, &end).scopes({at::RecordScope::FUNCTION}).needsIds(false)};
};

}  // namespace regimen::inline v0::detail
