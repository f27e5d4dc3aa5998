#pragma once
// Not part of regimen.hpp: torch/script.h takes as long to compile as all of it.

#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/python/update_graph_executor_opt.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/script.h>
#include <torch/serialize/archive.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/checkpoint/save.hpp"
#include "regimen/model/listening.hpp"
#include "regimen/model/model.hpp"

namespace regimen::inline v0 {

/// A module inside a TorchScript module, or the whole, with its train or eval mode.
class ModulePart {
 public:
  explicit ModulePart(torch::jit::Module module) : module_(std::move(module)) {}

  /// Whether the module is in train mode; true also for a module without a mode, as a frozen one.
  [[nodiscard]] bool is_training() const { return module_.is_training(); }

  /// Sets the mode of this module and all modules inside it, as torch::nn::Module::train does.
  void train(bool on = true) const { torch::jit::Module(module_).train(on); }

 private:
  torch::jit::Module module_;
};

namespace detail {

/// A module's printed text without the addresses of objects in memory, which newer LibTorches print: they differ from
/// process to process, and a manifest must not.
inline std::string without_addresses(std::string text) {
  const std::string mark = " at 0x";
  for (auto begin = text.find(mark); begin != std::string::npos; begin = text.find(mark, begin)) {
    text.erase(begin, std::min(text.find_first_not_of("0123456789abcdef", begin + mark.size()), text.size()) - begin);
  }
  return text;
}

/// The output of a module's `forward` with its code run as it was written, each operation by itself, and not as
/// LibTorch has optimized it. What LibTorch has made of the module stays as it is, so the calls before and after give
/// the same bits as if this one had not been.
inline c10::IValue forward_as_written(const torch::jit::Module& module, const at::Tensor& x) {
  const torch::jit::Method method = module.get_method("forward");
  const std::shared_ptr<torch::jit::Graph> graph = method.graph()->copy();
  torch::jit::Inline(*graph);  // what it calls has been optimized too
  std::vector<c10::IValue> stack{module._ivalue(), x};
  method.function().getSchema().checkAndNormalizeInputs(stack);

  struct Unoptimized {
    Unoptimized() { torch::jit::setGraphExecutorOptimize(false); }
    ~Unoptimized() { torch::jit::setGraphExecutorOptimize(before); }
    bool before = torch::jit::getGraphExecutorOptimize();  // of this thread
  };
  const Unoptimized unoptimized;
  torch::jit::GraphExecutor(graph, "forward").run(stack);
  return std::move(stack.back());
}

}  // namespace detail

/// A TorchScript module as a model: a network that was scripted or traced in Python and is trained here.
///
/// Its parameters are the module's own: an optimizer made from `parameters()` trains it; `Snapshot`, `run`, `evaluate`
/// and checkpoints take it; `module().save("trained.pt")` saves it for Python. A traced module keeps the mode that it
/// was traced in: trace a network with BatchNorm or dropout in train mode, or script it. A frozen module
/// (torch.jit.freeze) can be evaluated but not trained, as its weights are constants. Throws Error if the output is not
/// a tensor; for a tuple use a Model with a `how` that picks from it.
///     regimen::Script net = regimen::load_script("net.pt");
///     torch::optim::SGD sgd(net.parameters(), torch::optim::SGDOptions(0.1));
///     regimen::run(net, {{.data = train, .optimizer = sgd, .epochs = 10}}, {.test = test});
class Script {
 public:
  explicit Script(torch::jit::Module module) : module_(std::move(module)) {}

  /// The network's output for x [N, ...].
  at::Tensor forward(const at::Tensor& x) {
    const c10::IValue output = detail::Listening::now() ? detail::forward_as_written(module_, x) : module_.forward({x});
    if (!output.isTensor()) {
      throw Error("Script: the module's output must be a tensor, but is " + output.tagKind() +
                  ": say how to pick from it, regimen::Model(script, [](regimen::Script& s, const regimen::Batch& b) "
                  "{ return ...; })");
    }
    return output.toTensor();
  }

  /// The module's code, for a manifest.
  [[nodiscard]] std::string structure() const {
    return detail::without_addresses(module_.dump_to_str(
        /*print_method_bodies=*/true, /*print_attr_values=*/false, /*print_param_values=*/false));
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

  /// The module itself, named "", and all its submodules, "backbone.norm1", parents before children. A module with two
  /// names is listed twice.
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

  /// Writes the tensors, in order and without the code, to a checkpoint's archive. (Names in an archive cannot contain
  /// the dots of "conv.weight".)
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
  /// The tensors, each once, so that an optimizer updates a tied weight once.
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

/// The first line of an exception's text: LibTorch's texts continue with the location, and may begin with an empty
/// line.
inline std::string first_line(const std::exception& error) {
  const auto* const of_torch = dynamic_cast<const c10::Error*>(&error);
  const std::string text = of_torch == nullptr ? error.what() : of_torch->what_without_backtrace();
  const std::size_t begin = text.find_first_not_of('\n');
  return begin == std::string::npos ? "" : text.substr(begin, text.find('\n', begin) - begin);
}

/// Whether a file that failed to load as TorchScript was written by torch.save: an archive with a pickle and no code,
/// or, before PyTorch 1.6, a pickle.
inline bool is_of_torch_save(const std::string& path, const std::string& failure) {
  constexpr int begin_of_pickle = 0x80;
  return failure.find("constants.pkl") != std::string::npos ||
         std::ifstream(path, std::ios::binary).get() == begin_of_pickle;
}

}  // namespace detail

/// Loads a TorchScript file, as written in Python by torch.jit.script(net).save(path) or torch.jit.trace(net,
/// example).save(path), with its weights on this device, wherever they were saved.
///
/// Throws Error for a file that cannot be read, is not TorchScript (such as a file of torch.save), needs an operation
/// that this program does not have, or has no `forward`.
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
