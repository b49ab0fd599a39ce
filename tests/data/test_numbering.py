"""Numbers, counts and ids of one pass against a count and a look-up of the whole; see also tests/tasks."""

import itertools
import tempfile
import tracemalloc
from contextlib import ExitStack

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.data import numbering as module
from rnncli.data.numbering import Numbering
from rnncli.data.tokenizers import TOKENIZERS, TokenizerSpec
from tests.data.small_vocabularies import built

texts = st.lists(st.text(" \nabcd'é中😀", max_size=30), min_size=1, max_size=6)


@pytest.fixture
def scratch():
    with ExitStack() as stack:
        yield lambda: stack.enter_context(tempfile.TemporaryFile())


def parts_of(numbering, vocabulary):
    found = [[] for _ in numbering.sizes]
    for part, ids in numbering.ids(vocabulary):
        assert ids.dtype == vocabulary.dtype
        found[part] += ids.tolist()
    return found


@pytest.mark.parametrize("level", list(TOKENIZERS))
@settings(max_examples=50, deadline=None)
@given(texts, texts, st.integers(0, 5))
def test_streams(level, train, test, limit):
    spec = TokenizerSpec(level)
    whole = built(["".join(train), "x"], spec, items=False)
    with ExitStack() as stack, pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(module, "LIMIT", limit)
        monkeypatch.setattr(module, "CHUNK", 3)
        numbering = Numbering(spec, lambda: stack.enter_context(tempfile.TemporaryFile()), items=False)
        numbering.add_stream([*train, "\n", "x"])
        numbering.add_stream(test)
        vocabulary = numbering.vocabulary()
        ids = parts_of(numbering, vocabulary)
    whole = built(["".join(train) + "\nx"], spec, items=False)
    assert vocabulary == whole
    assert ids == [whole.encode("".join(train) + "\nx").tolist(), whole.encode("".join(test)).tolist()]
    assert numbering.sizes == [len(part) for part in ids]


@pytest.mark.parametrize("level", list(TOKENIZERS))
def test_items(level, scratch, monkeypatch):
    monkeypatch.setattr(module, "LIMIT", 3)
    spec = TokenizerSpec(level, lowercase=True)
    numbering = Numbering(spec, scratch, items=True)
    numbering.add_items([["Ab c", "é"], [], ["ab", "dd dd", "Ab"]])
    numbering.add_items([])
    numbering.add_items([["ab", "zz"]])
    vocabulary = numbering.vocabulary()
    assert vocabulary == built(["ab c", "é", "ab", "dd dd", "ab"], spec, items=True)
    bracketed = [
        [vocabulary.begin_id, *vocabulary.encode(item).tolist(), vocabulary.end_id]
        for item in ("ab c", "é", "ab", "dd dd", "ab", "ab", "zz")
    ]
    train, nothing, test = parts_of(numbering, vocabulary)
    assert train == [*itertools.chain(*bracketed[:5])]
    assert (nothing, test) == ([], [*itertools.chain(*bracketed[5:])])
    assert numbering.lengths == [5, 0, 2]
    numbering.starts.seek(0)
    starts = np.frombuffer(numbering.starts.read(), "<i8").tolist()
    assert starts == [*np.cumsum([0, *map(len, bracketed[:4])]), 0, len(bracketed[5])]


def test_a_vocabulary_can_be_given(scratch):
    numbering = Numbering(TokenizerSpec("word"), scratch, items=False)
    numbering.add_stream(["the dog ", "saw the cat"])
    given_one = built(["the cat"], TokenizerSpec("word"), items=False)
    ((_, ids),) = numbering.ids(given_one)
    assert ids.tolist() == given_one.encode("the dog saw the cat").tolist()


@pytest.mark.parametrize("size", [250, 300, 70_000])
def test_numbers_grow_as_they_must(scratch, size):
    text = "".join(map(chr, range(0x10000, 0x10000 + size)))
    numbering = Numbering(TokenizerSpec(), scratch, items=False)
    numbering.add_stream([text[:200], text, text[:300]])
    vocabulary = numbering.vocabulary()
    assert parts_of(numbering, vocabulary) == [vocabulary.encode(text[:200] + text + text[:300]).tolist()]
    assert [run.dtype.itemsize for run in numbering._runs] == (
        [1] if size == 250 else [1, 2] if size == 300 else [1, 4]
    )


def test_words_without_end_take_no_more_memory(scratch, monkeypatch):
    """Of every million words in a large text some thousands are new ones: names, numbers, slips of the pen."""
    monkeypatch.setattr(module, "LIMIT", 300)

    def peak(words):
        numbering = Numbering(TokenizerSpec("word", max_size=50), scratch, items=False)
        pieces = ("".join(f" the {number}" for number in range(k, k + 100)) for k in range(0, words, 100))
        tracemalloc.start()
        numbering.add_stream(pieces)
        assert numbering.vocabulary().counts[:2] == (words - 49, words)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(1000)
    assert peak(6000) < 1.3 * peak(1500)
