"""Compares workbench with its peers on this machine, in turns, and prints what is demanded of it beside what it does.

    python Benchmarks/compare.py                        everything; hours, most of them in the slow peers
    python Benchmarks/compare.py --rows 'train*b0 @64*' --rounds 7 --json result.json

Run it with the Python that has the peers (README.md says which); this script itself needs none of them.
"""
import argparse
import contextlib
import fcntl
import fnmatch
import json
import math
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field

from program import ROOT, Program

TCMALLOC = ["libtcmalloc_minimal.so.4", "libtcmalloc.so.4"]
PYTORCH = ["eager", "tcmalloc", "compile"]
TITLES = {"eager": "PyTorch", "tcmalloc": "PyTorch with tcmalloc", "compile": "torch.compile", "onnx": "ONNX Runtime"}


@dataclass
class Demand:
    """Something to reach: at least, or for sizes and times at most, `wanted`."""
    against: str
    wanted: float
    unit: str
    at_most: bool = False
    #: A value per round; the median counts.
    values: list = field(default_factory=list)
    why_not: str = "not measured"

    @property
    def measured(self):
        return statistics.median(self.values) if self.values else None

    @property
    def met(self):
        if not self.values:
            return None
        return self.measured <= self.wanted if self.at_most else self.measured >= self.wanted

    def cells(self, name):
        def text(value):
            return f"{value:.2f}x" if self.unit == "x" else f"{value:.0f} {self.unit}"
        wanted = ("at most " if self.at_most else "at least ") + text(self.wanted)
        if not self.values:
            return [name, self.against, wanted, "", "", self.why_not]
        spread = f"{text(min(self.values))} to {text(max(self.values))}" if len(self.values) > 1 else ""
        return [name, self.against, wanted, text(self.measured), spread, "yes" if self.met else "NO"]

    def record(self):
        return {"against": self.against, "wanted": self.wanted, "unit": self.unit, "at_most": self.at_most,
                "measured": self.measured, "values": self.values, "met": self.met,
                "why_not": None if self.values else self.why_not}


@dataclass
class Result:
    name: str
    demands: list
    #: Images per second of each side, by its name; medians of the rounds.
    rates: dict = field(default_factory=dict)
    details: dict = field(default_factory=dict)

    def record(self):
        return {"work": self.name, "images_per_second": self.rates, **self.details,
                "demands": [demand.record() for demand in self.demands]}


class PeerFailed(Exception):
    pass


