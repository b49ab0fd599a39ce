"""`rnncli evaluate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnncli.cli.decoding_options import BeamSize, LengthPenalty, check_length_penalty
from rnncli.cli.options import Encoding, Json, Model, NoColor, Quiet, Runs, Threads

if TYPE_CHECKING:
    from rnncli.experiments import LoadedModel


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
        int | None,
        typer.Option("--errors", metavar="N", min=1, help="The N worst mistakes, of labels, values or texts."),
    ] = None,
    beam_size: BeamSize = None,
    length_penalty: LengthPenalty = None,
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
    mean. Translations and captions: exact match, BLEU and character error rate of answers found as the spec says, or by
    the beam that is asked for, beside the source itself, the most frequent target and that of the nearest source.

    Examples: rnncli evaluate --split test; rnncli evaluate other.txt --json; rnncli evaluate --errors 10
    """
    import json

    from rnncli.cli.console import Talk, write_data
    from rnncli.cli.drawings import Style
    from rnncli.cli.scores import report_lines, scores_json, view_of
    from rnncli.cli.sequences import say_what_is_typed
    from rnncli.cli.status import reading
    from rnncli.errors import DataError, UsageError
    from rnncli.experiments import evaluate_files, evaluate_splits, find

    talk = Talk(quiet=quiet, color=False if no_color else None)
    splits = ("train", "validation", "test")
    if files and split:
        raise UsageError("files and --split exclude each other")
    if split and split not in splits:
        raise UsageError(f"--split must be one of {', '.join(splits)}, not {split!r}")
    loaded = find(model, runs)
    if beam_size is not None or length_penalty is not None:
        loaded = decoded(loaded, beam_size, length_penalty)
    if errors and not view_of(loaded.task).has_mistakes:
        raise UsageError("--errors is not for a language model: rnncli score shows what surprises it")
    activity = f"scoring the model on {split or ('files' if files else 'validation and test')}"
    if "-" in (files or ()):
        say_what_is_typed(talk, "-", "a text")
    with reading(talk, then=activity) as report:
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


def decoded(loaded: "LoadedModel", beam_size: int | None, length_penalty: float | None) -> "LoadedModel":
    """Return the model with another way to find its answers; UsageError where it has none."""
    from dataclasses import replace

    from rnncli.errors import UsageError
    from rnncli.tasks import PairTask

    if not isinstance(loaded.task, PairTask):
        raise UsageError("--beam-size and --length-penalty are for translations and captions")
    given: dict[str, Any] = {"beam_size": beam_size, "length_penalty": length_penalty}
    decoding = replace(loaded.task.decoding, **{name: value for name, value in given.items() if value is not None})
    if length_penalty is not None:
        check_length_penalty(decoding.beam_size)
    return replace(loaded, task=replace(loaded.task, decoding=decoding))
