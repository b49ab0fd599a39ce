"""A trained tagger at work: labels of sequences, alone and together, of texts, tokens and vectors."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnncli import experiments
from rnncli.data import example_batches
from rnncli.metrics.spans import Span
from rnncli.models.character_encoder import CharacterEncoderSpec
from rnncli.nn.cells import CELLS
from tests.tasks.tagged_runs import OF_FRAMES, SENTENCES, start, tagged_task, trained

ONE_WAY = {"bidirectional": False}
LETTERS = CharacterEncoderSpec(embedding_size=4, hidden_size=4)
KINDS = {
    "words": ({}, {}),
    "letters": ({}, {"characters": LETTERS}),
    "crf": ({}, {"crf": True, "characters": LETTERS}),
    "several": ({"train": "several.csv", "multi_label": True, **OF_FRAMES}, {}),
    "frames": ({"train": "frames.csv", **OF_FRAMES}, {}),
    "fed": ({}, {"recurrence": "both", **ONE_WAY}),
    "fed alone": ({}, {"recurrence": "output", "cell": CELLS["rnn"](), "characters": LETTERS, **ONE_WAY}),
    "fed several": (
        {"train": "several.csv", "multi_label": True, **OF_FRAMES},
        {"recurrence": "both", **ONE_WAY},
    ),
}
TOKENS = [tuple(token for token, _, _ in rows) for rows in SENTENCES]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of each kind that has learnt something, but not all; to be read only."""
    folder = tmp_path_factory.mktemp("runs")
    for name, (data, model) in KINDS.items():
        trained(tagged_task(data, model, steps=10 if model else 24), folder, name)
    return folder


@pytest.fixture(params=KINDS)
def reader(request, folder):
    return experiments.load(folder / request.param).tagger


@pytest.fixture
def words(folder):
    return experiments.load(folder / "words").tagger


@pytest.fixture
def frames(folder):
    return experiments.load(folder / "several").tagger


def saying(reader, *names):
    """The same model, which gives these labels whatever it reads."""
    for parameter in reader.model.parameters().values():
        parameter.value[:] = 0
    reader.model.output.bias.value[:] = [5.0 * (name in names) for name in reader.names]
    return reader


def sequences_of(reader):
    tokens = st.text("AnBoLeKim .é日", min_size=1, max_size=6) | st.sampled_from(sorted({t for s in TOKENS for t in s}))
    if reader.inputs.vocabulary:
        return st.lists(tokens, min_size=1, max_size=7).map(tuple)
    number = st.floats(-4, 4, width=32)
    vectors = st.lists(st.tuples(number, number), min_size=1, max_size=7)
    return vectors.map(lambda rows: np.array(rows, np.float32))


