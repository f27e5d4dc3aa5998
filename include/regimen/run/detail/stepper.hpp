#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "regimen/execute/capture.hpp"
#include "regimen/key/generator_guard.hpp"
#include "regimen/model/guards.hpp"
#include "regimen/optimizer/scheduled_options.hpp"
#include "regimen/run/detail/phase_errors.hpp"
#include "regimen/run/detail/step_data.hpp"
#include "regimen/run/detail/step_objective.hpp"
#include "regimen/run/detail/step_taken.hpp"
#include "regimen/run/phase.hpp"
#include "regimen/schedule/bounds.hpp"

namespace regimen::inline v0::detail {

/// The steps of one phase: reads its data and trains on them, by replaying a recorded step if the phase asks for it and
/// it is possible.
class Stepper {
 public:
  /// sharing: nullptr, or how the steps are shared by processes. notice(text) is called once if steps are not recorded,
  /// with the reason.
  Stepper(const Model& model, const Phase& phase, GeneratorGuard& generators, Sharing* sharing,
          std::function<void(const std::string&)> notice)
      : model_(model),
        phase_(phase),
        data_(phase),
        objective_(model, phase, generators, sharing),
        is_shared_(sharing != nullptr),
        fields_(phase),
        knobs_{
            .lr_scale = checked(phase.lr_scale, Bounds::not_negative(fields_.lr_scale)),
            .momentum = phase.momentum ? std::optional(checked(*phase.momentum, Bounds::open_share(fields_.momentum)))
                                       : std::nullopt,
            .weight_decay_scale = checked(phase.weight_decay_scale, Bounds::not_negative(fields_.weight_decay_scale))},
        notice_(std::move(notice)) {
    if (phase.execute.graph) {
      const std::string why_not = cannot_be_recorded();
      if (why_not.empty()) {
        index_ = at::empty({data_.rows_a_step()}, at::TensorOptions().dtype(at::kLong).device(model.device()));
        prepare_recording();
      } else {
        tell(why_not);
      }
    }
  }

  Stepper(const Stepper&) = delete;
  Stepper& operator=(const Stepper&) = delete;

  /// Begins to read an epoch's data.
  void begin_epoch(const Order& order) { data_.begin_epoch(order, /*by_index=*/captured_ != nullptr); }

  /// Reads the data of the next step; false at the end of the epoch.
  [[nodiscard]] bool next() { return data_.next(); }

  /// Trains on the data. The result is all that the rest of the run gets to know of a step.
  [[nodiscard]] StepTaken step(const Moment& now) {
    StepTaken taken{.batches = data_.batches()};
    in_phase(
        phase_.name,
        [&] {
          taken.lr_scale = now(knobs_.lr_scale);
          take_step(now, taken.lr_scale);
        },
        [&](const std::string& said) { return described_batch(objective_.pass(), said); });
    taken.overflowed = !objective_.finite();
    taken.loss = objective_.loss();
    taken.sums = phase_.loss.sums();
    taken.count = objective_.count();
    taken.samples = objective_.samples();
    if (const auto& scaler = objective_.scaler()) {
      taken.loss_scale = scaler->factor();
      taken.loss_scale_steps = scaler->steps();
    }
    return taken;
  }

  /// In a shared run: makes the pass that of all processes together, for observers.
  void gather_pass() { objective_.gather_pass(); }

  /// The pass of the last step.
  [[nodiscard]] const Pass& pass() const { return objective_.pass(); }

  /// Restores fp16's loss scale if a stopped phase had one.
  void restore_loss_scale(double factor, std::int64_t steps) {
    if (objective_.scaler() && factor > 0) {
      objective_.scaler()->restore(factor, steps);
    }
  }

  /// Seeds the generators for the scoring after these steps, for models and measures that draw: scores must not depend
  /// on what an observer drew, or on a restart.
  void seed_scoring(const Clock& clock, std::int64_t part = 0) { objective_.seed_scoring(clock, part); }

 private:
  void take_step(const Moment& now, double lr_scale) {
    if (captured_ == nullptr || !data_.is_full_step()) {
      eager_step(data_.batches_of(now), now, lr_scale);
    } else {
      captured_step(now);
    }
  }

  /// Field names for error messages.
  struct Fields {
    explicit Fields(const Phase& phase)
        : lr_scale("Phase \"" + phase.name + "\".lr_scale"),
          momentum("Phase \"" + phase.name + "\".momentum"),
          weight_decay_scale("Phase \"" + phase.name + "\".weight_decay_scale") {}

    std::string lr_scale;
    std::string momentum;
    std::string weight_decay_scale;
  };

  /// The reason why the phase's steps cannot be recorded; empty if none is known yet.
  [[nodiscard]] std::string cannot_be_recorded() const {
    const at::Device device = model_.device();
    if (is_shared_) {
      return "the processes that share the run exchange gradients in each of them";
    }
    if (phase_.execute.precision == Precision::fp16) {
      return "in fp16 the host looks at the gradients of each of them";
    }
    if (!phase_.optimizer.fusible()) {
      return "of the optimizers only torch::optim::SGD, given as itself, has a fused step";
    }
    if (!phase_.data.indexed() || phase_.data.device() != device) {
      return "the data are not on " + device.str() + ", where cached(data, device) would put them";
    }
    return "";
  }

  void tell(const std::string& why_not) {
    notice_("steps are done operation by operation, not by replaying a recording: " + why_not);
  }

