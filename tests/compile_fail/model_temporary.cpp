// expect: a model is borrowed: a temporary module would be gone before it is trained
#include <torch/nn/modules/linear.h>
#include <regimen/model.hpp>

int main() {
  const regimen::Model model(torch::nn::LinearImpl(2, 2));
}
