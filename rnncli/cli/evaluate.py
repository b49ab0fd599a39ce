"""`rnncli evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

from rnncli.cli.options import Encoding, Json, Model, NoColor, Quiet, Runs, Threads


def evaluate(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE", help="Data to evaluate on, - for a text on stdin; by default the model's own splits."
        ),
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", metavar="NAME", help="train, validation or test of the model's own data.")
    ] = None,
    errors: Annotated[
        int | None, typer.Option("--errors", metavar="N", min=1, help="The N worst mistakes, of labels or values.")
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

    A language model: cross-entropy in nats, bits and perplexity, beside n-grams. A classifier: accuracy, precision,
    recall and F1, confusions, accuracy by length, beside the majority and naive Bayes over words. A tagger: the same of
    each step, of unseen words, and F1 of spans, beside each word's most frequent tag. A regression: errors, beside the
    mean.

    Examples: rnncli evaluate --split test; rnncli evaluate other.txt --json; rnncli evaluate --errors 10
    """
    import json

    from rnncli.cli.console import Talk, write_data
    from rnncli.cli.drawings import Style
    from rnncli.cli.progress import reading
    from rnncli.cli.scores import report_lines, scores_json, view_of
    from rnncli.errors import DataError, UsageError
    from rnncli.experiments import evaluate_files, evaluate_splits, find

    talk = Talk(quiet=quiet, color=False if no_color else None)
    splits = ("train", "validation", "test")
    if files and split:
        raise UsageError("files and --split exclude each other")
    if split and split not in splits:
        raise UsageError(f"--split must be one of {', '.join(splits)}, not {split!r}")
    loaded = find(model, runs)
    if errors and not view_of(loaded.task).has_mistakes:
        raise UsageError("--errors is for labels and values; rnncli score shows what surprises a language model")
    with reading(talk) as report:
        if files:
            scores, notices = evaluate_files(loaded, files, encoding=encoding, report=report)
        else:
            scores, notices = evaluate_splits(loaded, (split,) if split else ("validation", "test"), report)
    for notice in notices:
        talk.warn(notice)
    if not scores:
        missing = split or "validation or test"
        raise DataError(f"the model's data has no {missing} split", hint="name a file to evaluate on")
    if as_json:
        write_data(
            json.dumps({"model": str(loaded.path), "scores": scores_json(scores, loaded.task, errors or 0)}) + "\n"
        )
    else:
        style = Style.of_stdout(talk)
        write_data("".join(line + "\n" for line in report_lines(scores, loaded.task, style, errors or 0)), escape=False)
