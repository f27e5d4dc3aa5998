"""Makes programs of the code blocks of Markdown pages, so that what the documentation shows is compiled and run.

    python3 extract.py OUT README.md docs/*.md

writes OUT/plain.cpp, OUT/adapt.cpp (pages that use the costly headers of regimen/adapt/), OUT/refused.cpp and the
Python blocks. The first two are Catch2 test cases, one a block, tagged with the page's name; those of a page run in its
order and in one folder.

A ```cpp block is the body of a test case: it sees the members of docs::Setup (support.hpp) and may include headers. A
```python block is a script. A comment before a block, alone on its line, says more:

    <!-- toplevel -->           declarations, for all later blocks of the page
    <!-- needs python -->       run only if a Python with PyTorch was there for the Python blocks
    <!-- does not compile -->   goes to refused.cpp, a case for ../compile_fail/check.cmake

and so does what comes right behind it:

    <!-- check: EXPRESSION -->  must be true at the block's end
    ```text                     the message of the regimen::Error that the block throws, or of the compiler; its lines
                                are joined by a space

Blocks that are files, and comments on commands, are for commands.py.
"""

import json
import pathlib
import re
import sys

FENCE = re.compile(r"^```(\w*)$")
COMMENT = re.compile(r"^<!-- (.*) -->$")
MARKS = {"toplevel", "needs python", "does not compile"}
OF_COMMANDS = ("not run: ", "run by: ", "as in: ", "file: ", "drawn: ")  # see commands.py


class Block:
    def __init__(self, page, language, line, code, marks):
        self.page, self.language, self.line, self.code, self.marks = page, language, line, code, marks
        self.checks = []
        self.message = None  # of the error that it must throw

    @property
    def place(self):
        return f"{self.page.name}:{self.line}"

    def lines(self):
        """The code without its includes, its first line named to the compiler."""
        return [f'#line {self.line + 1} "{self.page}"'] + ["" if is_include(line) else line for line in self.code]


def is_include(line):
    return line.startswith("#include")


def blocks_of(page):
    """The ```cpp and ```python blocks of a page, with what their comments and ```text blocks say of them."""
    lines = page.read_text(encoding="utf-8").split("\n")
    blocks, marks, last = [], [], None  # last: the block that a check or a message would belong to
    i = 0
    while i < len(lines):
        fence, comment = FENCE.match(lines[i]), COMMENT.match(lines[i])
        if fence:
            begin = i
            i += 1
            while lines[i] != "```":
                i += 1
            code = lines[begin + 1 : i]
            if fence[1] in ("cpp", "python") and "file" not in marks:
                last = Block(page, fence[1], begin + 1, code, marks)
                blocks.append(last)
            elif fence[1] == "text" and last:
                last.message = " ".join(code)
            else:
                last = None
            marks = []
        elif comment and comment[1].startswith("check: ") and last:
            last.checks.append(comment[1].removeprefix("check: "))
        elif comment and comment[1] in MARKS:
            marks.append(comment[1])
        elif comment and comment[1].startswith(OF_COMMANDS):
            last, marks = None, ["file"] if comment[1].startswith("file: ") else []
        elif comment:
            sys.exit(f"{page}:{i + 1}: no such mark: {comment[1]}")
        elif lines[i]:
            last, marks = None, []
        i += 1
    return blocks


def test_case(block, body):
    """The body as a member function, not by TEST_CASE_METHOD: there Catch2 takes the name `test` for itself."""
    guard = ["    if (!docs::has_python()) {", "      return;", "    }"] if "needs python" in block.marks else []
    name = f"Block{block.line}"
    lines = [f"struct {name} : docs::Setup {{", "  void body() {", *guard, *body, "  }", "};"]
    return lines + [f'TEST_CASE("{block.place}", "[{block.page.stem}]") {{', f"  {name}().body();", "}", ""]


def cpp_case(block):
    checks = [f"  CHECK(({check}));" for check in block.checks]
    if block.message is None:
        return test_case(block, block.lines() + checks)
    message = json.dumps(block.message, ensure_ascii=False)
    body = ["  const auto block = [&] {", *block.lines(), "  };", f"  CHECK(docs::error_of(block) == {message});"]
    return test_case(block, body + checks)


def python_case(block, out):
    script = out / f"{block.page.stem}-{block.line}.py"
    script.write_text("\n".join(block.code) + "\n", encoding="utf-8")
    return test_case(block, [f"  docs::run_python({json.dumps(str(script))});"])


def program(pages, out):
    """A translation unit of all blocks of the pages."""
    includes = ['#include "docs/support.hpp"']
    body = []
    for page, blocks in pages:
        name = re.sub(r"\W", "_", page.stem)
        body += [f"namespace page_{name} {{", "namespace rg = regimen;", ""]
        body += [f'TEST_CASE("{page.name} has a folder of its own", "[{page.stem}]") {{']
        body += [f'  docs::enter_folder_of("{page.stem}");', "}", ""]
        for block in blocks:
            includes += [line for line in block.code if is_include(line)]
            if block.language == "python":
                body += python_case(block, out)
            elif "does not compile" in block.marks:
                continue
            elif "toplevel" in block.marks:
                body += block.lines() + [""]
            else:
                body += cpp_case(block)
        body += [f"}}  // namespace page_{name}", ""]
    return list(dict.fromkeys(includes)) + [""] + body


def refused(blocks):
    """One file that must not compile, with each message once: as regular expressions, where only letters matter."""
    expected = [f"// expect: {re.sub(r'[^A-Za-z0-9 ,]', '.', block.message)}" for block in blocks]
    lines = expected + ["#include <torch/nn/modules/linear.h>", "#include <torch/optim/sgd.h>"]
    lines += ["#include <regimen/regimen.hpp>", "", "namespace rg = regimen;", ""]
    for block in blocks:
        seen = "torch::nn::Linear& net, const rg::Source& train"
        lines += [f"void at_line_{block.line}([[maybe_unused]] {seen.replace(', ', ', [[maybe_unused]] ')}) {{"]
        lines += block.lines() + ["}", ""]
    return lines


def main():
    out = pathlib.Path(sys.argv[1])
    pages = [(pathlib.Path(name), blocks_of(pathlib.Path(name))) for name in sys.argv[2:]]
    pages = [(page, blocks) for page, blocks in pages if blocks]
    costly = [page for page, blocks in pages if any("regimen/adapt/" in line for b in blocks for line in b.code)]
    files = {
        "plain.cpp": program([entry for entry in pages if entry[0] not in costly], out),
        "adapt.cpp": program([entry for entry in pages if entry[0] in costly], out),
        "refused.cpp": refused([b for _, blocks in pages for b in blocks if "does not compile" in b.marks]),
    }
    for name, lines in files.items():
        (out / name).write_text("\n".join(lines), encoding="utf-8")


main()
