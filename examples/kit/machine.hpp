#pragma once

#include <string>

#include <regimen/experiment/conduct.hpp>
#include <regimen/regimen.hpp>

#include "data.hpp"
#include "image_settings.hpp"

namespace kit {

/// The machine that a program's trainings are worth.
struct MachineUse {
  bool small = false;        ///< tensors too small for a GPU, and one process
  bool all_threads = false;  ///< the workers share out all processors as threads, else each has one
};

/// Settles all of a machine for a program of so many units, has LibTorch take its threads, and says so in a line.
/// Throws regimen::Error for a device that is not there, and for data that need a root and have none.
regimen::experiment::Conduct settle(Machine& machine, const DataOptions& data, int units, int seeds,
                                    const regimen::experiment::Task& task, const MachineUse& use = {});

/// How every phase is computed on a device: on a GPU with all that makes it fast.
regimen::Execution execution_of(const std::string& device, const std::string& precision);

/// How networks are scored on a device.
regimen::Evaluation scoring_of(const std::string& device, const std::string& precision, const Images& images);

}  // namespace kit
