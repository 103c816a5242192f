#!/usr/bin/env python3
"""Writes what timm's networks compute, for the tests of the engine: Tests/Fixtures/network/NAME.json.

usage: make_network_fixtures.py OUT [NAME ...]      (needs torch, timm, numpy from PyPI)

No weights are stored: every tensor is a formula of its timm key and flat index (`formula` below;
the same in Tests/ModelTests/NetworkFixture.swift), and so are the images. Per network:
  evalLogits    logits in evaluation mode of the formula's weights
  trainLogits   logits in training mode of the first step
  gradients     of every parameter by the mean loss: norm, projection on a vector of signs, samples
  statistics    every running mean and variance after that one forward, likewise
  losses        ten steps of SGD (Nesterov 0.9, timm's weight decay groups, label smoothing 0.1)
Everything is computed in float64 from float32 weights. The `noise` of a
quantity is its distance to the same computed by PyTorch in float32 (relative for logits and losses,
absolute for tensors, some of whose gradients are zero but for rounding): what a test can ask for.
"""
import functools
import json
import pathlib
import sys

import numpy as np
import timm
import torch
from timm.models._efficientnet_builder import decode_arch_def
from timm.models.efficientnet import EfficientNet
from timm.optim import param_groups_weight_decay

from formula import hash_bits, uniform

# name: (batch, input size, variance gain of the convolutions, learning rate). The gain keeps the
# activations of evaluation mode alive through all layers without letting them explode; the rate
# keeps ten steps from being chaotic, that is, from amplifying the rounding of the first.
CASES = {
    "tf_efficientnetv2_b0": (8, 64, 5.4, 0.005),
    "efficientnetv2_rw_s": (8, 65, 4.1, 0.001),
    "efficientnetv2_rw_t": (6, 64, 4.2, 0.0003),
    "tf_efficientnetv2_b3": (4, 65, 4.7, 0.002),
    "efficientnet_b0": (6, 64, 5.0, 0.002),
    "gc_efficientnetv2_rw_t": (5, 64, 4.2, 0.0003),
    # 80 pixels are 5 patches along an edge: the 14 learned positions are resized.
    "vit_tiny_patch16_224": (3, 80, 2.0, 0.005),
    # The network of mini_network.py with other poolings of its last maps, of 4x4 pixels.
    "mini_max": (4, 32, 4.0, 0.01),
    "mini_avgmax": (4, 32, 4.0, 0.01),
    "mini_catavgmax": (4, 32, 4.0, 0.01),
}
CLASSES = 10
MINI_FEATURES = 40
STEPS = 10
MOMENTUM, DECAY, SMOOTHING = 0.9, 2e-5, 0.1


def formula(key, shape, gain):
    """The value of a tensor of the state dict, as float32."""
    count = int(np.prod(shape, dtype=np.int64))
    if key.endswith("num_batches_tracked"):
        return torch.zeros(shape, dtype=torch.int64)
    u = uniform(key, count)
    if key.endswith("running_mean"):
        values = 0.1 * u
    elif key.endswith("running_var"):
        values = 1 + 0.3 * u
    elif key in ("cls_token", "pos_embed"):
        values = 0.5 * u
    elif key.endswith("bias"):
        values = 0.1 * u
    elif len(shape) == 1:
        values = 1 + 0.2 * u
    else:
        values = u * np.sqrt(gain / np.prod(shape[1:]))
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def images(batch, size):
    count = batch * 3 * size * size
    values = (uniform("input", count) * np.sqrt(3)).astype(np.float32)
    return torch.from_numpy(values.reshape(batch, 3, size, size))


def build(name, dtype):
    return filled(create(name), CASES[name][2]).to(dtype)


def create(name, **options):
    if name.startswith("mini_"):
        return mini(name.removeprefix("mini_"))
    if name.startswith("vit_"):
        options["dynamic_img_size"] = True
    return timm.create_model(name, num_classes=CLASSES, **options)


