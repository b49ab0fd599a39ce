import numpy as np
import pytest

from rnncli import experiments
from rnncli.errors import DataError, RnncliError
from rnncli.spec import from_plain, to_plain
from rnncli.tasks import TASKS, ClassificationTask
from rnncli.tasks.labelled_spec import ClassificationDataSpec, ClassificationTrainingSpec
from rnncli.training.events import Validated
from tests.tasks.labelled_runs import CSV, EXAMPLES, labelled_task, regression_task, start, trained


def test_a_classifier_learns_and_is_scored_beside_the_baselines(tmp_path):
    run, events = trained(labelled_task(epochs=8), tmp_path)
    validated = [event for event in events if isinstance(event, Validated)]
    assert set(validated[-1].metrics) == {"accuracy", "macro_f1"}
    scores = {score.split: score for score in experiments.score_run(run)}
    for name, score in scores.items():
        part = getattr(run.dataset.splits, name)
        assert score.report.examples == score.loss.count == len(part) == 12
        assert set(score.baselines) == {"majority", "naive Bayes"}
        assert score.report.accuracy == 1
        assert 0.4 < score.baselines["majority"].accuracy < 0.7
        assert not [*score.mistakes()]
    stored = experiments.load(run.folder)
    again, notices = experiments.evaluate_splits(stored, ("validation", "test"))
    assert [(s.split, s.loss, s.report.accuracy) for s in again] == [
        (s.split, s.loss, s.report.accuracy) for s in scores.values()
    ]
    assert notices == list(run.dataset.notices)


def test_mistakes_are_the_surest_first_and_say_where(tmp_path):
    run = start(labelled_task(), tmp_path)
    run.trainer.flat.values[:] = 0
    run.model.output.bias.value[:] = [0, 1]  # always "pos"
    (score,) = run.task.scores(run.model, run.dataset.resources, None, {"test": run.dataset.splits.test})
    mistakes = [*score.mistakes()]
    assert len(mistakes) == sum(run.dataset.splits.test.targets == 0)
    assert {(each.target, each.predicted) for each in mistakes} == {("neg", "pos")}
    assert mistakes[0].probability == pytest.approx(1 / (1 + np.exp(-1)), rel=1e-6)
    line = int(mistakes[0].where.rpartition(":")[2])
    assert EXAMPLES[line - 2] == (mistakes[0].text, "neg")
    assert score.baselines == {}  # there was nothing to learn from


def test_a_regression_scores_in_the_unit_of_its_values(tmp_path):
    run, _ = trained(regression_task(epochs=60, model={"readout": "mean"}), tmp_path)
    validation, test = experiments.score_run(run)
    for score in (validation, test):
        report, mean = score.report, score.baselines["mean"]
        assert mean.rmse > 25
        assert report.rmse < mean.rmse / 3
    part = run.dataset.splits.test
    reader = experiments.load(run.folder).sequences
    rows = [part.input(i) for i in range(len(part))]
    predicted = reader.outputs(rows)
    scale = run.dataset.resources["scale"]
    targets = part.targets * scale["deviation"][0] + scale["mean"][0]
    assert np.sqrt(((predicted - targets) ** 2).mean()) == pytest.approx(test.report.rmse, rel=1e-5)
    worst = next(test.mistakes())
    assert abs(float(worst.target) - float(worst.predicted)) == pytest.approx(
        np.abs(predicted - targets).max(), rel=1e-4
    )


@pytest.mark.parametrize("task", TASKS)
def test_a_section_of_which_one_key_is_given_keeps_the_tasks_other_defaults(task):
    """Also where a task's default is not that of the section's class."""
    defaults = to_plain(TASKS[task]())

    def partial(mapping, path=()):
        for key, value in mapping.items():
            if isinstance(value, dict):
                yield from partial(value, (*path, key))
            elif path:
                yield (*path, key), value

    for path, value in partial(defaults):
        given = value
        for key in reversed(path):
            given = {key: given}
        assert to_plain(from_plain({"task": task, **given}, TASKS[task], "spec")) == defaults, path


