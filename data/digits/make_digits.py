#!/usr/bin/env python3
"""Write the optical digits as four IDX files, from the table inside the scikit-learn package.

    pip download scikit-learn --no-deps
    unzip scikit_learn-*.whl sklearn/datasets/data/digits.csv.gz
    python3 data/digits/make_digits.py sklearn/datasets/data/digits.csv.gz data/digits

The table has one line per image: 64 pixels in 0...16, row by row, then the digit. The first 1,437 lines
become the training split and the last 360 the test split; nothing else is changed.
"""

import csv
import gzip
import hashlib
import pathlib
import struct
import sys

TRAINING = 1437
UNSIGNED_BYTE = 0x08


def idx(shape, values):
    """The bytes of an IDX file: magic, one big-endian 32-bit extent per dimension, the values."""
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, UNSIGNED_BYTE, len(shape), *shape) + bytes(values)


def write(path, content):
    """Gzip without name and time, so that equal content gives equal bytes."""
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as compressed:
        compressed.write(content)
    print(hashlib.sha256(content).hexdigest(), path.name.removesuffix(".gz"))


def main(table, folder):
    with gzip.open(table, "rt", newline="") as file:
        lines = [[int(value) for value in line] for line in csv.reader(file)]
    assert len(lines) == 1797 and all(len(line) == 65 for line in lines)
    assert all(0 <= pixel <= 16 for line in lines for pixel in line[:64])
    for name, part in (("train", lines[:TRAINING]), ("test", lines[TRAINING:])):
        pixels = [pixel for line in part for pixel in line[:64]]
        write(folder / f"{name}-images-idx3-ubyte.gz", idx((len(part), 8, 8), pixels))
        write(folder / f"{name}-labels-idx1-ubyte.gz", idx((len(part),), [line[64] for line in part]))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
