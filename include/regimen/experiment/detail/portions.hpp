#pragma once
// No LibTorch.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "regimen/base/text_list.hpp"

namespace regimen::inline v0::experiment::detail {

/// Hands units out to processes, in order: one at a time, and several where units take less than a few seconds, for a
/// process takes a quarter of a second to load LibTorch.
class Portions {
 public:
  /// `several`: whether a process may have more than one.
  Portions(const std::vector<std::string>& units, int workers, bool several)
      : waiting_(units.begin(), units.end()), workers_(std::max(1, workers)), several_(several) {}

  struct Portion {
    std::string name{};  ///< for messages
    std::vector<std::string> units{};
    std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();

    /// The names, with commas between.
    [[nodiscard]] std::string list() const {
      std::string names;
      for (const std::string& unit : units) {
        regimen::detail::add_item(names, unit, ",");
      }
      return names;
    }
  };

  /// The next units; none at the end.
  Portion next() {
    const double wanted = seconds_ > 0 && several_ ? seconds_of_a_process * finished_ / seconds_ : 1;
    // The last portions are small, so that no worker waits long for the others.
    const double most = std::max(1.0, static_cast<double>(waiting_.size()) / (2 * workers_));
    const auto count = static_cast<std::size_t>(std::clamp(wanted, 1.0, most));
    Portion portion;
    std::size_t length = 0;
    while (!waiting_.empty() && portion.units.size() < count && length < longest_list) {
      if (alone_.contains(waiting_.front()) && !portion.units.empty()) {
        break;
      }
      portion.units.push_back(waiting_.front());
      waiting_.pop_front();
      length += portion.units.back().size() + 1;
      if (alone_.contains(portion.units.back())) {
        break;
      }
    }
    if (!portion.units.empty()) {
      const std::size_t more = portion.units.size() - 1;
      portion.name = portion.units.front() + (more > 0 ? " and " + std::to_string(more) + " more" : "");
      given_[portion.name] = portion;
    }
    return portion;
  }

  [[nodiscard]] const Portion& called(const std::string& name) const { return given_.at(name); }

  /// A process has trained its portion in so many seconds.
  void succeeded(const std::string& name, double seconds) {
    seconds_ += seconds;
    finished_ += static_cast<double>(given_.at(name).units.size());
  }

  /// A process of several units was killed: each is handed out again, to a process of its own. False for a single unit.
  bool take_back(const std::string& name) {
    const std::vector<std::string>& units = given_.at(name).units;
    if (units.size() == 1) {
      return false;
    }
    alone_.insert(units.begin(), units.end());
    waiting_.insert(waiting_.end(), units.begin(), units.end());
    return true;
  }

 private:
  static constexpr double seconds_of_a_process = 5;
  static constexpr std::size_t longest_list = 100'000;  ///< bytes; Linux takes words of up to 128 KiB

  std::deque<std::string> waiting_;
  std::set<std::string> alone_{};  ///< units that share no process
  std::map<std::string, Portion> given_{};
  double workers_;
  bool several_;
  double seconds_ = 0;   ///< that processes took which have ended
  double finished_ = 0;  ///< units of these processes
};

}  // namespace regimen::inline v0::experiment::detail
