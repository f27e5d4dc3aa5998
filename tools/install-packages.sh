#!/bin/sh
# Installs from Debian's packages what regimen needs, and nothing else. Idempotent, and instant when all is there.
#
#     sh tools/install-packages.sh        what the library needs to be built
#     sh tools/install-packages.sh run    and what the flagship example needs to run
#     sh tools/install-packages.sh test   and what the tests need
#     sh tools/install-packages.sh drivers     and what drives many runs in the CI: schedulers, which start services
#     sh tools/install-packages.sh benchmark   what the benchmarks need: beside the library a Python environment
#
# Debian 12 and newer. Runs as root or through sudo; else it names what is missing and exits with 1. A LibTorch of your
# own, named by the environment's CMAKE_PREFIX_PATH or Torch_DIR, is used instead of Debian's.
set -eu

# True if the environment names a LibTorch, the way find_package(Torch) would find it.
has_own_libtorch() {
  [ -n "${Torch_DIR:-}" ] && return 0
  (
    IFS=':;'
    for prefix in ${CMAKE_PREFIX_PATH:-}; do
      for config in "$prefix"/share/cmake/Torch "$prefix"/lib/cmake/Torch "$prefix"/lib/*/cmake/Torch; do
        [ -f "$config/TorchConfig.cmake" ] && exit 0
      done
    done
    exit 1
  )
}

packages='g++ cmake ninja-build zlib1g-dev'
# Debian's LibTorch runs on whatever BLAS is installed: at 3.7 GFLOP/s on the reference one, at 96 on OpenBLAS. Of its
# flavours only the OpenMP one shares LibTorch's threads.
has_own_libtorch || packages="$packages libtorch-dev libopenblas0-openmp"

run_packages='libcli11-dev dataset-fashion-mnist'
run_packages="$run_packages libpng-dev libjpeg-dev"                             # folders of images
test_packages='catch2 python3-torch'                                            # a test compares with PyTorch itself
test_packages="$test_packages make"                                             # CMake's default, for projects that use the library
has_own_libtorch || test_packages="$test_packages libgloo-dev"                   # processes that share a run, over Debian's Gloo
test_packages="$test_packages doxygen ccache"                                   # the API reference; a quick second run
test_packages="$test_packages chromium"                                         # what a browser says of reports

case ${1:-build} in
  build) ;;
  run) packages="$packages $run_packages" ;;
  test) packages="$packages $run_packages $test_packages" ;;
  drivers) packages="$packages $run_packages $test_packages parallel slurm-wlm" ;;
  benchmark) packages="$packages python3-venv" ;;
  *) echo "usage: $0 [build | run | test | drivers | benchmark]" >&2 && exit 2 ;;
esac

if ! command -v dpkg-query > /dev/null; then
  echo "Not a Debian system, so nothing is installed here. Needed, by their names there: $packages"
  exit 0
fi

missing=
for package in $packages; do
  case $(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2> /dev/null) in
    installed) ;;
    *) missing="$missing $package" ;;
  esac
done

if [ -n "$missing" ]; then
  echo "Installing:$missing"
  if [ "$(id -u)" = 0 ]; then
    as_root='env'
  elif command -v sudo > /dev/null; then
    as_root='sudo env'
  else
    echo "Missing, and only root can install them: apt-get install --no-install-recommends$missing" >&2
    exit 1
  fi
  # Recommended packages are left out because one of them is the other flavour of OpenBLAS.
  # shellcheck disable=SC2086 # $as_root and $missing are lists
  if ! { $as_root apt-get update -qq &&
    $as_root DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $missing; }; then
    echo "Could not be installed; missing are still some of:$missing" >&2
    exit 1
  fi
fi

# Debian's alternatives choose among the BLAS installed, and prefer OpenBLAS's pthread flavour (priority 100) to its
# OpenMP one (95); the pthread one's threads compete with LibTorch's for the cores.
triplet=$(g++ -dumpmachine)
blas=$(readlink -f "/usr/lib/$triplet/libblas.so.3" || true)
case $packages:$blas in
  *libopenblas0-openmp*:*/openblas-openmp/*) ;;
  *libopenblas0-openmp*)
    echo "Note: LibTorch will use ${blas:-no BLAS}, and is slow with it. Better, as root:"
    for library in libblas liblapack; do
      echo "    update-alternatives --set $library.so.3-$triplet /usr/lib/$triplet/openblas-openmp/$library.so.3"
    done
    ;;
esac
