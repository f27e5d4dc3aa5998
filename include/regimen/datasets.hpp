#pragma once

/// Readers: IDX, CIFAR, mapped files, folders of images; toys.

#include "regimen/datasets/cifar.hpp"
#include "regimen/datasets/clusterable.hpp"
#include "regimen/datasets/dataset.hpp"
#include "regimen/datasets/folders.hpp"
#include "regimen/datasets/gaussian_features.hpp"
#include "regimen/datasets/idx.hpp"
#include "regimen/datasets/image_file.hpp"
#include "regimen/datasets/image_sets.hpp"
#include "regimen/datasets/mapped.hpp"
#include "regimen/datasets/toys.hpp"
