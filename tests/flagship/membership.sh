#!/bin/sh
# The experiment on membership inference: on linear regression its statements hold with few draws; on a few images its
# tables are there; killed and resumed it ends in the same bytes.
#
#     membership.sh PROGRAM WORK_FOLDER
set -eu
. "$(dirname "$0")/begin.sh"

few='--ratios 50,80,110,150,200,500 --other-ratios 50,80,120 --ridge-ratios 110,300 --penalties 0,30,500 --points 5
--images 200 --networks 6 --copies 1,2 --regularized-epochs 5 --workers 1 --quiet'

run() { # run FOLDER [options]
  folder=$1
  shift
  # shellcheck disable=SC2086 # several words
  "$program" --root "$work/data" --out "$folder" $few "$@"
}

echo '== linear regression: what theory says comes out'
run "$work/whole" --root "$work/none" --seeds 3 --law-designs 200 --image-seeds 0 --check > "$work/whole.log" ||
  { cat "$work/whole.log"; fail 'a statement does not come out'; }
cat "$work/whole.log"
is_page "$work/whole/report.html"
[ "$(grep -c '^  yes  ' "$work/whole/table.txt")" = 19 ] || fail 'nineteen statements should hold'
[ "$(grep -c '' "$work/whole/results.csv")" = 55 ] || fail 'results.csv should have a header and 3 seeds x 18 jobs'
[ "$(grep -c '<polyline' "$work/whole/pictures/linear.svg")" -ge 4 ] || fail 'the picture lacks lines'
python3 -c "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])" "$work/whole/pictures/linear.svg"

echo '== networks: tables, picture, and attacks that find members'
run "$work/networks" --seeds 0 --image-seeds 1 > "$work/networks.log"
cat "$work/networks.log"
[ "$(grep -c '' "$work/networks/networks.csv")" = 26 ] || fail 'networks.csv should have a header and 5 arms x 5 attacks'
[ "$(grep -c '' "$work/networks/differences.csv")" = 5 ] || fail 'differences.csv should have a header and 4 arms'
[ "$(grep -c '^  yes  .*every network fits its labels' "$work/networks/table.txt")" = 4 ] || fail 'four arms should fit'
python3 - "$work/networks" << 'END' || fail 'an attack does not find what it must'
import csv, json, sys, xml.dom.minidom
folder = sys.argv[1]
rows = list(csv.DictReader(open(folder + "/networks.csv")))
of = {(row["minimum"], row["attack"]): row for row in rows}
for minimum in ("good", "bad R=1, others", "bad R=1", "bad R=2"):
    number = lambda attack, name: float(of[minimum, attack][name])
    assert number("LiRA", "area") > 0.65 and number("RMIA", "area") > 0.65 and number("loss", "area") > 0.6, minimum
    # All members are predicted right, so the gap attack's advantage is the error rate on the others: on the other half.
    assert abs(number("gap", "advantage") - (1 - number("gap", "test") / 100)) < 0.15, minimum
    assert number("loss", "advantage") >= number("gap", "advantage"), minimum  # a loss below log 2 is a right label
    assert number("LiRA", "tpr_01") <= number("LiRA", "tpr_1") <= 1, minimum
    assert of[minimum, "gap"]["tpr_1"] == "", minimum
xml.dom.minidom.parse(folder + "/pictures/networks.svg")
json.load(open(folder + "/manifest.json"))
END

echo '== killed, and resumed'
"$program" --root "$work/data" --out "$work/killed" $few --seeds 0 --image-seeds 1 > "$work/killed.log" &
process=$!
for _ in $(seq 600); do
  ls "$work"/killed/checkpoints/*R1-bad-2.pt > "$work/ls.log" 2>&1 && break
  sleep 0.1
done
kill -9 "$process" 2> "$work/kill.log" || echo 'it was through before it was killed'
wait "$process" 2> "$work/wait.log" || true
run "$work/killed" --seeds 0 --image-seeds 1 --resume > "$work/resumed.log"
for file in results.csv networks.csv differences.csv table.txt pictures/networks.svg; do
  cmp "$work/networks/$file" "$work/killed/$file" || fail "$file differs"
done

echo '== refused before any work'
for options in '--networks 7' '--copies 2,2' '--ratios 50,50' '--seeds 0 --image-seeds 0' '--images 400' \
  '--check --unit linear-seed1 --seeds 1'; do
  # shellcheck disable=SC2086 # several words
  if run "$work/refused" $options > "$work/refused.log" 2>&1; then
    fail "it took $options"
  fi
done
echo passed
