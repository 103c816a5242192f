"""Writes Tests/Fixtures/Notebook/main.ipynb: a notebook of the shape of the original one, 14 cells, as Jupyter saves it.

  python Tests/Tools/make_notebook_fixture.py        (needs nbformat; recorded with nbformat 5.10)

The text is our own; what matters is which kinds of cells there are, and what the calls look like.
"""

import pathlib

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

TRAIN_PY = '''%%writefile train.py
import argparse
import matplotlib.pyplot as plt
import timm

parser = argparse.ArgumentParser(description="EfficientNetV2 on CIFAR")
parser.add_argument("data_dir", metavar="DIR")
parser.add_argument("--dataset", "-d", default="torch/cifar100")
parser.add_argument("--model", "-m", default="efficientnetv2_rw_s")
parser.add_argument("--epochs", "-e", type=int, default=100)


def plot_figures(train_loss, top1, top5):
    for name, values in (("loss", train_loss), ("top1", top1), ("top5", top5)):
        plt.figure()
        plt.plot(values)
        plt.savefig(f"output/train/{name}.png")


if __name__ == "__main__":
    args = parser.parse_args()
    model = timm.create_model(args.model)
    # ... the loop over epochs ...
    plot_figures([], [], [])
'''

PARAMETERS = '''import timm
model_s = timm.create_model('efficientnetv2_rw_s', pretrained=True)
print('EfficientNetV2-S Params: ', sum(p.numel() for p in model_s.parameters()))
print('EfficientNetV2-S Classifier: ', model_s.get_classifier())

model_m = timm.create_model('efficientnetv2_rw_m', pretrained=True)
print('EfficientNetV2-M Params: ', sum(p.numel() for p in model_m.parameters()))
print('EfficientNetV2-M Classifier: ', model_m.get_classifier())'''

PRINTED = '''EfficientNetV2-S Params:  23941296
EfficientNetV2-S Classifier:  Linear(in_features=1792, out_features=1000, bias=True)
EfficientNetV2-M Params:  53236442
EfficientNetV2-M Classifier:  Linear(in_features=2152, out_features=1000, bias=True)
'''


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


cells = [
    new_markdown_cell("# EfficientNetV2 on CIFAR\n\nThree networks, two data sets, one trainer."),
    new_markdown_cell("## Setup\n\n* Python 3.7.7, CUDA 10.1\n* torch 1.11.0\n* timm 0.5.4"),
    new_code_cell(
        "!pip install timm", execution_count=1, metadata={"collapsed": True},
        outputs=[stream("Collecting timm\n\x1b[?25lSuccessfully installed timm-0.5.4\n")]),
    new_markdown_cell("## Parameters and classifier of S and M"),
    new_code_cell(
        PARAMETERS, execution_count=2,
        outputs=[stream("Downloading: \"https://github.com/...\"\n", "stderr"), stream(PRINTED)]),
    new_markdown_cell("## The trainer"),
    new_code_cell(TRAIN_PY, execution_count=3, outputs=[stream("Writing train.py\n")]),
    new_markdown_cell("## Trainings"),
]
number = 4
for model in ("efficientnetv2_rw_s", "efficientnet_b3", "vit_small_patch16_224"):
    for data in ("cifar10", "cifar100"):
        cells.append(new_code_cell(
            f"%run train.py -d torch/{data} --dataset-download datasets --model {model} --epochs 50",
            execution_count=number, metadata={"tags": ["slow"]} if model.startswith("vit") else {}))
        number += 1

for index, cell in enumerate(cells):
    cell["id"] = f"{index:08x}"
notebook = new_notebook(cells=cells, metadata={
    "accelerator": "GPU",
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "name": "python", "version": "3.7.7"},
})
nbformat.validate(notebook)
folder = pathlib.Path(__file__).resolve().parents[1] / "Fixtures/Notebook"
folder.mkdir(parents=True, exist_ok=True)
nbformat.write(notebook, folder / "main.ipynb")
