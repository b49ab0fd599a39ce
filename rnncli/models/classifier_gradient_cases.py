"""Small sequence classifiers on which gradients are checked: every readout, direction and kind of output."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from types import SimpleNamespace
from typing import get_args

import numpy as np

from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.gradient_cases import GradientCase, draw_initial_states, gradient_case
from rnncli.models.sequence_classifier import Output, SequenceClassifier, SequenceClassifierSpec
from rnncli.nn.cells import CELLS, AnyCell
from rnncli.nn.layers.readouts import READOUTS


def sequence_classifier_case(
    spec: SequenceClassifierSpec,
    output: Output,
    *,
    outputs: int = 3,
    vocabulary_size: int | None = None,
    vector_size: int = 0,
    title: str,
    masked: bool,
    random_seed: int,
) -> GradientCase:
    """Build that classifier in float64 with a batch of 3 sequences of 4 steps, the others of 2 and 1 where `masked`.

    Losses are weighted. `inputs` are vectors (E, T, B) for the first layer to read, and `state.l` (S, F, B) the state
    of layer l before the first step, unless the model learns its initial state.
    """
    T, B = 4, 3
    rng = np.random.default_rng(random_seed)
    model = SequenceClassifier(
        spec, outputs, output, vocabulary_size=vocabulary_size, vector_size=vector_size, rng=rng, dtype=np.float64
    )
    draw_initial_states(model.parameters(), rng)
    mask = np.arange(T)[:, None] < np.array([T, T - 2, T - 3]) if masked else None
    targets = {
        "softmax": rng.integers(outputs, size=B),
        "sigmoid": rng.integers(2, size=(outputs, B)),
        "linear": rng.standard_normal((outputs, B)),
    }[output]
    batch = SimpleNamespace(targets=targets, mask=mask, weights=rng.uniform(0.5, 2, B))
    state = None
    if spec.initial_state == "zeros":
        size = model.recurrent.output_size
        state = [rng.standard_normal((len(spec.cell.states), size, B)) for _ in range(spec.num_layers)]
    width = vector_size or (spec.embedding.size if model.embedding else vocabulary_size or 0)
    inputs = rng.standard_normal((width, T, B))
    ids = rng.integers(vocabulary_size, size=(T, B)) if vocabulary_size else None
    return gradient_case(title, model, batch, state, inputs, ids, random_seed)


def sequence_classifier_cases(random_seed: int) -> Iterator[GradientCase]:
    """Every cell x readout; directions, layers, padding, outputs, inputs and initial states in turn."""
    cells: list[AnyCell] = [cell for cls in CELLS.values() for cell in cls.variants()]
    outputs, inputs = get_args(Output), ("vectors", "5 tokens", "3 tokens")
    for number, (cell, readout) in enumerate(product(cells, READOUTS)):
        output, source = outputs[number % 3], inputs[(number + number // 3) % 3]
        both, masked, layers = (number + number // 4) % 2 == 0, number % 3 > 0, 1 + number // 2 % 2
        spec = SequenceClassifierSpec(
            embedding=EmbeddingSpec("learned", 3),
            cell=cell,
            hidden_size=2,
            num_layers=layers,
            bidirectional=both,
            readout=readout,
        )
        if number % 5 == 0:
            spec = replace(spec, initial_state="learned")
        activation = f" {cell.activation}" if hasattr(cell, "activation") else ""
        title = (
            f"{cell.name}{activation}, {layers} layer{'s' * (layers > 1)}, {'both directions, ' * both}{readout}, "
            f"{output}, {source}, {'masked' if masked else 'full'}, {spec.initial_state} state"
        )
        yield sequence_classifier_case(
            spec,
            output,
            vocabulary_size=None if source == "vectors" else int(source[0]),
            vector_size=3 if source == "vectors" else 0,
            title=title,
            masked=masked,
            random_seed=random_seed,
        )
