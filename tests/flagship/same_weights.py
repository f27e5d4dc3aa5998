"""Whether two folders hold checkpoints of the same numbers, bit for bit.

    python3 same_weights.py FOLDER FOLDER

A checkpoint is a zip archive in which every tensor is a record of its own. The files are not the same bytes: they hold
wall times, and LibTorch 1.13 writes an optimizer's state in the order of addresses. So the records are compared as a
set; only the two with wall times, the epochs' numbers and the sums of the state, may differ.
"""

import collections
import sys
import zipfile
from pathlib import Path


def tensors(path):
    """The bytes of each tensor of a checkpoint, with how often they occur."""
    with zipfile.ZipFile(path) as archive:
        return collections.Counter(archive.read(name) for name in archive.namelist() if "/data/" in name)


def main(left, right):
    files = sorted(path.name for path in Path(left).glob("*.pt"))
    assert files, "no checkpoints"
    assert files == sorted(path.name for path in Path(right).glob("*.pt")), "other files"
    for name in files:
        a, b = tensors(Path(left) / name), tensors(Path(right) / name)
        assert a.total() == b.total(), name
        differing = a - b
        assert differing.total() <= 2, (name, [len(content) for content in differing])
        assert sum(len(content) for content in a) > 300_000, name


main(*sys.argv[1:])
