"""The task of tagging: what learns what, what is refused, what weights are stored and begun with."""

import numpy as np
import pytest

from rnncli import experiments
from rnncli.data import TokenizerSpec
from rnncli.errors import DataError, RnncliError
from rnncli.models.character_encoder import CharacterEncoderSpec
from rnncli.models.sequence_tagger_spec import SequenceTaggerSpec
from rnncli.nn.cells import CELLS
from rnncli.tasks import TaggingTask
from rnncli.tasks.labelled_spec import TaggingDataSpec
from rnncli.training.events import StepDone, Validated
from rnncli.training.teacher_forcing import FedTrainingSpec
from tests.tasks.tagged_runs import OF_FRAMES, SENTENCES, conll, start, tagged_task, trained

LETTERS = CharacterEncoderSpec(embedding_size=4, hidden_size=4)
SEVERAL = {"train": "several.csv", "multi_label": True, **OF_FRAMES}


class TestLearning:
    def test_a_tagger_learns_from_context_and_is_stored_with_its_scores(self, tmp_path):
        run, events = trained(tagged_task({"label": 2}), tmp_path)
        validated = [event for event in events if isinstance(event, Validated)]
        assert set(validated[-1].metrics) == {"token_accuracy", "macro_f1", "sequence_accuracy"}
        scores = {score.split: score for score in experiments.score_run(run)}
        for name, score in scores.items():
            assert score.report.steps.examples == score.loss.count == len(getattr(run.dataset.splits, name).values)
            assert score.report.steps.accuracy > 0.97
            assert 0.8 < score.baselines["most frequent tag"].steps.accuracy < 0.95  # saw: a verb, or a noun
        again, notices = experiments.evaluate_splits(experiments.load(run.folder), ("validation", "test"))
        assert [(s.split, s.loss, s.report.means) for s in again] == [
            (s.split, s.loss, s.report.means) for s in scores.values()
        ]
        assert notices == list(run.dataset.notices)

    def test_spans_are_learnt_with_a_crf_and_without(self, tmp_path):
        for crf in (False, True):
            run, events = trained(tagged_task({}, {"crf": crf}), tmp_path, f"crf {crf}")
            test = experiments.score_run(run)[1]
            assert test.report.spans.f1 > 0.95 > test.baselines["most frequent tag"].spans.f1 > 0.5
            validated = [event for event in events if isinstance(event, Validated)]
            assert "span_f1" in validated[-1].metrics

    def test_each_of_several_labels_is_a_yes_or_no(self, tmp_path):
        run, _ = trained(tagged_task(SEVERAL, epochs=8), tmp_path)
        reader = experiments.load(run.folder).tagger
        steps = np.array([[3, 3], [3, -3], [-3, -3]], np.float32)
        (found,) = reader.tag([steps], sure=True)
        assert found.labels == [("a", "b"), ("a",), ()]
        assert found.spans is None
        assert [sorted(chances) for chances in found.probabilities] == [["a", "b"], ["a"], []]

    def test_words_never_seen_are_told_by_their_letters(self, tmp_path):
        """Words on -ing are verbs, others are not; none but "we" is in the vocabulary."""
        stems = [a + b + c for a in "bdfgk" for b in "aeiou" for c in "lmnp"]
        ends = [("", "NOUN"), ("ing", "VERB")]
        rows = [f"{stem}{ends[i % 2][0]} {ends[i % 2][1]}\n" for i, stem in enumerate(stems)]
        text = "".join(f"we PRON\n{row}\n" for row in rows)
        new = "".join(f"t{row}" for row in rows[:40])
        accuracies = []
        for model in ({}, {"characters": LETTERS}):
            task = tagged_task({"tokenizer": TokenizerSpec("word", min_count=2)}, model, epochs=8)
            run, _ = trained(task, tmp_path, f"run {len(model)}", **{"train.conll": text})
            (tmp_path / "new.conll").write_text(f"{new}\n")
            part, _ = run.task.read_files([str(tmp_path / "new.conll")], run.dataset.resources)
            (score,) = run.task.scores(run.model, run.dataset.resources, run.dataset.splits.train, {"new": part})
            assert score.report.unseen == 40
            accuracies.append(score.report.unseen_accuracy)
        assert accuracies[1] == 1
        assert accuracies[0] < 0.8


