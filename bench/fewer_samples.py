#!/usr/bin/env python3
"""Takes a share of the training samples of IDX files; the test part stays whole.

usage: fewer_samples.py DATA SHARE FOLDER
"""
import pathlib
import shutil
import sys

import numpy as np


def take(source, target, chosen):
    data = source.read_bytes()
    rank = data[3]
    shape = np.frombuffer(data, ">i4", rank, 4)
    samples = np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)[chosen]
    target.write_bytes(data[:4] + np.array(samples.shape, ">i4").tobytes() + samples.tobytes())


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    data, share, folder = pathlib.Path(sys.argv[1]), float(sys.argv[2]), pathlib.Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    images, labels = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
    count = (data / labels).stat().st_size - 8
    chosen = np.random.default_rng(0).permutation(count)[:round(share * count)]
    for name in (images, labels):
        take(data / name, folder / name, chosen)
    for name in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        shutil.copy(data / name, folder / name)


if __name__ == "__main__":
    main()
