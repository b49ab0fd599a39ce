"""Arrays in a `.npz` file, as `numpy.savez` lays it out, and a reader that trusts no byte of it.

`numpy.load` inflates bombs, lets the last of two equal names win, and returned wrong arrays for damaged files. This
reader takes only what the writer writes: members stored one after the other without a gap, a plain header, a known
dtype. From users it takes a little more: what `numpy.savez_compressed` writes, other dtypes, either order.
"""

import os
import re
import stat
import struct
import zipfile
from collections.abc import Collection, Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from rnncli.errors import CheckpointError, DataError, RnncliError
from rnncli.storage.messages import printable, refusal
from rnncli.storage.npz_layout import MAX_MEMBERS, NAME, Rules, check_layout, read_member

MAX_BYTES = 2 * 2**30

_DTYPES = ("<f4", "<f8", "<i4", "<i8", "<u8", "|u1", "|b1")
_OWN = Rules(
    dtypes=re.compile("|".join(map(re.escape, _DTYPES))),
    any_order=False,
    deflated=False,
    if_damaged="use another copy of it, or train again",
    if_foreign="save it again with numpy.savez, in C order",
    if_pickled="",
)
GIVEN = Rules(
    dtypes=re.compile(r"<f[248]|[<|][iu][1248]|\|b1|<U[1-9]\d{0,5}"),
    any_order=True,
    deflated=True,
    if_damaged="use another copy of it",
    if_foreign="save numbers or texts with numpy.savez",
    if_pickled="save texts with astype(str), ragged sequences joined and with their lengths",
)
_FREE = 2**28  # bytes that any file may inflate to; a larger one to that many times its size:
_EXPANSION = 100


def check_storable(arrays: Mapping[str, NDArray[Any]]) -> None:
    """Raise RnncliError unless these are 1 to 4096 arrays that `read_arrays` would read back.

    They are float32, float64, int32, int64, uint64, uint8 or bool, little-endian, of any shape and memory order; a name
    is made of ASCII letters, digits and `_ . -`, for example "recurrent.0.weight_ih".
    """
    if not 1 <= len(arrays) <= MAX_MEMBERS:
        raise RnncliError(f"cannot store {len(arrays)} arrays in one file", hint=f"store 1 to {MAX_MEMBERS}")
    for name, array in arrays.items():
        if not NAME.fullmatch(name):
            raise RnncliError(f"cannot store an array under the name {printable(repr(name), 80)}", hint="rename it")
        if array.dtype.str not in _DTYPES:
            raise RnncliError(f"cannot store {printable(name, 80)} as {array.dtype}", hint="convert it to float32")


def write_arrays(file: BinaryIO, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays by name, as `numpy.savez` does; equal arrays in equal order give equal bytes.

    Raises RnncliError for what `read_arrays` would refuse: see `check_storable`, and files above 2 GiB.
    """
    check_storable(arrays)
    with zipfile.ZipFile(file, "w") as archive:  # numpy.savez itself cannot store an array called "file"
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                npy_format.write_array(member, np.asarray(array, order="C"), allow_pickle=False)
    if file.tell() > MAX_BYTES:
        raise RnncliError(f"cannot store more than {MAX_BYTES:,} bytes in one file", hint="use a smaller model")


def read_arrays(path: Path, *, limit: int = MAX_BYTES) -> dict[str, NDArray[Any]]:
    """Read all arrays of a file of at most `limit` bytes: fresh, writable, in C order, in the order of the file.

    Everything is checked before the first array is allocated, and each array's CRC-32 when it is read. Raises
    CheckpointError for anything but a whole, regular file as `write_arrays` leaves it.
    """
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            members = check_layout(file, size_of(file, limit), _OWN)
            return {name: read_member(file, name, member, _OWN) for name, member in members.items()}
    except CheckpointError as error:
        raise refusal(path, error.message, error.hint) from None
    except OSError as error:
        raise refusal(path, f"cannot be read: {error.strerror}", "check the path and its permissions") from None
    except MemoryError:
        raise refusal(path, "does not fit in memory", "free some memory") from None
    except (ValueError, struct.error):  # a NUL in the path, a shape beyond NumPy, a record cut short
        raise refusal(path, "is damaged", _OWN.if_damaged) from None


def read_given_arrays(
    file: BinaryIO, name: str, wanted: Collection[str], *, limit: int = MAX_BYTES
) -> dict[str, NDArray[Any]]:
    """Read those of the wanted arrays that a user's file holds, of numbers, truth values or texts.

    The file was opened without a buffer; `name` is what messages call it. Each array is fresh and writable, in the
    order in which it was stored. Everything is checked before the first is allocated. Raises DataError for a file of
    more than `limit` bytes, or that inflates to more, or to more than 256 MiB and 100 times its size; and for anything
    but a whole, regular file as `numpy.savez` and `numpy.savez_compressed` write it.
    """
    buffered: BufferedReader = BufferedReader(file)  # type: ignore[arg-type]
    try:
        size = size_of(buffered, limit)
        members = check_layout(buffered, size, GIVEN)
        _check_expansion(sum(member.size for member in members.values()), min(limit, max(_FREE, _EXPANSION * size)))
        return {key: read_member(buffered, key, members[key], GIVEN) for key in wanted if key in members}
    except CheckpointError as error:
        raise DataError(error.message, hint=error.hint, where=name) from None
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=name) from None
    except MemoryError:
        raise DataError("does not fit in memory", hint="save it in several files", where=name) from None
    except (ValueError, struct.error):
        raise DataError("is damaged", hint=GIVEN.if_damaged, where=name) from None
    finally:
        buffered.detach()  # the file is the caller's to close


def _check_expansion(size: int, limit: int) -> None:
    if size > limit:
        message = f"inflates to {size:,} bytes, more than {limit:,}"
        raise CheckpointError(message, hint="save it with numpy.savez, or in several files")


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a FIFO without a writer would wait for ever


def size_of(file: BufferedReader, limit: int) -> int:
    """Return the bytes of an open file; raises CheckpointError for more than `limit`, and for what is no file."""
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise CheckpointError("is not a regular file", hint="give the path of an .npz file")
    if status.st_size > limit:
        raise CheckpointError(f"has {status.st_size:,} bytes, more than {limit:,}", hint="use a smaller file")
    return status.st_size
