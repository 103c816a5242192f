"""Writes Tests/Fixtures/training/curve.json: the losses of a whole training under PyTorch.

The images, targets and rates are those that the Swift test of the same training sees; it writes them
where WORKBENCH_CURVE_FOLDER points. Needs torch, timm, safetensors and numpy.

    export WORKBENCH_CURVE_FOLDER=$(mktemp -d)
    swift test -c release -Xswiftc -enable-testing --filter writeTheStream
    python Tests/Tools/make_curve_fixture.py
"""

import json
import os
import pathlib

import numpy
import timm
import torch
from safetensors.torch import load_file
from timm.loss import SoftTargetCrossEntropy
from timm.optim import create_optimizer_v2

OUTPUT = pathlib.Path(__file__).parent.parent / "Fixtures" / "training" / "curve.json"
BATCH, SIZE, CLASSES, SMOOTHING = 32, 32, 10, 0.1


def main():
    folder = pathlib.Path(os.environ["WORKBENCH_CURVE_FOLDER"])
    stream = json.loads((folder / "stream.json").read_text())
    images = numpy.fromfile(folder / "images.f32", numpy.float32)
    images = torch.from_numpy(images.reshape(-1, BATCH, SIZE, SIZE, 3)).permute(0, 1, 4, 2, 3)
    targets = torch.tensor(stream["targets"], dtype=torch.float64).reshape(-1, BATCH, 3)

    model = timm.create_model("tf_efficientnetv2_b0", num_classes=CLASSES)
    model.load_state_dict(load_file(folder / "start.safetensors"))
    model.train()
    optimizer = create_optimizer_v2(model, opt="sgd", lr=0.02, weight_decay=1e-4, momentum=0.9)
    criterion = SoftTargetCrossEntropy()
    off, losses = SMOOTHING / CLASSES, []

    def one_hot(labels):
        hot = torch.full((BATCH, CLASSES), off)
        return hot.scatter_(1, labels.long().view(-1, 1), 1 - SMOOTHING + off)

    for x, y, rate in zip(images, targets, stream["rates"]):
        for group in optimizer.param_groups:
            group["lr"] = rate
        share = y[:, 2:].float()
        target = one_hot(y[:, 0]) * share + one_hot(y[:, 1]) * (1 - share)
        loss = criterion(model(x.contiguous()), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    OUTPUT.write_text(json.dumps({"losses": losses, "rates": stream["rates"]}) + "\n")
    print(f"{len(losses)} steps, from {losses[0]:.4f} to {losses[-1]:.4f}")


main()
