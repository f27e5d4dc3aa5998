#!/bin/sh
# What a unit's process ends with, as a scheduler reads it, and which units it takes.
#
#     statuses.sh PROGRAM WORK_FOLDER        (PROGRAM: examples/080-many-runs)
. "$(dirname "$0")/../support/work_folder.sh"

ends_with() { # ends_with STATUS [options]
  wanted=$1
  shift
  status=0
  "$program" --quiet --out "$work/out" "$@" > "$work/log" 2>&1 || status=$?
  [ "$status" = "$wanted" ] || fail "$* should end with $wanted, not $status: $(cat "$work/log")"
}

echo '== 0, and no second training of what is done'
ends_with 0 --seeds 2 --unit wrong0-seed1
[ -f "$work/out/done/wrong0-seed1.done" ] || fail 'no file says that the unit is done'
before=$(stat -c %y "$work/out/checkpoints/wrong0-seed1.pt")
ends_with 0 --seeds 2 --unit wrong0-seed1
[ "$before" = "$(stat -c %y "$work/out/checkpoints/wrong0-seed1.pt")" ] || fail 'it was trained again'

echo '== an index, a pack and an item of JSON'
N=6 ends_with 0 --seeds 2 --unit @N
[ -f "$work/out/done/wrong40-seed2.done" ] || fail '6 is not the last of six units'
N=2 ends_with 0 --seeds 2 --unit @N --pack 2
[ "$(ls "$work/out/done" | grep -c '')" = 4 ] || fail "2 of packs of 2 is not two further units: $(ls "$work/out/done")"
export HQ_ENTRY='{"unit": "wrong20-seed1", "jobs": 1}'
ends_with 0 --seeds 2 --unit @HQ_ENTRY
[ -f "$work/out/done/wrong20-seed1.done" ] || fail 'an item of --list json is not its unit'
"$program" --seeds 2 --list json | python3 -c 'import json, sys; assert len(json.load(sys.stdin)) == 6' ||
  fail '--list json is no JSON of six units'

echo '== 2 for what no second try helps'
N=0 ends_with 2 --seeds 2 --unit @N
ends_with 2 --seeds 2 --unit nobody
ends_with 2 --seeds 3 --unit wrong0-seed1
ends_with 2 --seeds 0
ends_with 2 --no-such-option
ends_with 2 --seeds 2 --unit ''
ends_with 2 --seeds 2 --budget 1m
ends_with 2 --seeds 2 --wrong 0,0

echo '== 75 while another process works on it, also for a pack, whose other units are trained'
mkdir -p "$work/out/locks"
mkfifo "$work/over"
# The lock is held until the other end of the fifo is opened and closed.
flock -o "$work/out/locks/wrong20-seed2" sh -c 'echo taken > "$1"; read -r _ < "$2" || true' sh "$work/taken" "$work/over" &
holder=$!
wait_for '[ -s "$work/taken" ]'
ends_with 75 --seeds 2 --unit wrong20-seed2
N=1 ends_with 75 --seeds 2 --unit @N --pack 6
[ "$(ls "$work/out/done" | grep -c '')" = 5 ] || fail 'the pack left more than the unit that is taken'
: > "$work/over"
wait $holder

echo '== a unit that was killed just before it was said to be done is done, also in a pack and in a whole run'
ends_with 0 --seeds 2 --unit wrong20-seed2
for how in '--unit @N --pack 6' '--resume --workers 2' '--unit wrong0-seed2'; do
  rm "$work/out/done/wrong0-seed2.done"
  # shellcheck disable=SC2086 # $how is a list
  N=1 ends_with 0 --seeds 2 $how
  [ -f "$work/out/done/wrong0-seed2.done" ] || fail "$how leaves the unit without its done file"
  echo >> "$work/out/manifests/wrong0-seed2.json"
  # shellcheck disable=SC2086 # $how is a list
  N=1 ends_with 0 --seeds 2 $how
done

echo '== 85, or what the scheduler wants, once it is stopped by its budget or by a signal; then it goes on'
long="--seeds 1 --epochs 1000000 --out $work/long"
ends_with 85 $long --budget 1s --unit wrong0-seed1
ends_with 99 $long --budget 1s --requeue-status 99 --unit wrong0-seed1
lines=$(grep -c '' "$work/long/epochs/wrong0-seed1.csv")
"$program" --quiet $long --unit wrong0-seed1 > "$work/log" 2>&1 &
victim=$!
wait_for '[ "$(grep -c "" "$work/long/epochs/wrong0-seed1.csv")" -gt "$lines" ]'
kill -TERM $victim
status=0
wait $victim || status=$?
[ "$status" = 85 ] || fail "SIGTERM should end a unit with 85, not $status"
N=1 ends_with 85 $long --budget 2s --unit @N --pack 2
grep -q '"resumed_from": {' "$work/long/manifests/wrong0-seed1.json" || fail 'it did not go on where it was'
[ ! -e "$work/long/done" ] || fail 'a unit that was stopped is not done'
echo passed
