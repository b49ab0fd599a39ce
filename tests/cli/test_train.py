"""`rnncli train`: what it writes, what it prints, and how a run goes on."""

import math
import os
import re
from pathlib import Path

import numpy as np
import pytest

from rnncli.cli import main
from rnncli.nn.cells import CELLS
from rnncli.spec import read_spec
from rnncli.storage import read_checkpoint_file
from rnncli.training.optimizers import OPTIMIZERS
from tests.cli.conftest import FILES, POEM, SMALL, content, strict_json

TINY = [*SMALL, "--steps", "12"]


def spec_of(folder):
    return read_spec(Path(folder) / "spec.yaml").value


@pytest.mark.usefixtures("poem")
class TestNewRun:
    def test_files_and_streams(self, rnncli):
        status, out, err = rnncli("train", "poem.txt", *TINY)
        assert (status, out) == (0, "runs/poem\n")
        assert {path.name for path in Path("runs/poem").iterdir()} == FILES | {".lock"}
        steps = [line for line in Path("runs/poem/metrics.jsonl").read_text().splitlines() if "train_loss" in line]
        assert [strict_json(line)["step"] for line in steps] == list(range(1, 13))
        assert re.search(r"lstm 1 x 8, [\d,]+ parameters", err)
        assert "finished at step 12: all 12 steps done" in err
        assert re.search(r"^test +5-gram( +\d+\.\d{3}){3}$", err, re.MULTILINE)

    def test_json_lines(self, rnncli):
        status, out, _ = rnncli("train", "poem.txt", *TINY, "--json", "--set", "training.validate_every=5")
        *metrics, last = map(strict_json, out.splitlines())
        assert status == 0
        assert [line["step"] for line in metrics if "train_loss" in line] == list(range(1, 13))
        validations = {line["step"]: line["validation_loss"] for line in metrics if "validation_loss" in line}
        assert list(validations) == [5, 10, 12]
        assert (last["run"], last["step"]) == ("runs/poem", 12)
        score = last["scores"]["validation"]
        assert score["cross_entropy"] == min(validations.values())
        assert score["bits_per_character"] == pytest.approx(score["cross_entropy"] / math.log(2))
        assert set(score["baselines"]) == {"unigram", "bigram", "5-gram"}
        assert last["scores"]["test"]["baselines"]["bigram"]["perplexity"] > 1

    def test_quiet(self, rnncli):
        assert rnncli("train", "poem.txt", *TINY, "--quiet") == (0, "runs/poem\n", "")

    def test_a_second_run_has_another_name(self, rnncli):
        assert rnncli("train", "poem.txt", *TINY, "-q").out == "runs/poem\n"
        before = content("runs/poem")
        assert rnncli("train", "poem.txt", *TINY, "-q").out == "runs/poem-2\n"
        assert content("runs/poem") == before == content("runs/poem-2")

    def test_output(self, rnncli):
        assert rnncli("train", "poem.txt", *TINY, "-q", "--output", "a/b c").out == "a/b c\n"
        before = content("a/b c")
        status, out, err = rnncli("train", "poem.txt", *TINY, "-q", "--output", "a/b c")
        assert (status, out) == (2, "")
        assert err == "a/b c already holds best.npz; name another folder; to go on with a run: --resume 'a/b c'\n"
        assert content("a/b c") == before
        assert not Path("runs").exists()

    def test_runs_folder_of_the_environment(self, rnncli, monkeypatch):
        monkeypatch.setenv("RNNCLI_RUNS", "mine")
        assert rnncli("train", "poem.txt", *TINY, "-q").out == "mine/poem\n"
        assert rnncli("train", "poem.txt", *TINY, "-q", "--runs", "flag").out == "flag/poem\n"

    def test_nothing_is_left_of_a_run_that_could_not_start(self, rnncli):
        assert rnncli("train", "pome.txt", *TINY).status == 3
        assert list(Path("runs").iterdir()) == []

    def test_small_corpus(self, rnncli):
        _, _, err = rnncli("train", "poem.txt", *TINY)
        tokens = re.search(r"([\d,]+) to train on", err)[1]
        assert f"note: small corpus ({tokens} tokens): batch_size 50 → 1" in err
        assert spec_of("runs/poem")["training"]["batch_size"] == 1

    def test_spec_of_a_run_trains_again(self, rnncli):
        rnncli("train", "poem.txt", *TINY, "-q", "--cell", "gru", "--random-seed", "7")
        again = rnncli("train", "--spec", "runs/poem/spec.yaml", "--output", "runs/again", "-q")
        assert again == (0, "runs/again\n", "")
        assert content("runs/again") == content("runs/poem")

    def test_max_time(self, rnncli):
        status, out, err = rnncli("train", "poem.txt", *TINY, "--max-time", "0.001s")
        assert (status, out) == (0, "runs/poem\n")
        assert "stopped at step 1 of 12; go on with: rnncli train --resume runs/poem" in err
        assert "this model" in err

    def test_dry_run(self, rnncli):
        status, out, err = rnncli("train", "poem.txt", *SMALL, "--steps", "1000000", "--dry-run", "--json")
        plan = strict_json(out)
        vocabulary, embedding, hidden = plan["vocabulary"], 4, 8
        lstm = 4 * hidden * (embedding + hidden + 1)
        assert status == 0
        assert plan["parameters"] == vocabulary * embedding + lstm + vocabulary * (hidden + 1)
        assert sum(plan[f"{split}_tokens"] for split in ("train", "validation", "test")) == len(POEM)
        assert (plan["steps"], plan["batch_size"]) == (1_000_000, 1)
        assert 10 < plan["estimated_seconds"] < 100_000
        assert "small corpus" in err
        assert list(Path().iterdir()) == [Path("poem.txt")]
        lines = rnncli("train", "poem.txt", *TINY, "--dry-run").out.splitlines()
        assert [f"parameters         {plan['parameters']}", f"vocabulary         {vocabulary}"] == lines[:2]


