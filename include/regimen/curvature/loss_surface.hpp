#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/curvature/detail/pass_check.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/evaluate/walk.hpp"
#include "regimen/execute/execution.hpp"
#include "regimen/model/guards.hpp"
#include "regimen/model/model.hpp"
#include "regimen/model/selector.hpp"
#include "regimen/source/source.hpp"
#include "regimen/tensor/real.hpp"

namespace regimen::inline v0 {

/// The mean loss over all samples of a source as a function of a network's weights w: what the curvature operators
/// differentiate, and what measures of sharpness look at nearby.
///
/// The weights are the parameters that require a gradient and that the selector takes, each once, as one vector
/// [size()] of doubles on the model's device. The network is in eval mode, so BatchNorm uses its running statistics and
/// dropout is off. It computes in the parameters' own type, without TF32, whatever precision `how` has, since
/// derivatives of bfloat16 losses are noise. The loss is computed in double from its outputs: in float the cross
/// entropy of a sample and its derivatives vanish from a margin of 16 on, in double from 36 on. (A loss with
/// float tensors of its own, such as torch::nn::CrossEntropyLoss with weights, is computed in float;
/// `CrossEntropy{.class_weights}` is not.) Samples count as they do in the loss, whatever the batches. Memory does not
/// grow with the number of samples, but for six numbers a batch.
///
/// All passes must see one function. Each pass is compared with the first one, batch by batch: the data, and at the
/// weights themselves the outputs; and the very first batch is computed twice. Where they differ it throws Error: for
/// dropout that a network applies in eval mode too at once, for random preprocessing and shuffling in the second pass.
/// `frozen` data make preprocessing repeatable. The weights may move between passes by `displaced` alone: make a new
/// surface after a step of training. Throws Error for data without samples or end, and if no parameter is selected or
/// one is complex.
///     const regimen::LossSurface surface(net, train, {.preprocess = {normalize}}, regimen::Matrices{});
///     const double sharper = surface.loss_at(direction) - surface.loss();
class LossSurface {
 public:
  /// `who`: the name in errors, of the part that makes the surface.
  LossSurface(Model model, Source data, Evaluation how = {}, const AnySelector& parameters = AllParameters{},
              std::string who = "LossSurface")
      : model_(std::move(model)), data_(std::move(data)), how_(std::move(how)), who_(std::move(who)) {
    detail::require_ends(data_, who_);
    how_.execute.precision = Precision::fp32;
    std::vector<Named> trained;
    for (const Named& named : model_.named_parameters()) {
      if (named.tensor.requires_grad()) {
        trained.push_back(named);
      }
    }
    named_ = parameters.among(trained, who_);
    for (const Named& named : named_) {
      if (named.tensor.is_complex()) {
        throw Error(who_ + " takes real parameters, and " + named.name + " is complex: leave it out by a selector");
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

  /// A vector [size()] as tensors of the parameters' shapes and types. Throws Error for another length.
  [[nodiscard]] std::vector<at::Tensor> unflat(const at::Tensor& vector) const {
    detail::require(vector.dim() == 1 && vector.size(0) == size_, who_ + ": the length of a vector of weights",
                    "the number of weights, " + detail::text(size_), vector.numel());
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

  /// Calls visit(output, batch) for each batch, in eval mode; the caller decides about gradients. Throws Error if a
  /// batch, or at the weights themselves its output, is another than in the first pass.
  template <class Visit>
  void each_output(const Visit& visit) const {
    const detail::WithoutTf32 precise;
    detail::PassCheck check(passes_->seen, passes_->displacements == 0, vector_options(), who_);
    detail::walk(model_, data_, how_, who_, [&](const Batch& batch) {
      const at::Tensor output = how_.execute.forward(model_, batch);
      check.add(output, batch);
      if (check.needs_again()) {
        const at::NoGradGuard no_grad;
        check.again(how_.execute.forward(model_, batch));
      }
      visit(output, batch);
    });
    check.finish();
  }

  /// The mean loss of a batch, 0-d double. Throws Error for a loss without a gradient.
  [[nodiscard]] at::Tensor mean_loss(const at::Tensor& output, const Batch& batch) const {
    return in_double(output, batch,
                     [this](const at::Tensor& z, const at::Tensor& target) { return how_.loss(z, target); });
  }

  /// The losses of a batch's samples, [N] double; their mean with `sample_weights` is `mean_loss`. Throws Error for a
  /// loss without a gradient.
  [[nodiscard]] at::Tensor losses(const at::Tensor& output, const Batch& batch) const {
    return in_double(output, batch,
                     [this](const at::Tensor& z, const at::Tensor& target) { return how_.loss.each(z, target); });
  }

  /// By how much each sample of a batch counts in the mean loss, [N] double on the model's device: 0 if it is ignored.
  [[nodiscard]] at::Tensor sample_weights(const Batch& batch) const {
    return how_.loss.weight(batch.target, batch.size()).to(device());
  }

  /// By how much a batch counts in the mean over all, and in the sum of counts.
  struct Count {
    double factor;  ///< of the batch's mean loss
    double all;     ///< of the batch in the denominator
  };
  [[nodiscard]] Count count(const Batch& batch) const {
    const double number = how_.loss.sums() ? 1 : how_.loss.count(batch.target, batch.size()).number();
    return {number, how_.loss.sums() ? static_cast<double>(batch.size()) : number};
  }

  /// Calls visit(loss, count) for each batch: its mean loss, 0-d double, and the number of samples, or the sum of
  /// weights, that this is the mean of. Returns the sum of all counts.
  template <class Visit>
  double each_loss(const Visit& visit) const {
    double counts = 0;
    each_output([&](const at::Tensor& output, const Batch& batch) {
      const Count counted = count(batch);
      visit(mean_loss(output, batch), counted.factor);
      counts += counted.all;
    });
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
      sum.add_(slope((losses(output, batch) * weights_of(batch)).sum(), /*create_graph=*/false));
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
  /// What passes know of each other. Copies of a surface share it.
  struct Passes {
    detail::PassCheck::Seen seen{};
    int displacements = 0;     ///< of the weights, now
    bool in_own_type = false;  ///< whether the loss cannot be computed in double
  };

  /// of(output, target) with outputs and targets in double. A module or function with float tensors of its own may take
  /// float alone, and gets that.
  template <class Of>
  [[nodiscard]] at::Tensor in_double(const at::Tensor& output, const Batch& batch, const Of& of) const {
    at::Tensor loss;
    if (!passes_->in_own_type) {
      try {
        loss = of(detail::raised(output), detail::raised(batch.target));
      } catch (const Error&) {
        throw;
      } catch (const std::exception&) {  // c10::Error, or that of a TorchScript
        passes_->in_own_type = true;
      }
    }
    if (passes_->in_own_type) {
      const bool floating = output.is_floating_point();
      loss = detail::raised(of(floating ? output.to(parameters_.front().scalar_type()) : output, batch.target));
    }
    if (at::GradMode::is_enabled() && output.requires_grad() && !loss.requires_grad()) {
      throw Error(who_ +
                  ": the loss has no gradient by the network's outputs: it is computed from a detached "
                  "output, or without gradients, or from the predicted class alone");
    }
    return loss;
  }

  [[nodiscard]] at::Tensor slope(const at::Tensor& loss, bool create_graph) const {
    return flat(gradients(loss, create_graph));
  }

  Model model_;
  Source data_;
  Evaluation how_;
  std::string who_;
  std::vector<Named> named_;
  std::vector<at::Tensor> parameters_;
  std::int64_t size_ = 0;
  std::shared_ptr<Passes> passes_ = std::make_shared<Passes>();
};

}  // namespace regimen::inline v0
