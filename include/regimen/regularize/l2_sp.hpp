#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "regimen/model/parameter_names.hpp"
#include "regimen/model/snapshot.hpp"
#include "regimen/regularize/concept.hpp"
#include "regimen/regularize/pass.hpp"
#include "regimen/schedule/bounds.hpp"
#include "regimen/tensor/device_copies.hpp"
#include "regimen/tensor/sums.hpp"

namespace regimen::inline v0 {

namespace detail {

/// The target of `L2SP`: a snapshot, copied to another device when its tensors are first needed there.
class Anchor {
 public:
  Anchor(Snapshot snapshot)  // NOLINT: a snapshot is all that it is
      : snapshot_(std::move(snapshot)), kept_(snapshot_.tensors().size()) {}

  /// The stored value of a parameter, on its device and in its type; undefined if the snapshot has none of that name
  /// and shape.
  [[nodiscard]] at::Tensor of(const Named& parameter) const {
    const at::Tensor& now = parameter.tensor;
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      const Named& then = snapshot_.tensors()[i];
      if (parameter.is_called(then.name) && then.tensor.sizes() == now.sizes()) {
        return kept_[i].on(now.device(), now.sizes(), [&] { return then.tensor; }).to(now.scalar_type());
      }
    }
    return {};
  }

  [[nodiscard]] std::string manifest() const { return snapshot_.manifest(); }

 private:
  Snapshot snapshot_;
  std::vector<DeviceCopies> kept_;
};

}  // namespace detail

/// Pulls the parameters towards a snapshot, "L2-SP" (Li, Grandvalet and Davoine 2018): strength / 2 * the sum of (w -
/// w_start)^2, plus elsewhere / 2 * the sum of w^2 over the parameters that the snapshot does not have by name and
/// shape, such as those of a new head.
///     const regimen::Snapshot pretrained(net);
///     phase.regularize = {regimen::L2SP{.start = pretrained}};
///
/// The snapshot may be another network's and on another device: it is copied to the model's device once. The manifest
/// has its number of tensors and their CRC-32. Throws Error unless strength >= 0 and elsewhere >= 0, if the pass has no
/// model, and if the snapshot has none of the pass's parameters.
struct L2SP {
  detail::Anchor start;  ///< a Snapshot
  NotNegative<"L2SP.strength"> strength = 0.1;
  NotNegative<"L2SP.elsewhere"> elsewhere = 0.01;

  [[nodiscard]] at::Tensor penalty(const Pass& pass) const {
    std::vector<at::Tensor> moved;
    std::vector<at::Tensor> others;
    for (const Named& named : detail::with_names(pass.parameters, pass.model, "L2SP")) {
      const at::Tensor from = start.of(named);
      if (from.defined()) {
        moved.push_back(named.tensor - from);
      } else {
        others.push_back(named.tensor);
      }
    }
    if (moved.empty()) {
      throw Error("L2SP.start has none of the parameters that are trained, by name and shape");
    }
    return detail::sum_of_squares(moved) * (pass.now.tensor(strength) * 0.5) +
           detail::sum_of_squares(others) * (pass.now.tensor(elsewhere) * 0.5);
  }
};

}  // namespace regimen::inline v0