class Peer:
    """A worker process. It works during `turn` and sleeps otherwise."""

    def __init__(self, kind, row, options):
        environment = dict(os.environ)
        if kind == "tcmalloc":
            environment["LD_PRELOAD"] = find_tcmalloc()
        self.log = options.cache / f"{kind}.log"
        self.process = subprocess.Popen(
            [sys.executable, pathlib.Path(__file__).with_name("peers.py"),
             "--kind", "eager" if kind == "tcmalloc" else kind, "--model", row.model, "--size", str(row.size),
             "--batch", str(row.batch), "--threads", str(options.threads), "--turn", str(options.turn),
             "--cache", options.cache],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(self.log, "w"), text=True, env=environment)
        self.ready = self._answer()

    def turn(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        self.process.wait()
        lines = self.log.read_text().strip().splitlines()
        raise PeerFailed(lines[-1] if lines else f"ended with {self.process.returncode}")

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def fastest(kinds, best=None, missing=()):
    """Names what is compared with: one peer, or the fastest of several."""
    if len(kinds) == 1:
        return TITLES[kinds[0]]
    name = f"fastest of {', '.join(kinds)}" + (f": {best}" if best else "")
    return name + (f" (without {', '.join(sorted(missing))})" if missing else "")


def find_tcmalloc():
    for name in TCMALLOC:
        for folder in [f"/usr/lib/{platform.machine()}-linux-gnu", "/usr/lib64", "/usr/lib"]:
            if os.path.exists(f"{folder}/{name}"):
                return f"{folder}/{name}"
    raise PeerFailed("no tcmalloc (Debian: libtcmalloc-minimal4)")


@dataclass
class Speed:
    """Work that both sides do: training steps or inference of one network on batches of one shape."""
    work: str
    model: str
    size: int
    batch: int
    #: Peers and how many times their speed is demanded; of several peers the fastest counts.
    ratios: list
    #: The share of PyTorch's peak memory that is allowed.
    memory: float | None = None

    @property
    def name(self):
        return f"{self.work} {self.model} @{self.size} b{self.batch}"

    def run(self, program, options):
        demands = [(kinds, Demand(fastest(kinds), ratio, "x")) for kinds, ratio in self.ratios]
        result = Result(self.name, [demand for _, demand in demands])
        if self.memory is not None:
            result.demands.append(Demand("peak memory of PyTorch", self.memory, "x", at_most=True))
        if self.model not in program.models():
            for demand in result.demands:
                demand.why_not = f"skipped: workbench has no {self.model} yet"
            return result
        wanted = [kind for kind in TITLES if any(kind in kinds for kinds, _ in self.ratios) and kind in options.peers]
        with contextlib.ExitStack() as stack:
            peers = self.start(wanted, stack, result, options)
            rounds, stolen = self.take_turns(program, peers, options)
        result.details["stolen"] = stolen
        self.summarize(result, rounds, peers)
        if len(result.rates) == 1:
            return result
        for kinds, demand in demands:
            ratios = {kind: [turns[kind]["seconds"] / turns["ours"]["seconds"] for turns in rounds]
                      for kind in kinds if kind in peers}
            if ratios:
                best = min(ratios, key=lambda kind: statistics.median(ratios[kind]))
                demand.against, demand.values = fastest(kinds, best, missing=set(kinds) - set(peers)), ratios[best]
        if self.memory is not None and "eager" in peers:
            peak = rounds[-1]["eager"]["peak_bytes"]
            result.demands[-1].values = [turns["ours"]["peak_bytes"] / peak for turns in rounds]
        return result

    def start(self, wanted, stack, result, options):
        """The peers that could be started; why others could not is part of the result."""
        peers = {}
        for kind in wanted:
            try:
                say(f"{self.name}: preparing {TITLES[kind]}" + (", which takes minutes" if kind == "compile" else ""))
                with alone(options):
                    peers[kind] = Peer(kind, self, options)
                stack.callback(peers[kind].close)
                options.versions.update(peers[kind].ready["versions"])
            except PeerFailed as failure:
                result.details.setdefault("missing", {})[kind] = str(failure)
                say(f"{self.name}: without {TITLES[kind]}: {failure}")
        return peers

    def take_turns(self, program, peers, options):
        """Per round, what each side said of its turn, and the share of the processor that the machine's host kept."""
        def ours(batches):
            row = program.bench(self.work, self.model, self.size, self.batch, batches)
            return row | {"seconds": row["ms"] / 1e3}
        rounds, stolen = [], []
        for number in range(options.rounds):
            with alone(options):
                last = rounds[-1]["ours"] if rounds else ours(1)
                before = processor_seconds()
                turns = {"ours": ours(max(3, math.ceil(options.turn / last["seconds"])))}
                turns |= {kind: peer.turn() for kind, peer in peers.items()}
                stolen.append(stolen_share(before, processor_seconds()))
            rounds.append(turns)
            say(f"{self.name}: round {number + 1}: " + ", ".join(
                f"{kind} {self.batch / turn['seconds']:.1f}" for kind, turn in turns.items())
                + f" img/s; {100 * stolen[-1]:.0f} % stolen")
        return rounds, stolen

    def summarize(self, result, rounds, peers):
        for kind in rounds[0]:
            result.rates[kind] = self.batch / statistics.median(turns[kind]["seconds"] for turns in rounds)
        for key in ["gflops", "peak_gflops"]:
            result.details[key] = statistics.median(turns["ours"][key] for turns in rounds)
        result.details["imported_bytes"] = {kind: peer.ready["imported_bytes"] for kind, peer in peers.items()}
        result.details["peak_bytes"] = {kind: turn["peak_bytes"] for kind, turn in rounds[-1].items()}
        result.details["rounds"] = rounds


@dataclass
class Start:
    """The program from its start to its end, with nothing to do."""
    milliseconds: float
    megabytes: float
    name: str = "start workbench -c quit"

    def run(self, program, options):
        with alone(options):
            program.run("quit")
            runs = [program.run("quit") for _ in range(4 * options.rounds)]
        return Result(self.name, [
            Demand("time from start to end", self.milliseconds, "ms", True, [1e3 * run.seconds for run in runs]),
            Demand("peak memory", self.megabytes, "MB", True, [run.peak_bytes / 1e6 for run in runs])])


@dataclass
class Epoch:
    """An epoch of CIFAR-10-like pictures, augmented on the way, against the same steps on one batch in memory."""
    model: str
    size: int
    batch: int
    images: int
    most: float

    @property
    def name(self):
        return f"epoch {self.model} @{self.size} b{self.batch}, {self.images} images"

    def run(self, program, options):
        rounds, stolen = [], []
        for number in range(options.rounds):
            with alone(options):
                before = processor_seconds()
                rounds.append(program.epoch(self.model, self.size, self.batch, self.images, rounds=40, turns=3))
                stolen.append(stolen_share(before, processor_seconds()))
            say(f"{self.name}: round {number + 1}: step {1e3 * rounds[-1]['epoch']:.1f} ms, "
                f"cached {1e3 * rounds[-1]['cached']:.1f} ms; {100 * stolen[-1]:.0f} % stolen")
        values = [ratio for row in rounds for ratio in row["ratios"]]
        return Result(self.name, [Demand("the same steps on one cached batch", self.most, "x", True, values)],
                      {"ours": self.batch / statistics.median(row["epoch"] for row in rounds)},
                      {"rounds": rounds, "stolen": stolen})


def training(model, size, batch, eager, best):
    return Speed("train", model, size, batch, [(["eager"], eager), (["tcmalloc", "compile"], best)], memory=0.5)


ROWS = [
    training("tf_efficientnetv2_b0", 192, 32, 2.0, 1.5),
    training("efficientnetv2_rw_s", 224, 16, 2.0, 1.5),
    training("tf_efficientnetv2_s", 128, 32, 2.0, 1.5),
    training("tf_efficientnetv2_b0", 64, 64, 3.0, 2.5),
    training("tf_efficientnetv2_b0", 32, 64, 4.0, 3.0),
    Speed("inference", "tf_efficientnetv2_b0", 192, 32, [(["onnx"], 1.2)]),
    Speed("inference", "tf_efficientnetv2_b0", 192, 1, [(["onnx"], 1.2)]),
    Speed("inference", "efficientnetv2_rw_s", 288, 1, [(["onnx"], 1.2)]),
    Speed("train", "efficientnet_b3", 224, 16, [(PYTORCH, 1.0)]),
    Speed("train", "vit_small_patch16_224", 224, 16, [(PYTORCH, 1.0)]),
    Start(50, 40),
    Epoch("tf_efficientnetv2_b0", 64, 64, 2560, 1.02),
]


@contextlib.contextmanager
def alone(options):
    """Holds the lock file, where several people measure on one machine."""
    if not options.lock:
        yield
        return
    with open(options.lock, "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def processor_seconds():
    """What all cores did since the machine started: worked, and waited for the host that runs it as a virtual machine."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, _, _, stolen = map(int, file.readline().split()[1:9])
    return user + nice + system, stolen


def stolen_share(before, after):
    worked, stolen = (late - early for early, late in zip(before, after))
    return stolen / max(worked + stolen, 1)


def say(text):
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


def table(head, rows, right):
    """Aligned columns; those in `right` to the right."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join("  ".join(
        cell.rjust(width) if column in right else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(line, widths))).rstrip() for line in lines)


