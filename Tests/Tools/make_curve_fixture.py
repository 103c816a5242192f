#!/usr/bin/env python3
"""Writes Tests/Fixtures/training/curve.json: the losses of a whole training under PyTorch.

    export WORKBENCH_CURVE_FOLDER=$(mktemp -d)
    swift test -c release -Xswiftc -enable-testing --filter writeTheStream
    python Tests/Tools/make_curve_fixture.py

The images (512 of the embedded digits, augmented, at 32x32), targets and rates are those that the Swift
test of the same training sees; it writes them where WORKBENCH_CURVE_FOLDER points. The network is
make_network_fixtures.py's smallest, with its formula's weights. Needs torch, timm and numpy.

Recorded in float64. PyTorch's own float32 agrees with that to 3e-5 over all 32 steps, and to 1e-5 in
the loss on the test images, with torch 2.15; so a test may ask for 1e-3 and less. It is the depth that
decides: with tf_efficientnetv2_b0 from new weights the two differ by percents after three steps.
"""
import json
import os
import pathlib

import numpy
import torch
from timm.loss import SoftTargetCrossEntropy
from timm.optim import create_optimizer_v2

from make_network_fixtures import filled, mini

OUTPUT = pathlib.Path(__file__).parent.parent / "Fixtures" / "training" / "curve.json"
BATCH, SIZE, CLASSES, SMOOTHING, GAIN = 32, 32, 10, 0.1, 4.0


def read():
    folder = pathlib.Path(os.environ["WORKBENCH_CURVE_FOLDER"])
    stream = json.loads((folder / "stream.json").read_text())
    images = numpy.fromfile(folder / "images.f32", numpy.float32).reshape(-1, SIZE, SIZE, 3)
    return stream, torch.from_numpy(images.copy()).permute(0, 3, 1, 2).contiguous()


def train(stream, images, dtype):
    targets = torch.tensor(stream["targets"], dtype=torch.float64).reshape(-1, BATCH, 3)
    test = torch.tensor(stream["testLabels"])
    batches = images[:-len(test)].to(dtype).split(BATCH)
    model = filled(mini("avg"), GAIN).to(dtype).train()
    optimizer = create_optimizer_v2(model, opt="sgd", lr=0.2, weight_decay=1e-4, momentum=0.9)
    criterion = SoftTargetCrossEntropy()
    off, losses = SMOOTHING / CLASSES, []

    def one_hot(labels):
        hot = torch.full((BATCH, CLASSES), off, dtype=dtype)
        return hot.scatter_(1, labels.long().view(-1, 1), 1 - SMOOTHING + off)

    for x, y, rate in zip(batches, targets, stream["rates"], strict=True):
        for group in optimizer.param_groups:
            group["lr"] = rate
        share = y[:, 2:].to(dtype)
        target = one_hot(y[:, 0]) * share + one_hot(y[:, 1]) * (1 - share)
        loss = criterion(model(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        logits = model(images[-len(test):].to(dtype))
    return numpy.array(losses), torch.nn.functional.cross_entropy(logits, test).item()


def main():
    stream, images = read()
    exact, evaluation = train(stream, images, torch.float64)
    rough, rough_evaluation = train(stream, images, torch.float32)
    OUTPUT.write_text(json.dumps(dict(
        torch=torch.__version__, losses=exact.tolist(), rates=stream["rates"],
        evalLoss=evaluation)) + "\n")
    print(f"{len(exact)} steps, from {exact[0]:.4f} to {exact[-1]:.4f}, then {evaluation:.4f}; float32 "
          f"is within {abs(rough / exact - 1).max():.1g}, {abs(rough_evaluation / evaluation - 1):.1g}")


main()
