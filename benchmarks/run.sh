#!/bin/sh
# Builds and runs the benchmarks: each a ratio of two ways measured in turn in one process, with its spread.
#
#     sh benchmarks/run.sh        about ten minutes on an idle machine; nothing else should run meanwhile
#
# Writes into build/ only.
set -eu
cd "$(dirname "$0")/.."

sh tools/install-packages.sh build

cmake --preset default --fresh -B build/benchmarks -DREGIMEN_BUILD_TESTS=OFF -DREGIMEN_BUILD_EXAMPLES=OFF \
  -DREGIMEN_BUILD_BENCHMARKS=ON
cmake --build build/benchmarks --parallel "$(nproc)"

grep -m 1 'model name' /proc/cpuinfo || true
build/benchmarks/benchmarks/benchmark-run_overhead
build/benchmarks/benchmarks/benchmark-labels
sh benchmarks/compile_time.sh 1
