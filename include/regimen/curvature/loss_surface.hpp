#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "regimen/batch/batch.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/evaluate/walk.hpp"
#include "regimen/model/guards.hpp"
#include "regimen/model/model.hpp"
#include "regimen/model/selector.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0 {

/// The mean loss over all samples of a source as a function of a network's weights w: what the curvature operators
/// differentiate, and what measures of sharpness look at nearby.
///
/// The weights are the parameters that require a gradient and that the selector takes, each once, as one vector
/// [size()] of doubles on the model's device. The network is in eval mode, so BatchNorm uses its running statistics and
/// dropout is off; it computes in the parameters' own type, whatever precision `how` has, since derivatives of bfloat16
/// losses are noise. Samples count as they do in the loss, whatever the batches. Memory does not grow with the number
/// of samples.
///
/// All passes must see one function: if `each_loss`, `loss` or `gradient` at the same weights gives a batch another
/// loss than the first such pass did, it throws Error. So random preprocessing, shuffling and dropout that a network
/// applies in eval mode too are refused at the second pass; `frozen` data make preprocessing repeatable. `each_output`
/// and `weighted_gradient` do not compare. The weights may move between passes by `displaced` alone: make a new surface
/// after a step of training. Throws Error for data without samples or end, and if no parameter is selected or one is
/// complex.
///     const regimen::LossSurface surface(net, train, {.preprocess = {normalize}}, regimen::Matrices{});
///     const double sharper = surface.loss_at(direction) - surface.loss();
class LossSurface {
 public:
  LossSurface(Model model, Source data, Evaluation how = {}, const AnySelector& parameters = AllParameters{})
      : model_(std::move(model)), data_(std::move(data)), how_(std::move(how)) {
    detail::require_ends(data_, "LossSurface");
    how_.execute.precision = Precision::fp32;
    std::vector<Named> trained;
    for (const Named& named : model_.named_parameters()) {
      if (named.tensor.requires_grad()) {
        trained.push_back(named);
      }
    }
    named_ = parameters.among(trained, "LossSurface");
    for (const Named& named : named_) {
      if (named.tensor.is_complex()) {
        throw Error("LossSurface takes real parameters, and " + named.name + " is complex: leave it out by a selector");
      }
      parameters_.push_back(named.tensor);
      size_ += named.tensor.numel();
    }
  }

