#pragma once

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <chrono>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "regimen/key/generator_guard.hpp"
#include "regimen/model/finite.hpp"
#include "regimen/model/guards.hpp"
#include "regimen/run/detail/announce.hpp"
#include "regimen/run/detail/check_run.hpp"
#include "regimen/run/detail/epoch_loss.hpp"
#include "regimen/run/detail/not_a_mean.hpp"
#include "regimen/run/detail/observers.hpp"
#include "regimen/run/detail/only_run.hpp"
#include "regimen/run/detail/phase_errors.hpp"
#include "regimen/run/detail/resume.hpp"
#include "regimen/run/detail/score_epoch.hpp"
#include "regimen/run/detail/sharing.hpp"
#include "regimen/run/detail/stepper.hpp"
#include "regimen/run/options.hpp"
#include "regimen/run/phase.hpp"
#include "regimen/run/run_manifest.hpp"
#include "regimen/run/scoring.hpp"
#include "regimen/share/active_share.hpp"
#include "regimen/source/require_finite.hpp"

namespace regimen::inline v0::detail {

/// The body of `run`: the loop described in run.hpp.
class Trainer {
 public:
  Trainer(const Model& model, const std::vector<Phase>& phases, const Scoring& scoring, const RunOptions& options,
          const Observers& observers)
      : model_(model), phases_(phases), scoring_(scoring), options_(options), observers_(observers) {
    sharing_ = {options.share, [&options] { return options.stop.stop_requested(); }, observers.looks_at_steps()};
  }

  History run() {
    return sharing_.telling_others([this] { return train(); });
  }

 private:
  using WallClock = std::chrono::steady_clock;

  History train() {
    const ActiveShare active(options_.share);
    check_run(model_, phases_, scoring_, options_);
    check_observers(observers_, scoring_);
    if (options_.share) {
      require_same(options_.share,
                   describe_common(model_, phases_, scoring_, observers_.manifests(), options_.from,
                                   options_.share.shards(), observers_.looks_at_steps()),
                   phases_.front().execute.device_for(model_));
    }
    state_ = is_to_go_on(phases_, options_.from) ? going_on(options_.from) : options_.from;
    const OnlyRun only;
    const ModeGuard modes(model_);
    phases_.front().execute.prepare(model_);  // all phases have this device
    GeneratorGuard generators(model_.device());
    const at::AutoGradMode with_gradients(true);
    announce(model_, phases_, scoring_, observers_, state_, options_.share.shards());
    while (state_.clock.phase < static_cast<int>(phases_.size())) {
      const Ended ended = run_phase(phases_[static_cast<std::size_t>(state_.clock.phase)], generators);
      if (ended == Ended::stopped) {
        break;
      }
      const int after = ended == Ended::diverged ? static_cast<int>(phases_.size()) : state_.clock.phase + 1;
      state_.clock = Clock{.phase = after};
      state_.seconds = 0;
      phase_began_ = WallClock::now();
      tell_boundary(/*last=*/after == static_cast<int>(phases_.size()));
    }
    observers_.tell(RunEnd{state_.history});
    sharing_.part(model_.device());
    return std::move(state_.history);
  }

