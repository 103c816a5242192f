#!/usr/bin/env python3
"""Writes the logits of the networks that only their own sources have: Tests/Fixtures/network/others.json.

usage: make_other_fixtures.py OUT JAHONGIR DLI14      (needs torch, timm, torchvision, numpy from PyPI)

JAHONGIR and DLI14 are checkouts of github.com/jahongir7174/EfficientNetV2 (nets/nn.py) and of
github.com/d-li14/efficientnetv2.pytorch (effnetv2.py), whose classes compute the numbers.

Per network: `logits` of one image and their `noise`, as in make_variant_fixtures.py, ten classes. Their tensors
come in the order of timm's, and get the formula's numbers under timm's names.
"""
import importlib.util
import json
import pathlib
import sys
import types

import timm.layers
import torch

from make_network_fixtures import CLASSES, create, distance, formula, images, short
from make_variant_fixtures import GAIN, SIZE


def load(path):
    # timm's former place of its layers, which one of them still names.
    sys.modules["timm.models.layers"] = types.ModuleType("timm.models.layers")
    sys.modules["timm.models.layers"].__dict__.update(timm.layers.__dict__)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def timm_names():
    return list(create("efficientnetv2_s").state_dict())


def names_with_fused_first_stage():
    """d-li14's first stage is fused with an expansion of 1, where timm's is one convolution."""
    result = []
    for name in timm_names():
        if not name.startswith("blocks.0."):
            result.append(name)
        elif name.endswith(".conv.weight"):
            block = name.removesuffix("conv.weight")
            norm = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
            for convolution, bn in (("conv_exp", "bn1"), ("conv_pwl", "bn2")):
                result += [f"{block}{convolution}.weight"] + [f"{block}{bn}.{part}" for part in norm]
    return result


def row(model, names):
    state = model.state_dict()
    assert len(state) == len(names)
    # The gates' dense layers are convolutions of one pixel under timm's names.
    gates = {n for n in names if n.endswith(("conv_reduce.weight", "conv_expand.weight"))}
    values = {}
    for (key, value), name in zip(state.items(), names):
        shape = tuple(value.shape) + ((1, 1) if name in gates and value.dim() == 2 else ())
        values[key] = formula(name, shape, GAIN).reshape(value.shape)
    model.load_state_dict(values)
    model.eval()
    x = images(1, SIZE)
    with torch.no_grad():
        rough = model(x)
        exact = model.double()(x.double())
    return {"logits": [short(v) for v in exact[0].tolist()], "noise": float(f"{distance(rough, exact):.2g}")}


if __name__ == "__main__":
    out, jahongir, dli14 = map(pathlib.Path, sys.argv[1:4])
    record = {
        "jahongir_efficientnetv2_s": row(
            load(jahongir / "nets" / "nn.py").EfficientNet(num_class=CLASSES), timm_names()),
        "dli14_efficientnetv2_s": row(
            load(dli14 / "effnetv2.py").effnetv2_s(num_classes=CLASSES), names_with_fused_first_stage()),
    }
    text = json.dumps(record, separators=(",", ":")).replace("},", "},\n") + "\n"
    (out / "others.json").write_text(text)
    print(text)
