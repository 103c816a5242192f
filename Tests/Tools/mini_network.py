"""The smallest networks with a block of each kind, under every library's names: one of the second
generation and, called first, one of EfficientNet's first.

Shapes are timm's; the values are the formula's for timm's name, so that a reader that puts a number
into a wrong place is noticed. The names are spelled out from each library's code, layer by layer.
"""

import numpy as np

from formula import uniform

CHANNELS, MIDDLE, SQUEEZED, CLASSES = 8, 32, 2, 3


def norm(path, channels=CHANNELS):
    parts = "weight bias running_mean running_var".split()
    return [(f"{path}.{part}", (channels,)) for part in parts]


def gate(path, channels):
    return [
        (path + "conv_reduce.weight", (SQUEEZED, channels, 1, 1)),
        (path + "conv_reduce.bias", (SQUEEZED,)),
        (path + "conv_expand.weight", (channels, SQUEEZED, 1, 1)),
        (path + "conv_expand.bias", (channels,)),
    ]


def inverted(b, kernel):
    c, m = CHANNELS, MIDDLE
    tensors = [(b + "conv_pw.weight", (m, c, 1, 1))] + norm(b + "bn1", m)
    tensors += [(b + "conv_dw.weight", (m, 1, kernel, kernel))] + norm(b + "bn2", m)
    return tensors + gate(b + "se.", m) + [(b + "conv_pwl.weight", (c, m, 1, 1))] + norm(b + "bn3")


def shapes(head=CHANNELS, first=False):
    """timm's names and shapes, without the counters of batches."""
    c, m = CHANNELS, MIDDLE
    tensors = [("conv_stem.weight", (c, 3, 3, 3))] + norm("bn1")
    if first:
        b = "blocks.0.0."
        tensors += [(b + "conv_dw.weight", (c, 1, 3, 3))] + norm(b + "bn1") + gate(b + "se.", c)
        tensors += [(b + "conv_pw.weight", (c, c, 1, 1))] + norm(b + "bn2")
    else:
        tensors += [("blocks.0.0.conv.weight", (c, c, 3, 3))] + norm("blocks.0.0.bn1")
        tensors += [("blocks.1.0.conv_exp.weight", (m, c, 3, 3))] + norm("blocks.1.0.bn1", m)
        tensors += [("blocks.1.0.conv_pwl.weight", (c, m, 1, 1))] + norm("blocks.1.0.bn2")
    for index in range(2):
        tensors += inverted(f"blocks.1.{index}.", 5) if first else inverted(f"blocks.2.{index}.", 3)
    tensors += [("conv_head.weight", (head, c, 1, 1))] + norm("bn2", head)
    return dict(tensors + [("classifier.weight", (CLASSES, head)), ("classifier.bias", (CLASSES,))])


def numbers(shapes):
    """timm's names and the formula's numbers."""
    return {
        name: uniform(name, int(np.prod(shape))).astype(np.float32).reshape(shape)
        for name, shape in shapes.items()
    }


def values(head=CHANNELS, first=False):
    return numbers(shapes(head, first))


