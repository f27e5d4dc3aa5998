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

/// What LibTorch's generators are seeded for: draws for two purposes are independent, though seed and step are equal.
enum class Purpose : std::int64_t {
  forward = 0,      ///< the forward passes of a training step: dropout
  scoring = -1,     ///< models and measures that draw while they are scored
  transforms = -2,  ///< transforms that draw without their key
  order = -3,       ///< a loader that draws the order of an epoch
};

/// LibTorch's global generators of the CPU and of a device, from which dropout, `torch::randn` and a shuffling loader
/// draw. A checkpoint of a loop of your own names them among its things, or what is drawn after a resume is other than
/// without the stop. `run` needs none: it seeds them before every step.
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

  /// Seeds them as `run` does before the forward passes of a step: with the same seed and step a loop of your own draws
  /// the same dropout masks. Draws for another purpose in the same step are independent of these.
  void seed(std::uint64_t seed, std::int64_t step, Purpose purpose = Purpose::forward) {
    const detail::Block words =
        detail::threefry({seed, 0}, {static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(purpose)});
    for (at::Generator& generator : each_) {
      const std::lock_guard<std::mutex> lock(generator.mutex());
      generator.set_current_seed(words.first);
    }
  }

  /// Their states, one a generator: bytes on the CPU.
  [[nodiscard]] std::vector<at::Tensor> states() const {
    std::vector<at::Tensor> states;
    for (at::Generator generator : each_) {  // a handle: locking it is no const affair
      const std::lock_guard<std::mutex> lock(generator.mutex());
      states.push_back(generator.get_state());
    }
    return states;
  }

  /// Puts them into the states that `states` gave.
  void restore(const std::vector<at::Tensor>& states) {
    detail::require(states.size() == each_.size(), "Generators: the number of states", detail::text(each_.size()),
                    states.size());
    for (std::size_t i = each_.size(); i-- > 0;) {
      const std::lock_guard<std::mutex> lock(each_[i].mutex());
      each_[i].set_state(states[i]);
    }
  }

  /// For a checkpoint.
  template <class Archive>
  void save(Archive& archive) const {
    const std::vector<at::Tensor> now = states();
    for (std::size_t i = 0; i < now.size(); ++i) {
      archive.write("generator" + detail::text(i), now[i], /*is_buffer=*/true);
    }
  }

  /// Throws Error, before anything is changed, for states of other generators: of another device.
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
