#pragma once

/// What is done to any tensor: names, sums, checksums, autocast.

#include "regimen/tensor/autocast.hpp"
#include "regimen/tensor/checksum.hpp"
#include "regimen/tensor/crc32.hpp"
#include "regimen/tensor/described.hpp"
#include "regimen/tensor/device_copies.hpp"
#include "regimen/tensor/doubles.hpp"
#include "regimen/tensor/gradients.hpp"
#include "regimen/tensor/hat_matrix.hpp"
#include "regimen/tensor/least_squares_descent.hpp"
#include "regimen/tensor/libtorch.hpp"
#include "regimen/tensor/minimum_norm.hpp"
#include "regimen/tensor/minimum_norm_risk.hpp"
#include "regimen/tensor/named.hpp"
#include "regimen/tensor/real.hpp"
#include "regimen/tensor/ridge.hpp"
#include "regimen/tensor/rounding.hpp"
#include "regimen/tensor/simple_and_spiky.hpp"
#include "regimen/tensor/sum_of_finite.hpp"
#include "regimen/tensor/sums.hpp"
