import io

import numpy as np
import pytest

from rnncli.data.synthetic.shapes import Shapes, filled

SET = Shapes(train=1000, validation=300, test=300)
DRAWN = {
    "square": ("### ### ###", "##### ##### ##### ##### #####"),
    "circle": (".#. ### .#.", ".###. ##### ##### ##### .###."),
    "triangle": ("#.. ##. ###", "#.... ##... ###.. ####. #####"),
    "cross": ("#.# .#. #.#", "#...# .#.#. ..#.. .#.#. #...#"),
}
NAMES = {(255, 0, 0): "red", (0, 255, 0): "green", (0, 0, 255): "blue"}
NAMES |= {(255, 255, 0): "yellow", (255, 0, 255): "purple", (255, 255, 255): "white"}


def read(split, seed=1):
    arrays, lines = SET.contents(split, np.random.default_rng(seed))
    *captions, end = lines.decode().split("\n")
    assert end == ""
    with np.load(io.BytesIO(arrays)) as found:
        assert found.files == ["x"]
        return found["x"], captions


def seen(half):
    """Return what is in one half of a picture without noise, None for anything but one whole shape."""
    rows, columns = np.nonzero(half.any(axis=2))
    box = half[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] if len(rows) else half
    colors = np.unique(box[box.any(axis=2)], axis=0)
    art = " ".join("".join(".#"[on] for on in row) for row in box.any(axis=2).astype(int))
    for shape, arts in DRAWN.items():
        if art in arts and len(colors) == 1 and tuple(colors[0]) in NAMES:
            return f"a {('small', 'large')[arts.index(art)]} {NAMES[tuple(colors[0])]} {shape}"
    return None


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_picture_has_one_caption_which_is_its_own(split):
    x, captions = read(split)
    assert x.shape == (getattr(SET, split), 300)
    assert x.dtype == np.uint8
    for picture, caption in zip(x.reshape(-1, 10, 10, 3), captions, strict=True):
        clean = np.where(picture > 127, 255, 0)
        above, below, left, right = map(seen, (clean[:5], clean[5:], clean[:, :5], clean[:, 5:]))
        told = [f"{above} above {below}"] * bool(above and below)
        told += [f"{left} to the left of {right}"] * bool(left and right)
        assert told == [caption]


def test_no_caption_is_in_two_splits():
    train, validation, test = (set(read(split)[1]) for split in ("train", "validation", "test"))
    assert not train & (validation | test)
    assert not validation & test
    assert (len(train), len(validation), len(test)) > (750, 200, 200)


def test_scenes_are_uniform():
    _, captions = read("train")
    for words, share in {"small": 1, "circle": 1 / 2, "yellow": 1 / 3, "above": 1 / 2}.items():
        assert abs(sum(caption.count(words) for caption in captions) / len(captions) - share) < 0.05, words


def test_shapes_lie_in_many_places():
    x, captions = read("train")
    places = {"above": set(), "to the left of": set()}
    for picture, caption in zip(x.reshape(-1, 10, 10, 3), captions, strict=True):
        if caption.startswith("a small"):
            upper = "above" in caption
            rows, columns = np.nonzero((picture[:5] if upper else picture[:, :5]).max(axis=2) > 127)
            places["above" if upper else "to the left of"].add((rows.min(), columns.min()))
    assert places["above"] == {(row, column) for row in (0, 1, 2) for column in (2, 3, 4)}
    assert places["to the left of"] == {(row, column) for row in (2, 3, 4) for column in (0, 1, 2)}


def test_noise():
    x, _ = read("train")
    dark = x[x < 128].astype(float)
    assert 0.4 < (dark == 0).mean() < 0.6  # half of it would be below 0
    assert abs(np.sqrt((dark[dark > 0] ** 2).mean()) / 255 - 0.05) < 0.003
    assert len(np.unique(x)) > 80


@pytest.mark.parametrize("shape", DRAWN)
def test_forms(shape):
    for width, art in zip((3, 5), DRAWN[shape], strict=True):
        assert "".join(".#"[on] for on in filled(shape, width).ravel().astype(int)) == art.replace(" ", "")


def test_content_is_the_pictures():
    assert SET.content("test", np.random.default_rng(4)) == SET.contents("test", np.random.default_rng(4))[0]
