#pragma once
// No LibTorch.

/// Results as tables (terminal, CSV, Markdown), pictures (SVG) and pages (HTML); not in regimen.hpp.

#include "regimen/report/between_minima.hpp"
#include "regimen/report/csv.hpp"
#include "regimen/report/curves.hpp"
#include "regimen/report/forest.hpp"
#include "regimen/report/html.hpp"
#include "regimen/report/html_report.hpp"
#include "regimen/report/image_strip.hpp"
#include "regimen/report/markdown.hpp"
#include "regimen/report/measure_table.hpp"
#include "regimen/report/paired.hpp"
#include "regimen/report/picture.hpp"
#include "regimen/report/pixels.hpp"
#include "regimen/report/series.hpp"
#include "regimen/report/style.hpp"
#include "regimen/report/svg.hpp"
#include "regimen/report/table.hpp"
#include "regimen/report/terminal.hpp"
#include "regimen/report/ticks.hpp"
#include "regimen/report/write_file.hpp"
