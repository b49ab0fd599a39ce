"""How scores of predictions are shown: tables beside the baselines, drawings, the worst examples, JSON.

Names of labels and texts come from files: they are made printable, and shortened where they are too long.
"""

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from rnncli.cli.console import columns_of, table
from rnncli.cli.drawings import Style, confusions, length_bars, taken_for
from rnncli.metrics import LabelScore

MANY = 30
"""More labels are sorted by their support, and the others left out."""

if TYPE_CHECKING:
    from rnncli.metrics import ClassificationReport, RegressionReport, SpanReport
    from rnncli.tasks.labelled_scores import Mistake


def comparison(scores: Mapping[str, Mapping[str, Mapping[str, float]]], style: Style) -> list[str]:
    """Return a table of scores, by split, name of the model, name of the score; empty where a model has none.

    Where it is too wide its heads are on two lines, or it has a part for each split, or a line for each number.
    """
    if not scores:
        return []
    names = list(dict.fromkeys(name for models in scores.values() for values in models.values() for name in values))
    heads = [*map(heading, names)]
    rows = {
        split: [[model, *(number(values.get(name), name) for name in names)] for model, values in models.items()]
        for split, models in scores.items()
    }
    whole = ["split", "model", *heads], [[split, *row] for split in rows for row in rows[split]]
    parts, low_parts, narrow = list[str](), list[str](), list[str]()
    for split, models in rows.items():
        title = ["", style.shortened(split, style.width)]
        turned = [(head, row[0], row[column]) for column, head in enumerate(heads, 1) for row in models if row[column]]
        parts += [*title, *table(["model", *heads], models)]
        low_parts += [*title, *_low_table(["model", *heads], models)]
        narrow += [*title, *table(["score", "model", ""], turned)]
    layouts = (table(*whole), _low_table(*whole), parts[1:], low_parts[1:])
    return next((lines for lines in layouts if max(map(columns_of, lines)) <= style.width), narrow[1:])


def _low_table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Return a table whose heads have their last word on a second line."""
    words = [head.rpartition(" ")[::2] for head in heads]
    high, low = ([f"{pair[k]:>{max(map(len, pair))}}" for pair in words] for k in (0, 1))
    return [table(high, rows)[0], *table(low, rows)]


def drawn(report: "ClassificationReport | RegressionReport", style: Style) -> list[str]:
    """Return all that is to see of a report beyond its means, an empty line between the drawings."""
    from rnncli.metrics import ClassificationReport

    if isinstance(report, ClassificationReport):
        drawings = [label_table(report.labels, style), confusions(report, style), length_bars(report.by_length, style)]
    else:
        drawings = [output_table(report, style)]
    return [line for drawing in drawings if drawing for line in ("", *drawing)][1:]


def label_table(
    labels: "Sequence[LabelScore]", style: Style, head: str = "label", means: "Sequence[LabelScore]" = ()
) -> list[str]:
    """Return precision, recall, F1 and support of each label, of many labels only of the most frequent, and means."""
    shown = labels if len(labels) <= MANY else sorted(labels, key=lambda each: -each.support)[:MANY]
    heads = ("precision", "recall", "F1", "support") if style.width >= 50 else ("P", "R", "F1", "n")
    rows = [(*map(number, (each.precision, each.recall, each.f1)), each.support) for each in (*shown, *means)]
    lines = _named(head, [each.label for each in (*shown, *means)], heads, rows, style)
    if len(labels) > MANY:
        lines.append(f"{'…' if style.blocks else '...'} {len(labels) - MANY:,} more (--json has all)")
    return lines


def span_table(report: "SpanReport", style: Style) -> list[str]:
    """Return how the spans of each label were found, and, where there are several, all spans and the labels' mean."""
    every = LabelScore("all spans", report.precision, report.recall, report.f1, report.support)
    macro = (report.macro_precision, report.macro_recall, report.macro_f1)
    means = (every, LabelScore("mean of labels", *macro, report.support)) if len(report.labels) > 1 else ()
    return label_table(report.labels, style, "spans", means) if report.labels else []


def output_table(report: "RegressionReport", style: Style) -> list[str]:
    """Return the errors of each output; nothing where there is but one, whose errors are the means."""
    if len(report.outputs) < 2:
        return []
    heads = list(report.means)
    rows = [[number(getattr(each, head), head) for head in heads] for each in report.outputs]
    return _named("output", [each.name for each in report.outputs], heads, rows, style)


def _named(
    head: str, names: Sequence[str], heads: Sequence[str], rows: Sequence[Sequence[object]], style: Style
) -> list[str]:
    """Return a table whose first column has the room that the others leave."""
    others = max(map(columns_of, table(["", *heads], [["", *row] for row in rows])))
    room = max(4, style.width - others)
    return table([head, *heads], [[style.shortened(name, room), *row] for name, row in zip(names, rows, strict=True)])


def mistakes(worst: "Iterable[Mistake]", style: Style) -> list[str]:
    """Return where each example is, what it was taken for with which probability, and the beginning of its text.

    Above them stands what the numbers are, if there are any.
    """
    lines, worst = [], [*worst]
    if any(each.probability is not None for each in worst):
        lines += textwrap.wrap(
            "mistakes, the worst first; in brackets the probability of what was predicted", style.width
        )
    for each in worst:
        after = "" if each.probability is None else f" ({each.probability:.3f})"
        verdict = taken_for(f"{each.where}: ", each.target, each.predicted, after, style)
        if len(verdict) > 1:
            verdict = taken_for("  ", each.target, each.predicted, after, style)
            verdict.insert(0, style.shortened(f"{each.where}:", style.width))
        lines += verdict
        if text := " ".join(each.text.split()):
            lines.append("  " + style.shortened(text, style.width - 2))
    return lines


def report_json(report: Any) -> Any:
    """Return a report, or a part of one, JSON-able: by the names of its fields; null for what is not finite."""
    if is_dataclass(report):
        return {field.name: report_json(getattr(report, field.name)) for field in fields(report)}
    if isinstance(report, Mapping):
        return {name: report_json(value) for name, value in report.items()}
    if hasattr(report, "tolist"):
        return report_json(report.tolist())
    if isinstance(report, Sequence) and not isinstance(report, str):
        return [report_json(part) for part in report]
    return None if isinstance(report, float) and not math.isfinite(report) else report


def heading(name: str) -> str:
    """Return the name of a score as it heads a column."""
    return name.replace("_", " ").replace("f1", "F1").replace("bleu", "BLEU")


def number(value: float | None, name: str = "") -> str | None:
    """Three decimals, or four digits of what has a unit of its own; None, an empty cell, for what is no number."""
    if value is None or math.isnan(value):
        return None
    if 1000 <= abs(value) < 1e9:
        return f"{value:,.0f}"
    return f"{value:.4g}" if name in ("mae", "mse", "rmse") or abs(value) >= 1000 else f"{value:.3f}"
