#include "support/tensors.hpp"

#include <memory>
#include <vector>

#include <regimen/regimen.hpp>
#include <regimen/tensor/libtorch.hpp>

// What a weight of 1 is after one step of plain decay, by hand: 1 - rate * decay.
namespace parameter_groups_test {

namespace {

using torch::optim::OptimizerParamGroup;
using torch::optim::SGD;
using torch::optim::SGDOptions;

at::Tensor one() {
  at::Tensor weight = at::ones({1}).requires_grad_();
  weight.mutable_grad() = at::zeros({1});
  return weight;
}

std::vector<OptimizerParamGroup> groups_of(const at::Tensor& decayed, const at::Tensor& spared) {
  std::vector<OptimizerParamGroup> groups;
  groups.emplace_back(std::vector<at::Tensor>{decayed},
                      std::make_unique<SGDOptions>(SGDOptions(0.1).weight_decay(0.5)));
  groups.emplace_back(std::vector<at::Tensor>{spared}, std::make_unique<SGDOptions>(SGDOptions(0.1).weight_decay(0)));
  return groups;
}

}  // namespace

TEST_CASE("parameter groups: written group by group, decay is each group's own in every LibTorch") {
  const at::Tensor decayed = one();
  const at::Tensor spared = one();
  SGD sgd(groups_of(decayed, spared), SGDOptions(0.1));  // all else as the constructor leaves it
  SECTION("LibTorch's step") {
    sgd.step();
  }
  SECTION("the fused step") {
    regimen::fused_step(sgd);
  }
  CHECK(decayed.item<float>() == Approx(0.95));
  CHECK(spared.item<float>() == 1);
}

TEST_CASE("parameter groups: since LibTorch 2.14 an option at the constructor's default takes the optimizer's value") {
  const at::Tensor decayed = one();
  const at::Tensor spared = one();
  SGD sgd(groups_of(decayed, spared), SGDOptions(0.1).weight_decay(0.5));
  SECTION("so a group without decay decays") {
    sgd.step();
    CHECK(spared.item<float>() == Approx(REGIMEN_LIBTORCH_SINCE(2, 14) ? 0.95 : 1));
  }
  SECTION("and options written once more are as written") {
    static_cast<SGDOptions&>(sgd.param_groups().back().options()).weight_decay(0);
    SECTION("LibTorch's step") {
      sgd.step();
    }
    SECTION("the fused step") {
      regimen::fused_step(sgd);
    }
    CHECK(spared.item<float>() == 1);
  }
  CHECK(decayed.item<float>() <= 1);
}

}  // namespace parameter_groups_test
