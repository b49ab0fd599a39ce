import os
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from rnncli.data import TokenizerSpec
from rnncli.tasks import corpus_cache, text_encoding
from rnncli.tasks.corpus_cache import FOLDER, CorpusCache
from rnncli.tasks.text_data import read_dataset
from rnncli.tasks.text_spec import SplitSpec, TextDataSpec
from tests.data.small_vocabularies import built
from tests.tasks.tiny_runs import TEXT

SPEC = TextDataSpec(train="corpus.txt")


@pytest.fixture
def reads(tmp_path):
    """`reads(spec, **more)` reads a corpus twice; returns the datasets, and how often the text was encoded."""
    (tmp_path / "corpus.txt").write_text(TEXT)

    def read(spec=SPEC, vocabulary=None, seed=1, keep=True):
        encoded = []

        def report(activity, done, total):
            if activity.startswith("writing") and done == total:
                encoded.append(activity)

        cache = CorpusCache.beside(tmp_path / "run", keep=keep)
        dataset = read_dataset(spec, seed, tmp_path, vocabulary, cache=cache, report=report)
        return dataset, len(encoded)

    return read


def kept(folder):
    return sorted((folder / FOLDER).glob("*")) if (folder / FOLDER).exists() else []


def same(one, other):
    assert one.vocabulary == other.vocabulary
    assert (one.notices, one.fingerprint) == (other.notices, other.fingerprint)
    for ours, theirs in zip(one.splits, other.splits, strict=True):
        assert ours.ids[:].tobytes() == theirs.ids[:].tobytes()
        assert ours.starts[:].tolist() == theirs.starts[:].tolist()


@pytest.mark.parametrize("data_format", ["stream", "lines"])
def test_the_second_time_nothing_is_encoded(reads, tmp_path, data_format):
    spec = replace(SPEC, format=data_format)
    first, encoded = reads(spec)
    assert encoded == 1
    again, encoded = reads(spec)
    assert encoded == 0
    same(first, again)
    (file,) = kept(tmp_path)
    assert re.fullmatch(r"[0-9a-f]{32}\.ids", file.name)


OTHERS = {
    "level": {"tokenizer": TokenizerSpec("word")},
    "case": {"tokenizer": TokenizerSpec(lowercase=True)},
    "count": {"tokenizer": TokenizerSpec(min_count=2)},
    "size": {"tokenizer": TokenizerSpec(max_size=5)},
    "format": {"format": "lines"},
    "encoding": {"encoding": "latin-1"},
    "split": {"split": SplitSpec(0.1, 0.05)},
    "validation": {"validation": "corpus.txt"},
    "more": {"train": ("corpus.txt", "corpus.txt")},
}


@pytest.mark.parametrize("change", OTHERS)
def test_other_settings_are_encoded_on_their_own(reads, tmp_path, change):
    reads()
    assert reads(replace(SPEC, **OTHERS[change]))[1] == 1
    assert [reads()[1], reads(replace(SPEC, **OTHERS[change]))[1]] == [0, 0]
    assert len(kept(tmp_path)) == 2


def test_what_the_ids_do_not_depend_on_changes_nothing(reads, tmp_path):
    first, _ = reads()
    (tmp_path / "renamed.txt").write_text(TEXT)
    again, encoded = reads(replace(SPEC, train="renamed.txt"), seed=2)
    assert encoded == 0
    same(first, again)
    lines = replace(SPEC, format="lines")
    assert [reads(lines, seed=seed)[1] for seed in (1, 2, 1, 2)] == [1, 1, 0, 0]


def test_another_text_or_way_of_encoding_is_encoded(reads, tmp_path, monkeypatch):
    reads()
    (tmp_path / "corpus.txt").write_text(TEXT[::-1])
    assert reads()[1] == 1
    monkeypatch.setattr(text_encoding, "VERSION", 99)
    assert reads()[1] == 1
    monkeypatch.setattr(text_encoding.unicodedata, "unidata_version", "99")
    assert reads()[1] == 1


def test_a_given_vocabulary_finds_its_own(reads):
    first, _ = reads()
    again, encoded = reads(vocabulary=first.vocabulary)
    assert encoded == 0
    same(first, again)
    other = built(["abc "], TokenizerSpec(), items=False)
    found = [reads(vocabulary=other) for _ in range(2)]
    assert [encoded for _, encoded in found] == [1, 0]
    assert found[0][0].vocabulary == other
    same(found[0][0], found[1][0])
    assert reads()[1] == 0


