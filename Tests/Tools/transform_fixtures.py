"""Writes what Pillow, torchvision and timm make of given pictures, for the tests of the resampling
and of the transforms.

  Tests/Fixtures/kernels/resample.json   Pillow's Image.resize, by CRC-32 of the RGB bytes
  Tests/Fixtures/data/transforms.json    timm's evaluation and training transforms, likewise

Sources are noise from a linear congruential generator that the tests have as well, or the four
CIFAR-10 pictures of Tests/Fixtures/data/cifar-10-batches-bin (see data_fixtures.py).

Needs: Pillow, torch, torchvision, timm, numpy.
Run:   python Tests/Tools/transform_fixtures.py Tests/Fixtures
"""

import json
import math
import pathlib
import sys
import zlib

import numpy as np
import PIL
import timm
import torch
import torchvision
import torchvision.transforms.functional as F
from PIL import Image
from timm.data import create_transform
from timm.data import transforms as timm_transforms

from data_formula import CounterRandom, crc, noise

root = pathlib.Path(sys.argv[1])
MADE_WITH = (f"Pillow {PIL.__version__}, torchvision {torchvision.__version__}, "
             f"timm {timm.__version__}, torch {torch.__version__}")
FILTERS = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}


def resample():
    cases = []

    def add(filter, source, size, box=None, seed=1):
        result = noise(*source, seed).resize(size, FILTERS[filter], box=box)
        cases.append(dict(filter=filter, source=source, seed=seed, box=box, size=size,
                          crc=crc(result), first=list(result.tobytes()[:6])))

    for filter in FILTERS:
        for source, size in [
            ((32, 32), (64, 64)), ((32, 32), (32, 32)), ((32, 32), (24, 24)), ((8, 8), (32, 32)),
            ((17, 13), (31, 7)), ((7, 31), (64, 64)), ((1, 1), (5, 3)), ((1, 9), (4, 4)),
            ((9, 1), (4, 4)), ((33, 20), (33, 11)), ((20, 33), (11, 33)), ((100, 75), (9, 8)),
            ((333, 251), (128, 96)), ((640, 3), (5, 48)), ((5, 400), (48, 3)), ((40, 40), (1, 1)),
            ((47, 54), (48, 48)), ((40, 40), (30, 19)), ((40, 40), (30, 20)), ((20, 60), (10, 39)),
        ]:
            add(filter, source, size, seed=len(cases) + 1)
        for source, size, box in [
            ((32, 32), (64, 64), (3, 5, 27, 30)), ((50, 40), (50, 40), (0.5, 0.25, 49.5, 39.75)),
            ((50, 40), (13, 17), (1.3, 2.7, 44.1, 39.9)), ((50, 40), (20, 20), (0, 10, 50, 30)),
            ((50, 40), (50, 20), (0, 10, 50, 30)), ((50, 40), (49, 37), (3.5, 0, 50, 39.5)),
            ((50, 40), (96, 96), (20.2, 20.1, 23.9, 22.2)),
        ]:
            add(filter, source, size, box, seed=len(cases) + 1)
    (root / "kernels/resample.json").write_text(
        json.dumps(dict(madeWith=MADE_WITH, cases=cases), indent=0))


ORDERS = ["bcs", "bsc", "cbs", "csb", "sbc", "scb"]
ADJUST = dict(b=F.adjust_brightness, c=F.adjust_contrast, s=F.adjust_saturation)


def augment(image, size, seed, epoch, index):
    """timm's training transform, with the draws of the given key."""
    crop = CounterRandom(seed, CounterRandom.AUGMENTATION, epoch, index, 0)
    flips = CounterRandom(seed, CounterRandom.AUGMENTATION, epoch, index, 1)
    color = CounterRandom(seed, CounterRandom.AUGMENTATION, epoch, index, 2)
    timm_transforms.random = crop
    top, left, height, width = timm_transforms.RandomResizedCropAndInterpolation.get_params(
        image, (0.08, 1.0), (3 / 4, 4 / 3))
    filter = ["bilinear", "bicubic"][flips.randint(0, 1)]
    mode = dict(bilinear=F.InterpolationMode.BILINEAR, bicubic=F.InterpolationMode.BICUBIC)[filter]
    image = F.resized_crop(image, top, left, height, width, (size, size), mode)
    horizontal, vertical = flips.unit() < 0.5, flips.unit() < 0.25
    if horizontal:
        image = F.hflip(image)
    if vertical:
        image = F.vflip(image)
    factors = {name: float(np.float32(color.uniform(0.6, 1.4))) for name in "bcs"}
    order = color.randint(0, 5)
    for name in ORDERS[order]:
        image = ADJUST[name](image, factors[name])
    draw = dict(x=left, y=top, width=width, height=height, interpolation=filter,
                flipsHorizontally=horizontal, flipsVertically=vertical, order=order,
                brightness=factors["b"], contrast=factors["c"], saturation=factors["s"])
    return image, draw


