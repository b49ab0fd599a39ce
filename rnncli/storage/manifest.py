"""A JSON document as an array of bytes, so that it can lie beside the weights."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from rnncli.errors import RnncliError
from rnncli.storage.messages import refusal

MAX_JSON_BYTES = 16 * 2**20  # a vocabulary of 50,000 words is about 1 MiB
MAX_DEPTH = 64


def pack_json(data: Mapping[str, Any]) -> NDArray[np.uint8]:
    """Encode an object whose keys are all strings; equal objects give equal bytes, whatever the order of their keys.

    Raises ValueError or TypeError for what JSON cannot hold (NaN, infinity, arrays), RnncliError above 16 MiB.
    """
    text = json.dumps(data, sort_keys=True, allow_nan=False, separators=(",", ":"))
    if len(text) > MAX_JSON_BYTES:
        hint = "use a smaller vocabulary"
        raise RnncliError(f"cannot store a manifest of {len(text):,} bytes, more than {MAX_JSON_BYTES:,}", hint=hint)
    return np.frombuffer(text.encode("ascii"), np.uint8)


def unpack_json(array: NDArray[Any], source: Path) -> dict[str, Any]:
    """Decode what `pack_json` made; strictly: no key twice, no number beyond float64, at most 64 levels.

    Raises CheckpointError, naming the file `source`, for anything else.
    """
    try:
        if array.dtype != np.uint8 or array.ndim != 1 or array.size > MAX_JSON_BYTES:
            raise ValueError("not a short row of bytes")  # noqa: TRY301
        data = json.loads(
            array.tobytes().decode("utf-8"),
            object_pairs_hook=_unique_keys,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
        _check_depth(data)
    except (ValueError, RecursionError, MemoryError) as error:
        raise refusal(source, f"has a damaged manifest: {error}", "use another copy of it, or train again") from None
    if not isinstance(data, dict):
        raise refusal(source, "has a manifest that is not an object", "use another copy of it, or train again")
    return data


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise ValueError("a key occurs twice")
    return data


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _check_depth(data: Any) -> None:
    level = [data]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
    if level:
        raise ValueError(f"more than {MAX_DEPTH} levels")
