#pragma once

#include <ATen/core/Reduction.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/masked_fill.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/json.hpp"
#include "regimen/base/manifest.hpp"
#include "regimen/batch/tensors.hpp"
#include "regimen/loss/count.hpp"
#include "regimen/loss/cross_entropy.hpp"
#include "regimen/loss/detail/mean_loss.hpp"
#include "regimen/loss/module.hpp"
#include "regimen/loss/module_manifest.hpp"
#include "regimen/loss/pointwise.hpp"
#include "regimen/loss/predicted.hpp"
#include "regimen/model/modules.hpp"
#include "regimen/record/erased.hpp"
#include "regimen/tensor/checksum.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// A function of output and target that returns the *mean* loss as a 0-d tensor. It may also have these members, all
/// const:
///
///     at::Tensor each(output, target)      loss of each sample, [N]; a loss that has it need not be callable
///     at::Tensor weight(target)            weight of each sample in the mean of `each`, [N]; without it 1
///     at::Tensor correct(output, target)   correctness, entry by entry: bool, or floating shares in [0, 1] with NaN
///                                          for entries that are not judged; accuracy is the mean over the others
///     LossCount count(target)              denominator of the mean, a number or 0-d; without it the batch's samples
///     void check_target(target)            throws Error for targets that the loss cannot take
///     bool sums()                          true for a sum over the samples in place of a mean
///
/// For a loss without `correct`, accuracy is scored only if it has one meaning: output [N, C, ...] and integer target
/// [N, ...], correct if the target is the argmax; a target out of [0, C) is not judged. A loss that is a sum over the
/// samples: `SummedLoss`.
template <class L>
concept Loss = requires(const L& loss, const at::Tensor& output, const at::Tensor& target) {
  { loss(output, target) } -> std::convertible_to<at::Tensor>;
} || requires(const L& loss, const at::Tensor& output, const at::Tensor& target) {
  { loss.each(output, target) } -> std::convertible_to<at::Tensor>;
};

/// A loss of any type: one of regimen's, a function of output and target, or a loss module of torch::nn.
class AnyLoss : public detail::Erased {
 public:
  /// No loss given: CrossEntropy, unless the part that reads this has another default.
  AnyLoss() : AnyLoss(CrossEntropy{}) { is_given_ = false; }

  template <class L>
    requires(!std::same_as<L, AnyLoss> && !detail::StandIn<L>)
  AnyLoss(L loss) {  // NOLINT: a loss is one of any kind
    static_assert(
        Loss<L> || detail::LossModule<L>,
        "a loss must be callable as: at::Tensor loss(const at::Tensor& output, const at::Tensor& target) const; "
        "or have each(output, target), [N]");
    if constexpr (Loss<L>) {
      bind(std::move(loss));
    } else if constexpr (detail::LossModule<L>) {
      bind_module(std::move(loss));
    }
  }

