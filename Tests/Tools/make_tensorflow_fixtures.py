#!/usr/bin/env python3
"""Writes the weight fixtures with TensorFlow and Keras.

Output (Tests/Fixtures/weights), the network of mini_network.py:
  mini-google.index, mini-google.data-…   a checkpoint as google/automl writes it: every variable with
                                          its average, whose numbers are the right ones, and a step
  mini-google-objects.index, …            a Keras object graph of the same variables
  mini-keras.weights.h5                   keras.applications' own EfficientNetV2, cut down, as its
                                          released files are laid out
  keras.json                              for every EfficientNetV2 of Keras the number of its variables
                                          and the SHA-256 over the sorted lines "name dimensions\\n"

Packages: tensorflow, keras, h5py, numpy.
Usage:    python3 Tests/Tools/make_tensorflow_fixtures.py
"""

import hashlib
import json
import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import h5py
import keras
import numpy as np
import tensorflow as tf
from keras.src.applications import efficientnet_v2

import mini_network

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "Fixtures" / "weights"
HEAD = 1280  # Keras's networks have no other


def write_google():
    values = mini_network.renamed("google")
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variables = [tf.compat.v1.get_variable("global_step", initializer=np.int64(100))]
        for name, value in values.items():
            name = "efficientnetv2-mini/" + name
            average = name + "/ExponentialMovingAverage"
            variables.append(tf.compat.v1.get_variable(name, initializer=np.zeros_like(value)))
            variables.append(tf.compat.v1.get_variable(average, initializer=value))
        session.run(tf.compat.v1.global_variables_initializer())
        saver = tf.compat.v1.train.Saver(variables)
        saver.save(session, str(FOLDER / "mini-google"), write_meta_graph=False, write_state=False)


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
    return variable.path.replace("dwconv2/kernel", "dwconv2/depthwise_kernel")


def write_keras():
    model = efficientnet_v2.EfficientNetV2(
        width_coefficient=1, depth_coefficient=1, default_size=32, blocks_args=blocks(),
        weights=None, classes=mini_network.CLASSES, name="mini", include_preprocessing=True,
        classifier_activation="softmax")
    values = mini_network.renamed("keras", head=HEAD)
    left = set(values)
    with h5py.File(FOLDER / "mini-keras.weights.h5", "w") as file:
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
                assert values[name].shape == tuple(variable.shape), name
                group.create_dataset(name + ":0", data=values[name])
                left.remove(name)
    assert not left, left


def write_manifest():
    manifest = {}
    for size in "S M L B0 B1 B2 B3".split():
        model = getattr(keras.applications, "EfficientNetV2" + size)(weights=None)
        lines = sorted(
            f"{released(v)} {','.join(map(str, v.shape))}\n" for v in model.variables
            if not v.path.startswith(("normalization", "seed_generator")))
        digest = hashlib.sha256("".join(lines).encode()).hexdigest()
        name = "tf_efficientnetv2_" + size.lower()
        manifest[name] = {"entries": len(lines), "sha256": digest}
        keras.backend.clear_session()
    text = json.dumps(
        {"keras": {"version": keras.__version__, "variants": manifest}}, indent=1)
    (FOLDER / "keras.json").write_text(text + "\n")


if __name__ == "__main__":
    write_google()
    write_objects()
    write_keras()
    write_manifest()
