"""A single array in a `.npy` file, as `numpy.save` writes it, read without trust in any byte of it."""

import math
import re
import struct
from dataclasses import replace
from io import BufferedReader
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from rnncli.errors import CheckpointError, DataError
from rnncli.storage.npz import GIVEN, MAX_BYTES, size_of
from rnncli.storage.npz_layout import read_head

_NUMBERS = replace(
    GIVEN,
    dtypes=re.compile(r"<f[248]|[<|][iu][1248]|\|b1"),
    if_foreign="save numbers with numpy.save",
    if_pickled="save numbers, all rows of one length, with numpy.save",
)


def read_given_array(file: BinaryIO, name: str, *, limit: int = MAX_BYTES) -> NDArray[Any]:
    """Read a user's array of numbers, fresh and writable; truth values as the numbers 0 and 1.

    The file was opened without a buffer; `name` is what messages call it. Raises DataError for a file of more than
    `limit` bytes, and for anything but a whole, regular file as `numpy.save` writes it.
    """
    buffered: BufferedReader = BufferedReader(file)  # type: ignore[arg-type]
    try:
        return _array(buffered, size_of(buffered, limit))
    except CheckpointError as error:
        raise DataError(error.message, hint=error.hint, where=name) from None
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=name) from None
    except MemoryError:
        raise DataError("does not fit in memory", hint="save it in several files", where=name) from None
    except (ValueError, struct.error):
        raise DataError("is damaged", hint=_NUMBERS.if_damaged, where=name) from None
    finally:
        buffered.detach()  # the file is the caller's to close


def _array(file: BufferedReader, size: int) -> NDArray[Any]:
    if not file.peek(6).startswith(b"\x93NUMPY"):
        raise CheckpointError("is not an .npy file", hint="give the path of an .npy file")
    dtype, fortran, shape, head = read_head(file, "an array", _NUMBERS)
    if len(head) + math.prod(shape) * dtype.itemsize != size:  # of Python's integers, which cannot overflow
        raise CheckpointError("has another size than its shape says", hint=_NUMBERS.if_damaged)
    array = np.empty(shape[::-1] if fortran else shape, np.uint8 if dtype.kind == "b" else dtype)
    if file.readinto(array.reshape(-1).view(np.uint8).data) != size - len(head):
        raise CheckpointError("is cut short", hint=_NUMBERS.if_damaged)
    if dtype.kind == "b":
        array = (array != 0).astype(np.uint8)
    return array.T if fortran else array
