#include "support/small_networks.hpp"

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>
#include "support/awkward.hpp"
#include "support/tensors.hpp"

namespace spectral_norms_test {

namespace {

using regimen::LayerMap;
using torch::nn::BatchNorm1d;
using torch::nn::BatchNorm2d;
using torch::nn::BatchNorm2dOptions;
using torch::nn::Conv2d;
using torch::nn::Conv2dOptions;
using torch::nn::ConvTranspose2d;
using torch::nn::ConvTranspose2dOptions;
using torch::nn::Linear;
using torch::nn::LinearOptions;
using torch::nn::ReLU;
using torch::nn::Sequential;

/// The matrix of a module without bias: what it makes of each unit vector.
template <class Module>
at::Tensor dense(Module& module, const std::vector<std::int64_t>& shape) {
  const at::NoGradGuard no_grad;
  std::int64_t inputs = 1;
  std::vector<std::int64_t> sizes{-1};
  for (const std::int64_t length : shape) {
    inputs *= length;
    sizes.push_back(length);
  }
  return module->forward(at::eye(inputs, at::kDouble).view(sizes)).flatten(1);
}

double largest(const at::Tensor& matrix) {
  return at::linalg_svdvals(matrix).max().item<double>();
}

/// One kernel on images of 4 x 4, padded with zeros.
double norm_of_kernel(const std::vector<double>& kernel, std::int64_t stride) {
  Sequential net(Conv2d(Conv2dOptions(1, 1, 3).padding(1).stride(stride).bias(false)));
  net->to(at::kDouble);
  const at::NoGradGuard no_grad;
  net->parameters()[0].copy_(at::tensor(kernel, at::kDouble).view({1, 1, 3, 3}));
  return regimen::SpectralNorms{.sample_shape = {1, 4, 4}}(net).at("0.weight");
}

template <class Options>
void check_against_svd(const Options& options, const std::vector<std::int64_t>& shape) {
  using Layer = std::conditional_t<std::is_same_v<Options, Conv2dOptions>, Conv2d, ConvTranspose2d>;
  Layer layer(options);
  layer->to(at::kDouble);
  const at::Tensor matrix = dense(layer, shape);
  const std::vector<LayerMap> maps = regimen::layer_maps(layer, regimen::Integers(shape));
  REQUIRE(maps.size() == 1);
  const regimen::SingularValue found = regimen::spectral_norm(maps[0]);
  CAPTURE(found.products, found.residual);
  CHECK(found.converged);
  CHECK(found.value == Approx(largest(matrix)).epsilon(1e-10));
}

}  // namespace

TEST_CASE("spectral norm: a padded convolution's is not the kernel's nor the circular one") {
  const double c = std::cos(std::numbers::pi / 5);
  CHECK(norm_of_kernel({0, -1, 0, -1, 4, -1, 0, -1, 0}, 1) == Approx(4 + 4 * c).epsilon(1e-10));  // 7.2360680
  CHECK(norm_of_kernel({1, 1, 1, 1, 1, 1, 1, 1, 1}, 1) == Approx(std::pow(1 + 2 * c, 2)).epsilon(1e-10));
  CHECK(norm_of_kernel({1, 1, 1, 1, 1, 1, 1, 1, 1}, 2) == Approx(3.6180339887498949).epsilon(1e-10));
}

TEST_CASE("spectral norm: a convolution's is that of its explicit matrix") {
  torch::manual_seed(1);
  const Conv2dOptions plain = Conv2dOptions(3, 4, 3).bias(false);
  check_against_svd(plain, {3, 5, 6});
  check_against_svd(Conv2dOptions(plain).padding(1), {3, 5, 6});
  check_against_svd(Conv2dOptions(plain).padding({2, 1}).stride({2, 3}), {3, 6, 8});
  check_against_svd(Conv2dOptions(plain).dilation(2).padding(2), {3, 6, 5});
  check_against_svd(Conv2dOptions(4, 6, {3, 2}).groups(2).padding(1).stride(2).bias(false), {4, 5, 6});
  check_against_svd(Conv2dOptions(4, 4, 3).groups(4).padding(1).bias(false), {4, 5, 5});
  check_against_svd(Conv2dOptions(6, 2, 1).stride(2).bias(false), {6, 4, 4});
  check_against_svd(Conv2dOptions(3, 4, 3).padding(torch::kSame).bias(false), {3, 5, 5});
}

TEST_CASE("spectral norm: a transposed convolution's is that of its explicit matrix") {
  torch::manual_seed(2);
  check_against_svd(ConvTranspose2dOptions(3, 4, 3).bias(false), {3, 4, 3});
  check_against_svd(ConvTranspose2dOptions(4, 6, 3).groups(2).stride(2).padding(1).output_padding(1).bias(false),
                    {4, 3, 4});
  check_against_svd(ConvTranspose2dOptions(2, 3, 2).dilation(3).stride(2).output_padding(2).bias(false), {2, 3, 3});
}

TEST_CASE("spectral norm: convolutions of one and three dimensions have theirs") {
  torch::nn::Conv1d one(torch::nn::Conv1dOptions(2, 3, 3).stride(2).padding(1).bias(false));
  torch::nn::Conv3d three(torch::nn::Conv3dOptions(2, 2, 2).bias(false));
  one->to(at::kDouble);
  three->to(at::kDouble);
  CHECK(regimen::SpectralNorms{.sample_shape = {2, 7}}(one).at("weight") ==
        Approx(largest(dense(one, {2, 7}))).epsilon(1e-10));
  CHECK(regimen::SpectralNorms{.sample_shape = {2, 3, 3, 4}}(three).at("weight") ==
        Approx(largest(dense(three, {2, 3, 3, 4}))).epsilon(1e-10));
}

TEST_CASE("spectral norm: a matrix that is iterated has the value of one that is decomposed") {
  torch::manual_seed(3);
  Linear layer(40, 30);
  layer->to(at::kDouble);
  const LayerMap map = regimen::layer_maps(layer, {40}).at(0);
  const regimen::SingularValue exact = regimen::spectral_norm(map);
  const regimen::SingularValue iterated = regimen::spectral_norm(map, {.exact_up_to = 29});
  CHECK(exact.products == 0);
  CHECK(iterated.products > 0);
  CHECK(iterated.products < 60);
  CHECK(exact.value == Approx(largest(layer->weight)).epsilon(1e-13));
  CHECK(iterated.value == Approx(exact.value).epsilon(1e-12));
  const regimen::SingularValue short_of_it = regimen::spectral_norm(map, {.most = 3, .exact_up_to = 0});
  CHECK_FALSE(short_of_it.converged);
  CHECK(short_of_it.value < exact.value);
  CHECK(short_of_it.products == 4);  // the last one makes sure of the value
}

TEST_CASE("spectral norm: close or equal singular values do not end the iteration early") {
  for (const double second : {1.0, 1 - 1e-3, 1 - 1e-6}) {
    torch::manual_seed(4);
    const at::Tensor u = std::get<0>(at::linalg_qr(at::randn({60, 60}, at::kDouble)));
    const at::Tensor v = std::get<0>(at::linalg_qr(at::randn({60, 60}, at::kDouble)));
    at::Tensor values = at::linspace(0, 0.999, 60, at::kDouble);
    values[0] = 1;
    values[1] = second;
    const at::Tensor matrix = u.matmul(values.diag()).matmul(v.t());
    const auto found = regimen::largest_singular_value([&](const at::Tensor& x) { return matrix.mv(x); },
                                                       [&](const at::Tensor& y) { return matrix.t().mv(y); },
                                                       at::randn({60}, at::kDouble));
    CAPTURE(second, found.products);
    CHECK(found.converged);
    CHECK(std::abs(found.value - 1) < (second == 1 - 1e-6 ? 1e-6 : 1e-9));  // at worst it is the second one
  }
}

TEST_CASE("spectral norm: zeros have 0, and numbers that are not finite have NaN") {
  Conv2d layer(Conv2dOptions(1, 1, 3));
  Linear matrix(3, 3);
  const at::NoGradGuard no_grad;
  layer->weight.zero_();
  matrix->weight.fill_(std::nan(""));
  CHECK(regimen::SpectralNorms{.sample_shape = {1, 4, 4}}(layer).at("weight") == 0);
  CHECK(std::isnan(regimen::SpectralNorms{.sample_shape = {3}}(matrix).at("weight")));
  layer->weight.fill_(std::nan(""));
  CHECK(std::isnan(regimen::SpectralNorms{.sample_shape = {1, 4, 4}}(layer).at("weight")));
}

TEST_CASE("spectral norm: BatchNorm is folded as an explicitly folded convolution has it") {
  torch::manual_seed(5);
  for (const bool affine : {true, false}) {
    for (const bool transposed : {false, true}) {
      Sequential net;
      at::Tensor kernel;
      if (transposed) {
        ConvTranspose2d layer(ConvTranspose2dOptions(4, 6, 3).groups(2).bias(false));
        net->push_back(layer);
      } else {
        net->push_back(Conv2d(Conv2dOptions(4, 6, 3).groups(2).padding(1).bias(false)));
      }
      net->push_back(BatchNorm2d(BatchNorm2dOptions(6).affine(affine).eps(1e-2)));
      net->to(at::kDouble);
      randomize(*net, 5);
      net->eval();
      // What the two do in eval mode, less what they make of zeros.
      const at::NoGradGuard no_grad;
      const std::vector<std::int64_t> shape{4, 4, 5};
      const at::Tensor matrix = dense(net, shape) - net->forward(at::zeros({1, 4, 4, 5}, at::kDouble)).flatten(1);
      const std::vector<LayerMap> maps = regimen::layer_maps(net, {4, 4, 5});
      REQUIRE(maps.size() == 1);
      CHECK(maps[0].normalization.has_value());
      CHECK(regimen::spectral_norm(maps[0]).value == Approx(largest(matrix)).epsilon(1e-10));
      CHECK(maps[0].rows().size(0) == 6);
      CHECK(maps[0].rows().norm().item<double>() == Approx(maps[0].folded().norm().item<double>()));
      CAPTURE(affine, transposed);
      if (!transposed) {
        const double per_channel = maps[0].rows()[3].norm().item<double>();
        const double gain = (affine ? net->parameters()[1][3].item<double>() : 1) /
                            std::sqrt(net->buffers()[1][3].item<double>() + 1e-2);
        CHECK(per_channel == Approx(std::abs(gain) * net->parameters()[0][3].norm().item<double>()));
      }
    }
  }
}

TEST_CASE("layer maps: a residual sum, a shortcut and a BatchNorm of its own are told apart") {
  struct Residual : torch::nn::Module {
    Residual() {
      first_norm = register_module("first_norm", BatchNorm2d(2));
      conv = register_module("conv", Conv2d(Conv2dOptions(2, 4, 3).padding(1).bias(false)));
      norm = register_module("norm", BatchNorm2d(4));
      shortcut = register_module("shortcut", Conv2d(Conv2dOptions(2, 4, 1).bias(false)));
      late = register_module("late", BatchNorm2d(4));
      last = register_module("last", Linear(4, 3));
    }
    at::Tensor forward(const at::Tensor& x) {
      at::Tensor hidden = at::relu(first_norm(x));
      const at::Tensor branch = norm(conv(hidden));
      hidden = branch + shortcut(hidden);
      hidden = late(hidden.relu_());
      return last(hidden.mean({2, 3}));
    }
    BatchNorm2d first_norm{nullptr}, norm{nullptr}, late{nullptr};
    Conv2d conv{nullptr}, shortcut{nullptr};
    Linear last{nullptr};
  };
  Residual net;
  const std::vector<LayerMap> maps = regimen::layer_maps(net, {2, 4, 4});
  std::vector<std::string> names;
  for (const LayerMap& map : maps) {
    names.push_back(map.name + (map.normalization ? " by " + map.normalization->gain.name : ""));
  }
  CHECK(names == std::vector<std::string>{"first_norm.weight by first_norm.weight", "conv.weight by norm.weight",
                                          "shortcut.weight", "late.weight by late.weight", "last.weight"});
  CHECK(maps[0].kind == LayerMap::Kind::scale);
  const at::NoGradGuard no_grad;
  net.first_norm->weight.copy_(at::tensor({-3.F, 2.F}));
  CHECK(regimen::spectral_norm(maps[0]).value == Approx(3 / std::sqrt(1 + 1e-5)));
}

TEST_CASE("layer maps: BatchNorm behind an operation in place is not folded") {
  for (const bool in_place : {true, false}) {
    Sequential net(Linear(3, 4), ReLU(torch::nn::ReLUOptions().inplace(in_place)), BatchNorm1d(4));
    const std::vector<LayerMap> maps = regimen::layer_maps(net, {3});
    REQUIRE(maps.size() == 2);
    CHECK_FALSE(maps[0].normalization);
    CHECK(maps[1].kind == LayerMap::Kind::scale);
  }
}

TEST_CASE("layer maps: a layer used twice is one map for each size of its images") {
  struct Twice : torch::nn::Module {
    Twice() {
      conv = register_module("conv", Conv2d(Conv2dOptions(2, 2, 3).padding(1)));
      table = register_parameter("table", torch::randn({2, 2}));
    }
    at::Tensor forward(const at::Tensor& x) {
      const at::Tensor hidden = conv(at::max_pool2d(conv(conv(x)), 2)).mean({2, 3});
      return at::linear(at::linear(hidden, table), table).matmul(table);
    }
    Conv2d conv{nullptr};
    at::Tensor table;
  };
  Twice net;
  const std::vector<LayerMap> maps = regimen::layer_maps(net, {2, 4, 4});
  REQUIRE(maps.size() == 4);
  CHECK(maps[0].calls == 2);
  CHECK(maps[0].input == std::vector<std::int64_t>{2, 4, 4});
  CHECK(maps[1].input == std::vector<std::int64_t>{2, 2, 2});
  CHECK(maps[2].calls == 2);
  CHECK(maps[3].calls == 1);  // its transpose
  CHECK(same(maps[3].weight, net.table.detach().t()));
  CHECK(regimen::SpectralNorms{.sample_shape = {2, 4, 4}}(net).size() == 2);
  CHECK(regimen::SpectralNorms{.sample_shape = {2, 4, 4}}(net).at("conv.weight") ==
        std::max(regimen::spectral_norm(maps[0]).value, regimen::spectral_norm(maps[1]).value));
}

TEST_CASE("layer maps: a matrix is heard on either side of a product, and if computed") {
  struct Products : torch::nn::Module {
    Products() {
      left = register_parameter("left", torch::randn({5, 3}));
      right = register_parameter("right", torch::randn({5, 2}));
    }
    at::Tensor forward(const at::Tensor& x) {
      const at::Tensor hidden = left.mm(x.t()).t().matmul(right);
      return at::linear(hidden, left.t().matmul(right));
    }
    at::Tensor left, right;
  };
  Products net;
  const std::vector<LayerMap> maps = regimen::layer_maps(net, {3});
  REQUIRE(maps.size() == 3);
  CHECK(same(maps[0].weight, net.left.detach()));
  CHECK(same(maps[1].weight, net.right.detach().t()));
  CHECK(maps[2].name == "(computed from left, right)");
  CHECK(maps[2].weight.sizes() == at::IntArrayRef{3, 2});
  const regimen::Snapshot start(net);
  check_error([&] { (void)maps[2].folded(&start); }, {"computed", "snapshot"});
  CHECK(same(maps[1].folded(&start), net.right.detach().t().to(at::kDouble)));
}

TEST_CASE("layer maps: awkward networks keep everything, and list what runs") {
  const std::vector<std::vector<std::string>> expected{{"first.weight", "table"},
                                                       {"first.weight", "middle.weight", "last.weight"},
                                                       {"first.weight", "last.weight"},
                                                       {"first.weight", "last.weight"},
                                                       {"first.weight", "last.weight"},
                                                       {"first.weight", "last.weight"},
                                                       {"weight", "weight", "last"},
                                                       {"last.weight"},
                                                       {"projection"},
                                                       {"parameter0"}};
  std::vector<awkward::Network> all = awkward::all_ten();
  for (std::size_t i = 0; i < all.size(); ++i) {
    CAPTURE(all[i].name);
    regimen::Batch one = all[i].batch;
    one.data = one.data.narrow(0, 0, 1);
    const awkward::State before(all[i]);
    const std::vector<LayerMap> maps = regimen::layer_maps(all[i].model, one);
    std::vector<std::string> names;
    for (const LayerMap& map : maps) {
      names.push_back(map.name);
      CHECK(regimen::spectral_norm(map).value > 0);
    }
    CHECK(before.difference(awkward::State(all[i]), {}) == "");
    CHECK(names == expected[i]);
    all[i].fail_at(1);
    CHECK_THROWS(regimen::layer_maps(all[i].model, one));
    all[i].fail_at(0);
    CHECK(before.difference(awkward::State(all[i]), {}) == "");
    CHECK(regimen::layer_maps(all[i].model, one).size() == maps.size());
  }
}

TEST_CASE("layer maps: stacks of one matrix, einsum, vectors and LSTM are heard") {
  struct Products : torch::nn::Module {
    Products() {
      stack = register_parameter("stack", torch::randn({1, 3, 4}));
      summed = register_parameter("summed", torch::randn({5, 4}));
      scaled = register_parameter("scaled", torch::randn({5, 5}));
      vector = register_parameter("vector", torch::randn({5}));
      to(at::kDouble);
    }
    at::Tensor forward(const at::Tensor& x) {
      const at::Tensor hidden = at::bmm(x.unsqueeze(0), stack).squeeze(0);
      return at::einsum("bi,oi->bo", {hidden, summed}).matmul(scaled.mul(2)).matmul(vector);
    }
    at::Tensor stack, summed, scaled, vector;
  };
  Products net;
  const regimen::Numbers norms = regimen::SpectralNorms{.sample_shape = {3}}(net);
  REQUIRE(norms.size() == 4);
  CHECK(norms.at("stack") == Approx(largest(net.stack.detach()[0])).epsilon(1e-12));
  CHECK(norms.at("summed") == Approx(largest(net.summed.detach())).epsilon(1e-12));
  CHECK(norms.at("(computed from scaled)") == Approx(2 * largest(net.scaled.detach())).epsilon(1e-12));
  CHECK(norms.at("vector") == Approx(net.vector.detach().norm().item<double>()).epsilon(1e-12));
  const regimen::Snapshot start(net);
  for (const LayerMap& map : regimen::layer_maps(net, {3})) {
    if (map.parameter.tensor.defined()) {
      CHECK(same(map.folded(&start), map.folded()));  // the same view of the snapshot's tensor
    }
  }
}

TEST_CASE("layer maps: a parameter that is used otherwise is an error with its name") {
  struct Odd : torch::nn::Module {
    Odd() {
      first = register_module("first", Linear(3, 4));
      odd = register_parameter("odd", torch::randn({2, 4, 4}));
      square = register_parameter("square", torch::randn({4, 4}));
      factor = register_parameter("factor", torch::randn({2, 4}));
      vector = register_parameter("vector", torch::randn({4}));
    }
    at::Tensor forward(const at::Tensor& x) {
      const at::Tensor hidden = first(x);
      switch (use) {
        case 0:
          return at::bmm(hidden.expand({2, 1, 4}), odd).sum(0);
        case 1:
          return at::baddbmm(hidden.expand({2, 1, 4}), hidden.expand({2, 1, 4}), odd).sum(0);
        case 2:
          return hidden.expand({2, 1, 4}).matmul(odd).sum(0);
        case 3:
          return at::einsum("gbi,gio->gbo", {hidden.expand({2, 1, 4}), odd});
        case 4:
          return at::addmm(hidden, hidden, square, 1, 0.5);
        case 5:
          return (odd[0] / odd[0].norm()).sigmoid() * hidden;
        case 6:
          return (hidden * factor).sum(0, true);
        case 7:
          return hidden.matmul(square) + hidden * square[0];
        default:
          return hidden.matmul(square);
      }
    }
    Linear first{nullptr};
    at::Tensor odd, square, factor, vector;
    int use = 0;
  };
  Odd net;
  const std::vector<const char*> said{" odd,", " odd,", " odd,", " odd,", " square,", " odd,", " factor,", " square,"};
  for (; net.use < 8; ++net.use) {
    CAPTURE(net.use);
    check_error([&] { (void)regimen::layer_maps(net, {3}); },
                {"layer_maps does not know", said[static_cast<std::size_t>(net.use)]});
    check_error([&] { (void)regimen::NormSummary{.sample_shape = {3}}(net); }, {"NormSummary does not know"});
    CHECK(regimen::SpectralNorms{.sample_shape = {3}, .layers = {"first.weight"}}(net).size() == 1);
    net.first->weight.set_requires_grad(net.use % 2 == 0);  // gradients are not what tells
  }
  CHECK(regimen::layer_maps(net, {3}).size() == 2);  // odd and factor are not used
}

TEST_CASE("layer maps: a sample that is written into a buffer is followed") {
  struct Written : torch::nn::Module {
    Written() {
      first = register_parameter("first", torch::randn({8, 8}));
      second = register_parameter("second", torch::randn({8, 2}));
    }
    at::Tensor forward(const at::Tensor& x) {
      at::Tensor hidden = like ? at::zeros_like(x).repeat({1, 2}) : at::zeros({x.size(0), 8}, x.options());
      hidden.narrow(1, 0, 4).copy_(x);
      return hidden.matmul(first).relu().matmul(second);
    }
    bool like = false;
    at::Tensor first, second;
  };
  Written net;
  for (const bool like : {false, true}) {
    net.like = like;
    const std::vector<LayerMap> maps = regimen::layer_maps(net, {4});
    REQUIRE(maps.size() == 2);
    CHECK(maps[0].name == "first");
    CHECK(maps[1].name == "second");
  }
}

namespace {

std::vector<std::string> names_of(const std::vector<LayerMap>& maps) {
  std::vector<std::string> names;
  for (const LayerMap& map : maps) {
    names.push_back(map.name);
  }
  return names;
}

regimen::Script scripted(const std::string& forward) {
  torch::jit::Module module("Scripted");
  module.register_attribute("training", c10::BoolType::get(), true);
  for (const char* name : {"first", "second", "third"}) {
    module.register_parameter(name, torch::randn({4, 4}), false);
  }
  module.define(forward);
  return regimen::Script(module);
}

}  // namespace

TEST_CASE("layer maps: TorchScript's buffers and loops are followed") {
  regimen::Script written = scripted(R"(
    def forward(self, x):
        out = torch.zeros([x.size(0), 4])
        out[:, 1:4] = x
        return out.matmul(self.first).matmul(self.second).relu().matmul(self.third)
  )");
  CHECK(names_of(regimen::layer_maps(written, {3})) == std::vector<std::string>{"first", "second", "third"});
  regimen::Script loop = scripted(R"(
    def forward(self, x):
        h = torch.zeros([x.size(0), 4])
        for t in range(x.size(1)):
            h = torch.tanh(x[:, t].matmul(self.first) + h.matmul(self.second))
        return h.matmul(self.third)
  )");
  const std::vector<LayerMap> maps = regimen::layer_maps(loop, {5, 4});
  CHECK(names_of(maps) == std::vector<std::string>{"first", "second", "third"});
  REQUIRE(maps.size() == 3);
  CHECK(maps[0].calls == 5);
  CHECK(maps[1].calls == 5);  // of zeros first
  CHECK(names_of(regimen::layer_maps(loop, {1, 4})) == std::vector<std::string>{"first", "second", "third"});
}

TEST_CASE("layer maps: layers that TorchScript has fused into one kernel are heard through Script, and else an Error") {
  const std::string code = R"(
    def forward(self, x):
        return torch.tanh(torch.tanh(x.matmul(self.first)).matmul(self.second)).matmul(self.third)
  )";
  const std::vector<std::string> all{"first", "second", "third"};
  regimen::Script script = scripted(code);
  const at::NoGradGuard no_grad;
  for (int i = 0; i < 3; ++i) {  // the first call watches, later ones are what LibTorch has made of it
    CHECK(names_of(regimen::layer_maps(script, {4})) == all);
    const at::Tensor x = torch::randn({2, 4});
    CHECK(furthest(script.forward(x), script.module().forward({x}).toTensor()) < 1e-6);
  }

