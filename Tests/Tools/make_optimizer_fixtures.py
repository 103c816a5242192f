#!/usr/bin/env python3
"""Writes what the optimizers of torch and timm compute: Tests/Fixtures/optimizer/*.json.

usage: make_optimizer_fixtures.py OUT      (needs torch, timm, numpy from PyPI)

steps.json     Thirteen steps of every rule on a bag of tensors. Weights and gradients are formulas of a
               tensor's name and the step; the rate changes from step to step, and tensors that do not
               decay learn at half of it. Per case and tensor: a digest of the weights behind the last
               step, which ends an epoch (`sync_lookahead`, as in timm's train.py).
clipping.json  The gradients of the first step behind timm's dispatch_clip_grad.
layers.json    timm's layer of every parameter of some networks, in the order of the parameters, and the
               decay of the running mean (`ModelEmaV3`) in some steps.

Everything is computed in float64 from float32 numbers; `noise` is how far float32 is from it.
"""
import json
import pathlib
import sys

import numpy as np
import timm
import torch
from timm.models import group_parameters
from timm.optim import create_optimizer_v2
from timm.utils import ModelEmaV3, dispatch_clip_grad

from formula import uniform
from make_network_fixtures import digest

STEPS = 13
DECAY = 0.05
PLAIN_SCALE = 0.5
# The order is that of the network in Tests/ModelTests/Training/OptimizerTests.swift.
SHAPES = {
    "stem.weight": (8, 3, 3, 3), "conv.weight": (24, 20, 3, 3), "point.weight": (40, 24, 1, 1),
    "depth.weight": (16, 1, 3, 3), "norm.weight": (16,), "norm.bias": (16,),
    "tokens": (1, 20, 24), "hidden.weight": (20, 24), "head.weight": (10, 24), "head.bias": (10,),
}
# name: (opt, learning rate, further options)
CASES = {
    "sgd": ("sgd", 0.05, {}),
    "momentum": ("momentum", 0.05, {}),
    "adam": ("adam", 0.01, {}),
    "adam-options": ("adam", 0.01, {"betas": (0.8, 0.98), "eps": 1e-3}),
    "adamw": ("adamw", 0.01, {}),
    "nadam": ("nadam", 0.01, {}),
    "radam": ("radam", 0.01, {}),
    "adamax": ("adamax", 0.01, {}),
    "adagrad": ("adagrad", 0.02, {}),
    "adadelta": ("adadelta", 1.0, {}),
    "rmsprop": ("rmsprop", 0.003, {}),
    "rmsprop-plain": ("rmsprop", 0.003, {"momentum": 0.0}),
    "rmsproptf": ("rmsproptf", 0.003, {}),
    "rmsproptf-eps": ("rmsproptf", 0.003, {"eps": 1e-3}),
    "lamb": ("lamb", 0.02, {}),
    "lamb-plain": ("lamb", 0.02, {"weight_decay": 0.0}),
    "lars": ("lars", 5.0, {}),
    "adafactor": ("adafactor", 0.01, {}),
    "adafactor-mean": ("adafactor", 0.01, {"betas": (0.9, 0.999)}),
    "lookahead_sgd": ("lookahead_sgd", 0.05, {}),
    "lookahead_adamw": ("lookahead_adamw", 0.01, {}),
}
CLIPPING = {"norm": 0.8, "value": 0.02, "agc": 0.03}
NETWORKS = ("tf_efficientnetv2_b0", "efficientnetv2_rw_s", "vit_small_patch16_224")


def tensor(key, shape, scale, dtype):
    values = (uniform(key, int(np.prod(shape))) * scale).astype(np.float32)
    return torch.from_numpy(values.reshape(shape)).to(dtype)


def decays(key, shape):
    return len(shape) > 1 and key != "tokens"


def bag(dtype):
    return {k: torch.nn.Parameter(tensor(k, s, 0.5, dtype)) for k, s in SHAPES.items()}


def set_gradients(parameters, step, dtype):
    for key, parameter in parameters.items():
        parameter.grad = tensor(f"{key} in step {step}", SHAPES[key], 0.1 + 0.02 * step, dtype)


def rate(base, step):
    return base * (1 + (step % 4) * 0.25)


def run(opt, base, options, dtype):
    parameters = bag(dtype)
    options = {"weight_decay": DECAY, "momentum": 0.9, **options}
    groups = [
        {"params": [p for k, p in parameters.items() if decays(k, SHAPES[k])]},
        {"params": [p for k, p in parameters.items() if not decays(k, SHAPES[k])],
         "weight_decay": 0.0},
    ]
    optimizer = create_optimizer_v2(groups, opt, lr=base, **options)
    for step in range(STEPS):
        set_gradients(parameters, step, dtype)
        for group, scale in zip(optimizer.param_groups, (1, PLAIN_SCALE)):
            group["lr"] = rate(base, step) * scale
        optimizer.step()
    if hasattr(optimizer, "sync_lookahead"):
        optimizer.sync_lookahead()
    return {k: p.detach() for k, p in parameters.items()}


def clip(mode, limit, dtype):
    parameters = bag(dtype)
    set_gradients(parameters, 0, dtype)
    # timm's model_parameters(exclude_head=True), as train.py calls it for agc.
    clipped = list(parameters.values())[:-2] if mode == "agc" else list(parameters.values())
    dispatch_clip_grad(clipped, limit, mode=mode)
    return {k: p.grad for k, p in parameters.items()}


def digests(exact, rough):
    return {k: digest(k, exact[k], rough[k]) for k in exact}


def write(path, record):
    text = json.dumps(record, separators=(",", ":")).replace('},"', '},\n"')
    path.write_text(text + "\n")
    print(path, path.stat().st_size, "bytes")


def main(out):
    out.mkdir(parents=True, exist_ok=True)
    steps = {}
    for name, (opt, base, options) in CASES.items():
        exact, rough = run(opt, base, options, torch.float64), run(opt, base, options, torch.float32)
        steps[name] = {
            "opt": opt, "rate": base, "steps": STEPS, "options": options,
            "weights": digests(exact, rough)}
    write(out / "steps.json", steps)
    write(out / "clipping.json", {
        mode: {"limit": limit, "gradients": digests(
            clip(mode, limit, torch.float64), clip(mode, limit, torch.float32))}
        for mode, limit in CLIPPING.items()})
    layers = {}
    for name in NETWORKS:
        model = timm.create_model(name, num_classes=10)
        ids = group_parameters(model, model.group_matcher(coarse=False), reverse=True)
        layers[name] = [ids[k] for k, _ in model.named_parameters()]
    tiny = torch.nn.Linear(1, 1)
    averages = [
        {"decay": decay, "warmsUp": warms_up,
         "decays": {str(step): ModelEmaV3(tiny, decay=decay, use_warmup=warms_up).get_decay(step)
                    for step in (1, 2, 3, 10, 1000, 1_000_000)}}
        for decay in (0.9, 0.9998) for warms_up in (False, True)]
    write(out / "layers.json", {"layers": layers, "averages": averages})


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
