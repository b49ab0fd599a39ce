"""Words by their letters: groups of similar length read as each word does alone."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.models.character_encoder import FEWEST, MOST, CharacterEncoder, CharacterEncoderSpec, groups
from rnncli.nn.cells import GRUCell
from rnncli.nn.parameter import pack
from rnncli.nn.products import LANES

C = 6


def encoder():
    spec = CharacterEncoderSpec(GRUCell(), embedding_size=3, hidden_size=2)
    return CharacterEncoder(spec, C, rng=np.random.default_rng(1), dtype=np.float64, deviation=1.0)


@given(st.lists(st.integers(1, 64), min_size=1, max_size=900))
def test_groups_are_of_all_words_in_order_and_of_similar_length(lengths):
    lengths = np.sort(lengths)[::-1]
    found = list(groups(lengths))
    assert [found[0].start, found[-1].stop] == [0, len(lengths)]
    assert all(one.stop == other.start for one, other in pairwise(found))
    for words in found[:-1]:
        count = words.stop - words.start
        assert count % LANES == 0
        assert FEWEST <= count <= MOST
        assert count < FEWEST + LANES or lengths[words.stop - 1 - LANES] > lengths[words.start] / 2


@pytest.mark.parametrize("longest", [1, 5, 40])
def test_words_read_together_as_each_does_alone(longest):
    rng = np.random.default_rng(longest)
    lengths = np.sort(rng.integers(1, longest + 1, size=150))[::-1]
    assert longest < 40 or len(list(groups(lengths))) > 2
    mask = np.arange(lengths[0])[:, None] < lengths
    characters, d_vectors = rng.integers(C, size=mask.shape), rng.standard_normal((4, len(lengths)))
    model = encoder()
    flat = pack(model.parameters())
    vectors, cache = model.forward(characters, None if mask.all() else mask)
    model.backward(d_vectors, cache)
    together = flat.grads.copy()
    flat.grads[:] = 0
    for word, length in enumerate(lengths):
        own = slice(word, word + 1)
        alone, cache = model.forward(characters[:length, own], None)
        np.testing.assert_allclose(vectors[:, own], alone, rtol=1e-10)
        model.backward(d_vectors[:, own], cache)
    np.testing.assert_allclose(together, flat.grads, rtol=1e-9, atol=1e-10)
