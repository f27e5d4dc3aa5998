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

/// One of several transforms, each sample another: `picks` times in a row one of them is drawn for each sample, all
/// equally likely, with putting back, and done to it. That is how RandAugment chooses among its operations (Cubuk et
/// al. 2020, "RandAugment: Practical automated data augmentation with a reduced search space", section 3).
///
/// `regimen::chain()` does nothing, and stands for "leave it as it is". Each choice has randomness of its own, and each
/// time that it is drawn another. The transforms must keep shape and type of data, targets and further tensors: among
/// bytes, none that turns them to float.
///
/// On the CPU each transform is done to the samples that drew it. On other devices, and in a recorded step, where how
/// many these are is not known on the host, every transform is done to all samples and the drawn results are kept: it
/// costs picks times all of them.
/// Throws Error unless there is a transform to choose and picks >= 1.
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
  /// Transforms the samples that drew a transform, and puts them side by side again.
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

  /// Transforms all samples each time, and keeps what they drew.
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
