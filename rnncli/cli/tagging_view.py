"""How scores of taggers are shown: beside the baselines, of spans, of labels, what was taken for what, by length."""

import textwrap
from itertools import islice
from typing import TYPE_CHECKING, Any

from rnncli.cli.drawings import confusions, length_bars
from rnncli.cli.reports import comparison, label_table, mistakes, report_json, span_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rnncli.cli.drawings import Style
    from rnncli.metrics import TaggingReport
    from rnncli.tasks.protocol import Unit
    from rnncli.tasks.tagging_scores import TaggingScore


class TaggingView:
    """Scores of labels of steps: a report for each split, drawn, and the mistakes."""

    has_mistakes = True

    def means(self, score: "TaggingScore", unit: "Unit") -> dict[str, dict[str, float]]:  # noqa: ARG002, D102
        return {
            "this model": score.report.means | {"cross_entropy": score.loss.mean},
            **{name: report.means for name, report in score.baselines.items()},
        }

    def table(self, scores: "Sequence[TaggingScore]", unit: "Unit", style: "Style") -> list[str]:  # noqa: D102
        return comparison({score.split: self.means(score, unit) for score in scores}, style)

    def more(self, score: "TaggingScore", style: "Style", errors: int) -> "Iterator[list[str]]":  # noqa: D102
        report = score.report
        yield textwrap.wrap(counts(report), style.width)
        parts = (
            span_table(report.spans, style) if report.spans else [],
            label_table(report.steps.labels, style),
            confusions(report.steps, style),
            length_bars(report.steps.by_length, style, f"{report.element}s"),
        )
        yield [line for part in parts if part for line in ("", *part)][1:]
        yield mistakes(islice(score.mistakes(), errors), style)

    def plain(self, score: "TaggingScore", unit: "Unit", errors: int) -> dict[str, Any]:  # noqa: ARG002, D102
        worst = {"errors": report_json([*islice(score.mistakes(), errors)])} if errors else {}
        baselines = {name: tagging_json(report) for name, report in score.baselines.items()}
        return {**tagging_json(score.report, cross_entropy=score.loss.mean), "baselines": baselines, **worst}


def counts(report: "TaggingReport") -> str:
    """Say how many steps and sequences there are, and how many of them are new."""
    steps = report.steps.examples
    element, sequence = (
        f"{name}{'s' * (n != 1)}" for name, n in ((report.element, steps), ("sequence", report.sequences))
    )
    text = f"{steps:,} {element} in {report.sequences:,} {sequence}"
    if report.unseen is not None:
        text += f"; {report.unseen:,} ({report.unseen / max(1, steps):.1%}) unseen in training"
    if report.steps.unknown:
        text += f"; {report.steps.unknown:,} with a label unseen in training"
    return text


def tagging_json(report: "TaggingReport", **more: float) -> dict[str, Any]:
    """Return a report JSON-able, with its means and more of them beside the counts."""
    steps = report.steps
    parts: dict[str, Any] = report_json(
        {
            f"{report.element}s": steps.examples,
            "sequences": report.sequences,
            "unknown": steps.unknown,
            "unseen": report.unseen,
            **report.means,
            **more,
            "spans": report.spans,
            "labels": steps.labels,
            "confusion": steps.confusion,
            "by_length": steps.by_length,
        }
    )
    return parts
