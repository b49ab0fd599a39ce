import re
from collections import Counter

import numpy as np
import pytest

from tests.data.make_sample_shapes import SAMPLE_DATA, shapes
from tests.data.synthetic.test_shapes import DRAWN, NAMES, seen

QUARTERS = {
    "top left": np.s_[:5, :5],
    "top right": np.s_[:5, 5:],
    "bottom left": np.s_[5:, :5],
    "bottom right": np.s_[5:, 5:],
}
WORDS = {"a", "small", "large", *NAMES.values(), *DRAWN, "at", "the", "top", "bottom", "left", "right"}


@pytest.fixture(scope="module")
def stored():
    """The pictures, and a caption of each."""
    with np.load(SAMPLE_DATA / "shapes.npz", allow_pickle=False) as file:
        assert file.files == ["x"]
        x = file["x"]
    *captions, end = (SAMPLE_DATA / "shapes.tsv").read_bytes().decode().split("\n")
    assert end == ""
    return x, captions


def test_shapes_are_what_their_script_draws(stored):
    # NumPy keeps the stream of PCG64, but may change how `integers` draws from it: then the script is run again
    x, captions = shapes()
    assert (SAMPLE_DATA / "shapes.tsv").read_bytes() == captions.encode()
    assert stored[0].dtype == x.dtype
    np.testing.assert_array_equal(stored[0], x)
    assert (SAMPLE_DATA / "shapes.npz").stat().st_size <= 200_000


def test_shapes_are_bytes_with_a_line_for_each(stored):
    x, captions = stored
    assert x.dtype == np.uint8
    assert x.shape == (len(captions), 300) == (2500, 300)


def test_captions_have_known_words_alone(stored):
    _, captions = stored
    assert {word for caption in captions for word in caption.split(" ")} == WORDS
    for caption in captions:
        assert re.fullmatch(r"a \w+ \w+ \w+ at the \w+ \w+", caption)


def test_captions_say_what_is_seen(stored):
    """The color, the size, the form and the place, by which pixels are bright: all others are of one darker grey."""
    for row, caption in zip(*stored, strict=True):
        picture = row.reshape(10, 10, 3)
        bright = np.where(picture > 100, 255, 0)
        told = {place: seen(bright[quarter]) for place, quarter in QUARTERS.items()}
        assert [f"{what} at the {place}" for place, what in told.items() if what] == [caption]
        ground = picture[~bright.any(axis=2)]
        assert np.ptp(ground) == 0
        assert ground.max(initial=0) < 48
        assert len(np.unique(picture[picture > 100])) == 1


def test_shapes_are_of_every_kind_in_about_even_shares(stored):
    x, captions = stored
    counts = Counter(captions)
    assert len(counts) == 2 * 6 * 4 * 4
    assert max(counts.values()) < 3 * len(captions) / len(counts)
    for place in QUARTERS:
        assert abs(sum(caption.endswith(place) for caption in captions) - 625) < 75
    assert set(np.unique(x.max(axis=1))) == {*range(128, 256)}


def test_pictures_of_one_caption_differ(stored):
    x, captions = stored
    assert len({row.tobytes() for row in x}) > 0.95 * len(captions)
