"""Whether two folders hold checkpoints of the same weights, bit for bit.

    python3 same_weights.py FOLDER FOLDER

A checkpoint holds wall times too, so the files differ. They are zip archives: all tensors of the things that were saved
lie in records of their own, and those of the things, not of the state, must be the same bytes.
"""

import sys
import zipfile
from pathlib import Path


def tensors(path):
    """The bytes of each tensor of a checkpoint's things, by the record's name."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if "/data/" in name]
        return {name.split("/", 1)[1]: archive.read(name) for name in names}


def main(left, right):
    files = sorted(path.name for path in Path(left).glob("*.pt"))
    assert files, "no checkpoints"
    assert files == sorted(path.name for path in Path(right).glob("*.pt")), "other files"
    for name in files:
        a, b = tensors(Path(left) / name), tensors(Path(right) / name)
        assert a.keys() == b.keys(), name
        differing = [key for key in a if a[key] != b[key]]
        # Two tensors of the state hold wall times: the epochs' numbers and the sums.
        assert len(differing) <= 2, (name, differing)
        assert sum(len(a[key]) for key in a if key not in differing) > 1_000_000, name


main(*sys.argv[1:])
