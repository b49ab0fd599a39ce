"""Write sample_data/shapes.npz and shapes.tsv again: pictures of one coloured shape each, and what they show.

Pictures are as those of `rnncli data shapes`: 10 by 10 pixels, red, green and blue of each, row by row from the top.
But there is one shape in each, somewhere in a quarter of the picture. How bright it is varies, and how bright the
ground is. Line n of the captions says what row n of x (P, 300) shows.

    python tests/data/make_sample_shapes.py
"""

from pathlib import Path

import numpy as np

from rnncli.data.synthetic.shapes import COLORS, SHAPES, SIDE, SIZES, filled

SAMPLE_DATA = Path(__file__).parents[2] / "sample_data"
PICTURES = 2500
PLACES = ("top left", "top right", "bottom left", "bottom right")
QUARTER = SIDE // 2  # pixels
BOUNDS = (len(SIZES), len(COLORS), len(SHAPES), len(PLACES))


def caption(size, color, shape, place):
    """What there is to say of a picture, given the number of each."""
    return f"a {[*SIZES][size]} {[*COLORS][color]} {SHAPES[shape]} at the {PLACES[place]}"


def picture(size, color, shape, place, rng):
    """A picture (SIDE, SIDE, 3) of bytes."""
    pixels = np.full((SIDE, SIDE, 3), rng.integers(48), np.uint8)
    width = [*SIZES.values()][size]
    corner = QUARTER * np.array([place // 2, place % 2])
    top, left = corner + rng.integers(QUARTER - width + 1, size=2)
    inside = pixels[top : top + width, left : left + width]
    inside[filled(SHAPES[shape], width)] = np.array([*COLORS.values()][color]) * rng.integers(128, 256)
    return pixels


def shapes():
    """The array x of shapes.npz, and the text of shapes.tsv."""
    rng = np.random.default_rng(4)
    scenes = rng.integers(0, BOUNDS, (PICTURES, len(BOUNDS))).tolist()
    x = np.stack([picture(*scene, rng) for scene in scenes]).reshape(PICTURES, -1)
    return x, "".join(f"{caption(*scene)}\n" for scene in scenes)


if __name__ == "__main__":
    x, captions = shapes()
    np.savez_compressed(SAMPLE_DATA / "shapes.npz", x=x)
    (SAMPLE_DATA / "shapes.tsv").write_bytes(captions.encode())
