#!/bin/sh
# Makes regimen's Conan package and uses it, without a network: with LibTorch and zlib of the system as
# [platform_requires], and with empty packages in their place ([replace_requires]). Needs Conan on the PATH:
#
#     sh tests/consumer/conan.sh [folder to work in, build/conan without it]
#
# The lines that begin with `conan ` are those of docs/install.md; tests/docs/commands.py compares them.
set -eu
cd "$(dirname "$0")/../.."
work=${1:-build/conan}
rm -rf "$work"
mkdir -p "$work"
work=$(cd "$work" && pwd)
export CONAN_HOME="$work/home" OMP_NUM_THREADS=1
conan profile detect
# For this test alone: nothing is written into the tree, and nothing is looked for in a network.
cat >> "$CONAN_HOME/global.conf" << END
tools.cmake.cmake_layout:test_folder=$work/test_package
tools.cmake.cmaketoolchain:user_presets=
END
conan remote disable '*'

# 1. The package and its test_package, either way: the second one with what the first one has made removed.
conan create packaging/conan --profile=packaging/conan/profiles/platform
conan remove --confirm 'regimen/*'
conan create packaging/conan/system --name=libtorch --version=system
conan create packaging/conan/system --name=zlib --version=system
conan create packaging/conan --profile=packaging/conan/profiles/replaced

# 2. A user's project by conanfile.txt.
conanfile=tests/consumer/conanfile.txt
project=tests/consumer/installed
build=$work/mine
conan install "$conanfile" --profile=packaging/conan/profiles/replaced --output-folder="$build"
cmake -S "$project" -B "$build" -DCMAKE_TOOLCHAIN_FILE=conan_toolchain.cmake -DCMAKE_BUILD_TYPE=Release
cmake --build "$build"
"$build/mine"

# Headers are one package for all settings: for another build type, the one that is there.
conan install "$conanfile" --profile=packaging/conan/profiles/replaced --output-folder="$work/debug" \
  --settings=build_type=Debug
