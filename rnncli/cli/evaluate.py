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
    closed_loop: Annotated[
        bool,
        typer.Option("--closed-loop", help="By position: fed with true tokens, and with its own as when it writes."),
    ] = False,
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

    With --closed-loop in their place: how far a model that writes drifts, reading the most probable of its own tokens.

    Examples: rnncli evaluate --split test; rnncli evaluate other.txt --json; rnncli evaluate --errors 10;
    rnncli evaluate --split test --closed-loop
    """
    import json

    from rnncli.cli.closed_loop_view import closed_loop_json, closed_loop_lines
    from rnncli.cli.console import Talk, write_data
    from rnncli.cli.drawings import Style
    from rnncli.cli.scores import report_lines, scores_json, view_of
    from rnncli.cli.sequences import say_what_is_typed
    from rnncli.cli.status import reading
    from rnncli.errors import DataError, UsageError
    from rnncli.experiments import close_loop_on_files, close_loop_on_splits, evaluate_files, evaluate_splits, find

    talk = Talk(quiet=quiet, color=False if no_color else None)
    refuse(
        files, split, closed_loop=closed_loop and (bool(errors) or beam_size is not None or length_penalty is not None)
    )
    loaded = find(model, runs)
    if beam_size is not None or length_penalty is not None:
        loaded = decoded(loaded, beam_size, length_penalty)
    if errors and not view_of(loaded.task).has_mistakes:
        raise UsageError("--errors is not for a language model: rnncli score shows what surprises it")
    measure: tuple[Any, Any] = (evaluate_files, evaluate_splits)
    if closed_loop:
        measure = (close_loop_on_files, close_loop_on_splits)
    activity = f"scoring the model on {split or ('files' if files else 'validation and test')}"
    if "-" in (files or ()):
        say_what_is_typed(talk, "-", "a text")
    with reading(talk, then=activity) as report:
        if files:
            found, notices = measure[0](loaded, files, encoding=encoding, report=report)
        else:
            found, notices = measure[1](loaded, (split,) if split else ("validation", "test"), report)
    for notice in notices:
        talk.warn(notice)
    if not found:
        missing = split or "validation or test"
        raise DataError(f"the model's data has no {missing} split", hint="name a file to evaluate on")
    if as_json:
        plain = closed_loop_json(found) if closed_loop else scores_json(found, loaded.task, errors or 0)
        named = {"model": str(loaded.path), "closed_loop" if closed_loop else "scores": plain}
        write_data(json.dumps(named) + "\n")
        return
    style = Style.of_stdout(talk)
    lines = closed_loop_lines(found, style) if closed_loop else report_lines(found, loaded.task, style, errors or 0)
    write_data("".join(line + "\n" for line in lines), escape=False)


def refuse(files: list[str] | None, split: str | None, *, closed_loop: bool) -> None:
    """Raise UsageError for what does not go together; `closed_loop` with what is for answers as a whole."""
    from rnncli.errors import UsageError

    splits = ("train", "validation", "test")
    if files and split:
        raise UsageError("files and --split exclude each other")
    if split and split not in splits:
        raise UsageError(f"--split must be one of {', '.join(splits)}, not {split!r}")
    if closed_loop:
        raise UsageError(
            "--closed-loop goes token by token, greedily: leave --errors, --beam-size and --length-penalty out"
        )


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
