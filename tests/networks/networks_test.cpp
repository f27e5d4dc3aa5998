// The networks of the paper: their sizes, and that they compute what the same ones written in Python do
// (pytorch_networks.py). The comparison is skipped, loudly, where no Python with PyTorch is found; see
// support/python.hpp.

#include "support/python.hpp"

#include <regimen/networks.hpp>

#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace training;
namespace networks = regimen::networks;

using Tensors = std::map<std::string, at::Tensor>;

std::vector<rg::Named> all_tensors(const rg::Model& model) {
  std::vector<rg::Named> all = model.named_parameters();
  for (const rg::Named& buffer : model.named_buffers()) {
    all.push_back(buffer);
  }
  return all;
}

std::int64_t numbers_of(const rg::Model& model) {
  std::int64_t count = 0;
  for (const at::Tensor& parameter : model.parameters()) {
    count += parameter.numel();
  }
  return count;
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// Other values than those of a new network, where all BatchNorms are alike; and convolutions scaled as He et al. 2015
/// would have them, so that an image still makes a difference after 50 layers.
void stir(const rg::Model& model) {
  const at::NoGradGuard no_grad;
  for (const rg::Named& named : all_tensors(model)) {
    const at::Tensor& tensor = named.tensor;
    if (tensor.dim() == 4) {
      tensor.mul_(std::sqrt(6.0));
    } else if (tensor.dim() == 1 && (ends_with(named.name, "weight") || ends_with(named.name, "running_var"))) {
      tensor.uniform_(0.5, 1.5);
    } else if (tensor.dim() == 1) {
      tensor.uniform_(-0.5, 0.5);
    }
  }
}

/// A dictionary that torch.load reads, and one that torch.save wrote.
void write_dictionary(const std::string& path, const std::vector<rg::Named>& tensors) {
  c10::Dict<std::string, at::Tensor> dictionary;
  for (const rg::Named& named : tensors) {
    dictionary.insert(named.name, named.tensor.detach());
  }
  const std::vector<char> pickled = torch::jit::pickle_save(dictionary);
  std::ofstream(path, std::ios::binary).write(pickled.data(), static_cast<std::streamsize>(pickled.size()));
}

Tensors read_dictionary(const std::string& path) {
  const std::string content = content_of(path);
  const c10::IValue value = torch::jit::pickle_load({content.begin(), content.end()});
  Tensors tensors;
  for (const auto& item : value.toGenericDict()) {
    tensors[item.key().toStringRef()] = item.value().toTensor();
  }
  return tensors;
}

/// The largest difference, relative to the largest number.
double error_in(const at::Tensor& here, const at::Tensor& there) {
  REQUIRE(here.sizes() == there.sizes());
  return ((here - there).abs().max() / there.abs().max()).item<double>();
}

at::Tensor random_images(std::int64_t n, std::int64_t channels = 3) {
  torch::manual_seed(1);
  return torch::randn({n, channels, 32, 32});
}

/// One of each kind, so small that training it takes no time.
std::vector<std::shared_ptr<networks::Network>> small_networks() {
  torch::manual_seed(3);
  return {std::make_shared<networks::ResNetImpl>(networks::ResNetOptions{.depth = 18, .classes = 4, .width = 4}),
          std::make_shared<networks::ResNetImpl>(
              networks::ResNetOptions{.depth = 50, .classes = 4, .channels = 1, .width = 2}),
          std::make_shared<networks::VGGImpl>(networks::VGGOptions{.depth = 11, .classes = 4, .width = 4}),
          std::make_shared<networks::DenseNetImpl>(networks::DenseNetOptions{.depth = 10, .growth = 4, .classes = 4})};
}

at::Tensor images_for(const networks::Network& net, std::int64_t n) {
  return random_images(n, net.parameters().front().size(1));  // the first convolution's weight is [out, in, 3, 3]
}

}  // namespace

