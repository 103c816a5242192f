#!/usr/bin/env python3
"""Writes the weight fixtures with the tools whose files the program reads.

Output (Tests/Fixtures/weights):
  types.safetensors   a tensor of each element type, written by safetensors from PyTorch
  types.json          for each floating-point tensor the bits of its float32 values, by PyTorch
  manifest.json       for every EfficientNetV2 of timm the number of state-dict entries and the
                      SHA-256 over the sorted lines "key dimensions\\n"
  schemes.json        for every network of torchvision the same as in manifest.json
  torch-zip.pth, torch-legacy.pth, archive.npz, array.npy
                      a tensor or two in files of other kinds
  mini-*              the networks of mini_network.py in the files and under the names of PyTorch's
                      libraries, with all that such files can have
  mini-flax.npz       the network of mini_transformer.py under Flax's names, which timm reads back
  positions.json      its positions, brought by timm to other numbers of patches along an edge
  odd.pth, evil.pth   tensors with strides, shared storages, of every type; a pickle that would call
                      something

Packages: torch, torchvision, timm, safetensors, numpy.
Usage:    python3 Tests/Tools/make_weight_fixtures.py
"""

import argparse
import collections
import hashlib
import json
import os
import pathlib

import numpy
import timm
import torch
import torchvision
from safetensors.torch import save_file
from timm.layers import resample_abs_pos_embed
from timm.models.vision_transformer import VisionTransformer
from torchvision.models.efficientnet import EfficientNet, FusedMBConvConfig, MBConvConfig

import mini_network
import mini_transformer

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


def described(state):
    lines = sorted(f"{key} {','.join(map(str, t.shape))}\n" for key, t in state.items())
    return {
        "entries": len(lines), "sha256": hashlib.sha256("".join(lines).encode()).hexdigest()}


def write_manifest():
    manifest = {}
    schemes = {}
    with torch.device("meta"):
        for name in sorted(VARIANTS):
            manifest[name] = described(timm.create_model(name, pretrained=False).state_dict())
        for size in "s m l".split():
            network = getattr(torchvision.models, f"efficientnet_v2_{size}")()
            schemes[f"efficientnetv2_{size}"] = described(network.state_dict())
        for size in range(8):
            network = getattr(torchvision.models, f"efficientnet_b{size}")()
            schemes[f"efficientnet_b{size}"] = described(network.state_dict())
    text = json.dumps({"timm": timm.__version__, "variants": manifest}, indent=1)
    (FOLDER / "manifest.json").write_text(text + "\n")
    text = json.dumps(
        {"torchvision": {"version": torchvision.__version__, "variants": schemes}}, indent=1)
    (FOLDER / "schemes.json").write_text(text + "\n")


def write_foreign():
    state = {"conv_stem.weight": torch.ones(2)}
    torch.save(state, FOLDER / "torch-zip.pth")
    torch.save(state, FOLDER / "torch-legacy.pth", _use_new_zipfile_serialization=False)
    numpy.savez(FOLDER / "archive.npz", weight=numpy.ones(2, numpy.float32))
    numpy.save(FOLDER / "array.npy", numpy.ones(2, numpy.float32))


def tensors(values, dtype=torch.float32):
    return collections.OrderedDict(
        (name, torch.from_numpy(value.copy()).to(dtype)) for name, value in values.items())


def counters(state, suffix):
    """A state dict with the counters that PyTorch's norms have."""
    result = collections.OrderedDict()
    for name, value in state.items():
        result[name] = value
        if name.endswith(suffix):
            result[name.replace(suffix, "num_batches_tracked")] = torch.tensor(7)
    return result


class Module(torch.nn.Module):
    """A module that is built from a state dict: the tree that its names describe."""

    def __init__(self, state):
        super().__init__()
        self.children_seen = 0
        for name, value in state.items():
            module, parts = self, name.split(".")
            for part in parts[:-1]:
                if part not in module._modules:
                    module.add_module(part, torch.nn.Module())
                module = module._modules[part]
            if "running" in name or "num_batches" in name:
                module.register_buffer(parts[-1], value)
            else:
                module.register_parameter(parts[-1], torch.nn.Parameter(value))


def write_torchvision(file, timm_state, *config):
    network = EfficientNet(
        config, dropout=0, norm_layer=None, last_channel=8, num_classes=mini_network.CLASSES)
    # torchvision's order is timm's, which is used here to fill, and nowhere else.
    state = network.state_dict()
    for (name, value), (_, wanted) in zip(state.items(), timm_state.items(), strict=True):
        value.copy_(wanted)
    torch.save(state, FOLDER / file)


