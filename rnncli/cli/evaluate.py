"""`rnncli evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

from rnncli.cli.options import Encoding, Json, Model, NoColor, Quiet, Runs, Threads


def evaluate(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE", help="Text to evaluate on, - for stdin; by default the model's own splits."),
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", metavar="NAME", help="train, validation or test of the model's own data.")
    ] = None,
    encoding: Encoding = None,
    model: Model = None,
    runs: Runs = Path("runs"),
    threads: Threads = None,  # noqa: ARG001 - read before NumPy is imported
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Measure a model beside naive baselines.

    Cross-entropy in nats, bits and perplexity, of the model and of n-grams on the same text.

    Examples: rnncli evaluate --split test; rnncli evaluate other.txt --json
    """
    import json

    from rnncli.cli.console import Talk, write_data
    from rnncli.cli.progress import reading
    from rnncli.cli.scores import score_table, scores_json
    from rnncli.errors import DataError, UsageError
    from rnncli.experiments import evaluate_files, evaluate_splits, load, newest_model

    talk = Talk(quiet=quiet, color=False if no_color else None)
    splits = ("train", "validation", "test")
    if files and split:
        raise UsageError("files and --split exclude each other")
    if split and split not in splits:
        raise UsageError(f"--split must be one of {', '.join(splits)}, not {split!r}")
    loaded = load(model or newest_model(runs))
    with reading(talk) as report:
        if files:
            scores, notices = evaluate_files(loaded, files, encoding=encoding, report=report)
        else:
            scores, notices = evaluate_splits(loaded, (split,) if split else ("validation", "test"), report)
    for notice in notices:
        talk.warn(notice)
    if split and not scores:
        raise DataError(f"the model's data has no {split} split", hint="name a file to evaluate on")
    level = loaded.vocabulary.spec.level
    if as_json:
        write_data(json.dumps({"model": str(loaded.path), "scores": scores_json(scores, level)}) + "\n")
    else:
        write_data("".join(line + "\n" for line in score_table(scores, level)))
