"""Arrays in a `.npz` file, as `numpy.savez` lays it out, and a reader that trusts no byte of it.

`numpy.load` inflates bombs, lets the last of two equal names win, and returned wrong arrays for damaged files. This
reader takes only what the writer writes: members stored one after the other without a gap, a plain header, a known
dtype. `zipfile` is not used to read, because it can be led to another directory than the one that was checked.
"""

import math
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from rnncli.errors import CheckpointError, RnncliError
from rnncli.storage.messages import printable, refusal

MAX_BYTES = 2 * 2**30
MAX_MEMBERS = 4096

_DTYPES = ("<f4", "<f8", "<i4", "<i8", "<u8", "|u1", "|b1")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
_HEADER = re.compile(
    rb"\{'descr': '([<|]\w\d)', 'fortran_order': False, 'shape': \((|\d{1,18},|\d{1,18}(?:, \d{1,18})+)\), \} *\n"
)

# The records of a zip file (PKWARE APPNOTE 6.3, 4.3.7, 4.3.12, 4.3.16).
_LOCAL = struct.Struct("<4s5H3L2H")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")

_DAMAGED = "use another copy of it, or train again"
_RESAVE = "save it again with numpy.savez, in C order"


class _Member(NamedTuple):
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    data_at: int  # offset of the array's bytes in the file
    head_crc: int  # CRC-32 of the member up to there
    crc: int  # and of the whole member, as the directory has it


def check_storable(arrays: Mapping[str, NDArray[Any]]) -> None:
    """Raise RnncliError unless these are 1 to 4096 arrays that `read_arrays` would read back.

    They are float32, float64, int32, int64, uint64, uint8 or bool, little-endian, of any shape and memory order; a name
    is made of ASCII letters, digits and `_ . -`, for example "recurrent.0.weight_ih".
    """
    if not 1 <= len(arrays) <= MAX_MEMBERS:
        raise RnncliError(f"cannot store {len(arrays)} arrays in one file", hint=f"store 1 to {MAX_MEMBERS}")
    for name, array in arrays.items():
        if not _NAME.fullmatch(name):
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
            members = _check_layout(file, _size(file, limit))
            return {name: _read_array(file, name, member) for name, member in members.items()}
    except CheckpointError as error:
        raise refusal(path, error.message, error.hint) from None
    except OSError as error:
        raise refusal(path, f"cannot be read: {error.strerror}", "check the path and its permissions") from None
    except MemoryError:
        raise refusal(path, "does not fit in memory", "free some memory") from None
    except (ValueError, struct.error):  # a NUL in the path, a shape beyond NumPy, a record cut short
        raise refusal(path, "is damaged", _DAMAGED) from None


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a FIFO without a writer would wait for ever


def _size(file: BufferedReader, limit: int) -> int:
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise CheckpointError("is not a regular file", hint="give the path of an .npz file")
    if status.st_size > limit:
        raise CheckpointError(f"has {status.st_size:,} bytes, more than {limit:,}", hint="raise the limit to read it")
    return status.st_size


def _check_layout(file: BufferedReader, size: int) -> dict[str, _Member]:
    """Check every byte that is not array data; members lie end to end from 0 to the directory, which ends the file."""
    if size < _END.size or file.read(4) != b"PK\3\4":
        raise CheckpointError("is not an .npz file", hint="give the path of an .npz file")
    file.seek(size - _END.size)
    signature, disk, start_disk, count, total, length, directory_at, comment = _END.unpack(file.read(_END.size))
    ends_file = directory_at + length + _END.size == size
    if signature != b"PK\5\6" or disk or start_disk or comment or count != total or not ends_file:
        raise CheckpointError("is cut short or damaged at its end", hint=_DAMAGED)
    if count > MAX_MEMBERS or length > 2**20:
        raise CheckpointError(f"holds more than {MAX_MEMBERS} arrays", hint="give the path of a checkpoint")
    file.seek(directory_at)
    directory = BytesIO(file.read(length))
    members: dict[str, _Member] = {}
    position = 0
    for _ in range(count):
        name, member, position = _check_member(file, directory, position)
        if name in members:
            raise CheckpointError(f"holds two arrays called {printable(name, 40)}", hint=_RESAVE)
        members[name] = member
    if position != directory_at or directory.read(1):
        raise CheckpointError("holds bytes that belong to no array", hint=_DAMAGED)
    return members


