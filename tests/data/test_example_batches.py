from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.data import TokenizerSpec, Vocabulary
from rnncli.data.example_batches import SEQUENCES, STEPS, Bucketed, batch_of, for_answers, padded, side_by_side
from rnncli.data.spellings import Spellings
from tests.data.small_sequences import examples_of


def real(batch):
    return np.ones(batch.inputs.shape[-2:], bool) if batch.mask is None else batch.mask


def rng(seed=0):
    return np.random.default_rng(seed)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_examples_come_once_an_epoch_with_what_belongs_to_them(data):
    sizes = data.draw(st.lists(st.integers(1, 12), min_size=1, max_size=40))
    width, outputs = data.draw(st.none() | st.integers(1, 3)), data.draw(st.none() | st.integers(1, 3))
    examples = examples_of(sizes, width, outputs)
    weights = data.draw(st.none() | st.just(np.arange(len(sizes)) / 7))
    batches = Bucketed(examples, data.draw(st.integers(1, 9)), weights)
    epoch = list(batches.epoch(rng()))
    assert len(epoch) == len(batches) == -(-len(sizes) // batches.batch_size)
    assert sorted(len(batch.numbers) for batch in epoch)[1:] == [batches.batch_size] * (len(epoch) - 1)
    assert sorted(number for batch in epoch for number in batch.numbers.tolist()) == [*range(len(sizes))]
    for batch in epoch:
        mask = real(batch)
        assert batch.mask is None or not mask.all()
        assert mask.sum(axis=0).tolist() == [sizes[number] for number in batch.numbers]
        assert mask.any(axis=1).all()  # no step is padding to all
        for i, number in enumerate(batch.numbers):
            column = batch.inputs[..., i]
            assert np.array_equal(column[..., : sizes[number]].T, examples.input(number))
            assert not column[..., sizes[number] :].any()
        assert np.array_equal(batch.targets, examples.targets[..., batch.numbers])
        assert batch.weights is None if weights is None else np.array_equal(batch.weights, weights[batch.numbers])
        assert not batch.carry
    for k in range(len(epoch) + 1):
        generator, whole = rng(), rng()
        tail = list(batches.epoch(generator, start=k))
        assert [batch.numbers.tolist() for batch in tail] == [batch.numbers.tolist() for batch in epoch[k:]]
        assert all(np.array_equal(a.inputs, b.inputs) for a, b in zip(tail, epoch[k:], strict=True))
        list(batches.epoch(whole))
        assert generator.bit_generator.state == whole.bit_generator.state


def test_examples_of_similar_length_share_a_batch():
    sizes = rng(1).integers(2, 16, 20_000)
    examples = Bucketed(examples_of(sizes), 32)
    generator = rng()
    epoch = list(examples.epoch(generator))
    assert sum(batch.inputs.size for batch in epoch) < 1.05 * sizes.sum()  # unsorted, it is 1.7
    lengths = [len(batch.inputs) for batch in epoch]
    assert np.count_nonzero(np.diff(lengths) < 0) > 200  # of 624; in the order of the 13 pools, it is 12
    assert [batch.numbers.tolist() for batch in epoch] != [b.numbers.tolist() for b in examples.epoch(generator)]
    assert sum(batch.mask is None for batch in epoch) > 50


def test_ids_are_padded_by_hand():
    values, mask = padded([np.array([7, 8, 9], np.uint8), np.array([5], np.uint8)])
    assert values.tolist() == [[7, 5], [8, 0], [9, 0]]
    assert (values.dtype, values.flags.c_contiguous) == (np.intp, True)
    assert mask.tolist() == [[True, True], [True, False], [True, False]]
    values, mask = padded([np.array([7, 8], np.uint8), np.array([5, 6], np.uint8)])
    assert (values.tolist(), mask) == ([[7, 5], [8, 6]], None)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_vectors_are_padded_by_hand_with_their_features_first(dtype):
    one, two = np.array([[1, 2, 3], [4, 5, 6]], dtype), np.array([[7, 8, 9]], dtype)
    values, mask = padded([one, two])
    assert values.tolist() == [[[1, 7], [4, 0]], [[2, 8], [5, 0]], [[3, 9], [6, 0]]]
    assert (values.dtype, values.flags.c_contiguous) == (dtype, True)
    assert mask.tolist() == [[True, True], [True, False]]
    values, mask = padded([two, two])
    assert (values.shape, mask) == ((3, 1, 2), None)


@pytest.mark.parametrize(("sequences", "batch_size"), [([], 1), ([3], 0)])
def test_sizes_that_make_no_batch_of_examples(sequences, batch_size):
    with pytest.raises(ValueError, match="no batches"):
        Bucketed(examples_of(sequences), batch_size)


@given(st.lists(st.integers(1, 3 * STEPS // SEQUENCES), max_size=200), st.integers(0, 2 * STEPS))
def test_each_sequence_is_answered_once_in_bounded_batches_of_similar_length(lengths, longest):
    lengths = np.array([*lengths, longest], np.int64)
    batches = list(for_answers(lengths))
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) <= SEQUENCES
        assert len(batch) == 1 or len(batch) * lengths[batch].max() <= STEPS
    flat = lengths[np.concatenate(batches)]
    assert (np.diff(flat) <= 0).all()


LETTERS = Vocabulary.from_counts([(letter, 1) for letter in "abc"], TokenizerSpec(), items=None)


def tagged(sizes, outputs=None, words=()):
    """The same with a target for each step, or several, and words that are spelled out."""
    examples = examples_of(sizes)
    N = int(examples.starts[-1])
    targets = (
        np.arange(N) % 5 - (np.arange(N) % 7 == 3) if outputs is None else np.arange(outputs * N).reshape(-1, N) % 2
    )
    spelled = {"words": np.arange(N) % len(words), "spellings": Spellings.of(words, LETTERS)} if words else {}
    return replace(examples, targets=targets, of_steps=True, **spelled)


class TestTargetsOfSteps:
    def test_one_is_padded_with_minus_one_by_hand(self):
        examples = replace(tagged([3, 1]), targets=np.array([4, 0, 2, 3]))
        batch = batch_of(examples, np.array([1, 0]))
        assert batch.targets.tolist() == [[3, 4], [-1, 0], [-1, 2]]
        assert batch.inputs.tolist() == [[4, 1], [0, 2], [0, 3]]
        assert batch.mask.tolist() == [[True, True], [False, True], [False, True]]
        assert batch.targets.flags.c_contiguous

    def test_several_are_padded_with_zeros_by_hand(self):
        examples = replace(tagged([3, 1], 2), targets=np.array([[1, 0, 1, 1], [0, 1, 1, 0]], bool))
        batch = batch_of(examples, np.array([0, 1]))
        assert batch.targets.tolist() == [
            [[True, True], [False, False], [True, False]],
            [[False, False], [True, False], [True, False]],
        ]
        assert (batch.targets.shape, batch.targets.dtype, batch.targets.flags.c_contiguous) == ((2, 3, 2), bool, True)

    @settings(max_examples=60, deadline=None)
    @given(st.data())
    def test_come_once_an_epoch_with_their_steps_and_words(self, data):
        sizes = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=30))
        words = data.draw(st.just(()) | st.lists(st.text("abcz", min_size=1, max_size=5), min_size=1, unique=True))
        examples = tagged(sizes, data.draw(st.none() | st.integers(1, 3)), words)
        weights = data.draw(st.none() | st.just(np.arange(len(sizes)) / 7))
        epoch = list(Bucketed(examples, data.draw(st.integers(1, 7)), weights).epoch(rng()))
        assert sorted(number for batch in epoch for number in batch.numbers.tolist()) == [*range(len(sizes))]
        for batch in epoch:
            mask = real(batch)
            for column, number in enumerate(batch.numbers.tolist()):
                own = slice(*examples.starts[number : number + 2])
                assert np.array_equal(batch.targets[..., mask[:, column], column], examples.targets[..., own])
                padding = 0 if examples.targets.ndim > 1 else -1
                assert (batch.targets[..., ~mask[:, column], column] == padding).all()
                if words:
                    read = [spelled(batch, place) for place in batch.words[mask[:, column], column].tolist()]
                    assert read == [in_letters(words[w]) for w in examples.words[own].tolist()]
            assert (batch.words is None) == (batch.spelled is None) == (not words)
            if words:
                used = {words[w] for n in batch.numbers.tolist() for w in words_of(examples, n)}
                shown = batch.spelled.characters.shape[1]
                assert len(used) <= shown <= len(used) + 1  # and the first, where padding is
                assert batch.words.shape == batch.inputs.shape

    def test_sequences_that_fill_a_batch_need_no_mask(self):
        batch = batch_of(tagged([2, 2], words=["ab", "c"]), np.array([0, 1]))
        assert batch.mask is None
        assert batch.targets.tolist() == [[0, 2], [1, 2]]
        assert [[spelled(batch, place) for place in row] for row in batch.words.tolist()] == [["ab", "ab"], ["c", "c"]]


def words_of(examples, number):
    return examples.words[slice(*examples.starts[number : number + 2])].tolist()


def in_letters(word):
    return "".join(letter if letter in "abc" else "<unk>" for letter in word)


def spelled(batch, place):
    """What a word of a batch is, letter by letter."""
    characters, mask = batch.spelled
    column = characters[:, place] if mask is None else characters[mask[:, place], place]
    return "".join(LETTERS.tokens[i] for i in column.tolist())


@pytest.mark.parametrize("padding", [0, -1, 9])
def test_side_by_side_by_hand(padding):
    found = side_by_side([np.array([5, 6, 7], np.int16), np.array([8], np.int16)], padding)
    assert found.tolist() == [[5, 8], [6, padding], [7, padding]]
    assert (found.dtype, found.flags.c_contiguous) == (np.int16, True)
    vectors = side_by_side([np.array([[1, 2]]), np.array([[3, 4], [5, 6]])], padding)
    assert vectors.tolist() == [[[1, 3], [padding, 5]], [[2, 4], [padding, 6]]]