# A layer of timm beside the same layer elsewhere: the convolution and its norm.
BLOCKS = {
    "hankyul2": {
        "conv_stem": "stem.0", "bn1": "stem.1",
        "blocks.0.0.conv": "blocks.0.block.fused.0", "blocks.0.0.bn1": "blocks.0.block.fused.1",
        "blocks.1.0.conv_exp": "blocks.1.block.fused.0",
        "blocks.1.0.bn1": "blocks.1.block.fused.1",
        "blocks.1.0.conv_pwl": "blocks.1.block.fused_point_wise.0",
        "blocks.1.0.bn2": "blocks.1.block.fused_point_wise.1",
        "conv_head": "head.bottleneck.0", "bn2": "head.bottleneck.1",
        "classifier": "head.classifier",
    },
    "jahongir7174": {
        "conv_stem": "p1.0.conv", "bn1": "p1.0.norm",
        "blocks.0.0.conv": "p1.1.res.0.conv", "blocks.0.0.bn1": "p1.1.res.0.norm",
        "blocks.1.0.conv_exp": "p2.0.res.0.conv", "blocks.1.0.bn1": "p2.0.res.0.norm",
        "blocks.1.0.conv_pwl": "p2.0.res.1.conv", "blocks.1.0.bn2": "p2.0.res.1.norm",
        "conv_head": "fc1.0.conv", "bn2": "fc1.0.norm", "classifier": "fc2",
    },
    "google": {
        "conv_stem": "stem/conv2d", "bn1": "stem/tpu_batch_normalization",
        "blocks.0.0.conv": "blocks_0/conv2d",
        "blocks.0.0.bn1": "blocks_0/tpu_batch_normalization",
        "blocks.1.0.conv_exp": "blocks_1/conv2d",
        "blocks.1.0.bn1": "blocks_1/tpu_batch_normalization",
        "blocks.1.0.conv_pwl": "blocks_1/conv2d_1",
        "blocks.1.0.bn2": "blocks_1/tpu_batch_normalization_1",
        "conv_head": "head/conv2d", "bn2": "head/tpu_batch_normalization",
        "classifier": "head/dense",
    },
    "keras": {
        "conv_stem": "stem_conv", "bn1": "stem_bn",
        "blocks.0.0.conv": "block1a_project_conv", "blocks.0.0.bn1": "block1a_project_bn",
        "blocks.1.0.conv_exp": "block2a_expand_conv", "blocks.1.0.bn1": "block2a_expand_bn",
        "blocks.1.0.conv_pwl": "block2a_project_conv", "blocks.1.0.bn2": "block2a_project_bn",
        "conv_head": "top_conv", "bn2": "top_bn", "classifier": "predictions",
    },
}
for index in range(2):
    timm = f"blocks.2.{index}."
    layers = "conv_pw bn1 conv_dw bn2 se.conv_reduce se.conv_expand conv_pwl bn3".split()
    spelled = {
        "hankyul2": [
            f"blocks.{2 + index}.block.{layer}" for layer in
            "linear_bottleneck.0 linear_bottleneck.1 depth_wise.0 depth_wise.1 se.fc1 se.fc2 "
            "point_wise.0 point_wise.1".split()],
        "jahongir7174": [
            f"p3.{index}.res.{layer}" for layer in
            "0.conv 0.norm 1.conv 1.norm 2.se.1 2.se.3 3.conv 3.norm".split()],
        "google": [
            f"blocks_{2 + index}/{layer}" for layer in
            "conv2d tpu_batch_normalization depthwise_conv2d tpu_batch_normalization_1 se/conv2d "
            "se/conv2d_1 conv2d_1 tpu_batch_normalization_2".split()],
        "keras": [
            f"block3{'ab'[index]}_{layer}" for layer in
            "expand_conv expand_bn dwconv2 bn se_reduce se_expand project_conv project_bn".split()],
    }
    for library, others in spelled.items():
        BLOCKS[library].update({timm + layer: other for layer, other in zip(layers, others)})

ENDS = "conv_stem bn1 conv_head bn2 classifier".split()
INVERTED = "conv_pw bn1 conv_dw bn2 se.conv_reduce se.conv_expand conv_pwl bn3".split()
SEPARABLE = "conv_dw bn1 se.conv_reduce se.conv_expand conv_pw bn2".split()


def block_names(timm, layers, path, others):
    return {timm + layer: path + other for layer, other in zip(layers, others.split(), strict=True)}


# The same for the first generation, whose first block is separable.
FIRST = {
    "google": {
        **{layer: BLOCKS["google"][layer] for layer in ENDS},
        **block_names(
            "blocks.0.0.", SEPARABLE, "blocks_0/",
            "depthwise_conv2d tpu_batch_normalization se/conv2d se/conv2d_1 conv2d "
            "tpu_batch_normalization_1"),
    },
    "keras": {
        **{layer: BLOCKS["keras"][layer] for layer in ENDS},
        **block_names(
            "blocks.0.0.", SEPARABLE, "block1a_",
            "dwconv bn se_reduce se_expand project_conv project_bn"),
    },
}
for index in range(2):
    timm = f"blocks.1.{index}."
    FIRST["google"].update(block_names(
        timm, INVERTED, f"blocks_{1 + index}/",
        "conv2d tpu_batch_normalization depthwise_conv2d tpu_batch_normalization_1 se/conv2d "
        "se/conv2d_1 conv2d_1 tpu_batch_normalization_2"))
    FIRST["keras"].update(block_names(
        timm, INVERTED, f"block2{'ab'[index]}_",
        "expand_conv expand_bn dwconv bn se_reduce se_expand project_conv project_bn"))

TENSORFLOW_NORM = {
    "weight": "gamma", "bias": "beta", "running_mean": "moving_mean",
    "running_var": "moving_variance",
}


def renamed(library, head=CHANNELS, first=False):
    """A library's names with its numbers, laid out as it does."""
    result = {}
    for name, value in values(head, first).items():
        layer, part = name.rsplit(".", 1)
        path = (FIRST if first else BLOCKS)[library][layer]
        if library not in ("google", "keras"):
            result[f"{path}.{part}"] = value
        elif layer.split(".")[-1].startswith("bn"):
            result[f"{path}/{TENSORFLOW_NORM[part]}"] = value
        elif part == "bias":
            result[f"{path}/bias"] = value
        elif layer.endswith("conv_dw"):
            result[f"{path}/depthwise_kernel"] = value.transpose(2, 3, 0, 1)
        elif value.ndim == 4:
            result[f"{path}/kernel"] = value.transpose(2, 3, 1, 0)
        else:
            result[f"{path}/kernel"] = value.T
    return {name: np.ascontiguousarray(value) for name, value in result.items()}