  struct Called : torch::nn::Module {
    explicit Called(torch::jit::Module module) : called(std::move(module)) {
      for (const auto& each : called.named_parameters()) {
        register_parameter(each.name, each.value, false);
      }
    }
    at::Tensor forward(const at::Tensor& x) { return called.forward({x}).toTensor(); }
    torch::jit::Module called;
  };
  Called called(scripted(code).module());
  for (int i = 0; i < 3; ++i) {
    (void)called.forward(torch::randn({1, 4}));
  }
  std::vector<std::string> names;
  const std::string message = error_of([&] { names = names_of(regimen::layer_maps(called, {4})); });
  CAPTURE(message, names);
  // LibTorch 1.13 of Debian and PyPI's wheels do not fuse on a processor.
  CHECK((names == all ||
         message.find("TorchScript has fused some of them into one kernel, fused_") != std::string::npos));
}

TEST_CASE("layer maps: weights behind a mask are heard, whatever made the mask") {
  struct Masked : torch::nn::Module {
    Masked() {
      weight = register_parameter("weight", torch::randn({3, 3}));
      kernel = register_parameter("kernel", torch::randn({2, 1, 3, 3}));
    }
    at::Tensor forward(const at::Tensor& x) {
      const at::Tensor image = x.view({-1, 1, 3, 3});
      const at::Tensor rows = x.view({-1, 3});
      switch (use) {
        case 0:
          return at::conv2d(image, kernel * mask);
        case 1:
          return at::linear(rows, weight * at::tril(at::ones({3, 3})));
        case 2:
          return rows.matmul(weight * at::ones_like(rows).narrow(0, 0, 3));
        case 3:
          return at::linear(rows, weight * rows.new_ones({3, 3}));
        case 4:
          return rows.matmul(weight.view_as(rows));
        default:
          return rows.matmul(mask.matmul(weight));
      }
    }
    at::Tensor mask = at::ones({3, 3});  // a plain member
    at::Tensor weight, kernel;
    int use = 0;
  };
  Masked net;
  const std::string of_weight = "(computed from weight)";
  const std::vector<std::string> expected{
      "(computed from kernel)", of_weight, of_weight, of_weight, "weight", of_weight};
  for (; net.use < 6; ++net.use) {
    CAPTURE(net.use);
    CHECK(names_of(regimen::layer_maps(net, {9})) ==
          std::vector<std::string>{expected[static_cast<std::size_t>(net.use)]});
  }
}

