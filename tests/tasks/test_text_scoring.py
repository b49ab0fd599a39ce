"""What generating, searching and scoring say of the same text agrees, with each other and with the model's loss."""

import itertools

import numpy as np
import pytest

from rnncli.data import Items, Streams, TokenizerSpec
from rnncli.decoding import log_softmax
from rnncli.nn.cells import CELLS
from rnncli.tasks import text_generation
from rnncli.training.evaluation import evaluate
from tests.data.small_sequences import bracketed, joined
from tests.data.small_vocabularies import built
from tests.tasks.tiny_writers import GREEDY, LINES, STREAM, log_probabilities, texts, writer

both = pytest.mark.parametrize("vocabulary", [STREAM, LINES], ids=["stream", "lines"])


def read_before(vocabulary, seed):
    """What a text follows: a fresh start, which is a newline in a stream, and its seed."""
    return ["<bos>" if vocabulary is LINES else "\n", *seed]


@both
@pytest.mark.parametrize("seed", ["", "a", "abba"])
def test_log_probabilities_are_those_of_the_model(vocabulary, seed):
    generator = writer(vocabulary)
    before = read_before(vocabulary, seed)
    found = [*texts(generator, seed, samples=3, length=9), *generator.search(seed, length=5, beam_size=6, results=3)]
    assert len(found) == 6
    for text in found:
        assert text.log_probabilities == pytest.approx(log_probabilities(generator, before, text.tokens), abs=1e-5)
    totals = [sum(text.log_probabilities) for text in found[3:]]
    assert totals == sorted(totals, reverse=True)


@both
@pytest.mark.parametrize("cell", ["lstm", "conv1d", "none"])
def test_scoring_finds_what_generating_found(vocabulary, cell):
    generator = writer(vocabulary, cell)
    for seed in ("", "abba"):
        for text in [*texts(generator, seed), *generator.search(seed, length=5, beam_size=6, results=3)]:
            tokens, scores = generator.score(seed + text.text)
            part = slice(len(seed), len(seed) + len(text.tokens))
            assert tokens[part] == text.tokens
            assert scores[part] == pytest.approx(text.log_probabilities, abs=1e-5)


@pytest.mark.parametrize("cell", [*CELLS, "conv1d", "none"])
def test_a_text_scores_what_the_model_loses_on_it(cell):
    generator = writer(LINES, cell)
    line = LINES.encode("abacab")
    loss = evaluate(generator.model, Items(joined([bracketed(line, LINES.begin_id, LINES.end_id)]), 1))
    tokens, scores = generator.score("abacab")
    assert tokens == [*"abacab", "<eos>"]
    assert loss.count == len(scores)
    assert -scores.sum() == pytest.approx(loss.sum, rel=1e-6)
    generator = writer(STREAM, cell)
    stream = STREAM.encode("\nabcd fee\nx")  # a newline to begin with, and x is not known
    loss = evaluate(generator.model, Streams(stream, 1, 4))
    tokens, scores = generator.score("abcd fee\nx")
    assert tokens == [*"abcd fee\nx"]
    assert -scores.sum() == pytest.approx(loss.sum, rel=1e-6)
    assert len(scores) == loss.count == 10


def test_nothing_scores_nothing_but_its_end():
    assert writer(STREAM).score("")[0] == []
    assert writer(STREAM).score("")[1].shape == (0,)
    tokens, scores = writer(LINES).score("")
    assert tokens == ["<eos>"]
    assert scores.shape == (1,)
    assert scores[0] < 0


@both
def test_blocks_do_not_show(vocabulary, monkeypatch):
    generator = writer(vocabulary)
    whole, text = generator.score("abacabacab")[1], texts(generator, "abacabacab", samples=2)
    found = generator.search("abacabacab", length=4, beam_size=3)
    for block in (1, 3, 10):
        monkeypatch.setattr(text_generation, "BLOCK", block)
        np.testing.assert_allclose(generator.score("abacabacab")[1], whole, atol=1e-5)
        assert [one.tokens for one in texts(generator, "abacabacab", samples=2)] == [one.tokens for one in text]
        assert [one.text for one in generator.search("abacabacab", length=4, beam_size=3)] == [
            one.text for one in found
        ]


@pytest.mark.parametrize(
    ("vocabulary", "start"),
    [
        (LINES, "<bos>"),
        (STREAM, "\n"),
        (built(["abbbcc"], TokenizerSpec(), items=False), "b"),
        (built(["abc\n\ncc"], TokenizerSpec("byte"), items=False), "\n"),
    ],
    ids=["lines", "newline", "most frequent", "bytes"],
)
def test_a_fresh_start(vocabulary, start):
    generator = writer(vocabulary)
    first = np.array([[vocabulary.tokens.index(start)]])
    expected = log_softmax(generator.model.logits(first)[0])
    (token,), (score,) = generator.score("c")[0][:1], generator.score("c")[1][:1]
    assert score == pytest.approx(expected[vocabulary.tokens.index(token), 0], abs=1e-6)
    (text,) = texts(generator, length=1, sampling=GREEDY)
    allowed = [i for i in range(len(vocabulary)) if vocabulary.tokens[i] not in {"<unk>", "<bos>"}]
    assert text.tokens == [vocabulary.tokens[max(allowed, key=lambda i: expected[i, 0])]]


@both
def test_a_beam_of_one_is_greedy(vocabulary):
    generator = writer(vocabulary)
    (found,) = generator.search("ab", length=9, beam_size=1)
    (greedy,) = texts(generator, "ab", length=9, sampling=GREEDY)
    assert (found.text, found.tokens, found.ended) == (greedy.text, greedy.tokens, greedy.ended)
    assert found.log_probabilities == pytest.approx(greedy.log_probabilities, abs=1e-5)


def test_a_wide_beam_finds_the_most_probable_text_of_all():
    generator = writer()
    allowed = [token for token in STREAM.tokens if token != "<unk>"]
    every = {text: log_probabilities(generator, "\na", text).sum() for text in itertools.product(allowed, repeat=3)}
    best = sorted(every, key=every.get, reverse=True)
    found = generator.search("a", length=3, beam_size=len(every), results=4)
    assert [tuple(text.tokens) for text in found] == best[:4]
