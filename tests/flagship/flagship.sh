#!/bin/sh
# The flagship end to end on a few images: its files are there and hold what they should; with its units side by side in
# processes, interrupted, or killed again and again, and resumed, it ends in the same bytes as in one process.
#
#     flagship.sh PROGRAM WORK_FOLDER [KILLS]        10 kills unless it is told another number
set -eu
. "$(dirname "$0")/begin.sh"
kills=${3:-10}

setsid= # or "setsid": then it is the first of a process group, as a command of a terminal is
become() { # become FOLDER [options]: the program takes the place of this shell, so that a kill meets it
  folder=$1
  shift
  exec $setsid "$program" --root "$work/data" --out "$folder" --seeds 2 --images 128 --copies 2 --batch 16 --memorize-epochs 14 \
    --vanilla-epochs 6 --escape-epochs 4 --workers 2 --quiet "$@"
}

run() (
  become "$@"
)

echo '== a whole run, in one process'
run "$work/whole" --workers 1 > "$work/whole.log"
cat "$work/whole.log"
for file in results.csv summary.csv epochs.csv manifest.json settings.json table.txt; do
  [ -s "$work/whole/$file" ] || fail "$file is missing or empty"
done
is_page "$work/whole/report.html"
[ "$(grep -c '' "$work/whole/results.csv")" = 9 ] || fail 'results.csv should have a header and 2 seeds x 2 starts x 2 sets'
[ "$(grep -c '' "$work/whole/summary.csv")" = 3 ] || fail 'summary.csv should have a header and two sets'
awk -F, 'NR == 1 { columns = NF } NF != columns { exit 1 }' "$work/whole/epochs.csv" || fail 'epochs.csv is ragged'
python3 -m json.tool "$work/whole/manifest.json" > "$work/manifest.txt" || fail 'manifest.json is not JSON'
for word in '"ZeroPixels"' '"UniformLabels"' '"realised_noise": 0.' '"torch::optim::SGD"' '"weight_decay": 0.001' \
  '"RandomCrop"' '"libtorch"' '"threads": 1' '"precision": "fp32"'; do
  grep -q "$word" "$work/manifest.txt" || fail "the manifest does not say $word"
done
for picture in curves holes confusion-set; do
  python3 -c 'import sys, xml.etree.ElementTree as tree; tree.parse(sys.argv[1])' "$work/whole/pictures/$picture.svg" ||
    fail "no picture $picture.svg"
done
[ -s "$work/whole/board/confusion-set.tfevents" ] || fail 'no confusion set for TensorBoard'
grep -q "^Pictures: $work/whole/pictures/\*.svg" "$work/whole.log" || fail 'it does not say where the pictures are'

echo '== what its tables tell is shown again, without training'
run "$work/shown" --from "$work/whole" > "$work/shown.log"
# The curves are those of epochs.csv; accuracies in results.csv have four decimals.
cmp "$work/whole/pictures/curves.svg" "$work/shown/pictures/curves.svg" || fail 'the curves differ'
grep -q '^all three ' "$work/shown/table.txt" || fail 'the table lacks a row'
is_page "$work/shown/report.html"
if run "$work/shown" --from "$work/whole" > "$work/shown.log" 2>&1; then
  fail 'it wrote into a folder that has files'
fi

echo '== a run that fits too little succeeds, says so and needs no other program'
mkdir "$work/bin"
for tool in sh env; do ln -s "$(command -v $tool)" "$work/bin/$tool"; done
PATH="$work/bin" "$program" --root "$work/data" --out "$work/plain" --seeds 1 --images 16 --copies 1 --memorize-epochs 1 \
  --vanilla-epochs 1 --escape-epochs 1 --workers 1 --quiet > "$work/plain.log"
[ -s "$work/plain/pictures/holes.svg" ] || fail 'no pictures without other programs'
grep -q 'The random labels were not fitted' "$work/plain.log" || fail 'it reports a hole without fitted random labels'

echo '== the ablation has all eight sets, and says how it goes on'
"$program" --root "$work/data" --out "$work/ablation" --ablation --seeds 1 --images 16 --copies 1 --memorize-epochs 1 \
  --vanilla-epochs 1 --escape-epochs 1 --workers 1 > "$work/ablation.log" 2> "$work/ablation.err"
