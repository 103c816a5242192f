#!/usr/bin/env python3
"""Writes Tests/Fixtures/training/saver.json: which checkpoints timm's CheckpointSaver has on disk.

usage: make_saver_fixture.py      (needs torch and timm from PyPI)

Per case: the scores of the epochs (null: not evaluated), whether smaller is better, how many stay, and
after each epoch the epochs (from 1) that are left, best first, and the best one. A score that is no
number is given to timm as none: as a number it fits no order, and timm would keep it for good.
"""
import json
import math
import pathlib
import random
import tempfile

import torch
from timm.utils import CheckpointSaver

OUTPUT = pathlib.Path(__file__).parent.parent / "Fixtures" / "training" / "saver.json"


def run(scores, decreasing, count):
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with tempfile.TemporaryDirectory() as folder:
        saver = CheckpointSaver(
            model, optimizer, checkpoint_dir=folder, decreasing=decreasing, max_history=count)
        history = []
        for epoch, score in enumerate(scores):
            metric = None if score is None or math.isnan(score) else score
            _, best = saver.save_checkpoint(epoch, metric)
            kept = [int(pathlib.Path(f).name.split("-")[1].split(".")[0]) + 1
                    for f, _ in saver.checkpoint_files]
            on_disk = {int(p.name.split("-")[1].split(".")[0]) + 1
                       for p in pathlib.Path(folder).glob("checkpoint-*")}
            assert on_disk == set(kept)
            history.append([kept, None if best is None else best + 1])
    return dict(
        scores=["nan" if s is not None and math.isnan(s) else s for s in scores],
        lowerIsBetter=decreasing, count=count, kept=[k for k, _ in history],
        best=[b for _, b in history])


def main():
    nan = math.nan
    rows = [
        [50.0, 60.0, 55.0, 70.0, 65.0, 70.0, 40.0],
        [3.0, 2.5, 2.5, 2.0, 2.0, 2.0, 1.5, 2.5],
        [1.0] * 7,
        [5.0, 4.0, 3.0, 2.0, 1.0, 0.5],
        [None, 50.0, None, None, 60.0, None, 55.0, None, 70.0, None],
        [None] * 6,
        [10.0, nan, 20.0, nan, nan, 15.0, 30.0],
        [nan, nan, 1.0, nan, 1.0, 0.0],
    ]
    draw = random.Random(5)
    rows += [[draw.choice([None, nan, 1.0, 2.0, 2.0, 3.0, draw.random() * 4]) for _ in range(14)]
             for _ in range(8)]
    cases = [run(row, decreasing, count)
             for row in rows for decreasing in (False, True) for count in (1, 2, 3, 5)]
    OUTPUT.write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
    print(len(cases), "cases,", OUTPUT.stat().st_size, "bytes")


main()
