#!/usr/bin/env python3
"""Checks that every header of include/regimen lies in its room, that the rooms' signs and the map in docs/map.md are true, and
that every test lies in the folder of a room and is part of one program.

    python3 tools/check_tree.py            prints what is wrong, one line each; exits with 1 if anything is
    python3 tools/check_tree.py --write    first writes the signs anew, and the map in docs/map.md

A room is a folder of include/regimen. It may include itself and the rooms above it in the list below. Its sign, the
header of its name beside it, includes all of its headers but those in detail/, which only the room itself may include.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADERS = ROOT / "include" / "regimen"
MAP = ROOT / "docs" / "map.md"

# From the ground up: (room, what lies in it). Those with "*" include no LibTorch.
ROOMS = [
    ("base*", "errors, whole numbers, JSON, files, locks, manifests of plain structs, the version"),
    ("record*", "the clock, scores, epochs, histories; what a part of a regime reads of them"),
    ("statistics*", "intervals of means, of paired differences, by bootstrap, of shares; agreement in order"),
    ("schedule*", "numbers that change over time: decay, warm-up, cosine, plateaus; a `Knob` is a number or a schedule"),
    ("stop*", "when a phase is over: fit, patience, gap, limits"),
    ("observe*", "the events of a run, progress, logs, files for TensorBoard, the manifest in a file"),
    ("report*", "results as tables (terminal, CSV, Markdown), pictures (SVG) and pages (HTML); not in regimen.hpp"),
    ("tensor", "what is done to any tensor: names, sums, checksums, autocast, files of NumPy's"),
    ("batch", "samples with targets and ids"),
    ("share", "several processes that train one network: who they are, and sums with the same bits for any number of them"),
    ("key", "randomness as a function of (seed, sample, moment); LibTorch's generators"),
    ("model", "a module of any kind: weights, modes, snapshots, activations in between"),
    ("loss", "cross-entropy, squared errors, any function or module"),
    ("optimizer", "any optimizer, a faster step of SGD, half precision's loss scaler"),
    ("equilibrium", "x = T(x): solvers, the gradient through a solution, proximal steps"),
    ("source", "data: in memory, streams, views of them, read ahead"),
    ("transform", "what the network is shown: inputs, labels, partners (Mixup, CutMix)"),
    ("damage", "data that are frozen as a transform left them, labels dealt anew, and what noise did"),
    ("datasets", "readers: IDX, CIFAR, mapped files, folders of images; toys"),
    ("execute", "precision, memory format, steps recorded on a GPU"),
    ("evaluate", "scores of a network, re-estimated BatchNorm statistics"),
    ("curvature", "Hessian, Gauss-Newton, Fisher and Gram matrices by their products with vectors; eigenvalues, traces, densities"),
    ("measure", "what kind of minimum: norms, distances, accuracy on a part, changed predictions"),
    ("regularize", "penalties, and what is done to gradients and weights between steps"),
    ("track", "the gap, forgetting, margins, predictions by sample, averaged and best weights"),
    ("checkpoint", "all of a run in a file, and back"),
    ("run", "phases, how they are scored, and the loop that trains them"),
    ("networks", "ResNet, VGG-16-BN, DenseNet-BC for 32x32 images; the two-layer network of theory; not in regimen.hpp"),
    ("adapt", "TorchScript, torch::data, processes over c10d; not in regimen.hpp, for they cost as much to compile as all of it"),
    ("experiment", "programs of many runs: plan, budget, results folder, jobs, processes, signals; not in regimen.hpp"),
]
LEFT_OUT = {"networks", "adapt", "report", "experiment"}  # of regimen.hpp
# The folders of tests/ that are no rooms.
KINDS = ["compile_fail", "consumer", "device", "docs", "drivers", "flagship", "fuzz", "headers", "laws", "sanitize", "support", "tree"]
# A test of a room is part of the program whose header in tests/support/ it includes; those of networks/ are one.
PROGRAMS = ["images", "numbers", "tensors", "training"]
# The one header that knows LibTorch's versions apart.
VERSION_HEADER = "tensor/libtorch.hpp"
MOST_LINES = 300
MOST_LINES_OF_FUNCTION = 60

names = [name.rstrip("*") for name, _ in ROOMS]
floor = {name: i for i, name in enumerate(names)}
torch_free = {name.rstrip("*") for name, _ in ROOMS if name.endswith("*")}
says = {name.rstrip("*"): text for name, text in ROOMS}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">\s]+)[">]', re.M)


def room_of(path):
    """The room that a header (relative to include/regimen) lies in; None for signs, forwards and regimen.hpp."""
    return path.split("/")[0] if "/" in path else None


def ours(text):
    return [name[len("regimen/") :] for _, name in INCLUDE.findall(text) if name.startswith("regimen/")]


def is_forward(text):
    return text.startswith("#pragma once\n// Moved: ")


def headers_of(room, all_headers):
    """What the room's sign includes: its headers, without detail/; those of a part with a sign of its own by that."""
    return sorted(h for h in all_headers if h.startswith(room + "/") and "/detail/" not in h)