def test_without_leave_to_keep_nothing_is_written(reads, tmp_path):
    assert [reads(keep=False)[1] for _ in range(2)] == [1, 1]
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.txt"]
    same(reads(keep=True)[0], reads(keep=False)[0])
    assert reads(keep=False)[1] == 0


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "a folder", "a pipe", "unreadable"])
def test_what_is_damaged_is_made_again(reads, tmp_path, damage, monkeypatch):
    first, _ = reads(keep=False)
    reads()
    (file,) = kept(tmp_path)
    data = file.read_bytes()
    if damage in ("cut", "flipped", "emptied"):
        file.write_bytes({"cut": data[:-9], "flipped": b"\xff" + data[1:], "emptied": b""}[damage])
    elif damage == "unreadable":
        monkeypatch.setattr(corpus_cache, "_open_at_once", lambda path, flags: os.open("/nothing", flags))
    else:
        file.unlink()
        file.mkdir() if damage == "a folder" else os.mkfifo(file)
    again, encoded = reads()
    assert encoded == 1
    same(first, again)
    if damage in ("cut", "flipped", "emptied", "a pipe"):
        assert file.read_bytes() == data
        assert reads()[1] == 0
    assert [path.name for path in kept(tmp_path)] == [file.name]


@pytest.mark.parametrize("wrong", ["a file that was skipped", "a vocabulary"])
def test_what_cannot_be_of_these_files_is_made_again(reads, tmp_path, monkeypatch, wrong):
    vocabulary = built([TEXT, TEXT], TokenizerSpec(), items=False)
    first, _ = reads(vocabulary=vocabulary)
    write = text_encoding.write_encoded

    def write_wrongly(file, numbering, vocabulary, skipped, report):
        if wrong == "a vocabulary":
            vocabulary = built(["abc "], TokenizerSpec(), items=False)
        write(file, numbering, vocabulary, [1] if wrong == "a file that was skipped" else skipped, report)

    for path in kept(tmp_path):
        path.unlink()
    with monkeypatch.context() as patched:
        patched.setattr(text_encoding, "write_encoded", write_wrongly)
        with suppress(IndexError):  # of its notice
            reads(vocabulary=vocabulary)
    found = [reads(vocabulary=vocabulary) for _ in range(2)]
    assert [encoded for _, encoded in found] == [1, 0]
    same(first, found[0][0])


def test_a_folder_that_cannot_be_made_is_done_without(reads, tmp_path):
    (tmp_path / FOLDER).write_text("a file")
    assert [reads()[1] for _ in range(2)] == [1, 1]
    assert (tmp_path / FOLDER).read_text() == "a file"


def test_what_was_not_used_for_long_is_forgotten(reads, tmp_path):
    reads()
    (old,) = kept(tmp_path)
    stale = old.with_name(f".{'1' * 32}.ids.tmp")
    stale.write_bytes(b"left by a killed process")
    others = [old.with_name(name) for name in ("notes.txt", "corpus.ids", f"{old.name}.bak", "0" * 32 + ".ids")]
    for path in others[:-1]:
        path.write_text("of somebody else")
        os.utime(path, (0, 0))
    others[-1].symlink_to("notes.txt")
    os.utime(others[-1], (0, 0), follow_symlinks=False)
    for path in (old, stale):
        os.utime(path, (0, 0))
    assert reads()[1] == 0  # used again, it is new
    for path in (old, stale):
        os.utime(path, (0, 0))
    reads(replace(SPEC, format="lines"))
    (only,) = {*kept(tmp_path)} - {*others}
    assert {*others} < {*kept(tmp_path)}
    assert only != old
    assert only.stat().st_size > 0


def test_runs_beside_each_other_share_it(tmp_path):
    link = tmp_path / "link"
    (tmp_path / "runs" / "a").mkdir(parents=True)
    link.symlink_to(tmp_path / "runs" / "a")
    folders = {CorpusCache.beside(path, keep=True).folder for path in (tmp_path / "runs" / "b", link)}
    assert folders == {Path(os.path.realpath(tmp_path)) / "runs" / ".rnncli-cache"}
