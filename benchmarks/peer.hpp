#pragma once

#include <fcntl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

/// A program of benchmarks/peers/ that answers each `go` with the seconds that its work took (see peers/serve.py).
/// PEERS_PYTHON names the interpreter, PEERS_FOLDER the folder; both have defaults for a start from the repository.
class Peer {
 public:
  /// Starts it and waits until it has warmed up. Throws std::runtime_error if it ends before.
  explicit Peer(const std::vector<std::string>& arguments) : what_(arguments.front()) {
    int to[2];
    int from[2];
    // Closed in other children: one that held this child's stdin open would keep it alive.
    if (::pipe2(to, O_CLOEXEC) != 0 || ::pipe2(from, O_CLOEXEC) != 0) {
      throw std::runtime_error("no pipe");
    }
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(to[0], STDIN_FILENO);
      ::dup2(from[1], STDOUT_FILENO);
      ::close(to[1]);
      ::close(from[0]);
      become(arguments);
    }
    ::close(to[0]);
    ::close(from[1]);
    to_ = ::fdopen(to[1], "w");
    from_ = ::fdopen(from[0], "r");
    if (line() != "ready") {
      throw std::runtime_error(what_ + " did not start; see what it wrote above");
    }
  }

  ~Peer() {
    std::fclose(to_);
    std::fclose(from_);
    ::waitpid(child_, nullptr, 0);
  }

  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  /// Does its work once; the seconds that it took.
  double go() { return go_with_numbers().front(); }

  /// The seconds, and whatever else it measured.
  std::vector<double> go_with_numbers() {
    std::fputs("go\n", to_);
    std::fflush(to_);
    std::istringstream answer(line());
    std::vector<double> numbers;
    for (double number = 0; answer >> number;) {
      numbers.push_back(number);
    }
    if (numbers.empty()) {
      throw std::runtime_error(what_ + " gave no seconds");
    }
    return numbers;
  }

 private:
  [[noreturn]] static void become(const std::vector<std::string>& arguments) {
    const char* const python = std::getenv("PEERS_PYTHON");
    const char* const folder = std::getenv("PEERS_FOLDER");
    const std::string script = std::string(folder != nullptr ? folder : "benchmarks/peers") + "/" + arguments.front();
    std::vector<std::string> words{python != nullptr ? python : "python3", script};
    words.insert(words.end(), arguments.begin() + 1, arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) {
      argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    ::execvp(argv[0], argv.data());
    std::perror(argv[0]);
    std::_Exit(127);
  }

  std::string line() {
    std::string text;
    for (int c = std::fgetc(from_); c != EOF && c != '\n'; c = std::fgetc(from_)) {
      text += static_cast<char>(c);
    }
    return text;
  }

  std::string what_;
  pid_t child_ = -1;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
};