TEST_CASE("the papers' networks have the papers' sizes") {
  CHECK(numbers_of(networks::make("resnet18")) == 11'173'962);
  CHECK(numbers_of(networks::make("resnet50")) == 23'520'842);
  CHECK(numbers_of(networks::make("vgg16")) == 14'728'266);
  CHECK(numbers_of(networks::make("densenet40")) == 176'122);
  CHECK(networks::names == std::array<std::string_view, 4>{"resnet18", "resnet50", "vgg16", "densenet40"});

  // What the holders make of nothing is what `make` makes, and 90 classes more are 90 rows and biases more.
  CHECK(numbers_of(networks::ResNet()) == 11'173'962);
  CHECK(numbers_of(networks::VGG()) == 14'728'266);
  CHECK(numbers_of(networks::DenseNet()) == 176'122);
  CHECK(numbers_of(networks::make("densenet40", 100)) == 176'122 + 90 * 133);
  CHECK(numbers_of(networks::make("densenet40", 10, 1)) == 176'122 - 2 * 9 * 24);
}

TEST_CASE("the other depths have the known sizes too") {
  using networks::DenseNet, networks::DenseNetOptions, networks::ResNet, networks::ResNetOptions, networks::VGG,
      networks::VGGOptions;
  // torchvision's, less their stems and classifiers, plus ours; DenseNet-BC-100: 0.8 M in the paper.
  CHECK(numbers_of(ResNet(ResNetOptions{.depth = 34})) == 21'282'122);
  CHECK(numbers_of(ResNet(ResNetOptions{.depth = 101})) == 42'512'970);
  CHECK(numbers_of(ResNet(ResNetOptions{.depth = 152})) == 58'156'618);
  CHECK(numbers_of(VGG(VGGOptions{.depth = 11})) == 9'231'114);
  CHECK(numbers_of(VGG(VGGOptions{.depth = 13})) == 9'416'010);
  CHECK(numbers_of(VGG(VGGOptions{.depth = 19})) == 20'040'522);
  CHECK(numbers_of(DenseNet(DenseNetOptions{.depth = 100})) == 769'162);
}

TEST_CASE("a network computes what its Python twin computes, with weights from either side") {
  const std::optional<std::string> python = python_with_torch();
  if (!python) {
    return;
  }
  const std::map<std::string, std::int64_t> multiply_adds{
      {"resnet18", 555'422'720}, {"resnet50", 1'297'829'888}, {"vgg16", 313'201'664}, {"densenet40", 72'365'352}};
  constexpr double tolerance = 1e-10;  // of the largest number
  const std::string name(GENERATE(from_range(networks::names)));
  CAPTURE(name, *python);

  const at::NoGradGuard no_grad;
  torch::manual_seed(4);
  const auto net = networks::make(name);
  stir(net);
  // In double: between two versions of PyTorch the rounding of floats grows to 1e-5 in 50 layers.
  net->to(torch::kDouble);
  const at::Tensor images = random_images(2).to(torch::kDouble);
  const Folder folder;
  std::vector<rg::Named> exchange = all_tensors(net);
  exchange.push_back({"images", images});
  write_dictionary(folder / "in.pt", exchange);
  REQUIRE(run_python(*python, "networks/pytorch_networks.py", {name, folder / "in.pt", folder / "out.pt"}));
  const Tensors told = read_dictionary(folder / "out.pt");
  CHECK(told.at("multiply_adds").item<std::int64_t>() == multiply_adds.at(name));

  net->eval();
  const at::Tensor in_eval = net->forward(images);
  CHECK((in_eval[0] - in_eval[1]).abs().max().item<double>() > 0.01 * in_eval.abs().max().item<double>());
  CHECK(error_in(in_eval, told.at("eval")) < tolerance);

  net->train();
  CHECK(error_in(net->forward(images), told.at("train")) < tolerance);
  for (const rg::Named& named : all_tensors(net)) {
    CAPTURE(named.name);
    CHECK(error_in(named.tensor, told.at("after/" + named.name)) < tolerance);  // running statistics among them
  }

  // And back: weights made in Python.
  for (const rg::Named& named : all_tensors(net)) {
    named.tensor.copy_(told.at("own/" + named.name));
  }
  net->eval();
  CHECK(error_in(net->forward(images), told.at("answer")) < tolerance);
}

TEST_CASE("the loss reaches every parameter") {
  for (const auto& net : small_networks()) {
    const at::Tensor output = net->forward(images_for(*net, 4));
    REQUIRE(output.sizes() == std::vector<std::int64_t>{4, 4});
    output.square().sum().backward();
    const auto parameters = net->named_parameters();
    for (const auto& parameter : parameters) {
      CAPTURE(rg::Model(net).type(), parameter.key());
      const at::Tensor gradient = parameter.value().grad();
      REQUIRE(gradient.defined());
      // VGG's convolutions have a bias, which BatchNorm takes out again: nothing but rounding reaches it.
      const std::string module = parameter.key().substr(0, parameter.key().rfind('.'));
      const bool bias_before_norm = ends_with(parameter.key(), ".bias") && parameters[module + ".weight"].dim() == 4;
      CHECK((bias_before_norm || gradient.abs().max().item<double>() > 1e-6));
    }
  }
}

TEST_CASE("run trains them, and a snapshot brings them back") {
  for (const auto& net : small_networks()) {
    CAPTURE(rg::Model(net).type());
    const rg::Batch train{.data = images_for(*net, 8), .target = torch::arange(8).remainder(4)};
    torch::optim::SGD sgd(net->parameters(), 0.1);
    const rg::Snapshot start(net);
    const auto before = weights(net);
    const rg::History history = rg::run(net, {{.data = train, .optimizer = sgd, .epochs = 1, .batch = 8}}, {});
    CHECK(std::isfinite(history.back().fit.loss));
    for (const auto& parameter : net->named_parameters()) {
      CAPTURE(parameter.key());
      CHECK(parameter.value().isfinite().all().item<bool>());
    }
    for (const auto& buffer : net->named_buffers()) {
      if (ends_with(buffer.key(), "num_batches_tracked")) {
        CHECK(buffer.value().item<std::int64_t>() == 1);  // one step in train mode, scored in eval mode
      }
    }
    CHECK_FALSE(same(weights(net), before));
    start.restore();
    CHECK(same(weights(net), before));
  }
}

TEST_CASE("a clone is another network with the same values, modes and frozen parameters") {
  const at::NoGradGuard no_grad;
  for (const auto& net : small_networks()) {
    stir(net);
    net->eval();
    net->children().front()->train();
    net->parameters().front().set_requires_grad(false);
    const auto copy = std::dynamic_pointer_cast<networks::Network>(net->clone());
    REQUIRE(copy != nullptr);
    CHECK(same(weights(copy), weights(net)));
    CHECK_FALSE(copy->parameters().front().requires_grad());
    CHECK(copy->parameters().back().requires_grad());
    CHECK(copy->children().front()->is_training());
    CHECK_FALSE(copy->is_training());
    CHECK_FALSE(copy->children().back()->is_training());

    const at::Tensor images = images_for(*net, 2);
    CHECK(copy->forward(images).equal(net->forward(images)));
    copy->parameters().back().add_(1);
    CHECK_FALSE(copy->forward(images).equal(net->forward(images)));
  }
}

TEST_CASE("images may be larger than 32x32, but not too small for the poolings") {
  const at::NoGradGuard no_grad;
  const std::vector<std::int64_t> logits{2, 4};
  for (const auto& net : small_networks()) {
    const std::int64_t channels = images_for(*net, 1).size(1);
    CHECK(net->forward(torch::randn({2, channels, 48, 64})).sizes() == logits);
  }
  networks::VGG vgg(networks::VGGOptions{.width = 1});
  CHECK(error_of([&] { vgg(torch::randn({2, 3, 28, 28})); }) ==
        "VGG takes images of [N, 3, H, W], H and W at least 32, not [2, 3, 28, 28]");
  networks::DenseNet dense(networks::DenseNetOptions{.depth = 10, .growth = 1});
  CHECK(error_of([&] { dense(torch::randn({2, 3, 3, 3})); }) ==
        "DenseNet takes images of [N, 3, H, W], H and W at least 4, not [2, 3, 3, 3]");
}

TEST_CASE("misuse is an Error that says what is wrong") {
  using networks::DenseNetOptions, networks::ResNetOptions, networks::VGGOptions;
  const auto message = [](const auto& options) { return error_of([&] { options.check(); }); };
  CHECK(message(ResNetOptions{.depth = 20}) == "ResNetOptions.depth must be 18, 34, 50, 101 or 152, but is 20");
  CHECK(message(ResNetOptions{.classes = 0}) == "ResNetOptions.classes must be at least 1, but is 0");
  CHECK(message(ResNetOptions{.channels = -1}) == "ResNetOptions.channels must be at least 1, but is -1");
  CHECK(message(ResNetOptions{.width = 0}) == "ResNetOptions.width must be at least 1, but is 0");
  CHECK(message(VGGOptions{.depth = 18}) == "VGGOptions.depth must be 11, 13, 16 or 19, but is 18");
  CHECK(message(VGGOptions{.classes = 0}) == "VGGOptions.classes must be at least 1, but is 0");
  CHECK(message(VGGOptions{.channels = 0}) == "VGGOptions.channels must be at least 1, but is 0");
  CHECK(message(VGGOptions{.width = 0}) == "VGGOptions.width must be at least 1, but is 0");
  CHECK(message(DenseNetOptions{.depth = 41}) == "DenseNetOptions.depth must be 6 n + 4, at least 10, but is 41");
  CHECK(message(DenseNetOptions{.depth = 4}) == "DenseNetOptions.depth must be 6 n + 4, at least 10, but is 4");
  CHECK(message(DenseNetOptions{.growth = 0}) == "DenseNetOptions.growth must be at least 1, but is 0");
  CHECK(message(DenseNetOptions{.compression = 1.5}) == "DenseNetOptions.compression must be in (0, 1], but is 1.5");
  CHECK(message(DenseNetOptions{.classes = 0}) == "DenseNetOptions.classes must be at least 1, but is 0");
  CHECK(message(DenseNetOptions{.channels = 0}) == "DenseNetOptions.channels must be at least 1, but is 0");

  for (const std::string_view name : networks::names) {
    CHECK(
        contains(error_of([&] { static_cast<void>(networks::make(name, 0)); }), "Options.classes must be at least 1"));
  }
  CHECK(error_of([] { static_cast<void>(networks::make("alexnet")); }) ==
        "networks::make: name must be one of resnet18, resnet50, vgg16, densenet40, but is \"alexnet\"");

  networks::ResNet net(ResNetOptions{.width = 1});
  CHECK(error_of([&] { net(torch::randn({2, 1, 32, 32})); }) ==
        "ResNet takes images of [N, 3, H, W], H and W at least 1, not [2, 1, 32, 32]");
  CHECK(contains(error_of([&] { net(torch::randn({3, 32, 32})); }), "not [3, 32, 32]"));
  CHECK(contains(error_of([&] { net(at::Tensor()); }), "not an undefined tensor"));
}
