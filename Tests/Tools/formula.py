"""Numbers that need not be shipped: every element is a hash of its tensor's name and its place.

The same formula stands in Tests/ModelTests/NetworkFixture.swift (`FormulaNumbers`).
"""

import numpy as np

MASK = (1 << 64) - 1


def fnv(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return value


def hash_bits(key, count):
    """SplitMix64's mixing of FNV-1a(key) + (index + 1) * golden, for every flat index."""
    with np.errstate(over="ignore"):
        z = np.uint64(fnv(key)) + (np.arange(count, dtype=np.uint64) + np.uint64(1)) * np.uint64(
            0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def uniform(key, count):
    """Numbers in -1 ..< 1."""
    return (hash_bits(key, count) >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1
