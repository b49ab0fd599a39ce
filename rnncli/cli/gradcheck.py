"""`rnncli gradcheck`."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnncli.cli.options import Json, NoColor, Quiet, RandomSeed

if TYPE_CHECKING:
    from rnncli.cli.drawings import Style

WHOLE = 1000
"""Columns of a table that goes to a file or a pipe."""
LIMIT = 30
"""Elements drawn from each array of a spec's own model, whose weights are too many to move one by one."""


def gradcheck(
    spec: Annotated[
        Path | None, typer.Argument(metavar="SPEC", help="Check this spec's model, at its own size.")
    ] = None,
    tolerance: Annotated[
        float, typer.Option("--tolerance", metavar="X", help="The largest relative error that passes.")
    ] = 1e-6,
    epsilon: Annotated[float, typer.Option("--epsilon", metavar="X", help="How far each number is moved.")] = 1e-5,
    inject_error: Annotated[
        bool, typer.Option("--inject-error", help="Put one gradient wrong by 1 %, to see it caught.")
    ] = False,
    parameter: Annotated[
        str | None,
        typer.Option(
            "--parameter", metavar="NAME", help="Which one --inject-error puts wrong; by default a recurrent weight's."
        ),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="A row for every parameter of every case, not only the worst ones.")
    ] = False,
    random_seed: RandomSeed = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Prove every gradient against finite differences.

    Weights, inputs and initial states, by central differences in float64. Without SPEC it checks every cell, and the
    controls conv1d and none, in language models, classifiers, taggers and translators: 1 and 2 layers, one and both
    directions, every readout and kind of output, CRFs among them, every attention, condition and recurrence, one-hot
    and learned embeddings, words spelled out, full and masked batches, zero and learned initial state. With SPEC, that
    model: elements drawn from each of its arrays. The table has each parameter's worst case. Exit status 1 when any
    fails.

    Examples: rnncli gradcheck; rnncli gradcheck spec.yaml --verbose; rnncli gradcheck --inject-error
    """
    import json

    from rnncli.cli.console import Talk, write_data
    from rnncli.cli.drawings import Style
    from rnncli.errors import RnncliError, UsageError
    from rnncli.experiments import check_gradients, gradient_cases, task_from
    from rnncli.spec import read_spec

    talk = Talk(quiet=quiet, color=False if no_color else None)
    for name, value in (("--tolerance", tolerance), ("--epsilon", epsilon)):
        if not 0 < value < 1:
            raise UsageError(f"{name} must be above 0 and below 1, not {value:g}")
    cases = gradient_cases(task_from(read_spec(spec)) if spec else None, random_seed or 0)
    rows: list[dict[str, Any]] = []
    injected = (parameter or "") if inject_error else None
    count = 0
    for title, errors in check_gradients(cases, epsilon=epsilon, limit=LIMIT if spec else None, inject_error=injected):
        count += 1
        talk.progress(f"{count} cases checked: {title}")
        rows += [
            {
                "case": title,
                "parameter": error.name,
                "error": error.error,
                "where": list(error.where),
                "analytic": error.analytic,
                "numeric": error.numeric,
                "checked": error.checked,
                "passed": error.error <= tolerance,
            }
            for error in errors
        ]
    talk.progress("")
    failures = sum(not row["passed"] for row in rows)
    if injected and not any(row["parameter"] == injected for row in rows):
        raise UsageError(
            f"no case has a gradient {injected!r}", hint=f"one of {', '.join(sorted({r['parameter'] for r in rows}))}"
        )
    if as_json:
        plain = [{name: value if is_json(value) else None for name, value in row.items()} for row in rows]
        write_data(json.dumps({"tolerance": tolerance, "epsilon": epsilon, "failures": failures, "rows": plain}) + "\n")
    else:
        lines = error_table(rows if verbose else worst_of_each(rows), Style.of_stdout(talk, piped=WHOLE))
        write_data("".join(f"{line}\n" for line in lines))
        checked = sum(row["checked"] for row in rows)
        write_data(
            f"{count} cases, {checked:,} gradients checked, {failures} arrays failed at tolerance {tolerance:g}\n"
        )
    if failures:
        message = f"{failures} of {len(rows)} gradients differ from their numeric value"
        raise RnncliError(message, hint="as --inject-error asked" if inject_error else "a backward pass is wrong")


def worst_of_each(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return for each parameter the row with its largest error over all cases."""
    worst: dict[str, dict[str, Any]] = {}
    for row in rows:
        known = worst.get(row["parameter"])
        if known is None or row["error"] > known["error"]:
            worst[row["parameter"]] = row
    return list(worst.values())


def is_json(value: Any) -> bool:
    """Tell whether JSON has this value: it has no NaN and no infinity."""
    return not isinstance(value, float) or math.isfinite(value)


def error_table(rows: list[dict[str, Any]], style: "Style") -> list[str]:
    """Return the rows as aligned text; where that is too wide, the numbers only of those that failed, below."""
    from rnncli.cli.console import columns_of, table

    verdicts = [[row["parameter"], f"{row['error']:.1e}", "ok" if row["passed"] else "FAILED"] for row in rows]
    whole = table(
        ["parameter", "worst error", "where", "analytic", "numeric", "verdict", "case"],
        [
            [name, error, place(row), f"{row['analytic']:+.6e}", f"{row['numeric']:+.6e}", verdict, row["case"]]
            for row, (name, error, verdict) in zip(rows, verdicts, strict=True)
        ],
    )
    if max(map(columns_of, whole)) <= style.width:
        return whole
    narrow = table(["parameter", "worst error", "verdict"], verdicts)
    room = style.width - max(map(columns_of, narrow)) - 2
    if room >= len("case"):
        cases = [[style.shortened(row["case"], room)] for row in rows]
        narrow = table(
            ["parameter", "worst error", "verdict", "case"],
            [[*verdict, *case] for verdict, case in zip(verdicts, cases, strict=True)],
        )
    for row in rows:
        if not row["passed"]:
            numbers = f"analytic {row['analytic']:+.6e}, numeric {row['numeric']:+.6e}"
            facts = (f"{row['parameter']} [{place(row)}]", f"  {numbers}", f"  {row['case']}")
            narrow += ["", *(style.shortened(fact, style.width) for fact in facts)]
    return narrow


def place(row: dict[str, Any]) -> str:
    """Return where in its array a gradient stands."""
    return ",".join(map(str, row["where"]))
