"""How losses are shown: in the unit of the tokens, beside the baselines."""

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnncli.data.tokenizers import Level
    from rnncli.experiments import Score

UNITS = {"character": "bits_per_character", "byte": "bits_per_byte", "word": "bits_per_word"}


def metrics(cross_entropy: float, level: "Level") -> dict[str, float]:
    """Return a cross-entropy in nats a token with what is usually said of it: bits, and perplexity."""
    perplexity = math.exp(cross_entropy) if cross_entropy < 700 else math.inf
    return {"cross_entropy": cross_entropy, UNITS[level]: cross_entropy / math.log(2), "perplexity": perplexity}


def score_table(scores: "Sequence[Score]", level: "Level") -> list[str]:
    """Return a table of the model and the baselines on each split, the best first in no order but its own."""
    from rnncli.cli.console import table

    rows = []
    for score in scores:
        named = {"this model": score.loss.mean} | score.baselines
        rows += [[score.split, name, *formatted(metrics(nats, level))] for name, nats in named.items()]
    headers = ["split", "model", *(name.replace("_", " ") for name in metrics(0.0, level))]
    return table(headers, rows) if rows else []


def formatted(values: dict[str, float]) -> list[str]:
    """Return numbers as text with sensible digits."""
    return [f"{value:.3f}" if value < 1000 else f"{value:,.0f}" for value in values.values()]


def scores_json(scores: "Sequence[Score]", level: "Level") -> dict[str, Any]:
    """Return the same, JSON-able: infinities as null."""
    return {
        score.split: {
            "tokens": score.loss.count,
            **finite(metrics(score.loss.mean, level)),
            "baselines": {name: finite(metrics(nats, level)) for name, nats in score.baselines.items()},
        }
        for score in scores
    }


def finite(values: dict[str, float]) -> dict[str, float | None]:
    """Return the values with None for what JSON cannot say."""
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
