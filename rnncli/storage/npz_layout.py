"""The layout of `.npz` files: a zip file of arrays, each as `numpy.save` writes it, of which every byte is checked.

`zipfile` is not used to read, because it can be led to another directory than the one that was checked.
"""

import math
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnncli.errors import CheckpointError
from rnncli.storage.inflated import Inflated
from rnncli.storage.messages import printable

MAX_MEMBERS = 4096
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
"""Of an array: ASCII letters, digits and `_ . -`."""

_HEADER = re.compile(
    rb"\{'descr': '([<>|=]\w\d*)', 'fortran_order': (True|False), "
    rb"'shape': \((|\d{1,18},|\d{1,18}(?:, \d{1,18})+)\), \} *\n"
)
_LARGEST_CODE_POINT = 0x10FFFF

# The records of a zip file (PKWARE APPNOTE 6.3, 4.3.7, 4.3.12, 4.3.16).
_LOCAL = struct.Struct("<4s5H3L2H")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")


@dataclass(frozen=True)
class Rules:
    """What a reader takes, and what it says to those whose file it does not."""

    dtypes: re.Pattern[str]
    """Of fixed size and without objects, as `numpy.dtype.str` writes them."""
    any_order: bool
    """Whether arrays may lie in Fortran order, too."""
    deflated: bool
    """Whether they may be compressed, as `numpy.savez_compressed` does."""
    if_damaged: str
    if_foreign: str
    if_pickled: str
    """For arrays of Python objects, which are never read."""


class Member(NamedTuple):
    """An array in the file."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool
    start: int
    """Where its bytes begin in the file, header and all."""
    stored: int
    """How many they are there."""
    deflated: bool
    head: bytes
    """Its header, not compressed."""
    crc: int
    """CRC-32 of header and array, as the directory has it."""

    @property
    def size(self) -> int:
        """The bytes of the array: of Python's integers, which cannot overflow."""
        return math.prod(self.shape) * self.dtype.itemsize


def check_layout(file: BufferedReader, size: int, rules: Rules) -> dict[str, Member]:
    """Check every byte that is not array data; members lie end to end from 0 to the directory, which ends the file.

    Raises CheckpointError, ValueError or struct.error for anything else.
    """
    if size < _END.size or file.read(4) != b"PK\3\4":
        raise CheckpointError("is not an .npz file", hint="give the path of an .npz file")
    file.seek(size - _END.size)
    signature, disk, start_disk, count, total, length, directory_at, comment = _END.unpack(file.read(_END.size))
    ends_file = directory_at + length + _END.size == size
    if signature != b"PK\5\6" or disk or start_disk or comment or count != total or not ends_file:
        raise CheckpointError("is cut short or damaged at its end", hint=rules.if_damaged)
    if count > MAX_MEMBERS or length > 2**20:
        raise CheckpointError(f"holds more than {MAX_MEMBERS} arrays", hint="give a file with fewer")
    file.seek(directory_at)
    directory = BytesIO(file.read(length))
    members: dict[str, Member] = {}
    position = 0
    for _ in range(count):
        name, member = _check_member(file, directory, position, rules)
        if name in members:
            raise CheckpointError(f"holds two arrays called {printable(name, 40)}", hint=rules.if_foreign)
        members[name] = member
        position = member.start + member.stored
    if position != directory_at or directory.read(1):
        raise CheckpointError("holds bytes that belong to no array", hint=rules.if_damaged)
    return members


