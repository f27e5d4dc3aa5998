#!/bin/sh
# Fuzzes every reader and the checkpoint, so many inputs in all, and keeps what reached something new in corpus/.
#
#     sh tests/fuzz/run.sh 10000000 [target...]
#
# Needs a Clang with libFuzzer: Debian 12's packages clang-19 and libclang-rt-19-dev; CXX names another. On one core.
# Builds in build/fuzz; inputs that crash are left in build/fuzz/crashes, and make it fail. SEED (1) is libFuzzer's.
set -eu
cd "$(dirname "$0")/../.."
total=${1:?usage: sh tests/fuzz/run.sh TOTAL [target...]}
shift
corpus=tests/fuzz/corpus
build=build/fuzz
seed=${SEED:-1}

if [ -z "${CXX:-}" ]; then
  for version in 21 20 19 18 17 16; do
    CXX=$(command -v "clang++-$version") && break
  done
fi
if [ -z "$CXX" ]; then
  echo "No Clang here: apt-get install clang-19 libclang-rt-19-dev" >&2
  exit 1
fi

cmake -S . -B $build -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_COMPILER="$CXX" -DREGIMEN_FUZZ=ON \
  -DREGIMEN_BUILD_EXAMPLES=OFF > $build.log 2>&1 || { cat $build.log && exit 1; }
cmake --build $build --target fuzzer --parallel 1

# LibTorch keeps what it makes at its start, and its vectors are not annotated as ours are. The others are for speed.
export ASAN_OPTIONS=detect_leaks=0:detect_container_overflow=0
ASAN_OPTIONS=$ASAN_OPTIONS:quarantine_size_mb=1:thread_local_quarantine_size_kb=64
ASAN_OPTIONS=$ASAN_OPTIONS:detect_stack_use_after_return=0:malloc_context_size=4
export UBSAN_OPTIONS=print_stacktrace=1
export OMP_NUM_THREADS=1

# Target, percent of the inputs, most bytes of one. What goes through LibTorch's archives takes a millisecond.
plan='idx 36 2048
cifar 18 9300
mapped 25 9300
checkpoint 20 12288
state 1 512'

summary=$build/summary.txt
printf '%-12s %10s %10s %8s %8s\n' target inputs inputs/s seconds crashes > $summary
crashed=0
all=0
mkdir -p $build/crashes
while read -r target percent most; do
  case " ${*:-$target} " in *" $target "*) ;; *) continue ;; esac
  found=$build/found/$target
  rm -rf "$found"
  mkdir -p "$found"
  crashes=0
  # The time limit counts while the program is stopped, too, so a short one finds hangs that are none.
  begin=$(date +%s)
  FUZZ_TARGET=$target $build/tests/fuzz/fuzzer "$found" $corpus/"$target" -runs=$((total * percent / 100)) \
    -max_len="$most" -seed="$seed" -timeout=1200 -print_final_stats=1 \
    -artifact_prefix=$build/crashes/"$target"- > "$build/$target.log" 2>&1 < /dev/null || crashes=1
  seconds=$(($(date +%s) - begin + 1))
  inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$target.log")
  printf '%-12s %10d %10d %8d %8d\n' "$target" "${inputs:-0}" $((${inputs:-0} / seconds)) $seconds $crashes >> $summary
  all=$((all + ${inputs:-0}))
  crashed=$((crashed + crashes))
  # What is there stays; of what was found, as little as reaches all that is new.
  FUZZ_TARGET=$target $build/tests/fuzz/fuzzer -merge=1 -use_counters=0 -max_len="$most" $corpus/"$target" "$found" \
    >> "$build/$target.log" 2>&1 || echo "$target: could not be merged, see $build/$target.log"
done << PLAN
$plan
PLAN
printf '%-12s %10d\n' all $all >> $summary
cat $summary
[ $crashed = 0 ]
