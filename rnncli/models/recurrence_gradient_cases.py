"""Tiny models whose previous outputs are what reaches the next step, in float64, whose gradients are to be checked."""

from collections.abc import Iterator
from itertools import product
from typing import Literal

from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.gradient_cases import GradientCase, language_model_case, title_of
from rnncli.models.language_model import LanguageModelSpec
from rnncli.nn.cells import RNNCell

EMBEDDINGS: tuple[tuple[Literal["learned", "one_hot"], int], ...] = (("learned", 5), ("learned", 3), ("one_hot", 5))
"""Embeddings and tokens: of 3 the learned embedding is folded into the first layer."""


def recurrence_cases(random_seed: int) -> Iterator[GradientCase]:
    """Every model that feeds its outputs back, of every recurrence but that of hidden states alone."""
    yield from _language_models(random_seed)


def _language_models(random_seed: int) -> Iterator[GradientCase]:
    """Outputs alone: every activation, with a condition or none, masked or not; layers, embeddings, dropout in turn."""
    architectures = product(RNNCell.variants(), (0, 3), (False, True))
    for number, (cell, condition_size, masked) in enumerate(architectures):
        kind, V = EMBEDDINGS[(number + number // 3) % 3]
        spec = LanguageModelSpec(
            embedding=EmbeddingSpec(kind, 3),
            cell=cell,
            hidden_size=3,
            num_layers=1 + (number + number // 2) % 2,
            bias=number % 5 != 3,
            dropout=0.2 * (number % 4 == 1),
            recurrence="output",
        )
        parts = (
            f"{title_of(cell, spec.num_layers)}, recurrence of outputs",
            *["a condition as bias"] * bool(condition_size),
            f"{V} tokens, {kind} embedding",
            *["no bias"] * (not spec.bias),
            *["dropout"] * (spec.dropout > 0),
            "masked" if masked else "full",
        )
        yield language_model_case(
            spec,
            V,
            condition_size=condition_size,
            title=", ".join(parts),
            masked=masked,
            random_seed=random_seed + number,
        )