def sign_text(folder, includes):
    room = folder.split("/")[0]
    lines = ["#pragma once"]
    if room in torch_free:
        lines.append("// No LibTorch.")
    if folder in says:
        lines += ["", f"/// {says[folder][0].upper()}{says[folder][1:]}."]
    lines.append("")
    lines += [f'#include "regimen/{name}"' for name in includes]
    return "\n".join(lines) + "\n"


def signs(texts):
    """Every sign with its text: of each room, of each part of one that has a sign, and regimen.hpp."""
    plain = [h for h, text in texts.items() if "/" in h and not is_forward(text)]
    parts = sorted({h.rsplit("/", 1)[0] for h in plain if h.count("/") == 2 and "/detail/" not in h})
    plain = [h for h in plain if h[: -len(".hpp")] not in parts]
    result = {}
    for folder in names + parts:
        result[folder + ".hpp"] = sign_text(folder, headers_of(folder, plain))
    umbrella = [
        "#pragma once",
        "",
        "/// All of regimen but " + ", ".join(f"{room}/" for room in names if room in LEFT_OUT) + ".",
        "",
    ]
    umbrella += [f'#include "regimen/{room}.hpp"' for room in sorted(names) if room not in LEFT_OUT]
    result["regimen.hpp"] = "\n".join(umbrella) + "\n"
    return result


def map_text():
    width = max(len(name) for name in names) + 3
    lines = [f"  {(name + '/').ljust(width)}{says[name]}" for name in reversed(names)]
    return "\n".join(lines)


def functions(text):
    """(line, length) of each function: a block behind parentheses or a lambda's brackets. Classes, namespaces and
    enumerations are looked into, not counted."""
    opened = []  # (line, is_function, what the block belongs to where it initializes a member)
    head, begun = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        code = re.sub(r'//.*|"(\\.|[^"\\])*"|\'(\\.|[^\'\\])\'', "", line)
        if code.lstrip().startswith("#"):
            continue
        for sign in code:
            begun = begun if head.strip() else number
            if sign == "{":
                scope = re.search(r"\b(namespace|struct|class|enum|union)\b[^()]*$", head)
                member = re.search(r"\)[^{}]*[:,]\s*\w+$", head)  # of a constructor: "A() : a{1} {"
                is_function = not scope and not member and ("(" in head or "[" in head)
                opened.append((begun, is_function, head if member else ""))
                head = ""
            elif sign == "}":
                head = ""
                if opened:
                    begin, is_function, head = opened.pop()
                    if is_function and not any(inner for _, inner, _ in opened):
                        yield begin, number - begin + 1
            else:
                head = "" if sign == ";" else head + sign
        head += " "


def cycles(texts):
    """Chains of headers that include each other in a circle."""
    state = {}

    def visit(header, path):
        state[header] = "open"
        for included in ours(texts.get(header, "")):
            if state.get(included) == "open":
                yield " -> ".join(path[path.index(included) :] + [included] if included in path else [included])
            elif included not in state:
                yield from visit(included, path + [included])
        state[header] = "done"

    for header in texts:
        if header not in state:
            yield from visit(header, [header])


def check_tests():
    tests = ROOT / "tests"
    seen = {}
    for folder in sorted(path for path in tests.iterdir() if path.is_dir()):
        if folder.name not in names + KINDS:
            yield f"tests/{folder.name} is neither a room nor a kind of test that tools/check_tree.py lists"
        if folder.name not in names + ["laws"]:
            continue
        for path in sorted(folder.glob("*.cpp")):
            file = path.relative_to(tests)
            if not path.name.endswith("_test.cpp"):
                yield f"tests/{file}: tests end in _test.cpp, and what they share is in tests/support/"
            if path.name in seen:
                yield f"tests/{file} has the name of tests/{seen[path.name]}: CTest finds the tests of a file by its name"
            seen[path.name] = file
            included = [name for _, name in INCLUDE.findall(path.read_text())]
            programs = [name for name in PROGRAMS if f"support/{name}.hpp" in included]
            if folder.name != "networks" and len(programs) != 1:
                yield f"tests/{file} must include one of support/{{{','.join(PROGRAMS)}}}.hpp: the program that it is part of"


