#pragma once
// No LibTorch.

/// The events of a run, progress, logs, files for TensorBoard, the manifest in a file.

#include "regimen/observe/event.hpp"
#include "regimen/observe/log.hpp"
#include "regimen/observe/manifest_file.hpp"
#include "regimen/observe/progress.hpp"
#include "regimen/observe/read_log.hpp"
#include "regimen/observe/tensorboard_file.hpp"
#include "regimen/observe/tensorboard_log.hpp"