@pytest.mark.usefixtures("poem")
class TestSettings:
    @pytest.mark.parametrize(
        ("extra", "hidden_size"), [("", 4), ("--set model.hidden_size=5", 5), ("--hidden-size 6", 6)]
    )
    def test_flag_over_set_over_spec_over_default(self, rnncli, extra, hidden_size):
        Path("spec.yaml").write_text("model: {hidden_size: 4, num_layers: 1}\ntraining: {steps: 3}\n")
        extra = f"--set model.hidden_size=5 {extra}" if hidden_size == 6 else extra
        assert rnncli("train", "poem.txt", "--spec", "spec.yaml", *extra.split(), "-q", "-o", "out").status == 0
        spec = spec_of("out")
        assert spec["model"]["hidden_size"] == hidden_size
        assert (spec["model"]["num_layers"], spec["training"]["steps"]) == (1, 3)
        assert spec["training"]["optimizer"]["learning_rate"] == 0.002

    def test_numbers_as_yaml_should_read_them(self, rnncli):
        Path("spec.yaml").write_text("training: {optimizer: {learning_rate: 1e-3}, max_norm: 2}\n")
        assert rnncli("train", "poem.txt", "--spec", "spec.yaml", *SMALL[:4], "--steps", 2, "-q").status == 0
        training = spec_of("runs/poem")["training"]
        assert (training["optimizer"]["learning_rate"], training["max_norm"]) == (0.001, 2.0)

    @pytest.mark.parametrize("through", ["folder", "link"])
    def test_paths_of_a_spec_are_relative_to_it_and_arguments_to_here(self, rnncli, through):
        Path("deep/folder").mkdir(parents=True)
        Path("link").symlink_to("deep/folder")
        Path("deep/folder/own.txt").write_text("abab" * 50)
        Path("deep/folder/spec.yaml").write_text("data: {train: own.txt}\n")
        spec = "deep/folder/spec.yaml" if through == "folder" else "link/spec.yaml"
        sizes = [
            rnncli("train", *corpus, "--spec", spec, *TINY, "--dry-run", "--json") for corpus in ((), ("poem.txt",))
        ]
        assert [strict_json(size.out)["vocabulary"] for size in sizes] == [
            3,
            len(set(POEM[: int(len(POEM) * 0.9)])) + 1,
        ]

    def test_encoding(self, rnncli):
        Path("old.txt").write_bytes("Käse für Öl\n".encode("latin-1") * 20)
        assert rnncli("train", "old.txt", *TINY, "--encoding", "latin-1", "-q").status == 0
        assert spec_of("runs/old")["data"]["encoding"] == "latin-1"
        assert rnncli("generate", "--seed", "Käse", "-l", 0).out == "Käse\n"

    def test_threads(self, monkeypatch):
        for arguments, expected in (
            ([], "1"),
            (["--threads", "3"], "3"),
            (["--threads=4"], "4"),
            (["--threads", "01"], "1"),  # the variables are compared as texts
            (["--threads", "+2"], "2"),
        ):
            monkeypatch.setattr(os, "environ", {"OMP_NUM_THREADS": "2"})
            main.limit_threads(["train", "poem.txt", *arguments])
            assert os.environ["OPENBLAS_NUM_THREADS"] == os.environ["MKL_NUM_THREADS"] == expected
            assert os.environ["OMP_NUM_THREADS"] == (expected if arguments else "2")


