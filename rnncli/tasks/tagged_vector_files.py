"""Sequences of vectors with labels for each step, from `.npz` files, and back to the arrays of one.

S sequences, N steps in all, T in the longest, D numbers a step, K labels.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from zipfile import ZipFile

import numpy as np

from rnncli.data import Source
from rnncli.data.examples import Reading, check_labels
from rnncli.data.labelled import step_place
from rnncli.data.tagged import Labels, TaggedExample
from rnncli.errors import DataError
from rnncli.storage import read_given_arrays
from rnncli.tasks.vector_files import (
    NAMES,
    Array,
    described,
    finite,
    label_names,
    labels_of,
    present,
    sequences_of,
)

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")  # as Python spells one of 64 bits


def read_tagged_vectors(
    source: Source, *, labelled: bool = True, multi_label: bool = False, report: Callable[[int], object] = bool
) -> Iterator[TaggedExample]:
    """Yield the sequences of the arrays x, lengths, y and labels; others, of numbers or texts too, are not used.

    x and lengths are as `vector_files.read_vectors` has them. y has a row for each step: (N,), beside x (S, T, D)
    (S, T), of texts, whole numbers or truth values, but numbers of labels, from 0 on, where there are `labels` (K,);
    (N, K) or (S, T, K) of 0 and 1 for any number of the `labels`. What stands in padding is not looked at. Messages
    count sequences, steps and dimensions from 0.

    Raises DataError for what is not so, for a sequence without a step, a number that is not finite in float32, and
    labels as `check_labels` does.
    """
    with source.open() as raw:
        arrays = read_given_arrays(raw, source.name, NAMES)
    report(source.size)
    yield from _examples(arrays, source.name, Reading(multi_label=multi_label), labelled=labelled)


def _examples(arrays: Mapping[str, Array], file: str, reading: Reading, *, labelled: bool) -> Iterator[TaggedExample]:
    sequences = sequences_of(arrays, file)
    rows, known = (_rows(arrays, sequences, file), label_names(arrays, file)) if labelled else (sequences, None)
    for number, (sequence, y) in enumerate(zip(sequences, rows, strict=True)):
        where = f"{file}: sequence {number}"
        labels: tuple[Labels, ...] = ()
        if labelled:
            place = partial(step_place, where, 0)
            found = labels_of(y, known, where, place, "step")
            labels = tuple([check_labels(names, place(step), reading) for step, names in enumerate(found)])
        yield TaggedExample(finite(sequence, where), labels, where, (), None)


def _rows(arrays: Mapping[str, Array], sequences: Sequence[Array], file: str) -> list[Array]:
    """Return views of y, each (T,) or (T, K)."""
    x, y = present(arrays, "x", file), present(arrays, "y", file)
    steps = x.shape[: 2 if x.ndim == 3 else 1]
    if y.shape[: len(steps)] != steps or y.ndim - len(steps) not in (0, 1) or 0 in y.shape:
        message = f"y is {described(y)} for the steps of x, {described(x)}"
        raise DataError(message, hint="give each step a label, or a row of them", where=file)
    lengths = [len(sequence) for sequence in sequences]
    rows = _split(y, lengths, padded=x.ndim == 3)
    if y.dtype.kind == "f" and "labels" not in arrays and (y.ndim > len(steps) or any(map(_is_broken, rows))):
        message, hint = f"y is {described(y)}: real values", "save integers or texts, or 0 and 1 and the labels"
        raise DataError(message, hint=hint, where=file)
    return rows


def _is_broken(values: Array) -> bool:
    return bool((np.floor(values) != values).any())


def _split(y: Array, lengths: Sequence[int], *, padded: bool) -> list[Array]:
    if padded:
        return [row[:length] for row, length in zip(y, lengths, strict=True)]
    return np.split(y, np.cumsum(lengths)[:-1])


def read_every_array(source: Source) -> dict[str, Array]:
    """Return all arrays of a file, in order, also those that are not read; raises DataError as that does."""
    with source.open() as raw:
        read_given_arrays(raw, source.name, ())  # every byte that says what there is was checked, when this returns
        raw.seek(0)
        with ZipFile(raw) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
        raw.seek(0)
        return read_given_arrays(raw, source.name, names)


def arrays_with(
    arrays: Mapping[str, Array],
    predictions: Sequence[Sequence[Labels]],
    names: Sequence[str],
    file: str,
    *,
    multi_label: bool,
) -> dict[str, Array]:
    """Return the arrays with the labels of each sequence's steps as y, in the form that it had, where there was one.

    With several labels a step y is (N, K) or (S, T, K) of 0 and 1, K the `labels` that there were and the other names,
    those of the model. Else it is (N,) or (S, T): numbers of the `labels`, if there were any, and what they lacked
    behind them; integers or truth values, if y had those and they spell all predictions; or texts. Padding is 0 or "".
    """
    before = label_names(arrays, file)
    known = None if before is None else [name.strip() for name in before]
    every = [*chain.from_iterable(predictions)]
    single = [] if multi_label else [name for (name,) in every]
    if known is None and not multi_label:
        return {**arrays, "y": _laid_out(_values(single, arrays.get("y")), arrays, predictions)}
    columns = [*dict.fromkeys([*(known or ()), *(names if multi_label else single)])]
    places = {name: place for place, name in enumerate(columns)}
    if multi_label:
        y: Array = np.zeros((len(every), len(columns)), np.uint8)
        for row, labels in zip(y, every, strict=True):
            row[[places[name] for name in labels]] = 1
    else:
        y = np.array([places[name] for name in single])
    kept = arrays["labels"] if columns == known else np.array(columns)
    return {**arrays, "y": _laid_out(y, arrays, predictions), "labels": kept}


def _values(labels: Sequence[str], before: Array | None) -> Array:
    kind = "" if before is None else before.dtype.kind
    if kind in ("i", "u") and all(map(_INTEGER.fullmatch, labels)):
        return np.array([int(label) for label in labels])
    if kind == "b" and {"true", "false"}.issuperset(labels):
        return np.array([label == "true" for label in labels])
    return np.array(labels)


def _laid_out(y: Array, arrays: Mapping[str, Array], predictions: Sequence[Sequence[Labels]]) -> Array:
    """Return the rows of y, one for each step, as the steps lie in x."""
    x = arrays["x"]
    if x.ndim < 3:
        return y
    padded = np.zeros((*x.shape[:2], *y.shape[1:]), y.dtype)
    lengths = [len(labels) for labels in predictions]
    for row, part in zip(padded, _split(y, lengths, padded=False), strict=True):
        row[: len(part)] = part
    return padded
