#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/mse_loss.h>

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "regimen/error.hpp"
#include "regimen/manifest.hpp"
#include "regimen/transform.hpp"

namespace regimen::inline v0 {

/// What is asked of the network? Takes output and target, gives the *mean* loss a sample as a 0-d tensor.
///
/// A loss may also say which samples are right: `correct(output, target) -> [N] bool`. A loss that does not is scored
/// by accuracy only where that has one meaning: output [N, C] and target [N] int64, right if the target is the argmax.
template <class L>
concept Loss = requires(const L& loss, const at::Tensor& output, const at::Tensor& target) {
  { loss(output, target) } -> std::convertible_to<at::Tensor>;
};

namespace detail {

/// Output and target must be of the same numbers, up to ones in their shapes: [N] and [N, 1] go together, [N] and
/// [N, C] would be spread over each other in silence.
inline void require_same_numbers(const at::Tensor& output, const at::Tensor& target, const std::string& who) {
  const bool rows = output.dim() > 0 && target.dim() > 0 && output.size(0) == target.size(0);
  if (!rows || output.numel() != target.numel()) {
    throw Error(who + " takes targets of the output's shape, " + described(output) + ", not " + described(target));
  }
}

}  // namespace detail

/// Cross entropy of logits [N, C] against labels [N] int64 in [0, C) or distributions [N, C].
/// Throws Error for a label outside of [0, C), on the CPU; elsewhere LibTorch says so in its own way.
struct CrossEntropy {
  at::Tensor operator()(const at::Tensor& output, const at::Tensor& target) const {
    if (target.device().is_cpu() && target.dim() == 1 && target.scalar_type() == at::kLong && output.dim() == 2) {
      require_labels_below(output.size(1), target);
    }
    return at::cross_entropy_loss(output, target);
  }

 private:
  static void require_labels_below(std::int64_t classes, const at::Tensor& target) {
    const at::Tensor in_line = target.contiguous();
    const auto* const label = in_line.data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < in_line.size(0); ++i) {
      if (label[i] < 0 || label[i] >= classes) {
        detail::require(false, "CrossEntropy: a label", "in [0, " + detail::text(classes) + "), the network's outputs",
                        label[i]);
      }
    }
  }
};

/// Cross entropy of each logit by itself: one a sample, [N] or [N, 1], or several, [N, C], where a sample may bear any
/// number of C labels. Targets of the same numbers: labels 0 and 1, or floating numbers in [0, 1].
///
/// With one logit a sample, right is a logit above 0 where the target is above one half. With several there is no one
/// notion of right (each? all of them?), and only the loss is scored: a struct of your own can have a `correct`.
/// Throws Error for targets of another shape.
struct BinaryCrossEntropy {
  at::Tensor operator()(const at::Tensor& output, const at::Tensor& target) const {
    detail::require_same_numbers(output, target, "BinaryCrossEntropy");
    return at::binary_cross_entropy_with_logits(output, target.view_as(output).to(output.scalar_type()));
  }

  at::Tensor correct(const at::Tensor& output, const at::Tensor& target) const {
    if (output.numel() != output.size(0)) {
      return {};
    }
    return (output.flatten() > 0) == (target.flatten() > 0.5);
  }
};

/// Mean of the squared differences, over samples and outputs; nothing is right or wrong.
/// Throws Error for targets of another shape than the output's ([N] goes with [N, 1]).
struct MeanSquaredError {
  at::Tensor operator()(const at::Tensor& output, const at::Tensor& target) const {
    detail::require_same_numbers(output, target, "MeanSquaredError");
    return at::mse_loss(output, target.view_as(output).to(output.scalar_type()));
  }
};

/// Any loss.
class AnyLoss {
 public:
  template <class L>
    requires(!std::same_as<L, AnyLoss> && !detail::StandIn<L>)
  AnyLoss(L loss) : manifest_(regimen::manifest(loss)) {  // NOLINT: a loss is one of any kind
    static_assert(
        Loss<L>,
        "a loss must be callable as: at::Tensor loss(const at::Tensor& output, const at::Tensor& target) const");
    if constexpr (Loss<L>) {
      if constexpr (requires(const at::Tensor& t) { loss.correct(t, t); }) {
        correct_ = std::make_shared<const Function>(
            [loss](const at::Tensor& output, const at::Tensor& target) { return loss.correct(output, target); });
      }
      call_ = std::make_shared<const Function>(loss);
    }
  }

  [[nodiscard]] at::Tensor operator()(const at::Tensor& output, const at::Tensor& target) const {
    return (*call_)(output, target);
  }

  /// [N] bool; undefined where "right" has no meaning. Throws Error where a loss's own `correct` gives another shape.
  [[nodiscard]] at::Tensor correct(const at::Tensor& output, const at::Tensor& target) const {
    if (correct_) {
      const at::Tensor right = (*correct_)(output, target);
      if (right.defined() && (right.dim() != 1 || right.size(0) != output.size(0))) {
        throw Error("a loss's correct(output, target) must be [N], one a sample, but is " + detail::described(right));
      }
      return right;
    }
    if (output.dim() == 2 && output.size(1) >= 2 && target.dim() == 1 && target.scalar_type() == at::kLong) {
      return output.argmax(1) == target;
    }
    return {};
  }

  [[nodiscard]] const std::string& manifest() const { return manifest_; }

 private:
  using Function = std::function<at::Tensor(const at::Tensor&, const at::Tensor&)>;

  std::shared_ptr<const Function> call_;
  std::shared_ptr<const Function> correct_;
  std::string manifest_;
};

}  // namespace regimen::inline v0
