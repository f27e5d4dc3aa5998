#pragma once

#include <torch/data.h>

#include <cstdint>
#include <optional>
#include <type_traits>

#include "regimen/datasets/dataset.hpp"
#include "regimen/key/generator_guard.hpp"
#include "regimen/model/guards.hpp"

/// The number of samples in an epoch of a loader of torch::data.
namespace regimen::inline v0::detail {

/// Access to protected members of LibTorch's loaders. A pointer to such a member, named in a derived class, calls the
/// loader's override; no object of this class is ever made.
template <class Base>
struct LoaderHooks : Base {
  static void begin_epoch(Base& loader) { (loader.*&LoaderHooks::reset)(); }
  static auto next_request(Base& loader) { return (loader.*&LoaderHooks::get_batch_request)(); }
  static bool begun(Base& loader) { return loader.*&LoaderHooks::sequence_number_ > 0; }
  static const auto& dataset(Base& loader) { return *(loader.*&LoaderHooks::main_thread_dataset_); }
};

/// Whether a sampler is one of LibTorch's: these draw from the global generator or not at all, so an epoch can be drawn
/// from them without side effects.
template <class Sampler>
inline constexpr bool is_sampler_of_torch =
    std::is_same_v<Sampler, torch::data::samplers::RandomSampler> ||
    std::is_same_v<Sampler, torch::data::samplers::SequentialSampler> ||
    std::is_same_v<Sampler, torch::data::samplers::DistributedRandomSampler> ||
    std::is_same_v<Sampler, torch::data::samplers::DistributedSequentialSampler> ||
    std::is_same_v<Sampler, torch::data::samplers::StreamSampler>;

/// The number of samples in an epoch of the loader, if it can be found without reading any: the sampler is drawn to its
/// end, and the data set is not read. The sampler is reset at the loader's next epoch anyway.
template <class Dataset, class Sampler>
std::optional<std::int64_t> samples_of(torch::data::StatelessDataLoader<Dataset, Sampler>& loader) {
  using Hooks = LoaderHooks<typename torch::data::StatelessDataLoader<Dataset, Sampler>::super>;
  if constexpr (!is_sampler_of_torch<Sampler>) {
    return std::nullopt;
  } else {
    const GeneratorGuard generators(at::kCPU);
    if (loader.options().workers == 0 && loader.options().max_jobs == 0) {
      Hooks::begin_epoch(loader);
    } else if (Hooks::begun(loader)) {  // beginning an epoch would start the workers
      return std::nullopt;
    }
    std::int64_t samples = 0;
    while (const auto request = Hooks::next_request(loader)) {
      samples += static_cast<std::int64_t>(request->size());
    }
    return samples;
  }
}

/// The size that a stateful data set reports, if it does; it decides by itself what an epoch is.
template <class Dataset>
std::optional<std::int64_t> samples_of(torch::data::StatefulDataLoader<Dataset>& loader) {
  const auto size = LoaderHooks<typename torch::data::StatefulDataLoader<Dataset>::super>::dataset(loader).size();
  return size ? std::optional(static_cast<std::int64_t>(*size)) : std::nullopt;
}

}  // namespace regimen::inline v0::detail
