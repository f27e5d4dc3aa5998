#!/bin/sh
# The experiment on membership inference: on linear regression its statements hold with few draws; on a few images its
# tables are there; killed and resumed it ends in the same bytes.
#
#     membership.sh PROGRAM WORK_FOLDER
set -eu
. "$(dirname "$0")/begin.sh"

run() { # run FOLDER [options]
  folder=$1
  shift
  "$program" --root "$work/data" --out "$folder" --ratios 50,80,110,150,200,500 --other-ratios 50,80,120 \
    --ridge-ratios 110,300 --penalties 0,30,500 --points 5 --images 200 --networks 4 --copies 1,2 \
    --regularized-epochs 5 --workers 1 --quiet "$@"
}

echo '== linear regression: what theory says comes out'
run "$work/whole" --seeds 3 --law-designs 200 --image-seeds 0 --check > "$work/whole.log" || { cat "$work/whole.log"; fail 'a statement does not come out'; }
cat "$work/whole.log"
[ "$(grep -c '^  yes  ' "$work/whole/table.txt")" = 16 ] || fail 'sixteen statements should hold'
[ "$(grep -c '' "$work/whole/results.csv")" = 55 ] || fail 'results.csv should have a header and 3 seeds x 18 jobs'
[ "$(grep -c '<polyline' "$work/whole/pictures/linear.svg")" -ge 4 ] || fail 'the picture lacks lines'
python3 -c "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])" "$work/whole/pictures/linear.svg"

echo '== networks: tables and picture; killed within a training and between two, and resumed'
run "$work/networks" --seeds 0 --image-seeds 1 > "$work/networks.log"
cat "$work/networks.log"
[ "$(grep -c '' "$work/networks/networks.csv")" = 26 ] || fail 'networks.csv should have a header and 5 arms x 5 attacks'
[ "$(grep -c '' "$work/networks/differences.csv")" = 5 ] || fail 'differences.csv should have a header and 4 arms'
python3 -c "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])" "$work/networks/pictures/networks.svg"
python3 -m json.tool "$work/networks/manifest.json" > "$work/manifest.txt" || fail 'manifest.json is not JSON'
mkdir "$work/before"
files='results.csv networks.csv differences.csv table.txt pictures/networks.svg'
for file in $files; do
  mv "$work/networks/$file" "$work/before/"
done
rm "$work/networks/complete" "$work"/networks/checkpoints/networks-seed1-R0-good-[3a]*.pt \
  "$work"/networks/checkpoints/networks-seed1-R2-*
run "$work/networks" --seeds 0 --image-seeds 1 --resume > "$work/resumed.log"
for file in $files; do
  cmp "$work/before/${file#pictures/}" "$work/networks/$file" || fail "$file differs"
done

echo '== refused before any work'
for options in '--networks 5' '--copies 2,2' '--ratios 50,50' '--seeds 0 --image-seeds 0' '--images 400' \
  '--check --unit linear-seed1 --seeds 1'; do
  # shellcheck disable=SC2086 # several words
  if run "$work/refused" $options > "$work/refused.log" 2>&1; then
    fail "it took $options"
  fi
done
echo passed
