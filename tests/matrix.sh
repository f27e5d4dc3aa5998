#!/bin/sh
# Builds and tests regimen on every system, LibTorch and compiler that we say it works with. For releases: some two hours
# on two cores, where .ci/run has two of these rows.
#
#     sh tests/matrix.sh [ROW...]         the rows named, else all; one at a time, then the table
#     sh tests/matrix.sh --table          the table of what has run
#     sh tests/matrix.sh --publish        writes that table into README.md and docs/results/versions.csv, each row with its
#                                         commit, and says which had another library than now (include/, cmake/)
#
# Rows (a `+` names a compiler that is not the system's own; such a row compiles every header alone and all code of the
# documentation, and runs that code and the tests that need no LibTorch):
#     debian12 debian13 debian14 debian13+g++-13 debian14+g++-15 debian12+clang-19 debian13+clang-19 debian14+clang-22
#     wheel-2.11 wheel-2.15              PyPI's LibTorch with CUDA, on this system; asks for the CUDA toolkit (nvcc)
#
# The Debian rows want root and debootstrap: each system is a folder that is entered by chroot. Everything is under
# build/matrix, or the folder that REGIMEN_MATRIX names, which one run at a time may use. A row that has run on the tree as
# it is now is not run again, unless ROW.tree is removed there; one that was interrupted goes on with what it had compiled.
# A row that ended before a test or a compiler could fail, for want of a network for instance, is no result: the next call
# runs it again. Exits with 1 if a row has failed tests, does not compile or has no result.
set -eu
cd "$(dirname "$0")/.."

all='debian12 debian13 debian14 debian13+g++-13 debian14+g++-15 debian12+clang-19 debian13+clang-19 debian14+clang-22'
all="$all wheel-2.11 wheel-2.15"
work=${REGIMEN_MATRIX:-$PWD/build/matrix}
results=docs/results/versions.csv
columns='row,system,compiler,LibTorch,what,passed,failed,skipped,minutes,date,commit'
mkdir -p "$work"

files() { # of the tree, committed or not, but for what --publish writes
  git ls-files -z --cached --others --exclude-standard -- . ':!README.md' ":!$results"
}

# A number for the tree's contents, so that a row is run again after a change and not without one.
tree_of() {
  files | sort -z | xargs -0 sha256sum 2> /dev/null | sha256sum | cut -c1-16
}

commit_of() {
  git rev-parse --short HEAD | tr -d '\n'
  [ -z "$(git status --porcelain -- . ':!README.md' ":!$results")" ] || printf '+changes'
}

# True if a commit's library is that of the tree: a test that is mended for one system changes no other row.
has_library_of() { # COMMIT
  git diff --quiet "$1" -- include cmake CMakeLists.txt 2> /dev/null
}

# --- A Debian system in a folder ----------------------------------------------------------------------------------------

suite_of() {
  case $1 in
    debian12) echo bookworm ;;
    debian13) echo trixie ;;
    debian14) echo forky ;;
  esac
}

# inside SYSTEM COMMAND...: runs it there, in the copy of the tree.
inside() {
  root=$work/$1
  shift
  mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
  mountpoint -q "$root/dev/pts" || mount --bind /dev/pts "$root/dev/pts" # for a test with a terminal
  chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 CCACHE_MAXSIZE=8G \
    sh -c 'cd /regimen && exec "$@"' inside "$@"
}

leave() {
  for each in "$work"/debian*/proc "$work"/debian*/sys "$work"/debian*/dev/pts; do
    if mountpoint -q "$each"; then umount "$each"; fi
  done
}
# The system, if it is not there yet, and the tree as it is now in /regimen, whose build/ stays.
prepare_system() {
  root=$work/$1
  if [ ! -e "$root/usr/sbin/policy-rc.d" ]; then # written last
    suite=$(suite_of "$1")
    script=
    # A debootstrap that is older than the system asked for does not know its name.
    [ -e "/usr/share/debootstrap/scripts/$suite" ] || script=/usr/share/debootstrap/scripts/sid
    rm -rf --one-file-system "$root"
    # shellcheck disable=SC2086 # no script is no argument
    debootstrap --variant=minbase "$suite" "$root" "${REGIMEN_DEBIAN_MIRROR:-http://deb.debian.org/debian}" $script
    # A mirror that is some weeks behind has a testing whose Release file has expired.
    echo 'Acquire::Check-Valid-Until "false";' > "$root/etc/apt/apt.conf.d/90expired"
    printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d" # no service is started in there
    chmod +x "$root/usr/sbin/policy-rc.d"
  fi
  mkdir -p "$root/regimen"
  find "$root/regimen" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
  { files && printf 'README.md\0'; } | tar --create --null --files-from=- --file="$work/tree.tar"
  # As if written now: with its old time, a file that was changed while an earlier row compiled would look compiled.
  tar --extract --touch --file="$work/tree.tar" --directory "$root/regimen"
}

