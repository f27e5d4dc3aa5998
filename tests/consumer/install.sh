#!/bin/sh
# Runs the two lines by which docs/install.md installs regimen into $HOME/.local, with a home of its own:
#
#     sh install.sh <regimen's folder> <folder to work in>
set -eu
source=$1
work=$2
rm -rf "$work"
mkdir -p "$work"
cd "$work"
ln -s "$source" regimen
export HOME="$work"
lines=$(sed -n '/^cmake -S regimen -B build-regimen/p; /^cmake --install build-regimen/p' regimen/docs/install.md)
sh -ec "$lines" > log
[ -f .local/share/cmake/regimen/regimen-config.cmake ] || { cat log && exit 1; }
