"""Writes what Pillow, timm and torchvision make of given pictures and batches, for the tests of the
augmentation policies, of the mixing of images and of random erasing.

  Tests/Fixtures/data/operations.json   single operations of Pillow, by CRC-32 of the RGB bytes
  Tests/Fixtures/data/policies.json     timm's tables and level functions, and whole transforms
  Tests/Fixtures/data/mixing.json       timm's FastCollateMixup and RandomErasing

The random numbers of timm are replaced by those that the program draws for the same picture.

Needs: Pillow, torch, torchvision, timm, numpy.
Run:   python Tests/Tools/augment_fixtures.py Tests/Fixtures
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
from PIL import Image, ImageEnhance, ImageFilter, ImageOps
from timm.data import auto_augment as aa
from timm.data import mixup as timm_mixup
from timm.data import random_erasing as timm_erasing
from timm.data import transforms as timm_transforms
from torchvision.transforms import autoaugment as tv

from data_formula import CounterRandom, crc, noise, plain_sum, standard_normal

root = pathlib.Path(sys.argv[1])
MADE_WITH = (f"Pillow {PIL.__version__}, torchvision {torchvision.__version__}, "
             f"timm {timm.__version__}, torch {torch.__version__}")
FILTERS = {"nearest": Image.NEAREST, "bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}
FILL = (124, 116, 104)  # timm's colour for the mean of ImageNet


def write(name, **content):
    text = json.dumps(dict(madeWith=MADE_WITH, **content), separators=(",", ":"))
    (root / "data" / name).write_text(text.replace("},{", "},\n{").replace("],[", "],\n[") + "\n")


class NumPy:
    """NumPy with other random numbers."""

    def __init__(self, random):
        self.random = random

    def __getattr__(self, name):
        return getattr(np, name)


# Single operations.

def affine(image, numbers, filter):
    return image.transform(image.size, Image.AFFINE, numbers, FILTERS[filter], fillcolor=FILL)


def posterize(image, bits):
    """Pillow's, which from version 13 on refuses to keep no bits."""
    mask = ~(2 ** (8 - bits) - 1)
    return image.point([value & mask for value in range(256)] * 3)


OPERATIONS = dict(
    autoContrast=lambda i, v, f: ImageOps.autocontrast(i),
    equalize=lambda i, v, f: ImageOps.equalize(i),
    invert=lambda i, v, f: ImageOps.invert(i),
    posterize=lambda i, v, f: posterize(i, v),
    solarize=lambda i, v, f: ImageOps.solarize(i, v),
    solarizeAdd=lambda i, v, f: aa.solarize_add(i, v),
    color=lambda i, v, f: ImageEnhance.Color(i).enhance(v),
    contrast=lambda i, v, f: ImageEnhance.Contrast(i).enhance(v),
    brightness=lambda i, v, f: ImageEnhance.Brightness(i).enhance(v),
    sharpness=lambda i, v, f: ImageEnhance.Sharpness(i).enhance(v),
    blur=lambda i, v, f: i.filter(ImageFilter.GaussianBlur(radius=v)),
    rotate=lambda i, v, f: i.rotate(v, FILTERS[f], fillcolor=FILL),
    shearX=lambda i, v, f: affine(i, (1, v, 0, 0, 1, 0), f),
    shearY=lambda i, v, f: affine(i, (1, 0, 0, v, 1, 0), f),
    translateX=lambda i, v, f: affine(i, (1, 0, v, 0, 1, 0), f),
    translateY=lambda i, v, f: affine(i, (1, 0, 0, 0, 1, v), f),
)
FACTORS = [0.0, 0.001, 0.1, 0.64, 1.0, 1.37, 1.9]
ARGUMENTS = dict(
    autoContrast=[0], equalize=[0], invert=[0], posterize=[0, 1, 3, 7, 8],
    solarize=[0, 1, 100, 128, 255, 256], solarizeAdd=[0, 33, 110, 128],
    color=FACTORS, contrast=FACTORS, brightness=FACTORS, sharpness=FACTORS,
    blur=[0.1, 0.5, 1.0, 1.71, 2.0],
    rotate=[0.0, -0.0, 27.0, -30.0, 3.217, 90.0, -90.0, 180.0, 135.0, 359.99],
    shearX=[0.0, 0.27, -0.3, 0.031], shearY=[0.0, 0.27, -0.3, 0.031],
    translateX=[0.0, 3.0, -7.29, 0.5, -1000.0], translateY=[0.0, 3.0, -7.29, 0.5, 1000.0],
)


