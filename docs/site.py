"""Lays out the pages for MkDocs, which reads Markdown a little otherwise than GitHub does.

    python3 site.py PROJECT PAGES

Every page goes to its own place under PAGES, with the files that pages link to, so that the same links lead to the same
things. A list or a table gets the empty line in front that GitHub does not ask for; the comments for the tests are left
out; a folder that is linked to becomes the file in it.
"""

import pathlib
import re
import shutil
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
from pages import pages  # noqa: E402

LINK = re.compile(r"(\]\()([^()\s#]+)(#[^()\s]*)?\)")
ITEM = re.compile(r"^\s*([-*]|\d+\.) ")


def laid_out(text):
    lines, fenced = [], False
    for line in text.split("\n"):
        before = lines[-1] if lines else ""
        if line.startswith("```"):
            if not fenced and before:
                lines.append("")
            fenced = not fenced
        elif not fenced:
            if re.match(r"^<!-- .* -->$", line):
                continue
            begins = (ITEM.match(line) and not ITEM.match(before) and not before.startswith(" ")) or (
                line.startswith("|") and not before.startswith("|")
            )
            if begins and before:
                lines.append("")
        lines.append(line)
    return "\n".join(lines)


def main():
    project, out = (pathlib.Path(name).resolve() for name in sys.argv[1:3])
    for page in pages(project):
        text = page.read_text(encoding="utf-8")

        def moved(link):
            target = (page.parent / link[2]).resolve()
            if re.match(r"^[a-z]+:", link[2]) or not target.is_relative_to(project):
                return link[0]
            if target.is_dir():
                target = next((target / name for name in ("README.md", "main.cpp") if (target / name).is_file()), target)
                link_to = f"{link[2].rstrip('/')}/{target.name}"
            else:
                link_to = link[2]
            if target.is_file() and target.suffix != ".md":
                copy = out / target.relative_to(project)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(target, copy)
            return f"{link[1]}{link_to}{link[3] or ''})"

        copy = out / page.relative_to(project)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(laid_out(LINK.sub(moved, text)), encoding="utf-8")
    shutil.copy(project / "docs/site.css", out / "docs")


main()
