"""How a comparison of cells is shown: a table, the spread over random seeds, JSON."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rnncli.cli.reports import heading, number

if TYPE_CHECKING:
    from rnncli.cli.drawings import Style
    from rnncli.experiments.cell_comparison import Comparison, Outcome, Row, Spread


def summary(outcome: "Outcome") -> str:
    """Say in a line what came of a training."""
    from rnncli.cli.meter import epochs

    if outcome.diverged:
        return f"{outcome.cell}: {outcome.diverged}"
    scores = ", ".join(f"{heading(name)} {number(value, name)}" for name, value in [*outcome.scores.items()][:1])
    best = f"the best model after epoch {epochs(outcome.best_epoch or 0)} of {epochs(outcome.epochs)}"
    return f"{outcome.cell}: {scores}, {outcome.cpu_seconds:.1f} CPU seconds, {best}"


def tables(found: "Comparison", style: "Style") -> list[str]:
    """Return a table with a row for each cell and baseline; of several random seeds one of the spreads, too."""
    rows, seeds = found.rows(), found.random_seeds
    names = list(dict.fromkeys(name for row in rows for name in row.scores))
    several = len(seeds) > 1
    which = "medians of random seeds" if several else "random seed"
    title = f"{found.split} split, {which} {', '.join(map(str, seeds))}"
    lines = [style.shortened(title, style.width), *fitted(medians(rows, names, len(seeds)), max(1, len(names)), style)]
    if several:
        lines += ["", "from the lowest to the highest score", *fitted(spreads(rows, names), len(names), style)]
    return lines


def medians(rows: "Sequence[Row]", names: Sequence[str], seeds: int) -> list[list[str]]:
    """Return the columns of sizes and medians, each with its heading first."""
    columns = [["model", *(row.name for row in rows)]]
    if any(0 < row.seeds < seeds for row in rows):
        columns.append(["seeds", *(str(row.seeds) for row in rows)])
    columns.append(["parameters", *("" if row.parameters is None else f"{row.parameters:,}" for row in rows)])
    columns.append(["CPU seconds", *(f"{row.cpu_seconds.median:,.1f}" if row.cpu_seconds else "" for row in rows)])
    for name in names or ["scores"]:
        shown = [number(row.scores[name].median, name) or "" if name in row.scores else "" for row in rows]
        columns.append([heading(name), *shown])
    scores = columns[-max(1, len(names))]
    scores[1:] = [text if row.seeds else "diverged" for row, text in zip(rows, scores[1:], strict=True)]
    return columns


def spreads(rows: "Sequence[Row]", names: Sequence[str]) -> list[list[str]]:
    """Return the columns of what the random seeds make of each score, each with its heading first."""
    columns = [["model", *(row.name for row in rows)]]
    return columns + [[heading(name), *(between(row.scores.get(name), name) for row in rows)] for name in names]


def between(spread: "Spread | None", name: str) -> str:
    """Return the lowest and the highest of a score, or the one that it always is."""
    shown = dict.fromkeys(number(value, name) or "" for value in (spread.lowest, spread.highest)) if spread else {}
    return " to ".join(shown)


def fitted(columns: Sequence[Sequence[str]], scores: int, style: "Style") -> list[str]:
    """Return a table, all but the names right-aligned; the last columns are the scores.

    Too wide, it has headings of two lines, then without the last scores, then a line for each number.
    """
    for kept in range(scores, 0, -1):
        left, lost = columns[: len(columns) - scores + kept], columns[len(columns) - scores + kept :]
        halves = [(*column[0].rpartition(" ")[::2], *column[1:]) for column in left]
        for lines in (aligned(left), aligned(halves)):
            if max(map(len, lines)) <= style.width:
                names = ", ".join(head for head, *_ in lost)
                return [*lines, *([style.shortened(f"--json has more: {names}", style.width)] if lost else [])]
    heads = [head for head, *_ in columns[1:]]
    room, narrow = max(map(len, heads)), []
    for name, *values in list(zip(*columns, strict=True))[1:]:
        named = zip(heads, values, strict=True)
        narrow += [name, *(f"  {head:<{room}}  {value}" for head, value in named if value)]
    return narrow


def aligned(columns: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of columns side by side, the first left-aligned and the others right-aligned."""
    widths = [max(map(len, column)) for column in columns]
    padded = [[text.rjust(width) for text in column] for column, width in zip(columns[1:], widths[1:], strict=True)]
    first = [text.ljust(widths[0]) for text in columns[0]]
    return ["  ".join(line).rstrip() for line in zip(first, *padded, strict=True)]


def plain(found: "Comparison") -> dict[str, Any]:
    """Return all of it, JSON-able: of each cell and baseline the spread over random seeds, and of cells each run."""
    from rnncli.cli.scores import finite

    cells, baselines = {}, {}
    for row in found.rows():
        scores = {"scores": {name: finite(spread._asdict()) for name, spread in row.scores.items()}}
        if row.cpu_seconds is None:
            baselines[row.name] = scores
        else:
            sizes = {"parameters": row.parameters, "cpu_seconds": row.cpu_seconds._asdict()}
            cells[row.name] = {**sizes, **scores, "runs": [run_json(each) for each in found.of(row.name)]}
    return {
        "split": found.split,
        "random_seeds": found.random_seeds,
        "complete": len(found.outcomes) == found.total,
        "cells": cells,
        "baselines": baselines,
    }


def run_json(outcome: "Outcome") -> dict[str, Any]:
    """Return what came of one training, JSON-able."""
    from dataclasses import asdict

    from rnncli.cli.scores import finite

    named = {name: value for name, value in asdict(outcome).items() if name not in ("cell", "folder")}
    return {"run": str(outcome.folder), **named, "scores": finite(outcome.scores), "diverged": outcome.diverged or None}
