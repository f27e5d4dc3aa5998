#!/bin/sh
# The experiment on wrong labels on a few images: table, picture and numbers are there; its units side by side in
# processes, interrupted or alone, end in the same bytes as in one process.
#
#     corruption.sh PROGRAM WORK_FOLDER
set -eu
. "$(dirname "$0")/begin.sh"

run() { # run FOLDER [options]
  folder=$1
  shift
  "$program" --root "$work/data" --out "$folder" --seeds 2 --images 100 --epochs 6 --batch 20 --wrong 0,40 "$@"
}

echo '== a whole run, in one process'
run "$work/whole" --workers 1 --quiet > "$work/whole.log"
cat "$work/whole.log"
is_page "$work/whole/report.html"
grep -q 'What is forgotten most often' "$work/whole/report.html" || fail 'the page lacks the forgotten images'
[ "$(grep -o '<g' "$work/whole/pictures/forgotten.svg" | grep -c '')" = 20 ] || fail 'twenty forgotten images should be drawn'
[ "$(grep -c '' "$work/whole/results.csv")" = 13 ] || fail 'results.csv should have a header and 2 seeds x 3 kinds of labels x 2 networks'
[ "$(grep -Ec '^(none +(early|whole) +0|(uniform|pair) +(early|whole) +40) ' "$work/whole/table.txt")" = 6 ] || fail 'the table lacks rows'
[ "$(grep -c '<polyline' "$work/whole/corruption.svg")" = 8 ] || fail 'the picture lacks lines, or the legend'
python3 -c "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])" "$work/whole/corruption.svg"
python3 -m json.tool "$work/whole/manifest.json" > "$work/manifest.txt" || fail 'manifest.json is not JSON'
for word in '"UniformLabels"' '"PairFlip"' '"Patience"' '"exact_share": 0.4'; do
  grep -q "$word" "$work/manifest.txt" || fail "the manifest does not say $word"
done
awk -F, '$3 == 0 && $7 != "" { exit 1 } $3 == 40 && $7 == "" { exit 1 }' "$work/whole/results.csv" ||
  fail 'labels are recovered where some are wrong, and only there'

same() { # same FOLDER: every number of the whole run
  for file in results.csv table.txt corruption.svg pictures/forgotten.svg; do
    cmp "$work/whole/$file" "$1/$file" || fail "$file differs"
  done
}

echo '== side by side, interrupted and resumed'
"$program" --root "$work/data" --out "$work/parts" --seeds 2 --images 100 --epochs 6 --batch 20 --wrong 0,40 --workers 2 --quiet \
  > "$work/interrupted.log" 2>&1 &
victim=$!
for _ in $(seq 600); do
  [ -e "$work/parts/checkpoints" ] && break
  sleep 0.1
done
kill -TERM "$victim"
status=0
wait "$victim" || status=$?
[ "$status" = 130 ] || fail "SIGTERM should end it with 130, not $status"
run "$work/parts" --workers 2 --resume > "$work/resumed.log"
grep -Eq 'units( of 4 are left,)? that need nothing of each other' "$work/resumed.log" || fail 'it does not say what is left'
same "$work/parts"

echo '== unit by unit'
run "$work/units" --list > "$work/units.txt"
[ "$(grep -c '' "$work/units.txt")" = 4 ] || fail '--list should name four units'
while read -r unit; do
  run "$work/units" --unit "$unit" --quiet > "$work/unit.log" < /dev/null
done < "$work/units.txt"
run "$work/units" --collect > "$work/collect.log"
same "$work/units"

echo '== other settings are refused, and say which'
if run "$work/units" --resume --rate 0.1 > "$work/other.log" 2>&1; then
  fail 'it resumed with other settings'
fi
grep -q '^  rate: 0.05 there, 0.1 now' "$work/other.log" || fail 'it does not say which'

echo '== refused before any work'
for options in '--wrong 0,40,40' '--pack 2' '--unit nobody'; do
  # shellcheck disable=SC2086 # several words
  if run "$work/refused" $options > "$work/refused.log" 2>&1; then
    fail "it took $options"
  fi
done
[ ! -e "$work/refused" ] || fail 'a refused run left a folder'
echo passed