# --- What a row runs ------------------------------------------------------------------------------------------------------

# quick COMPILER: what a compiler shows; run by a shell in the tree.
quick='
  set -e
  . tools/compiler-cache.sh
  build=build/$1
  # The newest libstdc++ is for all: an older g++ links its own, which lacks functions that the LibTorch of Debian calls.
  export LDFLAGS=-Wl,--no-as-needed,/usr/lib/$(g++ -dumpmachine)/libstdc++.so.6,--as-needed
  CXX=$1 cmake --preset default --fresh -B "$build" -DREGIMEN_BUILD_EXAMPLES=OFF -DREGIMEN_TESTS_TOGETHER=ON \
    -DCMAKE_CXX_FLAGS_RELEASE="-O1 -DNDEBUG"
  cmake --build "$build" --target headers-linked numbers-tests docs-tests --parallel "$(nproc)"
  ctest --test-dir "$build" --output-on-failure --parallel "$(nproc)" -L "^(numbers|headers|docs)$" \
    -E "^(reference|tree.*|docs\.(pictures.*|refused|run.*|diffs))$"'

# Of a row's compiler: the package that holds it.
package_of() {
  case $1 in
    clang-*) echo "$1 libomp-${1#clang-}-dev" ;;
    *) echo "$1" ;;
  esac
}

run_debian() { # SYSTEM COMPILER
  prepare_system "$1"
  inside "$1" sh tools/install-packages.sh test
  if [ -z "$2" ]; then
    inside "$1" sh tests/run.sh
  else
    inside "$1" apt-get update -qq -o APT::Update::Error-Mode=any
    # shellcheck disable=SC2046 # a list
    inside "$1" apt-get install -qq --no-install-recommends $(package_of "$2")
    case $2 in clang-*) cxx=clang++-${2#clang-} ;; *) cxx=$2 ;; esac
    inside "$1" sh -c "$quick" quick "$cxx"
  fi
}

run_wheel() { # VERSION
  . tools/libtorch-wheel.sh
  use_libtorch_wheel "$work/wheel-$1/venv" "$1.0"
  . tools/compiler-cache.sh
  build=$work/wheel-$1/build
  cmake --preset default --fresh -B "$build" -DCMAKE_PREFIX_PATH="$libtorch" -DTORCH_CUDA_ARCH_LIST=9.0 \
    -DREGIMEN_BUILD_EXAMPLES=OFF -DREGIMEN_TESTS_TOGETHER=ON -DCMAKE_CXX_FLAGS_RELEASE='-O0 -DNDEBUG'
  cmake --build "$build" --target tensors-tests training-tests device-tests cuda-tests --parallel "$(nproc)"
  ctest --test-dir "$build" --output-on-failure --parallel "$(nproc)" -L '^(tensors|training|device|cuda)$'
}

# --- A row, and its line ---------------------------------------------------------------------------------------------------

# What a row runs, in a process of its own: there the first command that fails ends it.
run_alone() {
  case $1 in
    wheel-*) run_wheel "${1#wheel-}" ;;
    *+*) run_debian "${1%%+*}" "${1#*+}" ;;
    *) run_debian "$1" '' ;;
  esac
}

# What a log says of a row that is over: "tested", "does not compile: ...", or nothing if it is no result.
verdict() { # LOG WORKED
  if [ "$2" = yes ] || tail -1 "$1" | grep -q '^Errors while running CTest'; then
    echo tested
  elif grep -qE 'Killed signal|No space left on device' "$1"; then
    return
  elif grep -q '^ninja: build stopped' "$1"; then
    echo "does not compile: $(grep -m1 -E '\.[ch](pp|xx|u|)?:[0-9:]+ (fatal )?error: ' "$1" | sed 's|.*/include/||')"
  elif grep -q '^-- Configuring incomplete' "$1"; then
    echo "does not configure: $(grep -m1 -A1 '^CMake Error' "$1" | tail -1)"
  fi
}

