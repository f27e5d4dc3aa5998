#!/bin/sh
# Benign overfitting, of few seeds and settings: the paper's statements come out; killed and resumed it ends in the same
# bytes.
#
#     benign_overfitting.sh PROGRAM WORK_FOLDER
. "$(dirname "$0")/../support/work_folder.sh"

few='--seeds 4 --lazy-seeds 2 --starts 0,200 --ratios 20,80,200 --sizes 50,100,200 --tails 400,4000 --widths 32,128,512
--workers 1 --quiet'

run() { # run FOLDER [options]
  folder=$1
  shift
  "$program" --out "$folder" $few "$@"
}

echo '== a whole run, with its check'
run "$work/whole" --check > "$work/whole.log" || { cat "$work/whole.log"; fail 'a statement does not come out'; }
cat "$work/whole.log"
# A header; 4 seeds of 2 starts, 3 ratios, 2 x 3 sizes, 2 tails; 2 seeds of 3 networks, trained and measured.
is_page "$work/whole/report.html"
[ "$(grep -c '' "$work/whole/results.csv")" = 65 ] || fail 'results.csv has another number of jobs'
[ "$(grep -c '^  yes' "$work/whole/table.txt")" = 24 ] || fail 'the table lacks a statement'
[ "$(grep -c '<polyline' "$work/whole/pictures/benign-overfitting.svg")" -ge 12 ] || fail 'the picture lacks lines'
python3 -c "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])" "$work/whole/pictures/benign-overfitting.svg"

echo '== killed, and resumed'
"$program" --out "$work/killed" $few > "$work/killed.log" &
process=$!
for _ in $(seq 600); do
  [ -e "$work/killed/checkpoints" ] && break
  sleep 0.1
done
kill -9 "$process" 2> "$work/kill.log" || echo 'it was through before it was killed'
wait "$process" 2> "$work/wait.log" || true
run "$work/killed" --resume > "$work/resumed.log"
for file in results.csv table.txt pictures/benign-overfitting.svg; do
  cmp "$work/whole/$file" "$work/killed/$file" || fail "$file differs"
done

echo '== refused before any work'
if run "$work/refused" --ratios 50,100 > "$work/refused.log" 2>&1; then
  fail 'it took as many features as samples'
fi
grep -q -- '--ratios must not be within 1 of 100' "$work/refused.log" || fail 'it does not say what is wrong'
[ ! -e "$work/refused" ] || fail 'a refused run left a folder'
echo passed
