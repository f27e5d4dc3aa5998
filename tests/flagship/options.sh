#!/bin/sh
# Options that no run begins with: each is an error that names the option and what is wrong, and leaves no folder.
#
#     options.sh PROGRAM WORK_FOLDER
. "$(dirname "$0")/../support/work_folder.sh"

refused() { # refused PATTERN [options]
  pattern=$1
  shift
  status=0
  "$program" --out "$work/out" "$@" > "$work/log" 2>&1 || status=$?
  [ "$status" = 2 ] || fail "$* should end with 2, not $status: $(cat "$work/log")"
  grep -Eq -- "$pattern" "$work/log" || fail "$*: no \"$pattern\" in: $(cat "$work/log")"
  [ ! -e "$work/out" ] || fail "$* made a folder"
}

refused 'budget.*at least 0, but is -300' --budget -5m
refused 'seeds.*at least 1, but is -1' --seeds -1
refused 'momentum.*in \[0, 1\), but is 1.5' --momentum 1.5
refused 'memorize-rate.*at least 0, but is -1' --memorize-rate -1
refused 'padding.*in \[0, 1024\], but is -3' --padding -3
refused 'side.*0 or in \[2, 1024\], but is 1' --side 1
refused '(full.*excludes.*paper|paper.*excludes.*full)' --full --paper
refused '(full.*excludes.*grid|grid.*excludes.*full)' --full --grid
refused 'data toy has no --grid' --data toy --grid
refused 'data toy has no --images' --data toy --images 10
refused 'data toy trains in fp32 on the CPU' --data toy --device cuda
refused 'packs are counted by an index' --pack 2
refused 'packs are counted by an index' --pack 2 --unit pooled-seed1-R2
refused 'variable is not set' --unit @NO_SUCH_VARIABLE
refused 'one of those that --list prints' --unit nobody
refused 'list' --list everything
refused 'requeue-status' --requeue-status 256
refused 'model must name each network once' --model pooled,pooled
refused 'copies must have each number once' --copies 2,2

# Files of somebody else's stay where they are.
mkdir -p "$work/mine/checkpoints"
echo mine > "$work/mine/checkpoints/weights.pt"
if "$program" --out "$work/mine" > "$work/log" 2>&1; then
  fail 'it ran in a folder of somebody else'
fi
grep -q 'mine/checkpoints is in the way' "$work/log" || fail 'it does not name what is in the way'
[ "$(cat "$work/mine/checkpoints/weights.pt")" = mine ] || fail 'it removed a file of somebody else'

# --paper=true is --paper: its recipe, and not only its name.
"$program" --help > "$work/default.txt"
"$program" --paper --help > "$work/paper.txt"
"$program" --paper=true --help > "$work/paper-true.txt"
cmp "$work/paper.txt" "$work/paper-true.txt" || fail '--paper=true shows other defaults than --paper'
if cmp -s "$work/default.txt" "$work/paper.txt"; then
  fail '--paper changes no default'
fi
echo passed