class TestSpecs:
    @pytest.mark.parametrize(
        ("data", "model", "message"),
        [
            ({"multi_label": True}, {"crf": True}, "model.crf is for one label a step"),
            ({"multi_label": True, "scheme": "bio"}, {}, "data.scheme is for one label a step"),
            ({"multi_label": True, "scheme": "bioes"}, {}, "data.scheme is for one label a step"),
            ({"tokenizer": TokenizerSpec("byte")}, {}, "data.tokenizer.level: byte is for texts alone"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, data, model, message):
        with pytest.raises(ValueError, match=message):
            TaggingTask(data=TaggingDataSpec(**data), model=SequenceTaggerSpec(**model))
        fine = {key: value for key, value in data.items() if key == "multi_label"} | {"scheme": "none"}
        TaggingTask(data=TaggingDataSpec(**fine), model=SequenceTaggerSpec())

    def test_what_is_counted(self):
        plain, several = tagged_task(), tagged_task(SEVERAL)
        assert (plain.unit, plain.counted, plain.output) == ("label", "tokens", "softmax")
        assert (several.unit, several.counted, several.output) == ("label", "sequences", "sigmoid")

    def test_gradients_are_checked_of_what_the_spec_reads(self):
        tokens, frames = ([*task.gradient_cases(3)] for task in (tagged_task(), tagged_task(SEVERAL)))
        assert [case.title for case in tokens] == ["gru, tagger, full", "gru, tagger, masked"]
        assert "embedding.weight" in tokens[0].values
        assert "embedding.weight" not in frames[0].values
        arrays = [
            *tagged_task({"train": "frames.npz"}).gradient_cases(3),
            *tagged_task({"format": "npz"}).gradient_cases(3),
        ]
        assert not any("embedding.weight" in case.values for case in arrays)

    def test_small_data_shrink_the_batch_with_a_notice(self, tmp_path):
        run = start(tagged_task(batch_size=32), tmp_path)
        assert run.task.training.batch_size == 4
        assert "small data (80 sequences): batch_size 32 → 4" in run.notices
        tokens, size = len(run.dataset.resources["vocabulary"]["tokens"]), run.trainer.flat.values.size
        expected = f"gru 1 x 8, {size} parameters, {tokens} tokens → 4 labels, 80 sequences to train on → {run.folder}"
        assert run.summary() == expected
        assert run.dataset.sizes() == {
            "vocabulary": tokens,
            "outputs": 4,
            "train_sequences": 80,
            "validation_sequences": 10,
            "test_sequences": 10,
        }

    def test_steps_done_count_tokens_or_sequences(self, tmp_path):
        for task, low, high in ((tagged_task(steps=3), 4, 28), (tagged_task(SEVERAL, steps=3), 3, 3)):
            _, events = trained(task, tmp_path, task.counted)
            sizes, counted = zip(*(event.size for event in events if isinstance(event, StepDone)), strict=True)
            assert set(counted) == {task.counted}
            assert low <= min(sizes) <= max(sizes) <= high


@pytest.fixture(scope="module")
def resources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("resources")
    return start(tagged_task({}, {"characters": LETTERS}), folder).dataset.resources


class TestCheckpoints:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"outputs": []}, "no names of the outputs"),
            ({"outputs": ["a", 1]}, "no names of the outputs"),
            ({"outputs": ["\x1b[0m", "b"]}, "no names of the outputs"),
            ({"outputs": ["a", "b", "a"]}, "two outputs of one name"),
            ({"scheme": "iob"}, "no scheme of spans"),
            ({"scheme": 3}, "no scheme of spans"),
            ({"characters": None}, "vocabulary"),
        ],
    )
    def test_whose_parts_do_not_fit_are_refused(self, resources, changes, message):
        task = tagged_task({}, {"characters": LETTERS})
        assert task.build_model(resources, None).output.weight.value.shape == (4, 16)
        with pytest.raises(DataError, match=message):
            task.build_model(resources | changes, None)

    def test_without_what_the_spec_asks_for_are_refused(self, resources):
        with pytest.raises(DataError, match="no scheme of spans"):
            tagged_task({}, {"characters": LETTERS}).build_model(
                {name: value for name, value in resources.items() if name != "scheme"}, None
            )
        with pytest.raises(DataError, match="characters, or none, where the model asks for the other"):
            tagged_task().build_model(resources, None)
        plain = {name: value for name, value in resources.items() if name != "characters"}
        with pytest.raises(DataError, match="characters, or none, where the model asks for the other"):
            tagged_task({}, {"characters": LETTERS}).build_model(plain, None)
        assert not any("characters" in name for name in tagged_task().build_model(plain, None).parameters())