def operations():
    cases = []
    for name, arguments in ARGUMENTS.items():
        moves = name in ("rotate", "shearX", "shearY", "translateX", "translateY")
        for number, argument in enumerate(arguments):
            for filter in FILTERS if moves else ["nearest"]:
                for width, height, soft in [(32, 32, False), (41, 29, True), (1, 1, False),
                                            (5, 2, False), (15, 23, False), (3, 3, True)]:
                    seed = number + width
                    result = OPERATIONS[name](noise(width, height, seed, soft), argument, filter)
                    cases.append([name, argument, filter, width, height, seed, soft, crc(result)])
    write("operations.json", fill=FILL, cases=cases)


# Policies.

class OperationDraws:
    """What timm's operations take from Python's module `random`, from one operation's numbers."""

    def __init__(self, random):
        self.gate, *self.noise = random.unit(), random.unit(), random.unit()
        self.sign, self.filter, self.extra = random.unit(), random.unit(), random.unit()
        self.is_gated = False


class Draws:
    """Stands in for the modules `random` and `numpy.random` of timm's auto_augment."""

    def __init__(self, policy, chains):
        self.policy, self.chains, self.current = policy, chains, None
        self.fixed_depth = False

    def begin(self, draws, prob):
        self.current, self.gated = draws, prob >= 1

    def random(self):
        if self.gated:
            return self.current.sign
        self.gated = True
        return self.current.gate

    def uniform(self, low, high):
        unit = self.current.extra if low == 0.1 else self.current.noise[0]
        return low + (high - low) * unit

    def gauss(self, mean, deviation):
        return mean + deviation * standard_normal(*self.current.noise)

    def choice(self, items, size=None, replace=True, p=None):
        if size is None and isinstance(items, tuple):
            return items[0 if self.current.filter < 0.5 else 1]
        if size is None:
            return [Begun(op, self) for op in items[self.policy.below(len(items))]]
        if self.fixed_depth:
            self.policy.below(3)
        if p is None and self.chains is not None:
            return [Begun(items[self.policy.below(len(items))], self) for _ in range(size)]
        return self.layers(items, size, p)

    def layers(self, items, size, p):
        left, taken = list(range(len(items))), []
        for _ in range(size):
            unit = self.policy.unit()
            if p is None:
                index = int(unit * len(items))
            else:
                total = plain_sum(self.weights[i] for i in left)
                rest = unit * total
                for index in left:
                    if rest < self.weights[index]:
                        break
                    rest -= self.weights[index]
                left.remove(index)
            taken.append(Begun(items[index], self))
        return taken

    def randint(self, low, high):
        return low + self.policy.below(high - low)

    def dirichlet(self, alphas):
        return self.chains.dirichlet(alphas[0], len(alphas))

    def beta(self, alpha, _):
        return self.share


class Begun:
    """An operation whose numbers are drawn when it is chosen."""

    def __init__(self, op, draws):
        self.op, self.draws = op, draws
        self.numbers = OperationDraws(draws.policy)

    def __call__(self, image):
        self.draws.begin(self.numbers, self.op.prob)
        return self.op(image)


def make(policy, size, filter):
    parameters = dict(translate_const=int(size * 0.45), img_mean=FILL)
    if filter != "random":
        parameters["interpolation"] = FILTERS[filter]
    if policy.startswith("rand"):
        return aa.rand_augment_transform(policy, parameters)
    if policy.startswith("augmix"):
        return aa.augment_and_mix_transform(policy, dict(parameters, translate_pct=0.3))
    return aa.auto_augment_transform(policy, parameters)


def augment(image, policy, size, filter, seed, epoch, index, split):
    """A policy of timm or torchvision, with the draws of the given key."""
    def group(number):
        return CounterRandom(
            seed, CounterRandom.AUGMENTATION, epoch, index, number | split << 32)

    random = group(4)
    if policy == "cifar10":
        made = tv.AutoAugment(tv.AutoAugmentPolicy.CIFAR10)
        space = made._augmentation_space(10, (size, size))
        for name, p, bin in made.policies[random.below(25)]:
            gate, sign = random.unit(), random.below(2)
            if gate <= p:
                magnitudes, signed = space[name]
                magnitude = float(magnitudes[bin]) if bin is not None else 0.0
                image = tv._apply_op(image, name, -magnitude if signed and sign == 0 else magnitude,
                                     made.interpolation, made.fill)
        return image
    if policy == "trivial":
        made = tv.TrivialAugmentWide()
        space = list(made._augmentation_space(31).items())
        name, (magnitudes, signed) = space[random.below(len(space))]
        bin, sign = random.below(31), random.below(2)
        magnitude = float(magnitudes[bin]) if magnitudes.ndim > 0 else 0.0
        return tv._apply_op(image, name, -magnitude if signed and sign else magnitude,
                            made.interpolation, made.fill)
    chains = group(5) if policy.startswith("augmix") else None
    draws = Draws(random, chains)
    made = make(policy, size, filter)
    if chains:
        draws.share = chains.beta(made.alpha)
        if made.depth > 0:  # the program draws the depth even where it is given
            draws.fixed_depth = True
    if getattr(made, "choice_weights", None) is not None:
        kinds = aa.rand_augment_choices(policy.split("-t")[1].split("-")[0])
        draws.weights = [kinds[op.name] for op in made.ops]
    aa.random, aa.np = draws, NumPy(draws)
    return made(image)