TEST_CASE("layer maps: tokens that are put beside the sample and factors of channels are no error") {
  struct Tokens : torch::nn::Module {
    Tokens() {
      token = register_parameter("token", torch::randn({2, 4}));
      channels = register_parameter("channels", torch::randn({4, 1, 1}));
      scale = register_parameter("scale", torch::randn({1, 1}));
      one = register_parameter("one", torch::randn({1, 4}));
      last = register_module("last", Linear(4, 1));
    }
    at::Tensor placed(const at::Tensor& x) {
      const at::Tensor two = at::cat({x, x});
      const at::Tensor here = x.gt(0).expand({2, 4});
      switch (use) {
        case 0:
          return at::concat({x, token});
        case 1:
          return at::hstack({two, token}).narrow(1, 2, 4);
        case 2:
          return at::subtract(x, token);
        case 3: {
          const std::vector<at::Tensor> both = at::broadcast_tensors({x, token});
          return both[0] + both[1];
        }
        case 4:
          return two.clone().index_put_({at::arange(2)}, token);
        case 5:
          return at::index_put(two, {at::arange(2)}, token);
        case 6:
          return at::masked_scatter(two, here, token);
        case 7:
          return at::scatter(two, 0, at::zeros({2, 4}, at::kLong), token);
        case 8:
          return at::vstack({x, token});
        case 9:
          return (x.view({-1, 4, 1, 1}) * channels).flatten(1);
        case 10:
          return x * scale.exp();
        default:
          return x * one;
      }
    }
    at::Tensor forward(const at::Tensor& x) { return last(placed(x)); }
    at::Tensor token, channels, scale, one;
    Linear last{nullptr};
    int use = 0;
  };
  Tokens net;
  for (; net.use < 12; ++net.use) {
    CAPTURE(net.use);
    CHECK(names_of(regimen::layer_maps(net, {4})) == std::vector<std::string>{"last.weight"});
  }
}

