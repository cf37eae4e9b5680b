#!/usr/bin/env python3
"""What runs of crrm say to the claims about compression (docs/claims.md).

usage: run_claims.py RUN...      folders of `crrm compress`, best the same command over seeds

Prints one line a run and, below, means with 95 % intervals over the runs (Student's t):
  change    points of the metric on test data, final against dense
  MACs, parameters, latency   what is left; latency is ONNX Runtime's, one thread, one sample
  depth     Spearman's rank correlation of a group's depth with the share of it that stays:
            negative where deeper layers are compressed more
  beta      the water level at the end, nats
"""
import json
import math
import pathlib
import sys

# Two-sided 95 % quantiles of Student's t, by degrees of freedom.
STUDENT = [math.nan, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228]


def ranks(values):
    order = sorted(range(len(values)), key=values.__getitem__)
    result = [0.0] * len(values)
    first = 0
    while first < len(order):
        last = first
        while last + 1 < len(order) and values[order[last + 1]] == values[order[first]]:
            last += 1
        for place in range(first, last + 1):
            result[order[place]] = (first + last) / 2
        first = last + 1
    return result


def correlation(x, y):
    mx, my = sum(x) / len(x), sum(y) / len(y)
    covariance = sum((a - mx) * (b - my) for a, b in zip(x, y))
    scale = math.sqrt(sum((a - mx) ** 2 for a in x) * sum((b - my) ** 2 for b in y))
    return covariance / scale if scale > 0 else math.nan


def latency(stage):
    times = [t["median"] for t in stage["latency_ms"]
             if t["runtime"] == "onnxruntime" and t["threads"] == 1 and t["batch"] == 1]
    return times[0] if times else math.nan


def last_beta(folder):
    beta = math.nan
    with open(folder / "log.jsonl", encoding="utf-8") as log:
        for line in log:
            beta = json.loads(line).get("beta") or beta
    return beta


def read(folder):
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    dense, final = report["stages"][0], report["stages"][-1]
    left = [g["kept"] / g["of"] for g in report["groups"] if not g["frozen"]]
    return {
        "change": 100 * (final["metric"]["test"] - dense["metric"]["test"]),
        "MACs": 100 * final["macs"] / dense["macs"],
        "parameters": 100 * final["params"] / dense["params"],
        "latency": 100 * latency(final) / latency(dense),
        "depth": correlation(ranks(list(range(len(left)))), ranks(left)),
        "beta": last_beta(folder),
    }


def main():
    folders = [pathlib.Path(word) for word in sys.argv[1:]]
    if not folders:
        sys.exit(__doc__)
    rows = [read(folder) for folder in folders]
    names = list(rows[0])
    print("| run | " + " | ".join(names) + " |\n" + "|---" * (len(names) + 1) + "|")
    for folder, row in zip(folders, rows):
        print(f"| {folder.name} | " + " | ".join(f"{row[name]:.3g}" for name in names) + " |")
    cells = []
    for name in names:
        values = [row[name] for row in rows if not math.isnan(row[name])]
        n = len(values)
        mean = sum(values) / n if n else math.nan
        if 1 < n <= len(STUDENT):
            deviation = math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1))
            cells.append(f"{mean:.3g} ± {STUDENT[n - 1] * deviation / math.sqrt(n):.2g}")
        else:
            cells.append(f"{mean:.3g}")
    print("| mean | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
