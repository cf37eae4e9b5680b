"""Intrinsic dimension: crrm beside scikit-dimension and DADApy, in turns, with the same values.

    pip install scikit-dimension dadapy
    python bench/intrinsic_dimension.py build/bench_intrinsic_dimension [THREADS]

Prints medians of wall time and of processor time; other programs on the machine disturb the first.
"""
import os
import statistics
import subprocess
import sys
import tempfile
import time

BENCH, THREADS = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "1"
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = THREADS

import numpy as np  # after the number of threads
import skdim
from dadapy import Data

RUNS = 3


def own(mode, path, shape):
    before = os.times()
    out = subprocess.run([BENCH, mode, *map(str, shape), THREADS, path], check=True,
                         capture_output=True, text=True).stdout.split()
    after = os.times()
    # The program runs three times, and reads the points once.
    user = (after.children_user + after.children_system
            - before.children_user - before.children_system) / 3
    return float(out[0]), user, [float(value) for value in out[1:]]


def two_nn(points):
    return [skdim.id.TwoNN(discard_fraction=0, method="mle").fit(points).dimension_]


def gride(points):
    data = Data(points, maxk=128, n_jobs=int(THREADS))
    return list(data.return_id_scaling_gride(range_max=128)[0])


def simplex_skewness(points):
    return [skdim.id.ESS().fit(points, n_neighbors=100).dimension_]


def separability(points):
    return [float(skdim.id.FisherS().fit(points).dimension_)]


def sphere(points, dimensions):
    x = np.random.RandomState(0).randn(points, dimensions + 1)
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def main():
    wide = np.random.RandomState(0).randn(20000, 256).astype(np.float32)
    cases = [("two_nn", two_nn, wide, 1e-6), ("gride", gride, wide, 1e-3),
             ("separability", separability, sphere(2500, 10), 1e-5),
             ("simplex_skewness", simplex_skewness, sphere(2500, 10), 1e-5)]
    for mode, rival, points, tolerance in cases:
        runs = 1 if mode == "simplex_skewness" else RUNS
        if mode == "separability":
            rival(points[:100])  # compiles its kernel
        theirs, ours = [], []
        with tempfile.NamedTemporaryFile() as file:
            points.tofile(file.name)
            for _ in range(runs):
                ours.append(own(mode, file.name, points.shape))
                start, used = time.perf_counter(), time.process_time()
                values = rival(points.astype(np.float64))
                theirs.append((time.perf_counter() - start, time.process_time() - used))
        np.testing.assert_allclose(ours[0][2], values, rtol=tolerance)
        wall = [statistics.median(run[0] for run in runs) for runs in (ours, theirs)]
        used = [statistics.median(run[1] for run in runs) for runs in (ours, theirs)]
        print(f"{mode}, {THREADS} threads: {wall[0]:.3f} s, rival {wall[1]:.3f} s "
              f"({wall[1] / wall[0]:.1f} x); processor {used[0]:.3f} s, rival {used[1]:.3f} s; "
              f"values {', '.join(f'{value:.4f}' for value in ours[0][2])}", flush=True)


if __name__ == "__main__":
    main()