TEST_CASE("layer maps: a weight that only meets what is lost of the sample is an error") {
  struct Lost : torch::nn::Module {
    Lost() {
      first = register_parameter("first", torch::randn({3, 4}));
      second = register_parameter("second", torch::randn({4, 2}));
    }
    at::Tensor forward(const at::Tensor& x) {
      return at::from_blob(x.data_ptr(), x.sizes()).matmul(first).relu().matmul(second);
    }
    at::Tensor first, second;
  };
  Lost net;
  check_error([&] { (void)regimen::layer_maps(net, {3}); }, {"layer_maps does not know", "first, second"});
}

TEST_CASE("layer maps: uses that are knowingly left out are no error, for all measures of layers") {
  struct Odd : torch::nn::Module {
    Odd() {
      first = register_module("first", Linear(3, 4));
      odd = register_parameter("odd", torch::randn({4, 4}));
    }
    at::Tensor forward(const at::Tensor& x) { return first(x).matmul(odd) + first(x) * odd[0]; }
    Linear first{nullptr};
    at::Tensor odd;
  };
  Odd net;
  const std::vector<std::string> unheard{"odd"};
  check_error([&] { (void)regimen::layer_maps(net, {3}); }, {"odd", "`unheard` of layer_maps"});
  check_error([&] { (void)regimen::layer_maps(net, {3}, {"odd", "even"}); }, {"even", "no parameter"});
  CHECK(names_of(regimen::layer_maps(net, {3}, unheard)) == std::vector<std::string>{"first.weight", "odd"});
  CHECK(regimen::SpectralNorms{.sample_shape = {3}, .unheard = unheard}(net).size() == 2);
  CHECK(regimen::NormSummary{.sample_shape = {3}, .unheard = unheard}(net).at("log_spectral") ==
        regimen::LogSpectralProduct{.sample_shape = {3}, .unheard = unheard}(net));
  CHECK(std::isfinite(regimen::LogFrobeniusProduct{.sample_shape = {3}, .unheard = unheard}(net)));
  CHECK(regimen::FrobeniusOverSpectral{.sample_shape = {3}, .unheard = unheard}(net) >= 2);
  CHECK(regimen::SpectralComplexity{.sample_shape = {3}, .unheard = unheard}(net) > 0);
  const regimen::Source data =
      regimen::InMemory({.data = torch::randn({5, 3}), .target = torch::zeros({5}, at::kLong)});
  CHECK(std::isfinite(regimen::MarginOverSpectralProduct{.data = data, .unheard = unheard}(net)));
  check_error([&] { (void)regimen::MarginOverSpectralProduct{.data = data}(net); },
              {"`unheard` of MarginOverSpectralProduct"});
}

