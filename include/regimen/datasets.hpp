#pragma once

/// Readers: IDX, CIFAR, mapped files; toys.

#include "regimen/datasets/cifar.hpp"
#include "regimen/datasets/dataset.hpp"
#include "regimen/datasets/idx.hpp"
#include "regimen/datasets/mapped.hpp"
#include "regimen/datasets/toys.hpp"
