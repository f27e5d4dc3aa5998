#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "regimen/base/json.hpp"
#include "regimen/checkpoint/checkpoint.hpp"
#include "regimen/experiment/errors.hpp"
#include "regimen/experiment/files.hpp"
#include "regimen/experiment/job_files.hpp"
#include "regimen/experiment/job_line.hpp"
#include "regimen/experiment/signals.hpp"
#include "regimen/experiment/task.hpp"
#include "regimen/experiment/time_left.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/member_scores.hpp"
#include "regimen/model/finite.hpp"
#include "regimen/model/model.hpp"
#include "regimen/observe/event.hpp"
#include "regimen/observe/log.hpp"
#include "regimen/observe/progress.hpp"
#include "regimen/run/run.hpp"
#include "regimen/source/require_finite.hpp"

namespace regimen::inline v0::experiment {

/// A training of a results folder: its phases, their scoring, and functions to call once the network is trained.
struct Job {
  std::string name;  ///< name of its files (see `JobFiles` and `file_name`); unique in the folder
  std::vector<Phase> phases{};
  Scoring scoring{};
  std::function<Score()> score{};  ///< score of the trained network, written to `JobFiles::score`
  std::function<void()> at_end{};  ///< further work of the job; repeated if it was interrupted
};

namespace detail {

/// A Progress that may be switched off.
struct Narrator {
  std::optional<Progress> progress;

  template <class Event>
    requires std::is_invocable_v<Progress&, const Event&>
  void operator()(const Event& event) {
    if (progress) {
      (*progress)(event);
    }
  }
};

struct NoObserver {
  void operator()(const RunBegin& /*begin*/) const {}
};

/// A saved thing that hears the steps of a run, a tracker; for any other, an observer that does nothing. A measure is
/// no observer, though it can be called with all that a Probe is made of, and that seems to include a Step.
template <class Thing>
decltype(auto) observer_of(Thing& thing) {
  if constexpr (std::is_invocable_v<Thing&, const Step&> && !Measure<Thing>) {
    return (thing);
  } else {
    return NoObserver{};
  }
}

}  // namespace detail

/// Runs one job after another, each with a checkpoint, a manifest and logs under its own name, so that a killed program
/// can be resumed. A job may depend on the settings alone: a resumed job ends in the same bits.
///     regimen::experiment::Jobs jobs("results", task, TimeLeft({{{"a", "kind", 10}}}, 1, true));
///     jobs.run({.name = "a", .phases = {phase}, .scoring = {.test = test}}, net, sgd);
class Jobs {
 public:
  /// `folder`: the results folder. `task`: whether to resume jobs, where to report them, and when to stop. `time_left`:
  /// the estimate for all jobs of this process.
  Jobs(std::string folder, Task task, TimeLeft time_left)
      : folder_(std::move(folder)), task_(std::move(task)), time_left_(std::move(time_left)) {}

  /// Trains a network, and returns its history. `things`: objects saved with the network, above all the optimizers,
  /// always in one order; trackers among them (`ForgettingEvents`) hear the run. A job that diverges is finished, and
  /// leaves the file `JobFiles::divergence`. Throws Interrupted if the task was stopped, with everything on disk, and
  /// all errors of `regimen::run`.
  template <class Net, Storable... Things>
    requires(!std::same_as<std::remove_cv_t<Net>, Model>)
  History run(const Job& job, Net& net, Things&... things) {
    return run(job, Model(net), net, things...);
  }

  /// Trains a network that a function calls, such as one with several inputs, and returns its history. `model`: what is
  /// trained; `net`: the module below it, which is saved with the things.
  ///     const auto how = [](auto& n, const regimen::Batch& b) { return n->forward(b.data, b.extra.at("mask")); };
  ///     jobs.run(job, regimen::Model(net, how), net, sgd);
  template <class Net, Storable... Things>
  History run(const Job& job, const Model& model, Net& net, Things&... things) {
    begin(job.name, !is_begun(job.name));
    const History history = train(job, model, net, things...);
    end(job.name);
    return history;
  }

  /// Trains jobs of equal networks as the members of one network (`networks::StackedLinear`), and returns the history
  /// of all. `job`: the common training. Give it the name of the unit, by which the unit's `DoneFile` knows it; its
  /// checkpoint has the weights of all. Each of `members` gets files of its own, with its history
  /// (`history_of_member`), but no weights. In the plan give the first member the whole cost and the others 0, and none
  /// a final score (`ExpectedJob::scored`).
  ///
  /// Throws UsageError for no members, two of one name, a training with the name of a job, and `Job::score`; Error
  /// unless `job.scoring` has `MemberScores` of so many, and for data that are not finite, which would else leave a
  /// member without some of its steps; and what `run` throws.
  ///     jobs.run_together({.name = "seeds", .phases = {phase}, .scoring = scoring}, {"seed1", "seed2"}, net, sgd);
  template <class Net, Storable... Things>
    requires(!std::same_as<std::remove_cv_t<Net>, Model>)
  History run_together(const Job& job, const std::vector<std::string>& members, Net& net, Things&... things) {
    return run_together(job, members, Model(net), net, things...);
  }

