# Sourced, with PROGRAM and WORK_FOLDER as $1 and $2: an empty work folder with a few images in its data/, `fail` and `is_page`.
set -eu
program=$1
work=$2
here=$(dirname "$0")
images=/usr/share/datasets/fashion-mnist

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

is_page() { # is_page FILE: a whole report, not too large
  [ "$(tail -n 1 "$1")" = '</html>' ] && [ "$(wc -c < "$1")" -le 300000 ] || fail "$1 is no whole page"
}

rm -rf "$work"
mkdir -p "$work"
[ -d "$images" ] || { echo "SKIPPED: $images is not there"; exit 77; }
python3 "$here/small_data.py" "$images" "$work/data"
