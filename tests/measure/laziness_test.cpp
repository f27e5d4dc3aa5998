#include "support/tensors.hpp"

#include <regimen/networks.hpp>
#include <regimen/regimen.hpp>
#include "support/measured.hpp"

namespace laziness_test {

namespace {

using measured::points;

regimen::Batch in_double(std::int64_t n, std::uint64_t seed) {
  regimen::Batch batch = points(n, seed);
  batch.target = batch.data.select(1, 0).clone();
  return batch;
}

regimen::networks::TwoLayer wide(std::int64_t width) {
  torch::manual_seed(3);
  regimen::networks::TwoLayer net(regimen::networks::TwoLayerOptions{
      .inputs = 4, .width = width, .activation = regimen::networks::Activation::tanh});
  net->to(at::kDouble);
  return net;
}

}  // namespace

TEST_CASE("laziness: a linear model has one kernel and is its own linearization") {
  torch::manual_seed(1);
  torch::nn::Linear net(4, 1);
  net->to(at::kDouble);
  torch::nn::Linear start(4, 1);
  start->to(at::kDouble);
  const regimen::Laziness found = regimen::laziness(net, start, in_double(5, 1), in_double(6, 2));
  const double moved =
      ((net->weight - start->weight).square().sum() + (net->bias - start->bias).square().sum()).sqrt().item<double>();
  const double norm = (start->weight.square().sum() + start->bias.square().sum()).sqrt().item<double>();
  CHECK(found.distance == Approx(moved).epsilon(1e-12));
  CHECK(found.relative_distance == Approx(moved / norm).epsilon(1e-12));
  CHECK(found.kernel_change < 1e-14);
  CHECK(found.off_linearized < 1e-14);
}

TEST_CASE("laziness: it computes in full precision whatever the phase does") {
  torch::manual_seed(2);
  torch::nn::Linear net(4, 1);
  const auto start = std::dynamic_pointer_cast<torch::nn::LinearImpl>(net->clone());
  const regimen::Batch data{.data = torch::randn({6, 4}), .target = torch::zeros({6, 1})};
  const regimen::Evaluation how{.execute = {.precision = regimen::Precision::bf16}};
  CHECK(regimen::laziness(net, start, data, data, how).off_linearized == 0);
}

TEST_CASE("laziness: of a two-layer network by hand") {
  auto net = wide(6);
  auto start = wide(6);
  {
    const at::NoGradGuard no_grad;
    net->weight.add_(0.3 * at::sin(at::arange(24, at::kDouble)).view({6, 4}));
  }
  const regimen::Batch train = in_double(5, 1);
  const regimen::Batch test = in_double(7, 2);
  const regimen::Laziness found = regimen::laziness(net, start, train, test);
  // Row i of the Jacobian by w_j: v_j tanh'(w_j . x_i) x_i.
  const auto rows = [](const regimen::networks::TwoLayer& of, const at::Tensor& x) {
    const at::Tensor slope = 1 - x.matmul(of->weight.t()).tanh().square();
    return ((slope * of->output).unsqueeze(2) * x.unsqueeze(1)).flatten(1).detach();
  };
  const auto kernel = [&](const regimen::networks::TwoLayer& of) {
    return rows(of, train.data).matmul(rows(of, train.data).t());
  };
  const at::Tensor moved = (net->weight - start->weight).detach();
  CHECK(found.distance == Approx(moved.norm().item<double>()).epsilon(1e-12));
  CHECK(found.kernel_change == Approx(((kernel(net) - kernel(start)).norm() / kernel(start).norm()).item<double>()));
  const at::Tensor f = net->forward(test.data).detach();
  const at::Tensor linear = start->forward(test.data).detach() + rows(start, test.data).matmul(moved.flatten());
  CHECK(found.off_linearized == Approx(((f - linear).norm() / f.norm()).item<double>()).epsilon(1e-10));
  CHECK(found.off_linearized > 0.001);
}

TEST_CASE("laziness: 0 for a network that has not moved, an error for another network") {
  auto net = wide(6);
  auto start = wide(6);
  const regimen::Laziness none = regimen::laziness(net, start, in_double(3, 1), in_double(3, 2));
  CHECK(none.distance == 0);
  CHECK(none.kernel_change == 0);
  CHECK(none.off_linearized == 0);
  check_error([&] { (void)regimen::laziness(net, net, in_double(3, 1), in_double(3, 2)); },
              {"laziness", "weight is shared", "`start` must be a clone()"});
  auto other = wide(8);
  check_error([&] { (void)regimen::laziness(net, other, in_double(3, 1), in_double(3, 2)); },
              {"laziness: the number of weights of `start` must be that of the network, 24, but is 32"});
}

}  // namespace laziness_test