  /// Trains the members of a network that a function calls. `model`: what is trained; `net`: the module below it, which
  /// is saved with the things.
  template <class Net, Storable... Things>
  History run_together(const Job& job, const std::vector<std::string>& members, const Model& model, Net& net,
                       Things&... things) {
    check_together(job, members);
    const bool anew = !is_begun(job.name);
    if (anew) {
      for (const Phase& phase : job.phases) {
        phase.check();
        require_finite(phase.data, job.name + ": a member would leave out steps, for NaN or infinite are ");
      }
      for (const std::string& member : members) {  // what is left of an earlier training
        const JobFiles files{folder_, member};
        for (const std::string& path : {files.checkpoint(), files.divergence(), files.score()}) {
          std::filesystem::remove(path);
        }
      }
    }
    begin(members.front(), anew);
    const History history = train(job, model, net, things...);
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (i > 0) {
        begin(members[i], anew);
      }
      keep_member(job.name, i, members[i], history_of_member(history, static_cast<std::int64_t>(i)));
      end(members[i]);
    }
    return history;
  }

  /// Computes numbers without a training, and returns them; a resumed job reads them from its file. Their result is a
  /// history of one epoch, with these numbers as its measures. Throws Interrupted if the task was stopped before, and
  /// all errors of `numbers`.
  ///     const auto spectrum = jobs.compute("spectrum", [&] { return Numbers{{"largest", 2.5}}; });
  Numbers compute(const std::string& name, const std::function<Numbers()>& numbers) {
    const JobFiles files{folder_, name};
    std::optional<History> history = task_.resume ? files.history() : std::nullopt;
    heed(task_.stop);
    begin(name, !history);
    if (!history) {
      history.emplace();
      history->epochs.push_back({.phase = name, .measures = numbers()});
      history->outcomes.push_back({.phase = name, .ended = Ended::epochs});
      write_file(files.manifest(), "{\"type\": \"numbers\", \"name\": " + regimen::detail::json::quoted(name) + "}\n");
      save_checkpoint(files.checkpoint(), State{.history = *history});
    }
    end(name);
    return history->back().measures;
  }

  /// Counts a job of an earlier run as done.
  void skip(const std::string& name) { time_left_.skip(name); }

  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] const Task& task() const { return task_; }

 private:
  using WallClock = std::chrono::steady_clock;

  /// Trains a network to its end, and writes the job's files.
  template <class Net, Storable... Things>
  History train(const Job& job, const Model& model, Net& net, Things&... things) {
    const JobFiles files{folder_, job.name};
    RunOptions options{.stop = task_.stop};
    if (is_begun(job.name)) {
      options.from = load_checkpoint(files.checkpoint(), net, things...);
    }
    const auto keep_manifest = [&](const RunBegin& begin) { write_file(files.manifest(), begin.manifest()); };
    Checkpoint checkpoints(files.checkpoint(), {.seconds = 15}, net, things...);
    detail::Narrator narrator;
    if (!task_.worker && !task_.quiet) {
      narrator.progress.emplace("[" + std::to_string(time_left_.done() + 1) + "/" + std::to_string(time_left_.count()) +
                                time_left_text(time_left_, now()) + "] " + job.name + " ");
    }
    const History history =
        regimen::run(model, job.phases, job.scoring, options, keep_manifest, narrator, CsvLog(files.epochs()),
                     TimeLog(files.seconds()), detail::observer_of(things)..., checkpoints);
    if (history.ended() == Ended::stopped) {
      throw Interrupted();
    }
    if (history.ended() == Ended::diverged || !regimen::detail::all_finite(model.parameters())) {
      save_checkpoint(files.divergence(), State{.history = history});
    }
    if (job.score) {
      write_score(files.score(), job.score());
    }
    if (job.at_end) {
      job.at_end();
    }
    return history;
  }

  [[nodiscard]] bool is_begun(const std::string& name) const {
    return task_.resume && std::filesystem::exists(JobFiles{folder_, name}.checkpoint());
  }

  void check_together(const Job& job, const std::vector<std::string>& members) const {
    const std::string who = "Jobs::run_together: " + job.name;
    const std::set<std::string> names(members.begin(), members.end());
    if (members.empty() || names.size() < members.size()) {
      throw UsageError(who + " needs at least one job, and no two of one name");
    }
    if (names.contains(job.name) || time_left_.has(job.name)) {
      throw UsageError(who + " is the training of several jobs, and must not have the name of a job of the plan");
    }
    if (job.score) {
      throw UsageError(who + " has a Job::score, which would be one for all jobs: MemberScores give each its own");
    }
    regimen::detail::require_member_scores(job.scoring.measure_names(), members.size());
  }

  /// Writes the files of a member of a training that is at its end. The first one's manifest has that of the training.
  void keep_member(const std::string& training, std::size_t place, const std::string& name,
                   const History& history) const {
    namespace json = regimen::detail::json;
    const JobFiles files{folder_, name};
    json::Object manifest;
    manifest.add("type", "\"member\"").add("member", std::to_string(place)).add("of", json::quoted(training));
    if (place == 0) {
      manifest.add("training", read_file(JobFiles{folder_, training}.manifest()));
    }
    write_file(files.manifest(), manifest.text() + "\n");
    CsvLog(files.epochs()).replace_by(history);
    save_checkpoint(files.checkpoint(), State{.history = history});
  }

  void begin(const std::string& name, bool anew) {
    if (task_.worker) {
      JobLine{anew ? JobLine::What::begins : JobLine::What::goes_on, name}.print();
    }
    time_left_.begin(name, now(), anew);
  }

  void end(const std::string& name) {
    time_left_.end(name, now());
    if (task_.worker) {
      JobLine{JobLine::What::ends, name}.print();
    }
  }

  [[nodiscard]] double now() const { return std::chrono::duration<double>(WallClock::now() - began_).count(); }

  std::string folder_;
  Task task_;
  TimeLeft time_left_;
  WallClock::time_point began_ = WallClock::now();
};

}  // namespace regimen::inline v0::experiment
