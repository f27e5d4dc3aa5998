#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "regimen/base/integer.hpp"
#include "regimen/evaluate/evaluate.hpp"
#include "regimen/execute/execution.hpp"
#include "regimen/loss/concept.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/observe/event.hpp"
#include "regimen/optimizer/concept.hpp"
#include "regimen/regularize/concept.hpp"
#include "regimen/schedule/bounds.hpp"
#include "regimen/schedule/concept.hpp"
#include "regimen/source/source.hpp"
#include "regimen/stop/concept.hpp"
#include "regimen/transform/concept.hpp"

namespace regimen::inline v0 {

/// One phase of a regime: its data, optimizer, loss, regularizers, schedules and end. `data`, `optimizer` and `epochs`
/// must be set.
struct Phase {
  std::string name = "train";
  Source data{};                   ///< training data, with the damage that the network is to learn
  OptimizerRef optimizer{};        ///< borrowed; its state is cleared when the phase begins
  Integer epochs = 0;              ///< maximum number of epochs, at least 1
  Stop until{};                    ///< stop criterion, asked before every epoch but the first
  Knob lr_scale = 1;               ///< factor on the optimizer's learning rates during a step, at least 0
  std::optional<Knob> momentum{};  ///< in (0, 1), replaces the optimizer's momentum, or the first beta of Adam and
                                   ///< AdamW
  Knob weight_decay_scale = 1;     ///< factor on the optimizer's weight decays, at least 0
  Integer batch = 128;             ///< samples per batch, at least 1
  AnyLoss loss = CrossEntropy{};
  std::vector<AnyTransform> augment{};       ///< new draws at every epoch; in training only
  std::vector<AnyTransform> preprocess{};    ///< applied after augmentation and in scoring: normalization
  std::vector<AnyRegularizer> regularize{};  ///< each kind of hook in this order
  Integer accumulate = 1;                    ///< batches per optimizer step, at least 1: gradient accumulation
  std::vector<std::string> freeze{};         ///< parameters, or modules by name, that keep their values; buffers, such
                                             ///< as BatchNorm's running statistics, still change
  std::vector<std::string> eval{};           ///< modules by name that stay in eval mode: no dropout, and BatchNorm is
                                             ///< fixed. Name a frozen backbone in both
  Execution execute{};                       ///< device, precision, memory format, recorded steps
  std::uint64_t seed = 0;                    ///< random seed of the data's order, augmentation, and dropout
  bool shuffle = true;
  bool drop_last = false;              ///< leave out a last batch that is smaller than the others
  bool carry_optimizer_state = false;  ///< keep the optimizer's state at the phase's begin

  /// Throws Error for a field out of its bounds.
  void check() const {
    const std::string who = "Phase \"" + name + "\".";
    if (!data.defined()) {
      throw Error(who + "data must be set");
    }
    if (!optimizer.defined()) {
      throw Error(who + "optimizer must be set");
    }
    if (!data.size()) {
      throw Error(who + "data must end: limit(stream, samples) says where an epoch of a stream does");
    }
    detail::require(*data.size() > 0, who + "data.size()", "above 0", *data.size());
    detail::require(epochs >= 1, who + "epochs", "at least 1", epochs);
    detail::require(batch >= 1, who + "batch", "at least 1", batch);
    detail::require(!drop_last || batch <= *data.size(), who + "batch",
                    "at most data.size() = " + detail::text(*data.size()) + " with drop_last", batch);
    detail::require(accumulate >= 1, who + "accumulate", "at least 1", accumulate);
    const std::string scale = who + "lr_scale";
    Bounds::not_negative(scale).check(lr_scale);
    check_driven(who);
  }

 private:
  void check_driven(const std::string& who) const {
    const std::string decay_field = who + "weight_decay_scale";
    const std::string momentum_field = who + "momentum";
    Bounds::not_negative(decay_field).check(weight_decay_scale);
    if (momentum) {
      Bounds::open_share(momentum_field).check(*momentum);
    }
    const bool decay_is_driven = !weight_decay_scale.constant() || weight_decay_scale({}) != 1;
    if ((momentum || decay_is_driven) && !optimizer.has_momentum()) {
      throw Error((momentum ? momentum_field : decay_field) +
                  " drives SGD, Adam, AdamW, RMSprop, and what derives from them, given as themselves: this optimizer "
                  "is none of them");
    }
  }
};

}  // namespace regimen::inline v0
