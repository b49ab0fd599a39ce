"""Files and pipes of sequences that are tagged: they come back in their own format."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rnncli.cli.tagged_answers import Answer, unanswered

TOGETHER = 64
"""Sequences of a file that are answered together at most; those of a pipe do not wait for so many."""


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
        found = tagged_lines(lines, shown, name, columns_of(spec, reader.format, name), multi_label=spec.multi_label)
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
    arrays = arrays_with(read_every_array(source), labels, answer.reader.names, source.name, multi_label=several)
    save: Any = np.savez_compressed
    atomic_write(output, lambda to: save(to, **arrays))
