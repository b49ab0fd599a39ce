import io
import tempfile
from contextlib import ExitStack

import numpy as np
import pytest

from rnncli.data import encoded_file
from rnncli.data.encoded_file import read_encoded, write_encoded
from rnncli.data.numbering import Numbering
from rnncli.data.tokenizers import TokenizerSpec
from tests.data.small_vocabularies import built

SPEC = TokenizerSpec(min_count=2)


def write(file, parts, *, items, vocabulary=None):
    with ExitStack() as stack:
        numbering = Numbering(SPEC, lambda: stack.enter_context(tempfile.TemporaryFile()), items=items)
        for part in parts:
            (numbering.add_items if items else numbering.add_stream)([part] if part else [])
        write_encoded(file, numbering, vocabulary or numbering.vocabulary(), [1, 4], lambda done: None)


@pytest.fixture
def whole(tmp_path):
    path = tmp_path / "whole"
    with path.open("w+b") as file:
        write(file, ["abcabb", "bx", "xay"], items=False)
    return path


def opened(path):
    with path.open("rb") as file:
        return read_encoded(file)


def test_streams(whole):
    found = opened(whole)
    assert found.vocabulary == built(["abcabb"], SPEC, items=False)
    assert [found.vocabulary.decode(part.ids[:]) for part in found.splits] == ["ab<unk>abb", "b<unk>", "<unk>a<unk>"]
    assert [part.starts[:].tolist() for part in found.splits] == [[0, 6], [0, 2], [0, 3]]
    assert found.unknown == (1, 1, 2)
    assert found.skipped == [1, 4]


def test_items(tmp_path):
    with (tmp_path / "file").open("w+b") as file:
        write(file, [["ab", "b", "a"], [], ["xa"]], items=True)
        found = read_encoded(file)
    begin, end = found.vocabulary.begin_id, found.vocabulary.end_id
    train, nothing, test = found.splits
    assert train.ids[:].tolist() == [begin, 3, 4, end, begin, 4, end, begin, 3, end]
    assert train.starts[:].tolist() == [0, 4, 7, 10]
    assert (len(nothing), nothing.size) == (0, 0)
    assert test.ids[:].tolist() == [begin, 0, 3, end]
    assert found.unknown == (0, 0, 1)


@pytest.mark.parametrize("parts", [["abab", "b", ""], ["abab", "", "b"]])
def test_a_stream_of_one_token_is_none(tmp_path, parts):
    with (tmp_path / "file").open("w+b") as file:
        write(file, parts, items=False)
        found = read_encoded(file)
    assert [len(part) for part in found.splits] == [1, 0, 0]


def test_the_fingerprint_is_of_the_ids_to_train_and_to_validate_on(tmp_path):
    def fingerprint(*parts, items=False):
        with (tmp_path / "file").open("w+b") as file:
            write(file, [*parts, "", ""][:3], items=items, vocabulary=built(["aabbcc"], SPEC, items=items))
            return read_encoded(file).fingerprint

    same = fingerprint("abab", "ca", "cc")
    assert same == fingerprint("abab", "ca", "aaa")
    assert len({same, fingerprint("abac", "ca"), fingerprint("abab", "cb"), fingerprint("ababca", "")}) == 4
    lines = [fingerprint(train, [], items=True) for train in (["ab", "c"], ["a", "bc"], ["abc"])]
    assert len(set(lines)) == 3


def test_large_parts_go_through_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(encoded_file, "PIECE", 3)
    with (tmp_path / "file").open("w+b") as file:
        write(file, [["ab"] * 50, ["b"] * 7, ["a"]], items=True)
        found = read_encoded(file)
    assert np.diff(found.splits.train.starts[:]).tolist() == [4] * 50
    assert np.diff(found.splits.validation.starts[:]).tolist() == [3] * 7


def test_a_damaged_file_is_none(whole, tmp_path):
    data = whole.read_bytes()
    path = tmp_path / "damaged"
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])
        assert opened(path) is None
    for size in range(0, len(data), 7):
        path.write_bytes(data[:size])
        assert opened(path) is None
    for other in (data + b"\0", b"\0" + data, data + data, b"text"):
        path.write_bytes(other)
        assert opened(path) is None
    assert opened(whole) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"dtype": "x"},
        {"dtype": "<u2"},
        {"sizes": [1, 2]},
        {"sizes": 3},
        {"sizes": [9, 9, 9]},
        {"items": ["a"] * 3},
        {"items": [1, 1, 1]},
        {"vocabulary": {}},
        {"unknown": []},
        {"unknown": "abc"},
        {"unknown": [0, 0, -1]},
        {"sizes": [4.0, 0.0, 0.0]},
        {"sizes": [True, 0, 3]},
        {"sizes": [10**30, 0, 0]},
        {"items": [1.0, 0, 0]},
        {"skipped": ["a"]},
        {"skipped": [-1]},
        {"skipped": 5},
        {"fingerprint": 5},
        {"dtype": ["|u1"]},
        {"vocabulary": built(["aa"], SPEC, items=False).to_plain()},
    ],
)
def test_a_manifest_that_proves_itself_but_makes_no_sense_is_none(tmp_path, monkeypatch, change):
    dumps = encoded_file.json.dumps
    monkeypatch.setattr(
        encoded_file.json, "dumps", lambda plain: dumps(plain | change if isinstance(plain, dict) else plain)
    )
    with (tmp_path / "file").open("w+b") as file:
        write(file, ["abab", "", ""], items=False, vocabulary=built(["aabb"], SPEC, items=False))
        assert read_encoded(file) is None


@pytest.mark.parametrize("starts", [[1, 4, 7], [0, 4, 3], [0, 4, 5], [0, -1, 4]])
def test_items_that_do_not_follow_each_other_are_none(tmp_path, starts):
    def found(starts):
        with (tmp_path / "file").open("w+b") as file, ExitStack() as stack:
            numbering = Numbering(SPEC, lambda: stack.enter_context(tempfile.TemporaryFile()), items=True)
            for items in (["ab", "b", "a"], [], []):
                numbering.add_items([items])
            numbering.starts.seek(0)
            numbering.starts.write(np.array(starts, "<i8").data)
            write_encoded(file, numbering, built(["aabb"], SPEC, items=True), [], lambda done: None)
            return read_encoded(file)

    assert found([0, 4, 7])
    assert found(starts) is None


@pytest.mark.parametrize("manifest", ["[" * 100_000, "[]", "{}", "1" * 5000, "\ud800"])
def test_what_is_no_manifest_is_none(tmp_path, monkeypatch, manifest):
    class Packed:
        def encode(self):
            return manifest.encode("utf-8", "surrogatepass")

    dumps = encoded_file.json.dumps
    monkeypatch.setattr(encoded_file.json, "dumps", lambda plain: Packed() if isinstance(plain, dict) else dumps(plain))
    with (tmp_path / "file").open("w+b") as file:
        write(file, ["abab", "", ""], items=False, vocabulary=built(["aabb"], SPEC, items=False))
        assert read_encoded(file) is None


def test_a_manifest_longer_than_any_file_is_none(whole):
    data = whole.read_bytes()
    whole.write_bytes(data[:-48] + b"\xff" * 8 + data[-40:])
    assert opened(whole) is None


def test_what_cannot_be_read_is_none():
    assert read_encoded(io.BytesIO()) is None
