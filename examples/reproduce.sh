#!/bin/sh
# From a bare Debian to the flagship's results: installs what is missing, builds examples/100-bad-minima and runs it.
#
#     sh examples/reproduce.sh [options of bad_minima]        for instance --help
#     sh examples/reproduce.sh --all                          and the related results, each in its folder of results/
#
# Writes into build/ and results/ only, beside Debian's packages. A LibTorch of your own, named by the environment's
# CMAKE_PREFIX_PATH or Torch_DIR, is used instead of Debian's.
set -eu
cd "$(dirname "$0")/.."

sh tools/install-packages.sh run

# --fresh: CMake remembers the LibTorch of an earlier run, which would win over the one that is named now.
cmake --preset default --fresh -B build/reproduce -DREGIMEN_BUILD_TESTS=OFF
related='early_stopping benign_overfitting membership jumpstart learned_regularizer'
if [ "${1:-}" = --all ]; then
  [ $# = 1 ] || { echo 'reproduce.sh: --all takes no other options' >&2; exit 2; }
  # shellcheck disable=SC2086 # several words
  cmake --build build/reproduce --target bad_minima $related --parallel "$(nproc)"
  mkdir -p results
  build/reproduce/examples/bad_minima --out results/bad_minima
  for program in $related; do
    build/reproduce/examples/"$program" --out "results/$program" --check
  done
  exit
fi

cmake --build build/reproduce --target bad_minima --parallel "$(nproc)"
mkdir -p results
exec build/reproduce/examples/bad_minima "$@"