POLICIES = [
    "v0", "v0r", "original", "originalr", "3a", "v0-mstd0.5", "rand-m9-n2-mstd0.5",
    "rand-m9-n3-mstd0.5-inc1", "rand-m7-n4-p1-inc1-mstd101", "rand-m14-n4-p1-mmax20",
    "rand-m5-n4-tweights-p1", "rand-m6-n2-t3a-p1", "rand-m6-n6-t3aw-p0.9", "augmix",
    "augmix-m5-w4-d2", "augmix-m3-w2-d1-a0.3-b1", "augmix-m9-w3-d3-mstd1", "cifar10", "trivial",
]


def posterize_any(image, bits):
    return image if bits >= 8 else posterize(image, max(bits, 0))


def policies():
    for name in ("Posterize", "PosterizeIncreasing", "PosterizeOriginal"):
        aa.NAME_TO_OP[name] = lambda image, bits_to_keep, **_: posterize_any(image, bits_to_keep)

    levels = []
    for kind, function in aa.LEVEL_TO_ARG.items():
        for magnitude in [0, 1, 2, 2.5, 3, 4, 5, 6, 7, 8, 9, 10, 13]:
            sign = 0.7 if magnitude % 2 else 0.3
            aa.random = type("Sign", (), dict(random=staticmethod(lambda: sign)))
            value = function(magnitude, dict(translate_const=27))[0] if function else 0
            levels.append([kind, magnitude, sign, value])

    tables = {}
    for policy in POLICIES:
        if policy in ("cifar10", "trivial"):
            continue
        made = make(policy, 32, "random")
        ops = made.policy if hasattr(made, "policy") else [made.ops]
        first = ops[0][0]
        weights = getattr(made, "choice_weights", None)
        tables[policy] = dict(
            steps=[[[op.name, op.prob, op.magnitude] for op in steps] for steps in ops],
            deviation=min(first.magnitude_std, 1e9), largest=first.magnitude_max or 10,
            layers=getattr(made, "num_layers", None),
            weights=None if weights is None else [float(w) for w in weights],
            width=getattr(made, "width", None), depth=getattr(made, "depth", None),
            alpha=getattr(made, "alpha", None), blended=getattr(made, "blended", None))

    cases = []
    for number, policy in enumerate(POLICIES):
        for index in range(24):
            size = [32, 33, 40][index % 3]
            filter = ["random", "bilinear", "bicubic"][index % 3]
            split = index % 2
            image = noise(size, size, index + 1, soft=index % 4 == 3)
            result = augment(image, policy, size, filter, 9, number, index, split)
            cases.append([policy, size, filter, index + 1, index % 4 == 3, number, index, split,
                          crc(result)])

    padded = []
    for index, (size, padding) in enumerate([(32, 4), (32, 4), (17, 3), (9, 8), (24, 1)]):
        shift = CounterRandom(5, CounterRandom.AUGMENTATION, 0, index, 3)
        y, x = shift.below(2 * padding + 1), shift.below(2 * padding + 1)
        image = noise(size, size, index + 1)
        result = F.crop(F.pad(image, padding, padding_mode="reflect"), y, x, size, size)
        padded.append([size, padding, index + 1, index, crc(result)])
    write("policies.json", levels=levels, tables=tables, cases=cases, padded=padded)


# Mixing and erasing.

class MixDraw:
    """The numbers of one unit of Sources/Model/Data/Augmentation/BatchMixing.swift."""

    def __init__(self, random, mixup, cutmix, minmax, prob, switch):
        self.rand, self.switch = random.unit(), random.unit()
        self.place = random.unit(), random.unit()
        self.sides = random.unit(), random.unit()
        self.mixed = self.rand < prob
        cuts = cutmix > 0 or minmax is not None
        self.cut = cuts and (mixup == 0 or self.switch < switch)
        self.beta = 0.5
        if self.mixed and not (self.cut and minmax):
            self.beta = random.beta(cutmix if self.cut else mixup)