[ "$(grep -c '' "$work/ablation/results.csv")" = 17 ] || fail 'results.csv should have a header and 8 sets x 2 starts'
grep -q '^augmentation + momentum ' "$work/ablation/table.txt" || fail 'the table lacks a set'
grep -q '^\[17/17.* epoch 1/1 ' "$work/ablation.err" || fail 'no line an epoch on a pipe'
grep -q '^2 units that need nothing of each other, the longest of .*: one after another about .* here' \
  "$work/ablation.log" || fail 'it does not say beforehand how long it will take'

echo '== a run whose vanilla arms diverge is complete, says so, and reports no hole'
"$program" --root "$work/data" --out "$work/diverged" --seeds 1 --images 64 --copies 1 --batch 16 --memorize-epochs 2 \
  --vanilla-epochs 2 --vanilla-rate 1e9 --escape-epochs 1 --workers 1 --quiet > "$work/diverged.log"
grep -q '^vanilla  *diverged  *diverged ' "$work/diverged.log" || fail 'the row does not say that it diverged'
grep -q '^Diverged: vanilla from the random start with seed 1' "$work/diverged.log" || fail 'it does not name the arm'
! grep -q 'units are complete' "$work/diverged.log" || fail 'diverged units never count as complete'

echo '== a folder whose name means something to a shell has its pictures'
run "$work/it's; touch oops" --seeds 1 --workers 1 --images 16 --memorize-epochs 1 --vanilla-epochs 1 > "$work/name.log"
[ ! -e "$work/it's; touch oops/pictures/oops" ] && [ ! -e oops ] || fail 'it ran the name of its folder'
[ -s "$work/it's; touch oops/pictures/holes.svg" ] || fail 'no pictures in such a folder'

few() { # few FOLDER [options]: the paper's recipe on a few images
  folder=$1
  shift
  "$program" --paper --root "$work/cifar" --out "$folder" --images 32 --batch 16 --threads 1 --quiet "$@"
}

plan() { # plan FOLDER [options]: of two networks, for two epochs
  few "$@" --copies 1,2 --model pooled,densenet40 --memorize-epochs 2 --vanilla-epochs 2 --escape-epochs 2 --score-every 1
}

long() { # long FOLDER [options]: more than anybody waits for
  few "$@" --model pooled --memorize-epochs 3000 --vanilla-epochs 3000 --escape-epochs 3000 --score-every 1000
}

echo '== CIFAR-10 in its binary layout, in bf16'
python3 "$here/small_data.py" --cifar "$work/cifar"
"$program" --data cifar10 --root "$work/cifar" --out "$work/colour" --seeds 1 --images 32 --copies 1 --memorize-epochs 1 \
  --vanilla-epochs 1 --escape-epochs 1 --workers 1 --precision bf16 --quiet > "$work/colour.log"
grep -q '"bf16"' "$work/colour/manifest.json" || fail 'the manifest does not say bf16'
if "$program" --data cifar10 --root "$work/nowhere" --out "$work/colour" --quiet > "$work/colour.log" 2>&1; then
  fail 'it found a CIFAR-10 that is not there'
fi
grep -q 'there is n.*data_batch_1.bin' "$work/colour.log" || fail 'it does not name the missing file'

working() { # working PROCESS...: whether any of them is more than what is left of it until its status is asked for
  for process in "$@"; do
    [ -n "$(tr -d '\0' 2> /dev/null < "/proc/$process/cmdline")" ] && return 0
  done
  return 1
}

workers_of() { # workers_of PROCESS
  cat "/proc/$1/task/$1/children"
}

wait_for_workers() { # wait_for_workers PROCESS: until it has some
  for _ in $(seq 600); do [ -n "$(workers_of "$1")" ] && return; sleep 0.05; done
  fail "$1 has no workers"
}

