"""Writes the data that is compiled into the program (Sources/EmbeddedData/data).

  digits.bin      1797 records of 65 bytes: label, then 8x8 values 0...16 in rows
  imagenet1k.txt  the 1000 ImageNet class names in index order, one per line

Needs: scikit-learn (the digits), torchvision (the class names).
Run:   python Tests/Tools/embed_data.py Sources/EmbeddedData/data
"""

import pathlib
import sys

from sklearn.datasets import load_digits
from torchvision.models._meta import _IMAGENET_CATEGORIES

folder = pathlib.Path(sys.argv[1])
digits = load_digits()
records = bytearray()
for image, label in zip(digits.images, digits.target):
    values = [int(v) for v in image.ravel()]
    assert len(values) == 64 and all(0 <= v <= 16 for v in values)
    records += bytes([int(label), *values])
assert len(records) == 1797 * 65
(folder / "digits.bin").write_bytes(records)

assert len(_IMAGENET_CATEGORIES) == 1000
assert not any("\n" in name for name in _IMAGENET_CATEGORIES)
text = "\n".join(_IMAGENET_CATEGORIES) + "\n"
(folder / "imagenet1k.txt").write_text(text, encoding="utf-8")
