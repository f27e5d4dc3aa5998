# Sourced, with PROGRAM and WORK_FOLDER as $1 and $2: what support/work_folder.sh has, and a few images in the folder's data/.
. "$(dirname "$0")/../support/work_folder.sh"
here=$(dirname "$0")
images=/usr/share/datasets/fashion-mnist

[ -d "$images" ] || { echo "SKIPPED: $images is not there"; exit 77; }
python3 "$here/small_data.py" "$images" "$work/data"
