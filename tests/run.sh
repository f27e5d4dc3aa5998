#!/bin/sh
# Installs what the tests need, builds and runs them all. About 15 minutes on two cores; most of it compiles LibTorch.
#
#     sh tests/run.sh [options of ctest]        for instance -L numbers, or -R '^damage\.'
#
# Writes into build/ only, beside Debian's packages and ccache's own folder. A LibTorch of your own, named by the
# environment's CMAKE_PREFIX_PATH or Torch_DIR, is used instead of Debian's.
set -eu
cd "$(dirname "$0")/.."

sh tools/install-packages.sh test

# Where Debian's python3-torch is installed, the comparison with PyTorch must run; elsewhere it may skip itself.
if /usr/bin/python3 -c 'import torch' 2> /dev/null; then
  export REGIMEN_REQUIRE_PARITY=1
fi

jobs=$(nproc)
. tools/compiler-cache.sh

# --fresh: CMake remembers the LibTorch of an earlier run, which would win over the one that is named now.
# -O1: LibTorch does the work, and more would be a minute or two of compiling. What is timed is built elsewhere.
cmake --preset default --fresh -DREGIMEN_TESTS_TOGETHER=ON -DCMAKE_CXX_FLAGS_RELEASE='-O1 -DNDEBUG'
cmake --build --preset default --parallel "$jobs"
ctest --preset default --parallel "$jobs" "$@"
