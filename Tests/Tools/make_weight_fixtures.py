#!/usr/bin/env python3
"""Writes the weight fixtures with the tools whose files the program reads.

Output (Tests/Fixtures/weights):
  types.safetensors   a tensor of each element type, written by safetensors from PyTorch
  types.json          for each floating-point tensor the bits of its float32 values, by PyTorch
  manifest.json       for every EfficientNetV2 of timm the number of state-dict entries and the
                      SHA-256 over the sorted lines "key dimensions\\n"
  torch-zip.pth, torch-legacy.pth, archive.npz, array.npy
                      files of other kinds, which the program must recognise

Packages: torch, timm, safetensors, numpy.
Usage:    python3 Tests/Tools/make_weight_fixtures.py
"""

import hashlib
import json
import pathlib

import numpy
import timm
import torch
from safetensors.torch import save_file

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "Fixtures" / "weights"

VARIANTS = (
    ["efficientnetv2_" + size for size in "s m l xl rw_t rw_s rw_m".split()]
    + ["tf_efficientnetv2_" + size for size in "s m l xl b0 b1 b2 b3".split()]
)


def write_types():
    torch.manual_seed(1)
    # Ordinary numbers, and every sort of number at the edge of a type.
    values = torch.cat([
        torch.randn(40, dtype=torch.float64) * 3,
        torch.tensor([0.0, -0.0, 1.0, -1.0, 65504.0, 65519.9, 65520.0, 1e39, -1e300, 6e-5, 6e-8,
                      2.9e-8, -5.9e-8, 1e-40, 1e-46, float("inf"), -float("inf"), float("nan"),
                      1 + 2**-24, 1 + 3 * 2**-24], dtype=torch.float64),
    ]).reshape(4, 15)
    tensors = {
        "f64": values,
        "f32": values.float(),
        "f16": values.half(),
        "bf16": values.bfloat16(),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(3, 0, 2),
        "i64": torch.tensor([1 << 40, -5]),
        "i32": torch.tensor([-7, 8, 9], dtype=torch.int32),
        "u8": torch.arange(5, dtype=torch.uint8),
        "bool": torch.tensor([True, False, True]),
        "größe/\"quoted\"\\\n": torch.tensor([1.0]),
    }
    save_file(tensors, FOLDER / "types.safetensors", metadata={"format": "pt", "note": "Maß ✓"})
    bits = {
        name: tensor.float().reshape(-1).view(torch.int32).tolist()
        for name, tensor in tensors.items()
        if tensor.is_floating_point()
    }
    (FOLDER / "types.json").write_text(json.dumps(bits, indent=1, ensure_ascii=False) + "\n")


def write_manifest():
    manifest = {}
    for name in sorted(VARIANTS):
        with torch.device("meta"):
            state = timm.create_model(name, pretrained=False).state_dict()
        lines = sorted(f"{key} {','.join(map(str, t.shape))}\n" for key, t in state.items())
        digest = hashlib.sha256("".join(lines).encode()).hexdigest()
        manifest[name] = {"entries": len(lines), "sha256": digest}
    text = json.dumps({"timm": timm.__version__, "variants": manifest}, indent=1)
    (FOLDER / "manifest.json").write_text(text + "\n")


def write_foreign():
    state = {"conv_stem.weight": torch.ones(2)}
    torch.save(state, FOLDER / "torch-zip.pth")
    torch.save(state, FOLDER / "torch-legacy.pth", _use_new_zipfile_serialization=False)
    numpy.savez(FOLDER / "archive.npz", weight=numpy.ones(2, numpy.float32))
    numpy.save(FOLDER / "array.npy", numpy.ones(2, numpy.float32))


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_types()
    write_manifest()
    write_foreign()
