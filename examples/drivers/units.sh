#!/bin/sh
# All units of a program by xargs: a process for each, as many at a time as there are processors.
#
#     sh units.sh PROGRAM [OPTION...]
#
# A unit that is done ends at once, so the same command goes on after a fall. A unit that fails has three tries.
set -eu

try() {
  units=$("$@" --list)
  # xargs would end at once if a process were killed, so a shell between them makes an ordinary failure of it.
  printf '%s\n' "$units" | xargs -P "$(nproc)" -I '{}' sh -c '"$@" || exit 1' unit "$@" --quiet --threads 1 --unit '{}' > /dev/null
}

try "$@" || try "$@" || try "$@"
"$@" --collect