# Runs one row into its log, and writes its line of the table. Fails unless all its tests have passed.
run_row() {
  row=$1
  log=$work/$row.log
  now=$(tree_of)
  commit=$(commit_of)
  if [ "$(cat "$work/$row.tree" 2> /dev/null)" = "$now" ]; then
    echo "$row: has run on this tree"
  else
    echo "$row: running, see $log"
    begin=$(date +%s)
    worked=yes
    sh tests/matrix.sh --alone "$row" > "$log" 2>&1 || worked=no
    said=$(verdict "$log" $worked)
    if [ -z "$said" ]; then
      echo "$row: no result; the log ends with"
      tail -5 "$log"
      return 1
    fi
    case $row in
      wheel-*) # was compiled where it lies
        [ "$(tree_of)" = "$now" ] || { echo "$row: no result, for the tree was changed meanwhile" && return 1; } ;;
    esac
    line "$row" "$log" $((($(date +%s) - begin + 59) / 60)) "$commit" "$said" > "$work/$row.csv"
    echo "$now" > "$work/$row.tree"
    cat "$work/$row.csv"
  fi
  grep -q '",[1-9][0-9]*,0,' "$work/$row.csv"
}

# Of a log: row,system,compiler,LibTorch,what,passed,failed,skipped,minutes,date,commit
line() { # ROW LOG MINUTES COMMIT VERDICT
  name=$(sed -n 's/^-- The CXX compiler identification is //p' "$2" | tail -1)
  torch=$(sed -n 's/^-- regimen: LibTorch \([^,]*\),.*/\1/p' "$2" | tail -1)
  # "98% tests passed, 3 tests failed out of 203", skipped ones among the 203, and a line for each that was skipped.
  failed=$(sed -n 's/.*tests passed, \([0-9]*\) tests failed out of .*/\1/p' "$2" | tail -1)
  total=$(sed -n 's/.*tests failed out of \([0-9]*\).*/\1/p' "$2" | tail -1)
  skipped=$(grep -c '(Skipped)$\|(Skipped) ' "$2" || true)
  system=${1%%+*}
  case $1 in
    wheel-*) what='tensors, training, GPU code without a GPU' && where=$(. /etc/os-release && echo "Debian ${VERSION_ID:-testing}") ;;
    *+*) what='headers, documentation, numbers' && where="Debian ${system#debian}" ;;
    *) what=everything && where="Debian ${system#debian}" ;;
  esac
  if [ "$5" != tested ]; then
    what=$(printf %s "$5" | tr ',"|' ';__' | cut -c1-140)
    total=0 failed=0 skipped=0
  fi
  echo "$1,$where,$name,$torch,\"$what\",$((total - failed - skipped)),$failed,$skipped,$3,$(date +%F),$4"
}

lines() { # of the rows that have run
  echo "$columns"
  for each in $all; do
    if [ ! -e "$work/$each.csv" ]; then
      echo "tests/matrix.sh: $each has not run" >&2
    elif has_library_of "$(sed 's/.*,//' "$work/$each.csv")"; then
      cat "$work/$each.csv"
    else
      sed 's/$/ (another library)/' "$work/$each.csv"
    fi
  done
}

table() { # of lines
  python3 -c '
import csv, sys
rows = list(csv.DictReader(sys.stdin))
print("| system | compiler | LibTorch | what | passed | failed | skipped | date | commit |")
print("|---|---|---|---|---|---|---|---|---|")
for row in rows:
    print("|", " | ".join(row[name] for name in ("system", "compiler", "LibTorch", "what", "passed", "failed", "skipped", "date", "commit")), "|")'
}

publish() {
  lines > "$work/versions.csv"
  [ "$(wc -l < "$work/versions.csv")" -gt 1 ] || { echo 'tests/matrix.sh: no row to publish' >&2 && exit 1; }
  cp "$work/versions.csv" "$results"
  table < "$results" > "$work/table.md"
  python3 - "$work/table.md" README.md << 'PYTHON'
import pathlib, re, sys
table, page = map(pathlib.Path, sys.argv[1:])
text, count = re.subn(r"(\n## Systems\n)(\|.*\n)*", lambda match: match[1] + table.read_text(), page.read_text())
assert count == 1, f"{page} has no heading Systems"
page.write_text(text)
PYTHON
}

main() {
  case ${1:-} in
    --table) lines | table ;;
    --publish) publish ;;
    --alone) run_alone "$2" ;;
    -*) sed -n '2,/^set/ { /^#/p }' tests/matrix.sh && exit 2 ;;
    *)
      exec 9> "$work/lock"
      flock --nonblock 9 || { echo "tests/matrix.sh: another one is running in $work" >&2 && exit 1; }
      for row in "$@"; do
        case " $all " in
          *" $row "*) ;;
          *) echo "tests/matrix.sh: there is no row $row; rows: $all" >&2 && exit 2 ;;
        esac
      done
      leave # what an earlier run that was killed has left
      trap leave EXIT
      trap 'exit 130' INT TERM
      bad=0
      for row in ${*:-$all}; do
        run_row "$row" || bad=1
      done
      lines | table
      exit $bad
      ;;
  esac
}

main "$@"; exit # on one line: a shell reads no further, so this file may be edited while it runs
