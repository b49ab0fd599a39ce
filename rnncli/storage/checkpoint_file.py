"""The container of a checkpoint: arrays, and a manifest that says what they are and proves that they are unchanged."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.errors import DivergedError, RnncliError
from rnncli.storage.atomic import atomic_write
from rnncli.storage.manifest import pack_json, unpack_json
from rnncli.storage.messages import printable, refusal
from rnncli.storage.npz import MAX_BYTES, check_storable, read_arrays, write_arrays

FORMAT = "rnncli"
VERSION = 1
MANIFEST = "manifest"  # the one name that an array of the caller cannot have


def write_checkpoint_file(path: Path, arrays: Mapping[str, NDArray[Any]], content: Mapping[str, Any]) -> None:
    """Save arrays by name, and JSON data under `content`, whole or not at all; equal input gives equal bytes.

    Raises DivergedError for NaN or infinity in an array, ValueError for one in `content`, RnncliError for arrays that
    cannot be stored (see `write_arrays`) and when the file cannot be written.
    """
    if MANIFEST in arrays:
        raise RnncliError(f"cannot store an array under the name {MANIFEST!r}", hint="rename it")
    check_storable(arrays)
    if name := _nonfinite(arrays):
        hint = "lower the learning rate"
        raise DivergedError(f"cannot save NaN or infinity in {printable(name, 80)}", hint=hint)
    sha256 = {name: _sha256(array) for name, array in arrays.items()}
    manifest = pack_json({"format": FORMAT, "version": VERSION, "sha256": sha256, "content": content})
    atomic_write(path, lambda file: write_arrays(file, {MANIFEST: manifest, **arrays}))


def read_checkpoint_file(
    path: Path, *, allow_nonfinite: bool = False, limit: int = MAX_BYTES
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the arrays (fresh, writable) and the content of a checkpoint of at most `limit` bytes.

    Raises CheckpointError for a file that is not a whole checkpoint of this version, has an array too many, too few or
    changed, or holds NaN or infinity (unless `allow_nonfinite`).
    """
    arrays = read_arrays(path, limit=limit)
    foreign = refusal(path, "is not an rnncli checkpoint", "give the path of a checkpoint")
    if MANIFEST not in arrays:
        raise foreign
    manifest = unpack_json(arrays.pop(MANIFEST), path)
    if manifest.get("format") != FORMAT:
        raise foreign
    version = manifest.get("version")
    if type(version) is not int or version != VERSION:  # True and 1.0 equal 1, too
        found = printable(json.dumps(version), 16)
        raise refusal(path, f"has format version {found}, not {VERSION}", "read it with the rnncli that wrote it")
    damaged = "use another copy of it, or train again"
    if set(manifest) != {"format", "version", "sha256", "content"} or not isinstance(manifest["content"], dict):
        raise refusal(path, "has an incomplete manifest", damaged)
    if manifest["sha256"] != {name: _sha256(array) for name, array in arrays.items()}:
        raise refusal(path, "holds other arrays than it was saved with", damaged)
    if not allow_nonfinite and (name := _nonfinite(arrays)):
        raise refusal(path, f"holds NaN or infinity in {printable(name, 30)}", "use an earlier checkpoint")
    return arrays, manifest["content"]


def _sha256(array: NDArray[Any]) -> str:
    """Hash dtype, shape and bytes in C order."""
    digest = hashlib.sha256(f"{array.dtype.str} {array.shape}".encode())
    digest.update(np.asarray(array, order="C").data)
    return digest.hexdigest()


def _nonfinite(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return the name of the first array with NaN or infinity in it, else an empty text."""
    return next((name for name, array in arrays.items() if not np.isfinite(array).all()), "")
