"""Shapes: small pictures of two coloured shapes, to captions that say what they show."""

import io
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from rnncli.data.synthetic.pair_set import split_of
from rnncli.data.synthetic.synthetic_set import Split, SyntheticSet

SIDE = 10
"""Pixels of a picture, in width and in height."""

SIZES = {"small": 3, "large": 5}
"""Pixels of a shape, in width and in height."""

COLORS = {
    "red": (1, 0, 0),
    "green": (0, 1, 0),
    "blue": (0, 0, 1),
    "yellow": (1, 1, 0),
    "purple": (1, 0, 1),
    "white": (1, 1, 1),
}
SHAPES = ("square", "circle", "triangle", "cross")
RELATIONS = ("above", "to the left of")
NOISE = 0.05
"""Standard deviation of what is added to each number of a pixel, 0 or 1, before it becomes a byte."""


@dataclass(frozen=True)
class Shapes(SyntheticSet):
    """Pictures of 10 by 10 pixels with two shapes, to captions: a large red circle above a small blue square.

    The features are the pixels and nothing else: red, green and blue of each, 300 bytes row by row, with noise. The
    shapes lie one above the other or side by side, each somewhere in its half; the upper or the left one is named
    first, so that a picture has one caption. No caption of the test is in the training. One file holds x (P, 300), the
    other the captions, a line each. Source: after the ShapeWorld of Kuhnle & Copestake (2017), much smaller.
    """

    train: int = 40_000

    name: ClassVar[str] = "shapes"
    title: ClassVar[str] = "pictures of two coloured shapes, to captions"
    task: ClassVar[str] = "captioning"
    chance: ClassVar[str] = "exact match 0 %"
    source: ClassVar[str] = "after Kuhnle & Copestake 2017"
    suffixes: ClassVar[tuple[str, ...]] = ("npz", "tsv")

    def longest(self, split: Split) -> int:  # noqa: ARG002
        """The numbers of a picture: they are what fills the memory."""
        return SIDE * SIDE * 3

    def content(self, split: Split, rng: np.random.Generator) -> bytes:
        """Draw the pictures."""
        return self.contents(split, rng)[0]

    def contents(self, split: Split, rng: np.random.Generator) -> tuple[bytes, ...]:
        """Draw scenes until enough of them have a caption of the split, and then their pictures."""
        scenes: list[list[int]] = []
        while len(scenes) < (size := getattr(self, split)):
            drawn = rng.integers(0, BOUNDS, (size, len(BOUNDS))).tolist()
            scenes += [scene for scene in drawn if split_of(caption(scene)) == split]
        scenes = scenes[:size]
        file = io.BytesIO()
        np.savez(file, x=pictures(scenes, rng).reshape(size, -1))
        return file.getvalue(), "".join(f"{caption(scene)}\n" for scene in scenes).encode()


BOUNDS = 2 * [len(SIZES), len(COLORS), len(SHAPES)] + [len(RELATIONS)]
"""A scene: the numbers of size, colour and shape of the first and of the second, and of how they lie."""


def caption(scene: list[int]) -> str:
    """Return what there is to say of a scene."""
    *both, relation = scene
    first, second = (f"a {[*SIZES][i]} {[*COLORS][j]} {SHAPES[k]}" for i, j, k in (both[:3], both[3:]))
    return f"{first} {RELATIONS[relation]} {second}"


def pictures(scenes: list[list[int]], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a picture (SIDE, SIDE, 3) of each scene: rows from the top, columns from the left.

    Along the line through both, a shape lies anywhere in its half; across it, within a pixel of the middle.
    """
    x = rng.normal(0, NOISE, (len(scenes), SIDE, SIDE, 3)).astype(np.float32)
    for picture, (*both, relation) in zip(x, scenes, strict=True):
        for half, (i, j, k) in enumerate((both[:3], both[3:])):
            width = [*SIZES.values()][i]
            along = half * SIDE // 2 + rng.integers(SIDE // 2 - width + 1)
            across = (SIDE - width) // 2 + rng.integers(-1, 2)
            top, left = (across, along) if relation else (along, across)
            pixels = picture[top : top + width, left : left + width]
            pixels += filled(SHAPES[k], width)[..., None] * np.array([*COLORS.values()][j], np.float32)
    return (255 * x.clip(0, 1)).round().astype(np.uint8)


def filled(shape: str, width: int) -> NDArray[np.bool_]:
    """Return which pixels (width, width) belong to a shape."""
    rows, columns = np.mgrid[:width, :width]
    down, right = abs(rows - width // 2), abs(columns - width // 2)
    forms: dict[str, NDArray[np.bool_]] = {
        "square": rows >= 0,
        "circle": down + right < width - 1,
        "triangle": columns <= rows,
        "cross": down == right,
    }
    return forms[shape]
