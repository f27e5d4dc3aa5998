#pragma once

/// ResNet, VGG-16-BN, DenseNet-BC for 32x32 images; the two-layer network of theory; not in regimen.hpp.

#include "regimen/networks/densenet.hpp"
#include "regimen/networks/expected_kernel.hpp"
#include "regimen/networks/make.hpp"
#include "regimen/networks/network.hpp"
#include "regimen/networks/resnet.hpp"
#include "regimen/networks/stacked_linear.hpp"
#include "regimen/networks/sync_batch_norm.hpp"
#include "regimen/networks/two_layer.hpp"
#include "regimen/networks/vgg.hpp"
