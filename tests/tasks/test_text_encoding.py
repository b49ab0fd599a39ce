"""A corpus encoded piece by piece is the corpus encoded whole."""

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rnncli.data import TOKENIZERS, TokenizerSpec, encoded_file, files, numbering, readers
from rnncli.errors import DataError
from rnncli.tasks.corpus_cache import CorpusCache
from rnncli.tasks.text_data import read_dataset
from rnncli.tasks.text_spec import SplitSpec, TextDataSpec
from tests.tasks import whole_texts

ALPHABET = "aab AΣσ Éé\u0301中😀'-.\n\r\u2028\t\xa0"
TEXT = (
    "So it GOES: ΟΔΟΣ ΑΣ. naïve 😀\r\nΣ Σ'Σ well-known\n\n \u2028don't\r日本語 e\u0301te\u0301\r\r\n"
    " the THE cat, the  cat\tsat 3.14\n" * 3
)
MORE = "and the cat ΣΑΣ\r\n\nof naïve 中文\nsat"


def assert_as_whole(folder, spec, raw, seed=1, cache=None):
    """Compare `read_dataset` with its twin; `raw` are lists of the bytes of files, by split."""
    paths = {}
    for name, contents in raw.items():
        paths[name] = tuple(f"{name}{number}" for number in range(len(contents)))
        for path, content in zip(paths[name], contents, strict=True):
            (folder / path).write_bytes(content)
    spec = TextDataSpec(**paths, format=spec.format, encoding=spec.encoding, tokenizer=spec.tokenizer, split=spec.split)
    dataset = read_dataset(spec, seed, folder, cache=cache or CorpusCache())
    names, counts, splits, dtype = whole_texts.encoded(spec, raw, seed)
    assert (dataset.vocabulary.tokens, dataset.vocabulary.counts) == (names, counts)
    for name, sequences in splits.items():
        part = dataset.part(name)
        assert part.ids[:].tolist() == [i for sequence in sequences for i in sequence]
        assert part.starts[:].tolist() == np.cumsum([0, *map(len, sequences)]).tolist()
        assert not sequences or part.ids.dtype == dtype
    return dataset


def in_pieces(monkeypatch, size, limit=numbering.LIMIT):
    for module in (readers, files, encoded_file):
        monkeypatch.setattr(module, "PIECE", size)
    monkeypatch.setattr(numbering, "CHUNK", size)
    monkeypatch.setattr(numbering, "LIMIT", limit)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 11, 64, 1 << 18])
@pytest.mark.parametrize("data_format", ["stream", "lines"])
@pytest.mark.parametrize("level", list(TOKENIZERS))
def test_wherever_pieces_end(tmp_path, monkeypatch, level, data_format, size):
    in_pieces(monkeypatch, size)
    for lowercase in (False, True):
        spec = TextDataSpec(format=data_format, tokenizer=TokenizerSpec(level, lowercase), split=SplitSpec(0.2, 0.2))
        assert_as_whole(tmp_path, spec, {"train": [TEXT.encode()]})


@pytest.mark.parametrize("data_format", ["stream", "lines"])
@pytest.mark.parametrize("given_files", [("validation",), ("test",), ("validation", "test")])
@pytest.mark.parametrize("limits", [{}, {"min_count": 2}, {"max_size": 5}, {"min_count": 3, "max_size": 1}])
@pytest.mark.parametrize("level", list(TOKENIZERS))
def test_several_files_given_splits_and_limits(tmp_path, monkeypatch, level, limits, given_files, data_format):
    in_pieces(monkeypatch, 16, limit=4)  # many generations of numbers
    spec = TextDataSpec(format=data_format, tokenizer=TokenizerSpec(level, **limits), split=SplitSpec(0.1, 0.3))
    raw = {"train": [TEXT.encode(), b"\xef\xbb\xbfb\r", MORE.encode()]}
    raw |= {name: [MORE.encode(), b"the cat"] for name in given_files}
    assert_as_whole(tmp_path, spec, raw, seed=3)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 1000])