  Ended run_phase(const Phase& phase, GeneratorGuard& generators) {
    phase_began_ = WallClock::now() -
                   std::chrono::duration_cast<WallClock::duration>(std::chrono::duration<double>(state_.seconds));
    if (at_phase_start()) {
      // Not at the last phase's end: that phase may get more epochs, and then continues with its scale.
      state_.loss_scale = 0;
      state_.loss_scale_steps = 0;
    }
    if (at_phase_start() && !phase.carry_optimizer_state) {
      phase.optimizer.clear_state();
    }
    const FreezeGuard frozen(model_, phase.freeze);
    phase.execute.prepare(model_);
    const Switches switches = phase.execute.switches();
    phase_history_ = remembered(state_.history, state_.clock.phase);
    loss_ = EpochLoss(state_, model_.device());
    observers_.tell(PhaseBegin{state_.clock, phase.name, phase.epochs});

    Stepper stepper(model_, phase, generators, options_.share ? &sharing_ : nullptr,
                    [this](const std::string& text) { observers_.tell(Notice{text}); });
    stepper.restore_loss_scale(state_.loss_scale, state_.loss_scale_steps);
    weights_ = FiniteWeights(model_, phase.optimizer.parameters());
    weights_are_finite_ = true;
    looks_at_loss_ = !phase.loss.counts() && !phase.loss.sums();
    Ended ended = Ended::running;
    while (ended == Ended::running) {
      if (state_.clock.epoch >= phase.epochs) {
        ended = diverged() ? Ended::diverged : Ended::epochs;
      } else if (at_later_epoch() && diverged()) {
        ended = Ended::diverged;
      } else if (at_later_epoch() && is_over(phase)) {
        ended = Ended::criterion;
      } else {
        ended = run_epoch(phase, stepper, generators);
      }
    }
    if (ended == Ended::diverged) {
      require_finite(phase.data, "the training loss is NaN or infinite, and so are ");
    }
    const Outcome outcome{phase.name, ended, state_.clock};
    state_.history.outcomes.push_back(outcome);
    observers_.tell(PhaseEnd{outcome});
    return ended;
  }

  [[nodiscard]] bool at_phase_start() const { return state_.clock == Clock{.phase = state_.clock.phase}; }
  [[nodiscard]] bool at_later_epoch() const { return state_.clock.epoch > 0 && state_.clock.batch == 0; }

  /// Whether the phase's criterion is met; in a shared run, whether process 0 says so.
  [[nodiscard]] bool is_over(const Phase& phase) const {
    return sharing_.decided(phase.until(phase_history_), model_.device());
  }

  /// Whether loss or weights are not finite. NaN and infinity persist in a sum and in weights, so one check at the end
  /// of an epoch is enough. A finite loss may have had a gradient that was not finite.
  [[nodiscard]] bool diverged() const {
    return !phase_history_.empty() && (!std::isfinite(phase_history_.back().train_loss) || !weights_are_finite_);
  }

  Ended run_epoch(const Phase& phase, Stepper& stepper, GeneratorGuard& generators) {
    Order order{.batch = phase.batch,
                .shuffle = phase.shuffle,
                .seed = phase.seed,
                .drop_last = phase.drop_last,
                .first = state_.clock.batch};
    state_.clock.batches = phase.data.batches(order);
    order.now = now().epoch_began();
    generators.seed(phase.seed, order.now.clock.step, Purpose::order);
    model_.train(true, phase.eval);
    in_phase(phase.name, [&] { stepper.begin_epoch(order); });
    while (in_phase(phase.name, [&] { return stepper.next(); })) {
      if (observers_.any<Step>() || observers_.any<Boundary>()) {
        model_.train(true, phase.eval);  // an observer may have evaluated the network by hand
      }
      take_step(phase, stepper);
      if (reached_boundary()) {
        return Ended::stopped;
      }
    }
    return end_epoch(phase, stepper);
  }

  void take_step(const Phase& phase, Stepper& stepper) {
    const StepTaken taken = stepper.step(now());
    if (taken.loss_scale > 0) {
      state_.loss_scale = taken.loss_scale;
      state_.loss_scale_steps = taken.loss_scale_steps;
    }
    loss_.add(taken);
    state_.clock.batch += taken.batches;
    ++state_.clock.step;
    state_.lr_scale = taken.lr_scale;
    if (options_.share && sharing_.keeps_outputs) {
      stepper.gather_pass();
    }
    if (observers_.any<Step>()) {
      observers_.tell(Step{state_.clock, stepper.pass(), taken.loss, learning_rate(phase)});
    }
  }

