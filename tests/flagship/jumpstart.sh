#!/bin/sh
# Jumpstart, of few seeds: the statements of two moons come out; networks on a few images have their table; killed and
# resumed it ends in the same bytes.
#
#     jumpstart.sh PROGRAM WORK_FOLDER
set -eu
. "$(dirname "$0")/begin.sh"

few='--workers 1 --quiet --images 100 --image-depth 4 --image-epochs 3'

run() { # run FOLDER [options]
  folder=$1
  shift
  # shellcheck disable=SC2086 # several words
  "$program" --root "$work/data" --out "$folder" $few "$@"
}

echo '== two moons: the statements come out'
run "$work/whole" --root "$work/none" --seeds 8 --depths 10,50 --epochs 400 --image-seeds 0 --check \
  > "$work/whole.log" || { cat "$work/whole.log"; fail 'a statement does not come out'; }
cat "$work/whole.log"
# A header; 12 cells with a training and 8 seeds; ten tenths of 6 networks.
is_page "$work/whole/report.html"
[ "$(grep -c '' "$work/whole/results.csv")" = 169 ] || fail 'results.csv has another number of jobs'
python3 - "$work/whole" << 'END' || fail 'a number is not what it must be'
import csv, sys, xml.dom.minidom
folder = sys.argv[1]
rows = list(csv.DictReader(open(folder + "/results.csv")))
seeds = [row for row in rows if row["part"] == "moons"]
assert len(seeds) == 96
for row in seeds:
    number = lambda name: float(row[name])
    for when in ("before", "after"):  # every unit is of one kind
        assert abs(sum(number(kind + "_" + when) for kind in ("dead", "affine", "separating")) - 1) < 1e-3, row
    assert number("end") <= number("best") <= 1
    assert (row["reached"][0] == "1") == (number("best") >= 0.95), row
# All arms of a shape begin with the same units, but BatchNorm, which leaves few of them dead.
for depth in ("10", "50"):
    before = {tuple(row["dead_before"] for row in seeds if (row["depth"], row["arm"]) == (depth, arm))
              for arm in ("relu", "norm", "balanced", "units", "points")}
    assert len(before) == 1, before
    normalized = [float(row["dead_before"]) for row in seeds if (row["depth"], row["arm"]) == (depth, "batch-norm")]
    assert max(normalized) < 0.1, normalized
xml.dom.minidom.parse(folder + "/pictures/jumpstart.svg")
END

echo '== a grid, and images'
run "$work/grid" --seeds 2 --widths 2,3 --depths 3,5 --arms relu,balanced --epochs 40 --image-seeds 2 > "$work/grid.log"
cat "$work/grid.log"
[ "$(grep -c '' "$work/grid/moons.csv")" = 9 ] || fail 'moons.csv should have a header and 2 x 2 x 2 cells'
[ "$(grep -c '' "$work/grid/images.csv")" = 4 ] || fail 'images.csv should have a header and 3 networks'
[ "$(grep -c '<polyline' "$work/grid/pictures/jumpstart.svg")" -ge 6 ] || fail 'the picture lacks lines'
python3 -c "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])" "$work/grid/pictures/grid.svg"

echo '== killed, and resumed'
"$program" --root "$work/data" --out "$work/killed" $few --seeds 2 --widths 2,3 --depths 3,5 --arms relu,balanced \
  --epochs 40 --image-seeds 2 > "$work/killed.log" &
process=$!
for _ in $(seq 600); do
  ls "$work"/killed/checkpoints/images-seed1-balanced-train.pt > "$work/ls.log" 2>&1 && break
  sleep 0.1
done
kill -9 "$process" 2> "$work/kill.log" || echo 'it was through before it was killed'
wait "$process" 2> "$work/wait.log" || true
run "$work/killed" --seeds 2 --widths 2,3 --depths 3,5 --arms relu,balanced --epochs 40 --image-seeds 2 --resume \
  > "$work/resumed.log"
for file in results.csv moons.csv images.csv table.txt pictures/jumpstart.svg pictures/grid.svg; do
  cmp "$work/grid/$file" "$work/killed/$file" || fail "$file differs"
done

echo '== refused before any work'
for options in '--seeds 0 --image-seeds 0' '--widths 4,4' '--depths 0' '--arms dropout'; do
  # shellcheck disable=SC2086 # several words
  if run "$work/refused" $options > "$work/refused.log" 2>&1; then
    fail "it took $options"
  fi
done
[ ! -e "$work/refused" ] || fail 'a refused run left a folder'
echo passed