def speed_table(results):
    """Images per second, and how near the machine's own limit the program came."""
    sides = ["ours", *(kind for kind in TITLES if any(kind in result.rates for result in results))]
    rows = []
    for result in results:
        if not result.rates:
            continue
        cells = [f"{result.rates[side]:.1f}" if side in result.rates else "-" for side in sides]
        if "gflops" in result.details:
            gflops, peak = result.details["gflops"], result.details["peak_gflops"]
            cells += [f"{gflops:.0f}", f"{peak:.0f}", f"{100 * gflops / peak:.0f} %"]
        else:
            cells += ["-"] * 3
        rows.append([result.name, *cells, f"{100 * max(result.details['stolen']):.0f} %"])
    head = ["images per second", *sides, "GFLOP/s", "peak", "of peak", "stolen"]
    return table(head, rows, right=range(1, len(head))) if rows else ""


def memory_table(results):
    """Peak resident memory, and how much of PyTorch's was there before the network was."""
    rows = []
    for result in results:
        peaks = result.details.get("peak_bytes", {})
        if "eager" in peaks:
            rows.append([result.name, *(f"{peaks[side] / 1e6:.0f}" if side in peaks else "-" for side in ["ours", *PYTORCH])])
    return table(["peak memory in MB", "ours", *PYTORCH], rows, right=range(1, 5)) if rows else ""


