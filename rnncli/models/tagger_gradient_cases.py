"""Tiny sequence taggers in float64 with one batch each, whose gradients are to be checked.

T time steps, B sequences, K outputs.
"""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

from rnncli.models.character_encoder import CharacterEncoderSpec
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
from rnncli.models.sequence_tagger import SequenceTagger
from rnncli.models.sequence_tagger_spec import SequenceTaggerSpec, TagOutput
from rnncli.nn.cells import CELLS, AnyCell, GRUCell

WORDS = 5
"""Different ones of a batch."""


def sequence_tagger_case(
    spec: SequenceTaggerSpec,
    output: TagOutput,
    sizes: InputSizes,
    *,
    outputs: int = 3,
    title: str,
    masked: bool,
    random_seed: int,
) -> GradientCase:
    """Build that tagger in float64, and a batch of 3 sequences of 4 steps, or if masked of 4, 2 and 1.

    Words are spelled with up to 3 characters. One target is missing where that leaves something, and dropout draws the
    same units each time. `inputs` and `state.l` are as in `gradient_case`.
    """
    T, B = 4, 3
    rng = np.random.default_rng(random_seed)
    model = SequenceTagger(spec, outputs, output, sizes, rng=rng, dtype=np.float64)
    draw_initial_states(model.parameters(), rng)
    shape = (T, B) if output == "softmax" else (outputs, T, B)
    targets = rng.integers(outputs if output == "softmax" else 2, size=shape)
    if output == "softmax" and not spec.crf:
        targets[1, 0] = -1
    inputs = rng.standard_normal((model.inputs.output_size, T, B))
    spelled = SimpleNamespace(
        characters=rng.integers(max(1, sizes.characters), size=(3, WORDS)),
        mask=np.arange(3)[:, None] < np.array([3, 3, 2, 2, 1]),
    )
    batch = SimpleNamespace(
        inputs=rng.integers(sizes.vocabulary, size=(T, B)) if sizes.vocabulary else inputs,
        targets=targets,
        mask=np.arange(T)[:, None] < np.array([T, T - 2, T - 3]) if masked else None,
        words=rng.integers(WORDS, size=(T, B)),
        spelled=spelled,
    )
    state = None
    if spec.initial_state == "zeros":
        state = draw_state(model.stack.layers, B, rng)
    return gradient_case(title, model, batch, state, inputs, random_seed, reads_ids=bool(sizes.vocabulary))


def sequence_tagger_cases(random_seed: int) -> Iterator[GradientCase]:
    """Every cell, with softmax, sigmoid and CRF, then controls; spelled tokens, others and vectors, masks in turn.

    Each cell in its first variant alone: the others are checked in the other models.
    """
    cells: list[AnyCell] = [cls.variants()[0] for cls in CELLS.values()]
    kinds: tuple[tuple[TagOutput, bool], ...] = (("softmax", False), ("sigmoid", False), ("softmax", True))
    architectures: list[tuple[Any, int, tuple[TagOutput, bool]]] = [
        (cell, 1 + (number + place) % 2, kind) for number, cell in enumerate(cells) for place, kind in enumerate(kinds)
    ]
    architectures += [(control, layers, kinds[i % 3]) for i, (control, layers) in enumerate(CONTROLLED)]
    for number, (cell, layers, (output, crf)) in enumerate(architectures):
        of_vectors, spelled, masked = number % 4 == 1, number % 2 == 0, number % 3 > 0
        recurrent = isinstance(cell, AnyCell)
        letters = CharacterEncoderSpec(
            cell=cell if isinstance(cell, AnyCell) else GRUCell(), embedding_size=2, hidden_size=2
        )
        spec = SequenceTaggerSpec(
            cell=cell,
            hidden_size=2,
            num_layers=layers,
            bidirectional=number % 5 < 3,
            embedding=EmbeddingSpec(kind="one_hot" if number % 4 == 3 else "learned", size=2),
            characters=letters if spelled else None,
            crf=crf,
            dropout=0.2 if number % 4 == 0 else 0.0,
            input_dropout=0.2 if number % 8 == 0 else 0.0,
            initial_state="learned" if recurrent and number % 5 == 4 else "zeros",
        )
        parts = (
            f"tagger of {'vectors' if of_vectors else 'tokens'}{', spelled' * spelled}",
            title_of(cell, layers) + (", both directions" if recurrent else ", centred") * spec.bidirectional,
            "crf" if crf else output,
            "masked" if masked else "full",
        )
        sizes = InputSizes(None, 3) if of_vectors else InputSizes(5, characters=4)
        yield sequence_tagger_case(
            spec, output, sizes, title=", ".join(parts), masked=masked, random_seed=random_seed + 1 + number
        )
