"""Writes Tests/Fixtures/training/losses.json: losses and gradients of timm's and others' losses.

Needs torch, timm and numpy. Targets mix two classes as mixup does: y = share of the label and the
rest of the partner, smoothed.

    python make_loss_fixtures.py
"""

import json
import pathlib

import numpy
import torch
import torch.nn.functional as F
from timm.loss import (
    BinaryCrossEntropy, JsdCrossEntropy, LabelSmoothingCrossEntropy, SoftTargetCrossEntropy)

OUTPUT = pathlib.Path(__file__).parent.parent / "Fixtures" / "training" / "losses.json"


def soft(labels, partners, shares, classes, smoothing):
    """timm's mixup_target."""
    off = smoothing / classes
    on = 1 - smoothing + off

    def one_hot(index):
        return torch.full((len(index), classes), off, dtype=torch.float64).scatter_(
            1, index.view(-1, 1), on)

    shares = shares.view(-1, 1)
    return one_hot(labels) * shares + one_hot(partners) * (1 - shares)


def poly(x, labels, epsilon):
    """jahongir7174's PolyLoss."""
    pt = (F.one_hot(labels, x.shape[1]) * F.softmax(x, dim=1)).sum(dim=1)
    return (F.cross_entropy(x, labels, reduction="none") + epsilon * (1 - pt)).mean()


def case(name, loss, rule, smoothing, rows=6, classes=7, scale=3.0, mixed=False, views=1):
    random = numpy.random.default_rng(len(name) + rows * classes)
    logits = random.normal(0, scale, (rows, classes)).astype(numpy.float32)
    images = rows // views
    labels = torch.tensor(random.integers(0, classes, images))
    partners = torch.tensor(random.integers(0, classes, images)) if mixed else labels
    shares = torch.tensor(
        random.uniform(0, 1, images).astype(numpy.float32) if mixed else numpy.ones(images),
        dtype=torch.float64)
    x = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    target = soft(labels, partners, shares, classes, smoothing) if mixed else labels
    value = loss(x, target)
    value.backward()
    return {
        "name": name, "rule": rule, "smoothing": smoothing, "classes": classes, "rows": rows,
        "views": views, "logits": logits.flatten().tolist(), "labels": labels.tolist(),
        "partners": partners.tolist(), "shares": shares.tolist(), "loss": value.item(),
        "gradient": x.grad.flatten().tolist(),
    }


def main():
    cases = [
        case("smoothed", LabelSmoothingCrossEntropy(0.1), {}, 0.1),
        case("plain", torch.nn.CrossEntropyLoss(), {}, 0.0, classes=2),
        case("mixed", SoftTargetCrossEntropy(), {}, 0.1, mixed=True),
        case("mixed, sharp", SoftTargetCrossEntropy(), {}, 0.0, mixed=True, scale=20),
        case("poly", lambda x, y: poly(x, y, 2.0), {"poly-loss": 2.0}, 0.0),
        case("binary", BinaryCrossEntropy(0.1), {"bce-loss": True}, 0.1),
        case("binary, extreme", BinaryCrossEntropy(0.1), {"bce-loss": True}, 0.1, scale=60),
        case("binary sum", BinaryCrossEntropy(0.2, sum_classes=True),
             {"bce-loss": True, "bce-sum": True}, 0.2),
        case("binary mixed", BinaryCrossEntropy(0.1), {"bce-loss": True}, 0.1, mixed=True),
        case("binary threshold", BinaryCrossEntropy(0.1, target_threshold=0.2),
             {"bce-loss": True, "bce-target-thresh": 0.2}, 0.1, mixed=True),
        case("three views", JsdCrossEntropy(3, 12, 0.1), {"jsd-loss": True, "aug-splits": 3}, 0.1,
             rows=12, views=3),
        case("two views, sharp", JsdCrossEntropy(2, 12, 0.0), {"jsd-loss": True, "aug-splits": 2},
             0.0, rows=8, views=2, scale=12),
    ]
    OUTPUT.parent.mkdir(exist_ok=True)
    text = ",\n".join(json.dumps(c) for c in cases)
    OUTPUT.write_text(f"[\n{text}\n]\n")
    print(f"{len(cases)} cases, {OUTPUT.stat().st_size} bytes")


main()
