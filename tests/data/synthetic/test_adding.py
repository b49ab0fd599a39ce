import io

import numpy as np
import pytest

from rnncli.data.synthetic.adding import Adding

SET = Adding(train=3000, test=500)


@pytest.mark.parametrize(("split", "lengths"), [("train", (100, 100)), ("test", (100, 200))])
def test_targets_are_sums(split, lengths):
    with np.load(io.BytesIO(SET.content(split, np.random.default_rng(1)))) as arrays:
        x, ends, y = arrays["x"], np.cumsum(arrays["lengths"]), arrays["y"]
        assert (arrays["lengths"].min(), arrays["lengths"].max()) == lengths
    assert x.shape == (ends[-1], 2)
    assert (x.dtype, y.dtype) == (np.float32, np.float32)
    assert set(np.unique(x[:, 1])) == {0, 1}
    assert 0 <= x[:, 0].min() < 0.001
    assert 0.999 < x[:, 0].max() <= 1
    places = []
    for sequence, target in zip(np.split(x, ends[:-1]), y, strict=True):
        (marked,) = np.nonzero(sequence[:, 1])
        assert len(marked) == 2
        assert marked[0] < len(sequence) // 2 <= marked[1]
        assert sequence[marked, 0].sum() == target
        places.append(marked / len(sequence))
    low, high = np.min(places, axis=0), np.max(places, axis=0)
    assert np.allclose([low, high], [[0, 0.5], [0.5, 1]], atol=0.02)


def test_the_mean_as_an_answer_is_off_by_a_sixth():
    with np.load(io.BytesIO(SET.content("train", np.random.default_rng(1)))) as arrays:
        y = arrays["y"]
    assert abs(y.mean() - 1) < 0.03
    assert abs(((y - 1) ** 2).mean() - 1 / 6) < 0.01