class MixDraws:
    """Stands in for `numpy.random` of timm's mixup."""

    def __init__(self, units, minmax):
        self.units, self.boxes, self.calls = units, [], 0
        for unit in units:
            if unit.mixed and unit.cut:
                self.boxes += [*unit.sides, *unit.place] if minmax else unit.place
        self.names = []

    def values(self, name, size):
        values = [getattr(unit, name) for unit in self.units]
        return values[0] if size is None else np.array(values)

    def plan(self, both, mode):
        names = ["switch"] if both else []
        self.names = ["rand"] + names if mode == "batch" else names + ["rand"]

    def rand(self, size=None):
        return self.values(self.names.pop(0), size)

    def beta(self, a, b, size=None):
        return self.values("beta", size)

    def randint(self, low, high, size=None):
        return low + int(self.boxes.pop(0) * (high - low))


class EraseDraws:
    """Stands in for the module `random` of timm's random_erasing."""

    def __init__(self, numbers, count):
        self.uniform, self.randint = numbers.uniform, numbers.randint
        self.numbers, self.count = numbers, count

    def random(self):
        gate = self.numbers.unit()
        if self.count == 1:
            self.numbers.next()  # the program draws the number of rectangles even where it is 1
        return gate


def mixing():
    cases = []
    for number, (mode, mixup, cutmix, minmax, prob, switch) in enumerate([
        ("batch", 0.2, 0, None, 1, 0.5), ("batch", 0, 1.0, None, 1, 0.5),
        ("batch", 0.8, 1.0, None, 0.9, 0.5), ("batch", 0, 0, (0.2, 0.8), 1, 0.5),
        ("pair", 0.8, 1.0, None, 0.9, 0.5), ("elem", 0.8, 1.0, None, 0.9, 0.5),
        ("elem", 0.4, 0, None, 1, 0.5), ("pair", 0, 0, (0.3, 0.9), 0.7, 0.5),
        ("elem", 1.0, 0, (0.1, 0.6), 0.9, 0.3), ("half", 0.8, 1.0, None, 0.9, 0.5),
        ("half", 0.4, 0, None, 1, 0.5), ("half", 1.0, 0, (0.1, 0.6), 0.9, 0.3),
    ]):
        for batch in range(3):
            count, size = [8, 6, 2][batch], [12, 13, 16][batch]
            random = CounterRandom(3, CounterRandom.MIXUP, number, batch)
            parameters = (mixup, cutmix, minmax, prob, switch)
            if mode == "batch":
                units = [MixDraw(random, *parameters)]
            elif mode in ("pair", "half"):
                units = [MixDraw(random, *parameters) for _ in range(count // 2)]
            else:
                units = [None] * count
                for row in range(count // 2):
                    units[row] = MixDraw(random, *parameters)
                    units[count - 1 - row] = MixDraw(random, *parameters)
            draws = MixDraws(units, minmax)
            draws.plan(mixup > 0 and (cutmix > 0 or minmax is not None), mode)
            timm_mixup.np = NumPy(draws)
            collate = timm_mixup.FastCollateMixup(
                mixup, cutmix, minmax, prob, switch, mode, label_smoothing=0, num_classes=5)
            images = [torch.from_numpy(np.array(noise(size, size, seed + 1)).transpose(2, 0, 1))
                      for seed in range(count)]
            mixed, target = collate([(image, (3 * row) % 5) for row, image in enumerate(images)])
            bytes = np.ascontiguousarray(mixed.numpy().transpose(0, 2, 3, 1)).tobytes()
            cases.append(dict(
                mode=mode, mixup=mixup, cutmix=cutmix, minmax=minmax, prob=prob,
                switchProb=switch, epoch=number, batch=batch, count=count, size=size,
                crc=zlib.crc32(bytes), targets=[float(v) for v in target.reshape(-1)]))

    erased = []
    for index in range(30):
        size, count, prob = [32, 17, 48][index % 3], [1, 3][index % 2], [1.0, 0.6][index % 2]
        timm_erasing.random = EraseDraws(
            CounterRandom(3, CounterRandom.AUGMENTATION, 1, index, 6), count)
        image = torch.ones(3, size, size)
        timm_erasing.RandomErasing(prob, mode="const", max_count=count, device="cpu")(image)
        erased.append([index, size, count, prob, zlib.crc32(
            image[0].numpy().astype(np.uint8).tobytes())])
    write("mixing.json", cases=cases, erased=erased)


assert math.isclose(standard_normal(0, 0.3), 0)
operations()
policies()
mixing()
