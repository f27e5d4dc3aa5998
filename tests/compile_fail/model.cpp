// errors: 3
// expect: a model is borrowed: a temporary module would be gone before it is trained
// expect: a model with train.bool. must have bool is_training.. too: its mode is put back after scoring
// expect: a torch::jit::Module is trained as a regimen::Script: #include <regimen/adapt/torchscript.hpp>
#include <torch/csrc/jit/api/module.h>
#include <torch/nn/modules/linear.h>
#include <regimen/model.hpp>

#include <vector>

struct OneWay {
  at::Tensor forward(const at::Tensor& x) { return training ? x : x * 2; }
  std::vector<at::Tensor> parameters() { return {}; }
  std::vector<at::Tensor> buffers() { return {}; }
  void train(bool on) { training = on; }
  bool training = true;
};

int main() {
  const regimen::Model temporary(torch::nn::LinearImpl(2, 2));
  OneWay net;
  const regimen::Model of_one_way(net);
  torch::jit::Module module("Net");
  const regimen::Model torchscript(module);
}
