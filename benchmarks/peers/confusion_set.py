"""The paper's confusion set, generated and stored (Liu et al. 2020).

    python3 confusion_set.py --images 500 --copies 10

Of each image so many copies; in each copy a random tenth of the 3,072 channel entries is set to zero, and the label is
drawn uniformly from all ten. `go` is one whole set, written to --path. The answer has three numbers: seconds, bytes of
the file, and the peak of this process's resident memory so far in MB (2^20 bytes). Time and bytes grow with images
times copies; so does the memory, on top of what the interpreter and the images take. A variant stands for:

    authors  the authors' generator: a deep copy of the image, a shuffled range of all entries, of which the first tenth
             are set one by one in Python, a list that becomes an array, np.savez_compressed
    choice   what one would write today: Generator.choice without replacement and one assignment a copy, np.savez

The images are random bytes, which do not compress; their copies, one behind the other, do. Needs NumPy, not PyTorch.
"""

import argparse
import copy
import os
import tempfile

import numpy as np

from serve import serve

SIDE = 32
CHANNELS = 3
ENTRIES = SIDE * SIDE * CHANNELS
CLASSES = 10


def authors_copy(image, zeros):
    entries = np.arange(ENTRIES)
    np.random.shuffle(entries)
    spoilt = copy.deepcopy(image)
    for entry in entries[:zeros]:  # NumPy's integers, as theirs: Python's own would be a third faster
        channel = entry // (SIDE * SIDE)
        spoilt[entry % SIDE, (entry - channel * SIDE * SIDE) // SIDE, channel] = 0
    return spoilt


def chosen_copy(image, zeros, random):
    spoilt = image.copy()
    spoilt.reshape(-1)[random.choice(ENTRIES, zeros, replace=False)] = 0
    return spoilt


def generate(images, copies, spoil, draw_label):
    data, labels = [], []
    for image in images:
        for _ in range(copies):
            data.append(spoil(image))
            labels.append(draw_label())
    return np.array(data), np.array(labels)


def peak_memory():
    """Of this program, in MB. getrusage would count the process that started it as well."""
    with open("/proc/self/status") as status:
        kilobytes = next(line.split()[1] for line in status if line.startswith("VmHWM"))
    return int(kilobytes) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variant", default="authors", choices=["authors", "choice"])
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--copies", type=int, default=10)
    parser.add_argument("--fraction", type=float, default=0.1, help="of the entries that are set to zero")
    parser.add_argument("--path", help="of the file, overwritten by every go; default: a temporary one")
    arguments = parser.parse_args()

    np.random.seed(1)
    random = np.random.default_rng(1)
    images = random.integers(256, size=(arguments.images, SIDE, SIDE, CHANNELS), dtype=np.uint8)
    zeros = int(ENTRIES * arguments.fraction)

    def store(images, path):
        # A file object: with a name, np.savez would add .npz where it is missing.
        with open(path, "wb") as file:
            if arguments.variant == "authors":
                data, labels = generate(images, arguments.copies, lambda image: authors_copy(image, zeros),
                                        lambda: np.random.randint(CLASSES))
                np.savez_compressed(file, data=data, labels=labels)
            else:
                data, labels = generate(images, arguments.copies, lambda image: chosen_copy(image, zeros, random),
                                        lambda: random.integers(CLASSES))
                np.savez(file, data=data, labels=labels)
        return os.path.getsize(path), f"{peak_memory():.1f}"

    with tempfile.TemporaryDirectory() as folder:
        path = arguments.path or os.path.join(folder, "confusion.npz")
        store(images[:2], path)
        serve(lambda: store(images, path))


if __name__ == "__main__":
    main()