class TestInitFrom:
    def test_weights_words_letters_labels_and_scheme_are_the_other_models(self, tmp_path):
        run, _ = trained(tagged_task({}, {"characters": LETTERS}, epochs=1), tmp_path)
        (tmp_path / "more.conll").write_text("brand O\nnew B-ORG\n\nZed B-PER\nLee I-PER\n\nBo B-PER\n\n")
        task = TaggingTask(data=TaggingDataSpec(train="more.conll"), training=FedTrainingSpec(epochs=1))
        other = experiments.start(task, tmp_path, tmp_path / "other", init_from=run.folder)
        assert other.dataset.resources == run.dataset.resources
        assert (other.task.model, other.task.data.tokenizer) == (run.task.model, run.task.data.tokenizer)
        best = experiments.load(run.folder).model.parameters()
        assert all((other.model.parameters()[name].value == best[name].value).all() for name in best)
        assert [*other.events()]

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"model": {"hidden_size": 9}}, "brings its own model"),
            ({"data": {"multi_label": True}}, "brings its own data.multi_label"),
            ({"data": {"scheme": "none"}}, "brings its own data.scheme"),
            ({"data": {"tokenizer": TokenizerSpec("word", lowercase=True)}}, "brings its own data.tokenizer"),
        ],
    )
    def test_what_the_weights_depend_on_cannot_be_changed(self, tmp_path, changes, message):
        run, _ = trained(tagged_task(epochs=1), tmp_path)
        task = tagged_task(**changes)
        with pytest.raises(RnncliError, match=message):
            experiments.start(task, tmp_path, tmp_path / "other", init_from=run.folder)

    def test_labels_that_break_the_models_scheme_are_refused(self, tmp_path):
        run, _ = trained(tagged_task(epochs=1), tmp_path)
        task = TaggingTask(data=TaggingDataSpec(train="parts.conll", label=2))
        (tmp_path / "parts.conll").write_text(conll(SENTENCES[:20]))
        with pytest.raises(DataError, match=r'parts.conll:1: "\w+" is neither O nor B- or I-'):
            experiments.start(task, tmp_path, tmp_path / "other", init_from=run.folder)


class TestLabelsThatCameLater:
    """The data of a model grow by a label that it does not know."""

    @pytest.fixture(params=[False, True], ids=["plain", "crf"])
    def stored(self, tmp_path, request):
        run, _ = trained(tagged_task({}, {"crf": request.param}, epochs=1), tmp_path)
        (tmp_path / "train.conll").write_text(conll() + "Mud X B-NEW\nsaw X O\n\n".replace(" ", "\t") * 12)
        return run

    def test_they_count_as_wrong(self, stored):
        scores, notices = experiments.evaluate_splits(experiments.load(stored.folder), ("train", "test"))
        assert any(notice.startswith("the training data has changed since the model was trained") for notice in notices)
        assert any(notice.startswith("train steps with a label that is not in the training part") for notice in notices)
        assert [set(score.baselines) for score in scores] == [{"most frequent tag"}] * 2
        unknown = scores[0].report.steps.labels[-1]
        assert (unknown.label, unknown.f1) == ("(unknown)", 0)
        assert "(unknown)" in {mistake.target for mistake in scores[0].mistakes()}

    def test_they_cannot_be_learnt(self, stored, tmp_path):
        task = TaggingTask(data=TaggingDataSpec(train="train.conll"))
        with pytest.raises(DataError, match=r"train.conll:\d+: a label that the model does not know, and so cannot"):
            experiments.start(task, tmp_path, tmp_path / "other", init_from=stored.folder)
        with pytest.raises(DataError, match="the training data has changed since this run was saved"):
            experiments.resume(stored.folder, {})


@pytest.mark.parametrize("cell", [*CELLS, "conv1d", "none"])
def test_every_cell_and_control_can_be_trained(tmp_path, cell):
    from rnncli.models.stack_spec import CONTROLS

    run, _ = trained(tagged_task({}, {"cell": (CELLS | CONTROLS)[cell]()}, steps=6), tmp_path)
    assert any(name.startswith("recurrent.0" if cell in CELLS else "convolution.0") for name in run.model.parameters())
    found = experiments.load(run.folder).tagger.tag([("Ann", "saw")])
    assert len(found[0].labels) == 2


def test_the_data_come_from_another_folder(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "train.conll").write_text(conll())
    run = experiments.start(tagged_task(epochs=1), tmp_path / "in", tmp_path / "runs" / "one")
    list(run.events())
    assert run.task.data.train == "../../in/train.conll"
    assert len(experiments.evaluate_splits(experiments.load(run.folder), ("test",))[0]) == 1
