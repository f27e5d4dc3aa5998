#pragma once

#include <ATen/core/Reduction.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "regimen/base/error.hpp"
#include "regimen/base/json.hpp"
#include "regimen/base/manifest.hpp"
#include "regimen/batch/tensors.hpp"
#include "regimen/loss/count.hpp"
#include "regimen/loss/cross_entropy.hpp"
#include "regimen/loss/module.hpp"
#include "regimen/loss/module_manifest.hpp"
#include "regimen/loss/pointwise.hpp"
#include "regimen/loss/predicted.hpp"
#include "regimen/model/modules.hpp"
#include "regimen/record/hooks.hpp"
#include "regimen/tensor/checksum.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// What is asked of the network? Takes output and target, gives the *mean* loss as a 0-d tensor. It may also have, each
/// const,
///
///     at::Tensor correct(output, target)   what is right: bool, or floating shares in [0, 1] with NaN for what is not
///                                          to be judged; accuracy is the mean over all that was judged
///     LossCount count(target)              what the mean is over, a number or 0-d; without it the batch's samples
///     void check_target(target)            throws Error for targets that it cannot take
///     bool sums()                          whether it is a sum over the samples instead of a mean
///
/// A loss that does not say what is right is scored by accuracy only where that has one meaning: output [N, C, ...] and
/// target [N, ...] integers, right if the target is the argmax; a target out of [0, C) is not judged. A loss that is a
/// sum over the samples: `SummedLoss`.
template <class L>
concept Loss = requires(const L& loss, const at::Tensor& output, const at::Tensor& target) {
  { loss(output, target) } -> std::convertible_to<at::Tensor>;
};

namespace detail {

/// The most entries that a loss may judge: one a label, or one a sample and position of outputs [N, C, ...].
inline std::int64_t most_to_judge(const at::Tensor& output, const at::Tensor& target) {
  const std::int64_t positions =
      output.dim() < 2 ? output.numel() : output.numel() / std::max<std::int64_t>(output.size(1), 1);
  return target.defined() ? std::max(target.numel(), positions) : output.numel();
}

}  // namespace detail

/// Any loss: one of regimen's, a function of output and target, or a loss module of torch::nn.
class AnyLoss {
 public:
  /// None given: CrossEntropy, unless whoever reads this knows better.
  AnyLoss() : AnyLoss(CrossEntropy{}) { is_given_ = false; }

  template <class L>
    requires(!std::same_as<L, AnyLoss> && !detail::StandIn<L>)
  AnyLoss(L loss) {  // NOLINT: a loss is one of any kind
    static_assert(
        Loss<L> || detail::LossModule<L>,
        "a loss must be callable as: at::Tensor loss(const at::Tensor& output, const at::Tensor& target) const");
    if constexpr (Loss<L>) {
      bind(std::move(loss));
    } else if constexpr (detail::LossModule<L>) {
      bind_module(std::move(loss));
    }
  }

