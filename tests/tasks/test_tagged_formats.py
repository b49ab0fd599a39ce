"""Every format of tagged sequences makes the same dataset; each has columns of its own."""

import json
from pathlib import Path

import numpy as np
import pytest

from rnncli.data import TokenizerSpec
from rnncli.errors import DataError, SpecError
from rnncli.tasks.text_spec import SplitSpec
from tests.tasks.tagged_runs import (
    LENGTHS,
    OF_FRAMES,
    ROWS,
    SENTENCES,
    conll,
    conllu,
    jsonl,
    read,
    table,
    tagged,
    tagged_task,
    without_format,
)

WHOLE = {"split": SplitSpec(validation=0.0, test=0.0)}
WORDS = ["abü", "a a", "züb"] * 5
CUT = "a X\nb Y\n\nab X\nabc X\n\n"


class TestFormats:
    @pytest.mark.parametrize(
        ("file", "text", "columns"),
        [
            ("a.conll", conll(), {}),
            ("a.conll", conll().replace("\t", " "), {}),
            ("a.bio", conll().replace("\n", "\r\n"), {}),
            ("a.txt", conll(), {}),
            ("a.conllu", conllu(), {"label": "misc"}),
            ("a.conllu", conllu(), {"label": -1}),
            ("a.csv", table(), {"sequence": "sentence"}),
            ("a.tsv", table(mark="\t"), {"sequence": "sentence", "label": 4}),
            ("a.jsonl", jsonl(), {}),
        ],
        ids=lambda value: "" if isinstance(value, str) and "\n" in value else str(value),
    )
    def test_all_give_the_same(self, tmp_path, file, text, columns):
        expected = read(tmp_path, tagged_task())
        found = read(tmp_path, tagged_task({"train": file} | columns), **{file: text})
        assert without_format(found.resources) == without_format(expected.resources)
        assert found.fingerprint == expected.fingerprint
        for part, others in zip(found.splits, expected.splits, strict=True):
            assert tagged(part, found.names) == tagged(others, expected.names)
            assert np.array_equal(part.values, others.values)

    @pytest.mark.parametrize(
        ("file", "text", "columns"),
        [
            ("a.conll", conll(), {"label": 2}),
            ("a.conll", conll(), {"label": -2}),
            ("a.conllu", conllu(), {}),
            ("a.csv", table(), {"sequence": "sentence", "label": "pos"}),
            ("a.jsonl", jsonl(), {"label": "pos"}),
        ],
        ids=lambda value: "" if isinstance(value, str) and "\n" in value else str(value),
    )
    def test_another_column_holds_other_labels(self, tmp_path, file, text, columns):
        dataset = read(tmp_path, tagged_task({"train": file} | columns), **{file: text})
        assert without_format(dataset.outputs) == {"outputs": ["ADJ", "DET", "NOUN", "PROPN", "VERB"], "scheme": None}
        found = [rows for part in dataset.splits for rows in tagged(part, dataset.names)]
        assert sorted(found) == sorted([(token, pos) for token, pos, _ in rows] for rows in SENTENCES)

    def test_each_part_may_have_its_own_and_columns_are_of_the_training_files(self, tmp_path):
        """Column 2, of parts of speech, is the words themselves in CoNLL-U."""
        task = tagged_task({"label": 2, "validation": "v.conllu", "test": ("t.jsonl", "u.jsonl")})
        files = {"v.conllu": conllu(SENTENCES[:5]), "t.jsonl": "", "u.jsonl": ""}
        for name, some in (("t.jsonl", SENTENCES[5:7]), ("u.jsonl", SENTENCES[7:9])):
            files[name] = jsonl(some).replace('"labels"', '"spans"').replace('"pos"', '"labels"')
        dataset = read(tmp_path, task, **files)
        for part, some in ((dataset.splits.validation, SENTENCES[:5]), (dataset.splits.test, SENTENCES[5:9])):
            assert tagged(part, dataset.names) == [[(token, pos) for token, pos, _ in rows] for rows in some]

    def test_frames_of_columns_and_of_arrays_are_the_same(self, tmp_path):
        expected = read(tmp_path, tagged_task({"train": "frames.csv", **OF_FRAMES}))
        x = np.array([row[2:] for row in ROWS], np.float32)
        y = np.where([row[2] > 0 for row in ROWS], "up", "down")
        np.savez(tmp_path / "frames.npz", x=x, lengths=LENGTHS, y=y)
        found = read(tmp_path, tagged_task({"train": "frames.npz"}))
        assert without_format(found.resources) == without_format(expected.resources)
        assert found.fingerprint == expected.fingerprint
        assert without_format(found.outputs) == {"outputs": ["down", "up"], "scheme": None}
        train = found.splits.train
        assert train.tokens is train.words is None
        np.testing.assert_allclose(train.values.mean(axis=0), 0, atol=1e-6)
        np.testing.assert_allclose(train.values.std(axis=0), 1, atol=1e-6)
        assert train.place(1).endswith(("frames.npz: sequence 0, step 1", "frames.npz: sequence 1, step 0"))
        file, _, line = expected.splits.train.place(1).rpartition(":")
        assert Path(file).name == "frames.csv"
        u = np.float64((tmp_path / "frames.csv").read_text().split("\n")[int(line) - 1].split(",")[2])
        mean, deviation = (expected.resources["standardization"][name][0] for name in ("mean", "deviation"))
        assert expected.splits.train.values[1, 0] == pytest.approx((u - mean) / deviation, rel=1e-5)

    def test_arrays_have_no_columns(self, tmp_path):
        np.savez(tmp_path / "frames.npz", x=np.ones((2, 1)), y=["a", "b"], lengths=[1, 1])
        for columns, message in (
            ({"label": "y"}, "data.label is 'y', which npz does not have"),
            (OF_FRAMES, "npz has"),
        ):
            with pytest.raises(SpecError, match=message):
                read(tmp_path, tagged_task({"train": "frames.npz"} | columns))

    def test_steps_of_characters(self, tmp_path):
        text = "".join(
            json.dumps({"tokens": t, "labels": ["v" if c in "aü" else "c" for c in t]}) + "\n" for t in WORDS
        )
        task = tagged_task({"train": "a.jsonl", "tokenizer": TokenizerSpec("character"), **WHOLE})
        dataset = read(tmp_path, task, **{"a.jsonl": text})
        assert set(dataset.resources["vocabulary"]["tokens"]) == {"<unk>", *"abü z"}
        assert [[*rows] for rows in map(dataset.splits.train.tokens, range(3))] == [[*word] for word in WORDS[:3]]

    def test_words_where_steps_are_characters(self, tmp_path):
        task = tagged_task({"tokenizer": TokenizerSpec("character")})
        with pytest.raises(DataError, match=r't.conll:4: the token "ab", where data.tokenizer.level is character'):
            read(tmp_path, tagged_task({"train": "t.conll", "tokenizer": task.data.tokenizer}), **{"t.conll": CUT})
