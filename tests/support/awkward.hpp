#pragma once
// Ten networks at which a library goes wrong that takes a list of tensors for what it seems, and all that can be told
// of a network and of LibTorch before and after a call.

#include "support/torch.hpp"

#include <ATen/autocast_mode.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <regimen/adapt.hpp>
#include <regimen/regimen.hpp>

namespace awkward {

/// A network that throws in the middle of its forward pass where it is told to.
struct Breakable : torch::nn::Module {
  std::int64_t left = 0;  ///< forward passes up to the one that fails; 0: none does

 protected:
  void half_way() {
    if (left > 0 && --left == 0) {
      throw std::runtime_error("broken");
    }
  }
};

/// A layer that is registered and used twice, and a last weight with two names of its own.
struct Tied : Breakable {
  Tied() {
    first = register_module("first", torch::nn::Linear(4, 4));
    register_module("again", first);
    table = register_parameter("table", torch::randn({3, 4}));
    register_parameter("last", table);
  }
  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor hidden = torch::relu(first(x));
    half_way();
    return at::linear(torch::relu(first(hidden)), table);
  }

  torch::nn::Linear first{nullptr};
  at::Tensor table;
};

/// A BatchNorm that is registered twice and used twice; and dropout.
struct SharedNorm : Breakable {
  SharedNorm() {
    first = register_module("first", torch::nn::Linear(4, 6));
    norm = register_module("norm", torch::nn::BatchNorm1d(6));
    middle = register_module("middle", torch::nn::Linear(6, 6));
    register_module("again", norm);
    dropout = register_module("dropout", torch::nn::Dropout(0.3));
    last = register_module("last", torch::nn::Linear(6, 3));
  }
  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor hidden = torch::relu(norm(first(x)));
    half_way();
    return last(dropout(torch::relu(norm(middle(hidden)))));
  }

  torch::nn::Linear first{nullptr}, middle{nullptr}, last{nullptr};
  torch::nn::BatchNorm1d norm{nullptr};
  torch::nn::Dropout dropout{nullptr};
};

/// As somebody who fine-tunes leaves it: no gradients for the first layer, its norm in eval mode.
struct Frozen : Breakable {
  Frozen() {
    first = register_module("first", torch::nn::Linear(4, 6));
    norm = register_module("norm", torch::nn::BatchNorm1d(6));
    last = register_module("last", torch::nn::Linear(6, 3));
    for (const auto& parameters : {first->parameters(), norm->parameters()}) {
      for (at::Tensor parameter : parameters) {
        parameter.set_requires_grad(false);
      }
    }
    norm->eval();
  }
  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor hidden = norm(first(x));
    half_way();
    return last(torch::relu(hidden));
  }

  torch::nn::Linear first{nullptr}, last{nullptr};
  torch::nn::BatchNorm1d norm{nullptr};
};

/// With layers that no pass comes through; one holds a NaN.
struct Unused : Breakable {
  Unused() {
    first = register_module("first", torch::nn::Linear(4, 6));
    spare = register_module("spare", torch::nn::Linear(6, 6));
    spare_norm = register_module("spare_norm", torch::nn::BatchNorm1d(6));
    last = register_module("last", torch::nn::Linear(6, 3));
    const at::NoGradGuard no_grad;
    spare->bias[2] = std::nan("");
  }
  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor hidden = torch::relu(first(x));
    half_way();
    return last(hidden);
  }

  torch::nn::Linear first{nullptr}, spare{nullptr}, last{nullptr};
  torch::nn::BatchNorm1d spare_norm{nullptr};
};

struct Double : Breakable {
  Double() {
    first = register_module("first", torch::nn::Linear(4, 6));
    norm = register_module("norm", torch::nn::BatchNorm1d(6));
    last = register_module("last", torch::nn::Linear(6, 3));
    to(at::kDouble);
  }
  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor hidden = torch::relu(norm(first(x)));
    half_way();
    return last(hidden);
  }

  torch::nn::Linear first{nullptr}, last{nullptr};
  torch::nn::BatchNorm1d norm{nullptr};
};

/// Images; the kernels lie with their channels last.
struct ChannelsLast : Breakable {
  ChannelsLast() {
    first = register_module("first", torch::nn::Conv2d(torch::nn::Conv2dOptions(2, 4, 3).padding(1).bias(false)));
    norm = register_module("norm", torch::nn::BatchNorm2d(4));
    last = register_module("last", torch::nn::Linear(4, 3));
    first->weight.set_data(first->weight.detach().contiguous(at::MemoryFormat::ChannelsLast));
  }
  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor hidden = torch::relu(norm(first(x)));
    half_way();
    return last(hidden.mean({2, 3}));
  }

  torch::nn::Conv2d first{nullptr};
  torch::nn::BatchNorm2d norm{nullptr};
  torch::nn::Linear last{nullptr};
};

