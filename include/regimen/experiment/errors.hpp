#pragma once
// No LibTorch.

#include "regimen/base/error.hpp"

namespace regimen::inline v0::experiment {

/// An error of the command line or of the settings: the same command fails again, on any machine.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// Another process works on a unit, or holds the folder: the same command succeeds later.
class Busy : public Error {
 public:
  using Error::Error;
};

}  // namespace regimen::inline v0::experiment
