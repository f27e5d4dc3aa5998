#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linalg_eigvalsh.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/evaluate/walk.hpp"
#include "regimen/key/key.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/data_for.hpp"
#include "regimen/model/model.hpp"
#include "regimen/source/source.hpp"
#include "regimen/statistics/monte_carlo.hpp"
#include "regimen/tensor/autocast.hpp"
#include "regimen/tensor/real.hpp"

namespace regimen::inline v0 {

namespace detail {

/// One forward pass of a batch, connected with its input: the Jacobian of each sample's outputs by its own input, as
/// products. Samples must not depend on each other, as they do not in eval mode.
class InputSlopes {
 public:
  InputSlopes(const Model& model, Batch batch, const std::string& who) {
    if (!batch.data.is_floating_point()) {
      throw Error(who + " differentiates by the input, and takes batches whose data are floating");
    }
    batch.data = batch.data.detach().requires_grad_();
    input_ = batch.data;
    output_ = model.forward(batch).flatten(1);
    if (!output_.requires_grad()) {
      throw Error(who + ": the output does not depend on the input by differentiable operations");
    }
  }

  [[nodiscard]] std::int64_t samples() const { return output_.size(0); }
  [[nodiscard]] std::int64_t outputs() const { return output_.size(1); }
  [[nodiscard]] at::TensorOptions options() const { return output_.detach().options(); }

  /// J' u of each sample: u [N, C] -> [N, inputs]. One backward pass.
  [[nodiscard]] at::Tensor back(const at::Tensor& u, bool create_graph = false) const {
    const at::Tensor slope =
        torch::autograd::grad({output_}, {input_}, {u.to(output_.scalar_type())}, /*retain_graph=*/true, create_graph,
                              /*allow_unused=*/true)[0];
    return slope.defined() ? slope.flatten(1) : at::zeros_like(input_.detach()).flatten(1);
  }

  /// The rows of the Jacobians, [N, C, inputs] double. C backward passes.
  [[nodiscard]] at::Tensor whole() const {
    std::vector<at::Tensor> rows;
    for (std::int64_t c = 0; c < outputs(); ++c) {
      rows.push_back(back(only(c)).to(at::kDouble));
    }
    return at::stack(rows, 1);
  }

  /// A mask, [N, C]: 1 for this output.
  [[nodiscard]] at::Tensor only(std::int64_t c) const {
    at::Tensor u = at::zeros({samples(), outputs()}, options());
    u.select(1, c).fill_(1);
    return u;
  }

  /// The function v -> J v of each sample, [N, inputs] -> [N, C]: J' u is linear in u, so its derivative by u along v
  /// is J v. One backward pass with a graph here, and one for each product.
  [[nodiscard]] auto forward_products() const {
    const at::Tensor u = at::zeros({samples(), outputs()}, options()).requires_grad_();
    const at::Tensor slope = back(u, /*create_graph=*/true);
    return [u, slope](const at::Tensor& v) {
      if (!slope.requires_grad()) {
        return at::zeros_like(u.detach());
      }
      const at::Tensor product = torch::autograd::grad({slope}, {u}, {v.to(slope.scalar_type())}, /*retain_graph=*/true,
                                                       /*create_graph=*/false, /*allow_unused=*/true)[0];
      return product.defined() ? product : at::zeros_like(u.detach());
    };
  }

 private:
  at::Tensor input_;
  at::Tensor output_;
};

/// The mean over the samples of a source of the numbers [N] that each(slopes, batch) gives for a batch.
template <class Each>
double mean_over_slopes(const Model& model, const Source& data, const Evaluation& how, const std::string& who,
                        const Each& each) {
  const Autocast in_full(model.device().type(), false);
  const at::AutoGradMode with_grad(true);
  double sum = 0;
  std::int64_t samples = 0;
  walk(model, data, how, who, [&](const Batch& batch) {
    const InputSlopes slopes(model, batch, who);
    sum += each(slopes, batch).sum().template item<double>();
    samples += slopes.samples();
  });
  return sum / static_cast<double>(samples);
}

}  // namespace detail

/// The mean over the samples of the Frobenius norm of the input Jacobian, E ||d f(x) / d x||_F, where f gives the
/// logits and x is what the network is shown, after preprocessing: normalization by a standard deviation below 1 makes
/// it smaller. It says how much the outputs move with the input (Novak et al. 2018, "Sensitivity
/// and Generalization in Neural Networks", arXiv 1802.08760). The mean of norms, not the root of the mean square, for
/// which there is `InputJacobianSquare`.
///
/// Exact: 1 forward and C backward passes for C outputs, in eval mode, with the model's own type and sums in double;
/// memory of one batch. Deterministic. ReLU rescaling does not change it, as the function does not change; it grows
/// with the scale of the logits. No gradient; parameters' gradients are left alone. Samples must not depend on each
/// other in eval mode, as with BatchNorm without running statistics. Throws Error for inputs that are not floating.
///     regimen::InputJacobianNorm{.data = test}(net)
struct InputJacobianNorm {
  std::optional<Source> data{};
  Evaluation how{};

