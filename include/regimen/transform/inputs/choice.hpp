#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/where.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "regimen/base/integer.hpp"
#include "regimen/transform/concept.hpp"
#include "regimen/transform/inputs/values.hpp"

namespace regimen::inline v0 {

/// A random one of several transforms for each sample, `picks` times in a row, all equally likely and with replacement.
/// RandAugment chooses its operations so (Cubuk et al. 2020, "RandAugment: Practical automated data augmentation with a
/// reduced search space", section 3).
///
/// `regimen::chain()` changes nothing, and stands for the identity. Each choice, and each pick of it, has its own
/// randomness. The transforms must keep shape and type of data, targets and further tensors: none may turn bytes into
/// floats.
///
/// On the CPU each transform is applied to the samples that drew it. On other devices and in a recorded step, where the
/// host does not know their number, every transform is applied to all samples and the drawn results are kept: that
/// costs `picks` times all transforms.
/// Throws Error unless there is at least one choice and picks >= 1.
///     regimen::RandomChoice{.choices = {regimen::chain(), regimen::Cutout{}, regimen::Contrast{}}, .picks = 2}
struct RandomChoice {
  std::vector<AnyTransform> choices{};
  Integer picks = 1;

  void check() const {
    detail::require(!choices.empty(), "RandomChoice.choices.size()", "at least 1", choices.size());
    detail::require(picks >= 1, "RandomChoice.picks", "at least 1", picks);
  }

  Batch operator()(Batch batch, const Key& key) const {
    for (int time = 0; time < picks; ++time) {
      const Key own = key.fold(static_cast<std::uint64_t>(time));
      const at::Tensor drawn = own.fold(0).below(static_cast<std::int64_t>(choices.size()));
      const bool on_host = drawn.is_cpu() && batch.data.is_cpu() && own.now().slots == nullptr;
      batch = on_host ? by_parts(batch, drawn, own) : by_choice(batch, drawn, own);
    }
    return batch;
  }

 private:
  /// Applies each transform to the samples that drew it, and restores the order.
  [[nodiscard]] Batch by_parts(const Batch& batch, const at::Tensor& drawn, const Key& key) const {
    std::vector<at::Tensor> places;
    std::vector<Batch> parts;
    for (std::size_t i = 0; i < choices.size(); ++i) {
      const at::Tensor here = (drawn == static_cast<std::int64_t>(i)).nonzero().flatten();
      if (here.numel() > 0) {
        const Batch part = rows(batch, here);
        parts.push_back(choices[i](part, key.fold(i + 1).for_ids(key.ids().index_select(0, here))));
        detail::require_same_kind(part, parts.back(), "RandomChoice");
        places.push_back(here);
      }
    }
    if (parts.empty()) {
      return batch;
    }
    const at::Tensor back = at::cat(places).argsort();
    return detail::change_parts(batch, [&](const auto& tensor) {
      std::vector<at::Tensor> each;
      for (const Batch& part : parts) {
        each.push_back(tensor(part));
      }
      return at::cat(each).index_select(0, back);
    });
  }

  /// Applies every transform to all samples, and keeps the drawn results.
  [[nodiscard]] Batch by_choice(const Batch& batch, const at::Tensor& drawn, const Key& key) const {
    Batch result = batch;
    for (std::size_t i = 0; i < choices.size(); ++i) {
      const Batch changed = choices[i](batch, key.fold(i + 1));
      detail::require_same_kind(batch, changed, "RandomChoice");
      const at::Tensor here = drawn == static_cast<std::int64_t>(i);
      result = detail::change_parts(result, [&](const auto& tensor) {
        const at::Tensor& all = tensor(result);
        const at::Tensor& after = tensor(changed);
        return tensor(batch).is_same(after) ? all
                                            : at::where(detail::by_sample(here.to(all.device()), all), after, all);
      });
    }
    return result;
  }
};

}  // namespace regimen::inline v0
