"""Writes the seeds of the corpus: files that are right, and files that are wrong in one way each.

    python3 tests/fuzz/make_corpus.py tests/fuzz/corpus [fuzz-replay]

The checkpoints among them are written by LibTorch, through the program fuzz-replay.
"""

import gzip
import os
import struct
import subprocess
import sys
import zlib

root = sys.argv[1]


def write(target, name, content):
    os.makedirs(os.path.join(root, target), exist_ok=True)
    with open(os.path.join(root, target, name), "wb") as file:
        file.write(content)


def packed(content, level=9):
    return gzip.compress(content, level, mtime=0)


def pattern(length):
    return bytes(i * 37 % 251 for i in range(length))


def idx(code, sizes, content):
    return bytes([0, 0, code, len(sizes)]) + b"".join(struct.pack(">I", size) for size in sizes) + content


WIDTHS = {0x08: 1, 0x09: 1, 0x0B: 2, 0x0C: 4, 0x0D: 4, 0x0E: 8}


def idx_seeds():
    for code, width in WIDTHS.items():
        write("idx", f"type-{code}", idx(code, [2, 3], pattern(6 * width)))
    for dimensions in range(10):
        write("idx", f"dimensions-{dimensions}", idx(8, [1] * dimensions, b"x"))
    good = idx(0x0B, [3, 2], pattern(12))
    for length in range(len(good)):
        write("idx", f"cut-{length}", good[:length])
    write("idx", "longer", good + b"x")
    write("idx", "packed", packed(good))
    write("idx", "stored", packed(good, 0))
    write("idx", "two-members", packed(good[:9]) + packed(good[9:]))
    write("idx", "garbage-after", packed(good) + b"garbage")
    write("idx", "packed-cut", packed(good)[:-3])
    write("idx", "packed-wrong-sum", packed(good)[:-8] + bytes(8))
    write("idx", "packed-nothing", packed(b""))
    write("idx", "packed-zeros", packed(idx(8, [10, 28, 28], bytes(7840))))
    # Headers that lie: a gigabyte, and products around 2^32, 2^63 and 2^64.
    write("idx", "lie-2-30", idx(8, [1 << 30], b"x"))
    write("idx", "lie-2-30-packed", packed(idx(8, [1 << 30], b"x")))
    write("idx", "lie-2-32", idx(8, [1 << 16, 1 << 16], b""))
    write("idx", "lie-2-63", idx(8, [1 << 31, 1 << 31, 2], b""))
    write("idx", "lie-2-64", idx(8, [1 << 31, 1 << 31, 4], b""))
    write("idx", "lie-most-packed", packed(idx(14, [(1 << 32) - 1] * 8, b"x")))
    write("idx", "size-0", idx(8, [3, 0], b""))


def records(labels, label_bytes=1, pixels=3072):
    return b"".join(bytes(label_bytes - 1) + bytes([label]) + pattern(pixels) for label in labels)


def record_seeds():
    good = records([0, 9])
    for name, content in {
        "one": records([3]),
        "two": good,
        "empty": b"",
        "label-10": records([3, 10]),
        "label-255": records([255]),
        "short": good[:-1],
        "long": good + b"x",
    }.items():
        write("cifar", name, content)
        write("mapped", name, bytes([0, 0]) + content)
    write("cifar", "packed", packed(good))
    write("cifar", "packed-zeros", packed(bytes(3 * 3073)))
    write("cifar", "packed-cut", packed(good)[:-5])
    write("cifar", "packed-short", packed(good[:-1]))
    # Read as CIFAR-100, two label bytes a record.
    write("cifar", "hundred", bytes([19, 99]) + pattern(3072) + bytes(3074))
    write("cifar", "hundred-packed", packed(bytes([0, 5]) + pattern(3072)))
    write("cifar", "hundred-coarse-20", bytes([20, 99]) + pattern(3072))
    write("cifar", "hundred-fine-100", bytes([19, 100]) + pattern(3072))
    write("cifar", "hundred-short", bytes([19, 99]) + pattern(3071))
    write("mapped", "packed", bytes([0, 0]) + packed(good))
    write("mapped", "two-files", bytes([0, 1]) + good)
    write("mapped", "two-files-second-short", bytes([0, 1]) + good[:-1])
    write("mapped", "layout-1", bytes([1, 0]) + records([99], 2))
    write("mapped", "layout-2", bytes([2, 3]) + pattern(20))
    write("mapped", "layout-3", bytes([3, 2]) + records([1, 2, 3, 4], 1, 6))
    write("mapped", "layout-4", bytes([4, 1]) + records([0, 0, 0], 3, 4))
    write("mapped", "layout-5", bytes([5, 200]) + records([0, 99, 5], 2, 5))


