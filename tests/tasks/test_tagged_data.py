"""Tagged files to a dataset: what comes from the training part, what files of their own are, what is refused."""

from pathlib import Path

import numpy as np
import pytest

from rnncli.data import TokenizerSpec
from rnncli.errors import DataError
from rnncli.models.character_encoder import CharacterEncoderSpec
from rnncli.tasks.text_spec import SplitSpec
from tests.tasks.tagged_runs import OF_FRAMES, SENTENCES, conll, conllu, read, read_other, table, tagged, tagged_task

WHOLE = {"split": SplitSpec(validation=0.0, test=0.0)}
GOOD = "Ann B-PER\nsaw O\nBo B-PER\n\nthe O\ndog O\n\n" * 4
LETTERS = CharacterEncoderSpec(embedding_size=3, hidden_size=2)


class TestParts:
    def test_every_sentence_is_in_one_part_with_its_labels_and_lines(self, tmp_path):
        dataset = read(tmp_path, tagged_task())
        found = [rows for part in dataset.splits for rows in tagged(part, dataset.names)]
        assert sorted(found) == sorted([(token, span) for token, _, span in rows] for rows in SENTENCES)
        assert [len(part) for part in dataset.splits] == [80, 10, 10]
        lines = conll().split("\n")
        for part in dataset.splits:
            assert part.of_steps
            for step in range(len(part.values)):
                i = part.sequence_of(step)
                file, _, line = part.place(step).rpartition(":")
                token, _, span = lines[int(line) - 1].split("\t")
                assert Path(file).name == "train.conll"
                assert (token, span) == tagged(part, dataset.names)[i][step - part.starts[i]]

    def test_ids_are_those_of_the_vocabulary_and_rare_words_unknown(self, tmp_path):
        rare = "Ann B-PER\nwhispers O\n\n"
        task = tagged_task(WHOLE)
        dataset = read(tmp_path, task, **{"train.conll": GOOD + rare})
        tokens = dataset.resources["vocabulary"]["tokens"]
        assert dataset.names == ["B-PER", "O"]
        assert set(tokens) == {"<unk>", "Ann", "saw", "Bo", "the", "dog"}
        part = dataset.splits.train
        read_back = [[tokens[i] for i in part.input(i).tolist()] for i in range(len(part))]
        assert sorted(read_back) == sorted([["Ann", "saw", "Bo"], ["the", "dog"]] * 4 + [["Ann", "<unk>"]])
        assert ["Ann", "whispers"] in [part.tokens(i) for i in range(len(part))]  # as they stand there
        assert "4.55% of the train tokens are not in the vocabulary" in dataset.notices

    def test_labels_words_and_characters_come_from_training_alone(self, tmp_path):
        new = "Zoë B-PER\nsaw O\nÜX B-NEW\nÜX I-NEW\n\nthe O\n\n"
        task = tagged_task({"validation": "v.conll", "test": "v.conll"}, {"characters": CharacterEncoderSpec()})
        dataset = read(tmp_path, task, **{"train.conll": GOOD, "v.conll": new})
        assert [len(part) for part in dataset.splits] == [8, 2, 2]
        assert dataset.names == ["B-PER", "O"]
        assert not {"Zoë", "ÜX"} & set(dataset.resources["vocabulary"]["tokens"])
        letters = dataset.resources["characters"]["tokens"]
        assert set(letters) == {"<unk>", *"AnnsawBothedog"}
        part = dataset.splits.validation
        assert part.targets.tolist() == [0, 1, -1, -1, 1]
        assert part.unknown.tolist() == [False, False, True, True, False]
        for name in ("validation", "test"):
            assert f"60.00% of the {name} tokens are not in the vocabulary" in dataset.notices
            what = f"{name} steps with a label that is not in the training part: 2, first {tmp_path}/v.conll:3"
            assert what in dataset.notices

        def spelled(word):
            start, stop = part.spellings.starts[word : word + 2]
            return "".join(letters[i] for i in part.spellings.characters[start:stop].tolist())

        assert [spelled(word) for word in part.words.tolist()] == ["<unk>o<unk>", "saw", *["<unk><unk>"] * 2, "the"]

    def test_words_are_not_spelled_out_unless_the_model_reads_them_so(self, tmp_path):
        dataset = read(tmp_path, tagged_task())
        assert "characters" not in dataset.resources
        assert dataset.splits.train.words is dataset.splits.train.spellings is None

    def test_a_label_with_one_example_is_named(self, tmp_path):
        dataset = read(tmp_path, tagged_task(WHOLE), **{"train.conll": GOOD + "Sue B-ORG\n\n"})
        assert "labels with one example to train on: 1, the first B-ORG" in dataset.notices

    def test_lower_case_is_for_the_vocabulary_and_letters_keep_theirs(self, tmp_path):
        task = tagged_task({"tokenizer": TokenizerSpec("word", lowercase=True), **WHOLE}, {"characters": LETTERS})
        dataset = read(tmp_path, task, **{"train.conll": GOOD})
        part = dataset.splits.train
        assert set(dataset.resources["vocabulary"]["tokens"]) == {"<unk>", "ann", "saw", "bo", "the", "dog"}
        assert {"A", "B"} < set(dataset.resources["characters"]["tokens"])
        assert dataset.inputs.vocabulary.unknown_id not in part.values
        assert ["Ann", "saw", "Bo"] in [part.tokens(i) for i in range(len(part))]

    def test_given_resources_are_kept(self, tmp_path):
        known = read(tmp_path, tagged_task({}, {"characters": LETTERS})).resources
        text = conll().replace("dog", "emu")
        again = read(tmp_path, tagged_task({}, {"characters": LETTERS}), known, **{"train.conll": text})
        assert again.resources == known
        assert (again.splits.train.values == again.inputs.vocabulary.unknown_id).any()