TEST_CASE("layer maps: a transformer's positions, tokens, embeddings and LayerNorms are no unknown layers") {
  struct Transformer : torch::nn::Module {
    Transformer() {
      token = register_parameter("token", torch::randn({1, 1, 4}));
      position = register_parameter("position", torch::randn({1, 4, 4}));
      words = register_module("words", torch::nn::Embedding(7, 4));
      attention = register_module("attention", torch::nn::MultiheadAttention(4, 2));
      norm = register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({4, 4})));
      last = register_module("last", Linear(4, 3));
    }
    at::Tensor forward(const at::Tensor& x) {
      const at::Tensor shown = words(x.to(at::kLong)).view({-1, 3, 4});
      at::Tensor hidden = at::cat({token.expand({shown.size(0), 1, 4}), shown}, 1) + position;
      hidden = norm(hidden).transpose(0, 1);
      return last(std::get<0>(attention(hidden, hidden, hidden))[0]);
    }
    at::Tensor token, position;
    torch::nn::Embedding words{nullptr};
    torch::nn::MultiheadAttention attention{nullptr};
    torch::nn::LayerNorm norm{nullptr};
    Linear last{nullptr};
  };
  Transformer net;
  std::vector<std::string> names;
  for (const LayerMap& map : regimen::layer_maps(net, {3})) {
    names.push_back(map.name);
  }
  CHECK(names == std::vector<std::string>{"attention.in_proj_weight", "attention.out_proj.weight", "last.weight"});
}

