"""Writes small data files as other programs write them, for the tests of the readers.

  Tests/Fixtures/data/images/*            JPEG and PNG files of every kind
  Tests/Fixtures/data/images.json         the RGB bytes that Pillow decodes, by CRC-32
  Tests/Fixtures/data/pickles/*           a CIFAR-10 batch of two records, pickled by Python 3 in
                                          the protocols 0 to 5 and as Python 2 wrote it
  Tests/Fixtures/data/cifar-10-batches-bin/test_batch.bin
                                          four pictures of the CIFAR-10 test set

Needs: Pillow, numpy.
Run:   python Tests/Tools/data_fixtures.py CIFAR Tests/Fixtures/data
       where CIFAR is a folder cifar-10-batches-bin
"""

import io
import json
import pathlib
import pickle
import struct
import sys
import zlib

import numpy as np
import PIL
from PIL import Image, ImageOps, PngImagePlugin

cifar, root = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
for folder in ["images", "pickles", "cifar-10-batches-bin"]:
    (root / folder).mkdir(parents=True, exist_ok=True)
records = (cifar / "test_batch.bin").read_bytes()[:4 * 3073]
(root / "cifar-10-batches-bin/test_batch.bin").write_bytes(records)


def picture(width, height):
    """A smooth picture with an edge, so that JPEG has something to do."""
    y, x = np.mgrid[0:height, 0:width]
    red = 255 * x / max(width - 1, 1)
    green = 255 * y / max(height - 1, 1)
    blue = 127 + 127 * np.sin((x + 2 * y) / 4) * ((x > width / 2) - 0.5) * 2
    return Image.fromarray(np.stack([red, green, blue], -1).clip(0, 255).astype(np.uint8))


def images():
    expected = {}

    def add(name, image=None, data=None, upright=False, crc=None, **options):
        path = root / "images" / name
        if data is not None:
            path.write_bytes(data)
        else:
            image.save(path, **options)
        with Image.open(path) as opened:
            if upright:
                opened = ImageOps.exif_transpose(opened)
            rgb = opened.convert("RGB")
        expected[name] = dict(width=rgb.width, height=rgb.height,
                              crc=crc if crc is not None else zlib.crc32(rgb.tobytes()))

    small = picture(23, 17)
    add("444.jpg", small, quality=90, subsampling=0)
    add("422.jpg", small, quality=75, subsampling=1)
    add("420.jpg", small, quality=75, subsampling=2)
    add("progressive.jpg", picture(61, 40), quality=80, progressive=True)
    add("restart.jpg", picture(61, 40), quality=60, restart_marker_blocks=2)
    add("gray.jpg", small.convert("L"), quality=85)
    add("cmyk.jpg", small.convert("CMYK"), quality=85)
    add("one-pixel.jpg", picture(1, 1))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        add(f"orientation-{orientation}.jpg", small, quality=85, exif=exif, upright=True)

    alpha = Image.fromarray(np.arange(23 * 17, dtype=np.uint8).reshape(17, 23))
    add("rgb.png", small)
    rgba = small.copy()
    rgba.putalpha(alpha)
    add("rgba.png", rgba)
    add("gray.png", small.convert("L"))
    add("gray-alpha.png", Image.merge("LA", (small.convert("L"), alpha)))
    add("bilevel.png", small.convert("1"))
    for colors, bits in [(2, 1), (4, 2), (16, 4), (200, 8)]:
        add(f"palette-{bits}.png", small.quantize(colors), bits=bits)
    palette = small.quantize(16)
    add("palette-transparent.png", palette, transparency=3)
    add("rgb-transparent.png", small, transparency=tuple(small.getpixel((0, 0))))
    add("one-pixel.png", picture(1, 1))
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "a text chunk")
    info.add(b"gAMA", struct.pack(">I", 100000))
    add("chunks.png", small, pnginfo=info)

    # Kinds that Pillow does not write: 16 bits, few bits of gray, interlaced.
    values = np.arange(9 * 7 * 3, dtype=np.uint32).reshape(7, 9, 3) * 347 % 65536
    rows = values.astype(">u2")
    add("rgb-16.png", data=png(9, 7, 16, 2, [row.tobytes() for row in rows]))
    gray = rows[..., 0]
    # Pillow clips 16-bit gray to 255, so that nearly all is white; the high byte is what counts.
    high = (values[..., 0] >> 8).astype(np.uint8)
    add("gray-16.png", data=png(9, 7, 16, 0, [np.ascontiguousarray(row).tobytes() for row in gray]),
        crc=zlib.crc32(np.repeat(high[..., None], 3, -1).tobytes()))
    for bits in [2, 4]:
        packed = [bytes((x * 37 + y * 11) % 256 for x in range((9 * bits + 7) // 8))
                  for y in range(7)]
        add(f"gray-{bits}.png", data=png(9, 7, bits, 0, packed))
    add("interlaced.png", data=interlaced(small))
    (root / "images.json").write_text(json.dumps(
        dict(madeWith=f"Pillow {PIL.__version__}", images=expected), indent=0))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, bits, color, rows, method=0):
    header = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, method)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data)
            + chunk(b"IEND", b""))


