#include "support/tensors.hpp"

#include <cstdint>

#include <regimen/networks.hpp>
#include <regimen/regimen.hpp>
#include "support/measured.hpp"

namespace linearized_test {

namespace {

using measured::points;
using regimen::linearized_outputs;
using regimen::LossSurface;

torch::nn::Sequential small_net() {
  torch::manual_seed(1);
  torch::nn::Sequential net(torch::nn::Linear(4, 5), torch::nn::Tanh(), torch::nn::Linear(5, 3));
  net->to(at::kDouble);
  return net;
}

at::Tensor direction(std::int64_t size) {
  return regimen::Key(7, at::arange(size, at::kLong)).normal().to(at::kDouble);
}

}  // namespace

TEST_CASE("linearized_outputs: f + J (w - w_0) with the dense Jacobian, in batches and without") {
  auto net = small_net();
  const regimen::Batch data = points(7);
  for (const std::int64_t batch : {3, 100}) {
    const LossSurface surface(net, data, {.batch = batch});
    const at::Tensor w = surface.weights() + direction(surface.size());
    const at::Tensor f = net->forward(data.data).detach();
    const at::Tensor expected = f + regimen::jacobian(surface).matmul(direction(surface.size())).view({7, 3});
    CHECK(linearized_outputs(surface, w).sizes() == at::IntArrayRef({7, 3}));
    CHECK(furthest(linearized_outputs(surface, w), expected) < 1e-12);
    CHECK(furthest(linearized_outputs(surface, surface.weights()), f) < 1e-14);
  }
}

TEST_CASE("linearized_outputs: the network differs from it by the square of the way") {
  auto net = small_net();
  auto moved = small_net();
  const regimen::Batch data = points(5);
  const LossSurface surface(net, data);
  const auto off = [&](double way) {
    const at::Tensor w = surface.weights() + way * direction(surface.size());
    const at::NoGradGuard no_grad;
    const auto to = surface.unflat(w);
    for (std::size_t i = 0; i < to.size(); ++i) {
      moved->parameters()[i].copy_(to[i]);
    }
    return furthest(moved->forward(data.data), linearized_outputs(surface, w));
  };
  CHECK(off(1e-3) / off(1e-4) == Approx(100).epsilon(0.05));
  CHECK(off(1e-4) > 1e-9);
}

TEST_CASE("linearized_outputs: one output a sample, some of the weights, float networks") {
  torch::manual_seed(2);
  regimen::networks::TwoLayer net(regimen::networks::TwoLayerOptions{.inputs = 4, .width = 6});
  regimen::Batch data = points(5);
  data.data = data.data.to(at::kFloat);
  const LossSurface surface(net, data);
  // With relu, f is linear in the weights as long as no unit turns on or off at a point.
  const at::Tensor w = surface.weights() * 1.5;
  const at::Tensor found = linearized_outputs(surface, w);
  CHECK(found.sizes() == at::IntArrayRef({5}));
  CHECK(found.scalar_type() == at::kDouble);
  CHECK(furthest(found, 1.5 * net->forward(data.data).detach()) < 1e-5);
  auto two = small_net();
  const LossSurface last(two, points(5), {}, regimen::Layers{{"2"}});
  const at::Tensor head = last.weights() * 2;  // f is linear in its last layer
  CHECK(furthest(linearized_outputs(last, head), 2 * two->forward(points(5).data).detach()) < 1e-12);
}

TEST_CASE("linearized_outputs: a vector of another length is an error") {
  auto net = small_net();
  const LossSurface surface(net, points(2));
  check_error([&] { (void)linearized_outputs(surface, at::ones({3}, at::kDouble)); },
              {"linearized_outputs takes weights of [43], not [3] double"});
  check_error([&] { (void)linearized_outputs(surface, at::ones({43, 1}, at::kDouble)); }, {"not [43, 1]"});
}

}  // namespace linearized_test