TEST_CASE("layer maps: the matrices of an LSTM are heard, or it is an error") {
  struct Recurrent : torch::nn::Module {
    Recurrent() { cell = register_module("cell", torch::nn::LSTM(torch::nn::LSTMOptions(3, 4).batch_first(true))); }
    at::Tensor forward(const at::Tensor& x) { return std::get<0>(cell(x)).select(1, 1); }
    torch::nn::LSTM cell{nullptr};
  };
  Recurrent net;
  std::vector<std::string> names;
  const std::string said = error_of([&] {
    for (const LayerMap& map : regimen::layer_maps(net, {2, 3})) {
      names.push_back(map.name);
    }
  });
  if (said == "no error") {
    CHECK(names == std::vector<std::string>{"cell.weight_ih_l0", "cell.weight_hh_l0"});
  } else {
    CHECK(said.find("cell.weight_hh_l0, cell.weight_ih_l0") != std::string::npos);
  }
}

TEST_CASE("layer maps: in inference mode BatchNorm behind an operation in place is not folded either") {
  Sequential net(Linear(3, 4), ReLU(torch::nn::ReLUOptions().inplace(true)), BatchNorm1d(4));
  const std::vector<LayerMap> usual = regimen::layer_maps(net, {3});
  const c10::InferenceMode on;
  const std::vector<LayerMap> maps = regimen::layer_maps(net, {3});
  REQUIRE(maps.size() == usual.size());
  CHECK_FALSE(maps[0].normalization);
  Sequential first(ReLU(torch::nn::ReLUOptions().inplace(true)), Linear(3, 4));  // writes to the sample
  CHECK(regimen::layer_maps(first, {.data = torch::randn({1, 3})}).size() == 1);
  CHECK(c10::InferenceMode::is_enabled());
}

