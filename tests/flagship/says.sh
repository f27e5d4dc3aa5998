#!/bin/sh
# Whether a program succeeds and its output has a line that matches. CTest's PASS_REGULAR_EXPRESSION alone would pass a
# program that crashes after that line.
#
#     says.sh REGULAR_EXPRESSION PROGRAM [arguments]
set -u
wanted=$1
shift
output=$("$@" 2>&1)
status=$?
printf '%s\n' "$output"
if [ "$status" -ne 0 ]; then
  echo "FAILED: status $status" >&2
  exit 1
fi
printf '%s\n' "$output" | grep -Eq -- "$wanted" || {
  echo "FAILED: no line matches $wanted" >&2
  exit 1
}
