"""Builds `.npz` files byte by byte, so that every field of every record can lie."""

import struct
import zlib
from dataclasses import dataclass, field


def npy(*, descr="'<f4'", order="False", shape="(2,)", data=bytes(8), header=None, magic=b"\x93NUMPY\1\0"):
    """One array as it lies in a file, honest unless told otherwise."""
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}".encode() if header is None else header
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return magic + struct.pack("<H" if magic[6] == 1 else "<I", len(text)) + text + data


@dataclass
class Member:
    """One member; `both` changes fields of its two records, `local` and `entry` those of one."""

    payload: bytes = npy()
    name: bytes = b"W.npy"
    both: dict = field(default_factory=dict)
    local: dict = field(default_factory=dict)
    entry: dict = field(default_factory=dict)
    gap: bytes = b""

    def fields(self, magic):
        size = len(self.payload)
        honest = {"magic": magic, "flags": 0, "method": 0, "crc": zlib.crc32(self.payload), "stored": size}
        return honest | {"size": size, "name": self.name, "extra": b"", "extra_length": None} | self.both

    def record(self):
        (magic, *head), name, extra, length = self.split(self.fields(b"PK\3\4") | self.local)
        length = len(extra) if length is None else length
        return struct.pack("<4s5H3L2H", magic, 20, *head[:2], 0, 33, *head[2:], len(name), length) + name + extra

    def directory_entry(self, offset):
        lies = {"comment": 0, "disk": 0, "offset": offset} | self.entry
        (magic, *head), name, extra, length = self.split(self.fields(b"PK\1\2") | self.entry)
        tail = (len(extra) if length is None else length, lies["comment"], lies["disk"], 0, 0, lies["offset"])
        packed = struct.pack("<4s6H3L5H2L", magic, 20, 20, *head[:2], 0, 33, *head[2:], len(name), *tail)
        return packed + name + extra

    @staticmethod
    def split(fields):
        head = [fields[key] for key in ("magic", "flags", "method", "crc", "stored", "size")]
        return head, fields["name"], fields["extra"], fields["extra_length"]


def end_record(count, length, offset, *, magic=b"PK\5\6", disk=0, start_disk=0, total=None, comment=0):
    total = count if total is None else total
    return struct.pack("<4s4H2LH", magic, disk, start_disk, count, total, length, offset, comment)


def npz(*members, prefix=b"", gap=b"", count=None, copies=1, surplus=b"", gap_2=b"", tail=b"", **end):
    """A whole file: members, gap, directory (`copies` times, and a surplus), a second gap, end record, tail."""
    body, entries = prefix, b""
    for member in members:
        entries += member.directory_entry(len(body))
        body += member.record() + member.payload + member.gap
    body += gap
    directory = entries * copies + surplus
    count = min(len(members) * copies, 0xFFFF) if count is None else count
    return body + directory + gap_2 + end_record(count, len(directory), len(body), **end) + tail
