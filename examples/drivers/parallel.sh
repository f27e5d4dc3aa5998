#!/bin/sh
# All units of a program by GNU parallel: a process for each, as many at a time as there are processors; by
# PARALLEL="--sshloginfile HOSTS --workdir ." on several machines that share the folder.
#
#     sh parallel.sh PROGRAM [OPTION...]
#
# A unit that is done ends at once, so the same command goes on after a fall. A unit that fails has three tries; one that
# parallel stops has half a minute to be saved.
set -eu

units=$("$@" --list)
printf '%s\n' "$units" | parallel --quote --retries 3 --termseq TERM,30000,KILL "$@" --quiet --threads 1 --unit > /dev/null
"$@" --collect