def write_transformer():
    values = mini_transformer.values()
    file = FOLDER / "mini-flax.npz"
    numpy.savez(file, **mini_transformer.flax(values))
    edge = mini_transformer.PATCH * mini_transformer.GRID
    network = VisionTransformer(
        img_size=edge, patch_size=mini_transformer.PATCH, embed_dim=mini_transformer.CHANNELS,
        depth=mini_transformer.DEPTH, num_heads=mini_transformer.HEADS,
        num_classes=mini_network.CLASSES)
    network.load_pretrained(file)
    for name, value in network.state_dict().items():
        assert numpy.array_equal(value.numpy(), values[name]), name
    positions = torch.from_numpy(values["pos_embed"])
    resized = {
        str(grid): [
            round(x, 8) for x in resample_abs_pos_embed(positions, [grid, grid]).flatten().tolist()]
        for grid in (3, 6)}
    (FOLDER / "positions.json").write_text(json.dumps(resized) + "\n")


def write_minis():
    timm_state = counters(tensors(mini_network.values()), "running_var")
    half = tensors(mini_network.values(), torch.float16)
    # timm's training checkpoint: the averages are what is to be taken.
    wrong = collections.OrderedDict((k, torch.zeros_like(v)) for k, v in half.items())
    torch.save(
        {
            "epoch": 3, "arch": "mini", "state_dict": wrong, "version": 2,
            "args": argparse.Namespace(lr=0.1, name="x", sizes=[1, 2], path=pathlib.Path("a/b")),
            "metric": numpy.float64(81.5), "state_dict_ema": half,
            "optimizer": {"state": {0: {"momentum_buffer": torch.zeros(3)}}, "param_groups": []},
        }, FOLDER / "mini-timm-checkpoint.pth.tar")
    torch.save(timm_state, FOLDER / "mini-timm-legacy.pth", _use_new_zipfile_serialization=False)
    parallel = {"model": {"module." + k: v for k, v in half.items()}}
    torch.save(parallel, FOLDER / "mini-parallel.pth")
    hankyul2 = tensors(mini_network.renamed("hankyul2"), torch.bfloat16)
    torch.save(
        {
            "state_dict": {"model." + k: v for k, v in hankyul2.items()}, "epoch": 1,
            "pytorch-lightning_version": "1.6",
        }, FOLDER / "mini-hankyul2-lightning.ckpt")
    jahongir = tensors(mini_network.renamed("jahongir7174"), torch.float16)
    torch.save({"model": Module(jahongir)}, FOLDER / "mini-jahongir7174-module.pt")

    write_torchvision(
        "mini-torchvision.pth", timm_state, FusedMBConvConfig(1, 3, 1, 8, 8, 1),
        FusedMBConvConfig(4, 3, 2, 8, 8, 1), MBConvConfig(4, 3, 2, 8, 8, 2))
    write_torchvision(
        "mini-torchvision-first.pth",
        counters(tensors(mini_network.values(first=True)), "running_var"),
        MBConvConfig(1, 3, 1, 8, 8, 1), MBConvConfig(4, 5, 2, 8, 8, 2))

    numpy.savez_compressed(FOLDER / "mini-timm-compressed.npz", **mini_network.values())
    averaged = {
        name + "/ExponentialMovingAverage": value
        for name, value in mini_network.renamed("google").items()}
    averaged["global_step"] = numpy.int64(100)
    numpy.save(FOLDER / "mini-hankyul2-dictionary.npy", averaged)


def write_odd():
    base = torch.arange(24, dtype=torch.float32)
    matrix = base.reshape(4, 6)
    torch.save(
        {
            "whole": matrix, "transposed": matrix.t(), "row": matrix[2], "column": matrix[:, 1],
            "expanded": base[3:4].expand(2, 5), "scalar": base[5], "empty": base[:0].reshape(0, 3),
            "every_other": base[::2], "permuted": base.reshape(2, 3, 4).permute(2, 0, 1),
            "f64": base.double() / 3, "f16": base.half() / 3, "bf16": base.bfloat16() / 3,
            "i64": base.long() - 7, "i32": base.int(), "i16": base.short(), "i8": base.char(),
            "u8": base.byte(), "bool": base > 5, "u16": torch.tensor([1, 65535], dtype=torch.uint16),
            "parameter": torch.nn.Parameter(matrix), "größe": base[:2],
        }, FOLDER / "odd.pth")

    class Evil:
        def __reduce__(self):
            return os.system, ("touch /tmp/workbench-was-here",)

    torch.save({"conv_stem.weight": torch.ones(2), "extra": Evil()}, FOLDER / "evil.pth")
    numpy.save(FOLDER / "fortran.npy", numpy.asfortranarray(numpy.arange(6.0).reshape(2, 3)))
    numpy.save(FOLDER / "big-endian.npy", numpy.arange(6, dtype=">f4").reshape(3, 2))


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_types()
    write_manifest()
    write_foreign()
    write_minis()
    write_transformer()
    write_odd()
