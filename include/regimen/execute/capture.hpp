#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <c10/util/Exception.h>

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/put_back.hpp"
#include "regimen/execute/detail/recorders.hpp"
#include "regimen/key/moment.hpp"
#include "regimen/key/slots.hpp"
#include "regimen/tensor/real.hpp"

namespace regimen::inline v0 {

/// A step that a device records once and then replays: on CUDA one graph launch in place of about a thousand kernel
/// launches.
///
/// The body does a whole step and returns a tensor, the loss. The first calls run it eagerly (LibTorch allocates memory
/// and chooses algorithms), the next one records it, and all further calls replay the recording. A recording keeps the
/// addresses that the body read and wrote, and all numbers from the host. So shapes must be fixed, inputs must be
/// copied into tensors that stay, and values that change between steps must come from `Moment`: `now.tensor(knob)`,
/// keys made with `now`, `fused_step(sgd, now, lr_scale)`. No `.item()` in the body. The returned tensor, gradients and
/// outputs are the same tensors at every replay: clone those that you keep.
///
/// A step that cannot be recorded runs eagerly, and `why_not` tells why. `run` does all this for `Execution::graph`.
///     regimen::Captured step(at::kCUDA, [&](const regimen::Moment& now) {
///       const regimen::Batch batch = crop(data.get(places), regimen::Key(7, places, now).each_epoch());
///       forget_gradients();
///       const at::Tensor loss = at::cross_entropy_loss(net->forward(batch.data), batch.target);
///       loss.backward();
///       regimen::fused_step(sgd, now, cosine);
///       return loss.detach();
///     });
///     for (; clock.step < steps; ++clock.step) { places.copy_(next_places()); step({clock}); }
class Captured {
 public:
  using Body = std::function<at::Tensor(const Moment&)>;

  /// `warm_up`: number of eager steps before one is recorded, at least 1.
  Captured(const at::Device& device, Body body, int warm_up = 3)
      : body_(std::move(body)), eager_left_(warm_up), recorder_(detail::make_recorder(device)), slots_(device) {
    detail::require(warm_up >= 1, "Captured: warm_up", "at least 1", warm_up);
    if (recorder_ == nullptr) {
      why_not_ = "there is nothing to record steps on " + device.str();
    }
  }

  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;

  /// Does one step at this moment.
  at::Tensor operator()(Moment now) {
    now.slots = nullptr;
    if (!why_not_.empty()) {
      return body_(now);
    }
    slots_.begin(now, now.epoch_began());
    if (eager_left_ > 0) {
      --eager_left_;
      const bool waited = eager(now);
      why_not_ = slots_.refused();
      // Early steps may wait for one-time compilation or setup; the last one does what will be recorded.
      if (why_not_.empty() && eager_left_ == 0 && waited) {
        why_not_ =
            "something in it makes the host wait for the device, by .item(), a copy between the two, or a shape that "
            "depends on values";
      }
      return result_;
    }
    if (!recorded_ && !record(now)) {
      return body_(now);
    }
    recorder_->replay();
    return result_;
  }

  /// Sets a function that is called once a step is recorded, before its first replay: to look at `disagreement`, say.
  void when_recorded(std::function<void()> act) { when_recorded_ = std::move(act); }

  /// Whether steps are being replayed.
  [[nodiscard]] bool recorded() const { return recorded_; }

  /// The reason why steps are not recorded; empty while they are or still may be.
  [[nodiscard]] const std::string& why_not() const { return why_not_; }

  /// The distance between the ends of a replayed and an eager step, relative to the step's length. It is of the size of
  /// rounding errors if the recording is right; more if it keeps a number that should change, as far as that matters at
  /// this moment. 0 if nothing is recorded.
  ///
  /// `compared`: the tensors that a step moves, the parameters; `changed`: others that it changes, buffers and an
  /// optimizer's state. All are restored afterwards. `before` is called before each of the two steps, to seed their
  /// draws. Best called for another moment than the recording's.
  [[nodiscard]] double disagreement(Moment elsewhere, const std::vector<at::Tensor>& compared,
                                    const std::vector<at::Tensor>& changed, const std::function<void()>& before) {
    if (!recorded_) {
      return 0;
    }
    const at::NoGradGuard no_grad;
    const std::vector<at::Tensor> start = copies_of(compared);
    const std::vector<at::Tensor> rest = copies_of(changed);
    detail::PutBack put_back;
    put_back.add([this, result = result_] { result_ = result; });
    elsewhere.slots = nullptr;
    const auto end_of_step = [&](const auto& act) {
      before();
      slots_.begin(elsewhere, elsewhere.epoch_began());
      detail::PutBack weights;  // restores also if the step throws
      weights.add([&] { copy_to(changed, rest); });
      weights.add([&] { copy_to(compared, start); });
      act();
      return copies_of(compared);
    };
    const std::vector<at::Tensor> replayed = end_of_step([&] { recorder_->replay(); });
    const std::vector<at::Tensor> done = end_of_step([&] {
      const at::AutoGradMode with_gradients(true);
      (void)eager(elsewhere);
    });
    // A step shorter than the rounding of its numbers tells nothing.
    const double rounding = 1e-6 * length(start);
    const double apart = distance(done, replayed);
    return apart <= rounding ? 0 : apart / distance(done, start);
  }

  /// Ends the replays: all further steps are eager.
  void give_up(const std::string& why) {
    recorded_ = false;
    why_not_ = why;
  }

 private:
  /// Runs the body eagerly. Returns whether the host waited for the device.
  bool eager(Moment now) {
    return recorder_->warm_up([&] {
      now.slots = &slots_;
      result_ = body_(now);
    });
  }

  /// Records the body. Returns false if it cannot be recorded.
  bool record(Moment now) {
    slots_.close();
    try {
      recorder_->record([&] {
        now.slots = &slots_;
        result_ = body_(now);
      });
      if (!slots_.complete()) {
        slots_.refuse("it asks for fewer scheduled numbers than in its first passes");
      }
      why_not_ = slots_.refused();
    } catch (const c10::Error& failure) {
      why_not_ = failure.what_without_backtrace();
      why_not_ = why_not_.substr(0, why_not_.find('\n'));
    }
    recorded_ = why_not_.empty();
    if (recorded_ && when_recorded_) {
      when_recorded_();
      now.slots = nullptr;
      slots_.begin(now, now.epoch_began());  // they may have been filled for another moment meanwhile
    }
    return recorded_;
  }

  static std::vector<at::Tensor> copies_of(const std::vector<at::Tensor>& tensors) {
    std::vector<at::Tensor> copies;
    for (const at::Tensor& tensor : tensors) {
      copies.push_back(tensor.detach().clone());
    }
    return copies;
  }

  static void copy_to(const std::vector<at::Tensor>& tensors, const std::vector<at::Tensor>& values) {
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      tensors[i].detach().copy_(values[i]);
    }
  }

  static double length(const std::vector<at::Tensor>& a) {
    double sum = 0;
    for (const at::Tensor& tensor : a) {
      sum += detail::as_doubles(tensor).square().sum().item<double>();
    }
    return std::sqrt(sum);
  }

  static double distance(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      sum += (detail::as_doubles(a[i]) - detail::as_doubles(b[i])).square().sum().item<double>();
    }
    return std::sqrt(sum);
  }

  Body body_;
  int eager_left_;
  std::unique_ptr<detail::Recorder> recorder_;
  detail::Slots slots_;
  bool recorded_ = false;
  std::string why_not_;
  std::function<void()> when_recorded_;
  at::Tensor result_;
};

}  // namespace regimen::inline v0