def _check_member(file: BufferedReader, directory: BytesIO, position: int) -> tuple[str, _Member, int]:
    """Check the next entry of the directory against the member at `position`; also return where that ends."""
    # Left out: versions and times, which say nothing of the content, and (_) attributes.
    signature, _, _, flags, method, _, _, crc, stored, length, name_length, extra, comment, disk, _, _, offset = (
        _ENTRY.unpack(directory.read(_ENTRY.size))
    )
    file_name = directory.read(name_length)
    name = file_name.decode("latin-1").removesuffix(".npy")
    if not _NAME.fullmatch(name) or file_name != f"{name}.npy".encode():
        raise CheckpointError("holds a member that is not a named array", hint=_RESAVE)
    if method != zipfile.ZIP_STORED or stored != length or flags:
        raise CheckpointError(f"holds {printable(name, 40)} compressed or encrypted", hint=_RESAVE)
    if signature != b"PK\1\2" or extra or comment or disk or offset != position:
        raise CheckpointError(f"has a damaged entry for {printable(name, 40)}", hint=_DAMAGED)

    file.seek(position)
    signature, _, flags, method, _, _, local_crc, _, _, name_length, extra = _LOCAL.unpack(file.read(_LOCAL.size))
    if (signature, flags, method, local_crc, file.read(name_length)) != (b"PK\3\4", 0, 0, crc, file_name):
        raise CheckpointError(f"has a damaged entry for {printable(name, 40)}", hint=_DAMAGED)
    if extra not in (0, 20):  # nothing, or the 64-bit sizes that NumPy always writes
        raise CheckpointError(f"has a damaged entry for {printable(name, 40)}", hint=_DAMAGED)
    start = position + _LOCAL.size + name_length + extra
    file.seek(start)
    dtype, shape, head = _read_head(file, name)
    if math.prod(shape) * dtype.itemsize != length - len(head):  # Python's integers: cannot overflow
        raise CheckpointError(f"holds {printable(name, 40)} with a size unlike its shape", hint=_DAMAGED)
    return name, _Member(dtype, shape, start + len(head), zlib.crc32(head), crc), start + length


def _read_head(file: BufferedReader, name: str) -> tuple[np.dtype[Any], tuple[int, ...], bytes]:
    """Read dtype and shape by pattern: a header is a Python literal, but nothing of a file is evaluated here."""
    magic = file.read(10)
    length = int.from_bytes(magic[8:], "little")
    header = file.read(length)
    match = _HEADER.fullmatch(header)
    if magic[:8] != b"\x93NUMPY\1\0" or not match or match[1].decode() not in _DTYPES:
        raise CheckpointError(f"holds {printable(name, 40)} in a form that is not supported", hint=_RESAVE)
    shape = tuple(int(size) for size in re.findall(rb"\d+", match[2]))
    return np.dtype(match[1].decode()), shape, magic + header


def _read_array(file: BufferedReader, name: str, member: _Member) -> NDArray[Any]:
    array = np.empty(member.shape, member.dtype)
    data = array.reshape(-1).view(np.uint8)
    file.seek(member.data_at)
    file.readinto(data.data)  # what a file that was cut meanwhile does not fill fails the checksum
    if zlib.crc32(data.data, member.head_crc) != member.crc:
        raise CheckpointError(f"is damaged in {printable(name, 40)} (wrong checksum)", hint=_DAMAGED)
    if member.dtype.kind == "b" and data.max(initial=0) > 1:
        raise CheckpointError(f"holds a value that is not 0 or 1 in {printable(name, 40)}", hint=_DAMAGED)
    return array
