#pragma once
// LibTorch and Catch2 together, in the one order that works. Every test with tensors includes this header first.
//
// LibTorch (by itself, or through glog) and Catch2 both define CHECK, and the last one wins without a warning: a CHECK
// of LibTorch aborts the program where one of Catch2 records a failure. So: LibTorch, forget its CHECK, then Catch2.

#include <torch/torch.h>

#undef CHECK

#include "support/numbers.hpp"