def just_above(header, records, record):
    """A packed file of so many records, zeros but for some noise, that is just longer than its packed length doubled
    again and again: worst for a buffer that grows so, which has to double once more for the last few bytes."""

    def content(noise):
        body = bytearray(header + bytes(records * record))
        for i in range(noise):
            at = len(header) + i // (record - 1) * record + 1 + i % (record - 1)  # the labels stay 0
            body[at] = i * i * 2654435761 >> 11 & 255
        return bytes(body)

    def overflow(noise):
        file = content(noise)
        buffer = len(packed(file))
        while 2 * buffer < len(file):
            buffer *= 2
        return len(file) / buffer

    return packed(content(min(range(0, 8000, 20), key=overflow)))


def large_seeds():
    """What is large beside a reader's fixed buffers, and small when it is packed: for the bound on memory."""
    million = 1 << 20
    write("idx-large", "bytes", packed(idx(8, [4, million], bytes(4 * million))))
    write("idx-large", "doubles", packed(idx(14, [million // 2], bytes(4 * million))))
    write("idx-large", "more-than-said", packed(idx(8, [million], bytes(4 * million))))
    write("idx-large", "as-said", just_above(idx(8, [600, 3073], b""), 600, 3073))
    write("idx-large", "less-than-said", just_above(idx(8, [1 << 31], b""), 600, 3073))
    write("cifar-large", "records", just_above(b"", 600, 3073))
    write("cifar-large", "short", just_above(b"\0", 600, 3073))


def checkpoint_seeds(replay):
    os.makedirs(os.path.join(root, "checkpoint"), exist_ok=True)
    subprocess.run([replay, "write-checkpoints", os.path.join(root, "checkpoint")], check=True)
    with open(os.path.join(root, "checkpoint", "at-the-start.pt"), "rb") as file:
        good = file.read()
    archive = good[: good.rindex(b"regimen-checkpoint ")]
    write("checkpoint", "empty", b"")
    write("checkpoint", "cut", good[:1000])
    write("checkpoint", "no-seal", archive)
    write("checkpoint", "cut-in-seal", good[:-1])
    write("checkpoint", "changed", good[:200] + b"?" + good[201:])
    for footer in (b"2 %08x", b"0 %08x", b"-1 %08x", b"99999999999 %08x", b"1%08x", b"1  %08x", b"1 %08X", b"x %08x"):
        name = footer.split(b"%")[0].decode().strip().replace(" ", "_") or "none"
        whole = archive + b"regimen-checkpoint " + footer % zlib.crc32(archive)
        write("checkpoint", f"seal-{name}-{len(footer)}", whole)
    footer_of_nothing = b"regimen-checkpoint 1 %08x" % zlib.crc32(b"")
    write("checkpoint", "seal-alone", footer_of_nothing)


def state_seeds():
    write("state", "empty", b"")
    write("state", "epochs", bytes([0, 0, 3, 3]) + pattern(400))
    write("state", "other-layer", bytes([0, 1]))
    for part in range(12):
        for how in range(8):
            # One change, no epochs, no outcomes, zeros for the clock (5), the sums (3) and the samples, then the change.
            write("state", f"change-{part}-{how}", bytes([1, 0, 0, 0] + [0] * 9 + [part, how, 1, 7]))


idx_seeds()
record_seeds()
large_seeds()
state_seeds()
if len(sys.argv) > 2:
    checkpoint_seeds(sys.argv[2])
