#pragma once
// Not in regimen.hpp: torch/script.h costs as much to compile as all of it.

#include <torch/script.h>
#include <torch/serialize/archive.h>

#include <string>
#include <utility>
#include <vector>

#include "regimen/error.hpp"
#include "regimen/model.hpp"

namespace regimen::inline v0 {

/// A TorchScript module as a model: a network that was scripted or traced in Python, trained here.
///
/// Its parameters are the module's own, so an optimizer made from `parameters()` trains it, `Snapshot`, `run`,
/// `evaluate` and checkpoints take it, and `module().save("trained.pt")` gives it back to Python. A traced module keeps
/// the mode that it was traced in: trace in train mode what has BatchNorm or dropout, or script it.
/// Throws Error where its output is no tensor; a tuple needs a Model with a `how` that picks from it.
///     regimen::Script net(torch::jit::load("net.pt"));
///     torch::optim::SGD sgd(net.parameters(), torch::optim::SGDOptions(0.1));
///     regimen::run(net, {{.data = train, .optimizer = sgd, .epochs = 10}}, {.test = test});
class Script {
 public:
  explicit Script(torch::jit::Module module) : module_(std::move(module)) {}

  /// [N, ...] -> the network's output.
  at::Tensor forward(const at::Tensor& x) {
    const c10::IValue output = module_.forward({x});
    if (!output.isTensor()) {
      throw Error("Script: the module's output must be a tensor, but is " + output.tagKind() +
                  ": say how to pick from it, regimen::Model(script, [](regimen::Script& s, const regimen::Batch& b) "
                  "{ return ...; })");
    }
    return output.toTensor();
  }

  /// The module itself; a copy shares its parameters.
  [[nodiscard]] torch::jit::Module& module() { return module_; }

  [[nodiscard]] std::vector<at::Tensor> parameters() const { return tensors_of(named_parameters()); }
  [[nodiscard]] std::vector<at::Tensor> buffers() const { return tensors_of(named_buffers()); }

  [[nodiscard]] std::vector<Named> named_parameters() const {
    std::vector<Named> result;
    for (const auto& item : module_.named_parameters()) {
      result.push_back({item.name, item.value});
    }
    return result;
  }

  [[nodiscard]] std::vector<Named> named_buffers() const {
    std::vector<Named> result;
    for (const auto& item : module_.named_buffers()) {
      result.push_back({item.name, item.value});
    }
    return result;
  }

  void train(bool on = true) { module_.train(on); }
  void eval() { module_.eval(); }
  [[nodiscard]] bool is_training() const { return module_.is_training(); }
  void to(const at::Device& device) { module_.to(device); }

  /// For checkpoints: the tensors in their order, without the code. (An archive's names may not hold the dots of
  /// "conv.weight".)
  void save(torch::serialize::OutputArchive& archive) const {
    int i = 0;
    for (const Named& named : named_parameters()) {
      archive.write("tensor" + detail::text(i++), named.tensor, /*is_buffer=*/true);
    }
    for (const Named& named : named_buffers()) {
      archive.write("tensor" + detail::text(i++), named.tensor, /*is_buffer=*/true);
    }
  }

  void load(torch::serialize::InputArchive& archive) {
    const at::NoGradGuard no_grad;
    int i = 0;
    const auto read = [&](const Named& named) {
      at::Tensor stored;
      archive.read("tensor" + detail::text(i++), stored, /*is_buffer=*/true);
      if (stored.sizes() != named.tensor.sizes() || stored.dtype() != named.tensor.dtype()) {
        throw Error(named.name + " has another shape or type there");
      }
      at::Tensor target = named.tensor;
      target.copy_(stored);
    };
    for (const Named& named : named_parameters()) {
      read(named);
    }
    for (const Named& named : named_buffers()) {
      read(named);
    }
  }

 private:
  static std::vector<at::Tensor> tensors_of(const std::vector<Named>& all) {
    std::vector<at::Tensor> tensors;
    for (const Named& named : all) {
      tensors.push_back(named.tensor);
    }
    return tensors;
  }

  torch::jit::Module module_;
};

}  // namespace regimen::inline v0