def _check_member(file: BufferedReader, directory: BytesIO, position: int, rules: Rules) -> tuple[str, Member]:
    """Check the next entry of the directory against the member at `position`."""
    # Left out: versions and times, which say nothing of the content, and (_) attributes.
    signature, _, _, flags, method, _, _, crc, stored, length, name_length, extra, comment, disk, _, _, offset = (
        _ENTRY.unpack(directory.read(_ENTRY.size))
    )
    file_name = directory.read(name_length)
    name = file_name.decode("latin-1").removesuffix(".npy")
    if not NAME.fullmatch(name) or file_name != f"{name}.npy".encode():
        raise CheckpointError("holds a member that is not a named array", hint=rules.if_foreign)
    deflated = rules.deflated and method == zipfile.ZIP_DEFLATED
    if flags or not (deflated or (method == zipfile.ZIP_STORED and stored == length)):
        raise CheckpointError(f"holds {printable(name, 40)} compressed or encrypted", hint=rules.if_foreign)
    damaged = CheckpointError(f"has a damaged entry for {printable(name, 40)}", hint=rules.if_damaged)
    if signature != b"PK\1\2" or extra or comment or disk or offset != position:
        raise damaged

    file.seek(position)
    found = _LOCAL.unpack(file.read(_LOCAL.size))
    signature, _, local_flags, local_method, _, _, local_crc, _, _, name_length, extra = found
    if (signature, local_flags, local_method, local_crc) != (b"PK\3\4", 0, method, crc):
        raise damaged
    if file.read(name_length) != file_name or extra not in (0, 20):  # nothing, or the 64-bit sizes that NumPy writes
        raise damaged
    start = position + _LOCAL.size + name_length + extra
    file.seek(start)
    dtype, fortran, shape, head = read_head(Inflated(file, stored) if deflated else file, name, rules)
    member = Member(dtype, shape, fortran, start, stored, deflated, head, crc)
    if member.size != length - len(head):
        raise CheckpointError(f"holds {printable(name, 40)} with a size unlike its shape", hint=rules.if_damaged)
    return name, member


def read_head(
    file: BufferedReader | Inflated, name: str, rules: Rules
) -> tuple[np.dtype[Any], bool, tuple[int, ...], bytes]:
    """Read dtype, Fortran order, shape and the bytes of the header, all of it by pattern.

    A header is a Python literal, but nothing of a file is evaluated here. Raises CheckpointError for another.
    """
    magic = file.read(10)
    header = file.read(int.from_bytes(magic[8:], "little"))
    match = _HEADER.fullmatch(header)
    foreign = CheckpointError(f"holds {printable(name, 40)} in a form that is not supported", hint=rules.if_foreign)
    if magic[:8] != b"\x93NUMPY\1\0" or not match:
        raise foreign
    if match[1] == b"|O" and rules.if_pickled:
        raise CheckpointError(f"holds {printable(name, 40)} as pickled Python objects", hint=rules.if_pickled)
    fortran = match[2] == b"True"
    if not rules.dtypes.fullmatch(match[1].decode()) or (fortran and not rules.any_order):
        raise foreign
    shape = tuple(int(size) for size in re.findall(rb"\d+", match[3]))
    return np.dtype(match[1].decode()), fortran, shape, magic + header


def read_member(file: BufferedReader, name: str, member: Member, rules: Rules) -> NDArray[Any]:
    """Read an array that was checked, fresh and writable; raises CheckpointError where its bytes are not sound."""
    array = np.empty(member.shape[::-1] if member.fortran else member.shape, member.dtype)
    data = array.reshape(-1).view(np.uint8)
    if member.deflated:
        file.seek(member.start)
        inflated = Inflated(file, member.stored)
        inflated.read(len(member.head))
        inflated.readinto(data.data)
        whole = inflated.ended()
    else:
        file.seek(member.start + len(member.head))
        file.readinto(data.data)  # what a file that was cut meanwhile does not fill fails the checksum
        whole = True
    if not whole or zlib.crc32(data.data, zlib.crc32(member.head)) != member.crc:
        raise CheckpointError(f"is damaged in {printable(name, 40)} (wrong checksum)", hint=rules.if_damaged)
    if member.dtype.kind == "b" and data.max(initial=0) > 1:
        raise CheckpointError(f"holds a value that is not 0 or 1 in {printable(name, 40)}", hint=rules.if_damaged)
    if member.dtype.kind == "U" and data.view(np.uint32).max(initial=0) > _LARGEST_CODE_POINT:
        raise CheckpointError(f"holds what is no character in {printable(name, 40)}", hint=rules.if_damaged)
    return array.T if member.fortran else array
