#pragma once

#include <torch/csrc/distributed/c10d/Store.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/text_list.hpp"

namespace regimen::inline v0::detail {

inline std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(1000 * seconds));
}

inline void put(c10d::Store& store, const std::string& key, const std::string& value) {
  store.set(key, std::vector<std::uint8_t>(value.begin(), value.end()));
}

/// The value of a key; empty if it is not set. Does not wait.
inline std::string look_up(c10d::Store& store, const std::string& key) {
  if (!store.check({key})) {
    return "";
  }
  const std::vector<std::uint8_t> value = store.get(key);
  return {value.begin(), value.end()};
}

/// A word that nobody has used before.
inline std::string new_word() {
  std::random_device device;
  std::string word;
  for (int i = 0; i < 4; ++i) {
    word += text(device()) + ".";
  }
  return word;
}

/// The number of this meeting among those of the process, by which one is not taken for the next.
inline std::string next_meeting() {
  static std::atomic<int> number{0};
  return text(number++);
}

/// Waits until all processes are there, and returns a word that they have in common, and that no earlier launch had.
///
/// A store outlives processes that were killed: a file in a folder, the store of torchrun's agent. Each process says a
/// new word. Process 0 answers it with the common one, and again should it hear another word, of a process that came
/// later than what an earlier launch left behind. Throws Error, with who is missing, if that takes too long.
inline std::string meet(c10d::Store& store, int rank, int size, std::chrono::milliseconds timeout) {
  const std::string number = next_meeting() + "/";
  const auto begin = std::chrono::steady_clock::now();
  const auto wait = [&](const auto& missing) {
    if (std::chrono::steady_clock::now() - begin > timeout) {
      throw Error("connect: process " + text(rank) + " of " + text(size) + " waited " + text(timeout.count() / 1000) +
                  " s in vain for " + missing());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  };
  if (rank > 0) {
    const std::string mine = new_word();
    put(store, "hello/" + number + text(rank), mine);
    for (;;) {
      const std::string answer = look_up(store, "welcome/" + number + text(rank));
      if (answer.rfind(mine, 0) == 0) {
        const std::string common = answer.substr(mine.size());
        put(store, "thanks/" + number + text(rank), common);
        return common;
      }
      wait([] { return std::string("process 0"); });
    }
  }
  const std::string common = new_word();
  std::vector<std::string> heard(static_cast<std::size_t>(size));
  for (;;) {
    std::string missing;
    for (int other = 1; other < size; ++other) {
      const std::string word = look_up(store, "hello/" + number + text(other));
      std::string& last = heard[static_cast<std::size_t>(other)];
      if (!word.empty() && word != last) {
        put(store, "welcome/" + number + text(other), word + common);
        last = word;
      }
      if (look_up(store, "thanks/" + number + text(other)) != common) {
        add_item(missing, text(other));
      }
    }
    if (missing.empty()) {
      return common;
    }
    wait([&] { return "process " + missing; });
  }
}

}  // namespace regimen::inline v0::detail
