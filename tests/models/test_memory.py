"""The memory of a model's passes is used again, and never while anyone still looks at it."""

import gc
import tracemalloc
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest

from rnncli.data import Items, Streams
from rnncli.models.language_model import EmbeddingSpec, LanguageModel, LanguageModelSpec
from rnncli.nn import blocks
from rnncli.nn.cells import GRUCell
from rnncli.nn.parameter import pack
from rnncli.training.trainer import Trainer, TrainingSpec
from tests.data.small_sequences import bracketed, joined

V, E, H, T, B = 7, 3, 4, 5, 3
WIDE = 20  # an embedding size at which the table is folded into the first layer


def make(dtype=np.float64, **options):
    spec = LanguageModelSpec(**({"embedding": EmbeddingSpec(size=E), "hidden_size": H} | options))
    return LanguageModel(spec, V, rng=np.random.default_rng(1), dtype=dtype)


def make_batch(seed=2, mask=None, steps=T):
    inputs, targets = np.random.default_rng(seed).integers(V, size=(2, steps, B))
    return SimpleNamespace(inputs=inputs, targets=targets, mask=mask)


EMBEDDINGS = {
    "learned": {},
    "folded": {"embedding": EmbeddingSpec(size=WIDE)},
    "one_hot": {"embedding": EmbeddingSpec("one_hot")},
    "tied": {"embedding": EmbeddingSpec(size=H), "tie_embeddings": True},
}


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_a_second_loss_before_the_first_backward_corrupts_nothing(embedding, masked):
    mask = np.arange(T)[:, None] < [T, 0, 2] if masked else None
    model = make(dropout=0.3, recurrent_dropout=0.3, **EMBEDDINGS[embedding])
    first, second, shorter = make_batch(mask=mask), make_batch(seed=9, mask=mask), make_batch(seed=10, steps=2)
    flat = pack(model.parameters())

    def run(batch):
        return model.loss(batch, None, np.random.default_rng(4))

    def backward(cache):
        flat.grads[:] = 0
        d_x, d_state = model.backward(cache)
        return [array.copy() for array in (flat.grads, *d_state, *(() if d_x is None else (d_x,)))]

    alone = [backward(run(batch)[2]) for batch in (first, second)]
    loss, state, cache = run(first)
    as_returned = [array.copy() for array in state]
    loss_2, _, cache_2 = run(second)
    run(first)
    backward(run(shorter)[2])
    model.logits(first.inputs[:1], state)
    for expected, found in zip(alone, (backward(cache), backward(cache_2)), strict=True):
        for one, other in zip(expected, found, strict=True):
            np.testing.assert_array_equal(one, other)
    assert (loss, loss_2) == (run(first)[0], run(second)[0])
    np.testing.assert_array_equal(state, as_returned)


def test_what_a_model_returned_never_changes_later():
    model, held = make(num_layers=1, hidden_size=64, embedding=EmbeddingSpec(size=WIDE)), []
    for steps in (T, T, 2, T, 1, T):
        for x in (None, np.random.default_rng(steps).standard_normal((WIDE, steps, B))):
            batch = make_batch(seed=len(held), steps=steps)
            _, state, cache = model.loss(batch) if x is None else model.loss_from(x, batch)
            d_x, d_state = model.backward(cache)
            logits, last = model.logits(batch.inputs, state)
            arrays = (*state, d_x, *d_state, logits, *last, *cache.output)
            held += [(array, array.copy()) for array in arrays]
            del state, cache, d_x, d_state, logits, last, arrays
    for array, as_returned in held:
        np.testing.assert_array_equal(array, as_returned)


def stream():
    """Windows of 5 steps, and a shorter one at the end of each epoch."""
    return Streams(np.random.default_rng(3).integers(V, size=49), 4, 5)


def ragged_lines():
    """Of 1 to 9 ids, in batches that are as long as the longest line that chance puts in them."""
    rng = np.random.default_rng(3)
    return Items(joined([bracketed(rng.integers(V, size=length)) for length in rng.integers(1, 10, size=60)]), 4)


@pytest.mark.parametrize("make_batches", [stream, ragged_lines])
def test_a_thousand_steps_take_no_more_memory_than_the_first_ones(make_batches, monkeypatch):
    monkeypatch.setattr(blocks, "_POOL", blocks._Pool())
    warm_up, steps, batches = 100, 1000, make_batches()
    if make_batches is ragged_lines:
        shapes = {batch.inputs.shape for batch in batches.epoch(np.random.default_rng(1)) if batch.mask is not None}
        assert len(shapes) > 5
    settings = TrainingSpec(steps=warm_up + steps + 1, validate_every=10**6, patience=None)
    run = Trainer(make(cell=GRUCell(), dtype=np.float32, num_layers=1, dropout=0.2), batches, None, settings).run()

    def buffers():
        return {capacity: len(those) for capacity, those in blocks._POOL.buffers.items()}

    for _ in islice(run, warm_up):
        pass
    after_warm_up = buffers()
    gc.collect()
    tracemalloc.start()
    try:
        for event in islice(run, steps):
            last = event.step
        del event
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert last == warm_up + steps
    assert buffers() == after_warm_up
    assert sum(after_warm_up.values()) < 40  # of a step; one for each array would be thousands
    assert grown < 8192
