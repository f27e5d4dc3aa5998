#pragma once

#include <ATen/record_function.h>

#include <cstring>
#include <functional>
#include <memory>
#include <utility>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// Calls a function after each normalization by a batch (LibTorch's batch_norm and instance_norm) that this thread does
/// while the watch lives. Models of any kind end there, TorchScript's too, and it is the one place where a layer that
/// is used twice in a pass can be told from one that is used once.
class NormalizationWatch {
 public:
  explicit NormalizationWatch(std::function<void()> after) : after_(std::move(after)), outer_(innermost()) {
    innermost() = this;
    handle_ = at::addThreadLocalCallback(
        at::RecordFunctionCallback(&begin, &end).scopes({at::RecordScope::FUNCTION}).needsIds(false));
  }
  ~NormalizationWatch() {
    at::removeCallback(handle_);
    innermost() = outer_;
  }
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
      ++innermost()->depth_;  // instance_norm is done by a batch_norm
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
  at::CallbackHandle handle_{};
  int depth_ = 0;
};

}  // namespace regimen::inline v0::detail
