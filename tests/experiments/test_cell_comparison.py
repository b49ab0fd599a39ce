from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from rnncli import experiments
from rnncli.errors import DataError, DivergedError, SpecError, UsageError
from rnncli.experiments import cell_comparison
from rnncli.experiments.cell_comparison import (
    Comparison,
    Outcome,
    Row,
    Spread,
    Training,
    candidates,
    compared_split,
    outcome,
    score_best,
)
from rnncli.models.stack_spec import Conv1d, WindowedMLP
from rnncli.nn.cells import GRUCell, LSTMCell, RNNCell
from rnncli.nn.protocols import Loss
from rnncli.spec import parse_spec
from rnncli.tasks import TASKS, PairTask
from rnncli.tasks.text_spec import SplitSpec
from rnncli.training.events import Finished, StepDone, Validated
from tests.tasks.labelled_runs import labelled_task, start, trained

SPEC = b"""
task: classification
data: {train: data.csv}
model: {cell: {name: rnn, activation: relu}, hidden_size: 5, initial_state: learned, recurrent_dropout: 0.25}
"""


def document(text=SPEC):
    return parse_spec(text, "spec.yaml")


class TestCandidates:
    def test_only_the_cell_differs_and_the_specs_own_keeps_its_settings(self):
        own = experiments.task_from(document())
        found = candidates(document(), ["lstm", "rnn", "gru"])
        assert [(each.cell, each.task.model.cell) for each in found] == [
            ("lstm", LSTMCell()),
            ("rnn", RNNCell(activation="relu")),
            ("gru", GRUCell()),
        ]
        for each in found:
            assert replace(each.task, model=replace(each.task.model, cell=own.model.cell)) == own
            assert each.notice == ""

    def test_controls_do_without_what_only_recurrent_cells_have(self):
        own = experiments.task_from(document())
        found = candidates(document(), ["conv1d", "rnn", "mlp"])
        assert [each.task.model.cell for each in found] == [Conv1d(), RNNCell(activation="relu"), WindowedMLP("mlp")]
        assert found[1].task == own
        for each in (found[0], found[2]):
            kept = replace(own.model, cell=each.task.model.cell, initial_state="zeros", recurrent_dropout=0.0)
            assert each.task == replace(own, model=kept)
            names = "model.initial_state and model.recurrent_dropout"
            assert each.notice == f"{each.cell} is not recurrent, and does without {names}"
        (only,) = candidates(document(SPEC.replace(b", recurrent_dropout: 0.25", b"")), ["mlp"])
        assert only.notice == "mlp is not recurrent, and does without model.initial_state"

    def test_a_control_goes_by_either_name(self):
        spec = b"task: classification\nmodel: {cell: {name: none, window: 9}}"
        assert [each.task.model.cell for each in candidates(document(spec), ["mlp", "rnn"])] == [
            WindowedMLP(window=9),
            RNNCell(),
        ]

    @pytest.mark.parametrize("task", TASKS)
    def test_every_task(self, task):
        cells = ["rnn", "lstm", "gru"]
        cells += [] if issubclass(TASKS[task], PairTask) else ["conv1d", "none"]  # a decoder needs a state
        found = candidates(document(f"task: {task}".encode()), cells)
        assert [each.task.model.cell.name for each in found] == cells

    def test_the_document_stays_as_it_is(self):
        read = document()
        candidates(read, ["lstm", "gru"])
        assert read == document()

    def test_a_random_seed(self):
        (found,) = candidates(document(), ["gru"])
        seeded = found.with_seed(7)
        assert seeded.task.training.random_seed == 7
        assert seeded.with_seed(found.task.training.random_seed) == found

    @pytest.mark.parametrize(
        ("cells", "message"),
        [
            (["gru", "lsmt"], """there is no cell "lsmt"; did you mean "lstm"?"""),
            (["transformer"], 'there is no cell "transformer"; the cells are rnn, lstm, gru, conv1d, none, mlp'),
            (["rnn", "gru", "rnn"], "the cell rnn is given twice"),
            (["mlp", "gru", "none"], "the cell none is given twice, first as mlp"),
        ],
    )
    def test_what_cannot_be_compared(self, cells, message):
        with pytest.raises(UsageError) as caught:
            candidates(document(), cells)
        assert str(caught.value) == message

    @pytest.mark.parametrize(
        ("task", "controls"),
        [("classification", ["conv1d", "mlp"]), ("language_model", ["conv1d", "mlp"]), ("translation", [])],
    )
    def test_without_a_list_they_are_all_that_the_model_may_have(self, task, controls):
        found = candidates(document(f"task: {task}".encode()))
        assert [each.cell for each in found] == ["rnn", "lstm", "gru", *controls]
        assert [each.task.model.cell.name for each in found][:3] == ["rnn", "lstm", "gru"]

    def test_without_a_list_a_spec_that_is_wrong_is_refused(self):
        with pytest.raises(SpecError, match="hidden_size"):
            candidates(document(b"task: translation\nmodel: {hidden_size: 0}"))


