"""How it is shown what a model is worth that reads its own outputs: means, and bars by position."""

from typing import TYPE_CHECKING, Any

from rnncli.cli.console import table
from rnncli.cli.drawings import BAR
from rnncli.cli.reports import number, report_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rnncli.cli.drawings import Style
    from rnncli.metrics import ClosedLoopReport, FedScore, FedSums

TRUE, OWN = "true", "its own"
"""What the inputs are called."""
SHORTEST = 4
"""Columns of a bar."""


def closed_loop_lines(reports: "Mapping[str, ClosedLoopReport]", style: "Style") -> list[str]:
    """Return a table of the means of each split, and the scores by position, those of own inputs below the others."""
    rows: list[list[object]] = []
    for split, report in reports.items():
        forced, free = (fed.score(report.tokens) for fed in (report.forced, report.free))
        rows += [[split, TRUE, *_numbers(forced), None], [split, OWN, *_numbers(free), f"{report.gap:+.3f}"]]
    lines = table(["split", "inputs", "nats a token", "accuracy", "gap"], rows)
    for split, report in reports.items():
        lines += ["", *([style.shortened(split, style.width)] if len(reports) > 1 else []), *_drawn(report, style)]
    return lines


def closed_loop_json(reports: "Mapping[str, ClosedLoopReport]") -> dict[str, Any]:
    """Return the reports JSON-able, with an array over all positions for each number, null for what is not finite."""
    plain: dict[str, Any] = report_json({split: _plain(report) for split, report in reports.items()})
    return plain


def _plain(report: "ClosedLoopReport") -> dict[str, Any]:
    fed = {"forced": report.forced, "free_running": report.free}
    return {
        "tokens": int(report.tokens.sum()),
        **{name: sums.score(report.tokens)._asdict() for name, sums in fed.items()},
        "gap": report.gap,
        "positions": {
            "tokens": report.tokens,
            **{name: _by_position(sums, report) for name, sums in fed.items()},
        },
    }


def _by_position(sums: "FedSums", report: "ClosedLoopReport") -> dict[str, Any]:
    return {"cross_entropy": sums.losses / report.tokens, "accuracy": sums.correct / report.tokens}


def _drawn(report: "ClosedLoopReport", style: "Style") -> list[str]:
    """Return two lines for each range of positions, with bars of the accuracy, full for 1."""
    bins = [*report.bins()]
    ranges = [f"{each.low}-{each.high}" if each.low < each.high else f"{each.low}" for each in bins]
    heads = ["position", "inputs", "nats", "accuracy", ""]
    rows: list[list[object]] = []
    for positions, each in zip(ranges, bins, strict=True):
        rows += [[positions, TRUE, *_numbers(each.forced), ""], ["", OWN, *_numbers(each.free), ""]]
    beside = max(map(len, table(heads, rows))) + 2
    width = max(SHORTEST, min(BAR, style.width - beside))
    full, empty = "█░" if style.blocks else "#."
    for row, score in zip(rows, (score for each in bins for score in (each.forced, each.free)), strict=True):
        row[-1] = (full * int(width * score.accuracy)).ljust(width, empty)
    return table(heads, rows)


def _numbers(score: "FedScore") -> tuple[str | None, str | None]:
    return number(score.cross_entropy), number(score.accuracy)
