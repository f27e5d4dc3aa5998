#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "regimen/manifest.hpp"

namespace regimen::inline v0::detail {

/// Tensors that a transform makes once for each device and keeps: a step that is recorded can copy nothing from the
/// host, so what it looks up is made in the passes before. Copies of a transform share them; any thread may ask.
class KeptTensors {
 public:
  /// The one of this shape on this device, from `make`, a function that gives it on any device. It is complete when it
  /// is given back, for any stream and any thread: the copy, one for each device and shape, waits for its end, because
  /// a later reader's stream need not be the one that it was made on.
  template <class Make>
  [[nodiscard]] at::Tensor on(const at::Device& device, at::IntArrayRef shape, Make&& make) const {
    const std::scoped_lock lock(state_->mutex);
    for (const at::Tensor& made : state_->each) {
      if (made.device() == device && made.sizes() == shape) {
        return made;
      }
    }
    const at::Tensor made = make();
    state_->each.push_back(made.to(device, made.scalar_type(), /*non_blocking=*/false));
    return state_->each.back();
  }

 private:
  struct State {
    std::mutex mutex;
    std::vector<at::Tensor> each;
  };

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// A list that a transform has as a field and looks things up in, on whatever device the batch lies.
template <class Element>
class Table {
 public:
  Table() = default;
  Table(std::initializer_list<Element> elements) : elements_(elements) {}
  Table(std::vector<Element> elements) : elements_(std::move(elements)) {}  // NOLINT: a list is a table

  [[nodiscard]] const std::vector<Element>& elements() const { return elements_; }
  [[nodiscard]] std::size_t size() const { return elements_.size(); }
  [[nodiscard]] const KeptTensors& kept() const { return kept_; }
  [[nodiscard]] std::string manifest() const { return regimen::manifest(elements_); }

 private:
  std::vector<Element> elements_;
  KeptTensors kept_;
};

}  // namespace regimen::inline v0::detail
