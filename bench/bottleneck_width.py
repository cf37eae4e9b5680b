#!/usr/bin/env python3
"""Does the best width of a bottleneck follow the intrinsic dimension of the data?

Trains autoencoders ae:128,W and classifiers mlp:128,W with `crrm train` for W = 1 .. 16, on
manifolds of known dimension in 64 dimensions and on images, over seeds. Prints one JSON line a run
and, with --table, a Markdown table made of such lines: for each data set the smallest width within
one point of the best, mean and 95 % interval over seeds (Student's t), beside the dimension.

usage: bottleneck_width.py FOLDER --crrm build/crrm [--mnist DIR] [--fashion DIR] > runs.jsonl
       bottleneck_width.py --table runs.jsonl
"""
import argparse
import gzip
import json
import math
import pathlib
import shutil
import subprocess

import numpy as np

WIDTHS = [1, 2, 3, 4, 6, 8, 12, 16]
SEEDS = [0, 1, 2]
DIMENSIONS = [2, 4, 8]
AMBIENT, TRAIN, TEST = 64, 4000, 1000
STUDENT = [math.nan, 12.706, 4.303, 3.182, 2.776]  # two-sided 95 %, by degrees of freedom


def manifold(dimension: int) -> dict:
    """Uniform in a cube, through a random smooth map into AMBIENT dimensions, and 4 classes: the
    quarters of another smooth function of the same coordinates."""
    random = np.random.default_rng(dimension)
    z = random.uniform(-1, 1, (TRAIN + TEST, dimension))
    inner = random.normal(0, 1.5 / math.sqrt(dimension), (dimension, 256))
    hidden = np.tanh(z @ inner + random.normal(0, 0.5, 256))
    x = hidden @ random.normal(0, 1 / 16, (256, AMBIENT))
    score = np.sin(2 * z).sum(1) + z.prod(1)
    y = np.searchsorted(np.quantile(score, [0.25, 0.5, 0.75]), score)
    x = ((x - x.mean(0)) / x.std()).astype(np.float32)
    y = y.astype(np.int64)
    return {"x_train": x[:TRAIN], "y_train": y[:TRAIN], "x_test": x[TRAIN:], "y_test": y[TRAIN:]}


def images(folder: pathlib.Path, train: int = 8000, test: int = 2000) -> dict:
    """The first of MNIST's or Fashion-MNIST's files."""
    def read(name, header):
        path = next(folder.glob(name + "*"))
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            return np.frombuffer(file.read(), np.uint8, offset=header)
    arrays = {}
    for part, prefix, count in (("train", "train", train), ("test", "t10k", test)):
        pixels = read(prefix + "-images-idx3-ubyte", 16)[: count * 784]
        arrays["x_" + part] = (pixels.reshape(count, 784) / 255).astype(np.float32)
        arrays["y_" + part] = read(prefix + "-labels-idx1-ubyte", 8)[:count].astype(np.int64)
    return arrays


def run(crrm: str, architecture: str, data: pathlib.Path, seed: int, epochs: int,
        folder: pathlib.Path) -> float:
    output = folder / "run"
    shutil.rmtree(output, ignore_errors=True)
    subprocess.run([crrm, "train", architecture, "--data", data, "--epochs", str(epochs), "--seed",
                    str(seed), "--threads", "1", "--optimizer", "adamw", "--learning-rate", "0.003",
                    "--batch", "64", "-q", "-o", output],
                   check=True, stdout=subprocess.DEVNULL)
    report = json.loads((output / "report.json").read_text())
    return report["stages"][-1]["metric"]["test"]


def train(arguments) -> None:
    folder = pathlib.Path(arguments.folder)
    folder.mkdir(parents=True, exist_ok=True)
    sets = {f"manifold-{d}": (manifold(d), 40) for d in DIMENSIONS}
    for name, path in (("mnist", arguments.mnist), ("fashion", arguments.fashion)):
        if path:
            sets[name] = (images(pathlib.Path(path)), 8)
    paths = {}
    for name, (arrays, epochs) in sets.items():
        paths[name] = (folder / f"{name}.npz", epochs)
        np.savez(paths[name][0], **arrays)
    if arguments.digits:
        paths["digits"] = (pathlib.Path(arguments.digits), 60)
    for seed in SEEDS:
        for name, (path, epochs) in paths.items():
            for family in ("ae", "mlp"):
                for width in WIDTHS:
                    metric = run(arguments.crrm, f"{family}:128,{width}", path, seed, epochs, folder)
                    print(json.dumps({"data": name, "family": family, "width": width, "seed": seed,
                                      "metric": metric}), flush=True)


def best_width(metrics: dict) -> int:
    """The smallest width within a point of the best. @param metrics  by width"""
    best = max(metrics.values())
    return min(width for width, metric in metrics.items() if metric >= best - 0.01)


def table(path: str) -> None:
    runs = [json.loads(line) for line in open(path)]
    print("| data | network | " + " | ".join(f"W = {w}" for w in WIDTHS) + " | best width |")
    print("|---" * (len(WIDTHS) + 3) + "|")
    for name, family in dict.fromkeys((r["data"], r["family"]) for r in runs):
        own = [r for r in runs if r["data"] == name and r["family"] == family]
        means = [100 * np.mean([r["metric"] for r in own if r["width"] == w]) for w in WIDTHS]
        best = [best_width({r["width"]: r["metric"] for r in own if r["seed"] == seed})
                for seed in sorted({r["seed"] for r in own})]
        n = len(best)
        half = STUDENT[n - 1] * np.std(best, ddof=1) / math.sqrt(n) if n > 1 else math.nan
        cells = " | ".join(f"{mean:.1f}" for mean in means)
        print(f"| {name} | {family} | {cells} | {np.mean(best):.1f} ± {half:.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--crrm", default="build/crrm")
    parser.add_argument("--mnist")
    parser.add_argument("--fashion")
    parser.add_argument("--digits")
    parser.add_argument("--table")
    arguments = parser.parse_args()
    if arguments.table:
        table(arguments.table)
    else:
        train(arguments)


if __name__ == "__main__":
    main()