class TestOtherFiles:
    def test_say_what_the_model_does_not_know(self, tmp_path):
        dataset = read(tmp_path, tagged_task())
        part, notices = read_other(
            tmp_path, dataset, tagged_task(), **{"a.conll": "Ann B-PER\nemus B-NEW\n\n", "b.conll": "Zed B-NEW\n\n"}
        )
        assert part.targets.tolist() == [dataset.names.index("B-PER"), -1, -1]
        assert part.unknown.tolist() == [False, True, True]
        assert notices == [
            "66.67% of the given tokens are not in the vocabulary",
            f"steps with a label that the model does not know: 2, first {tmp_path}/a.conll:2",
        ]

    @pytest.mark.parametrize(
        ("trained", "data", "file", "text"),
        [
            ("train.conll", {"label": 2}, "o.conllu", conllu(SENTENCES[:4])),
            ("train.conll", {"label": 2}, "o.csv", table(SENTENCES[:4]).replace("label", "x").replace("pos", "label")),
            ("a.tsv", {"format": "conll", "label": 2}, "o.tsv", conll(SENTENCES[:4])),
            ("a.tsv", {"format": "conll", "label": 2}, "o.txt", conll(SENTENCES[:4])),
            ("a.tsv", {"format": "conll", "label": 2}, "o.conllu", conllu(SENTENCES[:4])),
            ("a.csv", {"label": "pos", "sequence": "sentence"}, "o.tsv", table(SENTENCES[:4], "\t")),
            ("a.csv", {"label": "pos", "sequence": "sentence"}, "o.conll", conll([[r[:2] for r in SENTENCES[0]]])),
            ("a.conllu", {"label": "upos"}, "o.conll", conll([[r[:2] for r in SENTENCES[0]]])),
        ],
        ids=lambda value: "" if isinstance(value, str) and "\n" in value else str(value),
    )
    def test_are_read_by_their_own_format_and_columns(self, tmp_path, trained, data, file, text):
        texts = {"train.conll": conll(), "a.tsv": conll(), "a.csv": table(), "a.conllu": conllu()}
        task = tagged_task({"train": trained} | data)
        dataset = read(tmp_path, task, **{trained: texts[trained]})
        part, notices = read_other(tmp_path, dataset, task, **{file: text})
        found = [row for rows in tagged(part, dataset.names) for row in rows]
        expected = [(token, pos) for rows in SENTENCES[:4] for token, pos, _ in rows]
        assert found == expected[: len(found)]
        assert len(found) in (len(expected), len(SENTENCES[0]))
        assert notices == []

    def test_of_the_other_kind_are_refused(self, tmp_path):
        words = read(tmp_path, tagged_task())
        frames = read(tmp_path, tagged_task({"train": "frames.csv", **OF_FRAMES}))
        with pytest.raises(DataError, match=r"v.jsonl:1: vectors, where the model reads texts"):
            read_other(tmp_path, words, tagged_task(), **{"v.jsonl": '{"vectors": [[1, 2]], "labels": ["O"]}\n'})
        for file, text, message in (
            ("a.conll", "a up\n\n", "a.conll:1: a text, where the model reads vectors of 2 numbers"),
            (
                "w.jsonl",
                '{"vectors": [[1]], "labels": ["up"]}',
                "w.jsonl:1: vectors of 1 numbers, where the model reads",
            ),
        ):
            with pytest.raises(DataError, match=message):
                read_other(tmp_path, frames, tagged_task({"train": "frames.csv", **OF_FRAMES}), **{file: text})


