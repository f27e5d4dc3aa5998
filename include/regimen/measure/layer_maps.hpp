#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/data_for.hpp"
#include "regimen/measure/detail/layer_watch.hpp"
#include "regimen/measure/layer_map.hpp"
#include "regimen/model/guards.hpp"
#include "regimen/model/model.hpp"
#include "regimen/source/source.hpp"
#include "regimen/tensor/autocast.hpp"
#include "regimen/tensor/named.hpp"

namespace regimen::inline v0 {

namespace detail {

/// Makes the list of maps from what a watch has heard.
class LayerList {
 public:
  explicit LayerList(const Model& model) : tensors_(model.named_tensors()) {}

  [[nodiscard]] std::vector<LayerMap> of(const std::vector<HeardCall>& calls) {
    for (const HeardCall& call : calls) {
      call.kind == HeardCall::Kind::normalization ? add_normalization(call) : add_map(call);
    }
    std::vector<LayerMap> distinct;
    for (const Heard& heard : heard_) {
      const auto same = std::find_if(distinct.begin(), distinct.end(),
                                     [&](const LayerMap& other) { return are_same(other, heard.map); });
      if (same == distinct.end()) {
        distinct.push_back(heard.map);
      } else {
        ++same->calls;
      }
    }
    return distinct;
  }

 private:
  struct Heard {
    LayerMap map;
    const HeardCall* call;
  };

  /// The model's tensor of which this is a view or which it is; none: an empty name.
  [[nodiscard]] Named owner_of(const at::Tensor& used) const {
    for (const Named& named : tensors_) {
      if (named.tensor.is_same(used)) {
        return named;
      }
    }
    for (const Named& named : tensors_) {
      if (named.tensor.has_storage() && used.has_storage() && named.tensor.is_alias_of(used)) {
        const std::int64_t from = used.storage_offset() - named.tensor.storage_offset();
        if (from >= 0 && from < named.tensor.numel()) {
          return named;
        }
      }
    }
    return {};
  }

  void add_map(const HeardCall& call) {
    at::Tensor used = call.weight;
    at::Tensor input = call.input;
    Named owner = owner_of(used);
    bool features_second = call.output.dim() == 2 || call.kind == HeardCall::Kind::convolution;
    if (call.weight_first && owner.name.empty()) {  // a product of two tensors: the first may be the model's
      std::swap(used, input);
      owner = owner_of(used);
      features_second = false;
    } else if (call.weight_first && used.dim() == 2) {
      used = used.t();
    }
    // A product of two of the model's tensors computes a weight; where that is used it is heard.
    if ((owner.name.empty() && !call.always) || (call.weight_first && !owner_of(input).name.empty()) ||
        used.dim() < 2 || !(used.is_floating_point() || used.is_complex()) ||
        (call.kind == HeardCall::Kind::matrix && used.dim() != 2)) {
      return;
    }
    LayerMap map{.name = owner.name.empty() ? "(computed)" : owner.name,
                 .kind = call.kind == HeardCall::Kind::matrix ? LayerMap::Kind::matrix : LayerMap::Kind::convolution,
                 .parameter = owner,
                 .weight = used.detach(),
                 .input = input.sizes().slice(std::min<std::size_t>(1, input.sizes().size())).vec()};
    if (map.kind == LayerMap::Kind::convolution) {
      const auto for_each_dimension = [&](std::vector<std::int64_t> numbers) {
        const auto dimensions = static_cast<std::size_t>(used.dim() - 2);
        return numbers.size() == 1 ? std::vector<std::int64_t>(dimensions, numbers.front()) : numbers;
      };
      map.stride = for_each_dimension(call.stride);
      map.padding = for_each_dimension(call.padding);
      map.dilation = for_each_dimension(call.dilation);
      map.output_padding = for_each_dimension(call.output_padding);
      map.transposed = call.transposed;
      map.groups = call.groups;
    }
    heard_.push_back({.map = std::move(map), .call = features_second ? &call : nullptr});
  }

