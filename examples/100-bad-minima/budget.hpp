#pragma once
// No LibTorch.

#include <string>

#include <regimen/experiment/budget.hpp>

#include "estimate.hpp"
#include "plan.hpp"
#include "settings.hpp"

/// What a time leaves of the experiment.
using Fitted = regimen::experiment::Fitted<Cut>;

/// The largest experiment that fits the time, in seconds: with fewer images, down to half, then fewer seeds, down to
/// three; if phases have fixed numbers of epochs, all are shortened by one factor instead.
Fitted fit_to(double seconds, const Settings& settings, const ImageCounts& counts, const Paces& paces);

/// The largest experiment that fits the task's budget, of which `passed` seconds are over; a part of the budget is kept
/// in reserve. Throws regimen::Error if the task says that it must fit and the smallest does not.
Fitted fit_to_budget(const Task& task, double passed, const Settings& settings, const ImageCounts& counts,
                     const Paces& paces);

/// What a budget made of the experiment, in a sentence for the terminal.
std::string sentence_of(const Fitted& fitted, const Settings& whole, const ImageCounts& counts, double budget);

/// The cut that a resumed run keeps to, in a sentence for the terminal; empty if nothing was cut.
std::string planned_before(const Cut& cut, const Settings& whole, const ImageCounts& counts);
