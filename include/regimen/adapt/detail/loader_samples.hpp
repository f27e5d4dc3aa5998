#pragma once

#include <torch/data.h>

#include <cstdint>
#include <optional>
#include <type_traits>

#include "regimen/datasets/dataset.hpp"
#include "regimen/key/generator_guard.hpp"
#include "regimen/model/guards.hpp"

/// How many samples an epoch of a loader of torch::data has.
namespace regimen::inline v0::detail {

/// What LibTorch's loaders show only to their descendants. A pointer to such a member, named in a descendant, calls
/// what a loader overrides it with; an object of this class is never made.
template <class Base>
struct LoaderHooks : Base {
  static void begin_epoch(Base& loader) { (loader.*&LoaderHooks::reset)(); }
  static auto next_request(Base& loader) { return (loader.*&LoaderHooks::get_batch_request)(); }
  static bool begun(Base& loader) { return loader.*&LoaderHooks::sequence_number_ > 0; }
  static const auto& dataset(Base& loader) { return *(loader.*&LoaderHooks::main_thread_dataset_); }
};

/// LibTorch's own samplers: what an epoch of theirs draws comes from the global generator or from nowhere, so it can be
/// drawn without consequences.
template <class Sampler>
inline constexpr bool is_sampler_of_torch =
    std::is_same_v<Sampler, torch::data::samplers::RandomSampler> ||
    std::is_same_v<Sampler, torch::data::samplers::SequentialSampler> ||
    std::is_same_v<Sampler, torch::data::samplers::DistributedRandomSampler> ||
    std::is_same_v<Sampler, torch::data::samplers::DistributedSequentialSampler> ||
    std::is_same_v<Sampler, torch::data::samplers::StreamSampler>;

/// How many samples an epoch of the loader has, where that can be known without reading any: its sampler is asked for
/// all its places, and the data set for none. The sampler starts anew with the loader's next epoch anyway.
template <class Dataset, class Sampler>
std::optional<std::int64_t> samples_of(torch::data::StatelessDataLoader<Dataset, Sampler>& loader) {
  using Hooks = LoaderHooks<typename torch::data::StatelessDataLoader<Dataset, Sampler>::super>;
  if constexpr (!is_sampler_of_torch<Sampler>) {
    return std::nullopt;
  } else {
    const GeneratorGuard generators(at::kCPU);
    if (loader.options().workers == 0 && loader.options().max_jobs == 0) {
      Hooks::begin_epoch(loader);
    } else if (Hooks::begun(loader)) {  // to begin an epoch would set the workers to work
      return std::nullopt;
    }
    std::int64_t samples = 0;
    while (const auto request = Hooks::next_request(loader)) {
      samples += static_cast<std::int64_t>(request->size());
    }
    return samples;
  }
}

/// A data set with a state of its own decides itself what an epoch is; it may say how large it is.
template <class Dataset>
std::optional<std::int64_t> samples_of(torch::data::StatefulDataLoader<Dataset>& loader) {
  const auto size = LoaderHooks<typename torch::data::StatefulDataLoader<Dataset>::super>::dataset(loader).size();
  return size ? std::optional(static_cast<std::int64_t>(*size)) : std::nullopt;
}

}  // namespace regimen::inline v0::detail
