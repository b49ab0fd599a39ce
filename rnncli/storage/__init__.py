"""Files that survive: arrays read without trust, checkpoints with checksums, writes that are whole or not at all."""

from rnncli.storage.atomic import atomic_write, check_writable
from rnncli.storage.checkpoint_file import read_checkpoint_file, write_checkpoint_file
from rnncli.storage.lock import FolderLock
from rnncli.storage.manifest import pack_json, unpack_json
from rnncli.storage.npz import read_arrays, write_arrays

__all__ = [
    "FolderLock",
    "atomic_write",
    "check_writable",
    "pack_json",
    "read_arrays",
    "read_checkpoint_file",
    "unpack_json",
    "write_arrays",
    "write_checkpoint_file",
]
