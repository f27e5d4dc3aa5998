#!/bin/sh
# The experiment on measures, of a few images: tables, picture and numbers are there; interrupted and resumed it ends in
# the same bytes.
#
#     which_minimum.sh PROGRAM WORK_FOLDER
set -eu
. "$(dirname "$0")/begin.sh"

run() { # run FOLDER [options]
  folder=$1
  shift
  "$program" --root "$work/data" --out "$folder" --images 40 --some 10 --few 5 --draws 2 --side 8 --width 4 \
    --escape-epochs 4 --workers 1 "$@"
}

echo '== a whole run'
run "$work/whole" --rates 100,80 --quiet > "$work/whole.log"
cat "$work/whole.log"
is_page "$work/whole/report.html"
[ "$(grep -c '' "$work/whole/results.csv")" = 9 ] || fail 'results.csv should have a header and 2 rates x 2 starts x 2 arms'
[ "$(grep -c '' "$work/whole/ranking.csv")" = 43 ] || fail 'ranking.csv should have a header, 40 numbers and 2 references'
head -n 1 "$work/whole/rates.csv" | grep -q '^measure,rate_100,rate_80,sign$' || fail 'rates.csv lacks a rate'
for line in '^vanilla: test accuracy' '^all three: test accuracy' '^  in all pairs:' '^  in some pairs:' 'decide nothing' \
  '^The ranking at 80 % of the learning rates agrees'; do
  grep -q "$line" "$work/whole/table.txt" || fail "the tables do not say $line"
done
[ "$(grep -c '' "$work/whole/line.csv")" = 26 ] || fail 'line.csv should have a header and 25 points'
[ "$(grep -c '<polyline' "$work/whole/landscape.svg")" -ge 7 ] || fail 'the picture lacks lines'
python3 -c "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])" "$work/whole/landscape.svg"
python3 -m json.tool "$work/whole/manifest.json" > "$work/manifest.txt" || fail 'manifest.json is not JSON'

echo '== killed before the end of a training, and resumed'
mkdir "$work/before"
for file in results.csv ranking.csv rates.csv table.txt landscape.svg; do
  mv "$work/whole/$file" "$work/before/$file"
done
rm "$work/whole/complete" "$work/whole/scores/seed1-rate100-vanilla-adversarial.csv" "$work/whole/line.csv"
run "$work/whole" --rates 100,80 --resume > "$work/resumed.log"
for file in results.csv ranking.csv rates.csv table.txt landscape.svg; do
  cmp "$work/before/$file" "$work/whole/$file" || fail "$file differs"
done

echo '== refused before any work'
if run "$work/refused" --rates 100,80 --audit > "$work/refused.log" 2>&1; then
  fail 'it took a rate twice'
fi
grep -q -- '--rates must have each number once' "$work/refused.log" || fail 'it does not say what is wrong'
[ ! -e "$work/refused" ] || fail 'a refused run left a folder'
echo passed