def interlaced(image):
    pixels, rows = np.asarray(image), []
    for left, top, dx, dy in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4),
                              (1, 0, 2, 2), (0, 1, 1, 2)]:
        part = pixels[top::dy, left::dx]
        if part.size:
            rows += [np.ascontiguousarray(row).tobytes() for row in part]
    return png(image.width, image.height, 8, 2, rows, method=1)


class Python2Pickle:
    """The instructions that Python 2.7's pickle module wrote for a CIFAR batch."""

    def __init__(self, protocol):
        self.protocol, self.out, self.memo = protocol, bytearray(), 0
        if protocol == 2:
            self.out += b"\x80\x02"

    def put(self):
        self.out += b"q" + bytes([self.memo]) if self.protocol else b"p%d\n" % self.memo
        self.memo += 1

    def string(self, value, put=True):
        if not self.protocol:
            self.out += b"S" + repr(value)[1:].encode("ascii") + b"\n"
        elif len(value) < 256:
            self.out += b"U" + bytes([len(value)]) + value
        else:
            self.out += b"T" + struct.pack("<i", len(value)) + value
        if put:
            self.put()

    def integer(self, value):
        if not self.protocol:
            self.out += b"I%d\n" % value
        elif 0 <= value < 256:
            self.out += b"K" + bytes([value])
        elif 0 <= value < 65536:
            self.out += b"M" + struct.pack("<H", value)
        else:
            self.out += b"J" + struct.pack("<i", value)

    def tuple(self, write, size):
        if self.protocol == 2 and size <= 3:
            write()
            self.out += {1: b"\x85", 2: b"\x86", 3: b"\x87"}[size]
        else:
            self.out += b"("
            write()
            self.out += b"t"
        self.put()

    def array(self, array):
        self.out += b"cnumpy.core.multiarray\n_reconstruct\n"
        self.put()

        def arguments():
            self.out += b"cnumpy\nndarray\n"
            self.put()
            self.tuple(lambda: self.integer(0), 1)
            self.string(b"b")

        self.tuple(arguments, 3)
        self.out += b"R"
        self.put()

        def state():
            self.integer(1)
            self.tuple(lambda: [self.integer(n) for n in array.shape], 2)
            self.out += b"cnumpy\ndtype\n"
            self.put()
            self.tuple(lambda: (self.string(b"u1"), self.integer(0), self.integer(1)), 3)
            self.out += b"R"
            self.put()

            def dtype():
                self.integer(3)
                self.string(b"|")
                self.out += b"NNN"
                self.integer(-1)
                self.integer(-1)
                self.integer(0)

            self.tuple(dtype, 8)
            self.out += b"b" + (b"\x89" if self.protocol == 2 else b"I00\n")
            self.string(array.tobytes())

        self.tuple(state, 5)
        self.out += b"b"

    def batch(self, labels, data, filenames):
        self.out += b"}" if self.protocol else b"(d"
        self.put()

        def items(values, write):
            self.out += b"]" if self.protocol else b"(l"
            self.put()
            if self.protocol:
                self.out += b"("
            for value in values:
                write(value)
                if not self.protocol:
                    self.out += b"a"
            if self.protocol:
                self.out += b"e"

        if self.protocol:
            self.out += b"("
        for key, write in [
            (b"batch_label", lambda: self.string(b"testing batch 1 of 1")),
            (b"labels", lambda: items(labels, self.integer)),
            (b"data", lambda: self.array(data)),
            (b"filenames", lambda: items(filenames, self.string)),
        ]:
            self.string(key)
            write()
            if not self.protocol:
                self.out += b"s"
        if self.protocol:
            self.out += b"u"
        return bytes(self.out + b".")


def pickles():
    labels = [records[0], records[3073]]
    data = np.stack([np.frombuffer(records[at + 1:at + 3073], np.uint8) for at in (0, 3073)])
    names = [b"one's.png", b'"two".png']
    for protocol in range(3):
        made = Python2Pickle(protocol).batch(labels, data, names)
        back = pickle.loads(made, encoding="bytes")
        assert back[b"labels"] == labels and (back[b"data"] == data).all()
        assert back[b"filenames"] == names
        (root / f"pickles/python2-{protocol}").write_bytes(made)
    for protocol in range(6):
        batch = {"batch_label": "testing batch 1 of 1", "labels": labels, "data": data,
                 "filenames": [name.decode() for name in names]}
        made = pickle.dumps(batch, protocol)
        (root / f"pickles/python3-{protocol}").write_bytes(made)
    # What the standard writers may also do: bytes keys, arrays as labels, columns first, scalars.
    variants = {
        "bytes-keys": {b"labels": labels, b"data": data},
        "array-labels": {"labels": np.array(labels, ">i4"), "data": data},
        "scalar-labels": {"labels": [np.int64(v) for v in labels], "data": data},
        "fortran": {"labels": labels, "data": np.asfortranarray(data)},
    }
    for name, batch in variants.items():
        (root / f"pickles/{name}").write_bytes(pickle.dumps(batch, 2 if name == "fortran" else 4))

    class Trap:
        def __reduce__(self):
            return (print, ("executed",))

    (root / "pickles/trap").write_bytes(pickle.dumps({"labels": Trap(), "data": data[:, :3]}, 2))
    assert io.BytesIO(records)


images()
pickles()
