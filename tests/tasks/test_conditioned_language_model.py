"""The language-model task on texts with labels: sizes, samples, scores, writers, and what begins with its weights."""

import numpy as np
import pytest

from rnncli import experiments
from rnncli.data import TokenizerSpec
from rnncli.errors import CheckpointError, DataError, UsageError
from rnncli.models.condition import CONDITIONS
from rnncli.models.language_model import EmbeddingSpec, LanguageModelSpec
from rnncli.models.stack_spec import Conv1d
from rnncli.nn.gradient_check import compare_gradients
from rnncli.tasks import LanguageModelTask, language_model
from rnncli.tasks.text_spec import TextDataSpec, TextTrainingSpec
from rnncli.training import checkpoint as checkpoints
from rnncli.training.optimizers import Adam
from tests.tasks.conditioned_runs import CSV, TEXTS, conditioned_task, start, trained
from tests.tasks.tiny_runs import tiny_task
from tests.tasks.tiny_runs import trained as trained_on_text

every_way = pytest.mark.parametrize("way", CONDITIONS)


@every_way
def test_a_text_is_learned_under_its_condition(tmp_path, way):
    """Where the condition says all, the loss of a text is almost nothing; and each condition's own text is written."""
    rows = "".join(f"{text},{label}\n" for text, label in (("abc", "x"), ("bca", "y"), ("cab", "z")) * 20)
    settings = {"optimizer": Adam(learning_rate=0.05), "validate_every": 150, "steps": 150}
    task = conditioned_task(model={"condition": way, "hidden_size": 12}, **settings)
    run, _ = trained(task, tmp_path, **{"quotes.csv": "text,author\n" + rows})
    (validation, test) = experiments.score_run(run)
    assert max(validation.loss.mean, test.loss.mean) < 0.03 < validation.baselines["5-gram"] / 5
    for label, text in (("x", "abc"), ("y", "bca"), ("z", "cab")):
        writer = experiments.load(run.folder).writer_given([label])
        (found,) = writer.search("", length=9, beam_size=1)
        assert (found.text, found.ended) == (text, "eos")
        assert writer.score(text)[1].sum() > -0.3 > writer.score(text[1:] + text[:1])[1].sum()
        assert writer.condition == {"author": label}


def test_what_a_model_is_built_from(tmp_path):
    task = conditioned_task(data={"condition": ("mood", "author")})
    run = start(task, tmp_path)
    assert run.dataset.resources["conditions"] == {"mood": ["calm", "glad"], "author": ["cook", "sailor", "smith"]}
    assert run.model.parameters()["condition.weight"].value.shape == (18, 5)
    assert run.summary().endswith(f"to train on, conditioned on mood (2), author (3) → {run.folder}")
    assert experiments.plan(task, tmp_path)["conditions"] == 5


def test_a_loss_is_the_models_under_the_conditions_of_each_text(tmp_path):
    run = start(conditioned_task(), tmp_path)
    part, total = run.dataset.part("validation"), 0.0
    for i in range(len(part)):
        text = run.dataset.vocabulary.decode(part.ids[part.start(i) : part.start(i + 1)])
        author = ["cook", "sailor", "smith"][int(part.condition(np.array([i]))[:, 0].argmax())]
        writer = run.task.writer(run.model, run.dataset.resources, [author])
        total -= writer.score(text)[1].sum()
    assert run.task.evaluate(run.model, run.dataset.resources, part).loss.sum == pytest.approx(total, rel=1e-5)


class TestSample:
    def test_it_shows_some_conditions_side_by_side(self, tmp_path):
        run = start(conditioned_task(), tmp_path)
        output = run.model.output.bias.value
        output[run.dataset.vocabulary.end_id] = -99
        lines = run.task.sample(run.model, run.dataset).split("\n")
        assert [line.split(": ")[0] for line in lines] == ["cook", "sailor", "smith"]
        assert [len(line.split(": ", 1)[1]) for line in lines] == [language_model.SAMPLE_LENGTH // 3] * 3

    def test_of_two_conditions_both_are_named(self, tmp_path):
        run = start(conditioned_task(data={"condition": ("mood", "author")}), tmp_path)
        lines = run.task.sample(run.model, run.dataset).split("\n")
        assert [line.split(": ")[0] for line in lines] == ["calm, cook", "glad, sailor", "calm, smith"]


class TestWriter:
    def test_texts_are_drawn_under_the_condition(self, tmp_path):
        run, _ = trained(conditioned_task(steps=120, optimizer=Adam(learning_rate=0.05)), tmp_path)
        loaded = experiments.load(run.folder)
        for text, author, _ in TEXTS[:12]:
            own, *others = (
                loaded.writer_given([name]).score(text)[1].sum()
                for name in sorted(("cook", "sailor", "smith"), key=lambda name, author=author: name != author)
            )
            assert own > max(others) + 1, text

    def test_without_one_it_says_which_there_are(self, tmp_path):
        run, _ = trained(conditioned_task(epochs=1), tmp_path)
        loaded = experiments.load(run.folder)
        with pytest.raises(
            UsageError, match="no author is given, and the model needs one; --condition author=VALUE, one"
        ):
            _ = loaded.writer
        with pytest.raises(UsageError, match='there is no author "pirate"; known: cook, sailor, smith'):
            loaded.writer_given(["author=pirate"])

    def test_a_model_without_conditions_is_given_none(self, tmp_path):
        run, _ = trained_on_text(tiny_task(epochs=1), tmp_path)
        with pytest.raises(UsageError, match="the model has no conditions; leave --condition out"):
            experiments.load(run.folder).writer_given(["cook"])


class TestGradients:
    @every_way
    def test_the_cases_of_a_spec_have_its_conditions(self, way):
        task = conditioned_task(data={"condition": ("author", "mood")}, model={"condition": way, "hidden_size": 3})
        cases = list(experiments.gradient_cases(task, 0))
        assert [case.title for case in cases] == ["gru, full", "gru, masked"]
        for case in cases:
            assert case.values["condition"].shape == (6, 2)
            report = compare_gradients(case.loss, case.values, case.grads, limit=4, rng=np.random.default_rng(0))
            assert max(entry.error for entry in report) < 1e-6
            assert case.grads["condition.weight"].any()

    def test_those_of_others_have_none(self):
        (case, _) = tiny_task().gradient_cases(0)
        assert not any("condition" in name for name in case.values)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": {"cell": Conv1d()}}, "data.condition needs a recurrent model.cell, not conv1d"),
        ({"state": "reset"}, "reset is for data.format: stream; each text begins with a fresh state anyway"),
    ],
)
def test_what_does_not_fit_a_condition(options, message):
    with pytest.raises(ValueError, match=message):
        conditioned_task(**options)


