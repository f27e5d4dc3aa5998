# Sourced, with PROGRAM and WORK_FOLDER as $1 and $2: an empty work folder, `fail`, `is_page` and `wait_for`.
set -eu
program=$1
work=$2

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

is_page() { # is_page FILE: a whole report, not too large
  [ "$(tail -n 1 "$1")" = '</html>' ] && [ "$(wc -c < "$1")" -le 300000 ] || fail "$1 is no whole page"
}

wait_for() { # wait_for SHELL_CONDITION
  tenths=0
  until eval "$1"; do
    tenths=$((tenths + 1))
    [ "$tenths" -lt 600 ] || fail "a minute, and not yet: $1"
    sleep 0.1
  done
}

rm -rf "$work"
mkdir -p "$work"
