"""Tiny models whose previous outputs are what reaches the next step, in float64, whose gradients are to be checked."""

from collections.abc import Iterator
from itertools import chain, product
from typing import Literal

from rnncli.models.character_encoder import CharacterEncoderSpec
from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.encoder_decoder_gradient_cases import encoder_decoder_case
from rnncli.models.encoder_decoder_spec import EncoderDecoderSpec
from rnncli.models.gradient_cases import GradientCase, language_model_case, title_of
from rnncli.models.input_layer import InputSizes
from rnncli.models.language_model import LanguageModelSpec
from rnncli.models.sequence_tagger_spec import SequenceTaggerSpec, TagOutput
from rnncli.models.tagger_gradient_cases import sequence_tagger_case
from rnncli.nn.cells import CELLS, AnyCell, RNNCell

EMBEDDINGS: tuple[tuple[Literal["learned", "one_hot"], int], ...] = (("learned", 5), ("learned", 3), ("one_hot", 5))
"""Embeddings and tokens: of 3 the learned embedding is folded into the first layer."""


def recurrence_cases(random_seed: int) -> Iterator[GradientCase]:
    """Every model that feeds its outputs back, of every recurrence but that of hidden states alone."""
    yield from _language_models(random_seed)
    yield from _taggers(random_seed)
    yield from _encoder_decoders(random_seed)


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


def _taggers(random_seed: int) -> Iterator[GradientCase]:
    """Outputs alone with every activation, both with every cell, of one label and of several; the rest in turn."""
    outputs: tuple[TagOutput, ...] = ("softmax", "sigmoid")
    cells: list[AnyCell] = [cls.variants()[0] for cls in CELLS.values()]
    architectures: Iterator[tuple[Literal["output", "both"], AnyCell, TagOutput]] = chain(
        product(("output",), RNNCell.variants(), outputs), product(("both",), cells, outputs)
    )
    for number, (recurrence, cell, output) in enumerate(architectures):
        of_vectors, spelled, masked = number % 4 == 1, number % 4 == 2, number % 3 > 0
        learned = recurrence == "both" and number % 4 == 3
        spec = SequenceTaggerSpec(
            cell=cell,
            hidden_size=2,
            num_layers=1 + (number // 2) % 2,
            recurrence=recurrence,
            bidirectional=False,
            embedding=EmbeddingSpec(kind="one_hot" if number % 4 == 3 else "learned", size=2),
            characters=CharacterEncoderSpec(cell=cell, embedding_size=2, hidden_size=2) if spelled else None,
            dropout=0.2 * (number % 4 == 0),
            input_dropout=0.2 * (number % 8 == 0),
            recurrent_dropout=0.2 * (recurrence == "both" and number % 4 == 0),
            initial_state="learned" if learned else "zeros",
        )
        parts = (
            f"tagger of {'vectors' if of_vectors else 'tokens'}{', spelled' * spelled}",
            title_of(cell, spec.num_layers),
            "recurrence of outputs" if recurrence == "output" else "recurrence of both",
            *["dropout"] * (spec.dropout > 0),
            *["learned state"] * learned,
            output,
            "masked" if masked else "full",
        )
        sizes = InputSizes(None, 3) if of_vectors else InputSizes(5, characters=4)
        yield sequence_tagger_case(
            spec, output, sizes, title=", ".join(parts), masked=masked, random_seed=random_seed + number
        )


def _encoder_decoders(random_seed: int) -> Iterator[GradientCase]:
    """Decoders with outputs alone: every attention with every activation; the rest in turn."""
    attentions: tuple[Literal["dot", "general", "additive"], ...] = ("dot", "general", "additive")
    for number, (attention, cell) in enumerate(product(attentions, RNNCell.variants())):
        masked, tied = number % 3 > 0, number % 4 == 2
        spec = EncoderDecoderSpec(
            cell=cell,
            hidden_size=4,  # of two, a ReLU leaves none
            num_layers=1 + number % 2,
            recurrence="output",
            bidirectional=attention != "dot" and number % 4 < 3,
            embedding=EmbeddingSpec(kind="one_hot" if number % 4 == 3 else "learned", size=4),
            tie_embeddings=tied,
            attention=attention,
            dropout=0.2 * (number % 4 == 0),
            recurrent_dropout=0.2 * (number % 4 == 0),
            initial_state="learned" if number % 6 == 5 else "zeros",
        )
        parts = (
            f"encoder–decoder, {title_of(cell, spec.num_layers)}" + ", both directions" * spec.bidirectional,
            f"{attention} attention",
            "recurrence of outputs",
            *["dropout"] * (spec.dropout > 0),
            "masked" if masked else "full",
        )
        yield encoder_decoder_case(
            spec, InputSizes(5), 5, title=", ".join(parts), masked=masked, random_seed=random_seed + number
        )
