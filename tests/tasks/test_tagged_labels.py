"""The labels of steps: spans by their schemes, checked and mended; several labels of a step."""

import json

import pytest

from rnncli.errors import DataError
from rnncli.tasks import tagged_data
from rnncli.tasks.text_spec import SplitSpec
from tests.tasks.tagged_runs import OF_FRAMES, conll, read, read_other, tagged, tagged_task, without_format

WHOLE = {"split": SplitSpec(validation=0.0, test=0.0)}
GOOD = "Ann B-PER\nsaw O\nBo B-PER\n\nthe O\ndog O\n\n" * 4
BROKEN = "Bo O\nleft O\nAnn I-PER\nLee I-PER\n\n"


class TestSchemes:
    @pytest.mark.parametrize(
        ("labels", "asked", "scheme"),
        [
            ("B-PER I-PER O", "auto", "bio"),
            ("B-PER E-PER O", "auto", "bioes"),
            ("S-PER O O", "auto", "bioes"),
            ("PRON VERB ADJ", "auto", None),
            ("B-PER I-PER O", "none", None),
            ("B-PER I-PER O", "bio", "bio"),
            ("B-PER I-LOC O", "none", None),
        ],
    )
    def test_are_seen_in_the_labels_or_asked_for(self, tmp_path, labels, asked, scheme):
        text = "".join(f"{token} {label}\n" for token, label in zip("abc", labels.split(), strict=True)) + "\n"
        dataset = read(tmp_path, tagged_task({"scheme": asked, **WHOLE}), **{"train.conll": text * 3})
        assert without_format(dataset.outputs) == {"outputs": sorted(set(labels.split())), "scheme": scheme}

    def test_are_seen_in_the_training_part_alone(self, tmp_path):
        task = tagged_task({"validation": "v.conll"})
        files = {"train.conll": "a X\nb Y\n\n" * 30, "v.conll": "a X\nb I-PER\n\n"}
        assert without_format(read(tmp_path, task, **files).outputs) == {"outputs": ["X", "Y"], "scheme": None}
        with pytest.raises(DataError, match=r'v.conll:1: "S-X": there is no S- in BIO'):
            read(tmp_path, task, **{"train.conll": "a B-X\nb O\n\n" * 30, "v.conll": "a S-X\n\n"})

    @pytest.mark.parametrize("name", ["train", "validation", "test"])
    def test_a_label_that_breaks_one_is_refused_wherever_it_stands(self, tmp_path, name):
        files = {"train.conll": GOOD, "v.conll": GOOD, "t.conll": GOOD}
        file = {"train": "train.conll", "validation": "v.conll", "test": "t.conll"}[name]
        files[file] += BROKEN + BROKEN
        task = tagged_task({"validation": "v.conll", "test": "t.conll"})
        with pytest.raises(DataError) as caught:
            read(tmp_path, task, **files)
        assert str(caught.value) == (
            f'{tmp_path}/{file}:31: "I-PER" after "O": a span begins with B-; 2 labels break BIO in all; '
            "mend them, or train with data.repair=true, or data.scheme=none"
        )
        assert caught.value.exit_status == 3

    @pytest.mark.parametrize(
        ("scheme", "line", "message"),
        [
            ("bio", "Bo E-PER", ':29: "E-PER": there is no E- in BIO;'),
            ("bio", "Bo PER", ':29: "PER" is neither O nor B- or I-;'),
            ("bioes", "Ann B-PER", ':1: "B-PER" before "O": a span of one step is S-; 9 labels break BIOES in all;'),
        ],
    )
    def test_what_is_wrong_is_said(self, tmp_path, scheme, line, message):
        with pytest.raises(DataError, match=message):
            read(tmp_path, tagged_task({"scheme": scheme}), **{"train.conll": f"{GOOD}{line}\n\n"})

    def test_of_objects_the_step_is_named(self, tmp_path):
        rows = [{"tokens": ["a", "b"], "labels": ["O", "B-X"]}] * 3 + [{"tokens": ["a", "b"], "labels": ["O", "I-X"]}]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        with pytest.raises(DataError, match=r'a.jsonl:4, step 1: "I-X" after "O"'):
            read(tmp_path, tagged_task({"train": "a.jsonl"}), **{"a.jsonl": text})

    def test_are_mended_on_request_in_every_part(self, tmp_path):
        files = {"train.conll": GOOD + BROKEN, "v.conll": GOOD + BROKEN, "t.conll": BROKEN}
        task = tagged_task({"validation": "v.conll", "test": "t.conll", "repair": True})
        dataset = read(tmp_path, task, **files)
        assert without_format(dataset.outputs) == {"outputs": ["B-PER", "I-PER", "O"], "scheme": "bio"}
        mended = [("Bo", "O"), ("left", "O"), ("Ann", "B-PER"), ("Lee", "I-PER")]
        for part in dataset.splits:
            found = tagged(part, dataset.names)
            assert found.count(mended) == 1
            assert sum(label == "I-PER" for rows in found for _, label in rows) == 1

    def test_labels_of_iob1_are_mended_to_bio(self, tmp_path):
        iob1 = "Ann I-PER\nLee I-PER\nKim B-PER\nat O\nAcme I-ORG\n\n"
        dataset = read(tmp_path, tagged_task({"repair": True, **WHOLE}), **{"train.conll": iob1 * 3})
        labels = [label for _, label in tagged(dataset.splits.train, dataset.names)[0]]
        assert labels == ["B-PER", "I-PER", "B-PER", "O", "B-ORG"]
        assert dataset.names == ["B-ORG", "B-PER", "I-PER", "O"]  # I-ORG is no label any more

    def test_of_other_files_are_checked_and_mended_too(self, tmp_path):
        dataset = read(tmp_path, tagged_task(), **{"train.conll": conll()})
        with pytest.raises(DataError, match=r'o.conll:3: "I-PER" after "O"'):
            read_other(tmp_path, dataset, tagged_task(), **{"o.conll": BROKEN})
        part, _ = read_other(tmp_path, dataset, tagged_task({"repair": True}), **{"o.conll": BROKEN})
        assert [label for _, label in tagged(part, dataset.names)[0]] == ["O", "O", "B-PER", "I-PER"]


