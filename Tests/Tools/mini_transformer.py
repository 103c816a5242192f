"""The smallest vision transformer, under timm's names and under Flax's.

Shapes are timm's; the values are the formula's for timm's name, as in mini_network.py. The names of
Flax and its layout are those of google-research/vision_transformer's files.
"""

import numpy as np

from mini_network import CLASSES, numbers

PATCH, GRID, CHANNELS, HEADS, DEPTH = 4, 4, 8, 2, 2
HIDDEN = 4 * CHANNELS


def shapes():
    """timm's names and shapes."""
    c, h = CHANNELS, HIDDEN
    tensors = {
        "cls_token": (1, 1, c), "pos_embed": (1, GRID * GRID + 1, c),
        "patch_embed.proj.weight": (c, 3, PATCH, PATCH), "patch_embed.proj.bias": (c,),
    }
    for index in range(DEPTH):
        b = f"blocks.{index}."
        tensors |= {
            b + "norm1.weight": (c,), b + "norm1.bias": (c,),
            b + "attn.qkv.weight": (3 * c, c), b + "attn.qkv.bias": (3 * c,),
            b + "attn.proj.weight": (c, c), b + "attn.proj.bias": (c,),
            b + "norm2.weight": (c,), b + "norm2.bias": (c,),
            b + "mlp.fc1.weight": (h, c), b + "mlp.fc1.bias": (h,),
            b + "mlp.fc2.weight": (c, h), b + "mlp.fc2.bias": (c,),
        }
    return tensors | {
        "norm.weight": (c,), "norm.bias": (c,), "head.weight": (CLASSES, c), "head.bias": (CLASSES,)}


def values():
    return numbers(shapes())


def flax(values, heads=HEADS):
    """The tensors of a state dict of timm's under Flax's names, laid out as it does."""
    result = {
        "cls": values["cls_token"],
        "Transformer/posembed_input/pos_embedding": values["pos_embed"],
        "embedding/kernel": values["patch_embed.proj.weight"].transpose(2, 3, 1, 0),
        "embedding/bias": values["patch_embed.proj.bias"],
    }

    def norm(path, timm):
        result[path + "/scale"] = values[timm + ".weight"]
        result[path + "/bias"] = values[timm + ".bias"]

    def dense(path, timm):
        result[path + "/kernel"] = values[timm + ".weight"].T
        result[path + "/bias"] = values[timm + ".bias"]

    depth = sum(name.endswith("attn.qkv.weight") for name in values)
    for index in range(depth):
        b, path = f"blocks.{index}.", f"Transformer/encoderblock_{index}/"
        attention = path + "MultiHeadDotProductAttention_1/"
        norm(path + "LayerNorm_0", b + "norm1")
        norm(path + "LayerNorm_2", b + "norm2")
        dense(path + "MlpBlock_3/Dense_0", b + "mlp.fc1")
        dense(path + "MlpBlock_3/Dense_1", b + "mlp.fc2")
        weights = np.split(values[b + "attn.qkv.weight"], 3)
        biases = np.split(values[b + "attn.qkv.bias"], 3)
        for part, weight, bias in zip(("query", "key", "value"), weights, biases):
            result[f"{attention}{part}/kernel"] = weight.T.reshape(len(weight), heads, -1)
            result[f"{attention}{part}/bias"] = bias.reshape(heads, -1)
        output = values[b + "attn.proj.weight"].T
        result[attention + "out/kernel"] = output.reshape(heads, -1, output.shape[1])
        result[attention + "out/bias"] = values[b + "attn.proj.bias"]
    norm("Transformer/encoder_norm", "norm")
    dense("head", "head")
    return {name: np.ascontiguousarray(value) for name, value in result.items()}