  /// The mean loss, 0-d; 0 if `count` is 0, whatever the loss returns then.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& output, const at::Tensor& target) const {
    const at::Tensor loss = parts_->call(output, target);
    if (!parts_->may_be_of_nothing) {
      return loss;
    }
    const LossCount count = parts_->count(target);
    return count.known() && count.number() > 0 ? loss : loss.masked_fill(count.on(loss.device()) == 0, 0);
  }

  /// The loss of each sample, [N], floating, as far as it counts in the mean. A loss with `each` decides whether it is
  /// differentiable. A loss without `each` is called with one sample at a time: slow, but right for every mean or sum
  /// over samples.
  [[nodiscard]] at::Tensor each(const at::Tensor& output, const at::Tensor& target) const {
    if (parts_->each) {
      return parts_->each(output, target);
    }
    std::vector<at::Tensor> losses;
    for (std::int64_t i = 0; i < output.size(0); ++i) {
      const at::Tensor one = output.narrow(0, i, 1);
      const at::Tensor own = target.defined() ? target.narrow(0, i, 1) : target;
      // A mean over nothing is 0 / 0, and so is its gradient, whatever is written over the value.
      const bool counts = !parts_->may_be_of_nothing || parts_->count(own).number() > 0;
      losses.push_back(counts ? parts_->call(one, own) : (one * 0).sum());
    }
    return losses.empty() ? output.new_empty({0}) : at::stack(losses);
  }

  /// Correctness, entry by entry: bool, or floating with NaN for entries that are not judged; undefined if the loss has
  /// no accuracy. Throws Error if a loss's own `correct` has more entries than there are labels or positions.
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

  /// The denominator of the mean loss of a batch with this number of samples.
  [[nodiscard]] LossCount count(const at::Tensor& target, std::int64_t samples) const {
    return parts_->count ? parts_->count(target) : LossCount(samples);
  }

  /// The weight of each sample in the mean loss, [N] double on the target's device: 0 for a sample that is ignored, 1
  /// for all samples of a sum or of a loss that says nothing else. The mean of `each` with these weights is the mean
  /// loss.
  [[nodiscard]] at::Tensor weight(const at::Tensor& target, std::int64_t samples) const {
    if (!target.defined() || sums() || !(parts_->weight || parts_->count)) {
      return at::ones({samples}, (target.defined() ? target.options() : at::TensorOptions()).dtype(at::kDouble));
    }
    if (parts_->weight) {
      return parts_->weight(target).to(at::kDouble);
    }
    std::vector<at::Tensor> counts;
    for (std::int64_t i = 0; i < samples; ++i) {
      counts.push_back(parts_->count(target.narrow(0, i, 1)).on(target.device()));
    }
    return at::stack(counts);
  }

  /// False for the default loss.
  [[nodiscard]] bool is_given() const { return is_given_; }

  /// Whether the loss says itself what the loss of each sample is.
  [[nodiscard]] bool has_each() const { return parts_->each != nullptr; }

  /// Whether it is known that all samples weigh the same in the mean.
  [[nodiscard]] bool weighs_alike(const at::Tensor& target) const {
    const bool says_weights = parts_->weight || parts_->count;
    return !says_weights || (parts_->alike_if_known && parts_->count(target).known());
  }

  /// Whether the loss has a `count` of its own.
  [[nodiscard]] bool counts() const { return parts_->count != nullptr; }

  /// Whether the loss is a sum over the samples in place of a mean.
  [[nodiscard]] bool sums() const { return parts_->sums; }

  /// Throws Error for targets that the loss cannot take, whatever the output; does nothing for a loss without
  /// `check_target`.
  void check_target(const at::Tensor& target) const {
    if (parts_->check_target) {
      parts_->check_target(target);
    }
  }

 private:
  struct Parts {
    std::function<at::Tensor(const at::Tensor&, const at::Tensor&)> call;
    std::function<at::Tensor(const at::Tensor&, const at::Tensor&)> each;
    std::function<at::Tensor(const at::Tensor&, const at::Tensor&)> correct;
    std::function<at::Tensor(const at::Tensor&)> weight;
    std::function<LossCount(const at::Tensor&)> count;
    bool may_be_of_nothing = false;  ///< true if the mean may be over nothing and so be NaN
    bool alike_if_known = false;     ///< true if a count that the host knows is that of samples of one weight
    std::function<void(const at::Tensor&)> check_target;
    bool sums = false;
  };

  template <class L>
  void bind(L loss) {
    static_assert(
        !requires(L& l, const at::Tensor& t) { l.correct(t, t); } ||
            requires(const L& l, const at::Tensor& t) { at::Tensor(l.correct(t, t)); },
        "correct must be: at::Tensor correct(const at::Tensor& output, const at::Tensor& target) const");
    static_assert(
        !requires(L& l, const at::Tensor& t) { l.each(t, t); } || detail::SaysEach<L>,
        "each must be: at::Tensor each(const at::Tensor& output, const at::Tensor& target) const");
    static_assert(
        !requires(L& l, const at::Tensor& t) { l.weight(t); } || detail::SaysWeight<L>,
        "weight must be: at::Tensor weight(const at::Tensor& target) const");
    static_assert(
        !(
            requires(L& l, const at::Tensor& t) { l.count(t); } ||
            requires(L& l, const at::Tensor& t) { l.count(t, t); }) ||
            requires(const L& l, const at::Tensor& t) { LossCount(l.count(t)); },
        "count must be: regimen::LossCount count(const at::Tensor& target) const");
    auto parts = std::make_shared<Parts>();
    const auto shared = remember(std::move(loss));
    parts->call = [shared](const at::Tensor& output, const at::Tensor& target) {
      return detail::mean_loss(*shared, output, target);
    };
    if constexpr (detail::SaysEach<L>) {
      parts->each = [shared](const at::Tensor& o, const at::Tensor& t) { return detail::each_of(*shared, o, t); };
    }
    if constexpr (requires(const at::Tensor& t) { shared->correct(t, t); }) {
      parts->correct = [shared](const at::Tensor& o, const at::Tensor& t) { return shared->correct(o, t); };
    }
    if constexpr (detail::SaysWeight<L>) {
      parts->weight = [shared](const at::Tensor& target) { return shared->weight(target); };
    }
    if constexpr (detail::SaysCount<L>) {
      parts->count = [shared](const at::Tensor& target) { return LossCount(shared->count(target)); };
      parts->may_be_of_nothing = !std::same_as<L, CrossEntropy>;  // whose loss is 0 then
      parts->alike_if_known = std::same_as<L, CrossEntropy>;
    } else if constexpr (detail::SaysWeight<L>) {
      parts->count = [shared](const at::Tensor& target) {
        return LossCount(shared->weight(target).sum().to(at::kDouble));
      };
      parts->may_be_of_nothing = requires(const at::Tensor& t) { at::Tensor((*shared)(t, t)); };
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

  /// Binds a loss module; its options tell the denominator of its mean, as far as they are PyTorch's.
  template <class L>
  void bind_module(L loss) {
    auto parts = std::make_shared<Parts>();
    const auto shared = std::make_shared<L>(std::move(loss));
    remember_manifest([text = detail::manifest_of_loss_module(**shared)] { return text; });
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
