import io
from dataclasses import replace

import pytest

from rnncli import experiments
from rnncli.data import TokenizerSpec
from rnncli.errors import RnncliError, SpecError, UsageError
from rnncli.models.language_model import LanguageModelSpec
from rnncli.nn.cells import RNNCell
from rnncli.spec import parse_spec, read_spec, to_yaml, validate
from rnncli.tasks import TASKS, LanguageModelTask
from rnncli.tasks.language_model import SAMPLE_LENGTH
from rnncli.tasks.text_spec import SplitSpec, TextDataSpec, TextTrainingSpec
from rnncli.training.optimizers import Adam
from tests.tasks.other_task import OtherTask, other_task
from tests.tasks.tiny_runs import TEXT, start, tiny_task, trained


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A finished run, to be read only."""
    return trained(tiny_task(epochs=3), tmp_path_factory.mktemp("shared"))


def weights(model):
    return {name: parameter.value.tobytes() for name, parameter in model.parameters().items()}


class TestTaskFrom:
    def test_an_empty_spec_is_the_default_task(self):
        assert experiments.task_from(parse_spec(b"", "spec.yaml")) == LanguageModelTask()

    def test_a_spec_is_read(self):
        task = experiments.task_from(parse_spec(b"task: language_model\nmodel: {cell: rnn}\n", "spec.yaml"))
        assert task == replace(LanguageModelTask(), model=replace(LanguageModelTask().model, cell=RNNCell()))

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                b"task: poetry",
                f'spec.yaml:1:7: task must be one of {", ".join(TASKS)}, not "poetry"',
            ),
            (
                b"task: [1]",
                f"spec.yaml:1:7: task must be one of {', '.join(TASKS)}, not a list of length 1",
            ),
            (b"- 1", "spec.yaml:1:1: the spec must be a mapping, not a list of length 1"),
            (b"model: {hiden_size: 3}", 'unknown key "hiden_size" in model'),
        ],
    )
    def test_what_is_no_task_is_refused_at_its_place(self, text, message):
        with pytest.raises(SpecError) as caught:
            experiments.task_from(parse_spec(text, "spec.yaml"))
        assert message in str(caught.value)


class TestStart:
    def test_standard_input_is_kept_beside_the_run(self, tmp_path):
        task = tiny_task(data={"train": "-"}, steps=2)
        run = experiments.start(task, tmp_path, tmp_path / "run", stdin=io.BytesIO(TEXT.encode()))
        assert (tmp_path / "run" / "corpus.txt").read_text() == TEXT
        assert run.task.data.train == "corpus.txt"
        list(run.events())
        resumed = experiments.resume(tmp_path / "run", {})
        assert resumed.dataset.fingerprint == run.dataset.fingerprint

    def test_standard_input_that_cannot_be_trained_on_is_not_kept(self, tmp_path):
        task = tiny_task(data={"train": "-"}, steps=2)
        with pytest.raises(RnncliError, match=r"corpus\.txt"):
            experiments.start(task, tmp_path, tmp_path / "run", stdin=io.BytesIO(b"a\xff\xfe"))
        assert not list((tmp_path / "run").iterdir())
        experiments.start(task, tmp_path, tmp_path / "run", stdin=io.BytesIO(TEXT.encode()))
        assert (tmp_path / "run" / "corpus.txt").read_text() == TEXT

    def test_a_file_that_cannot_be_trained_on_stays(self, tmp_path):
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "corpus.txt").write_bytes(b"a\xff")
        with pytest.raises(RnncliError):
            experiments.start(tiny_task(data={"train": "run/corpus.txt"}), tmp_path, tmp_path / "run")
        assert (tmp_path / "run" / "corpus.txt").read_bytes() == b"a\xff"

    def test_standard_input_beside_a_spec_in_a_folder_that_is_a_link(self, tmp_path):
        (tmp_path / "far" / "specs").mkdir(parents=True)
        (tmp_path / "specs").symlink_to(tmp_path / "far" / "specs")
        task = tiny_task(data={"train": "-"}, steps=2)
        run = experiments.start(task, tmp_path / "specs", tmp_path / "run", stdin=io.BytesIO(TEXT.encode()))
        assert run.task.data.train == "corpus.txt"
        assert run.dataset.tokens("train") > 500

    def test_a_folder_that_cannot_be_written_is_found_before_the_text_is_read(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(RnncliError, match="cannot write"):
            experiments.start(tiny_task(data={"train": "missing"}), tmp_path, tmp_path / "file" / "run")

    def test_it_writes_nothing_before_the_first_event(self, tmp_path):
        start(tiny_task(), tmp_path)
        assert list((tmp_path / "run").iterdir()) == []

    def test_a_summary_in_a_line(self, shared):
        run, _ = shared
        size = sum(parameter.value.size for parameter in run.model.parameters().values())
        assert run.summary() == (
            f"rnn 1 x 4, {size:,} parameters, {len(run.dataset.vocabulary)} tokens in the vocabulary, "
            f"{run.dataset.tokens('train'):,} to train on → {run.folder}"
        )

    def test_a_sample_changes_nothing(self, tmp_path):
        (run, other) = (start(tiny_task(model={"dropout": 0.3}), tmp_path, name) for name in ("a", "b"))
        for event in run.events():
            if event.step % 5 == 0:
                assert len(run.sample()) == SAMPLE_LENGTH
        list(other.events())
        assert weights(run.model) == weights(other.model)
        assert run.sample() == run.sample()

    def test_the_spec_that_is_written_reads_back(self, shared, tmp_path):
        run, _ = shared
        run = replace(run, folder=tmp_path)
        experiments.write_spec(run)
        assert validate(read_spec(tmp_path / "spec.yaml"), LanguageModelTask) == run.task
        assert (tmp_path / "spec.yaml").read_text() == to_yaml(run.task)


class TestInitFrom:
    def test_weights_vocabulary_and_architecture_are_the_other_models(self, shared, tmp_path):
        origin, _ = shared
        task = replace(tiny_task(steps=3), model=LanguageModelSpec())
        (tmp_path / "corpus.txt").write_text("dab ZZ cab " * 30)
        run = experiments.start(task, tmp_path, tmp_path / "run", init_from=origin.folder)
        stored = experiments.load(origin.folder / "best.npz")
        assert weights(run.model) == weights(stored.model)
        assert run.dataset.vocabulary == stored.writer.vocabulary
        assert run.task.model == origin.task.model
        assert run.task.data.tokenizer == origin.task.data.tokenizer
        assert run.task.training.steps == 3
        assert any("of the train tokens are not in the vocabulary" in notice for notice in run.notices)
        list(run.events())
        assert weights(run.model) != weights(stored.model)
        assert experiments.resume(run.folder, {}).trainer.progress.step == 3

    @pytest.mark.parametrize(
        ("name", "other"),
        [
            ("model", {"cell": "lstm"}),
            ("data.tokenizer", {"data": {"tokenizer": TokenizerSpec("word")}}),
            ("data.format", {"data": {"format": "lines"}}),
        ],
    )
    def test_another_architecture_or_tokenizer_is_refused(self, shared, tmp_path, name, other):
        origin, _ = shared
        with pytest.raises(UsageError, match=f"brings its own {name}; leave {name} out of the spec"):
            experiments.start(tiny_task(**other), tmp_path, tmp_path / "run", init_from=origin.folder)

    def test_a_setting_that_is_the_other_models_too_may_be_asked_for(self, shared, tmp_path):
        origin, _ = shared
        assert origin.task.model != LanguageModelSpec()
        (tmp_path / "corpus.txt").write_text(TEXT)
        task = replace(tiny_task(steps=1), model=origin.task.model)
        assert experiments.start(task, tmp_path, tmp_path / "run", init_from=origin.folder).task.model == task.model

    def test_only_what_the_weights_depend_on_is_inherited(self, tmp_path):
        origin, _ = trained(tiny_task(data={"format": "lines", "split": SplitSpec(0.2, 0.2)}, steps=1), tmp_path)
        task = LanguageModelTask(
            data=TextDataSpec(train="corpus.txt", split=SplitSpec(0.1, 0.1)),
            training=TextTrainingSpec(steps=2, batch_size=7, random_seed=9),
        )
        run = experiments.start(task, tmp_path, tmp_path / "next", init_from=origin.folder)
        assert run.task.data == replace(origin.task.data, split=SplitSpec(0.1, 0.1))
        assert (run.task.training.random_seed, run.task.training.optimizer) == (9, Adam())

    @pytest.mark.parametrize("stored", ["other", "language_model"])
    def test_the_model_of_another_task_is_refused(self, tmp_path, monkeypatch, stored):
        monkeypatch.setitem(TASKS, "other", OtherTask)
        makes = {"other": other_task, "language_model": tiny_task}
        origin, _ = trained(makes.pop(stored)(steps=1), tmp_path)
        ((asked, make),) = makes.items()
        with pytest.raises(UsageError, match=f"{origin.folder} holds a model of task {stored}, not {asked}"):
            experiments.start(make(), tmp_path, tmp_path / "next", init_from=origin.folder)

    def test_each_task_says_what_is_inherited(self, tmp_path, monkeypatch):
        monkeypatch.setitem(TASKS, "other", OtherTask)
        origin, _ = trained(other_task(bptt_length=6, steps=1), tmp_path)
        task = OtherTask(data=TextDataSpec(train="corpus.txt"), training=TextTrainingSpec(steps=1))
        run = experiments.start(task, tmp_path, tmp_path / "next", init_from=origin.folder)
        assert run.task.training.bptt_length == 6 != TextTrainingSpec().bptt_length
        with pytest.raises(UsageError, match=r"brings its own training\.bptt_length; leave training\.bptt_length out"):
            experiments.start(other_task(bptt_length=7), tmp_path, tmp_path / "third", init_from=origin.folder)

    def test_a_spec_that_does_not_go_with_it_is_refused(self, tmp_path):
        lines, _ = trained(tiny_task(data={"format": "lines"}, steps=1), tmp_path, "lines")
        with pytest.raises(UsageError, match=r"the model of .*lines does not go with this spec: training.state: reset"):
            experiments.start(tiny_task(state="reset"), tmp_path, tmp_path / "run", init_from=lines.folder)


def test_a_plan_writes_nothing_and_tells_the_sizes(tmp_path):
    (tmp_path / "corpus.txt").write_text(TEXT)
    task = tiny_task(epochs=4, batch_size=50)
    plan = experiments.plan(task, tmp_path, tmp_path / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.txt"]
    run = start(task, tmp_path)
    assert plan["parameters"] == run.trainer.flat.values.size
    assert plan["vocabulary"] == len(run.dataset.vocabulary)
    assert [plan[f"{name}_tokens"] for name in ("train", "validation", "test")] == [
        run.dataset.tokens(name) for name in ("train", "validation", "test")
    ]
    assert plan["batch_size"] == run.task.training.batch_size < 50
    assert plan["steps_per_epoch"] * 4 == plan["steps"] == run.trainer.total_steps
    assert 0 <= plan["estimated_seconds"] < 60
    assert plan["notices"] == run.notices
    assert sorted(path.name for path in tmp_path.iterdir()) == [".rnncli-cache", "corpus.txt", "run"]


def test_a_plan_of_a_run_of_one_step(tmp_path):
    (tmp_path / "corpus.txt").write_text(TEXT)
    assert experiments.plan(tiny_task(steps=1), tmp_path)["steps"] == 1


def test_no_run_is_ever_written_over(tmp_path):
    for name in ("novel", "novel-2", "novel-3"):
        assert experiments.new_run_folder(tmp_path, "novel") == tmp_path / name
        (tmp_path / name).mkdir()
