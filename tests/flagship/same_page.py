#!/usr/bin/env python3
"""Sees that a committed report says what the program writes now.

    python3 same_page.py COMMITTED/report.html WRITTEN/report.html COMMAND ...

Compares headings, texts, tables and the words in pictures, not styles nor where a line lies to a hundredth of a px: the
committed tables are read back without a loss, and the looks of a page may change. COMMAND is what writes it anew.
"""

import difflib
import sys
import xml.etree.ElementTree as tree


def words_of(path):
    """What the page says, a line for each text, row and image."""
    with open(path, encoding="utf-8") as file:
        root = tree.fromstring(file.read().split("\n", 1)[1])
    lines = []

    def look(element):
        kind = element.tag.rsplit("}", 1)[-1]
        if kind == "style":
            return
        if kind == "img":
            lines.append(f"image: {element.get('alt')}")
        elif kind == "tr":
            lines.append(" | ".join("".join(cell.itertext()).strip() for cell in element))
        elif kind in ("p", "h1", "h2", "pre", "caption", "figcaption", "summary", "text", "title", "desc"):
            lines.append(f"{kind}: {''.join(element.itertext()).strip()}")
        else:
            for child in element:
                look(child)

    look(root)
    return lines


def main(committed, written, *command):
    there, here = words_of(committed), words_of(written)
    if there == here:
        return 0
    print("\n".join(list(difflib.unified_diff(there, here, committed, written, lineterm="", n=0))[:40]))
    print(f"\nIf this is meant, write it anew and commit it: {' '.join(command)}")
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