def check_equal(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert (one.labels, one.spans) == (other.labels, other.spans)
        for chances, others in zip(one.probabilities, other.probabilities, strict=True):
            assert chances == pytest.approx(others, abs=1e-5)


class TestNeighbours:
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_an_answer_depends_neither_on_them_nor_on_the_order(self, reader, data):
        given = data.draw(st.lists(sequences_of(reader), min_size=1, max_size=6))
        order = data.draw(st.permutations(range(len(given))))
        alone = [reader.tag([each], sure=True)[0] for each in given]
        near = [p for each in alone for chances in each.probabilities for p in chances.values()]
        if reader.task.data.multi_label and any(abs(p - 0.5) < 1e-4 for p in near):
            return  # rounding decides
        check_equal(reader.tag(given, sure=True), alone)
        check_equal(reader.tag([given[i] for i in order], sure=True), [alone[i] for i in order])

    @pytest.mark.parametrize(("sequences", "steps"), [(5, 1 << 14), (64, 9), (1, 1)])
    def test_nor_on_how_many_are_answered_together(self, words, monkeypatch, sequences, steps):
        expected = words.tag(TOKENS, sure=True)
        assert len({label for each in expected for label in each.labels}) > 2
        monkeypatch.setattr(example_batches, "SEQUENCES", sequences)
        monkeypatch.setattr(example_batches, "STEPS", steps)
        check_equal(words.tag(TOKENS, sure=True), expected)

    def test_nor_on_whether_probabilities_are_asked_for(self, reader):
        given = TOKENS[:20] if reader.inputs.vocabulary else [np.ones((3, 2), np.float32), -np.ones((1, 2), np.float32)]
        for one, other in zip(reader.tag(given), reader.tag(given, sure=True), strict=True):
            assert (one.labels, one.spans, one.probabilities) == (other.labels, other.spans, None)


class TestAnswers:
    def test_are_those_that_are_evaluated(self, reader, folder):
        part, _ = reader.task.read_files([str(folder / Path(reader.task.data.train).name)], reader.resources)
        undo = reader.inputs.standardization.undo if reader.inputs.width else None
        given = [undo(part.input(i)) if undo else tuple(part.tokens(i)) for i in range(len(part))]
        found = reader.tag(given)
        labels = [names for each in found for names in each.labels]
        means = reader.task.evaluate(reader.model, reader.resources, part).metrics
        if reader.task.data.multi_label:
            truth = [tuple(n for n, on in zip(reader.names, row, strict=True) if on) for row in part.targets.T]
        else:
            truth = [(reader.names[k],) for k in part.targets.tolist()]
        accuracy = np.mean([one == other for one, other in zip(labels, truth, strict=True)])
        assert accuracy == pytest.approx(means["token_accuracy" if part.tokens else "frame_accuracy"])
        assert 0.3 < accuracy < 1

    def test_several_labels_that_are_fed_are_those_that_are_given(self, folder):
        """Under the threshold that was asked for: it decides what the next step is told."""
        reader = experiments.load(folder / "fed several").tagger
        reader.model.stack.layers[0].weight_ih.value[:, -3:] *= 20  # the columns of both labels, and of none
        given = [np.random.default_rng(seed).standard_normal((5, 2)).astype(np.float32) for seed in range(20)]
        alike = []
        for threshold in (0.2, 0.5, 0.8):
            found = reader.tag(given, threshold=threshold, sure=True)
            for vectors, each in zip(given, found, strict=True):
                x = reader.inputs.standardization.apply(vectors).T[:, :, None]
                batch = SimpleNamespace(inputs=x.astype(np.float32), mask=None, words=None, spelled=None)
                scores = reader.model.scores(batch, threshold=threshold)
                chances = reader.model.probabilities(scores, None)[..., 0]
                said = [zip(reader.names, column >= threshold, strict=True) for column in chances.T]
                assert each.labels == [tuple(name for name, on in step if on) for step in said]
                own = [p for step in each.probabilities for p in step.values()]
                assert own == pytest.approx(chances.T[threshold <= chances.T].tolist(), rel=1e-4)
                alike.append(np.allclose(scores, reader.model.scores(batch, threshold=0.5)))
        assert 0.3 < np.mean(alike) < 1

    def test_probabilities_are_those_of_the_labels(self, words):
        (found,) = words.tag([TOKENS[0]], sure=True)
        ids = np.array([[words.inputs.ids([token])[0]] for token in TOKENS[0]])
        batch = SimpleNamespace(inputs=ids, mask=None, words=None, spelled=None)
        outputs = words.model.scores(batch)[..., 0]
        chances = np.exp(outputs) / np.exp(outputs).sum(axis=0)
        for (label,), chance, column in zip(found.labels, found.probabilities, chances.T, strict=True):
            assert label == words.names[column.argmax()]
            assert chance == {label: pytest.approx(column.max(), rel=1e-5)}

    def test_of_several_labels_those_from_the_threshold_on(self, frames):
        given = [np.array([[2, 2], [-2, 2], [0.1, -2]], np.float32)]
        (every,) = frames.tag(given, threshold=0.0, sure=True)
        assert every.labels == [("a", "b")] * 3
        for threshold in (0.5, *(p for chances in every.probabilities for p in chances.values())):
            (found,) = frames.tag(given, threshold=threshold, sure=True)
            expected = [{n: p for n, p in chances.items() if p >= threshold} for chances in every.probabilities]
            assert found.probabilities == expected
            assert found.labels == [tuple(chances) for chances in expected]
        assert frames.tag(given, threshold=1.0)[0].labels == [()] * 3
        assert frames.tag(given)[0].labels == frames.tag(given, threshold=0.5)[0].labels

    def test_spans_and_their_repair(self, words):
        reader = saying(words, "I-PER")
        plain, mended = (reader.tag([("a", "b", "c")], repair=repair, sure=True)[0] for repair in (False, True))
        assert plain.labels == [("I-PER",)] * 3
        assert mended.labels == [("B-PER",), ("I-PER",), ("I-PER",)]
        assert plain.spans == mended.spans == [Span("PER", 0, 3)]
        others = len(reader.names) - 1  # e⁵ beside e⁰ each
        assert mended.probabilities[0] == {"B-PER": pytest.approx(1 / (np.exp(5) + others), rel=1e-5)}
        assert mended.probabilities[1] == plain.probabilities[1]

    def test_a_mended_label_that_the_model_does_not_know_has_no_probability(self, words):
        reader = saying(
            replace(words, resources=words.resources | {"outputs": ["B-ORG", "B-PER", "I-LOC", "O"]}), "I-LOC"
        )
        (found,) = reader.tag([("a", "b")], repair=True, sure=True)
        assert found.labels == [("B-LOC",), ("I-LOC",)]
        assert found.probabilities[0] == {"B-LOC": 0.0}

    def test_labels_that_are_no_spans_are_not_mended(self, words):
        reader = replace(words, resources=words.resources | {"scheme": None})
        assert saying(reader, "I-PER").tag([("a",)], repair=True)[0] == ([("I-PER",)], None, None, True)

    def test_of_none(self, reader):
        assert reader.tag([]) == []

    def test_of_words_never_seen_and_of_one_token_and_of_thousands(self, folder):
        for kind in ("words", "letters", "crf"):
            reader = experiments.load(folder / kind).tagger
            long = tuple(f"new{i}" if i % 3 else "Ann" for i in range(5000))
            found = reader.tag([("unheard",), long, ("Ann", "saw")])
            assert [len(each.labels) for each in found] == [1, 5000, 2]
            assert found[2].labels == reader.tag([("Ann", "saw")])[0].labels
            assert found[1].spans == sorted(found[1].spans, key=lambda span: span.start)

    def test_that_are_not_finite_are_told(self, words):
        assert [each.finite for each in words.tag(TOKENS[:3])] == [True] * 3
        words.model.output.bias.value[:] = np.inf
        assert [each.finite for each in words.tag(TOKENS[:3], sure=True)] == [False] * 3

    def test_one_that_overflows_leaves_the_others_alone(self, tmp_path):
        model = {"cell": CELLS["rnn"](activation="relu"), "bidirectional": False}
        run = start(tagged_task({}, model), tmp_path)
        parameters = run.model.parameters()
        parameters["recurrent.0.weight_hh"].value[:] = 9
        parameters["recurrent.0.bias"].value[:] = 1
        run.recorder.save_last()
        reader = experiments.load(tmp_path / "run").tagger
        found = reader.tag([("a",), ("a",) * 200, ("b", "c")])
        assert [each.finite for each in found] == [True, False, True]
