"""How scores of translations and captions are shown: beside the baselines, exact match by length, the worst answers."""

import textwrap
from itertools import islice
from typing import TYPE_CHECKING, Any

from rnncli.cli.drawings import length_bars
from rnncli.cli.reports import comparison, report_json
from rnncli.metrics import perplexity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rnncli.cli.drawings import Style
    from rnncli.metrics import TranslationReport
    from rnncli.nn.protocols import Loss
    from rnncli.tasks.labelled_scores import Mistake
    from rnncli.tasks.pair_scores import PairScore
    from rnncli.tasks.protocol import Unit


class PairView:
    """Scores of texts that were written for others: a report for each split, and the wrong answers."""

    has_mistakes = True

    def means(self, score: "PairScore", unit: "Unit") -> dict[str, dict[str, float]]:  # noqa: ARG002, D102
        return {
            "this model": score.report.means | losses(score.loss),
            **{name: report.means for name, report in score.baselines.items()},
        }

    def table(self, scores: "Sequence[PairScore]", unit: "Unit", style: "Style") -> list[str]:  # noqa: D102
        return comparison({score.split: self.means(score, unit) for score in scores}, style)

    def more(self, score: "PairScore", style: "Style", errors: int) -> "Iterator[list[str]]":  # noqa: D102
        yield [counts(score.report)]
        bars = length_bars(score.report.by_length, style, "sources")
        if len(bars) > 2:  # one length says no more than the table
            yield ["exact match by length of the source", *bars]
        yield wrong_answers([*islice(score.mistakes(), errors)], style)

    def plain(self, score: "PairScore", unit: "Unit", errors: int) -> dict[str, Any]:  # noqa: ARG002, D102
        worst = {"errors": report_json([*islice(score.mistakes(), errors)])} if errors else {}
        own = report_json(score.report) | report_json(losses(score.loss))
        return {**own, "baselines": report_json(score.baselines), **worst}


def losses(loss: "Loss") -> dict[str, float]:
    """Return the cross-entropy in nats a token, of which the end of a text is one, and the perplexity."""
    return {"cross_entropy": loss.mean, "perplexity": perplexity(loss.mean)}


def counts(report: "TranslationReport") -> str:
    """Say how many sources there are, and targets where they are more."""
    sources, targets = (
        f"{count:,} {name}{'s' * (count != 1)}"
        for name, count in (("source", report.examples), ("target", report.references))
    )
    return sources if report.references == report.examples else f"{sources} with {targets}"


def wrong_answers(worst: "Sequence[Mistake]", style: "Style") -> list[str]:
    """Return where each pair is, its source if that is a text, its target, and what was answered in its place.

    Above them stands what the number behind a place is, and how they are ordered.
    """
    legend = "wrong answers, highest character error rate first; in brackets their probability"
    lines = textwrap.wrap(legend, style.width) if worst else []
    for each in worst:
        sure = "" if each.probability is None else f" ({each.probability:.3f})"
        lines.append(style.shortened(f"{each.where}:", style.width - len(sure)) + sure)
        texts = {"source": each.text, "target": each.target, "answer": each.predicted}
        for name, text in texts.items():
            if text or name != "source":
                lines.append(style.shortened(f"  {name}  {' '.join(text.split())}", style.width))
    return lines