class TestSeveralLabels:
    def test_are_booleans_and_unknown_ones_are_told(self, tmp_path):
        rows = ("id,token,label", "0,a,x|y", "0,b,", "1,c,y", "1,d,x", "2,a,z|x")
        task = tagged_task({"train": "a.csv", "sequence": "id", "multi_label": True, "validation": "v.csv"})
        files = {"a.csv": "\n".join(rows), "v.csv": "id,token,label\n0,a,w\n0,b,x|w\n0,c,z\n"}
        dataset = read(tmp_path, task, **files)
        assert without_format(dataset.outputs) == {"outputs": ["x", "y", "z"], "scheme": None}
        train, validation = dataset.splits[:2]
        found = {
            token: [name for name, on in zip("xyz", train.targets[:, step].tolist(), strict=True) if on]
            for i in range(len(train))
            for token, step in zip(train.tokens(i), range(*train.starts[i : i + 2].tolist()), strict=True)
            if len(train.input(i)) > 1
        }
        assert found == {"a": ["x", "y"], "b": [], "c": ["y"], "d": ["x"]}
        assert validation.targets.astype(int).tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 1]]
        assert validation.unknown.tolist() == [True, True, False]
        assert any(notice.endswith("v.csv:2") for notice in dataset.notices)

    def test_need_to_be_asked_for(self, tmp_path):
        text = '{"tokens": ["a", "b"], "labels": ["x", ["x", "y"]]}\n'
        with pytest.raises(DataError, match=r"a.jsonl:1, step 1: 2 labels .*multi_label"):
            read(tmp_path, tagged_task({"train": "a.jsonl"}), **{"a.jsonl": text})

    def test_too_many_answers_are_refused(self, tmp_path, monkeypatch):
        monkeypatch.setattr(tagged_data, "MOST_ANSWERS", 5)
        with pytest.raises(DataError, match=r"2 labels for each of \d+ steps are more than 5"):
            read(tmp_path, tagged_task({"train": "several.csv", "multi_label": True, **OF_FRAMES}))

    def test_no_scheme_is_looked_for(self, tmp_path):
        task = tagged_task({"multi_label": True, **WHOLE})
        dataset = read(tmp_path, task, **{"train.conll": "a O\nb I-X|B-X\n\n" * 3})
        assert without_format(dataset.outputs) == {"outputs": ["B-X", "I-X", "O"], "scheme": None}
