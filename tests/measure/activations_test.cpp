// Dead, affine and separating units, and dead points, of the layers that a network shows.

#include "support/tensors.hpp"

#include <limits>
#include <vector>

#include <regimen/regimen.hpp>
#include "support/measured.hpp"

namespace activations_test {

namespace {

/// Shows its input as the pre-activations of one layer, and twice that in a second one if wanted.
struct Shows : torch::nn::Module {
  explicit Shows(bool twice_ = false) : twice(twice_) { dropout = register_module("dropout", torch::nn::Dropout(0.9)); }
  torch::Tensor forward(const torch::Tensor& x) {
    torch::Tensor y = dropout(regimen::tap(x));
    return twice ? regimen::tap(2 * x - 1) : y;
  }
  bool twice;
  torch::nn::Dropout dropout{nullptr};
};

regimen::Batch data(const at::Tensor& x) {
  return {.data = x};
}

}  // namespace

TEST_CASE("layer activity: worked out by hand") {
  // Units: always above 0; never (0 counts as not); sometimes; never. The last sample finds only the first unit alive.
  const at::Tensor a = at::tensor({1.0, 0.0, 2.0, -1.0,    //
                                   0.5, -2.0, -1.0, -1.0,  //
                                   3.0, -1.0, -3.0, -2.0},
                                  at::kDouble)
                           .view({3, 4});
  Shows net;
  for (const int batch : {1, 2, 128}) {
    CAPTURE(batch);
    const auto layers = regimen::layer_activity(net, data(a), {.batch = batch});
    REQUIRE(layers.size() == 1);
    CHECK(layers[0].affine == Approx(0.25));
    CHECK(layers[0].dead == Approx(0.5));
    CHECK(layers[0].separating == Approx(0.25));
    CHECK(layers[0].dead_points == Approx(0).margin(1e-15));
  }
  const auto shifted = regimen::layer_activity(net, data(a - 1));  // 0, -1, 1, -2 | ... : the second sample is dead
  CHECK(shifted[0].dead == Approx(0.5));
  CHECK(shifted[0].affine == Approx(0).margin(1e-15));
  CHECK(shifted[0].dead_points == Approx(1.0 / 3));
  CHECK(net.is_training());
}

TEST_CASE("layer activity: a channel is one unit at all positions") {
  // Channel 0 is above 0 at one position of one sample, channel 1 at all of both, channel 2 nowhere.
  at::Tensor a = -at::ones({2, 3, 2, 2});
  a[0][0][1][1] = 1;
  a.select(1, 1).fill_(2);
  Shows net;
  for (const bool channels_last : {false, true}) {
    const at::Tensor x = channels_last ? a.contiguous(at::MemoryFormat::ChannelsLast) : a;
    const auto layers = regimen::layer_activity(net, data(x));
    CHECK(layers[0].separating == Approx(1.0 / 3));
    CHECK(layers[0].affine == Approx(1.0 / 3));
    CHECK(layers[0].dead == Approx(1.0 / 3));
    CHECK(layers[0].dead_points == 0);
  }
  a.select(1, 1).fill_(-2);
  CHECK(regimen::layer_activity(net, data(a))[0].dead_points == Approx(0.5));
}

TEST_CASE("layer activity: a NaN makes a unit of no kind, and is not above 0") {
  at::Tensor a = at::ones({2, 2});
  a[0][1] = std::numeric_limits<double>::quiet_NaN();
  Shows net;
  const auto layers = regimen::layer_activity(net, data(a));
  CHECK(layers[0].affine == Approx(0.5));
  CHECK(layers[0].dead == 0);
  CHECK(layers[0].separating == 0);
  CHECK(layers[0].dead_points == 0);  // each sample has another unit above 0
  a[0][0] = -1;
  CHECK(regimen::layer_activity(net, data(a))[0].dead_points == Approx(0.5));
}

TEST_CASE("Activity: the means over the layers, by name, of its own data or a phase's") {
  const at::Tensor a = at::tensor({1.0, -1.0, 0.25, -1.0}, at::kDouble).view({2, 2});  // 2 a - 1: 1, -3, -0.5, -3
  Shows net(/*twice_=*/true);
  const regimen::Numbers found = regimen::Activity{.data = data(a)}(net);
  CHECK(found.at("affine") == Approx(0.25));
  CHECK(found.at("dead") == Approx(0.5));
  CHECK(found.at("separating") == Approx(0.25));
  CHECK(found.at("dead_points") == Approx(0.25));
  std::vector<std::string> names;
  for (const auto& [name, value] : found) {
    names.push_back(name);
  }
  CHECK(names == regimen::Activity{}.names());
  check_error([&] { (void)regimen::Activity{}(net); }, {"Activity takes data"});
}

TEST_CASE("layer activity: misuse is named") {
  torch::nn::Linear no_taps(2, 2);
  check_error([&] { (void)regimen::layer_activity(no_taps, data(at::ones({3, 2}))); }, {"no taps", "regimen::tap"});
  Shows net;
  check_error([&] { (void)regimen::layer_activity(net, data(at::ones({3}))); }, {"[N, units, ...]", "[3]"});
  check_error([&] { (void)regimen::member_activity(net, data(at::ones({3, 2})), 0); },
              {"member_activity: members", "at least 1", "is 0"});
  check_error([&] { (void)regimen::member_activity(net, data(at::ones({3, 2, 2})), 4); },
              {"members = 4", "[N, 4, units, ...]", "[3, 2, 2]"});
  struct Wavers : torch::nn::Module {
    torch::Tensor forward(const torch::Tensor& x) {
      (void)regimen::tap(x);
      return calls++ == 0 ? x : regimen::tap(x);
    }
    int calls = 0;
  } wavers;
  check_error([&] { (void)regimen::layer_activity(wavers, data(at::ones({4, 2})), {.batch = 2}); },
              {"shows 2 tensors", "showed 1"});
}

}  // namespace activations_test
