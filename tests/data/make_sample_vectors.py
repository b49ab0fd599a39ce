"""Write sample_data/gestures.npz and sample_data/attendance.csv again: both are drawn by this script alone.

Gestures are pen strokes of six shapes, each a sequence of steps (dx, dy) in screen heights, x to the right and y up.
Place, size, speed, angle and a trembling hand vary. The two circles make the same steps in opposite order.

Attendance is one row a student: lessons attended in per cent, pieces of homework handed in of ten, and the result of
the examination, where

    P(pass) = σ(0.08·(attendance - 65) + 0.6·(homework - 5))

    python tests/data/make_sample_vectors.py
"""

from pathlib import Path

import numpy as np

SAMPLE_DATA = Path(__file__).parents[2] / "sample_data"
OF_EACH = 60
SHORTEST, LONGEST = 12, 60  # steps
STUDENTS = 200


def arc(turn, sign):
    """A circle from angle 0 on."""
    angle = sign * 2 * np.pi * turn
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def polygon(turn, corners):
    """A regular polygon, by straight lines between the corners."""
    angle = 2 * np.pi * np.arange(corners + 1) / corners
    at = turn * corners
    return np.stack([np.interp(at, range(corners + 1), f(angle)) for f in (np.cos, np.sin)], axis=-1)


def zigzag(turn, strokes):
    """Straight strokes up and down, from left to right."""
    return np.stack([2 * turn - 1, np.interp(turn * strokes, range(strokes + 1), np.arange(strokes + 1) % 2)], -1)


def wave(turn, crests):
    """A sine from left to right."""
    return np.stack([2 * turn - 1, 0.25 * np.sin(2 * np.pi * crests * turn)], axis=-1)


def mirrored(points, rng):
    """Half of them drawn the other way round."""
    return points * (1, rng.choice([-1, 1]))


SHAPES = {
    "clockwise": lambda turn, _: arc(turn, -1),
    "counterclockwise": lambda turn, _: arc(turn, 1),
    "triangle": lambda turn, rng: mirrored(polygon(turn, 3), rng),
    "square": lambda turn, rng: mirrored(polygon(turn, 4), rng),
    "zigzag": lambda turn, rng: mirrored(zigzag(turn, int(rng.integers(3, 6))), rng),
    "wave": lambda turn, rng: mirrored(wave(turn, rng.uniform(1, 2.5)), rng),
}


def stroke(shape, rng):
    """One sequence of steps (T, 2), through T + 1 points, that grow or shrink on the way."""
    T = int(rng.integers(SHORTEST, LONGEST + 1))
    pace = np.cumsum(rng.uniform(0.6, 1.4, T))
    turn = np.concatenate([[0], pace / pace[-1]]) ** rng.uniform(0.8, 1.25)
    points = SHAPES[shape](turn, rng)
    angle = rng.uniform(-1, 1) * (np.pi if shape.endswith("clockwise") else 0.3)
    turned = points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    trembling = turned + rng.normal(0, 0.007, turned.shape)
    # rounded, so that a last digit of another machine's sine is no other file
    return np.diff(rng.uniform(0.15, 0.4) * trembling, axis=0).round(4).astype(np.float32)


def gestures():
    """The arrays of gestures.npz, the shapes in random order."""
    rng = np.random.default_rng(1)
    y = rng.permutation(np.repeat(list(SHAPES), OF_EACH))
    strokes = [stroke(str(shape), rng) for shape in y]
    return {"x": np.concatenate(strokes), "lengths": np.array([*map(len, strokes)], np.int64), "y": y}


def attendance():
    """The text of attendance.csv."""
    rng = np.random.default_rng(2)
    attended = rng.integers(30, 101, STUDENTS)
    homework = rng.integers(0, 11, STUDENTS)
    chance = 1 / (1 + np.exp(-0.08 * (attended - 65) - 0.6 * (homework - 5)))
    result = np.where(rng.random(STUDENTS) < chance, "pass", "fail")
    rows = zip(attended, homework, result, strict=True)
    return "attendance,homework,result\n" + "".join(f"{a},{h},{r}\n" for a, h, r in rows)


if __name__ == "__main__":
    np.savez(SAMPLE_DATA / "gestures.npz", **gestures())
    (SAMPLE_DATA / "attendance.csv").write_bytes(attendance().encode())