/// With parts that have no tensor at all, one of them in a mode of its own.
struct Hollow : Breakable {
  Hollow() {
    body = register_module("body", torch::nn::Sequential(torch::nn::Flatten(), torch::nn::Dropout(0.2)));
    register_module("nothing", std::make_shared<torch::nn::Module>());
    last = register_module("last", torch::nn::Linear(4, 3));
    body->eval();
  }
  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor hidden = body->forward(x);
    half_way();
    return last(hidden);
  }

  torch::nn::Sequential body{nullptr};
  torch::nn::Linear last{nullptr};
};

/// Without a parameter: a random projection, normalized, and a count of the passes in train mode.
struct BuffersAlone : Breakable {
  BuffersAlone() {
    projection = register_buffer("projection", torch::randn({4, 3}));
    norm = register_module("norm", torch::nn::BatchNorm1d(torch::nn::BatchNorm1dOptions(3).affine(false)));
    passes = register_buffer("passes", torch::zeros({1}, at::kLong));
  }
  at::Tensor forward(const at::Tensor& x) {
    if (is_training()) {
      passes.add_(1);
    }
    half_way();
    return norm(x.matmul(projection));
  }

  at::Tensor projection, passes;
  torch::nn::BatchNorm1d norm{nullptr};
};

/// No module of LibTorch's. Its lists name a tensor twice; it counts its passes in train mode.
struct Plain {
  at::Tensor weight = torch::randn({4, 3}).set_requires_grad(true);
  at::Tensor passes = torch::zeros({1});
  bool training = true;
  std::int64_t left = 0;

  at::Tensor forward(const at::Tensor& x) {
    if (training) {
      passes.add_(1);
    }
    if (left > 0 && --left == 0) {
      throw std::runtime_error("broken");
    }
    return x.matmul(weight);
  }
  [[nodiscard]] std::vector<at::Tensor> parameters() const { return {weight, weight}; }
  [[nodiscard]] std::vector<at::Tensor> buffers() const { return {passes, passes}; }
  void train(bool on) { training = on; }
  [[nodiscard]] bool is_training() const { return training; }
};

/// TorchScript: a Linear under two names, BatchNorm's buffers, dropout, and a part with a mode.
inline torch::jit::Module scripted() {
  torch::jit::Module norm("Norm");
  norm.register_attribute("training", c10::BoolType::get(), true);
  norm.register_parameter("weight", torch::ones({4}), false);
  norm.register_parameter("bias", torch::zeros({4}), false);
  norm.register_buffer("running_mean", torch::randn({4}));
  norm.register_buffer("running_var", torch::ones({4}) * 2);
  norm.register_buffer("num_batches_tracked", torch::zeros({}, at::kLong));
  norm.define(R"(
    def forward(self, x):
        if self.training:
            self.num_batches_tracked.add_(1)
        return torch.batch_norm(x, self.weight, self.bias, self.running_mean, self.running_var,
                                self.training, 0.1, 1e-5, False)
  )");
  torch::jit::Module net("Scripted");
  const at::Tensor weight = torch::randn({4, 4}).set_requires_grad(true);
  net.register_attribute("training", c10::BoolType::get(), true);
  net.register_attribute("left", c10::IntType::get(), 0);
  net.register_parameter("weight", weight, false);
  net.register_parameter("again", weight, false);
  net.register_parameter("last", torch::randn({4, 3}), false);
  net.register_module("norm", norm);
  net.define(R"(
    def forward(self, x):
        y = torch.relu(self.norm.forward(x.matmul(self.weight)))
        if self.left > 0:
            self.left = self.left - 1
            assert self.left > 0, "broken"
        return torch.dropout(y.matmul(self.again), 0.1, self.training).matmul(self.last)
  )");
  return net;
}

/// One of the ten, with what it takes.
struct Network {
  std::string name;
  regimen::Model model;
  regimen::Batch batch;                                     ///< 9 samples of 3 classes
  std::function<void(std::int64_t)> fail_at;                ///< this forward pass from now on throws; 0: none does
  std::function<std::vector<regimen::Named>(bool)> listed;  ///< its parameters, or its buffers
  std::function<std::vector<bool>()> modes;
  std::function<void(const std::string&)> save{};  ///< a checkpoint; none where it cannot be saved
};

