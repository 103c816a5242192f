#!/usr/bin/env python3
"""Writes what timm's networks compute when a part of them is frozen: Tests/Fixtures/freezing/NAME.json.

usage: make_freezing_fixtures.py OUT [NAME ...]      (needs torch, timm, numpy from PyPI)

As make_network_fixtures.py, with weights and images that are formulas. Frozen parameters have
requires_grad False; with frozen norms, those whose scale and shift are frozen (all, where nothing
else is) are in evaluation mode. Per case, over a few steps of SGD:
  trainLogits   of the first step
  losses        of every step
  gradients     of some of the parameters that train, in the first step
  weights       of the same parameters behind the last step
  statistics    of some running means and variances behind the last step
"""
import json
import pathlib
import sys

import torch
from timm.optim import param_groups_weight_decay

from make_network_fixtures import (
    CASES as NETWORKS, CLASSES, DECAY, MOMENTUM, SMOOTHING, build, digest, images, rows)

STEPS = 4
# name: (network, freeze, what that means by the start of a key, freeze-bn, learning rate)
CASES = {
    "front": ("efficientnet_b0", "stem,blocks.0..2",
              ("conv_stem.", "bn1.", "blocks.0.", "blocks.1.", "blocks.2."), True, 0.002),
    "back": ("efficientnet_b0", "blocks.2..5,conv_head,bn2",
             ("blocks.2.", "blocks.3.", "blocks.4.", "blocks.5.", "conv_head.", "bn2."), True, 0.002),
    "moving": ("tf_efficientnetv2_b0", "blocks.1,blocks.4.0", ("blocks.1.", "blocks.4.0."), False, 0.005),
    "norms": ("tf_efficientnetv2_b0", "none", (), True, 0.0005),
    "transformer": ("vit_tiny_patch16_224", "stem,blocks.0..4,blocks.7.attn",
                    ("patch_embed.", "cls_token", "pos_embed", "blocks.7.attn.",
                     *(f"blocks.{n}." for n in range(5))), False, 0.005),
}


def frozen(model, starts):
    return [k for k, _ in model.named_parameters() if starts and k.startswith(starts)]


def set_training(model, names, fixes_norms):
    model.train()
    for name, module in model.named_modules():
        if fixes_norms and isinstance(module, torch.nn.BatchNorm2d):
            if not names or name + ".weight" in names:
                module.eval()


def run(case, dtype):
    network, _, starts, fixes_norms, rate = CASES[case]
    batch, size, _, _ = NETWORKS[network]
    model = build(network, dtype)
    names = set(frozen(model, starts))
    for key, parameter in model.named_parameters():
        parameter.requires_grad = key not in names
    set_training(model, names, fixes_norms)
    x = images(batch, size).to(dtype)
    labels = torch.tensor([(7 * i + 3) % CLASSES for i in range(batch)])
    groups = param_groups_weight_decay(
        model, DECAY, model.no_weight_decay() if hasattr(model, "no_weight_decay") else ())
    optimizer = torch.optim.SGD(groups, lr=rate, momentum=MOMENTUM, nesterov=True)
    result = {"losses": [], "frozen": sorted(names)}
    for step in range(STEPS):
        logits = model(x)
        loss = torch.nn.functional.cross_entropy(logits, labels, label_smoothing=SMOOTHING)
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            result["trainLogits"] = logits.detach()
            result["gradients"] = {
                k: p.grad.clone() for k, p in model.named_parameters() if p.grad is not None}
        optimizer.step()
        result["losses"].append(loss.item())
    result["weights"] = {
        k: p.detach().clone() for k, p in model.named_parameters() if p.requires_grad}
    result["statistics"] = {k: b.clone() for k, b in model.named_buffers() if b.is_floating_point()}
    return result


def write(case, folder):
    exact, rough = run(case, torch.float64), run(case, torch.float32)
    network, freeze, _, fixes_norms, rate = CASES[case]
    batch, size, gain, _ = NETWORKS[network]
    record = {
        "model": network, "freeze": freeze, "fixesNorms": fixes_norms, "batch": batch,
        "inputSize": size, "classes": CLASSES, "gain": gain, "learningRate": rate,
        "frozenCount": len(exact["frozen"]), "trainLogits": rows(exact["trainLogits"]),
        "losses": exact["losses"],
        "lossNoise": [abs(a / b - 1) for a, b in zip(rough["losses"], exact["losses"])],
    }
    for part in ("gradients", "weights", "statistics"):
        # Every third tensor: that meets every layer of a block, and keeps the file small.
        keys = list(exact[part])[::3]
        record[part] = {k: digest(k, exact[part][k], rough[part][k]) for k in keys}
    path = folder / f"{case}.json"
    path.write_text(json.dumps(record, separators=(",", ":")).replace('},"', '},\n"') + "\n")
    print(case, path.stat().st_size, "bytes; losses", record["losses"], "noise", record["lossNoise"])


if __name__ == "__main__":
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or CASES:
        write(name, out)
