#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/base/text_list.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/data_for.hpp"
#include "regimen/measure/detail/layer_list.hpp"
#include "regimen/measure/detail/layer_watch.hpp"
#include "regimen/measure/detail/weight_trail.hpp"
#include "regimen/measure/layer_map.hpp"
#include "regimen/model/guards.hpp"
#include "regimen/model/model.hpp"
#include "regimen/source/source.hpp"
#include "regimen/tensor/autocast.hpp"
#include "regimen/tensor/named.hpp"

namespace regimen::inline v0 {

namespace detail {

/// The sample on which a measure runs the network to hear its layers: zeros of a shape if one is given, else the first
/// sample of the measure's or the phase's data.
inline Batch sample_for(const Integers& shape, const std::optional<Source>& data, const Evaluation& how,
                        const Probe& probe, const std::string& who) {
  const Evaluation filled = filled_in(how, probe.how);
  if (!shape.empty()) {
    std::vector<std::int64_t> sizes{1};
    sizes.insert(sizes.end(), shape.begin(), shape.end());
    at::TensorOptions options = at::TensorOptions().device(probe.model.device());
    for (const at::Tensor& parameter : probe.model.parameters()) {
      if (parameter.is_floating_point()) {
        options = options.dtype(parameter.scalar_type());
        break;
      }
    }
    return {.data = at::zeros(sizes, options)};
  }
  if (!data && !probe.fit.defined()) {
    throw Error(who + " runs the network on one sample: set " + who + ".sample_shape or " + who +
                ".data, or take it within a run, where it has the phase's data");
  }
  const Source source = data_for(data, probe, who);
  const Cursor next = source.read({.batch = 1, .now = filled.now});
  return prepared(next(), filled.preprocess, probe.model.device(), filled.now.on(source));
}

/// What `heard_layers` gives.
struct HeardLayers {
  std::vector<LayerMap> maps;
  Sources unheard;  ///< names of parameters
};

/// The layers of a network on a sample, and the parameters of which a use was not heard as a map.
inline HeardLayers heard_layers(const Model& model, Batch sample) {
  const ModeGuard modes(model);
  const Autocast in_full(model.device().type(), false);
  // In inference mode tensors do not count how often they are written to, which tells a BatchNorm behind a layer from
  // one behind an operation in place.
  const c10::InferenceMode off(false);
  const at::NoGradGuard no_grad;
  if (sample.data.is_inference()) {
    sample.data = sample.data.clone();  // for networks that write to it
  }
  model.train(false);
  std::vector<at::Tensor> given;
  visit_tensors(sample, [&](const at::Tensor& tensor) { given.push_back(tensor); });
  const LayerWatch watch(model.named_parameters(), model.named_buffers(), given);
  const at::Tensor output = model.forward(sample);
  const Sources met = watch.met();
  const bool some_unmet = std::any_of(watch.tensors().begin(), watch.tensors().end(), [&](const Named& each) {
    return each.tensor.dim() >= 2 && met.count(each.name) == 0;
  });
  if (!watch.fused().empty() && some_unmet) {
    throw Error("the layers of the network cannot be told: TorchScript has fused some of them into one kernel, " +
                watch.fused() +
                ". Call the module through regimen::Script, or call "
                "torch::jit::setTensorExprFuserEnabled(false) before the module first runs");
  }
  const LayerList list(watch);
  return {list.maps(), list.unheard()};
}

/// The layers of a network. Throws Error, in the name of `who`, for a parameter of which a use was not heard and that
/// is not in `unheard`: the result would leave it out. So for a name in `unheard` that no parameter has.
inline std::vector<LayerMap> all_layers(const Model& model, const Batch& sample, const std::string& who,
                                        const std::vector<std::string>& unheard) {
  HeardLayers heard = heard_layers(model, sample);
  const std::vector<Named> parameters = model.named_parameters();
  for (const std::string& name : unheard) {
    if (std::none_of(parameters.begin(), parameters.end(), [&](const Named& each) { return each.name == name; })) {
      throw Error(who + ": `unheard` names " + name + ", which is no parameter of the network");
    }
    heard.unheard.erase(name);
  }
  if (!heard.unheard.empty()) {
    std::string names;
    for (const std::string& name : heard.unheard) {
      add_item(names, name);
    }
    throw Error(
        who + " does not know what the network does with " + names +
        ", and would leave it out. It knows weights that are a single matrix or kernel, in convolutions, linear, "
        "matmul, mm and addmm with alpha = 1, and parameters that are only added: write the layer in these, or "
        "accept that it is left out, by its name in `unheard` of " +
        who);
  }
  return std::move(heard.maps);
}

}  // namespace detail

/// The linear maps of a network in the order in which they run on one sample, heard during one forward pass in eval
/// mode: every convolution, linear layer and product with a matrix or a vector whose weight is a tensor of the model or
/// computed from its tensors, and every linear layer and convolution with another weight. A BatchNorm that acts on the
/// output of a map is folded into it, another one is a map of its own.
///
/// A layer that is used several times is listed once, with the number of its `calls`, and once for each BatchNorm that
/// follows it and, as a convolution, for each shape of its input: those are different maps. So is a weight that is
/// computed anew for each use. Not heard, since they are no such maps: biases and all that is added, embeddings,
/// LayerNorm, factors of one dimension, BatchNorm without running statistics, and padding that is an operation of its
/// own (`padding_mode` other than zeros, and "same" with an even kernel): the convolution then acts on the padded
/// image. A BatchNorm is folded also where something else takes the output of the map before it.
///
/// sample: a batch of one. The model's modes are restored. Costs one forward pass of one sample, out of inference mode.
/// Throws Error for a parameter of two or more dimensions that meets the sample in another operation: a product with a
/// stack of matrices (bmm), addmm with an alpha, a factor of each element, an LSTM that LibTorch computes as one
/// operation, as on a GPU. unheard: names of parameters for which that is no Error: such uses of them are left out, and
/// layers that are heard are listed as ever. A factor with one dimension longer than 1, [C, 1, 1], is a vector.
///     for (const regimen::LayerMap& map : regimen::layer_maps(net, {3, 32, 32})) { ... map.name ... }
[[nodiscard]] inline std::vector<LayerMap> layer_maps(const Model& model, const Batch& sample,
                                                      const std::vector<std::string>& unheard = {}) {
  return detail::all_layers(model, sample, "layer_maps", unheard);
}

/// The linear maps of a network on a sample of zeros of this shape, without the batch: {2} or {1, 28, 28}.
[[nodiscard]] inline std::vector<LayerMap> layer_maps(const Model& model, const Integers& sample_shape,
                                                      const std::vector<std::string>& unheard = {}) {
  return layer_maps(model, detail::sample_for(sample_shape, std::nullopt, {}, model, "layer_maps"), unheard);
}

}  // namespace regimen::inline v0