def check():
    texts = {str(p.relative_to(HEADERS)): p.read_text() for p in sorted(HEADERS.rglob("*.hpp"))}
    wanted = signs(texts)
    for sign, text in wanted.items():
        if sign not in texts:
            yield f"{sign} is missing: run tools/check_tree.py --write"
        elif texts[sign] != text:
            yield f"{sign} must include all of its room and hold nothing else: run tools/check_tree.py --write"
    seen = {}
    for header, text in texts.items():
        room = room_of(header)
        forwards = is_forward(text)
        if len(text.splitlines()) > MOST_LINES:
            yield f"{header} has {len(text.splitlines())} lines; at most {MOST_LINES}"
        if header in wanted:
            continue
        if forwards:
            targets = ours(text)
            code = [line for line in text.splitlines()[2:] if line and not INCLUDE.match(line)]
            private = any("/detail/" in target for target in targets)
            if not targets or code or private or any(t not in texts or is_forward(texts[t]) for t in targets):
                yield f"{header} is a forward: it must include public headers that are there, and hold nothing else"
            continue
        if room is None:
            yield f"{header} is neither a sign nor a forward: it belongs in a room"
            continue
        if room not in floor:
            yield f"{header}: there is no room {room}/ in tools/check_tree.py"
            continue
        base = header.rsplit("/", 1)[1]
        if base != "concept.hpp":
            if base in seen:
                yield f"{header} has the name of {seen[base]}: a name is given once"
            seen[base] = header
        for line, length in functions(text):
            if length > MOST_LINES_OF_FUNCTION:
                yield f"{header}:{line}: a function of {length} lines; at most {MOST_LINES_OF_FUNCTION}"
        for kind, name in INCLUDE.findall(text):
            if kind == '"' and not name.startswith("regimen/"):
                yield f"{header} includes {name}: headers of ours are included by their whole path"
        for included in ours(text):
            other = room_of(included)
            if included not in texts:
                yield f"{header} includes {included}, which is not there"
            elif other is None or included in wanted or is_forward(texts[included]):
                yield f"{header} includes {included}, a sign or a forward: name the header that is needed"
            elif floor[other] > floor[room]:
                yield f"{header} may not include {included}: {other} stands above {room}"
            elif "/detail/" in included and other != room:
                yield f"{header} may not include {included}: it is for {other}/ alone"
        is_free = "\n// No LibTorch.\n" in text
        if header != VERSION_HEADER and "TORCH_VERSION" in text:
            yield f"{header} asks for LibTorch's version: give the difference a name in {VERSION_HEADER}, and ask for that"
        if room in torch_free and not is_free:
            yield f"{header} must say // No LibTorch. on its second line: {room}/ is without it"
        if is_free:
            for included in ours(text):
                if included in texts and "\n// No LibTorch.\n" not in texts[included]:
                    yield f"{header} says that it has no LibTorch and includes {included}"
            for kind, name in INCLUDE.findall(text):
                if name.startswith(("ATen/", "c10/", "torch/")):
                    yield f"{header} says that it has no LibTorch and includes {name}"
    for circle in cycles(texts):
        yield f"headers include each other in a circle: {circle}"
    for path in HEADERS.rglob("*"):
        if path.is_file() and path.suffix != ".hpp":
            yield f"{path.relative_to(HEADERS)}: headers end in .hpp"
    if map_text() not in MAP.read_text():
        yield "docs/map.md must list the rooms: run tools/check_tree.py --write"


def write():
    texts = {str(p.relative_to(HEADERS)): p.read_text() for p in HEADERS.rglob("*.hpp")}
    for sign, text in signs(texts).items():
        (HEADERS / sign).write_text(text)
    text = MAP.read_text()
    first, last = f"  {names[-1]}/", f"  {names[0]}/"
    begin = text.find("\n  " + names[-1] + "/") + 1
    end = text.find("\n", text.find("\n  " + names[0] + "/") + 1)
    if begin > 0 and end > begin:
        MAP.write_text(text[:begin] + map_text() + text[end:])


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        write()
    faults = [*check(), *check_tests()]
    print("\n".join(faults) if faults else "the tree is as its rooms say")
    sys.exit(1 if faults else 0)
