#pragma once
// No LibTorch.

#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>

#include "regimen/observe/event.hpp"

namespace regimen::inline v0 {

/// Progress of a run: on a terminal one line that is updated in place, with the time left if all epochs are needed;
/// elsewhere (a file, a pipe, CI) one plain line per epoch.
///     regimen::run(net, phases, scoring, regimen::Progress{});
class Progress {
 public:
  static constexpr bool writes = true;
  static constexpr bool reads_pass = false;

  /// `label`: a text in front of the phase's name. `out`: the stream to write to.
  explicit Progress(std::string label = "", std::FILE* out = stderr)
      : label_(std::move(label)), out_(out), live_(::isatty(::fileno(out)) == 1) {}

  void operator()(const PhaseBegin& begin) {
    name_ = label_ + begin.name;
    epochs_ = begin.epochs;
    first_position_ = begin.clock.position();
    began_ = WallClock::now();
    scores_.clear();
  }

  void operator()(const Notice& notice) const {
    std::fprintf(out_, "%s%s: %s\n", live_ ? "\r\033[K" : "", name_.c_str(), notice.text.c_str());
    std::fflush(out_);
  }

  void operator()(const Step& step) {
    if (!live_) {
      return;
    }
    const auto now = WallClock::now();
    if (now - shown_ >= std::chrono::milliseconds(100)) {
      shown_ = now;
      show_live(step.clock);
    }
  }

  void operator()(const Epoch& epoch) {
    if (epoch.fit.scored()) {
      scores_ = scored(epoch);
    }
    if (live_) {
      show_live(epoch.clock);
    } else {
      std::fprintf(out_, "%s epoch %lld/%lld loss %.4f%s %.1f s\n", name_.c_str(), printable(epoch.clock.epoch),
                   printable(epochs_), epoch.train_loss, epoch.fit.scored() ? scores_.c_str() : "", epoch.seconds);
      std::fflush(out_);
    }
  }

  void operator()(const PhaseEnd& end) const {
    if (live_) {
      std::fprintf(out_, "\r\033[K%s: %lld epochs,%s (%s)\n", name_.c_str(), printable(end.outcome.clock.epoch),
                   scores_.c_str(), name_of(end.outcome.ended).c_str());
      std::fflush(out_);
    }
  }

 private:
  using WallClock = std::chrono::steady_clock;

  static long long printable(std::int64_t number) { return number; }  // int64 is long on some platforms

  static std::string percent(const char* name, const Score& score) {
    if (!score.scored() || std::isnan(score.accuracy)) {
      return "";
    }
    char text[40];
    std::snprintf(text, sizeof text, " %s %.2f %%", name, 100 * score.accuracy);
    return text;
  }

  static std::string scored(const Epoch& epoch) {
    return percent("fit", epoch.fit) + percent("clean", epoch.clean) + percent("validation", epoch.validation) +
           percent("test", epoch.test);
  }

  void show_live(const Clock& clock) const {
    const double done = clock.position() - first_position_;
    const double left = static_cast<double>(epochs_) - clock.position();
    const double elapsed = std::chrono::duration<double>(WallClock::now() - began_).count();
    const int seconds = done > 0 ? static_cast<int>(std::lround(elapsed / done * left)) : 0;
    char text[400];
    std::snprintf(text, sizeof text, "%s %.1f/%lld epochs%s, at most %d:%02d left", name_.c_str(), clock.position(),
                  printable(epochs_), scores_.c_str(), seconds / 60, seconds % 60);
    // A line that wraps cannot be overwritten and would be printed anew ten times a second.
    std::fprintf(out_, "\r\033[K%.*s", columns() - 1, text);
    std::fflush(out_);
  }

  /// Width of the terminal in columns; 80 if it is unknown.
  [[nodiscard]] int columns() const {
    winsize size{};
    const bool known = ::ioctl(::fileno(out_), TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    return known ? size.ws_col : 80;
  }

  std::string label_;
  std::FILE* out_;
  bool live_;
  std::string name_;
  std::string scores_;
  std::int64_t epochs_ = 0;
  double first_position_ = 0;
  WallClock::time_point began_{};
  WallClock::time_point shown_{};
};

}  // namespace regimen::inline v0
