"""Small sequence classifiers on which gradients are checked: every readout, direction and kind of output."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from types import SimpleNamespace
from typing import get_args

import numpy as np

from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.gradient_cases import (
    CONTROLLED,
    GradientCase,
    draw_initial_states,
    draw_state,
    gradient_case,
    title_of,
)
from rnncli.models.input_layer import InputSizes
from rnncli.models.sequence_classifier import Output, SequenceClassifier, SequenceClassifierSpec
from rnncli.nn.cells import CELLS, AnyCell
from rnncli.nn.layers.readouts import READOUTS


def sequence_classifier_case(
    spec: SequenceClassifierSpec,
    output: Output,
    sizes: InputSizes,
    *,
    outputs: int = 3,
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
    model = SequenceClassifier(spec, outputs, output, sizes, rng=rng, dtype=np.float64)
    draw_initial_states(model.parameters(), rng)
    mask = np.arange(T)[:, None] < np.array([T, T - 2, T - 3]) if masked else None
    targets = {
        "softmax": rng.integers(outputs, size=B),
        "sigmoid": rng.integers(2, size=(outputs, B)),
        "linear": rng.standard_normal((outputs, B)),
    }[output]
    batch = SimpleNamespace(inputs=None, targets=targets, mask=mask, weights=rng.uniform(0.5, 2, B))
    state = None
    if spec.initial_state == "zeros":
        state = draw_state(model.stack.layers, B, rng)
    inputs = rng.standard_normal((model.inputs.output_size, T, B))
    if sizes.vocabulary:
        batch.inputs = rng.integers(sizes.vocabulary, size=(T, B))
    return gradient_case(title, model, batch, state, inputs, random_seed, reads_ids=bool(sizes.vocabulary))


def sequence_classifier_cases(random_seed: int) -> Iterator[GradientCase]:
    """Every cell x readout; directions, layers, padding, outputs, inputs and initial states in turn.

    Then controls with windows centred and not; the rest in turn.
    """
    cells: list[AnyCell] = [cell for cls in CELLS.values() for cell in cls.variants()]
    outputs, inputs = get_args(Output), ("vectors", "5 tokens", "3 tokens", "5 one-hot tokens")
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
        title = f"{title_of(cell, layers)}{', both directions' * both}"
        yield _case(spec, output, source, title, masked=masked, random_seed=random_seed)
    for number, ((control, layers), centred) in enumerate(product(CONTROLLED, (False, True))):
        output, source, masked = outputs[number % 3], inputs[number % 4], number % 5 > 1
        spec = SequenceClassifierSpec(
            embedding=EmbeddingSpec("one_hot" if "one-hot" in source else "learned", 3),
            cell=control,
            hidden_size=2,
            num_layers=layers,
            bidirectional=centred,
            readout=tuple(READOUTS)[(number + number // 4) % 4],
        )
        title = f"{title_of(control, layers)}, {'centred' if centred else 'causal'}"
        yield _case(spec, output, source, title, masked=masked, random_seed=random_seed)


def _case(
    spec: SequenceClassifierSpec, output: Output, source: str, title: str, *, masked: bool, random_seed: int
) -> GradientCase:
    """Build the case that reads `vectors`, or `5 tokens`."""
    mask = "masked" if masked else "full"
    return sequence_classifier_case(
        spec,
        output,
        InputSizes(None, 3) if source == "vectors" else InputSizes(int(source[0])),
        title=f"{title}, {spec.readout}, {output}, {source}, {mask}, {spec.initial_state} state",
        masked=masked,
        random_seed=random_seed,
    )
