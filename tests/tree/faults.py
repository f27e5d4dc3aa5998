"""tools/check_tree.py finds each kind of fault: each is made in a copy of the tree, and its message looked for.

    python3 faults.py PROJECT WORK
"""

import pathlib
import shutil
import subprocess
import sys

project, work = map(pathlib.Path, sys.argv[1:])
INCLUDE = pathlib.Path("include/regimen")


def edited(path, old, new):
    text = path.read_text()
    assert old in text, f"{path} has no {old!r}"
    path.write_text(text.replace(old, new, 1))


def include(header, other):
    """A change that makes a header include another one of ours."""
    return lambda tree: edited(tree / header, "\nnamespace", f'\n#include "regimen/{other}"\n\nnamespace')


def write(header, text):
    return lambda tree: (tree / header).write_text(text)


def test(file, text):
    """A change that adds a test."""

    def add(tree):
        path = tree / "../../tests" / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    return add


FAULTS = {
    "an arrow that runs up": (
        include("damage/frozen.hpp", "run/phase.hpp"),
        "damage/frozen.hpp may not include run/phase.hpp: run stands above damage",
    ),
    "somebody else's detail": (
        include("run/phase.hpp", "key/detail/threefry.hpp"),
        "run/phase.hpp may not include key/detail/threefry.hpp: it is for key/ alone",
    ),
    "a sign within a room": (include("run/phase.hpp", "key.hpp"), "run/phase.hpp includes key.hpp, a sign or a forward"),
    "a sign that holds more": (
        lambda tree: edited(tree / "stop.hpp", "#include", "inline int more = 0;\n#include"),
        "stop.hpp must include all of its room and hold nothing else",
    ),
    "a sign that misses a header": (
        write("stop/another.hpp", "#pragma once\n// No LibTorch.\n"),
        "stop.hpp must include all of its room and hold nothing else",
    ),
    "a name that is given twice": (
        write("loss/clock.hpp", "#pragma once\n"),
        "record/clock.hpp has the name of loss/clock.hpp: a name is given once",
    ),
    "LibTorch in a room without it": (
        lambda tree: edited(tree / "stop/fit.hpp", "#include", "#include <ATen/ATen.h>\n#include"),
        "stop/fit.hpp says that it has no LibTorch and includes ATen/ATen.h",
    ),
    "a version of LibTorch outside the header that knows them": (
        lambda tree: edited(tree / "damage/frozen.hpp", "\nnamespace", "\n#if TORCH_VERSION_MAJOR > 1\n#endif\n\nnamespace"),
        "damage/frozen.hpp asks for LibTorch's version: give the difference a name in tensor/libtorch.hpp",
    ),
    "a header without a room": (write("stray.hpp", "#pragma once\nint stray();\n"), "stray.hpp is neither a sign nor a forward"),
    "a long header": (write("stop/long.hpp", "#pragma once\n// No LibTorch.\n" + "\n" * 300), "stop/long.hpp has 302 lines; at most 300"),
    "a long function": (
        write("stop/long.hpp", "#pragma once\n// No LibTorch.\ninline void f() {\n" + "  ;\n" * 60 + "}\n"),
        "stop/long.hpp:3: a function of 62 lines; at most 60",
    ),
    "a relative path": (
        lambda tree: edited(tree / "damage/frozen.hpp", "\nnamespace", '\n#include "../run/phase.hpp"\n\nnamespace'),
        "damage/frozen.hpp includes ../run/phase.hpp: headers of ours are included by their whole path",
    ),
    "blanks before the word": (
        lambda tree: edited(tree / "damage/frozen.hpp", "\nnamespace", '\n#  include "regimen/run/phase.hpp"\n\nnamespace'),
        "damage/frozen.hpp may not include run/phase.hpp: run stands above damage",
    ),
    "a circle within a room": (
        include("source/source.hpp", "source/views.hpp"),
        "headers include each other in a circle: source/source.hpp",
    ),
    "a forward that opens a detail": (
        lambda tree: edited(tree / "fused.hpp", "optimizer/fused.hpp", "optimizer/detail/sgd.hpp"),
        "fused.hpp is a forward: it must include public headers that are there, and hold nothing else",
    ),
    "a forward that defines": (
        lambda tree: edited(tree / "fused.hpp", "\n#include", "\n#define X\n#include"),
        "fused.hpp is a forward: it must include public headers that are there, and hold nothing else",
    ),
    "a header of another ending": (write("stop/more.h", "\n"), "stop/more.h: headers end in .hpp"),
    "a long constructor": (
        write("stop/long.hpp", "#pragma once\n// No LibTorch.\nstruct A {\n  A() : a{1} {\n" + "  ;\n" * 60 + "  }\n  int a;\n};\n"),
        "stop/long.hpp:4: a function of 62 lines; at most 60",
    ),
    "a folder of tests that is no room": (test("stops/any_test.cpp", ""), "tests/stops is neither a room nor a kind of test"),
    "a test in no program": (
        test("stop/any_test.cpp", '#include "support/histories.hpp"\n'),
        "tests/stop/any_test.cpp must include one of support/{images,numbers,tensors,training}.hpp",
    ),
    "a test in two programs": (
        test("laws/any_test.cpp", '#include "support/numbers.hpp"\n#include "support/training.hpp"\n'),
        "tests/laws/any_test.cpp must include one of support/{images,numbers,tensors,training}.hpp",
    ),
    "two tests of one name": (
        test("track/stop_test.cpp", '#include "support/numbers.hpp"\n'),
        "tests/track/stop_test.cpp has the name of tests/stop/stop_test.cpp",
    ),
    "a test of another ending": (test("stop/any.cpp", '#include "support/numbers.hpp"\n'), "tests/stop/any.cpp: tests end in _test.cpp"),
    "a map that is not true": (lambda tree: edited(tree / "../../docs/map.md", "  stop/ ", "  stop! "), "docs/map.md must list the rooms"),
}


def output(tree):
    run = subprocess.run([sys.executable, tree / "tools/check_tree.py"], capture_output=True, text=True, check=False)
    return run.returncode, run.stdout + run.stderr


failed = 0
for name, (change, message) in {"nothing": (lambda tree: None, "the tree is as its rooms say"), **FAULTS}.items():
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(project / "include", work / "include")
    shutil.copytree(project / "tests", work / "tests", ignore=shutil.ignore_patterns("corpus"))
    (work / "tools").mkdir()
    shutil.copy(project / "tools/check_tree.py", work / "tools")
    (work / "docs").mkdir()
    shutil.copy(project / "docs/map.md", work / "docs")
    change(work / INCLUDE)
    code, said = output(work)
    if message not in said or (code == 0) != (name == "nothing"):
        failed += 1
        print(f"{name}: expected {message!r}, but with exit code {code} it said:\n{said}")
print(f"{len(FAULTS)} faults, {failed} not found as expected")
sys.exit(1 if failed else 0)
