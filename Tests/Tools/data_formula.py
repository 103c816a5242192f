"""What the scripts that write the fixtures of the data pipeline share with the tests: pictures of
noise, and the program's random numbers."""

import math
import zlib

from PIL import Image

MASK = (1 << 64) - 1


def noise(width, height, seed, soft=False):
    """The high bytes of Knuth's MMIX generator; every other block of pixels is black or white, so
    that clipping is seen. Soft pictures have the bytes 60 to 123 alone."""
    state, out = seed, bytearray()
    for index in range(3 * width * height):
        state = (state * 6364136223846793005 + 1442695040888963407) & MASK
        value = state >> 56
        if (index // 24) % 4 == 1:
            value = 255 if value >= 128 else 0
        out.append(60 + value // 4 if soft else value)
    return Image.frombytes("RGB", (width, height), bytes(out))


def crc(image):
    return zlib.crc32(image.tobytes())


class CounterRandom:
    """Sources/Kernels/CounterRandom.swift."""

    INCREMENT = 0x9E3779B97F4A7C15
    AUGMENTATION = 3
    MIXUP = 5

    @staticmethod
    def mix(z):
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def __init__(self, seed, stream, *counters):
        key = self.mix((seed + self.INCREMENT) & MASK)
        key = self.mix(key ^ ((stream * 0xD1B54A32D192ED03) & MASK))
        for counter in counters:
            key = self.mix(((key + self.INCREMENT) & MASK) ^ self.mix(counter))
        self.state = key

    def next(self):
        self.state = (self.state + self.INCREMENT) & MASK
        return self.mix(self.state)

    def unit(self):
        return (self.next() >> 11) * 2.0 ** -53

    def below(self, bound):
        return (bound * self.next()) >> 64

    # The names of Python's module `random`, which timm's transforms call.
    def uniform(self, low, high):
        return low + (high - low) * self.unit()

    def randint(self, low, high):
        return low + self.below(high - low + 1)

    # Sources/Model/Data/Augmentation/RandomNumbers.swift.
    def normal(self):
        return standard_normal(self.unit(), self.unit())

    def log_gamma(self, shape):
        boost = math.log(1 - self.unit()) / shape if shape < 1 else 0.0
        d = (shape + 1 if shape < 1 else shape) - 1.0 / 3
        c = 1 / math.sqrt(9 * d)
        while True:
            x = self.normal()
            root = 1 + c * x
            if root <= 0:
                continue
            v = root * root * root
            if math.log(1 - self.unit()) < 0.5 * x * x + d * (1 - v + math.log(v)):
                return math.log(d * v) + boost

    def beta(self, alpha):
        first = self.log_gamma(alpha)
        return 1 / (1 + math.exp(self.log_gamma(alpha) - first))

    def dirichlet(self, alpha, count):
        logs = [self.log_gamma(alpha) for _ in range(count)]
        terms = [math.exp(value - max(logs)) for value in logs]
        return [term / plain_sum(terms) for term in terms]


def plain_sum(values):
    """Unlike Python's `sum`, which makes up for what rounding loses."""
    total = 0.0
    for value in values:
        total += value
    return total


def standard_normal(first, second):
    return math.sqrt(-2 * math.log(1 - first)) * math.cos(2 * math.pi * second)