def mini(pooling, channels=3):
    stages = [["cn_r1_k3_s1_e1_c8_skip"], ["er_r1_k3_s2_e4_c8"], ["ir_r2_k3_s2_e4_c8_se0.25"]]
    return EfficientNet(
        decode_arch_def(stages), num_classes=CLASSES, num_features=MINI_FEATURES, stem_size=8,
        pad_type="same", act_layer=torch.nn.SiLU,
        norm_layer=functools.partial(torch.nn.BatchNorm2d, eps=1e-3), global_pool=pooling,
        in_chans=channels)


def filled(model, gain):
    model.load_state_dict(
        {k: formula(k, tuple(v.shape), gain) for k, v in model.state_dict().items()})
    return model


def run(name, dtype):
    batch, size, _, rate = CASES[name]
    model = build(name, dtype)
    x = images(batch, size).to(dtype)
    labels = torch.tensor([(7 * i + 3) % CLASSES for i in range(batch)])
    result = {}
    model.eval()
    with torch.no_grad():
        result["evalLogits"] = model(x)
    model.train()
    optimizer = torch.optim.SGD(
        param_groups_weight_decay(
            model, DECAY, model.no_weight_decay() if hasattr(model, "no_weight_decay") else ()),
        lr=rate, momentum=MOMENTUM, nesterov=True)
    losses = []
    for step in range(STEPS):
        logits = model(x)
        loss = torch.nn.functional.cross_entropy(logits, labels, label_smoothing=SMOOTHING)
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            result["trainLogits"] = logits.detach()
            result["gradients"] = {k: p.grad.clone() for k, p in model.named_parameters()}
            result["statistics"] = {
                k: b.clone() for k, b in model.named_buffers() if b.is_floating_point()}
        optimizer.step()
        losses.append(loss.item())
    result["losses"] = losses
    return result


def distance(a, b):
    return float((a.double() - b).norm() / b.norm())


def digest(key, exact, rough):
    flat = exact.flatten().numpy()
    signs = 1 - 2 * (hash_bits("signs of " + key, flat.size) & np.uint64(1)).astype(np.float64)
    places = [int(b % np.uint64(flat.size)) for b in hash_bits("samples of " + key, 8)]
    return {
        "norm": short(np.linalg.norm(flat)), "projection": short(flat @ signs),
        "samples": [short(flat[p]) for p in places],
        "noise": float(f"{float((rough.double() - exact).norm()):.2g}")}


def short(value):
    return float(f"{value:.8g}")


def rows(t):
    return [[short(v) for v in row] for row in t.tolist()]


def write(name, folder):
    exact, rough = run(name, torch.float64), run(name, torch.float32)
    batch, size, gain, rate = CASES[name]
    record = {
        "model": name, "batch": batch, "inputSize": size, "classes": CLASSES,
        "madeWith": f"torch {torch.__version__}, timm {timm.__version__}",
        "gain": gain, "learningRate": rate, "momentum": MOMENTUM, "weightDecay": DECAY, "smoothing": SMOOTHING,
        "evalLogits": rows(exact["evalLogits"]),
        "evalNoise": distance(rough["evalLogits"], exact["evalLogits"]),
        "trainLogits": rows(exact["trainLogits"]),
        "trainNoise": distance(rough["trainLogits"], exact["trainLogits"]),
        "losses": exact["losses"],
        "lossNoise": [abs(a / b - 1) for a, b in zip(rough["losses"], exact["losses"])],
    }
    for part in ("gradients", "statistics"):
        record[part] = {k: digest(k, v, rough[part][k]) for k, v in exact[part].items()}
    noise = [v["noise"] / (v["norm"] + 1e-9) for v in record["gradients"].values()]
    path = folder / f"{name}.json"
    path.write_text(json.dumps(record, separators=(",", ":")).replace('},"', '},\n"') + "\n")
    print(name, path.stat().st_size, "bytes; losses", [round(v, 5) for v in record["losses"]],
          "noise of losses", max(record["lossNoise"]), "of gradients: median",
          float(np.median(noise)), "max", max(noise), "logits", record["evalNoise"],
          record["trainNoise"])


if __name__ == "__main__":
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for case in sys.argv[2:] or CASES:
        write(case, out)
