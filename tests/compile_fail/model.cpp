// errors: 2
// expect: a model is borrowed: a temporary module would be gone before it is trained
// expect: a torch::jit::Module is trained as a regimen::Script: #include <regimen/adapt/torchscript.hpp>
#include <torch/csrc/jit/api/module.h>
#include <torch/nn/modules/linear.h>
#include <regimen/model.hpp>

int main() {
  const regimen::Model temporary(torch::nn::LinearImpl(2, 2));
  torch::jit::Module module("Net");
  const regimen::Model torchscript(module);
}