  double operator()(const Probe& probe) const {
    const Source source = detail::data_for(data, probe, "InputJacobianNorm");
    return detail::mean_over_slopes(probe.model, source, detail::filled_in(how, probe.how), "InputJacobianNorm",
                                    [](const detail::InputSlopes& slopes, const Batch&) {
                                      at::Tensor squares =
                                          at::zeros({slopes.samples()}, slopes.options()).to(at::kDouble);
                                      for (std::int64_t c = 0; c < slopes.outputs(); ++c) {
                                        squares = squares + slopes.back(slopes.only(c)).to(at::kDouble).square().sum(1);
                                      }
                                      return squares.sqrt();
                                    });
  }
};

/// The mean over the samples of the squared Frobenius norm of the input Jacobian, E ||d f(x) / d x||_F^2, by random
/// projections: |J' v|^2 with the C entries of v standard normal has this mean. A draw takes 1 forward and 1 backward
/// pass over the data whatever C is; `MonteCarloEstimate::passes` counts these pairs. The projection of a sample is a
/// function of (draws.seed, its id, the number of the draw), so networks that are compared get the same ones, and the
/// batch size does not matter. NaN, from the first draw that is not finite, for a network that has diverged. Otherwise
/// like `InputJacobianNorm`.
[[nodiscard]] inline MonteCarloEstimate input_jacobian_square(const Model& model, const Source& data,
                                                              const Evaluation& how = {}, const Draws& draws = {}) {
  return monte_carlo(
      [&](std::int64_t draw) {
        return detail::mean_over_slopes(
            model, data, how, "input_jacobian_square", [&](const detail::InputSlopes& slopes, const Batch& batch) {
              const Key key = Key(draws.seed, batch.id.to(batch.data.device())).fold(static_cast<std::uint64_t>(draw));
              return slopes.back(key.normal({slopes.outputs()})).to(at::kDouble).square().sum(1);
            });
      },
      draws);
}

/// The function `input_jacobian_square` as a measure: "value", and "half_width" of its confidence interval.
///     scoring.measures["jacobian"] = regimen::InputJacobianSquare{.data = test, .draws = {.relative = 0.05}};
struct InputJacobianSquare {
  std::optional<Source> data{};
  Evaluation how{};
  Draws draws{};

  void check() const { draws.check(); }

  [[nodiscard]] std::vector<std::string> names() const { return {"value", "half_width"}; }

  Numbers operator()(const Probe& probe) const {
    check();
    const Source source = detail::data_for(data, probe, "InputJacobianSquare");
    const auto found = input_jacobian_square(probe.model, source, detail::filled_in(how, probe.how), draws);
    return {{"value", found.value}, {"half_width", found.half_width}};
  }
};

/// The mean over the samples of the spectral norm of the input Jacobian, E ||d f(x) / d x||_2: how far the outputs move
/// at most for an input that moves by 1. Otherwise like `InputJacobianNorm`.
///
/// iterations = 0: exact, from J J' of each sample: 1 forward and C backward passes, and the memory of a batch's
/// Jacobians in double. iterations > 0, for many outputs: power iteration on J'J of each sample at once, 1 forward pass
/// and 2 backward passes for each iteration, plus one with a graph; that takes a network that can be differentiated
/// twice. A sample's iteration ends, whatever its batch, when its norm changes by at most `tolerance`, relatively, and
/// after `iterations` at the latest, where the result is NaN. It is never above the norm, and below it by more than the
/// tolerance where the two largest singular values are close. The start of a sample is a function of (seed, its id).
/// Throws Error unless iterations >= 0 and tolerance is in (0, 1).
struct InputJacobianSpectralNorm {
  std::optional<Source> data{};
  Evaluation how{};
  Integer iterations = 0;
  double tolerance = 1e-9;
  std::uint64_t seed = 0;

  void check() const {
    detail::require(iterations >= 0, "InputJacobianSpectralNorm.iterations", "at least 0", iterations);
    detail::require(tolerance > 0 && tolerance < 1, "InputJacobianSpectralNorm.tolerance", "in (0, 1)", tolerance);
  }

  double operator()(const Probe& probe) const {
    check();
    const Source source = detail::data_for(data, probe, "InputJacobianSpectralNorm");
    return detail::mean_over_slopes(probe.model, source, detail::filled_in(how, probe.how), "InputJacobianSpectralNorm",
                                    [&](const detail::InputSlopes& slopes, const Batch& batch) {
                                      return iterations > 0 ? iterated(slopes, batch) : exact(slopes);
                                    });
  }

 private:
  /// [N] double; NaN for a Jacobian that is not finite, which LAPACK would refuse.
  static at::Tensor exact(const detail::InputSlopes& slopes) {
    const at::NoGradGuard no_grad;
    const at::Tensor jacobians = slopes.whole();
    const at::Tensor squares = jacobians.matmul(jacobians.transpose(1, 2));
    const at::Tensor broken = squares.isfinite().flatten(1).all(1).logical_not();
    const at::Tensor largest = at::linalg_eigvalsh(squares.masked_fill(broken.view({-1, 1, 1}), 0)).amax(1);
    return largest.clamp_min(0).sqrt().masked_fill(broken, std::nan(""));
  }

  [[nodiscard]] at::Tensor iterated(const detail::InputSlopes& slopes, const Batch& batch) const {
    const auto forward = slopes.forward_products();
    const Key key(seed, batch.id.to(batch.data.device()));
    const auto unit = [](const at::Tensor& v) { return v / v.norm(2, {1}, /*keepdim=*/true).clamp_min(1e-300); };
    at::Tensor u = unit(key.normal({slopes.outputs()}).to(at::kDouble));
    at::Tensor norms = at::zeros({slopes.samples()}, u.options());
    at::Tensor done = norms.to(at::kBool);
    for (std::int64_t i = 0; i < iterations && !done.all().item<bool>(); ++i) {
      const at::Tensor v = slopes.back(u).to(at::kDouble);
      const at::Tensor now = v.norm(2, {1});
      const at::Tensor moves = (now - norms).abs() > tolerance * now;
      norms = at::where(done, norms, now);
      done = done.logical_or(moves.logical_not());
      u = unit(forward(unit(v)).to(at::kDouble));
    }
    return norms.masked_fill(done.logical_not(), std::nan(""));
  }
};

}  // namespace regimen::inline v0
