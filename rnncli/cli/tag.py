"""`rnncli tag`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnncli.cli.options import Encoding, Json, Model, NoColor, Quiet, Runs, Threads

if TYPE_CHECKING:
    from rnncli.cli.console import Talk
    from rnncli.errors import DataError
    from rnncli.tasks.tagging_model import Steps, Tagged, TaggingModel

FORMATS = ("text", "conll", "conllu", "csv", "tsv", "jsonl", "npz")
NONE = "-"
"""Stands for no label."""
TOGETHER = 64
"""Sequences of a file that are answered together at most; those of a pipe do not wait for so many."""


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
    from rnncli.errors import DataError, UsageError
    from rnncli.experiments import find
    from rnncli.tasks import TaggingTask

    talk = Talk(quiet=quiet, color=False if no_color else None)
    reader = replace(find(model, runs, TaggingTask).tagger, tokenized=tokenized)
    if texts and (file is not None or format_):
        raise UsageError("TEXT excludes --file and --format")
    if threshold is not None and not reader.task.data.multi_label:
        raise UsageError("--threshold is for several labels a step, and this model gives one")
    name = "text" if texts else format_ or reader.file_format(file)
    if name not in FORMATS:
        raise UsageError(f"--format must be one of {', '.join(FORMATS)}, not {name!r}")
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
        tag_file(answer, file or "-", name, encoding)


def unanswered(tagged: "Tagged", where: str) -> "DataError | None":
    """Return what is wrong with an answer."""
    from rnncli.errors import DataError

    if tagged.finite:
        return None
    return DataError("the model's answer is not finite", hint="give a shorter sequence", where=where)


@dataclass(frozen=True)
class Answer:
    """How sequences are answered, and the answers written."""

    reader: "TaggingModel"
    threshold: float | None
    repair: bool
    proba: bool
    as_json: bool

    def __call__(self, sequences: "Sequence[Steps]") -> "list[Tagged]":
        """Return the labels of sequences."""
        from rnncli.tasks.labelled_scores import THRESHOLD

        threshold = THRESHOLD if self.threshold is None else self.threshold
        sure = self.proba or self.as_json
        return self.reader.tag(sequences, threshold=threshold, repair=self.repair, sure=sure)

    def line(self, steps: "Steps", tagged: "Tagged") -> str:
        """Return the tokens with their labels behind slashes; of frames the labels, with tabs between them."""
        labels = ["|".join(names) or NONE for names in tagged.labels]
        if self.proba and tagged.probabilities:
            chances = ["|".join(f"{p:.4f}" for p in each.values()) or NONE for each in tagged.probabilities]
            labels = [f"{label}/{chance}" for label, chance in zip(labels, chances, strict=True)]
        if isinstance(steps, tuple):
            return " ".join(f"{token}/{label}" for token, label in zip(steps, labels, strict=True))
        return "\t".join(labels)

    def json(self, steps: "Steps", tagged: "Tagged") -> str:
        """Return an answer as a line of JSON."""
        import json

        one = not self.reader.task.data.multi_label
        plain: dict[str, Any] = {"tokens": list(steps)} if isinstance(steps, tuple) else {}
        plain["labels"] = [names[0] if one else list(names) for names in tagged.labels]
        if tagged.probabilities is not None:
            plain["probabilities"] = [next(iter(p.values())) if one else p for p in tagged.probabilities]
        if tagged.spans is not None and isinstance(steps, tuple):
            plain["spans"] = [
                span._asdict() | {"text": " ".join(steps[span.start : span.end])} for span in tagged.spans
            ]
        return json.dumps(plain, ensure_ascii=False)


def tag_lines(answer: Answer, texts: "list[str]", file: str | None, encoding: str | None, talk: "Talk") -> bool:
    """Answer every line of text by a line, and return whether all could be read; blank lines stay blank."""
    import json

    from rnncli.cli.console import write_data
    from rnncli.cli.sequences import given_lines
    from rnncli.tasks.tagging_model import Tagged

    sound, nothing = True, Tagged([], [], [] if answer.reader.scheme else None)
    encoding = encoding or answer.reader.task.data.encoding
    for batch in given_lines(answer.reader.read_line, texts, file, encoding):
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


def tag_file(answer: Answer, file: str, name: str, encoding: str | None) -> None:
    """Write a file, or stdin, in its own format with the labels in it; what has come is answered before more is read.

    DataError for what is not as its format asks; what stands before is answered first.
    """
    from rnncli.cli.console import write_data
    from rnncli.data.tagged import kept_lines, tagged_lines, written
    from rnncli.tasks.tagged_data import columns_of

    reader, waiting, ending = answer.reader, list[Any](), ""

    def write(text: str) -> None:
        nonlocal ending
        ending = text or ending
        write_data(text)

    def flush() -> None:
        examples, texts = [*waiting], list[str]()
        waiting.clear()
        tagged = answer([example.steps for example in examples])
        try:
            for example, found in zip(examples, tagged, strict=True):
                if error := unanswered(found, example.where):
                    raise error
                texts.append(
                    answer.json(example.steps, found) + "\n" if answer.as_json else written(example, found.labels)
                )
        finally:
            write("".join(texts))

    spec = reader.task.data
    for pieces, shown in opened(file):
        lines = kept_lines(before_each(pieces, flush), shown, encoding or spec.encoding)
        if ending and not answer.as_json:
            write(gap(ending, name))
            lines = without_mark(lines)
        found = tagged_lines(lines, shown, name, columns_of(spec, name), multi_label=spec.multi_label)
        try:
            for example in found:
                reader.checked(example.steps, example.where)
                waiting.append(example)
                if len(waiting) == TOGETHER:
                    flush()
        finally:
            flush()
        if not answer.as_json:
            write(found.rest)


def gap(ending: str, name: str) -> str:
    """Return what a text that ends so lacks for another file's to follow it: a newline, in columns a blank line."""
    newline = "" if ending.endswith("\n") else "\n"
    last = (ending + newline)[:-1].rpartition("\n")[2]
    return newline + ("\n" if name in ("conll", "conllu") and last.strip(" \t\r") else "")


