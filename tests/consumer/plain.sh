#!/bin/sh
# Compiles a program by the g++ line that docs/install.md shows, with further flags, and runs it:
#
#     sh plain.sh <regimen's folder> <folder to work in> "<flags>"
#
# Debian's LibTorch lies where the line says; without it this exits with 77.
set -eu
source=$1
work=$2
flags=$3
[ -d /usr/include/torch/csrc/api/include ] || exit 77

line=$(sed -n "s/^g++ -std=c++20 .*/& $flags/p" "$source/docs/install.md")
case $line in
  *mine.cpp*"$flags") ;;
  *) echo "docs/install.md shows no line that begins with 'g++ -std=c++20' and compiles mine.cpp" >&2 && exit 1 ;;
esac
mkdir -p "$work"
cd "$work"
rm -f mine regimen
ln -s "$source" regimen
cp "$source/tests/consumer/parts.cpp" mine.cpp
sh -c "$line"
./mine
