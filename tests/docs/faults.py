"""check_links.py and commands.py find each kind of fault: each is made in a copy of the pages, and its message looked for.

    python3 faults.py PROJECT WORK
"""

import pathlib
import shutil
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
from pages import files  # noqa: E402

project, work = (pathlib.Path(name).resolve() for name in sys.argv[1:])
HERE = pathlib.Path(__file__).resolve().parent


def edited(path, old, new):
    def change(tree):
        text = (tree / path).read_text(encoding="utf-8")
        assert old in text, f"{path} has no {old!r}"
        (tree / path).write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def added(path, text):
    def change(tree):
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        with open(tree / path, "a", encoding="utf-8") as file:
            file.write(text)

    return change


LINKS = {
    "a file that is not there": (added("docs/shape.md", "\n[x](nowhere.md)\n"), "there is no nowhere.md"),
    "a link over two lines": (added("docs/shape.md", "\n[x\ny](nowhere.md)\n"), "there is no nowhere.md"),
    "a heading that is not there": (
        added("docs/shape.md", "\n[x](fields.md#nothing)\n"),
        "fields.md has no heading #nothing",
    ),
    "a heading that was renamed": (
        edited("docs/shape.md", "## The laws", "## Our laws"),
        None,  # nobody links to it
    ),
    "a heading that a page links to": (
        edited("docs/recipes.md", "## Two optimizers: a GAN", "## A GAN"),
        "recipes.md has no heading #two-optimizers-a-gan",
    ),
    "a page that nothing leads to": (
        added("docs/alone.md", "# Alone\n"),
        "docs/alone.md: no page that README.md leads to has a link to it",
    ),
    "a page that the index leaves out": (
        edited("docs/README.md", "[Limits](limits.md)", "Limits"),
        "docs/README.md: the index has no link to limits.md",
    ),
    "a room without a page": (
        edited("docs/README.md", "| `stop` | [stop criteria](schedules.md#the-stop-criteria)", "| `stop` | none"),
        "the table of rooms has no page for stop",
    ),
    "a picture that no page shows": (added("docs/pictures/x.svg", "<svg/>"), "docs/pictures/x.svg: no page shows it"),
    "code that looks like a link": (added("docs/shape.md", "\n`[x](nowhere.md)`\n\n```cpp\n[x](nowhere.md)\n```\n"), None),
}
COMMANDS = {
    "a file that does not run what it is said to": (
        edited("docs/install.md", "<!-- run by: tests/consumer/install.sh -->", "<!-- run by: tests/run.sh -->"),
        "tests/run.sh does not run `cmake -S regimen",
    ),
    "a block of CMake from nowhere": (
        edited("docs/install.md", "<!-- as in: tests/consumer/installed/CMakeLists.txt -->\n", ""),
        "no comment says which file the block is from",
    ),
    "a line that the file it is from has otherwise": (
        edited("docs/install.md", "find_package(regimen REQUIRED)", "find_package(Regimen REQUIRED)"),
        "`find_package(Regimen REQUIRED)` is not in tests/consumer/installed/CMakeLists.txt",
    ),
    "a block that is as in a file that is not there": (
        edited("docs/install.md", "<!-- as in: tests/consumer/conanfile.txt -->", "<!-- as in: nowhere.txt -->"),
        "`nowhere.txt` is not in nowhere.txt",
    ),
    "a command that nobody runs": (added("docs/shape.md", "\n```sh\nmake coffee\n```\n"), "no test runs `make coffee`"),
    "a command with a reason": (added("docs/shape.md", "\n<!-- not run: there is none left -->\n```sh\nmake coffee\n```\n"), None),
    "a file that runs it and is not there": (
        added("docs/shape.md", "\n<!-- run by: tests/coffee.sh -->\n```sh\nmake coffee\n```\n"),
        "tests/coffee.sh does not run `make coffee`",
    ),
    "a program that is not the page's": (
        edited("examples/001-getting-started/main.cpp", ".epochs = 60", ".epochs = 61"),
        "the block is not examples/001-getting-started/main.cpp",
    ),
}


def said(script, *arguments):
    run = subprocess.run([sys.executable, HERE / script, *arguments], capture_output=True, text=True, check=False)
    return run.returncode, run.stdout + run.stderr


def copy():
    shutil.rmtree(work, ignore_errors=True)
    wanted = {".md", ".svg", ".png", ".html", ".cpp", ".hpp", ".py", ".sh", ".txt", ".cff", ".csv", ".json"}
    for path in files(project, lambda place: True):  # headers too: pages link to them
        place = path.relative_to(project)
        if path.suffix in wanted or place.parts[0] == ".ci" or path.name.startswith("Doxyfile"):
            (work / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, work / place)


failed = 0
for faults, arguments in ((LINKS, ("check_links.py",)), (COMMANDS, ("commands.py", "--check"))):
    for name, (change, message) in {"nothing": (lambda tree: None, None), **faults}.items():
        copy()
        change(work)
        code, text = said(*arguments, work)
        if (code == 0) != (message is None) or (message or "") not in text:
            failed += 1
            print(f"{name}: expected {message!r}, but with exit code {code} it said:\n{text}")
print(f"{len(LINKS) + len(COMMANDS)} faults, {failed} not found as expected")
sys.exit(1 if failed else 0)
