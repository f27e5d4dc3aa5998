"""Checks the Markdown pages of the repository as a reader meets them.

    python3 check_links.py PROJECT

Each link to a file of the repository leads to one, and its anchor to a heading, by the rule of GitHub; each page can be
reached from README.md; the index docs/README.md names each page of docs/ and each room of include/regimen/.
"""

import importlib.util
import pathlib
import re
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
from pages import files  # noqa: E402

# [text](target), also around a line's end; not in code. An image is a link, too.
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\[\]]*\])*\]\(([^()\s]+)\)")
HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
OUTSIDE = re.compile(r"^[a-z]+:")


def pages_of(project):
    return files(project, lambda path: path.suffix == ".md")


def prose(page):
    """(line number, text) without fenced blocks and comments, code in backticks emptied."""
    fenced = False
    for number, line in enumerate(page.read_text(encoding="utf-8").split("\n"), 1):
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield number, re.sub(r"<!--.*?-->", "", line)


def slugs(page):
    """The anchors of a page's headings, as GitHub makes them."""
    found, times = set(), {}
    for _, line in prose(page):
        heading = HEADING.match(line)
        if not heading:
            continue
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[2])  # of a link its text
        text = re.sub(r"[`*]", "", text).lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        count = times.get(slug, 0)
        times[slug] = count + 1
        found.add(f"{slug}-{count}" if count else slug)
    return found


def links(page):
    """(line, target) of each link outside of code; a link may begin on one line and end on the next."""
    text, starts = "", []
    for number, line in prose(page):
        starts.append((len(text), number))
        text += re.sub(r"`[^`]*`", lambda code: "x" * len(code[0]), line) + "\n"
    for link in LINK.finditer(text):
        yield max(number for start, number in starts if start <= link.start()), link[1]


def rooms(project):
    spec = importlib.util.spec_from_file_location("check_tree", project / "tools/check_tree.py")
    tree = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tree)
    return tree.names


def check(project):
    pages = pages_of(project)
    anchors = {page: slugs(page) for page in pages}
    leads_to = {page: set() for page in pages}
    for page in pages:
        for line, target in links(page):
            if OUTSIDE.match(target):
                continue
            place = f"{page.relative_to(project)}:{line}"
            path, _, anchor = target.partition("#")
            file = (page.parent / path).resolve() if path else page
            if not file.exists() or not file.is_relative_to(project):
                yield f"{place}: there is no {target}"
                continue
            if file in anchors:
                leads_to[page].add(file)
            if anchor and anchor not in anchors.get(file, ()):
                yield f"{place}: {path or 'the page'} has no heading #{anchor}"
    seen, new = set(), [project / "README.md"]
    while new:
        page = new.pop()
        if page not in seen:
            seen.add(page)
            new += leads_to[page]
    alone = [page for page in pages if page not in seen and ".github" not in page.parts]
    for page in alone:
        yield f"{page.relative_to(project)}: no page that README.md leads to has a link to it"
    index = project / "docs/README.md"
    for page in pages:
        if (project / "docs") in page.parents and page != index and page not in leads_to[index]:
            yield f"docs/README.md: the index has no link to {page.relative_to(project / 'docs')}"
    text = index.read_text(encoding="utf-8")
    for room in rooms(project):
        if not re.search(rf"^\| `{room}` \| .*\]\(", text, re.M):
            yield f"docs/README.md: the table of rooms has no page for {room}"
    for picture in sorted((project / "docs/pictures").glob("*")):
        if not any(picture.name in page.read_text(encoding="utf-8") for page in pages):
            yield f"docs/pictures/{picture.name}: no page shows it"


found = list(check(pathlib.Path(sys.argv[1]).resolve()))
print("\n".join(found) if found else "all links lead somewhere")
sys.exit(1 if found else 0)
