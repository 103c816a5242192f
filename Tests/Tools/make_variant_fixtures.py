#!/usr/bin/env python3
"""Writes what timm and torchvision say of every variant: Tests/Fixtures/network/variants.json.

usage: make_variant_fixtures.py OUT [NAME ...]      (needs torch, timm, torchvision, numpy from PyPI)

Per variant:
  tensors, parameters   of the state dict, with 1000 classes
  manifest              FNV-1a of the lines "KEY [SHAPE]" in the order of the state dict, without the
                        keys for torchvision, which has others
  logits                of one image in evaluation mode, ten classes, with the formula's weights of
                        make_network_fixtures.py, and their `noise`: PyTorch's float32 against float64
                        (0 where only float32 was affordable)
The manifests of all are written; the logits with names only of those, otherwise of all that lack them.
"""
import json
import pathlib
import sys

import timm
import torch
import torchvision

from formula import fnv
from make_network_fixtures import CLASSES, create, distance, filled, images, short
from variant_names import NAMES

# Small, and not a multiple of the stride but for the transformers.
SIZE, PATCHED_SIZE, GAIN, PATCHED_GAIN = 47, 48, 4.5, 2.0


def is_torchvisions(name):
    return name.startswith("efficientnet_v2_")


def build(name, classes):
    if is_torchvisions(name):
        return torchvision.models.get_model(name, num_classes=classes)
    return timm.create_model(name, num_classes=classes)


def manifest(name):
    with torch.device("meta"):
        state = build(name, 1000).state_dict()
        lines = [
            ("" if is_torchvisions(name) else key + " ") + str(list(value.shape)) + "\n"
            for key, value in state.items()]
        parameters = sum(p.numel() for p in build(name, 1000).parameters())
    return {"tensors": len(lines), "parameters": parameters, "manifest": f"{fnv(''.join(lines)):016x}"}


def renamed(model, name):
    """torchvision's network, filled by timm's keys of the same tensors, which are in the same order."""
    timms = create(name.replace("_v2_", "v2_"))
    source = filled(timms, GAIN).state_dict().values()
    model.load_state_dict(dict(zip(model.state_dict(), source)))
    return model


def logits(name, parameters):
    patched = name.startswith("vit_")
    x = images(1, PATCHED_SIZE if patched else SIZE)
    if is_torchvisions(name):
        model = renamed(build(name, CLASSES), name)
    else:
        model = filled(create(name), PATCHED_GAIN if patched else GAIN)
    model.eval()
    with torch.no_grad():
        rough = model(x)
        exact = model.double()(x.double()) if parameters < 250_000_000 else rough.double()
    return {"logits": [short(v) for v in exact[0].tolist()], "noise": float(f"{distance(rough, exact):.2g}")}


if __name__ == "__main__":
    path = pathlib.Path(sys.argv[1]) / "variants.json"
    record = json.loads(path.read_text()) if path.exists() else {}
    record = {name: record.get(name, {}) | manifest(name) for name in NAMES}
    lacking = sorted(
        (name for name in NAMES if "logits" not in record[name]),
        key=lambda name: record[name]["parameters"])
    for name in [None] + (sys.argv[2:] or lacking):
        if name:
            record[name] |= logits(name, record[name]["parameters"])
            print(name, record[name], flush=True)
        path.write_text(json.dumps(record, separators=(",", ":")).replace("},", "},\n") + "\n")
