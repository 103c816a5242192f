"""Writes the logs of Tests/Fixtures/logs with the tools themselves: the numbers are made up, the
files are theirs. Needs timm, keras (any backend) and lightning.

    KERAS_BACKEND=torch python make_log_fixtures.py OUTPUT
"""
import math
import os
import sys
import tempfile

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras
import numpy
import torch
from lightning.pytorch.loggers import CSVLogger
from timm.utils import update_summary

output = sys.argv[1]
EPOCHS = 4


def loss(epoch, floor):
    return floor + 2 * math.exp(-0.7 * epoch)


def timm_summary(name, header_each_time):
    """train.py: epochs from 0, CR LF, percent; the notebook's writes its header with every row."""
    path = os.path.join(output, name)
    if os.path.exists(path):
        os.remove(path)
    for epoch in range(EPOCHS):
        update_summary(
            epoch,
            {"loss": loss(epoch, 0.5)},
            {"loss": loss(epoch, 0.4), "top1": 90 - 40 * math.exp(-epoch), "top5": 99 - 9 * math.exp(-epoch)},
            path,
            lr=0.05 * (1 + math.cos(math.pi * epoch / EPOCHS)) / 2,
            write_header=header_each_time or epoch == 0,
        )


def keras_log(name):
    """Keras: epochs from 0, accuracies from 0 to 1, columns in the order of the alphabet."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    model.compile(
        optimizer=keras.optimizers.SGD(0.1), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    x = numpy.random.default_rng(1).normal(size=(64, 4)).astype("float32")
    y = (x[:, 0] > 0).astype("int32") + (x[:, 1] > 0.5)
    model.fit(
        x[:48], y[:48], validation_data=(x[48:], y[48:]), epochs=EPOCHS, verbose=0,
        callbacks=[
            keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.1 * 0.5**epoch),
            keras.callbacks.CSVLogger(os.path.join(output, name)),
        ])


def lightning_log(name):
    """Lightning: a row for every call of log, blank where nothing was logged; steps from 0."""
    with tempfile.TemporaryDirectory() as folder:
        logger = CSVLogger(folder)
        for epoch in range(EPOCHS):
            for part in range(2):
                step = epoch * 20 + 10 * part + 9
                logger.log_metrics({"lr-SGD": 0.05 * 0.8**epoch}, step)
                logger.log_metrics(
                    {"train_loss_step": loss(epoch + part / 2, 0.5), "epoch": epoch}, step)
            logger.log_metrics(
                {"val_loss": loss(epoch, 0.4), "val_acc": 0.9 - 0.4 * math.exp(-epoch), "epoch": epoch}, step)
            logger.log_metrics({"train_loss_epoch": loss(epoch + 0.25, 0.5), "epoch": epoch}, step)
        logger.save()
        with open(os.path.join(logger.log_dir, "metrics.csv"), newline="") as source:
            text = source.read()
    with open(os.path.join(output, name), "w", newline="") as target:
        target.write(text)


timm_summary("timm-summary.csv", False)
timm_summary("timm-notebook-summary.csv", True)
keras_log("keras-log.csv")
lightning_log("lightning-metrics.csv")
