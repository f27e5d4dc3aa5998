#!/bin/sh
# Compiles a program by the g++ line that README.md shows, and runs it: sh plain.sh <source tree> <folder to work in>
# Debian's LibTorch lies where the line says; without it this exits with 77.
set -eu
source=$1
work=$2
[ -d /usr/include/torch/csrc/api/include ] || exit 77

line=$(sed -n 's/^g++ -std=c++20/& -O0/p' "$source/README.md")
case $line in
  *-O0*mine.cpp*) ;;
  *) echo "README.md shows no line that begins with 'g++ -std=c++20' and compiles mine.cpp" >&2 && exit 1 ;;
esac
mkdir -p "$work"
cd "$work"
rm -f mine regimen
ln -s "$source" regimen
cp "$source/tests/consumer/main.cpp" mine.cpp
sh -c "$line"
./mine
