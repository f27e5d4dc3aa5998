#pragma once
// No LibTorch.

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::experiment {

/// A progress display on stderr: on a terminal one line that is overwritten, elsewhere (a file, a pipe, CI) a plain
/// line for each milestone.
class StatusLine {
 public:
  explicit StatusLine(bool quiet = false) : quiet_(quiet), live_(::isatty(STDERR_FILENO) == 1) {}
  ~StatusLine() { clear(); }
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  /// Shows the state on a terminal until the next call; elsewhere does nothing.
  void show(const std::string& text) {
    if (quiet_ || !live_ || text == shown_) {
      return;
    }
    // A line that wraps cannot be overwritten: every change would begin a new line.
    std::fprintf(stderr, "\r\033[K%.*s", columns() - 1, text.c_str());
    std::fflush(stderr);
    shown_ = text;
  }

  /// Prints a line for a log; does nothing on a terminal, where `show` soon says the same.
  void milestone(const std::string& text) {
    if (!quiet_ && !live_) {
      std::fprintf(stderr, "%s\n", text.c_str());
      std::fflush(stderr);
    }
  }

  /// Erases the line, before something else is printed.
  void clear() {
    if (!shown_.empty()) {
      std::fprintf(stderr, "\r\033[K");
      std::fflush(stderr);
      shown_.clear();
    }
  }

 private:
  /// The width of the terminal in columns; 80 if unknown.
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
