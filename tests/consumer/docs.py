#!/usr/bin/env python3
"""Holds docs/install.md to what the tests run: python3 docs.py <regimen's folder>

In front of each block of the page stands a comment of one of these kinds:

    <!-- as in FILE -->      its lines are lines of this file, in this order; <name> in the page is a variable there
    <!-- run by FILE -->     this script takes the lines from the page and runs them
    <!-- not run: WHY -->
"""

import pathlib
import re
import sys

BLOCK = re.compile(r"(?:^<!-- ([^\n]*) -->\n)?^```(\w+)\n(.*?)^```$", re.M | re.S)


def plain(line):
    """A line without its comment and without what is arbitrary in it."""
    line = re.sub(r"\s+#.*", "", line.strip())
    line = re.sub(r"<(\w+)>", r"{\1}", line)
    return re.sub(r'"?\$\{?(\w+)\}?"?', r"{\1}", line)


def faults(root):
    page = (root / "docs/install.md").read_text()
    for said, language, block in BLOCK.findall(page):
        first = block.split("\n")[0]
        as_in = re.fullmatch(r"as in (\S+)", said)
        run_by = re.fullmatch(r"run by (\S+)", said)
        if as_in:
            there = [plain(line) for line in (root / as_in[1]).read_text().split("\n")]
            for line in filter(None, map(plain, block.split("\n"))):
                if line not in there:
                    yield f"`{line}` is not in {as_in[1]}, or not in this order"
                    break
                there = there[there.index(line) + 1 :]
        elif run_by:
            script = (root / run_by[1]).read_text()
            starts = re.findall(r"\^([\w+-]+(?: [\w+=-]+)*)", script)
            for line in block.strip().split("\n"):
                if "docs/install.md" not in script or not any(line.startswith(start) for start in starts):
                    yield f"{run_by[1]} does not take `{line}` from the page"
        elif not re.match(r"not run: \S+ \S+", said):
            yield f"no comment says who runs the {language} block that begins with `{first}`"


def main(root):
    found = list(faults(pathlib.Path(root)))
    print("\n".join(found) if found else "docs/install.md shows what the tests run")
    return 1 if found else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
