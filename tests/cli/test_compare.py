"""`rnncli compare`: cells trained alike, and what is left when one of them fails or somebody interrupts."""

import fcntl
import random
import re
import shlex
import signal
import statistics
from pathlib import Path
from types import SimpleNamespace

import pytest

from rnncli import experiments
from rnncli.cli.compare import StoppedError, Trainings
from rnncli.cli.console import Talk
from rnncli.errors import SpecError
from rnncli.experiments.cell_comparison import Comparison, Training, candidates
from rnncli.nn.cells import GRUCell
from rnncli.spec import parse_spec, read_spec
from rnncli.storage import read_checkpoint_file
from rnncli.training.events import Finished
from tests.cli.conftest import POEM, content, strict_json
from tests.tasks.labelled_runs import CSV, VALUES

SPEC = """
task: classification
data: {train: reviews.csv}
model: {cell: {name: lstm, forget_bias: 2.0}, embedding: {size: 4}, hidden_size: 6, dropout: 0.25}
training: {epochs: 2, batch_size: 8, optimizer: {name: adam, learning_rate: 0.02}, random_seed: 4}
"""
OWN = "{name: lstm, forget_bias: 2.0}"
CELLS = ["--cells", "rnn,lstm,gru"]
ROW = r"(\S.*?)  +([\d,]+)  +([\d.]+)((?:  +\S+)+)"


@pytest.fixture
def spec(tmp_path):
    """reviews.yaml and its data in an empty folder."""
    (tmp_path / "reviews.csv").write_text(CSV)
    (tmp_path / "reviews.yaml").write_text(SPEC)


def json_of(rnncli, *arguments, status=0):
    found = rnncli(*arguments, "--json", "-q")
    assert (found.status, found.err) == (status, "")
    return strict_json(found.out)


def spread_of(values):
    return {"median": statistics.median(values), "lowest": min(values), "highest": max(values)}


