#!/bin/sh
# All units of a program by HyperQueue, whose server and workers run already (hq server start, hq alloc add).
#
#     sh hyperqueue.sh PROGRAM [OPTION...]
#
# Each task has one item of the list in HQ_ENTRY. What failed has another try by the same command: a unit that is done
# ends at once.
set -eu
list=$(mktemp)
trap 'rm -f "$list"' EXIT

"$@" --list json > "$list"
hq submit --wait --cpus 1 --from-json "$list" --stdout none -- "$@" --quiet --threads 1 --unit @HQ_ENTRY
"$@" --collect
