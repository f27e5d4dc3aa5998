"""Runs what a page tells its reader to type, and checks that every command of all pages is run somewhere.

    python3 commands.py --check PROJECT                each ```sh block is run by a test, or says why not
    python3 commands.py --run PAGE PROJECT WORK        runs those of one page, in its order

A comment in front of a block, alone on its line, says more:

    <!-- not run: REASON -->            of a ```sh block
    <!-- run by: PATH -->               of a ```sh block: a file of the repository that has the commands' first two words, and runs them
    <!-- as in: PATH -->                its lines are lines of this file, in this order; <name> in the page is a variable there
    <!-- file: PATH as NAME -->         the block is this file of the repository, and is NAME where the commands are run
    <!-- drawn: NAME -->                the picture below is the file NAME that the commands have written

A ```sh block without a comment is run if its page is in RUN. The commands find the repository in the folder `regimen`, a
program `mine.cpp`, and a HOME of their own, and LibTorch where Debian has it (else 77 is returned). A ```text block
behind a ```sh block is what its last command prints. Other processors round differently, so numbers may differ a little:
by at most POINTS in the text, by PIXELS in a picture.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
from pages import pages  # noqa: E402

RUN = ["docs/getting-started.md", "docs/compile-time.md"]
# Begins of commands that a test runs wherever a page shows them.
RUN_BY = {
    "cmake -S regimen -B regimen/build ": "docs/getting-started.md",
    "cmake --install regimen/build ": "docs/getting-started.md",
    "g++ -std=c++20 -O2 -I regimen/include ": "tests/consumer/plain.sh",
}
POINTS = 6
PIXELS = 25
COMMENT = re.compile(r"^<!-- (not run|run by|as in|file|drawn): (.*) -->$")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def fail(message):
    sys.exit(f"commands.py: {message}")


def blocks(page):
    """(line, language, text, mark, value) of each block, and (line, "picture", target, mark, value) of a drawn picture."""
    lines = page.read_text(encoding="utf-8").split("\n")
    found, mark, i = [], (None, None), 0
    while i < len(lines):
        comment, fence = COMMENT.match(lines[i]), re.match(r"^```(\w*)$", lines[i])
        if fence:
            end = lines.index("```", i + 1)
            found.append((i + 1, fence[1], "\n".join(lines[i + 1 : end]) + "\n", *mark))
            mark, i = (None, None), end
        elif comment:
            mark = (comment[1], comment[2])
        elif mark[0] == "drawn" and lines[i]:
            found.append((i + 1, "picture", re.search(r"\]\(([^)]*)\)", lines[i])[1], *mark))
            mark = (None, None)
        i += 1
    return found


def commands(text):
    """The commands of a block, without comments, continued lines joined."""
    joined = re.sub(r"\\\n\s*", "", text)
    return [c for c in (re.sub(r"\s+#.*|^#.*", "", line).strip() for line in joined.split("\n")) if c]


def alike(found, wanted, bound):
    """Whether two texts are equal but for numbers, which differ by at most the bound."""
    if NUMBER.sub("0", " ".join(found.split())) != NUMBER.sub("0", " ".join(wanted.split())):
        return False
    pairs = zip(NUMBER.findall(found), NUMBER.findall(wanted))
    return all(abs(float(a) - float(b)) <= bound for a, b in pairs)


def plain(line):
    """A line without its comment, and without what is arbitrary in it."""
    line = re.sub(r"\s+#.*", "", line.strip())
    line = re.sub(r"<(\w+)>", r"{\1}", line)
    return re.sub(r'"?\$\{?(\w+)\}?"?', r"{\1}", line)


def not_in(block, file):
    """The first line of a block that is not in a file behind the lines before it; None if all are."""
    there = [plain(line) for line in file.split("\n")]
    for line in filter(None, map(plain, block.split("\n"))):
        if line not in there:
            return line
        there = there[there.index(line) + 1 :]
    return None


def check(project):
    faults = []
    for page in pages(project):
        name = str(page.relative_to(project))
        for line, language, text, mark, value in blocks(page):
            place = f"{name}:{line}"
            if mark == "file":
                path = value.split(" as ")[0]
                if not (project / path).is_file():
                    faults.append(f"{place}: there is no {path}")
                elif (project / path).read_text(encoding="utf-8") != text:
                    faults.append(f"{place}: the block is not {path}")
            if mark == "as in":
                there = project / value
                line_there = not_in(text, there.read_text(encoding="utf-8")) if there.is_file() else value
                if line_there is not None:
                    faults.append(f"{place}: `{line_there}` is not in {value}, or not in this order")
            if mark in ("not run", "as in", "file") or name in RUN:
                continue
            if language in ("cmake", "ini", "json"):
                faults.append(f"{place}: no comment says which file the block is from: <!-- as in: PATH -->")
            if language != "sh":
                continue
            if mark == "run by":
                there = project / value
                script = there.read_text(encoding="utf-8") if there.is_file() else ""
                for command in commands(text):
                    if " ".join(command.split()[:2]) not in script:
                        faults.append(f"{place}: {value} does not run `{command}`")
                continue
            for command in commands(text):
                if not any((command + " ").startswith(begin) for begin in RUN_BY):
                    faults.append(f"{place}: no test runs `{command}`: run it, or say <!-- not run: REASON -->")
    return faults


def prepare(project, work):
    shutil.rmtree(work, ignore_errors=True)
    (work / "home").mkdir(parents=True)
    (work / "regimen").mkdir()
    for entry in ["CMakeLists.txt", "LICENSE", "README.md"]:
        shutil.copy(project / entry, work / "regimen")
    for entry in ["cmake", "include"]:
        shutil.copytree(project / entry, work / "regimen" / entry)
    shutil.copy(project / "tests/consumer/main.cpp", work / "mine.cpp")


def run(page, project, work):
    if not pathlib.Path("/usr/include/torch/csrc/api/include").is_dir():
        print("the pages are about Debian's LibTorch, which is not installed")
        sys.exit(77)
    prepare(project, work)
    environment = {**os.environ, "HOME": str(work / "home")}
    printed, faults = None, []
    for line, language, text, mark, value in blocks(page):
        place = f"{page.name}:{line}"
        if mark == "file":
            target = work / value.split(" as ")[1]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        elif mark == "drawn":
            drawn = (work / value).read_text(encoding="utf-8")
            if not alike(drawn, (page.parent / text).read_text(encoding="utf-8"), PIXELS):
                faults.append(f"{place}: {text} is not what the program draws, {work / value}")
        elif language == "sh" and mark is None:
            print(text, end="", flush=True)
            done = subprocess.run(["sh", "-euc", text], cwd=work, env=environment, stdout=subprocess.PIPE, text=True, check=False)
            print(done.stdout, flush=True)
            if done.returncode:
                fail(f"{place}: exits with {done.returncode}")
            printed = done.stdout
        elif language == "text" and printed is not None:
            tail = "\n".join(printed.rstrip().split("\n")[-text.count("\n") :])
            if not alike(tail, text, POINTS):
                faults.append(f"{place}: the commands print something else")
    return faults


def main():
    if sys.argv[1:2] == ["--check"] and len(sys.argv) == 3:
        faults = check(pathlib.Path(sys.argv[2]).resolve())
    elif sys.argv[1:2] == ["--run"] and len(sys.argv) == 5:
        page, project, work = (pathlib.Path(name).resolve() for name in sys.argv[2:])
        faults = run(page, project, work)
    else:
        sys.exit(__doc__)
    print("\n".join(faults))
    sys.exit(1 if faults else 0)


main()
