#pragma once
// No LibTorch.

/// The observers that ship: they watch a run and change nothing. What an observer is, and when each event fires, stands
/// in event.hpp; logs are in log.hpp, checkpoints in checkpoint.hpp, trackers of the gap in track.hpp.
#include "regimen/observe/manifest_file.hpp"
#include "regimen/observe/progress.hpp"
