#pragma once
// Moved: this path stays for who includes it.

#include "regimen/statistics/interval.hpp"
#include "regimen/statistics/mean.hpp"
#include "regimen/statistics/student_t.hpp"
