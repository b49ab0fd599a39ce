"""Write sample_data/melodies.npz again: recordings of a toy piano of fifteen keys, drawn by this script alone.

A frame is 50 ms long. It says how loud each of 32 bands is, a semitone apart, in whole decibels above the noise, and
which keys are held down in it. A key that is struck sounds in its own band and, more quietly, an octave, a twelfth and
two octaves above it; it dies away in half a second, though it stays down. When it comes up, its hammer falls back with
a knock, which is heard in all the bands around it. The energy of band b at frame t is

    noise + Σ_notes stroke·e^-(t - down)·w_b + knock·e^-((t - up)/0.7)·v_b, the last from `up` on

Once a note has died away, it makes no difference to a frame whether its key is down. What was heard before does.

    python tests/data/make_sample_melodies.py
"""

from itertools import pairwise
from pathlib import Path

import numpy as np

SAMPLE_DATA = Path(__file__).parents[2] / "sample_data"
RECORDINGS = 120
SHORTEST, LONGEST = 40, 120  # frames
KEYS = [f"{name}{octave}" for octave in (3, 4) for name in "CDEFGAB"] + ["C5"]
BAND = np.array([0, 2, 4, 5, 7, 9, 11, 12, 14, 16, 17, 19, 21, 23, 24])  # of each key
BANDS = np.arange(32)
OVERTONES = 12 * np.log2(np.arange(1, 5))  # semitones above the key
LOUDNESS = 0.1 ** np.arange(4)  # of each overtone, 10 dB less than the one before
LEAK, SPREAD = 0.01, 0.5  # of a tone and of a knock, from a band to the next


def tone(key):
    """The share of a stroke that each band takes, w (D,)."""
    away = np.abs(BANDS[:, None] - BAND[key] - OVERTONES)
    return LEAK ** np.minimum(away, 3) @ LOUDNESS


def knock(key):
    """The share of a knock that each band takes, v (D,)."""
    return SPREAD ** np.abs(BANDS - BAND[key])


def voice(keys, T, pace, thirds, rng):
    """The notes (key, down, up) of one hand, at most two keys from one to the next, some with a third above."""
    notes, down, place = [], int(rng.integers(2 * pace)), int(rng.integers(len(keys)))
    while down < T - 2:
        beats = pace * int(rng.choice([1, 1, 2, 2, 4]))
        up = down + max(2, int(beats * rng.uniform(0.35, 1.15)))
        chord = [place, place + 2] if rng.random() < thirds and place + 2 < len(keys) else [place]
        notes += [(keys[at], down, up) for at in chord]
        place = int(np.clip(place + rng.integers(-2, 3), 0, len(keys) - 1))
        down += beats
    return notes


def melody(T, rng):
    """The notes of both hands, the left one lower and slower, in order; a key comes up before it is struck again."""
    pace = int(rng.integers(2, 5))
    keys = range(len(KEYS))
    notes = sorted([*voice(keys[5:], T, pace, 0.2, rng), *voice(keys[:9], T, 2 * pace, 0, rng)])
    for (key, down, up), (following, again, _) in pairwise([*notes, (None, T, T)]):
        silent = again if following == key else T
        if silent - down > 1:
            yield key, down, min(up, silent - 1), silent


def recording(rng):
    """One recording: levels in dB (T, D), and which keys are held (T, K)."""
    T = int(rng.integers(SHORTEST, LONGEST + 1))
    energy = np.zeros((T, len(BANDS)))
    held = np.zeros((T, len(KEYS)), np.uint8)
    for key, down, up, silent in melody(T, rng):
        since = np.arange(silent - down)[:, None]
        energy[down:silent] += 10 ** rng.uniform(3, 4) * np.exp(-since) * tone(key)
        energy[up:silent] += 10 ** rng.uniform(1.5, 2) * np.exp(-since[: silent - up] / 0.7) * knock(key)
        held[down:up, key] = 1
    energy = energy * rng.lognormal(0, 0.05, energy.shape) + rng.gamma(3, 1 / 3, energy.shape)
    return np.maximum(np.round(10 * np.log10(energy)), 0).astype(np.uint8), held


def melodies():
    """The arrays of melodies.npz."""
    rng = np.random.default_rng(3)
    levels, held = zip(*(recording(rng) for _ in range(RECORDINGS)), strict=True)
    lengths = np.array([*map(len, levels)], np.int64)
    return {"x": np.concatenate(levels), "lengths": lengths, "y": np.concatenate(held), "labels": np.array(KEYS)}


if __name__ == "__main__":
    np.savez_compressed(SAMPLE_DATA / "melodies.npz", **melodies())
