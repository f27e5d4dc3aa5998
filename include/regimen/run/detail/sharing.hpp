#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "regimen/model/weights.hpp"
#include "regimen/run/detail/agree.hpp"
#include "regimen/share/data_parallel.hpp"
#include "regimen/tensor/checksum.hpp"

namespace regimen::inline v0::detail {

/// What the processes of a shared run agree about, between steps and in them.
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
    }
  }

  /// Agrees at an epoch's end: the wall time of process 0, by which all of them decide, is returned. Throws Error if
  /// the weights have come to differ.
  double agree_on_epoch(double seconds, const Weights& model) {
    std::vector<at::Tensor> weights;
    for (const Named& named : model.named_tensors()) {
      weights.push_back(named.tensor);
    }
    const auto sum = static_cast<double>(std::stoul(crc32_of(weights), nullptr, 16));
    const auto all = gather_numbers(share, {seconds, sum, asked_to_stop() ? 1.0 : 0.0}, model.device());
    stop = false;
    for (std::size_t rank = 0; rank < all.size(); ++rank) {
      stop = stop || all[rank][2] > 0;
      if (all[rank][1] != all[0][1]) {
        throw Error("after this epoch the weights of process " + text(rank) +
                    " are not those of process 0: a hook, a transform or the network itself does not do the same in "
                    "each of the processes that share the run");
      }
    }
    return all[0][0];
  }
};

}  // namespace regimen::inline v0::detail