def demand_table(results):
    rows = [demand.cells(result.name) for result in results for demand in result.demands]
    return table(["demand", "against", "wanted", "measured", "rounds", "met"], rows, right={3})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="*", help="pattern with * of the rows to run, e.g. 'inference*'")
    parser.add_argument("--list", action="store_true", help="only list the rows")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each side; 5 at least where figures are quoted")
    parser.add_argument("--quick", action="store_true", help="one short round, to see that all works")
    parser.add_argument("--peers", default=",".join(TITLES), help="which peers to run, by comma")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--turn", type=float, default=2, help="seconds of work per turn; three batches at least")
    parser.add_argument("--program", default=ROOT / ".build/release/workbench", help="the program to measure")
    parser.add_argument("--cache", type=pathlib.Path, default=ROOT / ".build/benchmarks",
                        help="folder for what is slow to make: ONNX files, compiled code")
    parser.add_argument("--lock", help="file to lock during every round, where several people measure on one machine")
    parser.add_argument("--json", help="file to write everything to, round by round")
    options = parser.parse_args()
    rows = [row for row in ROWS if fnmatch.fnmatchcase(row.name, f"*{options.rows}*")]
    if options.list:
        return print(*(row.name for row in rows), sep="\n")
    if not rows:
        parser.error(f"no row matches '{options.rows}'; --list shows them")
    if options.quick:
        options.rounds, options.turn = 1, 0
    options.versions = {}
    options.cache = options.cache.resolve()
    options.cache.mkdir(parents=True, exist_ok=True)
    program = Program(options.program, options.threads)
    environment = program.environment()
    results = []
    for row in rows:
        results.append(row.run(program, options))
        say(f"{row.name}: done")
    versions = {"workbench": environment["program"].removeprefix("workbench "), "python": platform.python_version()}
    versions |= options.versions
    machine = {key: environment[key] for key in ["processor", "memory", "system", "swift"]}
    machine |= {"date": time.strftime("%Y-%m-%d %H:%M"), "threads": options.threads, "rounds": options.rounds}
    print(f"{machine['date']}  {machine['processor']}, {machine['memory']}, {machine['system']}")
    print(", ".join(f"{name} {version}" for name, version in versions.items()))
    print(f"{options.threads} threads on both sides, {options.rounds} rounds in turns; medians of the ratios of each round")
    for text in [speed_table(results), memory_table(results), demand_table(results)]:
        if text:
            print("", text, sep="\n")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"machine": machine, "versions": versions, "rows": [result.record() for result in results]},
                      file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
