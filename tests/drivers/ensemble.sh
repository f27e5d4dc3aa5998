#!/bin/sh
# Many networks as one module (--ensemble): the tables are those of the same networks alone, also after a kill.
#
#     ensemble.sh PROGRAM WORK_FOLDER        (PROGRAM: examples/080-many-runs)
. "$(dirname "$0")/../support/work_folder.sh"

options='--quiet --seeds 3 --epochs 200'

run() { # run [options]
  # shellcheck disable=SC2086 # $options is a list
  "$program" $options "$@"
}

echo '== the tables of nine networks alone and in modules of four: equal up to rounding'
run --out "$work/alone" > "$work/alone.log"
run --ensemble 4 --out "$work/whole" > "$work/whole.log"
cmp "$work/alone/table.txt" "$work/whole/table.txt"
python3 - "$work/alone" "$work/whole" << 'END' || fail 'the tables differ'
import csv, sys

def rows(folder, name):
    with open(f"{folder}/{name}", newline="") as file:
        return list(csv.DictReader(file))

for name in ("results.csv", "epochs.csv"):
    alone, whole = (rows(folder, name) for folder in sys.argv[1:])
    assert len(alone) == len(whole) == (9 if name == "results.csv" else 1800), (name, len(alone), len(whole))
    for a, b in zip(alone, whole):
        assert a.keys() == b.keys()
        for column, value in a.items():
            if column == "train_loss":
                assert b[column] == ("" if b["wrong"] + b["seed"] != "403" else value), "only a network alone has it"
            elif value != b[column]:
                assert abs(float(value) - float(b[column])) < 1e-4, (column, value, b[column])
END

echo '== a unit is a module; the last has what is left'
run --ensemble 4 --list > "$work/list"
printf 'arms1-4\narms5-8\nwrong40-seed3\n' | cmp - "$work/list"
[ "$(ls "$work/whole/done" | tr '\n' ' ')" = 'arms1-4.done arms5-8.done wrong40-seed3.done ' ] || fail 'other units are done'

echo '== a folder of another size of module is refused'
status=0
run --ensemble 3 --resume --out "$work/whole" > "$work/log" 2>&1 || status=$?
{ [ "$status" = 2 ] && grep -q ensemble "$work/log"; } || fail "status $status: $(cat "$work/log")"

echo '== units that were stopped, and then killed, while they trained go on, and the tables are equal to the byte'
start() { # start UNIT LINES: trains it until its log has so many lines, or it is done
  # shellcheck disable=SC2086
  "$program" $options --ensemble 4 --unit "$1" --out "$work/stopped" > "$work/log" 2>&1 &
  victim=$!
  until [ "$(cat "$work/stopped/epochs/$1.csv" 2> /dev/null | grep -c '')" -gt "$2" ] || ! kill -0 $victim 2> /dev/null; do
    sleep 0.02
  done
}
stopped=0
for unit in $(cat "$work/list"); do
  start "$unit" 10
  kill -TERM $victim 2> /dev/null || true
  status=0
  wait $victim || status=$?
  [ "$status" != 85 ] || stopped=$((stopped + 1))
  start "$unit" 60
  kill -KILL $victim 2> /dev/null || true
  wait $victim || true
  run --ensemble 4 --unit "$unit" --out "$work/stopped" > "$work/log" 2>&1 || fail "$(cat "$work/log")"
done
[ "$stopped" -gt 0 ] || fail 'no unit was stopped while it trained'
run --ensemble 4 --collect --out "$work/stopped" > "$work/stopped.log"
for table in results.csv epochs.csv table.txt; do
  cmp "$work/whole/$table" "$work/stopped/$table"
done

echo '== the file that says that a unit is done knows of the weights of all'
grep -q ' checkpoints/arms1-4.pt$' "$work/whole/done/arms1-4.done" || fail 'it does not'
cp "$work/whole/done/arms1-4.done" "$work/before.done"
echo damaged > "$work/whole/checkpoints/arms1-4.pt"
run --ensemble 4 --unit arms1-4 --out "$work/whole" > "$work/log" 2>&1 && fail 'damaged weights are taken for done'
grep -q arms1-4.pt "$work/log" || fail "the message does not name the file: $(cat "$work/log")"
cmp "$work/before.done" "$work/whole/done/arms1-4.done"
echo passed
