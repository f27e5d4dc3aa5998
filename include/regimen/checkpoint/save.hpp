#pragma once

#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <torch/serialize/archive.h>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "regimen/base/file.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/base/lock.hpp"
#include "regimen/checkpoint/detail/footer.hpp"
#include "regimen/checkpoint/detail/state_archive.hpp"
#include "regimen/model/model.hpp"
#include "regimen/observe/event.hpp"

namespace torch::optim {
class LBFGS;
struct LBFGSParamState;
}  // namespace torch::optim

namespace regimen::inline v0 {

/// A type that a checkpoint can hold beside the state of `run`: one with LibTorch's save(OutputArchive&) and
/// load(InputArchive&). That is modules, their holders and pointers to them, optimizers, and types of your own.
template <class T>
concept Storable = requires(T& thing, torch::serialize::OutputArchive& out, torch::serialize::InputArchive& in) {
  detail::module_of(thing).save(out);
  detail::module_of(thing).load(in);
};

namespace detail {

/// A tensor, "layer1.weight", in the archive of a module; undefined if it is not there.
inline at::Tensor find_tensor(torch::serialize::InputArchive& archive, const std::string& name, bool is_buffer) {
  at::Tensor tensor;
  const std::size_t dot = name.find('.');
  if (dot == std::string::npos) {
    archive.try_read(name, tensor, is_buffer);
    return tensor;
  }
  torch::serialize::InputArchive nested;
  return archive.try_read(name.substr(0, dot), nested) ? find_tensor(nested, name.substr(dot + 1), is_buffer) : tensor;
}

/// Loads a module, an optimizer or another object. Checks shapes and types first: LibTorch's modules accept tensors of
/// any shape, and reinterpret the bits of another type.
template <Storable Thing>
void load_thing(Thing& thing, torch::serialize::InputArchive& archive) {
  auto& target = module_of(thing);
  if constexpr (HasParameters<std::remove_reference_t<decltype(target)>>) {
    for (const bool parameters : {true, false}) {
      for (const Named& named : named_tensors(target, parameters)) {
        const at::Tensor stored = find_tensor(archive, named.name, !parameters);
        if (stored.defined() && (stored.sizes() != named.tensor.sizes() || stored.dtype() != named.tensor.dtype())) {
          throw Error(named.name + " has another shape or type there");
        }
      }
    }
  }
  target.load(archive);
}

/// Replaces the undefined tensors in LBFGS's scratch memory: LibTorch cannot save the optimizer before its history is
/// full. Scratch is written before it is read, so any content will do.
template <class Optimizer, class ParamState = torch::optim::LBFGSParamState>
void fill_scratch(Optimizer& optimizer) {
  if constexpr (std::is_base_of_v<torch::optim::LBFGS, Optimizer>) {
    for (auto& entry : optimizer.state()) {
      auto& scratch = static_cast<ParamState&>(*entry.second).al();
      if (scratch) {
        for (at::Tensor& tensor : *scratch) {
          tensor = tensor.defined() ? tensor : at::zeros({});
        }
      }
    }
  }
}

template <class T>
concept HasOptions = requires(T& optimizer, torch::serialize::OutputArchive& out, torch::serialize::InputArchive& in) {
  optimizer.param_groups().front().options().serialize(out);
  optimizer.param_groups().front().options().serialize(in);
};

/// Writes the options of an optimizer's groups beside its state. LibTorch does so itself only since pytorch#125215;
/// before, a learning rate that was changed by hand was lost. Writes nothing for a user's optimizer that cannot save
/// its options.
template <class Optimizer>
void save_options(Optimizer& optimizer, torch::serialize::OutputArchive& archive) {
  int group = 0;
  for (auto& each : optimizer.param_groups()) {
    torch::serialize::OutputArchive options;
    try {
      each.options().serialize(options);
    } catch (const c10::Error&) {
      return;
    }
    archive.write("group" + text(group++), options);
  }
}

template <class Optimizer>
void load_options(Optimizer& optimizer, torch::serialize::InputArchive& archive) {
  int group = 0;
  for (auto& each : optimizer.param_groups()) {
    torch::serialize::InputArchive options;
    if (archive.try_read("group" + text(group++), options)) {
      each.options().serialize(options);
    }
  }
}

}  // namespace detail

/// Writes the state of a run and the given objects to one file, atomically: whenever the process dies, the file holds
/// the old checkpoint or the new one. Throws Error if it cannot be written.
///     regimen::save_checkpoint("run.pt", state, net, optimizer);
template <Storable... Things>
void save_checkpoint(const std::string& path, const State& state, Things&... things) {
  torch::serialize::OutputArchive archive;
  torch::serialize::OutputArchive part;
  detail::save_state(part, state);
  archive.write("state", part);
  int i = 0;
  [[maybe_unused]] const auto save = [&]<class Thing>(Thing& thing) {
    torch::serialize::OutputArchive nested;
    detail::fill_scratch(thing);
    detail::module_of(thing).save(nested);
    archive.write("thing" + detail::text(i), nested);
    if constexpr (detail::HasOptions<Thing>) {
      torch::serialize::OutputArchive options;
      detail::save_options(thing, options);
      archive.write("options" + detail::text(i), options);
    }
    ++i;
  };
  (save(things), ...);
  std::string bytes;
  archive.save_to([&](const void* data, std::size_t size) {
    bytes.append(static_cast<const char*>(data), size);
    return size;
  });
  detail::append_footer(bytes);
  detail::replace_file(path, bytes);
}

/// Reads a checkpoint into the given objects, which must be those that it was written from, in the same order, and
/// returns the state for `RunOptions::from`. Throws Error if the file does not exist, is truncated, damaged, or written
/// by a newer regimen, all of which its footer tells before anything is loaded; or if it holds other objects, some of
/// which may then have been loaded.
/// Without objects it reads the state alone, to see how far a run has come. A checkpoint from a GPU can be read on a
/// machine without one.
///     auto state = regimen::load_checkpoint("run.pt", net, optimizer);
///     regimen::run(net, phases, scoring, {.from = state}, ...);
template <Storable... Things>
State load_checkpoint(const std::string& path, Things&... things) {
  if (!std::filesystem::exists(path)) {
    throw Error("load_checkpoint: there is no file " + path);
  }
  const std::string bytes = detail::content_of(path);
  try {
    detail::check_footer(bytes);
  } catch (const Error& failure) {
    throw Error("load_checkpoint: " + path + ": " + failure.what());
  }
  try {
    torch::serialize::InputArchive archive;
    const bool has_gpu = at::globalContext().hasCUDA();
    archive.load_from(bytes.data(), bytes.size(), has_gpu ? torch::nullopt : torch::optional<at::Device>(at::kCPU));
    torch::serialize::InputArchive part;
    archive.read("state", part);
    State state = detail::load_state(part);
    [[maybe_unused]] int i = 0;
    [[maybe_unused]] const auto load = [&]<class Thing>(Thing& thing) {
      torch::serialize::InputArchive nested;
      archive.read("thing" + detail::text(i), nested);
      detail::load_thing(thing, nested);
      if constexpr (detail::HasOptions<Thing>) {
        torch::serialize::InputArchive options;
        archive.read("options" + detail::text(i), options);
        detail::load_options(thing, options);
      }
      ++i;
    };
    (load(things), ...);
    return state;
  } catch (const std::exception& failure) {
    const std::string why = failure.what();  // LibTorch's text goes on with the call stack
    throw Error("load_checkpoint: " + path + " is no checkpoint of these things: " + why.substr(0, why.find('\n')));
  }
}

}  // namespace regimen::inline v0
