"""Tiny language models with a condition, in float64, whose gradients are to be checked."""

from collections.abc import Iterator
from itertools import product
from typing import Literal

from rnncli.models.condition import CONDITIONS
from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.gradient_cases import GradientCase, language_model_case, title_of
from rnncli.models.language_model import LanguageModelSpec
from rnncli.nn.cells import CELLS, AnyCell

KINDS: tuple[tuple[Literal["learned", "one_hot"], int], ...] = (("learned", 5), ("learned", 3), ("one_hot", 5))
"""Embeddings and tokens: of 3 the learned embedding is folded into the first layer."""


def conditioned_language_model_cases(random_seed: int) -> Iterator[GradientCase]:
    """Every way for a condition to get in x cell x masked or not; layers, embeddings, bias, states, dropout in turn.

    Each cell in its first variant alone: the others are checked in the other models.
    """
    cells: list[AnyCell] = [cls.variants()[0] for cls in CELLS.values()]
    for number, (way, cell, masked) in enumerate(product(CONDITIONS, cells, (False, True))):
        kind, V = KINDS[(number + number // 3) % 3]
        learned, dropout = way != "initial_state" and number % 4 > 1, 0.2 * (number % 5 == 4)
        spec = LanguageModelSpec(
            embedding=EmbeddingSpec(kind, 3),
            cell=cell,
            hidden_size=2,
            num_layers=1 + (number // 2) % 2,
            bias=number % 7 != 3,
            initial_state="learned" if learned else "zeros",
            dropout=dropout,
            recurrent_dropout=dropout,
            condition=way,
        )
        parts = (
            title_of(cell, spec.num_layers),
            f"a condition as {way.replace('_', ' ')}",
            f"{V} tokens",
            f"{kind} embedding",
            *["no bias"] * (not spec.bias),
            *["learned state"] * learned,
            *["dropout"] * (dropout > 0),
            "masked" if masked else "full",
        )
        yield language_model_case(
            spec, V, condition_size=3, title=", ".join(parts), masked=masked, random_seed=random_seed + number
        )