def without_mark(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield the lines, the first without its byte-order mark: behind other text it is none."""
    return ((number, line.removeprefix("\ufeff") if number == 1 else line) for number, line in lines)


def opened(file: str) -> Iterator[tuple[Iterator[bytes], str]]:
    """Yield what comes of a file, of stdin, or of each file of a pattern, and its name as messages show it."""
    import sys

    from rnncli.data import find_sources
    from rnncli.data.tagged import stream_pieces
    from rnncli.errors import DataError

    if file != "-":
        for source in find_sources([file]):
            yield source.pieces(), source.name
    elif sys.stdin is None:
        raise DataError("it is closed", hint="give --file FILE", where="standard input")
    else:
        yield stream_pieces(sys.stdin.buffer, "standard input"), "standard input"


def before_each(pieces: Iterator[bytes], act: Callable[[], None]) -> Iterator[bytes]:
    """Yield the pieces, and act before each is waited for."""
    while True:
        act()
        piece = next(pieces, None)
        if piece is None:
            return
        yield piece


def tag_arrays(answer: Answer, file: str, output: Path | None) -> None:
    """Write the arrays of a .npz file, with the labels of its steps among them, to another; without one, as JSON."""
    import numpy as np

    from rnncli.cli.console import write_data
    from rnncli.data import find_sources
    from rnncli.errors import UsageError
    from rnncli.storage import atomic_write, check_writable
    from rnncli.tasks.tagged_vector_files import arrays_with, read_every_array, read_tagged_vectors

    if output and output.exists():
        raise UsageError(f"{output} exists", hint="name another file")
    if output:
        check_writable(output.parent)
    source, *others = find_sources([file])
    if others:
        raise UsageError("--output is for one file", hint="name one .npz file")
    examples = list(read_tagged_vectors(source, labelled=False))
    for example in examples:
        answer.reader.checked(example.steps, example.where)
    every = answer([example.steps for example in examples])
    for example, tagged in zip(examples, every, strict=True):
        if error := unanswered(tagged, example.where):
            raise error
    if output is None:
        rows = zip(examples, every, strict=True)
        write_data("".join(answer.json(example.steps, tagged) + "\n" for example, tagged in rows))
        return
    labels = [tagged.labels for tagged in every]
    several = answer.reader.task.data.multi_label
    arrays = arrays_with(read_every_array(source), labels, answer.reader.names, multi_label=several)
    save: Any = np.savez_compressed
    atomic_write(output, lambda to: save(to, **arrays))
