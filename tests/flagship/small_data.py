"""Data for the flagship's tests, in the formats of the real ones.

    small_data.py FULL_FOLDER SMALL_FOLDER     a few images of Fashion-MNIST
    small_data.py --cifar FOLDER               a CIFAR-10 of noise
"""

import gzip
import pathlib
import random
import struct
import sys

KEEP = {"train": 400, "t10k": 300}


def reduce_fashion(full, small):
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


def make_cifar(folder):
    folder = folder / "cifar-10-batches-bin"
    folder.mkdir(parents=True, exist_ok=True)
    noise = random.Random(1)
    for name in [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]:
        records = [bytes([i % 10]) + noise.randbytes(3072) for i in range(20)]
        (folder / name).write_bytes(b"".join(records))


if sys.argv[1] == "--cifar":
    make_cifar(pathlib.Path(sys.argv[2]))
else:
    reduce_fashion(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
