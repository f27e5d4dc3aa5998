"""Checks that the ```diff blocks of a folder's README.md are what `diff -u` says of the files that they name.

    python3 check_diffs.py FOLDER [--write]

--write puts the real differences in their place.
"""

import pathlib
import re
import subprocess
import sys

BLOCK = re.compile(r"```diff\n--- (.*)\n\+\+\+ (.*)\n(?:.*\n)*?```\n")


def real(match):
    before, after = match[1], match[2]
    command = ["diff", "-u", "--label", before, "--label", after, before, after]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 1:
        sys.exit(f"{' '.join(command)}: {done.stderr or 'there is no difference'}")
    return f"```diff\n{done.stdout}```\n"


folder = pathlib.Path(sys.argv[1])
readme = folder / "README.md"
shown = readme.read_text(encoding="utf-8")
told, count = BLOCK.subn(real, shown)
if count == 0:
    sys.exit(f"{readme} shows no difference")
if sys.argv[2:] == ["--write"]:
    readme.write_text(told, encoding="utf-8")
elif told != shown:
    sys.exit(f"{readme} shows other differences than those of its files: python3 {sys.argv[0]} {folder} --write")
