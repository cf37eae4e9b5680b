#!/usr/bin/env python3
"""One run of `--max-drop` beside a bisection over fixed budgets.

usage: bisection.py CRRM MODEL DATA POINTS FOLDER [option...]

Bisects the share of the MACs, on a scale of logarithms from 1 to 100 %, in seven runs of
`--macs SHARE`: a budget is feasible where the final network loses at most POINTS on held-out data.
Then runs `--max-drop POINTS` once, and a fixed budget at the cost at which that ended. All runs
have the same options (those that follow FOLDER). Runs that are there already are not repeated.
"""
import json
import math
import pathlib
import subprocess
import sys

RUNS = 7


def run(crrm, folder, words):
    report = folder / "report.json"
    if not report.exists():
        subprocess.run([crrm, "compress", *words, "-o", str(folder), "--force"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return json.loads(report.read_text(encoding="utf-8"))


def summary(name, report):
    dense, final = report["stages"][0], report["stages"][-1]
    drop = {part: 100 * (dense["metric"][part] - final["metric"][part])
            for part in ("held_out", "test")}
    share = final["macs"] / dense["macs"]
    seconds = report["seconds"]["total"]
    print(f"| {name} | {100 * share:.1f} % | {drop['held_out']:+.2f} | {drop['test']:+.2f} | "
          f"{seconds:.0f} |", flush=True)
    return share, drop, seconds


def main():
    if len(sys.argv) < 6:
        sys.exit(__doc__)
    crrm, model, data, points, output = sys.argv[1:6]
    common = [model, "--data", data, *sys.argv[6:]]
    output = pathlib.Path(output)
    output.mkdir(parents=True, exist_ok=True)
    low, high, total = 0.01, 1.0, 0.0
    print("| run | MACs | points lost, held out | test | seconds |\n|---|---|---|---|---|")
    for number in range(RUNS):
        share = math.sqrt(low * high)
        report = run(crrm, output / f"fixed-{number}", [*common, "--macs", f"{100 * share:.3f}%"])
        _, drop, seconds = summary(f"--macs {100 * share:.1f}%", report)
        total += seconds
        if drop["held_out"] <= float(points):
            high = share
        else:
            low = share
    print(f"| smallest feasible: {100 * high:.1f} % | | | | {total:.0f} in all |")
    report = run(crrm, output / "controlled", [*common, "--max-drop", points])
    share, _, seconds = summary(f"--max-drop {points}", report)
    print(f"| of the time of the bisection | | | | {seconds / total:.3f} |")
    report = run(crrm, output / "same-cost", [*common, "--macs", f"{100 * share:.3f}%"])
    summary("--macs, the same cost", report)


if __name__ == "__main__":
    main()
