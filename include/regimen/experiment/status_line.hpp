#pragma once
// No LibTorch.

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::experiment {

/// What a program is doing, on stderr: on a terminal one line that keeps changing, elsewhere (a file, a pipe, CI) plain
/// lines, of the milestones alone.
class StatusLine {
 public:
  explicit StatusLine(bool quiet = false) : quiet_(quiet), live_(::isatty(STDERR_FILENO) == 1) {}
  ~StatusLine() { clear(); }
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  /// The state of things: a terminal shows it until the next.
  void show(const std::string& text) {
    if (quiet_ || !live_ || text == shown_) {
      return;
    }
    // What wraps around cannot be taken back: every change would begin a new line.
    std::fprintf(stderr, "\r\033[K%.*s", columns() - 1, text.c_str());
    std::fflush(stderr);
    shown_ = text;
  }

  /// Something that stays in a log. A terminal, where the line above says it in a moment, does without.
  void milestone(const std::string& text) {
    if (!quiet_ && !live_) {
      std::fprintf(stderr, "%s\n", text.c_str());
      std::fflush(stderr);
    }
  }

  /// Takes the line away, before something else is printed.
  void clear() {
    if (!shown_.empty()) {
      std::fprintf(stderr, "\r\033[K");
      std::fflush(stderr);
      shown_.clear();
    }
  }

 private:
  /// Of the terminal; 80 where it does not say.
  [[nodiscard]] int columns() const {
    winsize size{};
    const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    return known ? size.ws_col : 80;
  }

  bool quiet_;
  bool live_;
  std::string shown_;
};

}  // namespace regimen::inline v0::experiment