  /// The number of weights.
  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] const Model& model() const { return model_; }
  [[nodiscard]] const Source& data() const { return data_; }
  [[nodiscard]] const Evaluation& how() const { return how_; }
  [[nodiscard]] at::Device device() const { return parameters_.front().device(); }

  /// The parameters that are the weights, in the vector's order.
  [[nodiscard]] const std::vector<Named>& named_parameters() const { return named_; }
  [[nodiscard]] const std::vector<at::Tensor>& parameters() const { return parameters_; }

  /// Tensors of the parameters' shapes as one vector, [size()] double; undefined ones are zeros.
  [[nodiscard]] at::Tensor flat(const std::vector<at::Tensor>& tensors) const {
    std::vector<at::Tensor> parts;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      parts.push_back(tensors[i].defined() ? tensors[i].detach().to(at::kDouble).flatten()
                                           : at::zeros({parameters_[i].numel()}, vector_options()));
    }
    return at::cat(parts);
  }

  /// A vector [size()] as tensors of the parameters' shapes and types.
  [[nodiscard]] std::vector<at::Tensor> unflat(const at::Tensor& vector) const {
    std::vector<at::Tensor> tensors;
    std::int64_t begin = 0;
    for (const at::Tensor& parameter : parameters_) {
      const at::Tensor part = vector.narrow(0, begin, parameter.numel());
      tensors.push_back(part.view(parameter.sizes()).to(parameter.scalar_type()));
      begin += parameter.numel();
    }
    return tensors;
  }

  /// The weights, [size()] double.
  [[nodiscard]] at::Tensor weights() const { return flat(parameters_); }

  [[nodiscard]] at::TensorOptions vector_options() const {
    return at::TensorOptions().device(device()).dtype(at::kDouble);
  }

  /// Calls visit(output, batch) for each batch, in eval mode; the caller decides about gradients.
  template <class Visit>
  void each_output(const Visit& visit) const {
    detail::walk(model_, data_, how_, "LossSurface",
                 [&](const Batch& batch) { visit(how_.execute.forward(model_, batch), batch); });
  }

  /// Calls visit(loss, count) for each batch: its mean loss, 0-d, and the number of samples, or the sum of weights,
  /// that this is the mean of. Returns the sum of all counts. Checks that the losses are those of earlier passes.
  template <class Visit>
  double each_loss(const Visit& visit) const {
    Losses losses(*this);
    double counts = 0;
    each_output([&](const at::Tensor& output, const Batch& batch) {
      const AnyLoss& loss = how_.loss;
      const at::Tensor value = loss(output, batch.target);
      losses.add(value.item<double>());
      const double count = loss.sums() ? 1 : loss.count(batch.target, batch.size()).number();
      visit(value, count);
      counts += loss.sums() ? static_cast<double>(batch.size()) : count;
    });
    losses.finish();
    return counts;
  }

  /// The mean loss. Costs a forward pass.
  [[nodiscard]] double loss() const {
    const at::NoGradGuard no_grad;
    double sum = 0;
    const double counts = each_loss([&](const at::Tensor& loss, double count) { sum += loss.item<double>() * count; });
    return sum / counts;
  }

  /// The mean loss and its gradient, [size()] double.
  struct Slope {
    double loss = 0;
    at::Tensor gradient{};
  };

  /// The mean loss and its gradient together. Costs a forward and a backward pass.
  [[nodiscard]] Slope loss_and_gradient() const {
    Slope sum{.gradient = at::zeros({size_}, vector_options())};
    const at::AutoGradMode with_graph(true);
    const double counts = each_loss([&](const at::Tensor& loss, double count) {
      sum.loss += loss.item<double>() * count;
      sum.gradient.add_(slope(loss, /*create_graph=*/false), count);
    });
    return {sum.loss / counts, sum.gradient / counts};
  }

  /// The gradient of the mean loss, [size()] double. Costs a forward and a backward pass.
  [[nodiscard]] at::Tensor gradient() const { return loss_and_gradient().gradient; }

  /// The sum over all samples i of a_i times the gradient of sample i's loss, [size()] double, where weights_of(batch)
  /// gives a_i as [N]. Costs a forward and a backward pass, and no gradients of single samples: with random signs a_i
  /// its expected square is the sum of the squares of all samples' gradients.
  template <class WeightsOf>
  [[nodiscard]] at::Tensor weighted_gradient(const WeightsOf& weights_of) const {
    at::Tensor sum = at::zeros({size_}, vector_options());
    const at::AutoGradMode with_graph(true);
    each_output([&](const at::Tensor& output, const Batch& batch) {
      const at::Tensor each = how_.loss.each(output, batch.target);
      sum.add_(slope((each * weights_of(batch).to(each.scalar_type())).sum(), /*create_graph=*/false));
    });
    return sum;
  }

  /// The gradients of a 0-d function of the parameters, in their shapes; undefined for unused parameters. Empty where
  /// the function does not depend on any.
  [[nodiscard]] std::vector<at::Tensor> gradients(const at::Tensor& of, bool create_graph,
                                                  bool keep_graph = false) const {
    if (!of.requires_grad()) {
      return std::vector<at::Tensor>(parameters_.size());
    }
    return torch::autograd::grad({of}, parameters_, {}, keep_graph || create_graph, create_graph,
                                 /*allow_unused=*/true);
  }

  /// Moves the weights by a vector [size()] for the result's lifetime; its destructor restores them bit for bit.
  [[nodiscard]] auto displaced(const at::Tensor& by) const {
    struct Displacement {
      Displacement(const LossSurface& surface, const at::Tensor& by)
          : passes(surface.passes_), moved(surface.parameters_, surface.unflat(by)) {
        ++passes->displacements;
      }
      ~Displacement() { --passes->displacements; }
      Displacement(const Displacement&) = delete;
      Displacement& operator=(const Displacement&) = delete;

      std::shared_ptr<Passes> passes;
      detail::Moved moved;
    };
    return Displacement(*this, by);
  }

  /// The mean loss at the weights plus a vector, [size()]. Costs a forward pass.
  [[nodiscard]] double loss_at(const at::Tensor& displacement) const {
    const auto moved = displaced(displacement);
    return loss();
  }

 private:
  /// The batches' losses in the first pass at the weights themselves, and how many displacements there are now. Copies
  /// of a surface share them.
  struct Passes {
    std::vector<double> losses;
    bool recorded = false;
    int displacements = 0;
  };

  /// One pass over the losses: records them, or compares them with those of the first pass.
  class Losses {
   public:
    explicit Losses(const LossSurface& surface)
        : passes_(*surface.passes_), look_(passes_.displacements == 0), compare_(passes_.recorded) {}

    void add(double loss) {
      if (look_ && compare_ && (number_ >= passes_.losses.size() || !agree(loss, passes_.losses[number_]))) {
        throw Error("LossSurface: two passes over the data differ in batch " + detail::text(number_) + ": a loss of " +
                    (number_ < passes_.losses.size() ? detail::text(passes_.losses[number_]) : std::string("none")) +
                    ", then of " + detail::text(loss) +
                    ". Something is random: preprocessing (frozen data are not), a stream that shuffles, dropout that "
                    "is on in eval mode; or the weights have changed since the surface was made: make a new one");
      }
      if (look_ && !compare_) {
        seen_.push_back(loss);
      }
      ++number_;
    }

    void finish() {
      if (look_ && !compare_) {
        passes_.losses = std::move(seen_);
        passes_.recorded = true;
      }
    }

   private:
    /// Whether two losses differ by rounding alone, which on a GPU also depends on the order of sums.
    static bool agree(double a, double b) {
      return std::abs(a - b) <= 1e-4 * std::abs(b) + 1e-6 || (std::isnan(a) && std::isnan(b));
    }

    Passes& passes_;
    bool look_;
    bool compare_;
    std::vector<double> seen_;
    std::size_t number_ = 0;
  };

  [[nodiscard]] at::Tensor slope(const at::Tensor& loss, bool create_graph) const {
    return flat(gradients(loss, create_graph));
  }

  Model model_;
  Source data_;
  Evaluation how_;
  std::vector<Named> named_;
  std::vector<at::Tensor> parameters_;
  std::int64_t size_ = 0;
  std::shared_ptr<Passes> passes_ = std::make_shared<Passes>();
};

}  // namespace regimen::inline v0
