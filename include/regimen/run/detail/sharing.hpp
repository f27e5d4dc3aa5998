#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/model/weights.hpp"
#include "regimen/optimizer/concept.hpp"
#include "regimen/record/history.hpp"
#include "regimen/run/detail/agree.hpp"
#include "regimen/share/data_parallel.hpp"
#include "regimen/tensor/checksum.hpp"

namespace regimen::inline v0::detail {

/// What the processes of a shared run agree about, between steps and in them. In a run of one process that is not
/// shared it is what that one says.
struct Sharing {
  DataParallel share{};
  std::function<bool()> asked_to_stop{};  ///< whether this process is
  bool keeps_outputs = false;             ///< true if an observer looks at steps
  bool stop = false;                      ///< whether any process was asked to stop, at the last message

  /// Calls `act`; should it throw, the other processes hear why.
  template <class Act>
  decltype(auto) telling_others(const Act& act) const {
    try {
      return act();
    } catch (const std::exception& failure) {
      share.fail(failure.what());
      throw;
    } catch (...) {
      share.fail("an exception that is no std::exception");
      throw;
    }
  }

  /// Agrees at an epoch's end: the wall time of process 0, by which all of them decide, is returned. Throws Error if
  /// weights or the optimizer's state have come to differ.
  double agree_on_epoch(double seconds, const Weights& model, const OptimizerRef& optimizer) {
    if (!share) {
      return seconds;
    }
    std::vector<at::Tensor> weights = optimizer.parameters();
    for (const Named& named : model.named_tensors()) {
      weights.push_back(named.tensor);
    }
    const std::string both = crc32_of(weights) + optimizer.state_crc32();
    const auto all = gather_numbers(share, {seconds, asked_to_stop() ? 1.0 : 0.0, number_of(both)}, model.device(),
                                    "an epoch's end");
    stop = false;
    for (std::size_t rank = 0; rank < all.size(); ++rank) {
      stop = stop || all[rank][1] > 0;
      require_equal(all[rank][2] == all[0][2], rank, "the weights, or the state of the optimizer,",
                    "a hook, a transform or the network itself");
    }
    return all[0][0];
  }

  /// Throws Error if the scores and measures of an epoch are not the same on all processes.
  void require_same_scores(const Epoch& epoch, const at::Device& device) const {
    if (!share) {
      return;
    }
    std::string numbers;
    for (const Score& score : {epoch.fit, epoch.clean, epoch.test, epoch.validation}) {
      numbers += text(score.loss) + " " + text(score.accuracy) + " ";
    }
    for (const auto& [name, value] : epoch.measures) {
      numbers += name + " " + text(value) + " ";
    }
    const auto all = gather_numbers(share, {number_of(numbers)}, device, "an epoch's scores");
    for (std::size_t rank = 0; rank < all.size(); ++rank) {
      require_equal(all[rank][0] == all[0][0], rank, "the scores or measures", "a measure, or the network itself,");
    }
  }

  /// Process 0's answer to a question that each process has answered, for instance by its own clock.
  [[nodiscard]] bool decided(bool mine, const at::Device& device) const {
    return share ? gather_numbers(share, {mine ? 1.0 : 0.0}, device, "whether a phase is over")[0][0] > 0 : mine;
  }

  /// Waits until all processes are done, so that an error of one in its last lines is the others' too.
  void part(const at::Device& device) const {
    if (share) {
      (void)gather_numbers(share, {0.0}, device, "the end of a run");
    }
  }

 private:
  /// A number that hardly two texts share.
  static double number_of(const std::string& text) {
    return static_cast<double>(std::hash<std::string>{}(text) % (std::uint64_t{1} << 53U));
  }

  static void require_equal(bool is_equal, std::size_t rank, const std::string& what, const std::string& cause) {
    if (!is_equal) {
      throw Error("after this epoch " + what + " of process " + text(rank) + " are not those of process 0: " + cause +
                  " does not do the same in each of the processes that share the run");
    }
  }
};

}  // namespace regimen::inline v0::detail
