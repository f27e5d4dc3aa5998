#!/bin/sh
# The experiment on early stopping: on clusters its statements hold with two seeds; on a few images its tables are there;
# killed and resumed it ends in the same bytes.
#
#     early_stopping.sh PROGRAM WORK_FOLDER
set -eu
. "$(dirname "$0")/begin.sh"

run() { # run FOLDER [options]
  folder=$1
  shift
  "$program" --root "$work/data" --out "$folder" --radii 20 --noise 20 --activations softplus,relu --images 200 \
    --epochs 6 --wrong 0,50 --workers 1 --quiet "$@"
}

echo '== clusters: what the paper says comes out'
run "$work/whole" --seeds 2 --image-seeds 0 --check > "$work/whole.log"
cat "$work/whole.log"
is_page "$work/whole/report.html"
[ "$(grep -c '^  yes  ' "$work/whole/table.txt")" = 5 ] || fail 'five statements should hold'
[ "$(grep -c '' "$work/whole/clusters.csv")" = 3 ] || fail 'clusters.csv should have a header and two cells'
[ "$(grep -c '' "$work/whole/results.csv")" = 13 ] || fail 'results.csv should have a header and 2 seeds x 2 cells x 3 jobs'
[ "$(grep -c '<polyline' "$work/whole/pictures/clusters.svg")" -ge 3 ] || fail 'the picture lacks lines'
python3 -c "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])" "$work/whole/pictures/clusters.svg"
python3 -m json.tool "$work/whole/manifest.json" > "$work/manifest.txt" || fail 'manifest.json is not JSON'

echo '== killed within a training and between two, and resumed'
mkdir "$work/before"
for file in results.csv clusters.csv rules.csv jacobian.csv table.txt pictures/clusters.svg; do
  mv "$work/whole/$file" "$work/before/"
done
rm "$work/whole/complete" "$work"/whole/checkpoints/clusters-seed1-radius20-noise20-softplus-end.pt \
  "$work"/whole/checkpoints/clusters-seed2-radius20-noise20-softplus-[fe]*.pt \
  "$work"/whole/checkpoints/clusters-seed2-radius20-noise20-relu-*
run "$work/whole" --seeds 2 --image-seeds 0 --resume > "$work/resumed.log"
for file in results.csv clusters.csv rules.csv jacobian.csv table.txt pictures/clusters.svg; do
  cmp "$work/before/${file#pictures/}" "$work/whole/$file" || fail "$file differs"
done

echo '== images: tables, picture, and a check that fails says so'
if run "$work/images" --seeds 0 --image-seeds 2 --check > "$work/images.log" 2> "$work/images.err"; then
  fail 'six epochs cannot memorize half of the labels'
fi
grep -q 'statements do not hold' "$work/images.err" || fail 'it does not say that a statement fails'
[ "$(grep -c '' "$work/images/images.csv")" = 3 ] || fail 'images.csv should have a header and two shares of wrong labels'
[ "$(grep -c '' "$work/images/image-rules.csv")" = 6 ] || fail 'image-rules.csv should have a header and 2 + 2 + 1 rules'
python3 -c "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])" "$work/images/pictures/images.svg"

echo '== refused before any work'
for options in '--noise 20,20 --seeds 1' '--noise 4' '--check --unit clusters-seed1 --seeds 1' '--seeds 0 --image-seeds 0'; do
  # shellcheck disable=SC2086 # several words
  if run "$work/refused" $options > "$work/refused.log" 2>&1; then
    fail "it took $options"
  fi
done
[ ! -e "$work/refused" ] || fail 'a refused run left a folder'
echo passed
