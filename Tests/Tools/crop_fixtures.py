"""Writes what torchvision's TenCrop makes of noise pictures, for the tests of the views of test-time
augmentation: Tests/Fixtures/data/crops.json, by CRC-32 of the RGB bytes.

The noise is that of transform_fixtures.py, which the tests have as well.

Needs: Pillow, torchvision, and what transform_fixtures.py imports.
Run:   python Tests/Tools/crop_fixtures.py Tests/Fixtures
"""

import json
import math
import pathlib
import sys
import zlib

import PIL
import torchvision
from PIL import Image
from torchvision import transforms


def noise(width, height, seed):
    state, out = seed, bytearray()
    for index in range(3 * width * height):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        value = state >> 56
        out.append((255 if value >= 128 else 0) if (index // 24) % 4 == 1 else value)
    return Image.frombytes("RGB", (width, height), bytes(out))


cases = []
for width, height, size, fraction in [
        (40, 30, 24, 0.875), (31, 47, 32, 1.0), (64, 64, 33, 0.6), (20, 90, 16, 0.9)]:
    resize = transforms.Resize(math.floor(size / fraction), transforms.InterpolationMode.BICUBIC)
    crops = transforms.TenCrop(size)(resize(noise(width, height, width + height)))
    cases.append({"width": width, "height": height, "seed": width + height, "size": size,
                  "fraction": fraction, "crops": [zlib.crc32(crop.tobytes()) for crop in crops]})
made = f"Pillow {PIL.__version__}, torchvision {torchvision.__version__}"
text = ",\n  ".join(json.dumps(case) for case in cases)
path = pathlib.Path(sys.argv[1]) / "data/crops.json"
path.write_text(f'{{"made_with": {json.dumps(made)}, "cases": [\n  {text}\n]}}\n')
