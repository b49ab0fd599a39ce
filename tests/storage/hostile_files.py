"""Builds `.npz` files that no honest program writes: each returns the bytes of one file."""

import bz2
import io
import pickle
import struct
import zipfile
import zlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np


def npy(*, descr="'<f4'", order="False", shape="(2,)", data=bytes(8), header=None, magic=b"\x93NUMPY\1\0"):
    """One array as it lies in a file, honest unless told otherwise."""
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}".encode() if header is None else header
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return magic + struct.pack("<H" if magic[6] == 1 else "<I", len(text)) + text + data


@dataclass
class Member:
    """One member; every field of its two records can lie."""

    payload: bytes = npy()
    name: bytes = b"W.npy"
    method: int = 0
    flags: int = 0
    size: int | None = None
    crc: int | None = None
    offset: int | None = None
    gap: bytes = b""
    local_name: bytes | None = None
    local_crc: int | None = None
    local_extra: bytes = b""
    extra: bytes = b""

    def local(self):
        name = self.name if self.local_name is None else self.local_name
        crc = zlib.crc32(self.payload) if self.local_crc is None else self.local_crc
        sizes = (len(self.payload), len(self.payload), len(name), len(self.local_extra))
        head = struct.pack("<4s5H3L2H", b"PK\3\4", 20, self.flags, self.method, 0, 33, crc, *sizes)
        return head + name + self.local_extra + self.payload + self.gap

    def entry(self, offset):
        crc = zlib.crc32(self.payload) if self.crc is None else self.crc
        size = len(self.payload) if self.size is None else self.size
        offset = offset if self.offset is None else self.offset
        lengths = (len(self.payload), size, len(self.name), len(self.extra), 0)
        fields = (20, 20, self.flags, self.method, 0, 33, crc, *lengths, 0, 0, 0, offset)
        return struct.pack("<4s6H3L5H2L", b"PK\1\2", *fields) + self.name + self.extra


def npz(*members, prefix=b"", before_directory=b"", count=None, comment=b"", disk=0, after_directory=b"", copies=1):
    """A whole file; `copies` repeats the entries of the directory, not the members."""
    body, entries = prefix, []
    for member in members:
        entries.append(member.entry(len(body)))
        body += member.local()
    body += before_directory
    directory = b"".join(entries) * copies + after_directory
    count = min(len(members) * copies, 0xFFFF) if count is None else count
    end = struct.pack("<4s4H2LH", b"PK\5\6", disk, 0, count, count, len(directory), len(body), len(comment))
    return body + directory + end + comment


def deflate_bomb(megabytes):
    """A deflated member of zeros, as zip programs write it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("W.npy", npy(shape=f"({megabytes * 2**18},)", data=bytes(megabytes * 2**20)))
    return file.getvalue()


def bzip2_bomb(megabytes):
    """Streams of zeros one after the other, which bzip2 reads as one."""
    payload = bz2.compress(npy(shape=f"({megabytes * 2**18},)", data=b"")) + bz2.compress(bytes(2**20)) * megabytes
    return npz(Member(payload, method=zipfile.ZIP_BZIP2, size=megabytes * 2**20 + 128))


def overlapping_members(count, kilobytes):
    """Members one inside the other: each is the data of the one before, and all of them are sound."""
    data, members = bytes(kilobytes * 2**10), []
    for i in reversed(range(count)):
        members.append(Member(npy(descr="'|u1'", shape=f"({len(data)},)", data=data), b"%03d.npy" % i))
        data = members[-1].local()
    entries, offset = b"", 0
    for member in reversed(members):
        entries += member.entry(offset)
        offset += 30 + len(member.name) + 128  # headers of member and array
    return data + entries + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(entries), len(data), 0)


def zip64_detour():
    """An honest end record behind a 64-bit one that `zipfile` believes instead: it reads "hidden", not "seen"."""
    seen, hidden = Member(name=b"seen.npy"), Member(name=b"hidden.npy")
    body = seen.local() + hidden.local()
    other = hidden.entry(len(seen.local()))
    at = len(body) + len(seen.entry(0))
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, len(other), at)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, at + len(other), 1)
    directory = seen.entry(0) + other + record + locator
    return body + directory + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(directory), len(body), 0)


class Bait:
    """Leaves a file where it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


def pickles(marker):
    """Yield 20 files that would run code if anything unpickled them."""
    for protocol in range(6):
        code = pickle.dumps(Bait(marker), protocol)
        yield code
        yield npz(Member(code))
        yield npz(Member(npy(descr="'|O'", shape="()", data=code)))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:  # as torch.save lays it out
        archive.writestr("archive/data.pkl", pickle.dumps(Bait(marker)))
    yield file.getvalue()
    file = io.BytesIO()
    np.savez(file, W=np.array([Bait(marker)], dtype=object))
    yield file.getvalue()


def _member(**lies):
    return npz(Member(**lies))


def _array(**lies):
    return npz(Member(npy(**lies)))


