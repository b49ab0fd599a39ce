"""How scores are shown: those of texts in the unit of the tokens, beside the baselines."""

import math
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from rnncli.metrics import perplexity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rnncli.cli.drawings import Style
    from rnncli.tasks import Task
    from rnncli.tasks.labelled_scores import LabelledScore
    from rnncli.tasks.language_model import TextScore
    from rnncli.tasks.protocol import Unit

UNITS = {"character": "bits_per_character", "byte": "bits_per_byte", "word": "bits_per_word"}


def metrics(cross_entropy: float, unit: "Unit") -> dict[str, float]:
    """Return a cross-entropy in nats a token with what is usually said of it: bits, and perplexity."""
    bits = {UNITS[unit]: cross_entropy / math.log(2)}
    return {"cross_entropy": cross_entropy, **bits, "perplexity": perplexity(cross_entropy)}


class View(Protocol):
    """How scores of one kind are shown."""

    has_mistakes: bool
    """Whether single mistakes can be shown."""

    def means(self, score: Any, unit: "Unit") -> dict[str, dict[str, float]]:
        """Return the mean scores of "this model" and of each baseline, by name."""
        ...

    def table(self, scores: "Sequence[Any]", unit: "Unit", style: "Style") -> list[str]:
        """Return a table of the scores beside those of the baselines."""
        ...

    def more(self, score: Any, style: "Style", errors: int) -> "Iterator[list[str]]":
        """Yield what else there is to see of a split, and its worst mistakes."""
        ...

    def plain(self, score: Any, unit: "Unit", errors: int) -> dict[str, Any]:
        """Return the score JSON-able: infinities as null."""
        ...


def view_of(task: "Task") -> View:
    """Return the view of a task's scores."""
    from rnncli.cli.pair_view import PairView
    from rnncli.cli.tagging_view import TaggingView
    from rnncli.tasks.labelled_scores import LabelledScore
    from rnncli.tasks.language_model import TextScore
    from rnncli.tasks.pair_scores import PairScore
    from rnncli.tasks.tagging_scores import TaggingScore

    views: dict[type[Any], View] = {
        TextScore: TextView(),
        LabelledScore: LabelledView(),
        TaggingScore: TaggingView(),
        PairScore: PairView(),
    }
    return views[task.score_type]


def score_lines(scores: "Sequence[Any]", task: "Task", style: "Style") -> list[str]:
    """Return a table of a model's scores beside those of the baselines."""
    return view_of(task).table(scores, task.unit, style)


def report_lines(scores: "Sequence[Any]", task: "Task", style: "Style", errors: int) -> list[str]:
    """Return the same with all that is to see of each split, and its worst mistakes."""
    view = view_of(task)
    lines = view.table(scores, task.unit, style)
    for score in scores:
        for part in filter(None, view.more(score, style, errors)):
            lines += ["", *([f"{score.split}"] if len(scores) > 1 else []), *part]
    return lines


def scores_json(scores: "Sequence[Any]", task: "Task", errors: int = 0) -> dict[str, Any]:
    """Return the same by split, JSON-able: infinities as null."""
    view = view_of(task)
    return {score.split: view.plain(score, task.unit, errors) for score in scores}


class LabelledView:
    """Scores of labels and values: a report for each split, drawn, and the mistakes."""

    has_mistakes = True

    def means(self, score: "LabelledScore", unit: "Unit") -> dict[str, dict[str, float]]:  # noqa: ARG002, D102
        return {
            "this model": score.report.means | loss_of(score),
            **{name: report.means for name, report in score.baselines.items()},
        }

    def table(self, scores: "Sequence[LabelledScore]", unit: "Unit", style: "Style") -> list[str]:  # noqa: D102
        from rnncli.cli.reports import comparison

        return comparison({score.split: self.means(score, unit) for score in scores}, style)

    def more(self, score: "LabelledScore", style: "Style", errors: int) -> "Iterator[list[str]]":  # noqa: D102
        from rnncli.cli.reports import drawn, mistakes

        yield drawn(score.report, style)
        yield mistakes(islice(score.mistakes(), errors), style)

    def plain(self, score: "LabelledScore", unit: "Unit", errors: int) -> dict[str, Any]:  # noqa: ARG002, D102
        from rnncli.cli.reports import report_json

        worst = [report_json(each) for each in islice(score.mistakes(), errors)] if errors else []
        return {
            **report_json(score.report),
            **finite(loss_of(score)),
            "baselines": {name: report_json(report) for name, report in score.baselines.items()},
            **({"errors": worst} if errors else {}),
        }


def loss_of(score: "LabelledScore") -> dict[str, float]:
    """Return the cross-entropy of labels, in nats; of values nothing, since their errors say it all."""
    from rnncli.metrics import ClassificationReport

    return {"cross_entropy": score.loss.mean} if isinstance(score.report, ClassificationReport) else {}


class TextView:
    """Scores of texts, in the unit of their tokens."""

    has_mistakes = False

    def means(self, score: "TextScore", unit: "Unit") -> dict[str, dict[str, float]]:  # noqa: D102
        named = {"this model": score.loss.mean} | score.baselines
        return {name: metrics(nats, unit) for name, nats in named.items()}

    def table(self, scores: "Sequence[TextScore]", unit: "Unit", style: "Style") -> list[str]:  # noqa: ARG002
        """Return a table of the model and the baselines on each split, the best first in no order but its own."""
        from rnncli.cli.console import table

        rows = [
            [score.split, name, *formatted(values)]
            for score in scores
            for name, values in self.means(score, unit).items()
        ]
        headers = ["split", "model", *(name.replace("_", " ") for name in metrics(0.0, unit))]
        return table(headers, rows) if rows else []

    def more(self, score: "TextScore", style: "Style", errors: int) -> "Iterator[list[str]]":  # noqa: ARG002
        """There is nothing else."""
        yield from ()

    def plain(self, score: "TextScore", unit: "Unit", errors: int) -> dict[str, Any]:  # noqa: ARG002, D102
        return {
            "tokens": score.loss.count,
            **finite(metrics(score.loss.mean, unit)),
            "baselines": {name: finite(metrics(nats, unit)) for name, nats in score.baselines.items()},
        }


def formatted(values: dict[str, float]) -> list[str]:
    """Return numbers as text with sensible digits."""
    return [f"{value:.3f}" if value < 1000 else f"{value:,.0f}" for value in values.values()]


def finite(values: dict[str, float]) -> dict[str, float | None]:
    """Return the values with None for what JSON cannot say."""
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
