"""Cuts Fashion-MNIST down to a few images, in the same format.

usage: reduce_data.py FULL_FOLDER SMALL_FOLDER
"""
import gzip
import pathlib
import struct
import sys

KEEP = {"train": 400, "t10k": 300}


def main():
    full, small = (pathlib.Path(name) for name in sys.argv[1:])
    small.mkdir(parents=True, exist_ok=True)
    for part, keep in KEEP.items():
        with gzip.open(full / f"{part}-images-idx3-ubyte.gz") as file:
            magic, _, rows, columns = struct.unpack(">4I", file.read(16))
            pixels = file.read(keep * rows * columns)
        (small / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">4I", magic, keep, rows, columns) + pixels)
        with gzip.open(full / f"{part}-labels-idx1-ubyte.gz") as file:
            magic, _ = struct.unpack(">2I", file.read(8))
            labels = file.read(keep)
        (small / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", magic, keep) + labels)


if __name__ == "__main__":
    main()