/// As the module lists them: twice what has two names.
template <class M>
std::vector<regimen::Named> listed_tensors(M& module, bool parameters) {
  std::vector<regimen::Named> all;
  if constexpr (requires { module.named_parameters().begin()->key(); }) {
    const auto list = parameters ? module.named_parameters() : module.named_buffers();
    for (const auto& item : list) {
      all.push_back({item.key(), item.value()});
    }
  } else if constexpr (requires { module.named_parameters().front().name; }) {
    all = parameters ? module.named_parameters() : module.named_buffers();
  } else {
    for (const at::Tensor& tensor : parameters ? module.parameters() : module.buffers()) {
      all.push_back({std::to_string(all.size()), tensor});
    }
  }
  return all;
}

template <class M>
std::vector<bool> modes_of(M& module) {
  std::vector<bool> modes;
  if constexpr (requires { module.modules().front()->is_training(); }) {
    for (const auto& part : module.modules()) {
      modes.push_back(part->is_training());
    }
  } else if constexpr (requires { module.named_modules().front().second.is_training(); }) {
    for (const auto& part : module.named_modules()) {
      modes.push_back(part.second.is_training());
    }
  } else {
    modes.push_back(module.is_training());
  }
  return modes;
}

/// Running statistics that are not as they were made.
template <class M>
void live(M& module) {
  for (const regimen::Named& named : listed_tensors(module, /*parameters=*/false)) {
    at::Tensor tensor = named.tensor;
    if (named.name.find("running_mean") != std::string::npos) {
      tensor.normal_(0, 0.5);
    } else if (named.name.find("running_var") != std::string::npos) {
      tensor.uniform_(0.5, 2);
    }
  }
}

template <class M>
Network network_of(const std::string& name, const std::shared_ptr<M>& net, std::vector<std::int64_t> shape = {9, 4}) {
  live(*net);
  const at::ScalarType type = std::is_same_v<M, Double> ? at::kDouble : at::kFloat;
  Network result{.name = name,
                 .model = regimen::Model(net),
                 .batch = {.data = torch::randn(shape, type),
                           .target = torch::arange(9, at::kLong).remainder(3),
                           .id = torch::arange(9, at::kLong)},
                 .fail_at = [net](std::int64_t pass) { net->left = pass; },
                 .listed = [net](bool parameters) { return listed_tensors(*net, parameters); },
                 .modes = [net] { return modes_of(*net); }};
  if constexpr (regimen::Storable<std::shared_ptr<M>>) {
    result.save = [net](const std::string& path) { regimen::save_checkpoint(path, {}, *net); };
  }
  return result;
}

/// A script whose attribute says when it fails.
struct Script : regimen::Script {
  struct Left {
    torch::jit::Module* module;
    void operator=(std::int64_t pass) const { module->setattr("left", pass); }
  };

  Script() : regimen::Script(scripted()), left{&module()} {}
  Left left;
};

inline std::vector<Network> all_ten(std::uint64_t seed = 1) {
  torch::manual_seed(seed);
  std::vector<Network> all;
  all.push_back(network_of("tied", std::make_shared<Tied>()));
  all.push_back(network_of("shared norm", std::make_shared<SharedNorm>()));
  all.push_back(network_of("frozen", std::make_shared<Frozen>()));
  all.push_back(network_of("unused", std::make_shared<Unused>()));
  all.push_back(network_of("double", std::make_shared<Double>()));
  all.push_back(network_of("channels_last", std::make_shared<ChannelsLast>(), {9, 2, 5, 5}));
  all.push_back(network_of("TorchScript", std::make_shared<Script>()));
  all.push_back(network_of("hollow", std::make_shared<Hollow>()));
  all.push_back(network_of("buffers alone", std::make_shared<BuffersAlone>()));
  all.push_back(network_of("plain struct", std::make_shared<Plain>()));
  return all;
}

// What can be told

inline std::string bytes_of(const at::Tensor& tensor) {
  const at::Tensor copy = tensor.detach().contiguous();
  return {static_cast<const char*>(copy.data_ptr()), static_cast<std::size_t>(copy.nbytes())};
}

/// What a call may change, being what it is for.
struct May {
  bool change_gradients = false;
  bool change_statistics = false;  ///< the bits of running_mean, running_var and num_batches_tracked
  bool change_buffers = false;     ///< the bits of all of them
  bool write = false;              ///< put the same bits back by a write, as autograd counts it
  bool draw = false;               ///< from the global generators
};