class TestRefusals:
    @pytest.mark.parametrize("labels", ["O", "B-PER"])
    def test_one_label_alone(self, tmp_path, labels):
        message = rf'train.conll:\d and all others to train on have only the label "{labels}"; give examples'
        with pytest.raises(DataError, match=message):
            read(tmp_path, tagged_task(), **{"train.conll": f"a {labels}\n\nb {labels}\n\nc {labels}\n\n"})

    def test_no_training_data(self, tmp_path):
        with pytest.raises(DataError, match="no training data; name a file: rnncli train --task tagging"):
            read(tmp_path, tagged_task({"train": ()}))

    @pytest.mark.parametrize(
        ("validation", "crf", "message"),
        [
            ("a Q\nb Z\n\n", False, "v.conll:1: no validation step has a label that is in the training part"),
            ("a X\nb Q\n\na Z\n\n", True, "v.conll:2: no validation sequence has only labels that are in the training"),
            ("a X\nb Q\n\na Z\n\n", False, ""),
            ("a X\nb Q\n\na Y\n\n", True, ""),
        ],
    )
    def test_a_validation_part_that_no_loss_is_of(self, tmp_path, validation, crf, message):
        files = {"train.conll": "a X\nb Y\n\n" * 20, "v.conll": validation}
        task = tagged_task({"validation": "v.conll"}, {"crf": crf})
        if message:
            with pytest.raises(DataError, match=message):
                read(tmp_path, task, **files)
            return
        dataset = read(tmp_path, task, **files)
        assert task.evaluate(task.build_model(dataset.resources, None), dataset.resources, dataset.splits.validation)

    def test_of_several_labels_an_unknown_one_is_a_no_to_the_others(self, tmp_path):
        task = tagged_task({"train": "a.conll", "validation": "v.conll", "multi_label": True})
        dataset = read(tmp_path, task, **{"a.conll": "a X|Y\nb Y\n\n" * 20, "v.conll": "a Q\n\n"})
        evaluation = task.evaluate(
            task.build_model(dataset.resources, None), dataset.resources, dataset.splits.validation
        )
        assert evaluation.loss.mean == pytest.approx(np.log(2))  # of a model that knows nothing


def test_the_fingerprint_is_of_the_letters_of_rare_words_too(tmp_path):
    def fingerprint(word, characters):
        text = conll() + f"{word}\tNOUN\tO\n\n"
        task = tagged_task(WHOLE, {"characters": characters})
        return read(tmp_path, task, **{"train.conll": text}).fingerprint

    assert fingerprint("quokka", LETTERS) != fingerprint("wombat", LETTERS)
    assert fingerprint("quokka", None) == fingerprint("wombat", None)  # to this model both are <unk>