class TestTraining:
    STEP = StepDone(1, 2, 0.5, Loss(2.0, 2), 1.0, 0.1)
    BEST, WORSE = Validated(2, 1.0, Loss(1.0, 1), best=True), Validated(3, 1.5, Loss(2.0, 1), best=False)

    @pytest.fixture
    def clock(self, monkeypatch):
        """A wall clock, this process's CPU time, and that of its children that have ended."""
        clock = SimpleNamespace(wall=100.0, cpu=10.0, children=1.0)

        def ended():
            return SimpleNamespace(children_user=clock.children / 4, children_system=clock.children * 3 / 4)

        monkeypatch.setattr(cell_comparison, "perf_counter", lambda: clock.wall)
        monkeypatch.setattr(cell_comparison, "process_time", lambda: clock.cpu)
        monkeypatch.setattr(cell_comparison, "times", ended)
        return clock

    def run(self, clock, events, error=None):
        def training():
            for event in events:
                clock.wall, clock.cpu = clock.wall + 3, clock.cpu + 2
                yield event
            clock.children += 0.5  # workers end after the last event
            if error:
                raise error

        return Training(SimpleNamespace(events=training))

    def test_it_is_timed_without_those_who_watch(self, clock):
        training, seen = self.run(clock, [self.STEP, self.BEST, self.WORSE, Finished(3, "done")]), []
        for event in training.events():
            clock.wall, clock.cpu, clock.children = clock.wall + 50, clock.cpu + 50, clock.children + 50
            seen.append(event)
        assert seen == [self.STEP, self.BEST, self.WORSE, Finished(3, "done")]
        assert (training.seconds, training.cpu_seconds) == (12, 8.5)
        assert (training.best, training.epochs) == (self.BEST, 1.5)

    def test_until_it_diverges(self, clock):
        training = self.run(clock, [self.STEP], DivergedError("training diverged"))
        with pytest.raises(DivergedError):
            list(training.events())
        assert (training.seconds, training.cpu_seconds) == (3, 2.5)
        assert (training.best, training.epochs) == (None, 0.5)

    def test_outcome(self, tmp_path):
        candidate = candidates(document(b"task: classification\nmodel: {cell: gru}"), ["gru"])[0]
        run = start(labelled_task(epochs=2, random_seed=5), tmp_path)
        training = Training(run)
        assert list(training.events())[-1] == Finished(48, "all 48 steps done")
        assert 0 < training.cpu_seconds < 5
        training.best = self.BEST
        found = outcome(candidate, training, {"accuracy": 0.5})
        assert found == Outcome(
            "gru",
            5,
            tmp_path / "run",
            sum(parameter.value.size for parameter in run.model.parameters().values()),
            48,
            2.0,
            1.0,
            training.seconds,
            training.cpu_seconds,
            {"accuracy": 0.5},
        )


class TestScores:
    def test_the_best_model_on_the_test_split(self, tmp_path):
        run, _ = trained(labelled_task(), tmp_path)
        run.trainer.flat.values[:] = 0
        assert compared_split(run) == "test"
        _, wanted = experiments.score_run(run)
        score = score_best(run, "test")
        assert (score.split, score.loss, score.report.means) == ("test", wanted.loss, wanted.report.means)
        assert {name: report.means for name, report in score.baselines.items()} == {
            name: report.means for name, report in wanted.baselines.items()
        }

    def test_without_a_test_split_the_validation_split(self, tmp_path):
        run = start(labelled_task({"split": SplitSpec(validation=0.2, test=0.0)}), tmp_path)
        assert compared_split(run) == "validation"
        assert score_best(run, "validation").split == "validation"

    def test_without_either(self, tmp_path):
        run = start(labelled_task({"split": SplitSpec(validation=0.0, test=0.0)}), tmp_path)
        with pytest.raises(DataError, match=r"neither a test nor a validation split to compare on; set data\.split"):
            compared_split(run)


def result(cell, seed, parameters, cpu, diverged="", **scores):
    return Outcome(cell, seed, Path("runs") / cell, parameters, 9, 3.0, 2.0, 2 * cpu, cpu, scores, diverged)


class TestComparison:
    def test_rows_of_several_random_seeds(self):
        found = Comparison([1, 2, 3], ["rnn", "gru"], "test")
        assert (found.total, found.rows()) == (6, [])
        found.outcomes += [result("rnn", seed, 10 + seed, cpu, f1=f1) for seed, cpu, f1 in [(1, 4, 0.5), (2, 1, 0.25)]]
        found.outcomes += [result("gru", seed, 30, 2.0, f1=f1) for seed, f1 in [(1, 0.5), (2, 0.75), (3, 1.0)]]
        found.baselines = {1: {"mean": {"f1": 0.1}, "mode": {"f2": 0.0}}, 2: {"mean": {"f1": 0.3}}}
        assert found.rows() == [
            Row("rnn", 2, 11, Spread(2.5, 1, 4), {"f1": Spread(0.375, 0.25, 0.5)}),
            Row("gru", 3, 30, Spread(2, 2, 2), {"f1": Spread(0.75, 0.5, 1.0)}),
            Row("mean", 2, None, None, {"f1": Spread(0.2, 0.1, 0.3)}),
            Row("mode", 1, None, None, {"f2": Spread(0.0, 0.0, 0.0)}),
        ]

    def test_what_has_diverged_has_no_score_and_its_time_counts_only_where_there_is_no_other(self):
        found = Comparison([1, 2], ["gru", "rnn", "lstm"], "test")
        found.outcomes = [result("rnn", 1, 10, 4.0, "diverged"), result("gru", 1, 30, 1.0, "diverged")]
        found.outcomes.append(result("gru", 2, 30, 3.0, f1=1.0))
        assert found.rows() == [
            Row("gru", 1, 30, Spread(3, 3, 3), {"f1": Spread(1.0, 1.0, 1.0)}),
            Row("rnn", 0, 10, Spread(4, 4, 4), {}),
        ]
