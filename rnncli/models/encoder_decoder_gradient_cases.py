"""Tiny encoder–decoders in float64 with one batch each, whose gradients are to be checked.

S source steps, T target steps, B sequences, V target tokens.
"""

from collections.abc import Iterator
from itertools import product
from types import SimpleNamespace
from typing import Literal

import numpy as np

from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.encoder_decoder import EncoderDecoder
from rnncli.models.encoder_decoder_spec import EncoderDecoderSpec
from rnncli.models.gradient_cases import GradientCase, draw_initial_states, draw_state, gradient_case, title_of
from rnncli.models.input_layer import InputSizes
from rnncli.nn.cells import CELLS

WAYS: tuple[tuple[Literal["none", "dot", "general", "additive"], bool], ...] = (
    ("none", False),
    ("dot", False),
    ("dot", True),
    ("general", False),
    ("general", True),
    ("additive", False),
    ("additive", True),
)
"""Attention, and whether its outputs are fed to the next step."""


def encoder_decoder_case(
    spec: EncoderDecoderSpec,
    sizes: InputSizes,
    target_size: int,
    *,
    shared: bool = False,
    title: str,
    masked: bool,
    random_seed: int,
) -> GradientCase:
    """Build that model in float64, and a batch of 3 pairs of 4 and 3 steps, or if masked of 4, 2, 1 and 3, 1, 2.

    Dropout draws the same units each time. `inputs` are vectors of the source, and `state.l` the state of the encoder's
    layer l before the first step, unless the model learns its initial state.
    """
    S, T, B = 4, 3, 3
    rng = np.random.default_rng(random_seed)
    model = EncoderDecoder(spec, target_size, sizes, shared=shared, rng=rng, dtype=np.float64)
    draw_initial_states(model.parameters(), rng)
    ids, targets = rng.integers(target_size, size=(2, T, B))
    vectors = rng.standard_normal((model.encoder.inputs.output_size, S, B))
    batch = SimpleNamespace(
        source=rng.integers(sizes.vocabulary, size=(S, B)) if sizes.vocabulary else vectors,
        source_mask=np.arange(S)[:, None] < np.array([4, 2, 1]) if masked else None,
        inputs=ids,
        targets=targets,
        mask=np.arange(T)[:, None] < np.array([3, 1, 2]) if masked else None,
    )
    state = draw_state(model.encoder.stack.layers, B, rng) if spec.initial_state == "zeros" else None
    return gradient_case(title, model, batch, state, vectors, random_seed, reads_ids=bool(sizes.vocabulary))


def encoder_decoder_cases(random_seed: int) -> Iterator[GradientCase]:
    """Every cell with every attention; layers, directions, embeddings, vectors, ties and masks in turn.

    Each cell in its first variant alone: the others are checked in the other models.
    """
    for number, ((attention, feeding), cls) in enumerate(product(WAYS, CELLS.values())):
        cell, layers, masked = cls.variants()[0], 1 + number % 2, number % 3 > 0
        kind: Literal["learned", "one_hot"] = "one_hot" if number % 5 == 4 else "learned"
        of_vectors, tied = number % 4 == 3, kind == "learned" and number % 4 == 2
        shared = not of_vectors and number % 4 == 1
        spec = EncoderDecoderSpec(
            cell=cell,
            hidden_size=2,
            num_layers=layers,
            bidirectional=attention != "dot" and number % 7 < 5,
            embedding=EmbeddingSpec(kind=kind, size=2),
            tie_embeddings=tied,
            attention=attention,
            input_feeding=feeding,
            dropout=0.2 if number % 4 == 0 else 0.0,
            input_dropout=0.2 if number % 8 == 0 and kind == "learned" else 0.0,
            initial_state="learned" if number % 6 == 5 else "zeros",
        )
        parts = (
            f"encoder–decoder of {'vectors' if of_vectors else 'tokens'}",
            title_of(cell, layers) + ", both directions" * spec.bidirectional,
            f"{attention} attention{', fed' * feeding}" if attention != "none" else "no attention",
            *["one embedding"] * shared,
            "masked" if masked else "full",
        )
        sizes = InputSizes(None, 3) if of_vectors else InputSizes(5)
        yield encoder_decoder_case(
            spec, sizes, 5, shared=shared, title=", ".join(parts), masked=masked, random_seed=random_seed + number
        )
