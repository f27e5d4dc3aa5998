#pragma once

#include <ATen/Context.h>
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/key/detail/threefry.hpp"

namespace regimen::inline v0 {

/// Purpose for which LibTorch's generators are seeded. Draws for two purposes are independent, even at the same seed
/// and step.
enum class Purpose : std::int64_t {
  forward = 0,      ///< forward passes of a training step: dropout
  scoring = -1,     ///< models and measures that draw at a scoring
  transforms = -2,  ///< transforms that draw from LibTorch's generators instead of their key
  order = -3,       ///< a loader that shuffles an epoch
};

/// LibTorch's global generators of the CPU and of a device, from which dropout, `torch::randn` and a shuffling loader
/// draw. In a loop of your own add them to the checkpoint; otherwise draws after a resume differ from those of a run
/// that was not stopped. `run` seeds them before every step, so it need not save them.
///     regimen::Generators generators(net->parameters().front().device());
///     regimen::save_checkpoint("loop.pt", {.clock = clock}, net, sgd, generators);
class Generators {
 public:
  explicit Generators(const at::Device& device = at::Device(at::kCPU)) {
    each_.push_back(at::globalContext().defaultGenerator(at::Device(at::kCPU)));
    if (!device.is_cpu()) {
      each_.push_back(at::globalContext().defaultGenerator(device));
    }
  }

  /// Seeds the generators as `run` does before the forward passes of a step: a loop of your own with this seed and step
  /// draws the same dropout masks. Draws for two purposes in one step are independent, and those for two parts of it:
  /// part 0 is a whole step, part i + 1 the i-th virtual shard of a shared run.
  void seed(std::uint64_t seed, std::int64_t step, Purpose purpose = Purpose::forward, std::int64_t part = 0) {
    const detail::Block words =
        detail::threefry({seed, static_cast<std::uint64_t>(part)},
                         {static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(purpose)});
    for (at::Generator& generator : each_) {
      const std::lock_guard<std::mutex> lock(generator.mutex());
      generator.set_current_seed(words.first);
    }
  }

  /// The states of the generators, one byte tensor on the CPU for each.
  [[nodiscard]] std::vector<at::Tensor> states() const {
    std::vector<at::Tensor> states;
    for (at::Generator generator : each_) {  // a copy of the handle: locking needs a non-const one
      const std::lock_guard<std::mutex> lock(generator.mutex());
      states.push_back(generator.get_state());
    }
    return states;
  }

  /// Restores states that `states` returned.
  void restore(const std::vector<at::Tensor>& states) {
    detail::require(states.size() == each_.size(), "Generators: the number of states", detail::text(each_.size()),
                    states.size());
    for (std::size_t i = each_.size(); i-- > 0;) {
      const std::lock_guard<std::mutex> lock(each_[i].mutex());
      each_[i].set_state(states[i]);
    }
  }

  /// Writes the states to a checkpoint's archive.
  template <class Archive>
  void save(Archive& archive) const {
    const std::vector<at::Tensor> now = states();
    for (std::size_t i = 0; i < now.size(); ++i) {
      archive.write("generator" + detail::text(i), now[i], /*is_buffer=*/true);
    }
  }

  /// Reads the states from a checkpoint's archive. Throws Error, before anything is changed, if they are from another
  /// device's generators.
  template <class Archive>
  void load(Archive& archive) {
    const std::vector<at::Tensor> now = states();
    std::vector<at::Tensor> stored(now.size());
    for (std::size_t i = 0; i < now.size(); ++i) {
      archive.read("generator" + detail::text(i), stored[i], /*is_buffer=*/true);
      stored[i] = stored[i].cpu();
      if (stored[i].sizes() != now[i].sizes() || stored[i].scalar_type() != now[i].scalar_type()) {
        throw Error("Generators: the state that was saved is of another device's generator");
      }
    }
    restore(stored);
  }

 private:
  std::vector<at::Generator> each_;
};

}  // namespace regimen::inline v0
