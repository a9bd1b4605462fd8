"""Seeded randomness by purpose, so that one part of the market can change without shifting the draws of another."""

import zlib

import numpy as np


def stream(seed: int, purpose: str, number: int = 0) -> np.random.Generator:
    """The generator of one purpose (and one session or contract of it)."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), number])
