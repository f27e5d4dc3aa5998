#pragma once

#include <regimen/experiment/files.hpp>

using regimen::experiment::file_name;
using regimen::experiment::read_file;
using regimen::experiment::write_file;