def cifar_pictures():
    data = (root / "data/cifar-10-batches-bin/test_batch.bin").read_bytes()
    for start in range(0, len(data), 3073):
        planes = np.frombuffer(data[start + 1:start + 3073], np.uint8).reshape(3, 32, 32)
        yield Image.fromarray(np.ascontiguousarray(planes.transpose(1, 2, 0)))


def transforms():
    evaluation, training, jitter = [], [], []

    def evaluate(source, image, size, crop, filter, aug=True):
        # With the prefetcher the transform ends with bytes.
        # A pair keeps timm's --no-aug from keeping the aspect ratio, as in its training script.
        made = create_transform(
            (size, size), is_training=not aug, no_aug=not aug, interpolation=filter, crop_pct=crop,
            use_prefetcher=True)(image)
        result = np.ascontiguousarray(np.asarray(made).transpose(1, 2, 0))
        assert result.shape == (size, size, 3) and result.dtype == np.uint8
        floats = create_transform(
            (size, size), is_training=not aug, no_aug=not aug, interpolation=filter, crop_pct=crop,
            mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), **({} if aug else dict(hflip=0)),
        )(image).permute(1, 2, 0).reshape(-1)
        evaluation.append(dict(
            source=source, size=size, cropFraction=crop, interpolation=filter, squash=not aug,
            crc=zlib.crc32(result.tobytes()), floats=[float(v) for v in floats[:12]]))

    for number, image in enumerate(cifar_pictures()):
        evaluate(dict(cifar=number), image, 64, 1.0, "bicubic")
    evaluate(dict(cifar=0), next(cifar_pictures()), 32, 1.0, "bicubic")
    for size, (width, height), crop, filter in [
        (64, (150, 100), 0.875, "bicubic"), (64, (100, 150), 0.875, "bicubic"),
        (48, (320, 237), 0.875, "bilinear"), (37, (61, 200), 0.9, "bicubic"),
        (224, (300, 260), 0.875, "bicubic"), (30, (1, 7), 0.875, "bilinear"),
        (33, (40, 35), 0.882, "bicubic"), (64, (65, 64), 1.0, "bicubic"),
        (20, (55, 44), 0.89, "bicubic"),
    ]:
        seed = width * 1000 + height
        evaluate(dict(width=width, height=height, seed=seed), noise(width, height, seed),
                 size, crop, filter)
        evaluate(dict(width=width, height=height, seed=seed), noise(width, height, seed),
                 size, crop, filter, aug=False)

    for index in range(24):
        width, height, size = [(32, 32, 64), (32, 32, 32), (90, 70, 48), (40, 200, 24),
                               (300, 31, 33)][index % 5]
        image = noise(width, height, index + 1)
        result, draw = augment(image, size, 42, index % 3, index)
        training.append(dict(
            source=dict(width=width, height=height, seed=index + 1), size=size, seed=42,
            epoch=index % 3, index=index, draw=draw, crc=crc(result)))

    # Single operations, with factors at and beyond the ends.
    for name, key in [("brightness", "b"), ("contrast", "c"), ("saturation", "s")]:
        for factor in [0.0, 0.3, 0.5, 0.999, 1.0, 1.001, 1.4, 2.5]:
            factor = float(np.float32(factor))
            result = ADJUST[key](noise(37, 23, 77), factor)
            jitter.append(dict(operation=name, factor=factor, crc=crc(result)))
    (root / "data/transforms.json").write_text(json.dumps(dict(
        madeWith=MADE_WITH, evaluation=evaluation, training=training, jitter=jitter), indent=0))


assert math.isclose(CounterRandom(1, 3, 2).unit(), CounterRandom(1, 3, 2).unit())
resample()
transforms()
