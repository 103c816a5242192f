#!/usr/bin/env python3
"""Writes Tests/Fixtures/network/channels.json: what timm's networks compute for images of other than
three channels, with weights of three.

usage: make_channels_fixture.py      (needs torch, timm, numpy from PyPI)

As make_network_fixtures.py, with weights and images that are formulas: those of three channels go
through timm's adapt_input_conv. `stem` are the weights of the first convolution after that.
"""
import json
import pathlib

import timm
import torch
from timm.models import adapt_input_conv

from formula import uniform
from make_network_fixtures import CLASSES, SMOOTHING, digest, formula, mini, rows

OUTPUT = pathlib.Path(__file__).parent.parent / "Fixtures" / "network" / "channels.json"
# name, channels, batch, input size, gain
CASES = [("mini", 1, 4, 32, 4.0), ("mini", 2, 4, 32, 4.0), ("mini", 4, 4, 32, 4.0),
         ("mini", 7, 3, 33, 4.0), ("vit_tiny_patch16_224", 1, 3, 80, 2.0)]


def create(name, channels):
    if name == "mini":
        return mini("avg", channels)
    return timm.create_model(name, num_classes=CLASSES, in_chans=channels, dynamic_img_size=True)


def images(batch, channels, size):
    values = uniform("input", batch * channels * size * size) * 3**0.5
    return torch.from_numpy(values.astype("float32").reshape(batch, channels, size, size))


def run(case, dtype):
    name, channels, batch, size, gain = case
    three = {k: formula(k, tuple(v.shape), gain) for k, v in create(name, 3).state_dict().items()}
    first = "conv_stem.weight" if name == "mini" else "patch_embed.proj.weight"
    three[first] = adapt_input_conv(channels, three[first])
    model = create(name, channels)
    model.load_state_dict(three)
    model = model.to(dtype)
    x = images(batch, channels, size).to(dtype)
    labels = torch.tensor([(7 * i + 3) % CLASSES for i in range(batch)])
    model.eval()
    with torch.no_grad():
        evaluated = model(x)
    model.train()
    loss = torch.nn.functional.cross_entropy(model(x), labels, label_smoothing=SMOOTHING)
    loss.backward()
    gradients = {k: p.grad.clone() for k, p in model.named_parameters()}
    return first, model.state_dict()[first], evaluated, loss.item(), gradients


def main():
    records = []
    for case in CASES:
        name, channels, batch, size, gain = case
        first, stem, logits, loss, gradients = run(case, torch.float64)
        _, rough_stem, rough_logits, rough_loss, rough = run(case, torch.float32)
        records.append(dict(
            model=name, channels=channels, batch=batch, inputSize=size, gain=gain, first=first,
            stem=digest(first, stem, rough_stem), logits=rows(logits),
            logitNoise=float((rough_logits.double() - logits).norm() / logits.norm()), loss=loss,
            gradients={k: digest(k, v, rough[k]) for k, v in gradients.items()}))
        print(name, channels, "loss", loss, "noise", abs(rough_loss / loss - 1))
    OUTPUT.write_text(json.dumps(records, separators=(",", ":")).replace('},"', '},\n"') + "\n")
    print(OUTPUT.stat().st_size, "bytes, torch", torch.__version__, "timm", timm.__version__)


main()
