#pragma once
// Not in regimen.hpp: torch/script.h costs as much to compile as all of it.

#include <torch/script.h>
#include <torch/serialize/archive.h>

#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/checkpoint/save.hpp"
#include "regimen/model/model.hpp"

namespace regimen::inline v0 {

/// A module inside a TorchScript module, or the whole: what has a mode, train or eval.
class ModulePart {
 public:
  explicit ModulePart(torch::jit::Module module) : module_(std::move(module)) {}

  /// True also of one that has no mode, as a frozen one has none.
  [[nodiscard]] bool is_training() const { return module_.is_training(); }

  /// The mode of this part and of all parts inside it, as torch::nn::Module::train sets it.
  void train(bool on = true) const { torch::jit::Module(module_).train(on); }

 private:
  torch::jit::Module module_;
};

/// A TorchScript module as a model: a network that was scripted or traced in Python, trained here.
///
/// Its parameters are the module's own, so an optimizer made from `parameters()` trains it, `Snapshot`, `run`,
/// `evaluate` and checkpoints take it, and `module().save("trained.pt")` gives it back to Python. A traced module keeps
/// the mode that it was traced in: trace in train mode what has BatchNorm or dropout, or script it. A frozen module
/// (torch.jit.freeze) can be evaluated and not trained, for it keeps its weights as constants.
/// Throws Error where its output is no tensor; a tuple needs a Model with a `how` that picks from it.
///     regimen::Script net = regimen::load_script("net.pt");
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

  /// Its code, for a manifest.
  [[nodiscard]] std::string structure() const {
    return module_.dump_to_str(/*print_method_bodies=*/true, /*print_attr_values=*/false, /*print_param_values=*/false);
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

  /// The module itself, named "", and all its parts, "backbone.norm1": a part comes before those inside it. One that
  /// has two names is there twice.
  [[nodiscard]] std::vector<std::pair<std::string, ModulePart>> named_modules() const {
    std::vector<std::pair<std::string, ModulePart>> parts;
    for (const auto& item : module_.named_modules()) {
      parts.emplace_back(item.name, ModulePart(item.value));
    }
    return parts;
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
  /// Each once, so that an optimizer steps a tied weight once.
  static std::vector<at::Tensor> tensors_of(const std::vector<Named>& all) {
    std::vector<at::Tensor> tensors;
    for (const Named& named : detail::each_once(all)) {
      tensors.push_back(named.tensor);
    }
    return tensors;
  }

  torch::jit::Module module_;
};

namespace detail {

/// What was thrown, in a line: LibTorch's texts go on with where it was, and may begin with an empty line.
inline std::string first_line(const std::exception& error) {
  const auto* const of_torch = dynamic_cast<const c10::Error*>(&error);
  const std::string text = of_torch == nullptr ? error.what() : of_torch->what_without_backtrace();
  const std::size_t begin = text.find_first_not_of('\n');
  return begin == std::string::npos ? "" : text.substr(begin, text.find('\n', begin) - begin);
}

/// Whether the file is what torch.save wrote, seen from the failure to load it as TorchScript: an archive that has a
/// pickle and no code, or before PyTorch 1.6 a pickle itself.
inline bool is_of_torch_save(const std::string& path, const std::string& failure) {
  constexpr int begin_of_pickle = 0x80;
  return failure.find("constants.pkl") != std::string::npos ||
         std::ifstream(path, std::ios::binary).get() == begin_of_pickle;
}

}  // namespace detail

/// Loads a TorchScript file, which torch.jit.script(net).save(path) or torch.jit.trace(net, example).save(path) writes
/// in Python, with its weights on the device, wherever they were saved.
///
/// Throws Error for a file that cannot be read, is no TorchScript file (as what torch.save wrote is none), needs an
/// operation that this program does not have, or has no `forward`.
///     regimen::Script net = regimen::load_script("net.pt", at::kCUDA);
[[nodiscard]] inline Script load_script(const std::string& path, const at::Device& device = at::kCPU) {
  const std::string how = "; in Python, torch.jit.script(net).save(path) makes one";
  std::error_code failure;
  if (!std::filesystem::is_regular_file(path, failure) || !std::ifstream(path)) {
    const bool folder = std::filesystem::is_directory(path, failure);
    throw Error("load_script: " + path + (folder ? " is a folder" : " is no file that can be read"));
  }
  try {
    torch::jit::Module module = torch::jit::load(path, device);
    if (module.find_method("forward")) {
      return Script(std::move(module));
    }
  } catch (const std::exception& error) {
    const std::string what = detail::first_line(error);
    if (detail::is_of_torch_save(path, what)) {
      throw Error("load_script: " + path +
                  " is no TorchScript file: torch.save wrote it, and it holds weights (a state_dict) or another object "
                  "without the network's code" +
                  how);
    }
    throw Error("load_script: " + path + " cannot be loaded as TorchScript: " + what + how);
  }
  throw Error("load_script: " + path +
              " has no forward: torch::save and save_checkpoint write weights without the network's code" + how +
              ". (One that has other methods: regimen::Script(torch::jit::load(path)), and a Model that calls them.)");
}

}  // namespace regimen::inline v0
