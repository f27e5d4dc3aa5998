#pragma once
// Moved: this path stays for who includes it.

#include "regimen/record/history_view.hpp"
