"""Seconds of the capacity of 50 manifolds of 50 points in 1,000 dimensions, as the published code runs it:
one quadratic program a manifold and direction, in the D + 1 coordinates of the manifold's own frame, by
cvxopt at tolerance 1e-12. Needs cvxopt and numpy. Compares with what bench_manifold_capacity wrote.

    python bench/manifold_capacity.py manifolds.npy [RUNS]
"""
import statistics
import sys
import time

import cvxopt
import numpy as np

DIRECTIONS = 300
cvxopt.solvers.options.update(show_progress=False, abstol=1e-12, reltol=1e-12, feastol=1e-12,
                              maxiters=1000000)


def own_frame(points):
    """[M, N] to [M, D + 1]: coordinates about the centre, over its norm, and 1."""
    centre = points.mean(0)
    q, _ = np.linalg.qr((points - centre).T)
    coordinates = (points - centre) @ q[:, : len(points) - 1] / np.linalg.norm(centre)
    return np.hstack([coordinates, np.ones((len(points), 1))])


def distances(frame, rng):
    """min |v - t|^2 with v . s >= 0 for all points s, of each direction t."""
    size = frame.shape[1]
    identity, constraints = cvxopt.matrix(np.eye(size)), cvxopt.matrix(-frame)
    zero = cvxopt.matrix(np.zeros(len(frame)))
    found = np.zeros(DIRECTIONS)
    for i in range(DIRECTIONS):
        t = rng.standard_normal(size)
        if (frame @ t).min() >= 0:
            continue
        v = cvxopt.solvers.qp(identity, cvxopt.matrix(-t), constraints, zero)["x"]
        found[i] = ((np.array(v).ravel() - t) ** 2).sum()
    return found


def main():
    manifolds = np.load(sys.argv[1])  # [P, M, N]
    manifolds -= manifolds.mean((0, 1))
    seconds, cpu = [], []
    for run in range(int(sys.argv[2]) if len(sys.argv) > 2 else 3):
        rng = np.random.default_rng(run)
        start, start_cpu = time.perf_counter(), time.process_time()
        found = np.array([distances(own_frame(points), rng) for points in manifolds])  # [P, T]
        seconds.append(time.perf_counter() - start)
        cpu.append(time.process_time() - start_cpu)
    inverse, error = found.mean(), np.sqrt(found.var(1, ddof=1).mean() / found.size)
    print(f"cvxopt  capacity {1 / inverse:.5f} +- {error / inverse**2:.5f}  "
          f"{statistics.median(seconds):.3f} s, {statistics.median(cpu):.3f} s of CPU, "
          f"median of {len(seconds)}")


if __name__ == "__main__":
    main()
