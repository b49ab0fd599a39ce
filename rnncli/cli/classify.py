"""`rnncli classify`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnncli.cli.options import Encoding, GivenFile, GivenTexts, Json, Model, NoColor, Quiet, Runs, Threads

if TYPE_CHECKING:
    from rnncli.nn.parameter import Array
    from rnncli.tasks.sequence_model import SequenceModel


def classify(
    texts: GivenTexts = None,
    file: GivenFile = None,
    top: Annotated[int | None, typer.Option("--top", metavar="K", min=1, help="The K most probable labels.")] = None,
    proba: Annotated[bool, typer.Option("--proba", help="The probability behind each label.")] = False,
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", metavar="P", min=0, max=1, help="All labels that are at least so probable."),
    ] = None,
    encoding: Encoding = None,
    model: Model = None,
    runs: Runs = Path("runs"),
    threads: Threads = None,  # noqa: ARG001 - read before NumPy is imported
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Label texts, or other sequences, with a trained classifier.

    Prints a line for each: its label; several labels with tabs between them; of a regression its value. Lines of stdin
    are answered as they come. What cannot be read gets an empty line and a message, and the exit status is 3.
    --json prints an object a line.

    Examples: rnncli classify "Neat plot. Great acting."; rnncli classify --file reviews.txt --top 2 --proba
    """
    import json

    from rnncli.cli.console import Talk, write_data
    from rnncli.cli.sequences import answers, given_sequences
    from rnncli.errors import DataError, UsageError
    from rnncli.experiments import find
    from rnncli.tasks import LabelledTask

    talk = Talk(quiet=quiet, color=False if no_color else None)
    reader = find(model, runs, LabelledTask).sequences
    if reader.model.activation == "linear" and (top or proba or threshold is not None):
        raise UsageError("--top, --proba and --threshold are for labels, and this model answers with a value")
    failed = False
    for batch in given_sequences(reader, texts or [], file, encoding, talk):
        lines = []
        for output in answers(batch, reader.outputs):
            if isinstance(output, DataError):
                failed = True
                talk.error(str(output))
                lines.append(json.dumps({"error": str(output)}) if as_json else "")
            else:
                answer = answer_of(reader, output, top, threshold)
                lines.append(json.dumps(answer, ensure_ascii=False) if as_json else line_of(answer, proba=proba))
        write_data("".join(line + "\n" for line in lines))
    if failed:
        raise typer.Exit(DataError.exit_status)


def answer_of(reader: "SequenceModel", output: "Array", top: int | None, threshold: float | None) -> dict[str, Any]:
    """Return what the model says of a sequence, from its outputs (K,), JSON-able."""
    import numpy as np

    if reader.model.activation == "linear":
        return {"values": dict(zip(reader.names, output.tolist(), strict=True))}
    order = np.argsort(-output, kind="stable")[:top].tolist()
    ranked = {reader.names[i]: float(output[i]) for i in order}
    single = reader.model.activation == "softmax" and top is None and threshold is None
    if threshold is None:
        threshold = 0.0 if top else reader.threshold
    labels = [name for name, probability in ranked.items() if probability >= threshold]
    return {"labels": labels[:1] if single else labels, "probabilities": ranked}


def line_of(answer: dict[str, Any], *, proba: bool) -> str:
    """Return an answer as a line of text."""
    if "values" in answer:
        return "\t".join(f"{value:.6g}" for value in answer["values"].values())
    known = answer["probabilities"]
    return "\t".join(f"{name}\t{known[name]:.4f}" if proba else name for name in answer["labels"])
