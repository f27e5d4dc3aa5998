#!/bin/sh
# Makes the documentation a site of files, in build/site: the pages, and Doxygen's reference of every header beside them.
#
#     sh docs/site.sh                       then open build/site/index.html, or serve the folder
#
# Needs python3-venv and doxygen (Debian's names). MkDocs and its theme come from PyPI, at the versions of
# site-requirements.txt. Writes into build/ only. A link that leads nowhere is an error.
set -eu
cd "$(dirname "$0")/.."

venv=build/site-venv
if ! cmp -s docs/site-requirements.txt $venv/installed.txt; then
  python3 -m venv --clear $venv
  $venv/bin/pip install --quiet --disable-pip-version-check --no-deps -r docs/site-requirements.txt
  cp docs/site-requirements.txt $venv/installed.txt
fi

rm -rf build/site build/site-pages build/site-reference
python3 docs/site.py . build/site-pages
mkdir -p build/site-reference
if command -v doxygen > /dev/null; then
  (cat docs/Doxyfile; echo 'OUTPUT_DIRECTORY = build/site-reference') | doxygen -
  mv build/site-reference/html build/site-pages/reference
else
  echo 'docs/site.sh: without doxygen the site has no reference (Debian: doxygen)' >&2
  mkdir build/site-pages/reference
  echo '<!doctype html><title>regimen</title><p>Built without Doxygen: there is no reference.' > build/site-pages/reference/index.html
fi

# A theme that asks another server for fonts or scripts would tell it who reads what.
NO_MKDOCS_2_WARNING=1 $venv/bin/mkdocs build --strict --quiet --config-file docs/mkdocs.yml
if grep -rlE --include='*.html' --include='*.css' '<(link|script|img|iframe)[^>]*(href|src)="(https?:)?//|url\("?(https?:)?//|@import' build/site; then
  echo 'docs/site.sh: the files above ask another server for something' >&2
  exit 1
fi
echo "build/site/index.html"
