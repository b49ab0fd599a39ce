"""Labelled sequences of vectors from `.npz` files.

S sequences, N steps in all, T in the longest, D numbers a step, K labels.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.data import Source
from rnncli.data.examples import Example, Reading, Vectors, check_labels, shown, spelled
from rnncli.errors import DataError
from rnncli.storage import read_given_arrays

Array = NDArray[Any]
Labels = list[str]

NAMES = ("x", "lengths", "y", "labels")
"""The arrays that are read."""


def read_vectors(
    source: Source,
    *,
    labelled: bool = True,
    multi_label: bool = False,
    values: bool = False,
    report: Callable[[int], object] = bool,
) -> Iterator[Example]:
    """Yield the sequences of the arrays x, lengths, y and labels; others, of numbers or texts too, are not used.

    x: (N, D), or (N,) for D = 1, the sequences one after the other, their `lengths` (S,) beside it; or (S, T, D), all
    of length T unless `lengths` says how much of each is no padding. y: (S,) texts, whole numbers or truth values, but
    numbers of labels, from 0 on, where there are `labels` (K,); (S, K) of 0 and 1 for any number of the `labels`; (S,)
    or (S, K) real values. Unless `values` are wanted, floats are labels only where they are
    whole, (S,), such as "1.0". Messages count sequences, steps and dimensions from 0.

    Raises DataError for what is not so, for a sequence without a step, a number that is not finite in float32, and
    labels as `check_labels` does.
    """
    with source.open() as raw:
        arrays = read_given_arrays(raw, source.name, NAMES)
    report(source.size)
    sequences = sequences_of(arrays, source.name)
    reading, labels = Reading(multi_label=multi_label), list[Labels]()

    def place(number: int) -> str:
        return f"{source.name}: sequence {number}"

    if labelled:
        y = present(arrays, "y", source.name)
        if len(y.shape) not in (1, 2) or len(y) != len(sequences) or 0 in y.shape:
            message = f"y is {described(y)} for {len(sequences)} sequences"
            raise DataError(message, hint="give each of them a label, or a row of them", where=source.name)
        real = y.dtype.kind == "f" and values
        reading = Reading(multi_label=multi_label or real, values=values)
        names = None if values else label_names(arrays, source.name)
        if not values and names is None and y.dtype.kind == "f" and (y.ndim == 2 or (np.floor(y) != y).any()):
            message = f"y is {described(y)}: real values"
            raise DataError(message, hint="set task: regression, or save integers or texts", where=source.name)
        labels = labels_of(y, names, source.name, place)
    for number, sequence in enumerate(sequences):
        where = place(number)
        checked = check_labels(labels[number], where, reading) if labelled else ()
        yield Example(finite(sequence, where), checked, where)


def present(arrays: Mapping[str, Array], name: str, file: str) -> Array:
    """Return an array; raises DataError where there is none."""
    if name not in arrays:
        hint = "save it with numpy.savez(file, x=vectors, lengths=lengths, y=labels)"
        raise DataError(f"it holds no array {name}", hint=hint, where=file)
    return arrays[name]


def sequences_of(arrays: Mapping[str, Array], file: str) -> list[Array]:
    """Return views of x, each (T, D); raises DataError for another shape, and lengths that are none of it."""
    sequences = _views(present(arrays, "x", file), arrays.get("lengths"), file)
    if not sequences:
        raise DataError("it holds no examples", hint="give a file that does", where=file)
    return sequences


def _views(x: Array, lengths: Array | None, file: str) -> list[Array]:
    if x.dtype.kind == "U" or x.ndim not in (1, 2, 3) or 0 in x.shape[1:]:
        raise DataError(f"x is {described(x)}", hint="save numbers as (N, D) or (S, T, D)", where=file)
    if lengths is None:
        if x.ndim < 3:
            message = f"x is {described(x)}, and no lengths say which steps make up a sequence"
            raise DataError(message, hint="save lengths too, or x as (S, T, D)", where=file)
        return list(x)
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu":
        message = f"lengths is {described(lengths)}"
        raise DataError(message, hint="save the number of steps of each sequence as integers (S,)", where=file)
    steps = lengths.tolist()
    longest = x.shape[1] if x.ndim == 3 else len(x)
    for number, length in enumerate(steps):
        if not 1 <= length <= longest:
            message = f"its length is {length}, not from 1 to {longest}"
            raise DataError(message, hint="leave an empty one out", where=f"{file}: sequence {number}")
    if x.ndim == 3:
        if len(steps) != len(x):
            raise DataError(f"{len(steps)} lengths for {len(x)} sequences in x", hint="save one each", where=file)
        return [sequence[:length] for sequence, length in zip(x, steps, strict=True)]
    if sum(steps) != len(x):
        message = f"the lengths add up to {sum(steps)} steps, but x has {len(x)}"
        raise DataError(message, hint="save the number of steps of each sequence", where=file)
    return np.split(x.reshape(len(x), -1), np.cumsum(steps)[:-1]) if steps else []


def label_names(arrays: Mapping[str, Array], file: str) -> Labels | None:
    """Return the K names in labels, None where there are none; raises DataError for other shapes and equal names."""
    if "labels" not in arrays:
        return None
    names = arrays["labels"]
    if names.ndim != 1:
        raise DataError(f"labels is {described(names)}", hint="save K names as (K,)", where=file)
    known = [spelled(name, "a name in labels", file) for name in names.tolist()]
    if len(set(known)) < len(known):
        twice = next(name for name, count in Counter(known).items() if count > 1)
        raise DataError(f"labels holds {shown(twice)} twice", hint="give each column its own name", where=file)
    return known


def labels_of(
    y: Array, known: Labels | None, file: str, place: Callable[[int], str], what: str = "sequence"
) -> list[Labels]:
    """Return the labels in each row of y, real values among them: names by number or column where they are `known`.

    Raises DataError for what is none; messages call rows `what`, and `place` returns where one stands.
    """
    values = y.tolist()
    if known is None:
        if y.ndim == 2 and y.dtype.kind != "f":
            hint = "save their names as labels (K,); real values are floats"
            raise DataError(f"y is {described(y)}, and no labels name its columns", hint=hint, where=file)
        rows = values if y.ndim == 2 else [[value] for value in values]
        return [[spelled(v, "y", place(i)) for v in row] for i, row in enumerate(rows)]
    if y.ndim == 2:
        if len(known) != y.shape[1] or y.dtype.kind == "U" or not np.isin(y, (0, 1)).all():
            message = f"y is {described(y)} for {len(known)} labels, or holds more than 0 and 1"
            raise DataError(message, hint="save a column of 0 and 1 for each label", where=file)
        return [[name for name, on in zip(known, row, strict=True) if on] for row in values]
    if y.dtype.kind not in "iu" or not ((y >= 0) & (y < len(known))).all():
        message = f"y is {described(y)}, or holds more than the numbers from 0 to {len(known) - 1}"
        raise DataError(message, hint=f"save the number of a label for each {what}, or no labels", where=file)
    return [[known[value]] for value in values]


def finite(sequence: Array, where: str) -> Vectors:
    """Return a sequence (T, D) in float32; raises DataError for what is not finite there."""
    with np.errstate(over="ignore"):
        vectors = np.ascontiguousarray(sequence, np.float32)
    if not np.isfinite(vectors).all():
        step, dimension = np.argwhere(~np.isfinite(vectors))[0].tolist()
        message = f"step {step}, dimension {dimension} is {sequence[step, dimension]}, not finite as float32"
        raise DataError(message, hint="mend it, or leave the sequence out", where=where)
    return vectors


def described(array: Array) -> str:
    """Return the type and the shape of an array, as messages show them."""
    kind = "texts" if array.dtype.kind == "U" else str(array.dtype)
    return f"{kind} {array.shape}"
