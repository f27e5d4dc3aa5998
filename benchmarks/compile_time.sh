#!/bin/sh
# What each public header costs to compile, in user seconds and as a ratio to LibTorch's own torch/nn/module.h.
#
#     sh benchmarks/compile_time.sh [runs] [names]        medians of so many runs (3) of g++ -O0 -fsyntax-only, in turn
#
# names: a pattern of file names, 'regimen.hpp' for the umbrella alone; 'rooms' for it and the sign of each room, two
# minutes a run; all headers take five.
#
# includes-alone: what regimen.hpp takes from LibTorch and the standard library, without a line of its own.
#
# A LibTorch of your own: set TORCH_INCLUDE to its two include folders, as -isystem options.
set -eu
cd "$(dirname "$0")/.."
runs=${1:-3}
names=${2:-*.hpp}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags="-std=c++20 -O0 -fsyntax-only -Iinclude -I$work ${TORCH_INCLUDE:--isystem /usr/include/torch/csrc/api/include}"

if [ "$names" = rooms ]; then
  headers="regimen/regimen.hpp $(cd include && for room in regimen/*/; do echo "${room%/}.hpp"; done)"
else
  headers="$(cd include && find regimen -name "$names" -not -path '*/detail/*' | sort)"
fi
# The headers that regimen.hpp includes by <>, directly or through its own, but for CUDA's, in one file without any code.
echo '#include <regimen/regimen.hpp>' > "$work/one.cpp"
# shellcheck disable=SC2086 # the flags are several words
${CXX:-g++} $flags -M "$work/one.cpp" | tr ' ' '\n' | grep '^include/regimen/' | xargs grep -hE '^ *#include <' |
  sed -E 's/^ *#include (<[^>]+>).*/\1/' | grep -v cuda | sort -u |
  sed -E 's/.*/#if __has_include(&)\n#include &\n#endif/' > "$work/includes-alone"

for i in $(seq "$runs"); do
  for header in torch/nn/module.h includes-alone $headers; do
    echo "#include <$header>" > "$work/one.cpp"
    # shellcheck disable=SC2086 # the flags are several words
    seconds=$( { bash -c "TIMEFORMAT=%U; time ${CXX:-g++} $flags $work/one.cpp"; } 2>&1 | tail -n 1)
    echo "$header $seconds" >> "$work/times"
  done
done

# The ratio is the median of the runs' own ratios: a processor's speed drifts by more than what is measured.
awk '$1 == "torch/nn/module.h" { base = $2 }
  { times[$1] = times[$1] " " $2; ratios[$1] = ratios[$1] " " $2 / base }
  function median(text,    n, i, j, t, v) {
    n = split(text, v, " ")
    for (i = 1; i < n; i++) for (j = i + 1; j <= n; j++) if (v[j] + 0 < v[i] + 0) { t = v[i]; v[i] = v[j]; v[j] = t }
    return v[int((n + 1) / 2)]
  }
  END {
    for (header in times) printf "%-48s %6.2f s  %5.2f\n", header, median(times[header]), median(ratios[header])
  }' "$work/times" | sort -k2 -n -r
