"""From ids to batches: sizes that fit the text, and what is trained and evaluated on."""

import numpy as np
import pytest

from rnncli.data import TokenizerSpec
from rnncli.tasks.text_data import evaluation_batches, fit_sizes, make_batches
from rnncli.tasks.text_spec import TextDataSpec, TextTrainingSpec
from tests.data.small_sequences import bracketed, joined
from tests.data.small_vocabularies import built

STREAM, LINES = TextDataSpec(), TextDataSpec(format="lines")


@pytest.mark.parametrize(
    ("spec", "training", "lengths", "sizes"),
    [
        (STREAM, {}, [50_001], (50, 50)),  # 20 batches of 50 x 50
        (STREAM, {}, [50_000], (48, 50)),  # a multiple of 16
        (STREAM, {}, [20_000], (16, 50)),
        (STREAM, {}, [15_001], (15, 50)),
        (STREAM, {}, [1000], (1, 50)),
        (STREAM, {}, [30], (1, 29)),
        (STREAM, {}, [2], (1, 1)),
        (STREAM, {"state": "reset"}, [15_001], (15, 50)),
        (STREAM, {"batch_size": 4, "bptt_length": 5}, [401], (4, 5)),
        (STREAM, {"bptt": "full"}, [1000], (50, 50)),
        (STREAM, {"bptt": "full"}, [30], (29, 50)),
        (LINES, {}, [3] * 1000, (50, 50)),
        (LINES, {}, [3] * 999, (49, 50)),
        (LINES, {}, [3], (1, 50)),
    ],
)
def test_sizes_fit_a_small_text(spec, training, lengths, sizes):
    part = joined([np.zeros(length, np.uint8) for length in lengths])
    assert fit_sizes(spec, TextTrainingSpec(**training), part) == sizes


MODES = [
    (STREAM, {}),
    (STREAM, {"bptt": "full"}),
    (STREAM, {"state": "reset"}),
    (STREAM, {"state": "reset", "stride": 3}),
    (LINES, {}),
    (LINES, {"bptt": "truncated"}),
]


@pytest.mark.parametrize(("spec", "training"), MODES)
@pytest.mark.parametrize("size", [2, 3, 10, 101, 2500])
def test_evaluation_predicts_every_token_once(spec, training, size):
    vocabulary = built(["ab"], TokenizerSpec(), items=spec is LINES)
    ids = vocabulary.encode("ab" * size)[:size]
    items = [ids] if spec is STREAM else [bracketed(part) for part in np.array_split(ids, max(1, size // 7))]
    batches = evaluation_batches(spec, TextTrainingSpec(batch_size=8, bptt_length=6, **training), joined(items))
    count = sum(batch.tokens for batch in batches.epoch(np.random.default_rng(0)))
    assert count == (size - 1 if spec is STREAM else size + len(items))


def test_a_long_text_is_evaluated_in_few_streams_and_a_short_one_in_one():
    vocabulary = built(["ab"], TokenizerSpec(), items=False)
    for size, streams in ((999, 1), (2000, 2), (2999, 2), (90_000, 50)):
        ids = vocabulary.encode("ab" * size)[:size]
        batches = evaluation_batches(STREAM, TextTrainingSpec(), joined([ids]))
        assert next(batches.epoch(np.random.default_rng(0))).inputs.shape == (50, streams)


@pytest.mark.parametrize(
    ("spec", "training", "batches", "steps"),
    [
        (STREAM, {}, 7, 6),
        (STREAM, {"bptt": "full"}, 1, 40),
        (STREAM, {"bptt": "truncated"}, 7, 6),
        (STREAM, {"state": "reset"}, 7, 6),  # 20 windows
        (STREAM, {"state": "reset", "stride": 3}, 13, 6),  # 39
        (STREAM, {"state": "reset", "stride": 6}, 7, 6),
        (LINES, {}, 1, 122),
        (LINES, {"bptt": "full"}, 1, 122),
        (LINES, {"bptt": "truncated"}, 21, 6),
    ],
)
def test_batches_are_those_the_spec_asks_for(spec, training, batches, steps):
    vocabulary = built(["ab"], TokenizerSpec(), items=spec is LINES)
    ids = vocabulary.encode("ab" * 61)[:121]
    found = make_batches(spec, TextTrainingSpec(**training), joined([ids if spec is STREAM else bracketed(ids)]), 3, 6)
    assert len(found) == batches
    first = next(found.epoch(np.random.default_rng(0)))
    assert len(first.inputs) == steps
    assert not first.carry


@pytest.mark.parametrize(("level", "tokens"), [("character", 36), ("byte", 42), ("word", 16)])
@pytest.mark.parametrize("stride", [1, 3, 5, 9])
def test_windows_slide_by_tokens_of_any_level(level, tokens, stride):
    text = "é is è and ê is é\nis è a and b or ê\n"
    vocabulary = built([text], TokenizerSpec(level), items=False)
    ids = vocabulary.encode(text)
    assert len(ids) == tokens
    training = TextTrainingSpec(state="reset", stride=stride, bptt_length=5)
    epoch = make_batches(STREAM, training, joined([ids]), 3, 5).epoch(np.random.default_rng(0))
    read = [[*rows, after[-1]] for batch in epoch for rows, after in zip(batch.inputs.T, batch.targets.T, strict=True)]
    starts = sorted({*range(0, tokens - 5, stride), tokens - 6})
    assert sorted(read) == sorted(ids[start : start + 6].tolist() for start in starts)


def test_a_stride_needs_windows():
    with pytest.raises(ValueError, match="stride needs state: reset"):
        TextTrainingSpec(stride=3)
    with pytest.raises(ValueError, match="state: reset in windows of bptt_length"):
        TextTrainingSpec(bptt="full", state="reset")
    assert TextTrainingSpec(stride=3, state="reset").stride == 3
