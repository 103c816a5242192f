#!/usr/bin/env python3
"""Shows that timm, PyTorch and NumPy load what the program writes, and see the same in a picture.

For each model: PyTorch saves formula weights, the program loads them and writes them as safetensors
(with config.json), .pth and .npz; timm loads the folder, torch.load the state dict with
weights_only=True, numpy the archive; all must be the formula's, tensor by tensor; and timm's
logits for a picture must be the program's. Then files of the fixtures are converted and
compared with the formula.

Packages: torch, timm, safetensors, numpy, pillow.
Usage:    python3 Tests/Tools/check_written_weights.py PROGRAM [MODEL ...]
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import timm
import torch
from PIL import Image
from safetensors.torch import load_file
from timm.data import create_transform, resolve_data_config

import mini_network
from make_network_fixtures import CASES, CLASSES, build

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "Fixtures"
PICTURE = FIXTURES / "data" / "images" / "444.jpg"


def run(program, folder, *arguments):
    done = subprocess.run(
        [program, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def check(program, name, folder):
    formula = build(name, torch.float32).state_dict()
    torch.save({"model": formula}, folder / "timm.pth")
    script = f"load {name} weights=timm.pth; " + "; ".join(
        f"save-weights hub/model.{ending}" for ending in ("safetensors", "pth", "npz"))
    predictions = run(
        program, folder, "-c", f"{script}; predict {PICTURE} top={CLASSES} --json")
    hub = folder / "hub"
    model = timm.create_model(f"local-dir:{hub}", pretrained=True).eval()
    assert model.num_classes == CLASSES
    state = load_file(hub / "model.safetensors")
    torch_state = torch.load(hub / "model.pth", weights_only=True)
    mapped = torch.load(hub / "model.pth", weights_only=True, mmap=True)
    arrays = np.load(hub / "model.npz")
    model.load_state_dict(torch_state, strict=True)
    assert set(arrays.files) == set(state) == set(model.state_dict())
    for key, value in state.items():
        assert torch.equal(value, formula[key]), key
        assert torch.equal(value, torch_state[key]) and torch.equal(value, mapped[key]), key
        assert value.shape == torch_state[key].shape, key
        assert np.array_equal(value.numpy(), arrays[key]), key
        assert value.dtype == model.state_dict()[key].dtype, key

    config = resolve_data_config({}, model=model)
    image = create_transform(**config)(Image.open(PICTURE).convert("RGB")).unsqueeze(0)
    with torch.no_grad():
        expected = model(image)[0].numpy()
    rows = json.loads(predictions[predictions.index("[\n"):])
    found = np.zeros(CLASSES)
    for row in rows:
        found[row["index"]] = row["logit"]
    difference = abs(expected - found).max() / abs(expected).max()
    assert len(rows) == CLASSES and difference < 1e-4, (difference, expected, found)
    print(f"{name}: {len(state)} tensors in three formats, logits within {difference:.1e}")


def check_conversions(program, folder):
    wanted = mini_network.values()
    for name in ("mini-timm-legacy.pth", "mini-timm-checkpoint.pth.tar", "mini-timm-compressed.npz"):
        for ending in ("safetensors", "pth", "npz"):
            out = folder / f"out.{ending}"
            run(program, folder, "convert", str(FIXTURES / "weights" / name), str(out))
            if ending == "npz":
                state = dict(np.load(out))
            elif ending == "pth":
                state = {k: v.numpy() for k, v in torch.load(out, weights_only=True).items()}
            else:
                state = {k: v.numpy() for k, v in load_file(out).items()}
            assert set(wanted) <= set(state)
            for key, value in wanted.items():
                assert np.allclose(state[key], value, atol=1e-3), (name, key)
    print("conversions: the numbers of the formula")


if __name__ == "__main__":
    program = str(pathlib.Path(sys.argv[1]).resolve())
    names = sys.argv[2:] or list(CASES)
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            check(program, name, pathlib.Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        check_conversions(program, pathlib.Path(folder))
