#!/bin/sh
# The flagship end to end on a few images: its files are there and hold what they should; killed again and again and
# resumed, it ends in the same bytes.
#
#     flagship.sh PROGRAM WORK_FOLDER
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
python3 "$here/reduce_data.py" "$images" "$work/data"

become() { # become FOLDER [options]: the program takes the place of this shell, so that a kill meets it
  folder=$1
  shift
  exec "$program" --root "$work/data" --out "$folder" --seeds 2 --images 128 --copies 2 --batch 16 --memorize-epochs 14 \
    --vanilla-epochs 6 --escape-epochs 4 --threads 1 --precision fp32 --quiet "$@"
}

run() (
  become "$@"
)

echo '== a whole run'
run "$work/whole" > "$work/whole.log"
cat "$work/whole.log"
for file in results.csv summary.csv epochs.csv manifest.json settings.json table.txt; do
  [ -s "$work/whole/$file" ] || fail "$file is missing or empty"
done
[ "$(grep -c '' "$work/whole/results.csv")" = 9 ] || fail 'results.csv should have a header and 2 seeds x 2 starts x 2 sets'
[ "$(grep -c '' "$work/whole/summary.csv")" = 3 ] || fail 'summary.csv should have a header and two sets'
awk -F, 'NR == 1 { columns = NF } NF != columns { exit 1 }' "$work/whole/epochs.csv" || fail 'epochs.csv is ragged'
python3 -m json.tool "$work/whole/manifest.json" > "$work/manifest.txt" || fail 'manifest.json is not JSON'
for word in '"ZeroPixels"' '"UniformLabels"' '"realised_noise": 0.' '"torch::optim::SGD"' '"weight_decay": 0.001' \
  '"RandomCrop"' '"libtorch"' '"threads": 1' '"precision": "fp32"'; do
  grep -q "$word" "$work/manifest.txt" || fail "the manifest does not say $word"
done
if command -v gnuplot > /dev/null; then
  for picture in curves holes confusion-set; do
    [ -s "$work/whole/pictures/$picture.png" ] || fail "no picture $picture.png"
  done
fi

echo '== without gnuplot it succeeds and says how to get the pictures'
mkdir "$work/bin"
for tool in sh env; do ln -s "$(command -v $tool)" "$work/bin/$tool"; done
PATH="$work/bin" "$program" --root "$work/data" --out "$work/plain" --seeds 1 --images 16 --copies 1 --memorize-epochs 1 \
  --vanilla-epochs 1 --escape-epochs 1 --threads 1 --precision fp32 --quiet > "$work/plain.log"
grep -q 'gnuplot is not installed' "$work/plain.log" || fail 'it does not say that gnuplot is missing'
grep -q 'The random labels were not fitted' "$work/plain.log" || fail 'it reports a hole without fitted random labels'

echo '== killed and resumed'
for pause in 0.9 1.3 1.7 2.3 1.1 2.9; do
  become "$work/killed" --resume > "$work/killed.log" 2>&1 &
  victim=$!
  sleep "$pause"
  kill -9 "$victim" 2> /dev/null || true
  wait "$victim" 2> /dev/null || true
  for log in "$work"/killed/epochs/*.csv; do
    [ -e "$log" ] || continue
    [ -z "$(tail -c 1 "$log" | tr -d '\n')" ] || fail "$log ends within a line"
  done
done
run "$work/killed" --resume > "$work/killed.log"
for file in results.csv summary.csv epochs.csv table.txt; do
  cmp "$work/whole/$file" "$work/killed/$file" || fail "$file differs after six kills"
done
for log in "$work"/whole/epochs/*.csv; do
  cmp "$log" "$work/killed/epochs/$(basename "$log")" || fail "$log differs after six kills"
done

echo '== other settings are refused'
if run "$work/killed" --resume --momentum 0.8 > "$work/other.log" 2>&1; then
  fail 'it resumed with other settings'
fi
grep -q 'other settings' "$work/other.log" || fail 'it does not say why it refuses'
echo passed