  void add_normalization(const HeardCall& call) {
    const auto named = [&](const at::Tensor& tensor) {
      Named owner = tensor.defined() ? owner_of(tensor) : Named{};
      owner.tensor = tensor.defined() ? tensor.detach() : at::Tensor();
      return owner;
    };
    const LayerMap::Normalization norm{
        .gain = named(call.weight), .variance = named(call.variance), .epsilon = call.epsilon};
    for (Heard& heard : heard_) {
      if (heard.call != nullptr && heard.call->output.is_same(call.input) && heard.call->version == call.version &&
          !heard.map.normalization) {
        heard.map.normalization = norm;
        return;
      }
    }
    const Named& first = norm.gain.name.empty() ? norm.variance : norm.gain;
    heard_.push_back({.map = {.name = first.name.empty() ? "(computed)" : first.name,
                              .kind = LayerMap::Kind::scale,
                              .input = call.input.sizes().slice(1).vec(),
                              .normalization = norm},
                      .call = nullptr});
  }

  static bool are_one_memory(const at::Tensor& a, const at::Tensor& b) {
    if (!a.defined() || !b.defined()) {
      return a.defined() == b.defined();
    }
    return a.is_alias_of(b) && a.storage_offset() == b.storage_offset() && a.sizes() == b.sizes() &&
           a.strides() == b.strides();
  }

  /// Whether two calls are one map. A matrix is the same map for inputs of any length; a convolution is not.
  static bool are_same(const LayerMap& a, const LayerMap& b) {
    const bool inputs = a.kind != LayerMap::Kind::convolution || a.input == b.input;
    const bool norms =
        a.normalization.has_value() == b.normalization.has_value() &&
        (!a.normalization || (are_one_memory(a.normalization->gain.tensor, b.normalization->gain.tensor) &&
                              are_one_memory(a.normalization->variance.tensor, b.normalization->variance.tensor) &&
                              a.normalization->epsilon == b.normalization->epsilon));
    return a.kind == b.kind && inputs && norms && are_one_memory(a.weight, b.weight) && a.stride == b.stride &&
           a.padding == b.padding && a.dilation == b.dilation && a.output_padding == b.output_padding &&
           a.transposed == b.transposed && a.groups == b.groups;
  }

  std::vector<Named> tensors_;
  std::vector<Heard> heard_{};
};

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

}  // namespace detail

/// The linear maps of a network in the order in which they run on one sample, heard during one forward pass in eval
/// mode: every convolution, linear layer and product with a matrix whose weight is a tensor of the model, and every
/// linear layer and convolution with a computed weight. A BatchNorm that acts on the output of a map is folded into it,
/// another one is a map of its own.
///
/// A layer that is used several times is listed once, with the number of its `calls`, and once for each BatchNorm that
/// follows it and, as a convolution, for each shape of its input: those are different maps. Not heard, since they are
/// no such maps: biases, embeddings, LayerNorm, BatchNorm without running statistics, and padding that is an operation
/// of its own (`padding_mode` other than zeros, and "same" with an even kernel): the convolution then acts on the
/// padded image. A BatchNorm is folded also where something else takes the output of the map before it.
///
/// sample: a batch of one. The model's modes are restored. Costs one forward pass of one sample.
///     for (const regimen::LayerMap& map : regimen::layer_maps(net, {3, 32, 32})) { ... map.name ... }
[[nodiscard]] inline std::vector<LayerMap> layer_maps(const Model& model, const Batch& sample) {
  const detail::ModeGuard modes(model);
  const detail::Autocast in_full(model.device().type(), false);
  const at::NoGradGuard no_grad;
  model.train(false);
  const detail::LayerWatch watch;
  const at::Tensor output = model.forward(sample);
  return detail::LayerList(model).of(watch.calls());
}

/// The linear maps of a network on a sample of zeros of this shape, without the batch: {2} or {1, 28, 28}.
[[nodiscard]] inline std::vector<LayerMap> layer_maps(const Model& model, const Integers& sample_shape) {
  return layer_maps(model, detail::sample_for(sample_shape, std::nullopt, {}, model, "layer_maps"));
}

}  // namespace regimen::inline v0
