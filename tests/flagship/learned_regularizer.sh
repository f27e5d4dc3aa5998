#!/bin/sh
# Learned regularizers, trained for few steps: at the fixed point they restore better than as denoisers, of images and
# of signals, and the objective never rises; killed and resumed it ends in the same bytes.
#
#     learned_regularizer.sh PROGRAM WORK_FOLDER
set -eu
. "$(dirname "$0")/begin.sh"

few='--workers 1 --quiet --seeds 1 --side 14 --denoiser-steps 60 --fixed-point-steps 20 --channels 4 --test 8
--signal-seeds 1 --signal-denoiser-steps 100 --signal-steps 40 --signal-channels 4 --signal-rates 0.002,0.02'

run() { # run FOLDER [options]
  folder=$1
  shift
  # shellcheck disable=SC2086 # several words
  "$program" --root "$work/data" --out "$folder" $few "$@"
}

echo '== a whole run'
run "$work/whole" > "$work/whole.log"
cat "$work/whole.log"
# A header; 8 jobs of images, and of signals 2 and 2 a rate.
is_page "$work/whole/report.html"
[ "$(grep -c '' "$work/whole/results.csv")" = 15 ] || fail 'results.csv has another number of jobs'
python3 - "$work/whole" << 'END' || fail 'a number is not what it must be'
import csv, sys, xml.dom.minidom
folder = sys.argv[1]
images = list(csv.DictReader(open(folder + "/images.csv")))
assert [row["seed"] for row in images] == ["1", "mean"]
psnr = {name: float(value) for name, value in images[0].items() if name != "seed"}
assert psnr["given"] < psnr["tikhonov"] < psnr["tv"], psnr
assert psnr["fixed_point"] > psnr["denoiser"] + 0.2, psnr
for row in csv.DictReader(open(folder + "/solvers.csv")):
    assert row["rise"] == "" or float(row["rise"]) < 5e-6, row  # rounding
signals = {row["regularizer"]: row for row in csv.DictReader(open(folder + "/signals.csv"))}
assert float(signals["total variation"]["psnr"]) > float(signals["Tikhonov"]["psnr"])
assert float(signals["fixed point, rate 0.002"]["gain"]) > 0
for name in ("learned-regularizer", "restorations"):
    xml.dom.minidom.parse(folder + "/pictures/" + name + ".svg")
END

echo '== killed, and resumed'
"$program" --root "$work/data" --out "$work/killed" $few > "$work/killed.log" &
process=$!
for _ in $(seq 600); do
  ls "$work"/killed/checkpoints/images-seed1-potential-fixed-point.pt > "$work/ls.log" 2>&1 && break
  sleep 0.1
done
kill -9 "$process" 2> "$work/kill.log" || echo 'it was through before it was killed'
wait "$process" 2> "$work/wait.log" || true
run "$work/killed" --resume > "$work/resumed.log"
for file in results.csv images.csv signals.csv solvers.csv table.txt pictures/learned-regularizer.svg \
  pictures/restorations.svg; do
  cmp "$work/whole/$file" "$work/killed/$file" || fail "$file differs"
done

echo '== a training that diverges is an outcome'
run "$work/diverged" --seeds 0 --signal-seeds 1 --signal-rates 1000 --check > "$work/diverged.log" 2>&1 &&
  fail '--check passes though a training diverged'
grep -q '^  NO   1 trainings diverged' "$work/diverged/table.txt" || { cat "$work/diverged.log"; fail 'no word of it'; }

echo '== refused before any work'
for options in '--seeds 0 --signal-seeds 0' '--signal-rates 0.1,0.1' '--device cuda' '--missing 1'; do
  # shellcheck disable=SC2086 # several words
  if run "$work/refused" $options > "$work/refused.log" 2>&1; then
    fail "it took $options"
  fi
done
[ ! -e "$work/refused" ] || fail 'a refused run left a folder'
echo passed
