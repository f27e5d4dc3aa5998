// What a program shows of its state on stderr: on a terminal, which is a pseudo-terminal here, and in a file.

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "regimen/experiment/status_line.hpp"
#include "support/numbers.hpp"

using regimen::experiment::StatusLine;

namespace status_line {

/// stderr is this descriptor while it lives.
class StderrIs {
 public:
  explicit StderrIs(int descriptor) : before_(::dup(STDERR_FILENO)) {
    std::fflush(stderr);
    ::dup2(descriptor, STDERR_FILENO);
  }
  ~StderrIs() {
    std::fflush(stderr);
    ::dup2(before_, STDERR_FILENO);
    ::close(before_);
  }
  StderrIs(const StderrIs&) = delete;
  StderrIs& operator=(const StderrIs&) = delete;

 private:
  int before_;
};

/// All that can be read without waiting.
std::string content_of(int descriptor) {
  ::fcntl(descriptor, F_SETFL, O_NONBLOCK);
  std::string content;
  char part[256];
  for (ssize_t n = ::read(descriptor, part, sizeof part); n > 0; n = ::read(descriptor, part, sizeof part)) {
    content.append(part, static_cast<std::size_t>(n));
  }
  return content;
}

/// What act() writes to stderr where that is a terminal of so many columns; 0: it does not say how many.
template <class Act>
std::string on_terminal(unsigned short columns, const Act& act) {
  const int reader = ::posix_openpt(O_RDWR | O_NOCTTY);
  REQUIRE(reader >= 0);
  REQUIRE(::grantpt(reader) == 0);
  REQUIRE(::unlockpt(reader) == 0);
  const int terminal = ::open(::ptsname(reader), O_RDWR | O_NOCTTY);
  REQUIRE(terminal >= 0);
  termios as_it_comes{};
  REQUIRE(::tcgetattr(terminal, &as_it_comes) == 0);
  as_it_comes.c_oflag &= ~static_cast<tcflag_t>(OPOST);  // no "\r" before "\n"
  REQUIRE(::tcsetattr(terminal, TCSANOW, &as_it_comes) == 0);
  winsize size{};
  size.ws_col = columns;
  REQUIRE(::ioctl(terminal, TIOCSWINSZ, &size) == 0);
  {
    const StderrIs here(terminal);
    act();
  }
  const std::string content = content_of(reader);
  ::close(terminal);
  ::close(reader);
  return content;
}

/// What act() writes to stderr where that is a pipe.
template <class Act>
std::string in_pipe(const Act& act) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  {
    const StderrIs here(ends[1]);
    act();
  }
  const std::string content = content_of(ends[0]);
  ::close(ends[0]);
  ::close(ends[1]);
  return content;
}

const std::string erase = "\r\033[K";

}  // namespace status_line

TEST_CASE("status line: a terminal shows one line, written over, and it is gone at the end") {
  using status_line::erase;
  CHECK(status_line::on_terminal(40, [] {
          StatusLine line;
          line.show("1 of 3");
          line.show("1 of 3");  // nothing new
          line.show("2 of 3");
          line.milestone("one is done");  // the line says so itself
        }) == erase + "1 of 3" + erase + "2 of 3" + erase);
  CHECK(status_line::on_terminal(40, [] {
          StatusLine line;
          line.show("a");
          line.clear();
          line.clear();
          line.show("a");  // it was taken away: it is news again
        }) == erase + "a" + erase + erase + "a" + erase);
  CHECK(status_line::on_terminal(40, [] { const StatusLine line; }) == "");
}

TEST_CASE("status line: a line is cut before the terminal would wrap it around") {
  const std::string text(100, 'x');
  const auto show = [&] {
    StatusLine line;
    line.show(text);
  };
  using status_line::erase;
  CHECK(status_line::on_terminal(10, show) == erase + std::string(9, 'x') + erase);
  CHECK(status_line::on_terminal(101, show) == erase + text + erase);
  CHECK(status_line::on_terminal(0, show) == erase + std::string(79, 'x') + erase);  // 80 where it does not say
}

TEST_CASE("status line: a pipe gets the milestones alone, as plain lines") {
  CHECK(status_line::in_pipe([] {
          StatusLine line;
          line.show("1 of 3");
          line.milestone("one is done: 100 %");
          line.clear();
          line.milestone("two");
        }) == "one is done: 100 %\ntwo\n");
}

TEST_CASE("status line: a quiet one writes nothing anywhere") {
  const auto act = [] {
    StatusLine line(/*quiet=*/true);
    line.show("1 of 3");
    line.milestone("one is done");
    line.clear();
  };
  CHECK(status_line::on_terminal(40, act) == "");
  CHECK(status_line::in_pipe(act) == "");
}
