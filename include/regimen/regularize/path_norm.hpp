#pragma once

#include "regimen/measure/paths.hpp"
#include "regimen/model/guards.hpp"
#include "regimen/regularize/concept.hpp"
#include "regimen/regularize/pass.hpp"
#include "regimen/schedule/bounds.hpp"
#include "regimen/tensor/autocast.hpp"

namespace regimen::inline v0 {

/// strength * (path norm)^p: the sum over all paths from input to output of the product of |w|^p along the path
/// (Neyshabur, Tomioka and Srebro 2015). Runs the network once more, forward and backward, on one input of ones in eval
/// mode; BatchNorm is folded with its running statistics, which are constants.
///
/// BatchNorms are found by the names of their buffers, running_mean and running_var. `epsilon` is the number that all
/// of them add to a variance: LibTorch's default, unless yours have another (`BatchNorm2dOptions::eps`). A wrong one
/// matters where variances are not larger than it.
///
/// The network must be made of linear maps, ReLU and pooling, which is run as it is (see `path_norm`); a convolution
/// before BatchNorm should have no bias. Throws Error unless strength >= 0, p >= 1 and epsilon is in [0, 1), and if the
/// pass has no model.
struct PathNorm {
  NotNegative<"PathNorm.strength"> strength = 1e-4;
  double p = 2;
  double epsilon = 1e-5;

  void check() const { detail::check_path_norm(p, epsilon, "PathNorm."); }

  [[nodiscard]] at::Tensor penalty(const Pass& pass) const {
    if (pass.model == nullptr) {
      throw Error("PathNorm runs the network again: set Pass.model");
    }
    const detail::ModeGuard modes(*pass.model);
    const detail::Autocast in_full(pass.model->device().type(), false);
    pass.model->train(false);
    at::Tensor total;
    std::vector<at::Tensor> values;
    std::vector<at::Tensor> slopes;
    {
      const detail::PathWeights paths(*pass.model, p, epsilon);
      total = detail::sum_over_paths(*pass.model, pass.batch.data.sizes().slice(1), detail::options_of(*pass.model));
      total.backward();
      for (std::size_t i = 0; i < paths.values().size(); ++i) {
        values.push_back(paths.values()[i]);
        slopes.push_back(paths.parameters()[i].tensor.grad());
      }
    }
    // The sum and its gradient for the restored parameters: the chain rule by hand.
    at::Tensor penalty = total.detach();
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (slopes[i].defined() && values[i].requires_grad()) {
        penalty = penalty + ((values[i] - values[i].detach()) * slopes[i]).sum();
      }
    }
    return penalty * pass.now.tensor(strength);
  }
};

}  // namespace regimen::inline v0
