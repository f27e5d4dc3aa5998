#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

#include <cstddef>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/curvature/jacobian.hpp"
#include "regimen/curvature/linearized.hpp"
#include "regimen/curvature/loss_surface.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/model/model.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0 {

/// How far a trained network has left the lazy, or linear, regime; all are 0 if it has not moved. All but the distance
/// fall with the width of networks whose training changes their function by as much (Chizat, Oyallon and Bach 2019;
/// Bartlett, Montanari and Rakhlin 2021, section 5).
struct Laziness {
  double distance = 0;           ///< ||w - w_0||
  double relative_distance = 0;  ///< over ||w_0||
  double kernel_change = 0;      ///< ||K - K_0||_F / ||K_0||_F of the tangent kernel K = J J' on `train`
  double off_linearized = 0;     ///< ||f - f_lin|| / ||f|| on `test`, where f_lin(x) = f(x; w_0) + J(x; w_0) (w - w_0)
};

/// The laziness of a network by another copy of it, `start`, that holds the weights w_0 from which it was trained.
/// `how` as for `LossSurface`, in whose precision all is computed. Costs two Jacobians of n C rows on `train`, with the
/// memory for both, and a few passes on `test`: for small networks or few samples. Statistics of BatchNorm that have
/// changed count in `off_linearized` alone. Throws Error if the two networks share weights, have different numbers of
/// them or lie on different devices, and all that `LossSurface` throws.
///     const double change = regimen::laziness(net, start, train, test).kernel_change;
[[nodiscard]] inline Laziness laziness(const Model& net, const Model& start, const Source& train, const Source& test,
                                       const Evaluation& how = {}) {
  const LossSurface now(net, train, how);
  const LossSurface then(start, train, how);
  detail::require(now.size() == then.size(), "laziness: the number of weights of `start`",
                  "that of the network, " + detail::text(now.size()), then.size());
  for (std::size_t i = 0; i < now.parameters().size(); ++i) {
    const at::Tensor& mine = now.parameters()[i];
    if (mine.device() != then.device() || mine.data_ptr() == then.parameters()[i].data_ptr()) {
      throw Error("laziness takes two networks on one device with weights of their own, but " +
                  now.named_parameters()[i].name +
                  " is shared, or elsewhere: `start` must be a clone(), made before the training");
    }
  }
  const auto norm = [](const at::Tensor& values) { return values.norm().item<double>(); };
  const at::Tensor weights = now.weights();
  const at::Tensor first = then.weights();
  const auto kernel = [](const LossSurface& surface) {
    const at::Tensor rows = jacobian(surface);
    return rows.matmul(rows.t());
  };
  const at::Tensor kernel_0 = kernel(then);
  std::vector<at::Tensor> parts;  // in the precision of the linearization, whatever that of `how`
  {
    const at::NoGradGuard no_grad;
    LossSurface(net, test, how).each_output([&](const at::Tensor& output, const Batch& /*batch*/) {
      parts.push_back(output.to(at::kDouble));
    });
  }
  const at::Tensor f = at::cat(parts);
  const LossSurface at_start(start, test, how);
  const double distance = norm(weights - first);
  return {.distance = distance,
          .relative_distance = distance / norm(first),
          .kernel_change = norm(kernel(now) - kernel_0) / norm(kernel_0),
          .off_linearized = norm(f - linearized_outputs(at_start, weights)) / norm(f)};
}

}  // namespace regimen::inline v0