@pytest.mark.parametrize("way", [way for way in CONDITIONS if way != "bias"])
def test_a_way_for_nothing_is_refused(way):
    with pytest.raises(ValueError, match=f"model.condition: {way} needs data.condition"):
        LanguageModelTask(model=LanguageModelSpec(condition=way))


def test_texts_of_a_table_without_conditions(tmp_path):
    run, _ = trained(conditioned_task(data={"condition": (), "format": "csv"}, epochs=4), tmp_path)
    assert run.model.condition is None
    loss, _ = (score.loss for score in experiments.score_run(run))
    assert 0 < loss.mean < np.log(len(run.dataset.vocabulary))
    part, notices = run.task.read_files([str(tmp_path / "quotes.csv")], run.dataset.resources)
    assert (len(part), notices) == (len(TEXTS), [])
    assert experiments.load(run.folder).writer.score("pot")[0] == ["p", "o", "t", "<eos>"]


def test_vectors_of_a_file_under_a_condition(tmp_path):
    (tmp_path / "vectors.txt").write_text("pot 1 2 0\nsea 0 1 3\n")
    embedding = EmbeddingSpec("pretrained", path="vectors.txt")
    data = {"tokenizer": TokenizerSpec("word")}
    run, _ = trained(conditioned_task(data=data, model={"embedding": embedding}, epochs=1), tmp_path)
    assert set(run.dataset.resources) == {"vocabulary", "conditions", "pretrained"}
    assert experiments.resume(run.folder, {}).trainer.progress.step == run.trainer.progress.step


class TestInitFrom:
    def test_the_conditions_come_with_the_weights(self, tmp_path):
        origin, _ = trained(
            conditioned_task(data={"condition": ("mood", "author")}, model={"condition": "input"}), tmp_path
        )
        task = LanguageModelTask(data=TextDataSpec(train="more.csv"), training=TextTrainingSpec(steps=1))
        (tmp_path / "more.csv").write_text("text,author,mood\nsea,smith,glad\npot,smith,glad\n")
        run = experiments.start(task, tmp_path, tmp_path / "next", init_from=origin.folder)
        assert run.task.data.condition == ("mood", "author")
        assert run.task.model == origin.task.model
        assert run.dataset.conditions == origin.dataset.conditions
        stored = experiments.load(origin.folder).model.parameters()
        for name, parameter in run.model.parameters().items():
            np.testing.assert_array_equal(parameter.value, stored[name].value)

    def test_others_are_refused(self, tmp_path):
        origin, _ = trained(conditioned_task(), tmp_path)
        task = conditioned_task(data={"condition": "mood"})
        with pytest.raises(UsageError, match=r"brings its own data\.condition; leave data\.condition out of the spec"):
            experiments.start(task, tmp_path, tmp_path / "next", init_from=origin.folder)

    def test_a_model_without_conditions_gets_none(self, tmp_path):
        origin, _ = trained_on_text(tiny_task(epochs=1), tmp_path)
        (tmp_path / "quotes.csv").write_text(CSV)
        with pytest.raises(UsageError, match=r"brings its own data\.condition"):
            experiments.start(conditioned_task(), tmp_path, tmp_path / "next", init_from=origin.folder)


@pytest.mark.parametrize(
    "conditions", [None, {"author": ["cook"]}, {"author": ["cook", "sailor"]}, {"writer": ["cook", "sailor", "smith"]}]
)
def test_a_checkpoint_whose_conditions_do_not_fit_is_refused(tmp_path, conditions):
    run, _ = trained(conditioned_task(epochs=1), tmp_path)
    stored = checkpoints.load(run.folder / "best.npz")
    stored.resources.pop("conditions")
    if conditions:
        stored.resources["conditions"] = conditions
    checkpoints.save(tmp_path / "other.npz", stored)
    with pytest.raises((CheckpointError, DataError), match=r"other\.npz: the checkpoint has"):
        experiments.load(tmp_path / "other.npz")