  /// 0 where the loss's own count says that nothing counts, whatever the mean of nothing is there.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& output, const at::Tensor& target) const {
    const at::Tensor loss = parts_->call(output, target);
    if (!parts_->may_be_of_nothing) {
      return loss;
    }
    const LossCount count = parts_->count(target);
    return count.known() && count.number() > 0 ? loss : loss.masked_fill(count.on(loss.device()) == 0, 0);
  }

  /// What was judged, entry by entry: bool, or floating with NaN for what was not; undefined where "right" has no
  /// meaning. Throws Error where a loss's own `correct` judges more than there is.
  [[nodiscard]] at::Tensor correct(const at::Tensor& output, const at::Tensor& target) const {
    if (parts_->correct) {
      const at::Tensor right = parts_->correct(output, target);
      if (right.defined() && right.numel() > detail::most_to_judge(output, target)) {
        throw Error("a loss's correct(output, target) judges more than there is: it is " + detail::described(right) +
                    " for an output of " + detail::described(output) + " and a target of " + detail::described(target));
      }
      return right;
    }
    return detail::are_labels_for(output, target) ? detail::labels_predicted(output, target) : at::Tensor();
  }

  /// What the loss of a batch of so many samples is a mean over.
  [[nodiscard]] LossCount count(const at::Tensor& target, std::int64_t samples) const {
    return parts_->count ? parts_->count(target) : LossCount(samples);
  }

  /// Whether it was given, and is not the default.
  [[nodiscard]] bool is_given() const { return is_given_; }

  /// Whether the loss itself says what its mean is over.
  [[nodiscard]] bool counts() const { return parts_->count != nullptr; }

  /// Whether it is a sum over the samples instead of a mean.
  [[nodiscard]] bool sums() const { return parts_->sums; }

  /// Throws Error for targets that the loss cannot take, whatever the output; where the loss says nothing, none.
  void check_target(const at::Tensor& target) const {
    if (parts_->check_target) {
      parts_->check_target(target);
    }
  }

  [[nodiscard]] const std::string& manifest() const { return parts_->manifest; }

 private:
  struct Parts {
    std::function<at::Tensor(const at::Tensor&, const at::Tensor&)> call;
    std::function<at::Tensor(const at::Tensor&, const at::Tensor&)> correct;
    std::function<LossCount(const at::Tensor&)> count;
    bool may_be_of_nothing = false;  ///< its mean may be over nothing, and NaN
    std::function<void(const at::Tensor&)> check_target;
    bool sums = false;
    std::string manifest;
  };

  template <class L>
  void bind(L loss) {
    static_assert(
        !requires(L& l, const at::Tensor& t) { l.correct(t, t); } ||
            requires(const L& l, const at::Tensor& t) { at::Tensor(l.correct(t, t)); },
        "correct must be: at::Tensor correct(const at::Tensor& output, const at::Tensor& target) const");
    static_assert(
        !(
            requires(L& l, const at::Tensor& t) { l.count(t); } ||
            requires(L& l, const at::Tensor& t) { l.count(t, t); }) ||
            requires(const L& l, const at::Tensor& t) { LossCount(l.count(t)); },
        "count must be: regimen::LossCount count(const at::Tensor& target) const");
    detail::check_fields(loss);
    auto parts = std::make_shared<Parts>();
    parts->manifest = regimen::manifest(loss);
    const auto shared = std::make_shared<const L>(std::move(loss));
    parts->call = [shared](const at::Tensor& output, const at::Tensor& target) { return (*shared)(output, target); };
    if constexpr (requires(const at::Tensor& t) { shared->correct(t, t); }) {
      parts->correct = [shared](const at::Tensor& o, const at::Tensor& t) { return shared->correct(o, t); };
    }
    if constexpr (requires(const at::Tensor& t) { LossCount(shared->count(t)); }) {
      parts->count = [shared](const at::Tensor& target) { return LossCount(shared->count(target)); };
      parts->may_be_of_nothing = !std::same_as<L, CrossEntropy>;  // which gives 0 then
    }
    if constexpr (requires(const at::Tensor& t) { shared->check_target(t); }) {
      parts->check_target = [shared](const at::Tensor& target) { shared->check_target(target); };
    }
    static_assert(
        !requires(L& l, const at::Tensor& t) { l.check_target(t); } ||
            requires(const L& l, const at::Tensor& t) { l.check_target(t); },
        "check_target must be: void check_target(const at::Tensor& target) const");
    static_assert(
        !requires(L& l) { l.sums(); } || requires(const L& l) { bool{l.sums()}; }, "sums must be: bool sums() const");
    if constexpr (requires { bool{shared->sums()}; }) {
      parts->sums = shared->sums();
    }
    parts_ = std::move(parts);
  }

  /// A module's options say what its value is a mean over, as far as they are PyTorch's.
  template <class L>
  void bind_module(L loss) {
    auto parts = std::make_shared<Parts>();
    const auto shared = std::make_shared<L>(std::move(loss));
    parts->manifest = detail::manifest_of_loss_module(**shared);
    const std::int64_t reduction = detail::reduction_of(**shared);
    if (reduction == at::Reduction::None) {
      throw Error(
          "a loss must give one number: the reduction of this module must be torch::kMean or torch::kSum, but "
          "is torch::kNone");
    }
    parts->sums = reduction == at::Reduction::Sum;
    parts->call = [shared](const at::Tensor& output, const at::Tensor& target) {
      return (*shared)->forward(output, detail::beside(output, target, **shared));
    };
    if constexpr (detail::JudgesLabels<decltype(**shared)>) {
      parts->check_target = [](const at::Tensor& target) { detail::check_labels_of_module(target); };
      parts->count = [shared](const at::Tensor& target) {
        return detail::count_of_module(target, (*shared)->options.ignore_index(), (*shared)->weight);
      };
      parts->may_be_of_nothing = true;
      parts->correct = [shared](const at::Tensor& output, const at::Tensor& target) {
        if (!detail::are_labels_for(output, target)) {
          return at::Tensor();
        }
        const at::Tensor ignored = target == (*shared)->options.ignore_index();
        return detail::labels_predicted(output, target).masked_fill(ignored, std::nan(""));
      };
    }
    parts_ = std::move(parts);
  }

  std::shared_ptr<const Parts> parts_;
  bool is_given_ = true;
};

}  // namespace regimen::inline v0