  /// A schedule with its bounds, which are checked whenever it is read, also before a replay.
  static Knob checked(const Knob& knob, const Bounds& bounds) {
    if (knob.constant()) {
      return knob;
    }
    return [knob, bounds](const Clock& clock, const History& history) {
      const double value = knob(clock, history);
      bounds.check(value);
      return value;
    };
  }

  void eager_step(const std::vector<Batch>& group, const Moment& now, double lr_scale) {
    const double decay_scale = now(knobs_.weight_decay_scale);
    const auto momentum = knobs_.momentum ? std::optional<double>(now(*knobs_.momentum)) : std::nullopt;
    // The loss is evaluated before `step`, so that optimizers which ignore their closure work too. The closure's first
    // call returns that result, later calls (LBFGS) compute it again.
    objective_.prepare(group, now);
    const at::Tensor first = objective_();
    if (!objective_.finite()) {
      return;
    }
    if (phase_.execute.fused) {
      phase_.optimizer.fused_step(now, knobs_);
    } else {
      bool fresh = true;
      const HeldNumbers rates = scaled_rates(phase_.optimizer, lr_scale);
      const HeldNumbers decays = scaled_weight_decays(phase_.optimizer, decay_scale);
      const HeldNumbers momenta = set_momenta(phase_.optimizer, momentum);
      phase_.optimizer.step([&] { return std::exchange(fresh, false) ? first : evaluate_once_more(); });
    }
    objective_.edit_weights();
  }

  /// Evaluates again for an optimizer within its step, which can no longer be skipped.
  at::Tensor evaluate_once_more() {
    at::Tensor value = objective_();
    if (!objective_.finite()) {
      throw Error("Phase \"" + phase_.name +
                  "\".optimizer evaluates its closure more than once a step, and this time the gradients overflowed in "
                  "fp16, in the middle of the step: Phase.execute.precision must be fp32, tf32 or bf16 with it");
    }
    return value;
  }

  /// A whole step, with the reading of its data, to be recorded.
  at::Tensor body(const Moment& now) {
    objective_.prepare(data_.read(index_, now.epoch_began()), now);
    (void)objective_();
    phase_.optimizer.fused_step(now, knobs_);
    objective_.edit_weights();
    return objective_.loss();
  }

  void prepare_recording() {
    captured_ = std::make_unique<Captured>(model_.device(), [this](const Moment& now) { return body(now); });
    captured_->when_recorded([this] { check_recording(); });
    captured_options_ = phase_.optimizer.captured_options();
  }

  void captured_step(const Moment& now) {
    if (phase_.optimizer.captured_options() != captured_options_) {
      prepare_recording();
    }
    now_ = now;
    index_.copy_(data_.index(), /*non_blocking=*/true);
    objective_.seed_step(now.clock);
    (*captured_)(now);
    if (captured_->recorded()) {
      objective_.replayed(trace_, now);
    } else if (!captured_->why_not().empty()) {
      tell(captured_->why_not());
      captured_ = nullptr;
    }
  }

  /// Compares a replay with an eager step at two other moments, which shows values that the recording must not keep.
  void check_recording() {
    trace_ = objective_.trace();
    const std::int64_t next =
        now_.clock.epoch + 1 < phase_.epochs ? now_.clock.epoch + 1 : std::max<std::int64_t>(now_.clock.epoch - 1, 0);
    const double apart = std::max(disagreement_at(next), disagreement_at(phase_.epochs - 1));
    objective_.seed_step(now_.clock);
    if (!(apart <= tolerated())) {
      captured_->give_up("a replay ended " + text(apart) +
                         " of a step away from where the step itself did: something in it reads on the host what "
                         "changes from step to step");
    }
  }

  /// The disagreement of a replay and an eager step in this epoch, one batch later.
  double disagreement_at(std::int64_t epoch) {
    Moment elsewhere = now_;
    elsewhere.clock.epoch = epoch;
    elsewhere.clock.step += 1;
    elsewhere.clock.batch = elsewhere.clock.batches > 0 ? (elsewhere.clock.batch + 1) % elsewhere.clock.batches : 0;

    std::vector<at::Tensor> changed = phase_.optimizer.state_tensors();
    for (const Named& named : model_.named_buffers()) {
      changed.push_back(named.tensor);
    }
    const auto before = [&] {
      objective_.seed_step(elsewhere.clock);
      phase_.optimizer.make_state_neutral();  // else a step would consist mostly of earlier ones
    };
    return captured_->disagreement(elsewhere, model_.parameters(), changed, before);
  }

  /// The tolerated disagreement as a share of a step's length: far above rounding, in bf16 or else, and far below the
  /// effect of a learning rate or a crop that the recording keeps.
  [[nodiscard]] double tolerated() const { return phase_.execute.precision == Precision::bf16 ? 0.2 : 0.02; }

  const Model& model_;
  const Phase& phase_;
  StepData data_;
  StepObjective objective_;
  bool is_shared_;
  Fields fields_;
  OptimizerKnobs knobs_;  ///< with the phase's field names for errors of schedules
  std::function<void(const std::string&)> notice_;

  std::unique_ptr<Captured> captured_;
  std::vector<double> captured_options_;
  at::Tensor index_;  ///< [rows a step] int64, the indices that a recorded step reads
  StepObjective::Trace trace_;
  Moment now_;
};

}  // namespace regimen::inline v0::detail
