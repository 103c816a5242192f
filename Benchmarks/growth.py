"""How the time of training grows with the batch, the resolution, the network and the length of an epoch.

Writes growth.csv, growth.gp and growth.png; `gnuplot growth.gp` alone redraws the picture.

    python Benchmarks/growth.py --out growth

Time should be a straight line over the work: what a step costs once, such as the update of all weights, and so much for each
GFLOP. The deviation of a point is how much longer it takes than the line that fits the axis best. A shared machine only ever
adds to a time, so the fastest sweep of a point counts.
"""
import argparse
import csv
import math
import os
import pathlib
import subprocess
import sys
from dataclasses import dataclass

from compare import alone, say, table
from program import ROOT, Program

SMALLEST = "tf_efficientnetv2_b0"
VARIANTS = [SMALLEST, "tf_efficientnetv2_b1", "tf_efficientnetv2_b2", "tf_efficientnetv2_b3", "tf_efficientnetv2_s"]
COLUMNS = ["axis", "value", "model", "input", "batch", "images", "gflop", "seconds", "gflops", "peak_gflops", "line",
           "deviation"]


@dataclass(frozen=True)
class Point:
    """A training step, or with `images` an epoch of them."""
    axis: str
    value: object
    model: str
    size: int
    batch: int
    images: int = 0

    def measure(self, program, turn):
        """Seconds, the GFLOP done in them, and what the machine's units could have done per second."""
        if self.images:
            steps = self.images // self.batch
            row = program.epoch(self.model, self.size, self.batch, self.images, rounds=4)
            return {"seconds": steps * row["epoch"], "gflop": steps * row["gflop"], "peak_gflops": row["peak_gflops"]}
        first = program.bench("train", self.model, self.size, self.batch, 1)
        row = program.bench("train", self.model, self.size, self.batch, max(3, math.ceil(1e3 * turn / first["ms"])))
        return {"seconds": row["ms"] / 1e3, "gflop": row["gflops"] * row["ms"] / 1e3, "peak_gflops": row["peak_gflops"]}


POINTS = (
    [Point("batch", batch, SMALLEST, 64, batch) for batch in [8, 16, 24, 32, 48, 64]]
    + [Point("resolution", size, SMALLEST, size, 16) for size in [64, 96, 128, 160, 192, 224]]
    + [Point("variant", model.removeprefix("tf_efficientnetv2_"), model, 96, 16) for model in VARIANTS]
    + [Point("images", images, SMALLEST, 32, 64, images) for images in [640, 1280, 2560, 5120]]
)


def fit(points):
    """The line with the smallest squares of relative deviations: seconds = once + pace * GFLOP of (GFLOP, seconds) pairs."""
    weights = [1 / seconds**2 for _, seconds in points]
    def mean(values):
        return sum(weight * value for weight, value in zip(weights, values)) / sum(weights)
    works, times = zip(*points)
    work, time = mean(works), mean(times)
    pace = mean([(x - work) * (y - time) for x, y in points]) / mean([(x - work)**2 for x in works])
    return time - pace * work, pace


def summarize(points, sweeps):
    """A row of the CSV file per point."""
    fastest = {point: min((sweep[point] for sweep in sweeps), key=lambda result: result["seconds"]) for point in points}
    lines = {
        axis: fit([(fastest[point]["gflop"], fastest[point]["seconds"]) for point in points if point.axis == axis])
        for axis in {point.axis for point in points}}
    rows = []
    for point in points:
        seconds, gflop, peak = (fastest[point][key] for key in ["seconds", "gflop", "peak_gflops"])
        once, pace = lines[point.axis]
        line = once + pace * gflop
        rows.append([point.axis, point.value, point.model, point.size, point.batch, point.images, f"{gflop:.3f}",
                     f"{seconds:.5f}", f"{gflop / seconds:.1f}", f"{peak:.1f}", f"{line:.5f}", f"{seconds / line - 1:.4f}"])
    return rows


def plot(rows):
    """A gnuplot script with a panel per axis: what was measured, and the line that fits it."""
    axes = list(dict.fromkeys(row[0] for row in rows))
    height = math.ceil(len(axes) / 2)
    lines = [
        "# Redraw: gnuplot growth.gp",
        "set datafile separator ','",
        f"set terminal pngcairo size 1200,{450 * height} font 'sans,11' noenhanced",
        "set output 'growth.png'",
        f"set multiplot layout {height},{min(len(axes), 2)}",
        "set logscale xy 2",
        "set key top left",
        "set grid",
        "set offsets graph 0.06, graph 0.06, graph 0.06, graph 0.06",
        "set ylabel 'seconds'",
    ]
    for axis in axes:
        mine = [row for row in rows if row[0] == axis]
        worst = max((float(row[11]) for row in mine), key=abs)
        once = fit([(float(row[6]), float(row[7])) for row in mine])[0]
        unit = "epoch" if axis == "images" else "step"
        lines += [
            f"set title '{axis}: {mine[0][1]} to {mine[-1][1]}; {1e3 * once:.0f} ms once, deviation up to {100 * worst:+.1f} %'",
            f"set xlabel 'GFLOP per {unit}'",
            f"mine(column) = strcol(1) eq '{axis}' ? column : NaN",
            "plot 'growth.csv' skip 1 using (mine($7)):11 with lines dashtype 2 title 'line', \\",
            "  '' skip 1 using (mine($7)):8 with points pointtype 7 title 'measured', \\",
            "  '' skip 1 using (mine($7)):8:2 with labels offset 0,-1 notitle",
        ]
    return "\n".join([*lines, "unset multiplot", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / ".build/benchmarks/growth", help="folder for the files")
    parser.add_argument("--axes", default="batch,resolution,variant,images", help="which axes, by comma")
    parser.add_argument("--sweeps", type=int, default=5, help="how often every point is measured")
    parser.add_argument("--turn", type=float, default=2, help="seconds per measurement; three steps at least")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--program", default=ROOT / ".build/release/workbench", help="the program to measure")
    parser.add_argument("--lock", help="file to lock during an axis, where several people measure on one machine")
    options = parser.parse_args()
    points = [point for point in POINTS if point.axis in options.axes.split(",")]
    if not points:
        parser.error(f"no axis '{options.axes}'")
    program = Program(options.program, options.threads)
    sweeps = []
    for number in range(options.sweeps):
        sweep = {}
        for axis in dict.fromkeys(point.axis for point in points):
            with alone(options):
                sweep |= {point: point.measure(program, options.turn) for point in points if point.axis == axis}
            say(f"sweep {number + 1} of {axis}: " + ", ".join(
                f"{point.value} {sweep[point]['seconds']:.3f} s" for point in sweep if point.axis == axis))
        sweeps.append(sweep)
    rows = summarize(points, sweeps)
    options.out.mkdir(parents=True, exist_ok=True)
    with open(options.out / "growth.csv", "w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    (options.out / "growth.gp").write_text(plot(rows))
    print(table(COLUMNS, [[str(cell) for cell in row] for row in rows], right=range(3, len(COLUMNS))))
    try:
        subprocess.run(["gnuplot", "growth.gp"], cwd=options.out, check=True)
    except FileNotFoundError:
        sys.exit("there is no gnuplot; the numbers are in growth.csv")


if __name__ == "__main__":
    main()
