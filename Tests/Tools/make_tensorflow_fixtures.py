#!/usr/bin/env python3
"""Writes the weight fixtures with TensorFlow and Keras.

Output (Tests/Fixtures/weights), the networks of mini_network.py:
  mini-google.index, mini-google.data-…   a checkpoint as google/automl writes it: every variable with
                                          its average, whose numbers are the right ones, and a step
  mini-google-first.index, …              the same of the first generation, as for TPUs
  mini-google-objects.index, …            a Keras object graph of the same variables
  mini-keras.weights.h5                   keras.applications' own EfficientNetV2, cut down, as its
                                          released files are laid out
  mini-keras-first.h5                     the same of its EfficientNet
  keras.json                              for every EfficientNet of Keras the number of its variables
                                          and the SHA-256 over the sorted lines "name dimensions\\n"

Packages: tensorflow, keras, h5py, numpy.
Usage:    python3 Tests/Tools/make_tensorflow_fixtures.py
"""

import hashlib
import json
import os
import pathlib
import re

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import h5py
import keras
import numpy as np
import tensorflow as tf
from keras.src.applications import efficientnet, efficientnet_v2

import mini_network

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "Fixtures" / "weights"
HEAD = 1280  # Keras's networks of the second generation have no other
HEAD_FIRST = 320  # a quarter of it, as is the width of everything


def write_google(file, model, first):
    values = mini_network.renamed("google", first=first)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variables = [tf.compat.v1.get_variable("global_step", initializer=np.int64(100))]
        for name, value in values.items():
            name = f"{model}/{name}"
            average = name + "/ExponentialMovingAverage"
            variables.append(tf.compat.v1.get_variable(name, initializer=np.zeros_like(value)))
            variables.append(tf.compat.v1.get_variable(average, initializer=value))
        session.run(tf.compat.v1.global_variables_initializer())
        saver = tf.compat.v1.train.Saver(variables)
        saver.save(session, str(FOLDER / file), write_meta_graph=False, write_state=False)


def write_objects():
    """Variables in lists: their keys in the graph say nothing, their full names everything."""
    root = tf.Module()
    root.layers = [
        tf.Variable(value, name="efficientnetv2-mini/" + name)
        for name, value in mini_network.renamed("google").items()]
    tf.train.Checkpoint(model=root).write(str(FOLDER / "mini-google-objects"))


def blocks():
    def block(repeats, expand, strides, kind, se):
        return {
            "kernel_size": 3, "num_repeat": repeats, "input_filters": 8, "output_filters": 8,
            "expand_ratio": expand, "se_ratio": se, "strides": strides, "conv_type": kind}

    return [block(1, 1, 1, 1, 0), block(1, 4, 2, 1, 0), block(2, 4, 2, 0, 0.25)]


def released(variable):
    """The name as the released files have it: Keras 3 calls depthwise kernels plain kernels."""
    return re.sub(r"(dwconv2?)/kernel", r"\1/depthwise_kernel", variable.path)


def keras_network():
    return efficientnet_v2.EfficientNetV2(
        width_coefficient=1, depth_coefficient=1, default_size=32, blocks_args=blocks(),
        weights=None, classes=mini_network.CLASSES, name="mini", include_preprocessing=True,
        classifier_activation="softmax")


def first_keras_network():
    def block(repeats, kernel, expand, strides):
        return {
            "kernel_size": kernel, "repeats": repeats, "filters_in": 32, "filters_out": 32,
            "expand_ratio": expand, "id_skip": True, "strides": strides, "se_ratio": 0.25}

    return efficientnet.EfficientNet(
        width_coefficient=0.25, depth_coefficient=1, default_size=32, weights=None,
        blocks_args=[block(1, 3, 1, 1), block(2, 5, 4, 2)], classes=mini_network.CLASSES,
        name="mini")


def write_keras(path, model, values):
    left = set(values)
    with h5py.File(FOLDER / path, "w") as file:
        # The layout of the released files: a group for each layer, the variables by full name.
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for place, layer in enumerate(model.layers):
            # A few of the groups that layers without variables have are enough.
            if place > 5 and not layer.weights:
                continue
            group = file.create_group(layer.name)
            names = [released(variable) for variable in layer.weights]
            group.attrs["weight_names"] = [(name + ":0").encode() for name in names]
            for variable in layer.weights:
                name = released(variable)
                if layer.name.startswith("normalization"):
                    group.create_dataset(name + ":0", data=variable.numpy())
                    continue
                assert values[name].shape == tuple(variable.shape), name
                group.create_dataset(name + ":0", data=values[name])
                left.remove(name)
    assert not left, left


def write_manifest():
    manifest = {}
    sizes = ["V2" + size for size in "S M L B0 B1 B2 B3".split()] + [f"B{n}" for n in range(8)]
    for size in sizes:
        model = getattr(keras.applications, "EfficientNet" + size)(weights=None)
        lines = sorted(
            f"{released(v)} {','.join(map(str, v.shape))}\n" for v in model.variables
            if not v.path.startswith(("normalization", "seed_generator")))
        digest = hashlib.sha256("".join(lines).encode()).hexdigest()
        name = "tf_efficientnet" + re.sub("^B", "_b", size.replace("V2", "v2_")).lower()
        manifest[name] = {"entries": len(lines), "sha256": digest}
        keras.backend.clear_session()
    text = json.dumps(
        {"keras": {"version": keras.__version__, "variants": manifest}}, indent=1)
    (FOLDER / "keras.json").write_text(text + "\n")


if __name__ == "__main__":
    write_google("mini-google", "efficientnetv2-mini", first=False)
    write_google("mini-google-first", "efficientnet-mini", first=True)
    write_objects()
    write_keras(
        "mini-keras.weights.h5", keras_network(), mini_network.renamed("keras", head=HEAD))
    write_keras(
        "mini-keras-first.h5", first_keras_network(),
        mini_network.renamed("keras", head=HEAD_FIRST, first=True))
    write_manifest()
