from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.errors import CheckpointError, RnncliError
from rnncli.storage import manifest, pack_json, unpack_json
from tests.storage.refusals import assert_clear

SOURCE = Path("runs/first/last.npz")
LEAF = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
TREE = st.recursive(LEAF, lambda tree: st.lists(tree, max_size=3) | st.dictionaries(st.text(), tree, max_size=3))


def packed(text):
    return np.frombuffer(text if isinstance(text, bytes) else text.encode(), np.uint8)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(), TREE, max_size=4))
def test_round_trip(data):
    again = unpack_json(pack_json(data), SOURCE)
    assert again == data
    assert pack_json(again).tobytes() == pack_json(data).tobytes()


def test_bytes_are_canonical():
    assert pack_json({"b": [1, 2.5, "é"], "a": {"z": None, "y": True}}).tobytes() == (
        b'{"a":{"y":true,"z":null},"b":[1,2.5,"\\u00e9"]}'
    )
    assert pack_json({}).dtype == np.uint8


def test_numbers_keep_their_type_and_value():
    data = {"float": 1.0, "tiny": 5e-324, "large": 1.7976931348623157e308, "state": 2**127 + 1, "negative": -0.0}
    again = unpack_json(pack_json(data), SOURCE)
    assert {name: repr(value) for name, value in again.items()} == {name: repr(value) for name, value in data.items()}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_json_has_not_are_not_written(value):
    with pytest.raises(ValueError, match="JSON compliant"):
        pack_json({"loss": [value]})


def test_large_vocabulary_fits_and_too_large_a_manifest_is_not_written(monkeypatch):
    vocabulary = [f"słowo{i}" for i in range(50_000)]
    data = pack_json({"vocabulary": vocabulary})
    assert unpack_json(data, SOURCE) == {"vocabulary": vocabulary}
    monkeypatch.setattr(manifest, "MAX_JSON_BYTES", data.size - 1)
    with pytest.raises(RnncliError, match="cannot store a manifest of"):
        pack_json({"vocabulary": vocabulary})
    with pytest.raises(CheckpointError, match="not a short row of bytes"):
        unpack_json(data, SOURCE)


@pytest.mark.parametrize(
    ("array", "reason"),
    {  # the words of the JSON module differ between versions of Python
        "empty": (b"", "has a damaged manifest"),
        "not JSON": ("{", "has a damaged manifest"),
        "two documents": ("{} {}", "has a damaged manifest"),
        "list": ("[]", "not an object"),
        "null": ("null", "not an object"),
        "duplicate key": ('{"a": 1, "a": 2}', "a key occurs twice"),
        "duplicate key within": ('{"a": [{"b\\u0062": 1, "bb": 2}]}', "a key occurs twice"),
        "NaN": ('{"a": NaN}', "NaN is not a number"),
        "Infinity": ('{"a": [Infinity]}', "Infinity is not a number"),
        "-Infinity": ('{"a": -Infinity}', "-Infinity is not a number"),
        "1e999": ('{"a": 1e999}', "a number is too large"),
        "-1e999": ('{"a": -1e999}', "a number is too large"),
        "5,000 digits": ('{"a": ' + "1" * 5000 + "}", "has a damaged manifest"),
        "65 levels": ('{"a": ' + "[" * 64 + "]" * 64 + "}", "more than 64 levels"),
        "900 levels": ('{"a": ' + "[" * 900 + "]" * 900 + "}", "more than 64 levels"),
        "100,000 levels": ("[" * 100_000 + "]" * 100_000, "has a damaged manifest"),
        "100,000 open objects": ('{"a":' * 100_000, "has a damaged manifest"),
        "latin-1": ('{"a": "é"}'.encode("latin-1"), "has a damaged manifest"),
        "UTF-16": ("{}".encode("utf-16"), "has a damaged manifest"),
        "byte order mark": ("\ufeff{}", "has a damaged manifest"),
        "control character": ('{"a": "\x1b"}', "has a damaged manifest"),
        "floats": (np.zeros(2), "not a short row"),
        "bools": (np.zeros(2, bool), "not a short row"),
        "two rows": (packed("{}").reshape(2, 1), "not a short row"),
    }.values(),
)
def test_damaged_manifest_is_refused(array, reason):
    with pytest.raises(CheckpointError, match=reason) as caught:
        unpack_json(array if isinstance(array, np.ndarray) else packed(array), SOURCE)
    assert_clear(caught.value, SOURCE)


def test_63_levels_are_read():
    assert unpack_json(packed('{"a": ' + "[" * 62 + "]" * 62 + "}"), SOURCE)["a"] != []
