#pragma once
// Several processes that share a run, by fork and one piece of memory: no network, no LibTorch with Gloo.

#include "support/training.hpp"

#include <regimen/share.hpp>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace processes {

/// The memory that all processes see.
struct Board {
  static constexpr std::size_t most = 1 << 22;  ///< bytes that a process may say at once

  std::atomic<int> arrived{0};
  std::atomic<int> round{0};
  std::atomic<bool> fails{false};   ///< a process writes its message
  std::atomic<bool> failed{false};  ///< and has written it
  char message[4096] = {};
  std::size_t lengths[8] = {};
  char said[8][most] = {};
};

/// A `ProcessGroup` over a Board.
struct Group {
  Board* board;
  int number;
  int count;

  [[nodiscard]] int rank() const { return number; }
  [[nodiscard]] int size() const { return count; }

  void all_gather(at::Tensor& all, const at::Tensor& mine) const {
    const auto bytes = static_cast<std::size_t>(mine.nbytes());
    if (bytes > Board::most || !mine.is_contiguous() || !all.is_contiguous() ||
        static_cast<std::size_t>(all.nbytes()) != bytes * static_cast<std::size_t>(count)) {
      throw std::logic_error("all_gather was called with tensors that do not fit");
    }
    std::memcpy(board->said[number], mine.data_ptr(), bytes);
    board->lengths[number] = bytes;
    wait();
    for (int rank = 0; rank < count; ++rank) {
      if (board->lengths[rank] != bytes) {
        throw std::logic_error("the processes send messages of different sizes");
      }
    }
    for (int rank = 0; rank < count; ++rank) {
      std::memcpy(static_cast<char*>(all.data_ptr()) + static_cast<std::size_t>(rank) * bytes, board->said[rank],
                  bytes);
    }
    wait();
  }

  void fail(const std::string& message) const {
    if (!board->fails.exchange(true)) {
      std::strncpy(board->message, message.c_str(), sizeof board->message - 1);
      board->failed = true;
    }
  }

 private:
  void wait() const {
    const int now = board->round;
    if (++board->arrived == count) {
      board->arrived = 0;
      ++board->round;
    }
    const auto begin = std::chrono::steady_clock::now();
    while (board->round == now) {
      if (std::chrono::steady_clock::now() - begin > std::chrono::seconds(120)) {
        throw std::logic_error("a deadlock: another process has not come to this message in two minutes");
      }
      if (board->failed) {
        throw std::runtime_error(std::string("another process failed: ") + board->message);
      }
      std::this_thread::yield();
    }
  }
};

/// Runs work(group) in `count` processes. The result of each, by rank; of one that throws, "error: " and its message.
inline std::vector<std::string> in_processes(int count, const std::function<std::string(const Group&)>& work) {
  void* const memory = ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto* const board = new (memory) Board;
  std::vector<int> pipes;
  std::vector<pid_t> children;
  for (int rank = 0; rank < count; ++rank) {
    int ends[2] = {};
    if (::pipe(ends) != 0) {
      throw std::runtime_error("no pipe");
    }
    const pid_t child = ::fork();
    if (child == 0) {
      std::string result;
      try {
        result = work({board, rank, count});
      } catch (const std::exception& failure) {
        result = std::string("error: ") + failure.what();
      }
      const auto written = ::write(ends[1], result.data(), result.size());
      ::_exit(written == static_cast<ssize_t>(result.size()) ? 0 : 1);
    }
    ::close(ends[1]);
    pipes.push_back(ends[0]);
    children.push_back(child);
  }
  std::vector<std::string> results;
  for (int rank = 0; rank < count; ++rank) {
    std::string result;
    char buffer[4096];
    const int pipe = pipes[static_cast<std::size_t>(rank)];
    for (ssize_t n = ::read(pipe, buffer, sizeof buffer); n > 0; n = ::read(pipe, buffer, sizeof buffer)) {
      result.append(buffer, static_cast<std::size_t>(n));
    }
    ::close(pipe);
    ::waitpid(children[static_cast<std::size_t>(rank)], nullptr, 0);
    results.push_back(result);
  }
  ::munmap(memory, sizeof(Board));
  return results;
}

}  // namespace processes
