"""`rnncli tag`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnncli.cli.options import Encoding, Json, Model, NoColor, Quiet, Runs, Threads
from rnncli.cli.tagged_answers import Answer, unanswered
from rnncli.cli.tagged_files import tag_arrays, tag_file

if TYPE_CHECKING:
    from rnncli.cli.console import Talk

FORMATS = ("text", "conll", "conllu", "csv", "tsv", "jsonl", "npz")


def tag(
    texts: Annotated[
        list[str] | None,
        typer.Argument(metavar="TEXT", help="Sentences, or vectors such as [[1, 2], [3, 4]]; without any, stdin."),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option("--file", "-f", metavar="FILE", help="A sentence a line; or in one of the formats of training."),
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="NAME", help="text, conll, conllu, csv, tsv, jsonl or npz; by the file's name."
        ),
    ] = None,
    tokenized: Annotated[
        bool, typer.Option("--tokenized", help="Texts are cut into tokens already, with spaces between them.")
    ] = False,
    proba: Annotated[bool, typer.Option("--proba", help="The probability behind each label, of texts.")] = False,
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", metavar="P", min=0, max=1, help="Of several labels those at least so probable."),
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend labels that break the scheme of spans, such as I-PER after O.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write a .npz file with its labels here.")
    ] = None,
    encoding: Encoding = None,
    model: Model = None,
    runs: Runs = Path("runs"),
    threads: Threads = None,  # noqa: ARG001 - read before NumPy is imported
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Label each word, character or frame of sequences.

    A line of text is answered by a line, each token with its label behind a slash. CoNLL, CoNLL-U, tables and JSONL
    come back as they are, with the predicted labels: CoNLL in a column behind the others, else in place of the labels.
    stdin is answered sentence by sentence. --json prints an object a sentence.

    Examples: rnncli tag "I like red apples"; rnncli tag --file dev.conllu > tagged.conllu; cat x | rnncli tag --json
    """
    from dataclasses import replace

    from rnncli.cli.console import Talk
    from rnncli.cli.sequences import say_what_is_typed
    from rnncli.errors import DataError, UsageError
    from rnncli.experiments import find
    from rnncli.tasks import TaggingTask

    talk = Talk(quiet=quiet, color=False if no_color else None)
    reader = replace(find(model, runs, TaggingTask).tagger, tokenized=tokenized)
    if texts and (file is not None or format_):
        raise UsageError("TEXT excludes --file and --format")
    if threshold is not None and not reader.task.data.multi_label:
        raise UsageError("--threshold is for several labels a step, and this model gives one")
    if repair and reader.scheme is None:
        raise UsageError("--repair is for labels that mark spans, such as B-PER, which this model does not have")
    name = "text" if texts else format_ or reader.file_format(file)
    if name not in FORMATS:
        raise UsageError(f"--format must be one of {', '.join(FORMATS)}, not {name!r}")
    if proba and name != "text" and not as_json:
        raise UsageError(f"--proba is for texts: {name} has no place for probabilities", hint="--json has them")
    if bool(output) != (name == "npz" and not as_json):
        hint = "--json needs no --output" if as_json else "leave one out, or add the other"
        raise UsageError("--output FILE.npz goes with sequences from .npz files", hint=hint)
    answer = Answer(reader, threshold, repair=repair, proba=proba, as_json=as_json)
    if name == "text":
        if not tag_lines(answer, texts or [], file, encoding, talk):
            raise typer.Exit(DataError.exit_status)
    elif name == "npz":
        tag_arrays(answer, file or "-", output)
    else:
        say_what_is_typed(talk, file, "sentence by sentence")
        tag_file(answer, file or "-", name, encoding)


def tag_lines(answer: Answer, texts: "list[str]", file: str | None, encoding: str | None, talk: "Talk") -> bool:
    """Answer every line of text by a line, and return whether all could be read; blank lines stay blank."""
    import json

    from rnncli.cli.console import write_data
    from rnncli.cli.sequences import given_lines
    from rnncli.tasks.tagging_model import Tagged

    sound, nothing = True, Tagged([], [], [] if answer.reader.scheme else None)
    encoding = encoding or answer.reader.task.data.encoding
    for batch in given_lines(answer.reader.read_line, texts, file, encoding, talk):
        tagged = iter(answer([given.sequence for given in batch if given.sequence is not None and len(given.sequence)]))
        lines = []
        for given in batch:
            found = next(tagged) if given.sequence is not None and len(given.sequence) else nothing
            if error := given.error or unanswered(found, given.where):
                sound = False
                talk.error(str(error))
                lines.append(json.dumps({"error": str(error)}) if answer.as_json else "")
            else:
                write = answer.json if answer.as_json else answer.line
                lines.append(write(given.sequence, found))
        write_data("".join(line + "\n" for line in lines))
    return sound
