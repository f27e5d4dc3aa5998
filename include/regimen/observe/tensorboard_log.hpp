#pragma once
// No LibTorch.

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include "regimen/base/file.hpp"
#include "regimen/observe/detail/event_records.hpp"
#include "regimen/observe/event.hpp"
#include "regimen/observe/log.hpp"
#include "regimen/record/history.hpp"

namespace regimen::inline v0 {

namespace detail::events {

/// The tag of one of the numbers that every log writes: "accuracy/test" of "test_accuracy", so that TensorBoard shows
/// the curves of one quantity side by side.
inline std::string tag_of(const std::string& name) {
  const std::size_t underscore = name.find('_');
  return name == "learning_rate" ? name : name.substr(underscore + 1) + "/" + name.substr(0, underscore);
}

/// The charts of TensorBoard's tab CUSTOM SCALARS: all accuracies in one, all losses in another.
inline Message charts() {
  const auto chart = [](const std::string& title, const std::string& tags) {
    return Message().text(1, title).message(2, Message().text(1, tags));
  };
  const Message category = Message()
                               .text(1, "regimen")
                               .message(2, chart("accuracy", "accuracy/.*"))
                               .message(2, chart("loss", "loss/.*"))
                               .message(2, chart("learning rate", "learning_rate"));
  return text_for("custom_scalars", "custom_scalars__config__", Message().message(2, category).bytes());
}

}  // namespace detail::events

/// A file for TensorBoard with all numbers of `CsvLog`, as floats. TensorBoard need not be installed to write it.
///
/// The step is the number of the epoch in the whole run, from 1. Tags are accuracy/{fit,clean,test,validation},
/// loss/{train,fit,clean,test,validation}, learning_rate, measures/NAME; phase/{index,epoch,step} are the clock's,
/// and phase/name is a text at the first epoch of each phase. The tab CUSTOM SCALARS has all accuracies in one chart,
/// and all losses. NaN, which is also what was not scored, is left out.
///
/// The content is a function of the history, as with the other logs: equal random seeds give equal bytes, and so does
/// a resumed run. A wall time would not be equal, so the time of a record is its step, in seconds since 1970:
/// TensorBoard's axis RELATIVE counts an epoch as a second (see `TimeLog` for seconds). On a resume the file is cut
/// rather than replaced, for a TensorBoard that is open reads on in the old file.
///     regimen::run(net, phases, scoring, regimen::TensorBoardLog("results/board/run.tfevents"));
///     // then: tensorboard --logdir results/board
class TensorBoardLog {
 public:
  static constexpr bool writes = true;

  /// Throws Error if the name of the file does not have "tfevents" in it, by which TensorBoard finds its files.
  explicit TensorBoardLog(std::string path) : path_(std::move(path)) {
    detail::events::check_path("TensorBoardLog", path_);
  }

  /// Throws Error if the name of a phase or a measure is not UTF-8, or if the file cannot be written.
  void operator()(const RunBegin& begin) {
    for (const std::string& name : begin.phases) {
      detail::events::require_utf8("TensorBoardLog: the name of a phase", name);
    }
    for (const std::string& name : begin.measures) {
      detail::events::require_utf8("TensorBoardLog: the name of a measure", name);
    }
    std::string content = head();
    for (const Epoch& epoch : begin.history) {
      content += records(epoch);
    }
    if (begin.history.empty()) {
      detail::replace_file(path_, content);
    } else {
      detail::cut_or_continue_file(path_, content);
    }
  }

  /// Appends an epoch. In a loop of your own, which sends no `RunBegin`, the first epoch begins the file anew.
  void operator()(const Epoch& epoch) {
    if (begun_) {
      detail::append_bytes(path_, records(epoch));
    } else {
      const std::string begin = head();
      detail::replace_file(path_, begin + records(epoch));
    }
  }

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  /// The content of the file before the first epoch.
  std::string head() {
    begun_ = true;
    epochs_ = 0;
    return detail::events::version(0) + detail::events::event(0, 0, detail::events::charts());
  }

  /// What the next epoch adds.
  std::string records(const Epoch& epoch) {
    namespace events = detail::events;
    const bool begins = epochs_ == 0 || epoch.phase != phase_ || epoch.clock.phase != phase_index_;
    phase_ = epoch.phase;
    phase_index_ = epoch.clock.phase;
    ++epochs_;
    std::string result;
    const auto add = [&](const events::Message& value) {
      result += events::event(static_cast<double>(epochs_), epochs_, value);
    };
    const auto add_number = [&](const std::string& tag, double value) {
      if (!std::isnan(value)) {
        add(events::scalar(tag, value));
      }
    };
    if (begins) {
      events::require_utf8("TensorBoardLog: the name of a phase", epoch.phase);
      add(events::text_for("text", "phase/name", epoch.phase));
    }
    add_number("phase/index", epoch.clock.phase);
    add_number("phase/epoch", static_cast<double>(epoch.clock.epoch));
    add_number("phase/step", static_cast<double>(epoch.clock.step));
    for (const auto& [name, value] : detail::numbers_of(epoch)) {
      add_number(events::tag_of(name), value);
    }
    for (const auto& [name, value] : epoch.measures) {
      events::require_utf8("TensorBoardLog: the name of a measure", name);
      add_number("measures/" + name, value);
    }
    return result;
  }

  std::string path_;
  bool begun_ = false;
  std::int64_t epochs_ = 0;  ///< epochs in the file
  std::string phase_{};      ///< name and index of the last epoch's phase
  int phase_index_ = 0;
};

}  // namespace regimen::inline v0