class TestComparison:
    def test_a_table_on_stdout_and_progress_on_stderr(self, rnncli, spec):
        status, out, err = rnncli("compare", "reviews.yaml", *CELLS)
        assert status == 0
        title, heads, *rows = out.splitlines()
        assert title == "test split, random seed 4"
        assert re.split("  +", heads) == ["model", "parameters", "CPU seconds", "accuracy", "macro F1", "cross entropy"]
        assert [row.split("  ")[0] for row in rows] == ["rnn", "lstm", "gru", "majority", "naive Bayes"]
        lines = err.splitlines()
        told = [line for line in lines if line.startswith("note")]
        assert told == ["note: small data (96 sequences): batch_size 8 → 4"]  # once, and not for each cell
        begun = [line for line in lines if " → runs/" in line]
        for number, (cell, line, row) in enumerate(zip(("rnn", "lstm", "gru"), begun, rows[:3], strict=True), 1):
            name, parameters, seconds, scores = re.fullmatch(ROW, row).groups()
            assert name == cell
            assert line.startswith(f"{number} of 3: {cell} 1 x 6, {parameters} parameters, ")
            assert line.endswith(f" → runs/reviews-{cell}")
            best = r"the best model after epoch [12] of 2"
            (summary,) = [line for line in lines if line.startswith(f"{cell}: ")]
            assert re.fullmatch(rf"{cell}: accuracy {scores.split()[0]}, {seconds} CPU seconds, {best}", summary)
        assert len([line for line in lines if line.startswith("step ")]) >= 6  # two validations each

    def test_each_run_is_that_of_train_to_the_byte(self, rnncli, spec):
        assert rnncli("compare", "reviews.yaml", "-q").status == 0
        runs = {f"reviews-{cell}" for cell in ("rnn", "lstm", "gru", "conv1d", "mlp")}
        assert {path.name for path in Path("runs").iterdir()} == runs
        assert rnncli("train", "--spec", "reviews.yaml", "-o", "runs/lstm", "-q").status == 0
        assert content("runs/reviews-lstm") == content("runs/lstm")
        assert "forget_bias: 2.0" in Path("runs/reviews-lstm/spec.yaml").read_text()
        Path("reviews.yaml").write_text(SPEC.replace(OWN, "lstm"))  # as train refuses a forget_bias of an rnn
        for cell in ("rnn", "gru", "conv1d", "mlp"):
            assert rnncli("train", "--spec", "reviews.yaml", "--cell", cell, "-o", f"runs/{cell}", "-q").status == 0
            assert content(f"runs/reviews-{cell}") == content(f"runs/{cell}")

    def test_controls_do_without_what_only_recurrent_cells_have(self, rnncli, spec):
        settings = ["--set", "model.recurrent_dropout=0.5", "--steps", "2"]
        status, _, err = rnncli("compare", "reviews.yaml", "--cells", "gru,mlp", *settings)
        assert status == 0
        assert err.startswith("note: mlp is not recurrent, and does without model.recurrent_dropout\n")
        kept = {cell: Path(f"runs/reviews-{cell}/spec.yaml").read_text() for cell in ("gru", "mlp")}
        assert "recurrent_dropout: 0.5\n" in kept["gru"]
        assert "recurrent_dropout: 0.0\n" in kept["mlp"]

    def test_controls_do_without_a_recurrence(self, tmp_path):
        """Not of outputs either; other cells than rnn have none of outputs alone."""
        text = "task: tagging\ndata: {train: a.conll}\nmodel: {recurrence: %s, cell: %s, bidirectional: false}\n"
        found = candidates(parse_spec((text % ("both", "gru")).encode(), "spec.yaml"), ["gru", "rnn", "mlp"])
        assert [each.task.model.recurrence for each in found] == ["both", "both", "hidden"]
        assert found[2].notice == "mlp is not recurrent, and does without model.recurrence"
        with pytest.raises(SpecError, match="recurrence: output needs cell: rnn, not lstm"):
            candidates(parse_spec((text % ("output", "rnn")).encode(), "spec.yaml"), ["rnn", "lstm"])

    def test_the_scores_are_those_of_evaluate(self, rnncli, spec):
        found = json_of(rnncli, "compare", "reviews.yaml", *CELLS)
        assert (found["spec"], found["split"]) == ("reviews.yaml", "test")
        assert (found["random_seeds"], found["complete"]) == ([4], True)
        assert list(found["cells"]) == ["rnn", "lstm", "gru"]
        for cell, each in found["cells"].items():
            (run,) = each["runs"]
            assert (run["run"], run["step"], run["epochs"]) == (f"runs/reviews-{cell}", 48, 2.0)
            test = json_of(rnncli, "evaluate", "--model", run["run"])["scores"]["test"]
            for name, value in run["scores"].items():
                assert value == test[name]
                assert each["scores"][name] == {"median": value, "lowest": value, "highest": value}
            assert list(run["scores"]) == ["accuracy", "macro_f1", "cross_entropy"]
        for name, baseline in found["baselines"].items():
            assert baseline["scores"]["accuracy"]["median"] == test["baselines"][name]["accuracy"]
        assert list(found["baselines"]) == ["majority", "naive Bayes"]

    def test_its_models_answer_and_are_never_overwritten(self, rnncli, spec):
        assert rnncli("compare", "reviews.yaml", "--cells", " gru, rnn", "-q").status == 0
        before = content("runs/reviews-gru")
        assert rnncli("classify", "--model", "runs/reviews-gru", "a good film").out in ("pos\n", "neg\n")
        found = json_of(rnncli, "compare", "reviews.yaml", "--cells", "gru", "--epochs", "1")
        assert found["cells"]["gru"]["runs"][0]["run"] == "runs/reviews-gru-2"
        assert content("runs/reviews-gru") == before != content("runs/reviews-gru-2")

    def test_medians_of_random_seeds(self, rnncli, spec):
        guesses = random.Random(1)
        rows = [f"{line.split(',')[0]},{guesses.choice(('pos', 'neg'))}\n" for line in CSV.splitlines()[1:]]
        Path("reviews.csv").write_text("text,label\n" + "".join(rows))  # so that no two test parts are alike
        Path("reviews.yaml").write_text(SPEC.replace(OWN, "gru"))
        arguments = ["--cells", "gru,rnn", "--random-seeds", "3,1,2", "--runs", "all"]
        found = json_of(rnncli, "compare", "reviews.yaml", *arguments)
        assert found["random_seeds"] == [3, 1, 2]
        for cell, each in found["cells"].items():
            assert [run["run"] for run in each["runs"]] == [f"all/reviews-{cell}-seed{seed}" for seed in (3, 1, 2)]
            assert len({run["scores"]["cross_entropy"] for run in each["runs"]}) == 3
            for name, spread in each["scores"].items():
                assert spread == spread_of([run["scores"][name] for run in each["runs"]])
        assert rnncli("train", "--spec", "reviews.yaml", "--random-seed", "2", "-o", "all/2", "-q").status == 0
        assert content("all/2") == content("all/reviews-gru-seed2")
        tests = [
            json_of(rnncli, "evaluate", "--split", "test", "--model", run["run"])["scores"]["test"]
            for run in found["cells"]["rnn"]["runs"]
        ]
        values = [test["baselines"]["naive Bayes"]["accuracy"] for test in tests]
        assert len(set(values)) > 1
        assert found["baselines"]["naive Bayes"]["scores"]["accuracy"] == spread_of(values)

    def test_changes_of_the_spec_and_the_length_of_training(self, rnncli, spec):
        settings = ["--set", "model.hidden_size=3", "--set", "data.split={validation: 0.1, test: 0}", "--steps", "5"]
        found = json_of(rnncli, "compare", "reviews.yaml", "--cells", "gru", *settings)
        assert found["split"] == "validation"
        assert found["cells"]["gru"]["runs"][0]["step"] == 5
        assert "hidden_size: 3\n" in Path("runs/reviews-gru/spec.yaml").read_text()

    def test_texts(self, rnncli, tmp_path):
        (tmp_path / "poem.txt").write_text(POEM, "utf-8")
        model = "model: {embedding: {size: 4}, hidden_size: 8, num_layers: 1}"
        (tmp_path / "poem.yaml").write_text(f"data: {{train: poem.txt}}\n{model}\n")
        status, out, _ = rnncli("compare", "poem.yaml", "--steps", "5")
        assert status == 0
        assert "cross entropy  bits per character  perplexity\n" in out
        rows = [line.split()[0] for line in out.splitlines()[2:]]
        assert rows == ["rnn", "lstm", "gru", "conv1d", "mlp", "unigram", "bigram", "5-gram"]

    def test_values(self, rnncli, tmp_path):
        (tmp_path / "values.csv").write_text(VALUES)
        data = "data: {train: values.csv, columns: [hours, sleep]}"
        (tmp_path / "values.yaml").write_text(f"task: regression\n{data}\nmodel: {{hidden_size: 4}}\n")
        found = json_of(rnncli, "compare", "values.yaml", *CELLS, "--epochs", "1")
        assert list(found["cells"]["rnn"]["scores"]) == list(found["baselines"]["mean"]["scores"])
        assert list(found["baselines"]["mean"]["scores"]) == ["mae", "mse", "rmse", "r2"]

    def test_tags(self, rnncli, tmp_path):
        words = ["the/DET", "old/ADJ", "cat/NOUN", "sees/VERB", "a/DET", "dog/NOUN"]
        sentences = [words[k % 5 : k % 5 + 1 + k % 4] for k in range(40)]
        lines = ["".join(word.replace("/", "\t") + "\n" for word in sentence) for sentence in sentences]
        (tmp_path / "tags.conll").write_text("\n".join(lines))
        (tmp_path / "tags.yaml").write_text("task: tagging\ndata: {train: tags.conll}\nmodel: {hidden_size: 4}\n")
        found = json_of(rnncli, "compare", "tags.yaml", "--cells", "rnn,mlp", "--epochs", "1")
        for cell in ("rnn", "mlp"):
            (run,) = found["cells"][cell]["runs"]
            test = json_of(rnncli, "evaluate", "--model", run["run"])["scores"]["test"]
            assert run["scores"] == {name: test[name] for name in run["scores"]}
        assert next(iter(run["scores"])) == "token_accuracy"
        assert list(found["baselines"]) == ["most frequent tag"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--cells", "rnn,lsmt"], """there is no cell "lsmt"; did you mean "lstm"?"""),
            (["--cells", "rnn,"], 'there is no cell ""; the cells are rnn, lstm, gru, conv1d, none, mlp'),
            (["--cells", "gru,rnn,gru"], "the cell gru is given twice"),
            (["--random-seeds", "1,-2"], "--random-seeds must be whole numbers from 0 on, such as 1,2,3, not '1,-2'"),
            (["--random-seeds", "9" * 5000], "--random-seeds must be whole numbers"),
            (["--cells", "lstm" * 5000], 'there is no cell "lstmlstm'),
            (["--random-seeds", "1,2,01"], "--random-seeds must differ from each other, which 1,2,01 do not"),
            (
                ["--set", "data.train='-'"],
                "each cell reads the data anew, which a pipe cannot give; put them in a file",
            ),
            (["--set", "model.hiden_size=3"], '--set model.hiden_size: unknown key "hiden_size" in model'),
            (["--epochs", "0"], "--epochs: training.epochs must be greater than 0, not 0"),
            (["--set", "training.workers=2", "--threads", "2"], "each of several workers has one BLAS thread"),
        ],
    )
    def test_before_anything_is_trained(self, rnncli, spec, arguments, said):
        status, out, err = rnncli("compare", "reviews.yaml", "--cells", "rnn,gru", *arguments)
        assert (status, out) == (2, "")
        assert err.startswith(said)
        assert err.count("\n") == 1
        assert len(err) <= 201
        assert not Path("runs").exists()

    def test_nothing_to_compare_on(self, rnncli, spec):
        none = ["--set", "data.split={validation: 0, test: 0}"]
        status, out, err = rnncli("compare", "reviews.yaml", *CELLS, *none)
        assert (status, out) == (3, "")
        assert err == "neither a test nor a validation split to compare on; set data.split, or data.test\n"
        assert list(Path("runs").iterdir()) == []


class TestDivergence:
    EXPLODING = """
task: classification
data: {train: reviews.csv}
model: {cell: {name: rnn, activation: relu}, embedding: {size: 4}, hidden_size: 6}
training: {steps: 4, optimizer: {name: sgd, learning_rate: 100}, max_norm: null}
"""

    @pytest.fixture
    def exploding(self, rnncli, spec):
        """A spec of an rnn whose state grows without bound, as those of other cells cannot."""
        Path("exploding.yaml").write_text(self.EXPLODING)
        return rnncli

    def test_the_others_go_on(self, exploding):
        status, out, err = exploding("compare", "exploding.yaml", *CELLS)
        assert status == 4
        rows = [line.split() for line in out.splitlines()[2:]]
        assert [(row[0], len(row)) for row in rows[:3]] == [("rnn", 4), ("lstm", 6), ("gru", 6)]
        assert rows[0][-1] == "diverged"
        assert "naive Bayes" in out
        assert re.search(
            r"^rnn: training diverged: the loss of step [234] is .+ \(learning rate 100\)$", err, re.MULTILINE
        )
        last = "1 of 3 trainings diverged: rnn with random seed 1; try a smaller training.optimizer.learning_rate"
        assert err.splitlines()[-1].startswith(last)

    def test_json(self, exploding):
        status, out, _ = exploding("compare", "exploding.yaml", *CELLS, "--json", "-q")
        found = strict_json(out)
        (run,) = found["cells"]["rnn"]["runs"]
        assert (status, found["complete"]) == (4, True)
        assert run["diverged"].startswith("training diverged: the loss of step ")
        assert (run["scores"], found["cells"]["rnn"]["scores"]) == ({}, {})
        assert found["cells"]["gru"]["runs"][0]["diverged"] is None


class TestInterruption:
    def test_what_is_done_is_shown_and_what_was_begun_goes_on(self, rnncli, spec, start_process):
        settings = ["--set", "training.validate_every=1", "--set", "training.patience=null", "--steps", "80"]
        process = start_process("compare", "reviews.yaml", "--cells", "rnn,gru", *settings, bufsize=0)
        fcntl.fcntl(process.stderr, fcntl.F_SETPIPE_SZ, 4096)  # in which there is no room for what a training says
        while not process.stderr.readline().startswith(b"2 of 2: gru"):
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        out, err = (text.decode() for text in process.communicate(timeout=20))
        assert process.returncode == -signal.SIGTERM
        *_, stopped, finished = err.splitlines()
        step, command = re.fullmatch(r"stopped at step (\d+) of 80; go on with: (.+)", stopped).groups()
        assert finished == "1 of 2 trainings were finished"
        assert [line.split()[0] for line in out.splitlines()[2:]] == ["rnn", "majority", "naive"]
        assert read_checkpoint_file(Path("runs/reviews-gru/last.npz"))[1]["metrics"]["step"] == int(step)
        assert command == "rnncli train --resume runs/reviews-gru"
        assert rnncli(*shlex.split(command)[1:], "--max-time", "0.001", "-q") == (0, "runs/reviews-gru\n", "")

    @pytest.fixture
    def trainings(self, rnncli, spec):
        """Trainings with one candidate, and the signal that has come."""
        interruption = SimpleNamespace(signal=None)
        found = Comparison([4], ["gru"])
        talk = Talk(quiet=True, color=False)
        (candidate,) = candidates(read_spec(Path("reviews.yaml")), ["gru"])
        return Trainings(found, Path(), talk, interruption), candidate

    def test_nothing_is_begun_after_it(self, trainings):
        trainings, candidate = trainings
        trainings.interruption.signal = signal.SIGINT
        with pytest.raises(StoppedError):
            trainings.add(candidate, Path("runs/gru"))
        assert not Path("runs").exists()
        assert trainings.found.outcomes == []

    def test_it_ends_the_reading_of_data(self, trainings, monkeypatch):
        trainings, candidate = trainings
        start, told = experiments.start, []

        def interrupted(*given, report):
            report("reading", 1, 2)
            trainings.interruption.signal = signal.SIGTERM
            told.append("reading")
            return start(*given, report=report)

        monkeypatch.setattr(experiments, "start", interrupted)
        with pytest.raises(StoppedError):
            trainings.add(candidate, Path("runs/gru"))
        assert told == ["reading"]
        assert not Path("runs/gru").exists()

    def test_what_comes_in_the_last_step_is_too_late_to_stop_it(self, trainings, monkeypatch):
        trainings, candidate = trainings
        trainings.found.split = "test"
        run = experiments.start(candidate.task, Path(), Path("runs/gru"))
        training, events = Training(run), run.events

        def interrupted():
            for event in events():
                if isinstance(event, Finished):
                    trainings.interruption.signal = signal.SIGINT
                yield event

        monkeypatch.setattr(run, "events", interrupted)
        trainings.train(training)
        assert training.epochs == 2


def test_what_fails_does_not_lose_what_was_done(rnncli, spec, monkeypatch):
    def out_of_memory(*_):
        raise MemoryError("Unable to allocate 3 GiB")

    monkeypatch.setattr(GRUCell, "forward", out_of_memory)
    status, out, err = rnncli("compare", "reviews.yaml", "--cells", "rnn,gru,lstm")
    assert status == 1
    assert err.splitlines()[-1] == "out of memory: Unable to allocate 3 GiB; choose smaller sizes"
    assert [line.split()[0] for line in out.splitlines()[2:]] == ["rnn", "majority", "naive"]
    assert not Path("runs/reviews-lstm").exists()


def test_on_a_terminal_the_table_is_plain(rnncli, spec, on_terminal):
    status, shown = on_terminal("compare", "reviews.yaml", "--cells", "rnn,gru", "--steps", "20")
    assert status == 0
    assert "\x1b[" in shown
    *_, table = shown.partition("\ntest split, random seed 4\n")
    assert [line.split()[0] for line in table.splitlines()] == ["model", "rnn", "gru", "majority", "naive"]
    assert "\x1b" not in table