  Ended end_epoch(const Phase& phase, Stepper& stepper) {
    Epoch epoch{.phase = phase.name};
    // Before scoring: otherwise a time limit that passes during it would end a phase whose last epoch has no score.
    epoch.seconds = seconds();
    in_phase(phase.name, [&] {
      epoch.seconds = sharing_.agree_on_epoch(epoch.seconds, model_, phase.optimizer);
      epoch.train_loss = loss_.mean();
    });
    epoch.learning_rate = learning_rate(phase);
    const Moment trained = now().epoch_began();
    state_.clock.epoch += 1;
    state_.clock.batch = 0;
    loss_ = EpochLoss(model_.device());
    epoch.clock = state_.clock;
    stepper.seed_scoring(state_.clock);
    const auto over = [&] {
      phase_history_.epochs.push_back(epoch);
      const bool result = is_over(phase);
      phase_history_.epochs.pop_back();
      return result;
    };
    weights_are_finite_ = weights_.finite();
    const bool finite = std::isfinite(epoch.train_loss) && weights_are_finite_;
    const EpochScorer scorer{
        model_,         phase,
        scoring_,       trained,
        finite,         [&](const at::Tensor& output, const Batch& batch) { look_at_loss(phase, output, batch); },
        options_.share, [&](std::int64_t i) { stepper.seed_scoring(state_.clock, i + 1); }};
    in_phase(phase.name, [&] {
      scorer.score(epoch, over);
      sharing_.require_same_scores(epoch, model_.device());
    });
    looks_at_loss_ = looks_at_loss_ && !epoch.fit.scored() && !epoch.test.scored();
    check_scores(phase, epoch);
    state_.history.epochs.push_back(epoch);
    remember(phase_history_, epoch);
    observers_.tell(epoch);
    if (reached_boundary()) {
      return Ended::stopped;
    }
    return Ended::running;
  }

  /// Sends a notice, once per phase, for a loss whose scores would depend on the batch size. Looks at all batches of
  /// the first scoring, since a single one, for instance without ignored labels, may look like a mean.
  void look_at_loss(const Phase& phase, const at::Tensor& output, const Batch& batch) {
    if (looks_at_loss_) {
      const std::string mistake = not_a_mean(phase.loss, output, batch.target);
      if (!mistake.empty()) {
        looks_at_loss_ = false;
        observers_.tell(Notice{"the loss of phase \"" + phase.name + "\" " + mistake});
      }
    }
  }

  /// Sends the boundary event. Returns true if the run should stop here.
  bool reached_boundary() {
    const bool stop = options_.share ? sharing_.stop : options_.stop.stop_requested();
    tell_boundary(stop);
    return stop;
  }

  void tell_boundary(bool last) {
    if (!observers_.any<Boundary>()) {
      return;
    }
    const std::function<State()> state = [this] {
      State saved = state_;
      loss_.write_to(saved);
      saved.seconds = seconds();
      return saved;
    };
    const std::function<bool()> finite = [this] { return loss_.finite() && !diverged() && weights_.finite(); };
    observers_.tell(Boundary{state_.clock, last, state, finite});
  }

  [[nodiscard]] Moment now() const {
    const Phase& phase = phases_[static_cast<std::size_t>(state_.clock.phase)];
    return {.clock = state_.clock, .history = &phase_history_, .batches_a_step = phase.accumulate, .data = &phase.data};
  }

  [[nodiscard]] double learning_rate(const Phase& phase) const {
    const auto rates = phase.optimizer.learning_rates();
    return rates.empty() ? unknown : rates.front() * state_.lr_scale;
  }

  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(WallClock::now() - phase_began_).count();
  }

  const Model& model_;
  const std::vector<Phase>& phases_;
  const Scoring& scoring_;
  const RunOptions& options_;
  const Observers& observers_;
  Sharing sharing_;
  State state_;
  History phase_history_;
  EpochLoss loss_;
  FiniteWeights weights_;
  bool weights_are_finite_ = true;  ///< at the last epoch's end
  bool looks_at_loss_ = false;      ///< true until the first scoring, for a loss without a `count`
  WallClock::time_point phase_began_{};
};

}  // namespace regimen::inline v0::detail