HONEST = npz(Member(), Member(name=b"recurrent.0.weight_ih.npy"))
TABLE = {
    "object array": _array(descr="'|O'"),
    "structured": _array(descr="[('a', '<f4')]"),
    "shape 10^12, 64 bytes": _array(shape="(1000000000000,)", data=bytes(64)),
    "claims 8 GB": _array(shape="(2000000000,)", data=bytes(64)),
    "claims 8 GB in the directory too": npz(Member(npy(shape="(1000000000,)", data=bytes(64)), size=4_000_000_128)),
    "more data than the shape needs": _array(data=bytes(6000)),
    "S0": _array(descr="'|S0'", shape="(10000000000,)", data=b""),
    "V0": _array(descr="'|V0'", shape="(10000000000,)", data=b""),
    "duplicate member": npz(Member(), Member()),
    "W and W.npy": npz(Member(name=b"W"), Member(name=b"W.npy")),
    "only the directory twice": npz(Member(), copies=2),
    "truncated by 1": HONEST[:-1],
    "truncated in the directory": HONEST[:-60],
    "truncated in the data": HONEST[:150],
    "truncated to 22": HONEST[:22],
    "wrong CRC": _member(crc=1, local_crc=1),
    "CRCs differ": _member(local_crc=1),
    "big endian": _array(descr="'>f4'"),
    "complex": _array(descr="'<c16'", shape="(1,)", data=bytes(16)),
    "float16": _array(descr="'<f2'", data=bytes(4)),
    "Fortran": _array(order="True", shape="(2, 1)"),
    "100,000 members": npz(Member(), copies=100_000),
    "5,000 members": npz(*(Member(name=b"%d.npy" % i, payload=npy(data=b"", shape="(0,)")) for i in range(5000))),
    "count too small": npz(Member(), Member(name=b"V.npy"), count=1),
    "count too large": npz(Member(), count=2),
    "parent folders": _member(name=b"../../../../evil.npy"),
    "ESC in a name": _member(name=b"\x1b[31m.npy"),
    "NUL in a name": _member(name=b"W.npy\0.npy"),
    "not ASCII": _member(name="é.npy".encode(), flags=0x800),
    "long name": _member(name=b"W" * 201 + b".npy"),
    "no name": _member(name=b".npy"),
    "9,000 parentheses": _array(header=b"(" * 9000),
    "9,500 minus signs": _array(header=b"-" * 9500 + b"1"),
    "4,000 parentheses": _array(header=b"(" * 4000),
    "4,000 minus signs": _array(header=b"-" * 4000 + b"1"),
    "escape that Python warns of": _array(descr="'\\d'"),
    "not UTF-8": _array(header=b"\xff\xfe"),
    "two lines": _array(header=b"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n\n"),
    "version 2 of the header": _array(magic=b"\x93NUMPY\2\0"),
    "encrypted": _member(flags=1),
    "sizes after the data": _member(flags=8),
    "unknown compression": _member(method=99),
    "all zeros": bytes(1000),
    "22 zeros": bytes(22),
    "empty": b"",
    "empty zip": npz(),
    "junk before": npz(Member(), prefix=b"junk"),
    "PK and junk before": npz(Member(), prefix=b"PK\3\4junk"),
    "junk after": HONEST + b"junk",
    "comment": npz(Member(), comment=b"comment"),
    "second disk": npz(Member(), disk=1),
    "gap between members": npz(Member(gap=b"secret"), Member(name=b"V.npy")),
    "gap before the directory": npz(Member(), before_directory=b"secret"),
    "bytes after the entries": npz(Member(), after_directory=b"secret"),
    "offset of another": npz(Member(), Member(name=b"V.npy", offset=0)),
    "offset beyond the file": _member(offset=2**31),
    "local name differs": _member(local_name=b"V.npy"),
    "data in an extra field": _member(local_extra=b"\xfe\xca\4\0abcd"),
    "data in the directory": _member(extra=b"\xfe\xca\4\0abcd"),
    "another directory for zipfile": zip64_detour(),
    "size too small": _member(size=100),
    "negative shape": _array(shape="(-2,)"),
    "True as a shape": _array(shape="(True, 2)"),
    "float as a shape": _array(shape="(2.0,)"),
    "shape beyond 64 bits": _array(shape="(100000000000000000000, 0)", data=b""),
    "product beyond 64 bits": _array(shape="(999999999999999999, 999999999999999999, 0)", data=b""),
    "65 dimensions": _array(shape=f"({'1, ' * 64}2)"),
    "2 as a bool": _array(descr="'|b1'", data=b"\1\2"),
    "member shorter than a header": _member(payload=b"\x93NUMPY\1\0"),
    "empty member": _member(payload=b""),
}
BOMBS = {
    "bzip2, 4 GB": partial(bzip2_bomb, 4000),
    "deflate, 64 MB": partial(deflate_bomb, 64),
    "deflate, 8 MB": partial(deflate_bomb, 8),
    "300 overlapping members, 32 MB": partial(overlapping_members, 300, 64),
}
