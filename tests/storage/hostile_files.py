"""`.npz` files that no honest program writes, as bytes."""

import bz2
import io
import pickle
import struct
import zipfile
from functools import partial
from pathlib import Path

import numpy as np

from tests.storage.zip_builder import Member, end_record, npy, npz


def deflate_bomb(megabytes):
    """A deflated member of zeros, as zip programs write it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("W.npy", npy(shape=f"({megabytes * 2**18},)", data=bytes(megabytes * 2**20)))
    return file.getvalue()


def bzip2_bomb(megabytes):
    """Streams of zeros one after the other, which bzip2 reads as one."""
    payload = bz2.compress(npy(shape=f"({megabytes * 2**18},)", data=b"")) + bz2.compress(bytes(2**20)) * megabytes
    return npz(Member(payload, both={"method": zipfile.ZIP_BZIP2, "size": megabytes * 2**20 + 128}))


def overlapping_members(count, kilobytes):
    """Members one inside the other: each is the data of the one before, and all of them are sound."""
    data, members = bytes(kilobytes * 2**10), []
    for i in reversed(range(count)):
        members.append(Member(npy(descr="'|u1'", shape=f"({len(data)},)", data=data), b"%03d.npy" % i))
        data = members[-1].record() + members[-1].payload
    entries, offset = b"", 0
    for member in reversed(members):
        entries += member.directory_entry(offset)
        offset += 30 + len(member.name) + 128  # headers of member and array
    return data + entries + end_record(count, len(entries), len(data))


def zip64_detour():
    """An honest end record behind a 64-bit one that `zipfile` believes instead: it reads "hidden", not "seen"."""
    seen, hidden = Member(name=b"seen.npy"), Member(name=b"hidden.npy")
    first = seen.record() + seen.payload
    body = first + hidden.record() + hidden.payload
    entry, other = seen.directory_entry(0), hidden.directory_entry(len(first))
    at = len(body) + len(entry)
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, len(other), at)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, at + len(other), 1)
    directory = entry + other + record + locator
    return body + directory + end_record(1, len(directory), len(body))


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


def array(**lies):
    return npz(Member(npy(**lies)))


def local(**lies):
    return npz(Member(local=lies))


def entry(**lies):
    return npz(Member(entry=lies))


def both(**lies):
    return npz(Member(both=lies))


HONEST = npz(Member(), Member(name=b"recurrent.0.weight_ih.npy"))
EMPTY = npy(data=b"", shape="(0,)")
TABLE = {  # what the reader must answer: the files
    "is not an .npz file": {
        "empty": b"",
        "all zeros": bytes(1000),
        "22 zeros": bytes(22),
        "empty zip": npz(),
        "junk before": npz(Member(), prefix=b"junk"),
        "signature only": b"PK\3\4",
    },
    "is cut short or damaged at its end": {
        "by 1": HONEST[:-1],
        "in the directory": HONEST[:-60],
        "in the data": HONEST[:150],
        "to 22": HONEST[:22],
        "junk after": HONEST + b"junk",
        "comment": npz(Member(), tail=b"comment", comment=7),
        "comment that is not there": npz(Member(), comment=7),
        "signature": npz(Member(), magic=b"PK\5\7"),
        "another disk": npz(Member(), disk=1),
        "directory on another disk": npz(Member(), start_disk=1),
        "two counts": npz(Member(), total=2),
        "gap after the directory": npz(Member(), gap_2=b"secret"),
    },
    "holds more than 4096 arrays": {
        "100,000": npz(Member(), copies=100_000),
        "5,000": npz(*(Member(EMPTY, b"%d.npy" % i) for i in range(5000))),
        "a directory of 3 MB": npz(Member(), surplus=bytes(3 * 2**20)),
    },
    "holds bytes that belong to no array": {
        "count too small": npz(Member(), Member(name=b"V.npy"), count=1),
        "gap before the directory": npz(Member(), gap=b"secret"),
        "surplus in the directory": npz(Member(), surplus=b"secret"),
        "another directory for zipfile": zip64_detour(),
    },
    "holds a member that is not a named array": {
        "W": npz(Member(name=b"W")),
        "W and W.npy": npz(Member(name=b"W"), Member(name=b"W.npy")),
        "parent folders": npz(Member(name=b"../../../../evil.npy")),
        "ESC": npz(Member(name=b"\x1b[31m.npy")),
        "NUL": npz(Member(name=b"W.npy\0.npy")),
        "not ASCII": npz(Member(name="é.npy".encode(), both={"flags": 0x800})),
        "long": npz(Member(name=b"W" * 201 + b".npy")),
        "none": npz(Member(name=b".npy")),
    },
    "holds W compressed or encrypted": {
        "deflated": both(method=8),
        "deflated in the directory": entry(method=8),
        "unknown compression": both(method=99),
        "encrypted": both(flags=1),
        "encrypted in the directory": entry(flags=1),
        "sizes after the data": both(flags=8),
        "claims 8 GB": npz(Member(npy(shape="(1000000000,)", data=bytes(64)), entry={"size": 4_000_000_128})),
    },
    "has a damaged entry for W": {
        "signature": entry(magic=b"PK\1\3"),
        "extra field": entry(extra=b"\xfe\xca\4\0abcd"),
        "extra field that is not there": entry(extra_length=8),
        "comment that is not there": entry(comment=8),
        "disk": entry(disk=1),
        "offset": entry(offset=2**31),
        "PK and junk before": npz(Member(), prefix=b"PK\3\4junk"),
        "the same member again": npz(Member(), copies=2),
        "local signature": npz(Member(name=b"V.npy"), Member(local={"magic": b"PK\3\3"})),
        "local name": local(name=b"V.npy"),
        "local CRC": local(crc=1),
        "local method": local(method=8),
        "local flags": local(flags=1),
        "local extra field": local(extra=b"\xfe\xca\4\0abcd"),
        "gap before it": npz(Member(name=b"V.npy", gap=b"secret"), Member()),
        "offset of another": npz(Member(name=b"V.npy"), Member(entry={"offset": 0})),
    },
    "holds two arrays called W": {"duplicate": npz(Member(), Member())},
    "holds W in a form that is not supported": {
        "object": array(descr="'|O'"),
        "structured": array(descr="[('a', '<f4')]"),
        "S0": array(descr="'|S0'", shape="(10000000000,)", data=b""),
        "V0": array(descr="'|V0'", shape="(10000000000,)", data=b""),
        "big endian": array(descr="'>f4'"),
        "complex": array(descr="'<c8'", shape="(1,)"),
        "float16": array(descr="'<f2'", data=bytes(4)),
        "Fortran": array(order="True", shape="(2, 1)"),
        "9,000 parentheses": array(header=b"(" * 9000),
        "9,500 minus signs": array(header=b"-" * 9500 + b"1"),
        "4,000 parentheses": array(header=b"(" * 4000),
        "4,000 minus signs": array(header=b"-" * 4000 + b"1"),
        "escape that Python warns of": array(descr="'\\d'"),
        "not UTF-8": array(header=b"\xff\xfe"),
        "two lines": array(header=b"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n\n"),
        "version 2 of the header": array(magic=b"\x93NUMPY\2\0"),
        "another signature": array(magic=b"\x93numpy\1\0"),
        "negative shape": array(shape="(-2,)"),
        "True as a shape": array(shape="(True, 2)"),
        "float as a shape": array(shape="(2.0,)"),
        "shape beyond 64 bits": array(shape="(100000000000000000000, 0)", data=b""),
        "shape beyond 64 bits after 0": array(shape="(0, 100000000000000000000)", data=b""),
        "shorter than a header": npz(Member(b"\x93NUMPY\1\0")),
        "nothing": npz(Member(b"")),
    },
    "holds W with a size unlike its shape": {
        "10^12 numbers in 64 bytes": array(shape="(1000000000000,)", data=bytes(64)),
        "8 GB in 64 bytes": array(shape="(2000000000,)", data=bytes(64)),
        "more data than the shape needs": array(data=bytes(6000)),
        "size too small": both(stored=100, size=100),
    },
    "is damaged in W (wrong checksum)": {"CRC": both(crc=1)},
    "holds a value that is not 0 or 1 in W": {"bool": array(descr="'|b1'", data=b"\1\2")},
    "is damaged": {
        "count too large": npz(Member(), count=2),
        "product beyond 64 bits": array(shape="(999999999999999999, 999999999999999999, 0)", data=b""),
        "65 dimensions": array(shape=f"({'1, ' * 64}2)"),
    },
}
BOMBS = {
    "bzip2, 4 GB": partial(bzip2_bomb, 4000),
    "deflate, 64 MB": partial(deflate_bomb, 64),
    "deflate, 8 MB": partial(deflate_bomb, 8),
    "300 overlapping members, 32 MB": partial(overlapping_members, 300, 64),
}