/// A network's tensors and modes, and LibTorch's settings in this thread, to the last bit.
class State {
 public:
  explicit State(const Network& net) : modes_(net.modes()) {
    for (const bool parameters : {true, false}) {
      for (const regimen::Named& named : net.listed(parameters)) {
        tensors_.emplace_back(named, parameters);
      }
    }
    const at::Generator generator = at::globalContext().defaultGenerator(at::kCPU);
    generator_ = bytes_of(generator.get_state());
    settings_ = settings();
  }

  /// The first thing in which another state differs from this one; empty if nothing does.
  [[nodiscard]] std::string difference(const State& after, const May& may) const {
    if (tensors_.size() != after.tensors_.size()) {
      return "the number of tensors";
    }
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      const std::string what = tensors_[i].difference(after.tensors_[i], may);
      if (!what.empty()) {
        return tensors_[i].name + ": " + what;
      }
    }
    if (modes_ != after.modes_) {
      return "modes";
    }
    if (!may.draw && generator_ != after.generator_) {
      return "the generator";
    }
    for (std::size_t i = 0; i < settings_.size(); ++i) {
      if (settings_[i] != after.settings_[i]) {
        return settings_[i].first + " was " + std::to_string(settings_[i].second) + " and is " +
               std::to_string(after.settings_[i].second);
      }
    }
    return "";
  }

 private:
  struct Kept {
    Kept(const regimen::Named& named, bool parameter)
        : name(named.name),
          is_parameter(parameter),
          tensor(named.tensor),
          memory(tensor.data_ptr()),
          bytes(bytes_of(tensor)),
          sizes(tensor.sizes().vec()),
          strides(tensor.strides().vec()),
          type(tensor.scalar_type()),
          requires_grad(tensor.requires_grad()),
          version(tensor._version()),
          gradient(tensor.grad()) {
      if (gradient.defined()) {
        gradient_memory = gradient.data_ptr();
        gradient_bytes = bytes_of(gradient);
      }
    }

    [[nodiscard]] std::string difference(const Kept& after, const May& may) const {
      const bool is_statistic =
          name.find("running_") != std::string::npos || name.find("num_batches") != std::string::npos;
      const bool may_change = !is_parameter && ((is_statistic && may.change_statistics) || may.change_buffers);
      const std::vector<std::pair<bool, const char*>> looked_at{
          {name == after.name, "its name"},
          {tensor.is_same(after.tensor), "it is another tensor"},
          {memory == after.memory, "its memory"},
          {may_change || bytes == after.bytes, "its bits"},
          {sizes == after.sizes, "its shape"},
          {strides == after.strides, "its strides"},
          {type == after.type, "its type"},
          {requires_grad == after.requires_grad, "requires_grad"},
          {may_change || may.write || version == after.version, "it was written to"},
          {may.change_gradients || gradient.is_same(after.gradient), "its gradient is another tensor"},
          {may.change_gradients || gradient_memory == after.gradient_memory, "its gradient's memory"},
          {may.change_gradients || gradient_bytes == after.gradient_bytes, "its gradient's bits"}};
      for (const auto& [same, what] : looked_at) {
        if (!same) {
          return what;
        }
      }
      return "";
    }

    std::string name;
    bool is_parameter;
    at::Tensor tensor;
    const void* memory;
    std::string bytes;
    std::vector<std::int64_t> sizes;
    std::vector<std::int64_t> strides;
    at::ScalarType type;
    bool requires_grad;
    std::uint32_t version;
    at::Tensor gradient;
    const void* gradient_memory = nullptr;
    std::string gradient_bytes{};
  };

  static std::vector<std::pair<std::string, int>> settings() {
    const int nesting = at::autocast::increment_nesting() - 1;
    if (at::autocast::decrement_nesting() == 0) {
      at::autocast::clear_cache();
    }
    return {{"grad mode", at::GradMode::is_enabled()},
            {"inference mode", c10::InferenceMode::is_enabled()},
            {"threads", at::get_num_threads()},
            {"autocast", at::zeros({1, 1}).mm(at::zeros({1, 1})).scalar_type() == at::kBFloat16},
            {"autocast's nesting", nesting},
            {"autocast's cache", at::autocast::is_autocast_cache_enabled()},
            {"TF32 in products", at::globalContext().allowTF32CuBLAS()},
            {"TF32 in convolutions", at::globalContext().allowTF32CuDNN()},
            {"cuDNN's trials", at::globalContext().benchmarkCuDNN()},
            {"determinism", at::globalContext().deterministicAlgorithms()},
            {"default type", static_cast<int>(c10::typeMetaToScalarType(c10::get_default_dtype()))}};
  }

  std::vector<Kept> tensors_;
  std::vector<bool> modes_;
  std::string generator_;
  std::vector<std::pair<std::string, int>> settings_;
};

}  // namespace awkward