TEST_CASE("spectral norms: computed weights keep apart, and one that has not converged is NaN") {
  struct Computed : torch::nn::Module {
    Computed() {
      v = register_parameter("v", torch::randn({40, 40}, at::kDouble));
      g = register_parameter("g", at::full({1}, 2.0, at::kDouble));
    }
    at::Tensor forward(const at::Tensor& x) {
      const at::Tensor unit = v / v.norm();
      return at::linear(at::linear(x, g * unit), 3 * unit);
    }
    at::Tensor v, g;
  };
  Computed net;
  const double norm = largest(net.v.detach()) / net.v.norm().item<double>();
  regimen::SpectralNorms norms{.sample_shape = {40}};
  CHECK(norms(net) == regimen::Numbers{{"(computed from v)", norms(net).at("(computed from v)")},
                                       {"(computed from v) 2", norms(net).at("(computed from v) 2")}});
  CHECK(norms(net).at("(computed from v)") == Approx(2 * norm).epsilon(1e-10));
  CHECK(norms(net).at("(computed from v) 2") == Approx(3 * norm).epsilon(1e-10));
  const regimen::SpectralIteration few{.most = 2, .exact_up_to = 0};
  norms.iteration = few;
  CHECK(std::isnan(norms(net).at("(computed from v)")));
  const auto maps = regimen::layer_maps(net, {40});
  CHECK(std::isnan(regimen::spectral_norms(maps, few).at(0)));
  CHECK(std::isnan(regimen::LogSpectralProduct{.sample_shape = {40}, .iteration = few}(net)));
  CHECK(std::isnan(regimen::SpectralComplexity{.sample_shape = {40}, .iteration = few}(net)));
  CHECK(std::isnan(regimen::FrobeniusOverSpectral{.sample_shape = {40}, .iteration = few}(net)));
  CHECK(regimen::NormSummary{.sample_shape = {40}, .iteration = few}(net).at("unconverged") == 2);
}

