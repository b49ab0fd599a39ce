import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

from rnncli import experiments
from rnncli.data import example_batches
from rnncli.errors import DataError
from rnncli.nn.cells import CELLS
from rnncli.tasks import sequence_model
from tests.tasks.labelled_runs import EXAMPLES, labelled_task, regression_task, trained


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three runs, to be read only."""
    folder = tmp_path_factory.mktemp("runs")
    trained(labelled_task(model={"bidirectional": True, "readout": "attention"}, epochs=2), folder, "texts")
    trained(regression_task(epochs=8), folder, "values")
    relu = labelled_task(model={"cell": CELLS["rnn"](activation="relu")}, epochs=1)
    trained(relu, folder, "relu")
    return folder


@pytest.fixture
def texts(folder):
    return experiments.load(folder / "texts").sequences


@pytest.fixture
def values(folder):
    return experiments.load(folder / "values").sequences


def with_data(reader, **changes):
    """The same model, as if its training data had been others."""
    return replace(reader, task=replace(reader.task, data=replace(reader.task.data, **changes)))


class TestAnswers:
    @pytest.mark.parametrize(("sequences", "steps"), [(64, 1 << 14), (5, 1 << 14), (64, 9), (1, 1)])
    def test_do_not_depend_on_the_batch_the_order_or_the_neighbours(self, texts, monkeypatch, sequences, steps):
        monkeypatch.setattr(example_batches, "SEQUENCES", sequences)
        monkeypatch.setattr(example_batches, "STEPS", steps)
        ids = texts.resources["vocabulary"]["tokens"].index
        alone = [np.array([[ids(word)] for word in text.split()]) for text, _ in EXAMPLES]
        read = [texts.read_line(text, "") for text, _ in EXAMPLES]
        order = np.random.default_rng(0).permutation(len(read))
        for found, answer in ((texts.outputs, texts.model.predict), (texts.vectors, texts.model.vectors)):
            expected = np.hstack([answer(each) for each in alone])
            assert np.ptp(expected, axis=1).min() > 0.05
            np.testing.assert_allclose(found(read), expected, rtol=0, atol=1e-6)
            np.testing.assert_allclose(found([read[i] for i in order]), expected[:, order], rtol=0, atol=1e-6)

    def test_groups_are_within_their_bounds(self, texts, monkeypatch):
        seen = []
        predict = texts.model.predict
        monkeypatch.setattr(texts.model, "predict", lambda ids, mask: seen.append(ids.shape) or predict(ids, mask))
        monkeypatch.setattr(example_batches, "STEPS", 1000)
        rng = np.random.default_rng(1)
        lengths = [*rng.integers(1, 30, 300).tolist(), 250]
        texts.outputs([np.zeros(length, np.intp) for length in lengths])
        assert sum(B for _, B in seen) == 301
        assert max(B for _, B in seen) == 64
        assert all(T * B <= 1000 for T, B in seen)
        assert len(seen) < 15  # and not one by one
        seen.clear()
        texts.outputs([np.zeros(length, np.intp) for length in (1001, 2, 2)])
        assert seen == [(1001, 1), (2, 2)]

    def test_of_nothing(self, texts):
        assert texts.outputs([]).shape == (2, 0)
        assert texts.vectors([]).shape == (16, 0)

    def test_values_are_in_their_unit(self, values):
        (found,) = values.outputs([values.read_line("30,0.5", "")])
        assert found == pytest.approx([3 * 30 - 20 * 0.5 + 7], rel=0.3)
        plain = values.model.predict(values.read_line("30,0.5", "").T[:, :, None])
        scale = values.resources["scale"]
        assert found == pytest.approx(plain[0] * scale["deviation"][0] + scale["mean"][0], rel=1e-6)

    def test_what_overflows_is_not_finite_and_no_warning(self, folder):
        reader = experiments.load(folder / "relu").sequences
        reader.model.stack.layers[0].weight_hh.value[:] = 9
        reader.model.stack.layers[0].bias.value[:] = 1
        found = reader.outputs([np.zeros(n, np.intp) for n in (1, 200)])
        assert np.isfinite(found).all(axis=0).tolist() == [True, False]


class TestLines:
    @pytest.mark.parametrize(
        ("line", "rows"),
        [
            ("1.5,2", [[1.5, 2]]),
            (" 1.5 ,\t-2e1 ", [[1.5, -20]]),
            ("[1.5, 2]", [[1.5, 2]]),
            (" [[1.5, 2], [3, 4]]", [[1.5, 2], [3, 4]]),
        ],
    )
    def test_of_vectors(self, values, line, rows):
        scale = values.resources["standardization"]
        expected = (np.array(rows) - scale["mean"]) / scale["deviation"]
        np.testing.assert_allclose(values.read_line(line, ""), expected, rtol=1e-6)

    def test_of_vectors_are_rounded_like_those_of_files(self, values):
        file = values.read(np.array([[1 / 3, 0.1]], np.float32), "")
        np.testing.assert_array_equal(values.read_line(f"{1 / 3},0.1", ""), file)

    @pytest.mark.parametrize(
        "line",
        [
            *("", " ", "a film", "1.5;2", "1,", "1,nan", "1,1e999", "1_0,2", "9" * 5000 + ",1e"),
            *("[", "[]", "[[]]", "[[1, 2], [3]]", "[[1, 2], 3]", '["1", "2"]', "[true, 2]", "[[[1, 2]]]", "[1, NaN]"),
            *("[1, null]", "{}", '[{"a": 1}]', "[1, 2] 3", "[" * 100_000),
            *("[1, " + "9" * 5000 + "]", "[1, " + "9" * 400 + "]"),
        ],
        ids=lambda line: line[:20],
    )
    def test_that_hold_no_vectors(self, values, line):
        with pytest.raises(DataError, match="not a vector of finite numbers") as caught:
            values.read_line(line, "stdin:3")
        assert caught.value.where == "stdin:3"

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("1", "vectors of 1 numbers, where the model reads vectors of 2"),
            ("1e300,1", "beyond 3.4e38, the largest float32"),
            ("1,3e38", "too far from a mean of"),
        ],
    )
    def test_of_vectors_that_cannot_be_answered(self, values, line, message):
        with pytest.raises(DataError, match=message):
            values.read_line(line, "")

    def test_of_texts(self, texts):
        tokens = texts.resources["vocabulary"]["tokens"]
        assert [tokens[i] for i in texts.read_line("  A good\tFILM never-seen", "").tolist()][:3] == [
            *("a", "good", "film")
        ]
        for line in ("", " \t "):
            with pytest.raises(DataError, match="the text is empty"):
                texts.read_line(line, "")

    def test_a_sequence_is_cut_as_in_training_or_refused_where_it_is_too_long(self, texts, values, monkeypatch):
        monkeypatch.setattr(sequence_model, "LONGEST", 5)
        assert len(texts.read_line("a " * 5, "")) == 5
        with pytest.raises(DataError, match="a sequence of 6 steps, where at most 5 are answered"):
            texts.read_line("a " * 6, "")
        with pytest.raises(DataError, match="a sequence of 6 steps"):
            values.read_line(json.dumps([[1, 2]] * 6), "")
        cut = with_data(texts, max_length=3)
        np.testing.assert_array_equal(cut.read_line("a good film and a plot", ""), texts.read_line("a good film", ""))

    @pytest.mark.parametrize(
        ("format", "train", "passed_over"),
        [
            ("fasttext", "a.csv", True),
            ("auto", "a.txt", True),
            ("auto", ("a.csv", "b.txt"), True),
            ("auto", "a.csv", False),
            ("auto", ("a.jsonl", "b.CSV"), False),
            ("csv", "a.txt", False),
        ],
    )
    def test_labels_before_a_text_are_passed_over_where_they_were_in_training(self, texts, format, train, passed_over):  # noqa: A002
        reader = with_data(texts, format=format, train=train)
        plain = texts.read_line("a good film", "").tolist()
        labelled = reader.read_line("__label__pos  __label__x a good film", "").tolist()
        assert (labelled == plain) == passed_over
        assert reader.read_line("a good film", "").tolist() == plain
        assert (len(reader.read_line("a __label__pos", "")) == 1) == passed_over
        if passed_over:
            with pytest.raises(DataError, match="the text is empty"):
                reader.read_line("__label__pos", "")


class TestFiles:
    @pytest.mark.parametrize(
        ("format", "train", "path", "name"),
        [
            ("auto", "a.csv", "b.csv", "csv"),
            ("auto", "a.csv", "b.NDJSON", "jsonl"),
            ("auto", "a.csv", "b.npz", "npz"),
            ("auto", "a.csv", "b.txt", ""),
            ("auto", "a.txt", "b.txt", ""),
            ("auto", "a.txt", "b.tsv", "tsv"),
            ("fasttext", "a.csv", "b.csv", "csv"),
            ("jsonl", "a.json", "b.json", "jsonl"),
            ("jsonl", "a.json", "b.txt", ""),
            ("tsv", ("x.csv", "a.dat"), "b.csv", "tsv"),
            ("csv", "a", "b", "csv"),
            ("auto", "a.csv", ".", "auto"),
            ("folder", "a", "b", "folder"),
            ("folder", "a", ".", "folder"),
        ],
    )
    def test_are_read_as_their_names_say_or_like_the_training_data(self, texts, format, train, path, name):  # noqa: A002
        assert with_data(texts, format=format, train=train).file_format(path) == name

    def test_in_another_encoding(self, texts, tmp_path):
        (tmp_path / "a.csv").write_bytes("text\nein Käse\n".encode("latin-1"))
        (example,) = texts.read_file(str(tmp_path / "a.csv"), "csv", "latin-1")
        assert (example.input, example.labels) == ("ein Käse", ())
        with pytest.raises(DataError, match="is not utf-8"):
            list(texts.read_file(str(tmp_path / "a.csv"), "csv"))

    def test_of_the_other_kind_do_not_fit(self, texts, values):
        given = ["a film", "", np.zeros((3, 2), np.float32), np.zeros((3, 1), np.float32)]
        assert [texts.fits(each) for each in given] == [True, True, False, False]
        assert [values.fits(each) for each in given] == [False, False, True, False]
        for reader, each in itertools.product((texts, values), given[:1] + given[2:]):
            if not reader.fits(each):
                with pytest.raises(DataError):
                    reader.read(each, "")
