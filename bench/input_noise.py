#!/usr/bin/env python3
"""Accuracy of compressed networks under noise at their inputs.

usage: input_noise.py BENCH...      folders of `crrm bench`, of models on IDX files or CIFAR-10

Adds Gaussian noise, the same to every network, to the test images (pixels from 0 to 1, before the
network's normalisation) and runs each cell's model.onnx in ONNX Runtime. Prints a Markdown table:
one row for each model and setting, mean and standard deviation over seeds, in per cent.
"""
import collections
import json
import pathlib
import statistics
import sys

import numpy as np
import onnxruntime

DEVIATIONS = [0.0, 0.02, 0.05, 0.1, 0.2, 0.3]
BATCH = 500


def idx(path):
    data = path.read_bytes()
    shape = np.frombuffer(data, ">i4", data[3], 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def test_data(folder):
    """Images [N, C, H, W] of bytes and labels [N]."""
    cifar = folder / "test_batch.bin"
    if cifar.exists():
        rows = np.frombuffer(cifar.read_bytes(), np.uint8).reshape(-1, 1 + 3 * 32 * 32)
        return rows[:, 1:].reshape(-1, 3, 32, 32), rows[:, 0]
    return (idx(folder / "t10k-images-idx3-ubyte")[:, None],
            idx(folder / "t10k-labels-idx1-ubyte"))


def normalisation(text):
    """(scale, mean, std) of "scale=S mean=M,.. std=D,..", each [1, C, 1, 1] or one number."""
    given = dict(word.split("=") for word in text.split())
    numbers = {key: np.array([float(v) for v in value.split(",")], np.float32).reshape(1, -1, 1, 1)
               for key, value in given.items()}
    return numbers.get("scale", 1 / 255), numbers.get("mean", 0), numbers.get("std", 1)


def accuracies(folder, data):
    """Of the network in a folder of `crrm compress`, for each of DEVIATIONS."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    path = pathlib.Path(report["data"]["path"])
    if path not in data:
        data[path] = test_data(path)
    images, labels = data[path]
    scale, mean, std = normalisation(report["config"]["normalise"])
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    entry = session.get_inputs()[0]
    result = []
    for deviation in DEVIATIONS:
        random = np.random.default_rng(0)
        right = 0
        for start in range(0, len(images), BATCH):
            x = images[start:start + BATCH].astype(np.float32)
            x += 255 * deviation * random.standard_normal(x.shape, np.float32)
            x = ((x * scale - mean) / std).reshape(len(x), *entry.shape[1:]).astype(np.float32)
            scores = session.run(None, {entry.name: x})[0]
            right += int((scores.argmax(1) == labels[start:start + BATCH]).sum())
        result.append(100 * right / len(images))
    return result


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    rows, data = collections.defaultdict(list), {}
    for bench in map(pathlib.Path, sys.argv[1:]):
        cells = json.loads((bench / "bench.json").read_text(encoding="utf-8"))["cells"]
        for cell in cells:
            if cell["error"] is None:
                name = f"{cell['model']} | {cell['method']}, {cell['budget']}"
                rows[name].append(accuracies(bench / cell["folder"], data))
    print("| model | run | seeds |", " | ".join(f"{d:g}" for d in DEVIATIONS), "|")
    print("|---|---|---|" + "---|" * len(DEVIATIONS))
    for name, runs in sorted(rows.items()):
        spread = [f"{statistics.mean(v):.2f} ± {statistics.stdev(v) if len(v) > 1 else 0:.2f}"
                  for v in zip(*runs)]
        print(f"| {name} | {len(runs)} |", " | ".join(spread), "|", flush=True)


if __name__ == "__main__":
    main()