TEST_CASE("spectral norms: memory format and type do not matter, seeds only to rounding") {
  torch::manual_seed(6);
  Conv2d layer(Conv2dOptions(4, 5, 3).padding(1));
  const regimen::SpectralNorms norms{.sample_shape = {4, 6, 6}};
  const double before = norms(layer).at("weight");
  layer->weight.set_data(layer->weight.detach().contiguous(at::MemoryFormat::ChannelsLast));
  CHECK(norms(layer).at("weight") == Approx(before).epsilon(1e-12));
  CHECK(regimen::SpectralNorms{.sample_shape = {4, 6, 6}, .iteration = {.seed = 9}}(layer).at("weight") ==
        Approx(before).epsilon(1e-9));
  layer->to(at::kDouble);
  CHECK(norms(layer).at("weight") == Approx(before).epsilon(1e-12));
}

TEST_CASE("spectral norms: names, data and settings are checked") {
  Sequential net(Linear(3, 4), ReLU(), Linear(4, 2));
  const regimen::Source data = regimen::InMemory({.data = torch::randn({5, 3})});
  CHECK(regimen::SpectralNorms{.data = data}(net).size() == 2);
  const regimen::AnyMeasure measure = regimen::SpectralNorms{.data = data, .layers = {"2.weight"}};
  CHECK(measure.names("norm") == std::vector<std::string>{"norm_2.weight"});
  CHECK(measure.numbers("norm", net).at("norm_2.weight") ==
        Approx(largest(net->parameters()[2].detach())).epsilon(1e-6));
  check_error([&] { (void)regimen::SpectralNorms{.data = data, .layers = {"7.weight"}}(net); }, {"7.weight"});
  check_error([&] { (void)regimen::SpectralNorms{}(net); }, {"SpectralNorms.sample_shape", "SpectralNorms.data"});
  check_error([] { regimen::SpectralIteration{.tolerance = 0}.check(); }, {"SpectralIteration.tolerance", "(0, 1)"});
  check_error([] { regimen::SpectralNorms{.iteration = {.most = 0}}.check(); }, {"SpectralIteration.most"});
}

TEST_CASE("spectral norms: complex weights are refused by name") {
  regimen::LayerMap map{.name = "0.weight"};
  map.weight = torch::eye(2, at::kComplexDouble);
  check_error([&] { (void)map.folded(); }, {"0.weight", "complex"});
}

}  // namespace spectral_norms_test