class TestMultiLabel:
    TEXT = "".join(
        f"{labels} {text}\n"
        for labels, text in [
            ("__label__a", "x"),
            ("__label__b", "y"),
            ("__label__a __label__b", "x y"),
            ("__label__c", "z"),
        ]
        * 15
    )

    def test_each_label_is_a_yes_or_no(self, tmp_path):
        task = labelled_task({"train": "data.txt", "multi_label": True}, {"readout": "max"}, epochs=30, patience=None)
        run, _ = trained(task, tmp_path, **{"data.txt": self.TEXT})
        reader = experiments.load(run.folder).sequences
        found = reader.outputs([reader.read(text, "") for text in ("x", "x y", "z")])
        np.testing.assert_array_equal(found > 0.5, [[1, 1, 0], [0, 1, 0], [0, 0, 1]])
        assert not np.allclose(found.sum(axis=0), 1)
        (score,) = run.task.scores(
            run.model, run.dataset.resources, run.dataset.splits.train, {"t": run.dataset.splits.train}
        )
        assert score.report.confusion is None
        assert score.report.micro_f1 == 1

    def test_several_labels_need_to_be_asked_for(self, tmp_path):
        with pytest.raises(DataError, match=r"data.txt:3: 2 labels .*multi_label"):
            start(labelled_task({"train": "data.txt"}), tmp_path, **{"data.txt": self.TEXT})

    def test_class_weights_are_for_one_label(self):
        with pytest.raises(ValueError, match="class_weights"):
            ClassificationTask(
                data=ClassificationDataSpec(multi_label=True),
                training=ClassificationTrainingSpec(class_weights="balanced"),
            )


class TestClassWeights:
    RARE = "text,label\n" + "a x,often\n" * 90 + "a y,rare\n" * 10

    def weights(self, tmp_path, class_weights):
        run = start(labelled_task(class_weights=class_weights), tmp_path, **{"data.csv": self.RARE})
        every = list(run.trainer.batches.epoch(np.random.default_rng(0)))
        targets = np.concatenate([batch.targets for batch in every])
        if every[0].weights is None:
            return None
        weights = np.concatenate([batch.weights for batch in every])
        return {label: set(weights[targets == i].tolist()) for i, label in enumerate(["often", "rare"])}, weights

    def test_balanced_labels_count_the_same_and_the_mean_stays_one(self, tmp_path):
        by_label, weights = self.weights(tmp_path, "balanced")
        train = {"often": 72, "rare": 8}
        assert by_label == {name: {np.float32(80 / (2 * count)).item()} for name, count in train.items()}
        assert weights.mean() == pytest.approx(1)

    def test_given_ones_are_taken_as_they_are(self, tmp_path):
        assert self.weights(tmp_path, {"rare": 3.0})[0] == {"often": {1.0}, "rare": {3.0}}
        assert self.weights(tmp_path, None) is None

    def test_an_unknown_label_is_named(self, tmp_path):
        with pytest.raises(DataError, match=r'class_weights has "rar", .*often, rare'):
            start(labelled_task(class_weights={"rar": 3.0}), tmp_path, **{"data.csv": self.RARE})


def test_one_step_of_vectors_is_a_sequence(tmp_path):
    """A plain row of a CSV: one to one."""
    rows = "x,label\n" + "".join(f"{i / 50},{'pass' if i > 60 else 'fail'}\n" for i in range(100))
    run, _ = trained(labelled_task({"columns": ("x",)}, epochs=20), tmp_path, **{"data.csv": rows})
    reader = experiments.load(run.folder).sequences
    found = reader.outputs([reader.read_line(line, "") for line in ("0.1", "1.9", "[[1.9]]")])
    assert [reader.names[i] for i in found.argmax(axis=0)] == ["fail", "pass", "pass"]
    assert run.dataset.sizes() == {
        "features": 1,
        "outputs": 2,
        "train_sequences": 80,
        "validation_sequences": 10,
        "test_sequences": 10,
    }


class TestInitFrom:
    def test_weights_vocabulary_and_labels_are_the_other_models(self, tmp_path):
        run, _ = trained(labelled_task({"max_length": 4}), tmp_path)
        (tmp_path / "more.csv").write_text("text,label\nbrand new words,pos\nsome bad film,neg\nfine,pos\n")
        other = experiments.start(
            ClassificationTask(data=ClassificationDataSpec(train="more.csv")),
            tmp_path,
            tmp_path / "other",
            init_from=run.folder,
        )
        assert other.dataset.resources == run.dataset.resources
        assert (other.task.model, other.task.data.max_length) == (run.task.model, 4)
        best = experiments.load(run.folder).model.parameters()
        assert all((other.model.parameters()[name].value == best[name].value).all() for name in best)

    @pytest.mark.parametrize(
        ("task", "message"),
        [
            (regression_task(), "holds a model of task classification, not regression"),
            (labelled_task(model={"hidden_size": 9}), "brings its own model"),
            (
                ClassificationTask(data=ClassificationDataSpec(train="data.csv", max_length=3)),
                "its own data.max_length",
            ),
        ],
    )
    def test_what_the_weights_depend_on_cannot_be_changed(self, tmp_path, task, message):
        run, _ = trained(labelled_task(epochs=1), tmp_path)
        with pytest.raises(RnncliError, match=message):
            experiments.start(task, tmp_path, tmp_path / "other", init_from=run.folder)


