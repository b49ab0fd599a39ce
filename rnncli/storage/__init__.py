"""Files that survive: arrays read without trust, checkpoints with checksums, writes that are whole or not at all."""

from rnncli.storage.atomic import atomic_write, check_writable
from rnncli.storage.checkpoint_file import read_checkpoint_file, write_checkpoint_file
from rnncli.storage.lock import FolderLock
from rnncli.storage.manifest import pack_json, unpack_json
from rnncli.storage.npy import read_given_array
from rnncli.storage.npz import read_arrays, read_given_arrays, write_arrays
from rnncli.storage.remade import Scratch, remade

__all__ = [
    "FolderLock",
    "Scratch",
    "atomic_write",
    "check_writable",
    "pack_json",
    "read_arrays",
    "read_checkpoint_file",
    "read_given_array",
    "read_given_arrays",
    "remade",
    "unpack_json",
    "write_arrays",
    "write_checkpoint_file",
]
