"""Checks that the documentation lists the fields of structs as the headers declare them.

    python3 check_fields.py docs include/regimen

In all pages a table's first cell `Name{.a, .b}` names all fields of the struct, in order. In docs/fields.md a table under
the heading `## `Name`` has the columns field, type, default, meaning. A default that the header spells out (`= 128`) is
in backticks; where the header has none (`{}`), the table says what that means.
"""

import pathlib
import re
import sys

HEADING = re.compile(r"^## `(\w+)`$")
ROW = re.compile(r"^\| `(\w+)` \| `([^`]+)` \| ([^|]*) \|")
FIELD = re.compile(r"^  (?P<type>[\w:]+(?:<.*>)?) (?P<name>\w+)(?:(?: = (?P<value>[^;]+)|\{\})?;| =$)")
CELL = re.compile(r"^\| `(\w+)\{([^`]*)\}`")


def tables_of(page):
    """{struct: [(field, type, default)]}, in the page's order."""
    tables, name = {}, None
    for line in page.read_text(encoding="utf-8").split("\n"):
        if line.startswith("## "):
            heading = HEADING.match(line)
            name = heading[1] if heading else None
        row = ROW.match(line)
        if row and name:
            tables.setdefault(name, []).append((row[1], row[2], row[3].strip()))
    return tables


def fields_of(struct, headers):
    """[(field, type, default or None)] of the one header that defines the struct."""
    for header in sorted(headers.rglob("*.hpp")):
        lines = header.read_text(encoding="utf-8").split("\n")
        if f"struct {struct} {{" not in lines:
            continue
        fields = []
        for line in lines[lines.index(f"struct {struct} {{") + 1 :]:
            if line.startswith(("}", " private:")):
                return fields
            field = FIELD.match(line)
            if field:
                fields.append((field["name"], field["type"], field["value"]))
    sys.exit(f"no header of {headers} defines struct {struct}")


def faults(tables, headers):
    for struct, rows in tables.items():
        fields = fields_of(struct, headers)
        written, real = [row[0] for row in rows], [field[0] for field in fields]
        if written != real:
            yield f"{struct}: the table lists {', '.join(written)}; the header {', '.join(real)}"
            continue
        for (name, written_type, default), (_, real_type, value) in zip(rows, fields):
            if written_type != real_type:
                yield f"{struct}::{name}: the table says {written_type}, the header {real_type}"
            if value == f"{real_type}()":  # `{}` by another name
                value = None
            if value is not None and default != f"`{value}`":
                yield f"{struct}::{name}: the table's default is {default}, the header's `{value}`"


def faults_of_cells(page, headers):
    for line in page.read_text(encoding="utf-8").split("\n"):
        cell = CELL.match(line)
        if cell and (cell[2] == "" or cell[2].startswith(".")):
            written = [name.strip() for name in cell[2].split(",") if name]
            real = [f".{field[0]}" for field in fields_of(cell[1], headers)]
            if written != real:
                yield f"{page.name}: {cell[1]} has the fields {', '.join(real)}; the table names {', '.join(written)}"


docs, include = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
found = tables_of(docs / "fields.md")
if not found:
    sys.exit("fields.md has no table of fields")
wrong = list(faults(found, include))
for each in sorted(docs.glob("*.md")):
    wrong += faults_of_cells(each, include)
sys.exit("\n".join(wrong) if wrong else 0)
