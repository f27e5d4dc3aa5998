# Sourced, with PROGRAM and WORK_FOLDER as $1 and $2: an empty work folder with a few images in its data/, and `fail`.
set -eu
program=$1
work=$2
here=$(dirname "$0")
images=/usr/share/datasets/fashion-mnist

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

rm -rf "$work"
mkdir -p "$work"
[ -d "$images" ] || { echo "SKIPPED: $images is not there"; exit 77; }
python3 "$here/small_data.py" "$images" "$work/data"
