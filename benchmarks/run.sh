#!/bin/sh
# Builds and runs the benchmarks: each a ratio of two ways that take turns, with its spread. Half an hour on an idle
# machine; nothing else should run meanwhile.
#
#     sh benchmarks/run.sh [NAME ...]        overhead, toy, images, curvature, pac_bayes, measures, ensemble, confusion_set, loader, labels,
#                                            share, compile_time; or all
#
# Writes into build/ only: the table goes to the terminal, the same as lines to build/benchmarks/results.csv. A LibTorch
# of your own, named by the environment's CMAKE_PREFIX_PATH or Torch_DIR, is used instead of Debian's; PEERS_PYTHON names
# a Python with what benchmarks/peers/README.md lists, otherwise it is installed from PyPI into build/peers-venv (1.7 GB
# where CUDA's toolkit is, else 3.6 GB: PyPI's PyTorch brings CUDA's libraries along).
set -eu
cd "$(dirname "$0")/.."

sh tools/install-packages.sh benchmark

cmake --preset default --fresh -B build/benchmarks -DREGIMEN_BUILD_TESTS=OFF -DREGIMEN_BUILD_EXAMPLES=OFF \
  -DREGIMEN_BUILD_BENCHMARKS=ON
cmake --build build/benchmarks --parallel "$(nproc)"

. benchmarks/peers/install.sh

BENCHMARK_CSV=build/benchmarks/results.csv
export BENCHMARK_CSV
rm -f "$BENCHMARK_CSV"
for name in ${*:-overhead toy images curvature pac_bayes measures ensemble confusion_set loader labels share compile_time}; do
  if [ "$name" = compile_time ]; then
    sh benchmarks/compile_time.sh 11 regimen.hpp
  else
    "build/benchmarks/benchmarks/benchmark-$name"
  fi
done