class TestLabelsThatCameLater:
    """The data of a model grow by a label that it does not know."""

    MORE = CSV + "a new film,neutral\n" * 12

    @pytest.fixture
    def stored(self, tmp_path):
        run, _ = trained(labelled_task(epochs=1), tmp_path)
        (tmp_path / "data.csv").write_text(self.MORE)
        return run

    def test_they_count_as_wrong(self, stored):
        scores, notices = experiments.evaluate_splits(experiments.load(stored.folder), ("train", "test"))
        assert any(notice.startswith("the training data has changed since the model was trained") for notice in notices)
        assert any(notice.startswith("train examples with a label that is not") for notice in notices)
        for score in scores:
            unknown = score.report.labels[-1]
            assert (unknown.label, unknown.f1) == ("(unknown)", 0)
            assert set(score.baselines) == {"majority", "naive Bayes"}
            assert "(unknown)" in {mistake.target for mistake in score.mistakes()}

    def test_they_cannot_be_learnt(self, stored, tmp_path):
        task = ClassificationTask(data=ClassificationDataSpec(train="data.csv"))
        with pytest.raises(DataError, match=r"data.csv:\d+: a label that the model does not know"):
            experiments.start(task, tmp_path, tmp_path / "other", init_from=stored.folder)
        with pytest.raises(DataError, match="the training data has changed since this run was saved"):
            experiments.resume(stored.folder, {})


def test_a_validation_part_of_unknown_labels_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"v.csv:2: no validation example has a label"):
        start(labelled_task({"validation": "v.csv"}), tmp_path, **{"v.csv": "text,label\na,x\nb,y\n"})


def test_a_label_set_with_an_unknown_label_is_a_mistake(tmp_path):
    text = "__label__a x\n__label__b y\n" * 20
    run = start(labelled_task({"train": "d.txt", "multi_label": True}), tmp_path, **{"d.txt": text})
    (tmp_path / "o.txt").write_text("__label__new x\n")
    run.trainer.flat.values[:] = 0
    run.model.output.bias.value[:] = -1  # no label at all
    given, _ = run.task.read_files([str(tmp_path / "o.txt")], run.dataset.resources)
    (score,) = run.task.scores(run.model, run.dataset.resources, None, {"given": given})
    assert score.report.accuracy == 0
    assert [(mistake.target, mistake.predicted) for mistake in score.mistakes()] == [("(unknown)", "none")]


@pytest.mark.parametrize("resources", [{}, {"outputs": []}, {"outputs": ["a", 1]}, {"outputs": ["\x1b[0m", "b"]}])
def test_a_checkpoint_without_names_of_outputs_is_refused(resources):
    with pytest.raises(DataError, match="names of the outputs"):
        labelled_task().build_model(resources | {"standardization": {"mean": [0.0], "deviation": [1.0]}}, None)


SCALE = {"mean": [1.0], "deviation": [2.0]}


@pytest.mark.parametrize(
    ("task", "changes", "message"),
    [
        (labelled_task(), {"outputs": ["a", "b", "a"]}, "two outputs of one name"),
        (labelled_task(), {"outputs": ["a"], "scale": SCALE}, "a scale that does not fit"),
        (regression_task(), {"outputs": ["y"]}, "a scale that does not fit"),
        (regression_task(), {"outputs": ["y", "z"], "scale": SCALE}, "a scale that does not fit"),
        (regression_task(), {"outputs": ["y"], "scale": {"mean": [1.0]}}, "no mean and deviation"),
    ],
)
def test_a_checkpoint_whose_outputs_do_not_fit_their_scale_is_refused(task, changes, message):
    resources = {"standardization": SCALE, "outputs": ["y"], "scale": SCALE}
    assert regression_task().build_model(resources, None).output.weight.value.shape == (1, 8)
    with pytest.raises(DataError, match=message):
        task.build_model({"standardization": SCALE} | changes, None)


def test_small_data_shrink_the_batch_with_a_notice(tmp_path):
    run = start(labelled_task(batch_size=32), tmp_path)
    assert run.task.training.batch_size == 4
    assert "small data (96 sequences): batch_size 32 → 4" in run.notices
    tokens, size = len(run.dataset.resources["vocabulary"]["tokens"]), run.trainer.flat.values.size
    expected = f"gru 1 x 8, {size} parameters, {tokens} tokens → 2 labels, 96 sequences to train on → {run.folder}"
    assert run.summary() == expected


def test_the_data_come_from_another_folder(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "data.csv").write_text(CSV)
    task = labelled_task(epochs=1)
    run = experiments.start(task, tmp_path / "in", tmp_path / "runs" / "one")
    list(run.events())
    assert run.task.data.train == "../../in/data.csv"
    assert len(experiments.evaluate_splits(experiments.load(run.folder), ("test",))[0]) == 1