same_as_whole() { # same_as_whole FOLDER: every number and every weight of the run that was left alone
  for file in results.csv summary.csv epochs.csv table.txt; do
    cmp "$work/whole/$file" "$1/$file" || fail "$file differs"
  done
  for log in "$work"/whole/epochs/*.csv; do
    cmp "$log" "$1/epochs/$(basename "$log")" || fail "$log differs"
  done
  python3 "$here/same_weights.py" "$work/whole/checkpoints" "$1/checkpoints" || fail 'the weights differ'
}

echo '== the plan of several networks, and its units by two processes at once on one folder: the same bytes'
plan "$work/plan" > "$work/plan.log"
grep -q '^6 units that need nothing of each other, the longest of .*: .* at most .* here' "$work/plan.log" ||
  fail 'it does not say beforehand how long it will take'
[ "$(grep -c '' "$work/plan/results.csv")" = 13 ] || fail 'results.csv should have a header and 2 x 3 x 2 arms'
[ "$(grep -c '' "$work/plan/summary.csv")" = 9 ] || fail 'summary.csv should have a header and 2 x 2 x 2 sets'
plan "$work/units" --list > "$work/units.txt"
[ "$(grep -c '' "$work/units.txt")" = 6 ] || fail '--list should name six units'
while read -r one && read -r other; do
  plan "$work/units" --unit "$one" > "$work/one.log" &
  plan "$work/units" --unit "$other" > "$work/other.log"
  wait $! || fail "$one failed"
done < "$work/units.txt"
plan "$work/units" --collect > "$work/collect.log"
for file in results.csv summary.csv epochs.csv table.txt; do
  cmp "$work/plan/$file" "$work/units/$file" || fail "$file of the units differs"
done
mkdir -p "$work/units/locks"
flock "$work/units/locks/process-1-other" sleep 20 &
if plan "$work/units" > "$work/over.log" 2>&1; then
  fail 'it cleared a folder that another process works in'
fi
kill $! 2> /dev/null || true
grep -q 'another run holds' "$work/over.log" || fail 'it does not say that the folder is in use'
[ -e "$work/units/results.csv" ] || fail 'it cleared the folder that it refused'
if plan "$work/units" --unit nobody > "$work/nobody.log" 2>&1; then
  fail 'it trained a unit that is not in the plan'
fi
grep -q 'one of those that --list prints' "$work/nobody.log" || fail 'it does not say which units there are'

one=$(head -n 1 "$work/units.txt")
rm "$work/units/done/$one.done" # a unit that is done needs no lock
flock -o "$work/units/locks/$one" sleep 20 &
holder=$!
status=0
plan "$work/units" --unit "$one" > "$work/held.log" 2>&1 || status=$?
if [ "$status" != 75 ]; then
  fail "a unit that another process works on should end it with 75, not $status"
fi
kill $holder 2> /dev/null || true
grep -q "another process works on $one" "$work/held.log" || fail 'it does not say that the unit is taken'

echo '== ended while the pace is measured: at once'
"$program" --paper --root "$work/cifar" --out "$work/pace" --model resnet50 --batch 100 --workers 2 > "$work/pace.log" 2>&1 &
victim=$!
wait_for_workers "$victim"
sleep 1
kill -TERM "$victim"
began=$(date +%s)
status=0; wait "$victim" || status=$?
[ "$status" = 130 ] || fail "SIGTERM should end it with 130, not $status"
[ $(($(date +%s) - began)) -le 5 ] || fail 'it measured on'

echo '== a budget shortens all phases alike, says so, and a resumed run keeps to it'
long "$work/budget" --budget 25s > "$work/budget.log"
grep 'all phases shortened to 0\.[0-9]* of the recipe: random labels at most [0-9]* epochs instead of 3000' \
  "$work/budget.log" > "$work/shortened" || fail 'it does not say what it shortened'
long "$work/budget" --budget 25s --resume > "$work/budget.log"
grep -o 'all phases shortened.*' "$work/budget.log" > "$work/again" || fail 'the resumed run does not say its plan'
grep -o 'all phases shortened.*' "$work/shortened" | cmp - "$work/again" || fail 'the resumed run has another plan'
grep -q '^As planned before: ' "$work/budget.log" || fail 'the resumed run does not say that it keeps to its plan'
long "$work/budget" --collect > "$work/budget.log" || fail 'it does not collect what a budget has shortened'
if long "$work/none" --budget 1s > "$work/none.log" 2>&1; then
  fail 'it fitted 9,000 epochs into a second'
fi
grep -q 'budget must be at least about [0-9]*s here, but is 1s' "$work/none.log" || fail 'it names no budget that works'

echo '== interrupted by Ctrl-C and resumed: the workers end too'
{ setsid=setsid && become "$work/interrupted"; } > "$work/interrupted.log" 2>&1 &
victim=$!
wait_for '[ -e "$work/interrupted/epochs/pooled-seed1-R2-memorize.csv" ]'
workers=$(workers_of "$victim")
[ -n "$workers" ] || fail 'there are no workers'
kill -INT "-$victim"  # the whole group: as a terminal does
status=0
wait "$victim" || status=$?
[ "$status" = 130 ] || fail "Ctrl-C should end it with 130, not $status"
grep -q 'go on with --resume' "$work/interrupted.log" || fail 'it does not say how to go on'
working $workers && fail 'it left workers behind'
if run "$work/interrupted" > "$work/again.log" 2>&1; then
  fail 'it began anew where an interrupted run is'
fi
grep -q 'holds an unfinished run with the same settings. Go on with it by --resume' "$work/again.log" ||
  fail 'it does not say how to go on'

echo '== ended by SIGTERM it keeps what it has'
become "$work/interrupted" --resume > "$work/ended.log" 2>&1 &
victim=$!
wait_for_workers "$victim"
kill -TERM "$victim"
status=0
wait "$victim" || status=$?
[ "$status" = 130 ] || fail "SIGTERM should end it with 130, not $status"
grep -q 'go on with --resume' "$work/ended.log" || fail 'it does not say how to go on'
run "$work/interrupted" --resume > "$work/interrupted.log"
same_as_whole "$work/interrupted"

echo '== a worker that fails is an error of the whole'
rm -r "$work/interrupted/epochs" "$work/interrupted/checkpoints"
touch "$work/interrupted/epochs"
status=0
run "$work/interrupted" --resume > "$work/failed.log" 2>&1 || status=$?
[ "$status" = 1 ] || fail "a failed worker should end it with 1, not $status"
grep -q '^bad_minima: pooled-seed.*: .*interrupted/epochs' "$work/failed.log" || fail 'it does not say which worker failed, and why'

echo '== two at once are refused'
become "$work/twice" > "$work/first.log" 2>&1 &
first=$!
wait_for '[ -e "$work/twice/lock" ]'
if run "$work/twice" > "$work/second.log" 2>&1; then
  fail 'two wrote to one folder'
fi
grep -q 'another run holds' "$work/second.log" || fail 'it does not say that another run is there'
kill -9 "$first"
wait "$first" 2> /dev/null || true

echo "== killed $kills times and resumed"
killed=0
finished=0
while [ "$killed" -lt "$kills" ]; do
  become "$work/killed" --resume > "$work/killed.log" 2>&1 &
  victim=$!
  sleep "$(awk -v seed="$killed$finished" 'BEGIN { srand(seed * 7919); print 0.3 + 2.7 * rand() }')"
  workers=$(workers_of "$victim" 2> /dev/null) || workers=
  kill -9 "$victim" 2> /dev/null || true
  status=0
  wait "$victim" 2> /dev/null || status=$?
  for _ in $(seq 50); do
    working $workers || break
    sleep 0.1
  done
  working $workers && fail 'killed, it left workers behind'
  case $status in
    137) killed=$((killed + 1)) ;;
    0) # it had come to its end before: compare, and begin anew
      same_as_whole "$work/killed"
      finished=$((finished + 1))
      rm -rf "$work/killed"
      ;;
    *) fail "a resumed run ended with $status" ;;
  esac
  for log in "$work"/killed/epochs/*.csv; do
    [ -e "$log" ] || continue
    [ -z "$(tail -c 1 "$log" | tr -d '\n')" ] || fail "$log ends within a line"
  done
done
run "$work/killed" --resume > "$work/killed.log"
same_as_whole "$work/killed"
echo "$killed kills, $((finished + 1)) runs that ended in the same bytes"

echo '== other settings are refused'
if run "$work/killed" --resume --momentum 0.8 > "$work/other.log" 2>&1; then
  fail 'it resumed with other settings'
fi
grep -q 'other settings' "$work/other.log" || fail 'it does not say why it refuses'
grep -q '^  momentum: 0.9 there, 0.8 now' "$work/other.log" || fail 'it does not say which'

echo '== a finished run is replaced by a new one'
run "$work/plain" --seeds 1 --images 16 --memorize-epochs 1 --vanilla-epochs 1 > "$work/replaced.log"
echo passed
