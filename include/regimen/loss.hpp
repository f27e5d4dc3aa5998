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

/// Cross entropy of logits [N, C] against labels [N] int64 or distributions [N, C].
struct CrossEntropy {
  at::Tensor operator()(const at::Tensor& output, const at::Tensor& target) const {
    return at::cross_entropy_loss(output, target);
  }
};

/// Cross entropy of one logit a sample, [N] or [N, 1], against N targets: labels 0 and 1, or floating numbers in
/// [0, 1]. Right is a logit above 0 where the target is above one half.
struct BinaryCrossEntropy {
  at::Tensor operator()(const at::Tensor& output, const at::Tensor& target) const {
    return at::binary_cross_entropy_with_logits(output.flatten(), target.flatten().to(output.scalar_type()));
  }

  at::Tensor correct(const at::Tensor& output, const at::Tensor& target) const {
    return (output.flatten() > 0) == (target.flatten() > 0.5);
  }
};

/// Mean of the squared differences; nothing is right or wrong.
struct MeanSquaredError {
  at::Tensor operator()(const at::Tensor& output, const at::Tensor& target) const {
    return at::mse_loss(output, target.view_as(output));
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

  /// [N] bool; undefined where "right" has no meaning.
  [[nodiscard]] at::Tensor correct(const at::Tensor& output, const at::Tensor& target) const {
    if (correct_) {
      return (*correct_)(output, target);
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
