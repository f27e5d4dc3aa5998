#!/bin/sh
# To be read by a script: PyPI's wheel of PyTorch as the LibTorch of a build. It is built with CUDA and asks for the CUDA
# toolkit (nvcc), not for a GPU.
#
#     . tools/libtorch-wheel.sh
#     use_libtorch_wheel VENV VERSION     installs torch==VERSION into the virtual environment VENV, made if it is not there,
#                                         and sets libtorch, the folder for CMAKE_PREFIX_PATH; PATH, LD_LIBRARY_PATH and LDFLAGS
#
# 2.11.0 is CI's: of the 3 GB of CUDA libraries that it depends on, the toolkit has most. A newer one may want newer
# libraries than the toolkit's, so it is installed with its own.

# Prints where nvcc is; fails where there is none.
find_nvcc() {
  command -v nvcc || command -v /usr/local/cuda/bin/nvcc
}

use_libtorch_wheel() {
  nvcc=$(find_nvcc) || { echo 'PyPI'"'"'s LibTorch asks for the CUDA toolkit: no nvcc' >&2 && return 1; }
  [ -x "$1/bin/pip" ] || python3 -m venv "$1"
  if [ "$2" = 2.11.0 ]; then
    "$1/bin/pip" install --quiet --disable-pip-version-check --no-deps torch==2.11.0 \
      nvidia-cusparselt-cu13==0.8.0 nvidia-nvshmem-cu13==3.4.5 nvidia-cufile
  else
    "$1/bin/pip" install --quiet --disable-pip-version-check "torch==$2"
  fi
  site=$("$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  libtorch=$site/torch
  PATH=$(dirname "$nvcc"):$PATH
  # For the linker as for the loader: libtorch_cuda.so names these libraries and does not say where they are. The linker
  # looks first where the program will (-rpath), and there the toolkit may have an older NCCL: -rpath-link goes before.
  libraries=$(find "$site/nvidia" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
  LD_LIBRARY_PATH=$libraries:$(dirname "$(dirname "$(readlink -f "$nvcc")")")/lib64
  LDFLAGS=-Wl,-rpath-link,$libraries
  export PATH LD_LIBRARY_PATH LDFLAGS
}
