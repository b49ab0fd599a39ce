"""What a recurrence of outputs saves in training: `pytest tests/benchmarks/test_recurrence_speed.py -m benchmark -s`.

Time a token of updates on 50 sequences of 100 steps, with hidden states and with outputs alone, in turn, on one thread.
"""

from statistics import median
from time import perf_counter
from types import SimpleNamespace

import numpy as np
import pytest

from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.input_layer import InputSizes
from rnncli.models.language_model import LanguageModel, LanguageModelSpec
from rnncli.models.sequence_tagger import SequenceTagger
from rnncli.models.sequence_tagger_spec import SequenceTaggerSpec
from rnncli.nn.cells import RNNCell
from rnncli.nn.parameter import pack

T, B, V, D, K = 100, 50, 65, 32, 12
ROUNDS, UPDATES = 7, 5


def language_model(recurrence, hidden_size):
    spec = LanguageModelSpec(
        EmbeddingSpec(size=64), cell=RNNCell(), hidden_size=hidden_size, num_layers=1, recurrence=recurrence
    )
    ids, targets = np.random.default_rng(0).integers(V, size=(2, T, B))
    return LanguageModel(spec, V, rng=np.random.default_rng(1)), SimpleNamespace(inputs=ids, targets=targets, mask=None)


def tagger(recurrence, hidden_size):
    """Of vectors, so that no time goes into embeddings."""
    spec = SequenceTaggerSpec(cell=RNNCell(), hidden_size=hidden_size, bidirectional=False, recurrence=recurrence)
    rng = np.random.default_rng(0)
    x, targets = rng.standard_normal((D, T, B), np.float32), rng.integers(K, size=(T, B))
    batch = SimpleNamespace(inputs=x, targets=targets, mask=None, words=None, spelled=None)
    return SequenceTagger(spec, K, "softmax", InputSizes(None, D), rng=np.random.default_rng(1)), batch


def updates(model, batch):
    flat = pack(model.parameters())

    def run():
        for _ in range(UPDATES):
            flat.grads[:] = 0
            model.backward(model.loss(batch)[2])
            flat.values[:] -= 1e-3 / (T * B) * flat.grads

    return run


@pytest.mark.benchmark
@pytest.mark.parametrize("hidden_size", [128, 256])
@pytest.mark.parametrize("make", [language_model, tagger])
def test_all_steps_at_once_take_less_than_half_the_time(make, hidden_size):
    runs = {recurrence: updates(*make(recurrence, hidden_size)) for recurrence in ("hidden", "output")}
    times = {recurrence: [] for recurrence in runs}
    for round_number in range(1 + ROUNDS):
        for recurrence, run in runs.items():
            start = perf_counter()
            run()
            if round_number:  # the first warms up
                times[recurrence].append((perf_counter() - start) / (UPDATES * T * B) * 1e9)
    hidden, output = (median(times[recurrence]) for recurrence in ("hidden", "output"))
    print(
        f"{make.__name__}, {hidden_size} units: {hidden:.0f} and {output:.0f} ns a token, {hidden / output:.2f} times"
    )
    assert hidden > 2 * output
