#!/bin/sh
# All that can only be measured on a GPU, in steps of at most nine minutes each.
#
#     sh benchmarks/cuda.sh TORCH STEP [OUT]      TORCH: a LibTorch with CUDA, the folder that holds lib/ and include/,
#                                                 or `python3`: the one of that Python's torch
#     steps: build      into build/cuda; needs nvcc, no GPU
#            tests      the tests on the GPU
#            variants   images a second of ResNet-18, from plain fp32 to a recorded step in bf16, against the ceilings
#            networks   of the other three networks a recorded step and the fastest eager one
#            peers      against the authors' recipe and idiomatic PyTorch; needs a Python with torch (PEERS_PYTHON)
#            cifar10    the paper's experiment within nine minutes: ResNet-18, both starts, vanilla and regularized
#            all        all of these but build, one after another
#
# Programs that were built before, elsewhere, are taken from the folder that BIN names: what `build` leaves in
# build/cuda/bin. CIFAR10 names the folder of the data set's binary version.
#
# Everything lands in OUT (results/cuda): a file a step, the experiment's folder, and all of it in OUT/cuda.tar.gz.
set -eu
[ $# -ge 2 ] || { sed -n '2,19p' "$0" >&2; exit 2; }
repository=$(cd "$(dirname "$0")/.." && pwd)
torch=$1
step=$2
out=${3:-$repository/results/cuda}
bin=${BIN:-$repository/build/cuda/bin}
[ "$torch" = python3 ] && torch=$(python3 -c 'import os, torch; print(os.path.dirname(torch.__file__))')
mkdir -p "$out"

# A wheel's libraries name others and do not say where they are: PyPI's in folders beside it, or the toolkit's.
beside=$(find "$(dirname "$torch")/nvidia" -name '*.so*' -printf '%h\n' 2> /dev/null | sort -u | paste -sd:)
toolkit=$(dirname "$(dirname "$(readlink -f "$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)")")")
LD_LIBRARY_PATH="$bin:$torch/lib${beside:+:$beside}:$toolkit/lib64${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export LD_LIBRARY_PATH

build() {
  sh "$repository/tools/install-packages.sh" test
  PATH=$toolkit/bin:$PATH
  cmake --preset default -S "$repository" -B "$repository/build/cuda" --fresh -DCMAKE_PREFIX_PATH="$torch" \
    -DTORCH_CUDA_ARCH_LIST=9.0 -DREGIMEN_BUILD_BENCHMARKS=ON
  cmake --build "$repository/build/cuda" --target cuda-tests benchmark-cuda bad_minima --parallel "$(nproc)"
  mkdir -p "$repository/build/cuda/bin"
  cd "$repository/build/cuda"
  cp tests/cuda-tests benchmarks/benchmark-cuda examples/bad_minima bin/
  # What decodes images may be missing where the programs are taken.
  ldd bin/bad_minima | awk '/libpng|libjpeg/ { print $3 }' | xargs -r cp -L -t bin
}

# described NAME COMMAND...: the command's output on the terminal and in OUT/NAME.txt, below when and where. Ends as the
# command did, and after nine minutes at the latest.
described() {
  name=$1
  shift
  {
    date -u '+%Y-%m-%d %H:%M UTC'
    nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2> /dev/null || echo 'no GPU'
    sed -n "s/^__version__ = /torch /p" "$torch/version.py" 2> /dev/null || true
    status=0
    timeout 540 "$@" 2>&1 || status=$?
    echo "ended with $status after $(($(date +%s) - began)) s"
    echo "$status" > "$out/status"
  } | tee "$out/$name.txt"
  status=$(cat "$out/status")
  rm "$out/status"
  [ "$status" = 0 ] || failed="$failed $name"
}

failed=
run() {
  began=$(date +%s)
  case $1 in
    build) build ;;
    tests) described tests "$bin/cuda-tests" ;;
    variants) described variants "$bin/benchmark-cuda" variants resnet18 ;;
    networks) described networks "$bin/benchmark-cuda" networks ;;
    peers) PEERS_FOLDER=$repository/benchmarks/peers BENCHMARK_CSV=$out/peers.csv described peers "$bin/benchmark-cuda" peers ;;
    cifar10)
      described cifar10 "$bin/bad_minima" --paper --data cifar10 --root "${CIFAR10:?names the folder of CIFAR-10}" \
        --model resnet18 --device cuda --budget 8m --out "$out/cifar10"
      ;;
    all) for each in tests variants networks peers cifar10; do run "$each"; done ;;
    *) echo "there is no step $1" >&2 && exit 2 ;;
  esac
}

run "$step"
# Weights stay where they are: the archive is what is looked at afterwards.
[ "$step" = build ] || tar -C "$out" --exclude=cuda.tar.gz --exclude=checkpoints -czf "$out/cuda.tar.gz" .
[ -z "$failed" ] || { echo "failed:$failed" >&2; exit 1; }
