#!/usr/bin/env python3
"""Writes Tests/Fixtures/training/recalibration.json: what torch.optim.swa_utils.update_bn makes of a
network's running statistics.

usage: make_recalibration_fixture.py      (needs torch, timm, numpy from PyPI)

The weights and the images are make_network_fixtures.py's formulas; the batches follow each other in the
formula's row of images. Computed in float64; `noise` is the distance to the same in float32.
"""
import json
import pathlib

import torch
from torch.optim.swa_utils import update_bn

from make_network_fixtures import CASES, build, digest, images

OUTPUT = pathlib.Path(__file__).parent.parent / "Fixtures" / "training" / "recalibration.json"
NAME, BATCHES = "tf_efficientnetv2_b0", 3


def run(dtype):
    batch, size, _, _ = CASES[NAME]
    model = build(NAME, dtype)
    model.eval()
    update_bn(images(BATCHES * batch, size).to(dtype).split(batch), model)
    assert not model.training
    model.eval()
    with torch.no_grad():
        logits = model(images(batch, size).to(dtype))
    return dict(model.named_buffers()), logits


exact, logits = run(torch.float64)
single, rounded = run(torch.float32)
batch, size, gain, _ = CASES[NAME]
counters = {v.item() for k, v in exact.items() if k.endswith("num_batches_tracked")}
assert counters == {BATCHES}
statistics = {
    k: digest(k, v, single[k]) for k, v in exact.items() if v.is_floating_point()}
OUTPUT.write_text(json.dumps(dict(
    model=NAME, batch=batch, inputSize=size, gain=gain, batches=BATCHES,
    torch=torch.__version__, logits=logits.tolist(),
    logitNoise=float((rounded.double() - logits).norm() / logits.norm()), statistics=statistics)) + "\n")
print(OUTPUT.stat().st_size, "bytes, logit noise", float((rounded.double() - logits).norm() / logits.norm()))