@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "utf-7", "shift_jis", "iso2022_jp", "gb18030", "cp1252"],
)
def test_encodings(tmp_path, monkeypatch, encoding, size):
    in_pieces(monkeypatch, size)
    text = "日本 の\r\n語 abc\rかな\n" if encoding in ("shift_jis", "iso2022_jp") else "naïve – €\r\nß\r\rÿ\n" * 2
    text = text + "中文😀" if encoding.startswith(("utf", "gb")) else text
    spec = TextDataSpec(encoding=encoding, tokenizer=TokenizerSpec("word"), split=SplitSpec(0, 0))
    raw = [text.encode(encoding), "".join(sorted(text)).encode(encoding)]
    if encoding in ("utf-16", "utf-32"):  # without a mark, the order of this machine
        raw.append(text.encode(f"{encoding}-le" if np.little_endian else f"{encoding}-be"))
    assert_as_whole(tmp_path, spec, {"train": raw})


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.text(ALPHABET, min_size=1, max_size=30), min_size=1, max_size=3),
    st.sampled_from(sorted(TOKENIZERS)),
    st.sampled_from(["stream", "lines"]),
    st.booleans(),
    st.sampled_from([(0.0, 0.0), (0.05, 0.05), (0.3, 0.3), (0.5, 0.0), (0.0, 0.9)]),
    st.integers(1, 9),
)
def test_any_text(texts, level, data_format, lowercase, shares, size):
    spec = TextDataSpec(format=data_format, tokenizer=TokenizerSpec(level, lowercase), split=SplitSpec(*shares))
    raw = {"train": [text.encode() for text in texts]}
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as monkeypatch:
        in_pieces(monkeypatch, size, limit=3)
        tokens = sum(map(len, whole_texts.tokens_of(spec, raw, 1)["train"]))
        assume(tokens)
        if tokens > 1:
            assert_as_whole(Path(folder), spec, raw)
        else:
            with pytest.raises(DataError, match="has 1 tokens, and at least 2 are needed"):
                assert_as_whole(Path(folder), spec, raw)


def test_raw_bytes(tmp_path, monkeypatch):
    raw = bytes(range(256)) * 2 + b"\xf0\x9f\x98" + "é😀".encode() + b"\xc3"
    for size in (1, 2, 3, 5):
        in_pieces(monkeypatch, size)
        spec = TextDataSpec(tokenizer=TokenizerSpec("byte"), split=SplitSpec(0.1, 0.1))
        assert_as_whole(tmp_path, spec, {"train": [raw]})


def test_a_file_that_changes_meanwhile_is_refused(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text(TEXT)

    def report(activity, done, total):
        if activity == "encoding train":
            os.utime(path, ns=(0, 0))

    cache = CorpusCache.beside(tmp_path / "run", keep=True)
    with pytest.raises(DataError, match=r"corpus\.txt: it changed while it was read; try again"):
        read_dataset(TextDataSpec(train="corpus.txt"), 1, tmp_path, cache=cache, report=report)
    assert [file.name for file in tmp_path.iterdir()] == ["corpus.txt"]


def test_every_pass_is_reported_to_its_end(tmp_path, monkeypatch):
    in_pieces(monkeypatch, 64)
    (tmp_path / "corpus.txt").write_text(TEXT)
    for data_format, more in (("stream", []), ("lines", ["counting lines"])):
        seen = {}

        def report(activity, done, total, seen=seen):
            assert 0 < done <= total
            assert done > seen.get(activity, (0, 0))[0] or activity == "reading train"
            seen[activity] = done, total

        read_dataset(TextDataSpec(train="corpus.txt", format=data_format), 1, tmp_path, report=report)
        assert all(done == total for done, total in seen.values())
        passes = ["looking for the encoded text", "reading train", *more]
        assert list(seen) == [*passes, "encoding train", "encoding validation", "encoding test", "writing ids"]
