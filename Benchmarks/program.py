"""The program's side of a comparison: workbench in a process of its own, its time, its memory and what it measured."""
import json
import os
import pathlib
import random
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent
CIFAR_CLASSES, CIFAR_BYTES = 10, 3 * 32 * 32


@dataclass
class Ended:
    """A process that has ended well."""
    seconds: float
    peak_bytes: int
    output: str


class Program:
    """workbench, run in a folder that goes with this object: nothing is left on the machine."""

    def __init__(self, path, threads):
        self.path = pathlib.Path(path).resolve()
        self.threads = threads
        self._folder = tempfile.TemporaryDirectory(prefix="workbench-benchmark-")
        self.folder = pathlib.Path(self._folder.name)
        if not self.path.exists():
            raise SystemExit(f"there is no {self.path}; build it: swift build -c release --product workbench")

    def run(self, commands):
        """Runs commands as `-c` and waits for the end.

        Linux counts the memory of the process that starts another into the other's peak. That is this one, of Python
        alone, with about 20 MB.
        """
        environment = os.environ | {"WORKBENCH_HOME": str(self.folder / "home")}
        with open(self.folder / "output.txt", "w+") as output, open(self.folder / "errors.txt", "w+") as errors:
            start = time.perf_counter()
            process = subprocess.Popen([self.path, "-c", commands], cwd=self.folder, env=environment,
                                       stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            errors.seek(0)
            if process.returncode != 0:
                raise SystemExit(f"workbench -c '{commands}' ended with {process.returncode}:\n{errors.read()}")
            return Ended(seconds, 1024 * usage.ru_maxrss, output.read())

    def rows(self, file):
        """What a command wrote with `--json > FILE`."""
        return json.loads((self.folder / file).read_text())

    def bench(self, work, model, size, batch, rounds):
        """What `bench` says, with the peak of the process."""
        ended = self.run(
            f"load {model} classes=1000; bench {work} rounds={rounds} input-size={size} batch-size={batch} "
            f"threads={self.threads} --json > bench.json")
        return self.rows("bench.json")[0] | {"peak_bytes": ended.peak_bytes}

    def models(self):
        return {row["model"] for row in json.loads(self.run("models --json").output)}

    def environment(self):
        """What `env` says of the program, the compiler and the machine."""
        return dict(line.split(None, 1) for line in self.run("env").output.splitlines())

    def epoch(self, model, size, batch, images, rounds, turns=1):
        """Seconds per step of an epoch with full augmentation and, in the same process, of a batch that stays in memory.

        The cached batch is timed before and after each epoch, so that a machine that slows down slows both. All are
        means: a median would leave out the steps that the machine took something from. An epoch is the second of its
        run: the first one meets memory that was never touched, which bench does not count either.
        """
        self.write_cifar(images)
        bench = f"bench train rounds={rounds} --json"
        self.run("; ".join([
            f"data cifar10 dir=cifar; load {model}",
            f"set input-size={size} batch-size={batch} threads={self.threads} lr=0.001 epochs=2 warmup-epochs=0 "
            "cooldown-epochs=0 val-interval=2 checkpoint-every=0",
            f"{bench} > cached0.json"] + [
                f"train name=epoch{turn}; metrics --json > epoch{turn}.json; {bench} > cached{turn}.json"
                for turn in range(1, turns + 1)]))
        cached = [self.rows(f"cached{turn}.json")[0] for turn in range(turns + 1)]
        steps = [row["mean_ms"] / 1e3 for row in cached]
        epochs = [batch / self.rows(f"epoch{turn}.json")[-1]["images_per_s"] for turn in range(1, turns + 1)]
        return {"epoch": statistics.median(epochs), "cached": statistics.median(steps),
                "ratios": [2 * epoch / (before + after) for epoch, before, after in zip(epochs, steps, steps[1:])],
                "gflop": cached[0]["gflops"] * cached[0]["ms"] / 1e3,
                "peak_gflops": statistics.mean(row["peak_gflops"] for row in cached)}

    def write_cifar(self, images):
        """Random pictures in CIFAR-10's binary layout: five files of training images and a few for testing."""
        folder = self.folder / "cifar" / "cifar-10-batches-bin"
        folder.mkdir(parents=True, exist_ok=True)
        source = random.Random(1)

        def write(name, count):
            (folder / name).write_bytes(b"".join(
                bytes([image % CIFAR_CLASSES]) + source.randbytes(CIFAR_BYTES) for image in range(count)))
        for part in range(5):
            write(f"data_batch_{part + 1}.bin", images * (part + 1) // 5 - images * part // 5)
        write("test_batch.bin", 10)
