#pragma once
// No LibTorch.

#include <string>

#include <regimen/experiment/folder.hpp>

#include "plan.hpp"
#include "settings.hpp"

/// What the experiment keeps in its results folder. A plan is a cut.
regimen::experiment::FolderContents contents_of(const Settings& settings);

/// The cut that the folder's plan says: without a plan the whole experiment. Throws regimen::Error for any other text.
Cut cut_of(const std::string& plan, const Settings& settings);