class TestCorpora:
    @pytest.mark.parametrize(
        "arguments", ["texts", "texts/*.txt texts/more/c.txt", "texts/a.txt texts/b.txt texts/more"]
    )
    def test_folder_glob_and_several_files(self, rnncli, arguments):
        Path("texts/more").mkdir(parents=True)
        for name, text in {
            "a.txt": "aaa\n" * 30,
            "b.txt": "bb\n" * 30,
            "more/c.txt": "c\n" * 30,
            ".d.txt": "d",
        }.items():
            Path("texts", name).write_text(text)
        status, out, _ = rnncli("train", *arguments.split(), *TINY, "--dry-run", "--json", "--set", "data.split.test=0")
        plan = strict_json(out)
        assert status == 0
        assert plan["train_tokens"] + plan["validation_tokens"] == 30 * (4 + 3 + 2)
        assert plan["vocabulary"] == 5  # <unk>, newline, a, b, c

    def test_standard_input(self, rnncli):
        train = ("train", "-", *TINY, "-q", "--max-time", "0.001")
        assert rnncli(*train, stdin=POEM.encode()) == (0, "runs/stdin\n", "")
        assert Path("runs/stdin/corpus.txt").read_text("utf-8") == POEM
        assert rnncli("train", "--resume", "runs/stdin", "-q") == (0, "runs/stdin\n", "")
        Path("poem.txt").write_text(POEM, "utf-8")
        rnncli("train", "poem.txt", *TINY, "-q")
        weights = [np.load(f"runs/{name}/last.npz")["weights.output.weight"] for name in ("stdin", "poem")]
        np.testing.assert_array_equal(*weights)


def test_divergence_keeps_the_last_good_state(trained):
    """Weight decay of 400 % a step multiplies the weights by -3 each time."""
    growth = "training.optimizer={name: sgd, learning_rate: 0.01, weight_decay: 400}"
    settings = ["--set", growth, "--set", "training.validate_every=4", "--steps", "200", "--output", "out", "-q"]
    status, out, err = trained("train", "poem.txt", *SMALL[:4], *settings)
    assert (status, out, err.count("\n")) == (4, "", 1)
    log = [strict_json(line) for line in Path("out/metrics.jsonl").read_text().splitlines()]
    failed = log[-1]["step"] + 1
    causes = f"the loss of step {failed} is ", f"the validation loss after step {failed - 1} is "
    assert err.removeprefix("training diverged: ").startswith(causes)
    saved = [line["step"] for line in log if "validation_loss" in line]
    assert "try a smaller --learning-rate" in err
    assert np.isfinite([line.get("train_loss", 0) + line.get("validation_loss", 0) for line in log]).all()
    for name, step in {"best": 4, "last": saved[-1]}.items():
        arrays, content = read_checkpoint_file(Path(f"out/{name}.npz"))
        assert all(np.isfinite(array).all() for array in arrays.values())
        assert content["metrics"]["step"] == step > 0
        assert trained("generate", "--model", f"out/{name}.npz", "-l", 3).status == 0


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_absurd_learning_rates_diverge(trained, optimizer):
    for cell in CELLS:
        for rate in ("1e9", "1e38"):
            how = ["--set", f"training.optimizer.name={optimizer}", "--cell", cell, "--learning-rate", rate, "-q"]
            status, out, err = trained(
                "train", "poem.txt", "--hidden-size", "8", "--steps", "200", *how, "-o", f"{cell}-{rate}"
            )
            assert (status, out, err.count("\n")) == (4, "", 1)
            assert "NaN" not in Path(f"{cell}-{rate}/metrics.jsonl").read_text()
