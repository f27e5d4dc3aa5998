#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/config.hpp"
#include "regimen/measure/detail/layer_watch.hpp"
#include "regimen/measure/detail/weight_trail.hpp"
#include "regimen/measure/layer_map.hpp"
#include "regimen/tensor/named.hpp"

namespace regimen::inline v0::detail {

/// The list of maps of what a watch has heard, which must outlive it.
class LayerList {
 public:
  explicit LayerList(const LayerWatch& watch)
      : tensors_(watch.tensors()), unheard_(watch.unheard()), met_(watch.met()), met_closely_(watch.met_closely()) {
    for (const HeardCall& call : watch.calls()) {
      call.kind == HeardCall::Kind::normalization ? add_normalization(call) : add_map(call);
    }
  }

  [[nodiscard]] std::vector<LayerMap> maps() const {
    std::vector<LayerMap> distinct;
    for (const Heard& heard : heard_) {
      if (!is_layer(heard)) {
        continue;
      }
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

  /// The parameters of which a use was not heard as a map.
  [[nodiscard]] const Sources& unheard() const { return unheard_; }

 private:
  struct Heard {
    LayerMap map;
    const HeardCall* call;
    bool on_constant = false;  ///< a product with a constant that is none of the model's: the first state of a cell
    Sources from{};
  };

  /// A product with a constant is a layer if its weight is one elsewhere or meets the sample nowhere; else the product
  /// computes a weight, and that is heard.
  [[nodiscard]] bool is_layer(const Heard& heard) const {
    const auto meets = [&](const std::string& name) { return met_closely_.count(name) > 0; };
    return !heard.on_constant || std::none_of(heard.from.begin(), heard.from.end(), meets) ||
           std::any_of(heard_.begin(), heard_.end(),
                       [&](const Heard& other) { return !other.on_constant && are_same(other.map, heard.map); });
  }

  [[nodiscard]] Named owner_of(const at::Tensor& used) const { return owner_among(tensors_, used); }

  /// The weight of a product, [out, in], and what else it holds; exchanged where the first factor is the weight.
  struct Used {
    at::Tensor weight;
    at::Tensor input;
    std::optional<Sources> from;
    std::optional<Sources> input_from;
    bool features_second;  ///< whether dimension 1 of the output counts the map's outputs, as for BatchNorm
  };

  static Used used_in(const HeardCall& call) {
    Used used{call.weight, call.input, call.weight_from, call.input_from,
              call.output.dim() == 2 || call.kind == HeardCall::Kind::convolution};
    if (call.kind == HeardCall::Kind::convolution) {
      return used;
    }
    if (call.is_product && !used.from) {  // the first may be the model's
      std::swap(used.weight, used.input);
      std::swap(used.from, used.input_from);
      used.features_second = false;
    } else if (call.is_product && used.weight.dim() >= 2) {
      used.weight = used.weight.transpose(-2, -1);
    }
    while (used.weight.dim() > 2 && used.weight.size(0) == 1) {  // a stack of one matrix, as einsum makes it
      used.weight = used.weight.select(0, 0);
    }
    if (used.weight.dim() == 1) {
      used.weight = used.weight.unsqueeze(0);
      used.features_second = false;
    }
    return used;
  }

  void add_map(const HeardCall& call) {
    const Used used = used_in(call);
    const Named owner = owner_of(used.weight);
    if (call.is_product) {
      const bool is_weight = used.from && (!used.from->empty() || !owner.name.empty());
      // A product of two of the model's tensors computes a weight; where that meets the sample it is heard.
      const bool computes = used.input_from && (!used.input_from->empty() || !owner_of(used.input).name.empty());
      if (is_weight && computes) {
        add_unmet(*used.from);
        add_unmet(*used.input_from);
      }
      if (!is_weight || computes) {
        return;
      }
    }
    if (!(used.weight.is_floating_point() || used.weight.is_complex())) {
      return;
    }
    if (call.kind == HeardCall::Kind::matrix && used.weight.dim() != 2) {  // a matrix for each part of the sample
      const Sources from = used.from.value_or(Sources{});
      unheard_.insert(from.begin(), from.end());
      return;
    }
    LayerMap map{.name = owner.name.empty() ? computed_from(used.from) : owner.name,
                 .kind = call.kind == HeardCall::Kind::matrix ? LayerMap::Kind::matrix : LayerMap::Kind::convolution,
                 .parameter = owner,
                 .weight = used.weight.detach(),
                 .input = used.input.sizes().slice(std::min<std::size_t>(1, used.input.sizes().size())).vec()};
    if (map.kind == LayerMap::Kind::convolution) {
      const auto for_each_dimension = [&](std::vector<std::int64_t> numbers) {
        const auto dimensions = static_cast<std::size_t>(used.weight.dim() - 2);
        return numbers.size() == 1 ? std::vector<std::int64_t>(dimensions, numbers.front()) : numbers;
      };
      map.stride = for_each_dimension(call.stride);
      map.padding = for_each_dimension(call.padding);
      map.dilation = for_each_dimension(call.dilation);
      map.output_padding = for_each_dimension(call.output_padding);
      map.transposed = call.transposed;
      map.groups = call.groups;
    }
    heard_.push_back({.map = std::move(map),
                      .call = used.features_second ? &call : nullptr,
                      .on_constant = call.is_product && used.input_from.has_value(),
                      .from = used.from.value_or(Sources{})});
  }

  /// A weight that never meets the sample: the sample took a way that nobody heard.
  void add_unmet(const Sources& names) {
    std::set_difference(names.begin(), names.end(), met_.begin(), met_.end(), std::inserter(unheard_, unheard_.end()));
  }

  /// "(computed)", with the names of the parameters where they are known.
  static std::string computed_from(const std::optional<Sources>& from) {
    std::string names;
    for (const std::string& name : from.value_or(Sources{})) {
      names += (names.empty() ? " from " : ", ") + name;
    }
    return "(computed" + names + ")";
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
                      .call = nullptr,
                      .on_constant = false,
                      .from = {}});
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
  Sources unheard_;
  Sources met_;
  Sources met_closely_;
  std::vector<Heard> heard_{};
};

}  // namespace regimen::inline v0::detail
