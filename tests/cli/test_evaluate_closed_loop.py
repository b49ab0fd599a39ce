"""`rnncli evaluate --closed-loop`: a model that reads its own tokens, beside the same one that does not."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from rnncli.cli.closed_loop_view import closed_loop_lines
from rnncli.cli.drawings import Style
from rnncli.metrics import ClosedLoopReport, FedSums
from tests.cli.conftest import strict_json
from tests.cli.pair_models import trained_translators


@pytest.fixture(scope="module")
def tiny_translators(tmp_path_factory):
    return trained_translators(tmp_path_factory)


@pytest.fixture
def translators(rnncli, tiny_translators, tmp_path):
    """`rnncli` in a copy of that folder."""
    shutil.copytree(tiny_translators, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("last.npz"))
    return rnncli


def closed(command, *arguments):
    """What `evaluate --closed-loop --json` prints."""
    status, out, err = command("evaluate", "--closed-loop", "--json", "--quiet", *arguments)
    assert (status, err) == (0, "")
    return strict_json(out)["closed_loop"]


def forced_alone(command, *arguments):
    """The cross-entropy that it prints without."""
    status, out, err = command("evaluate", "--json", "--quiet", *arguments)
    assert (status, err) == (0, "")
    return {split: score["cross_entropy"] for split, score in strict_json(out)["scores"].items()}


def check(found):
    """Means are those of the arrays by position; the first token follows from the same inputs."""
    for report in found.values():
        positions = report["positions"]
        tokens = np.array(positions["tokens"])
        assert tokens.sum() == report["tokens"]
        for name in ("forced", "free_running"):
            for key, mean in report[name].items():
                assert len(positions[name][key]) == len(tokens)
                assert mean == pytest.approx((tokens * positions[name][key]).sum() / tokens.sum(), rel=1e-9)
            assert positions[name]["cross_entropy"][0] == positions["forced"]["cross_entropy"][0]
        gap = report["free_running"]["cross_entropy"] - report["forced"]["cross_entropy"]
        assert report["gap"] == pytest.approx(gap, rel=1e-9)


@pytest.mark.parametrize("model", ["poem", "words", "raw", "names"])
def test_language_models(trained, model):
    found = closed(trained, "--model", f"runs/{model}")
    check(found)
    forced = forced_alone(trained, "--model", f"runs/{model}")
    assert {split: report["forced"]["cross_entropy"] for split, report in found.items()} == pytest.approx(
        forced, rel=1e-5
    )
    assert max(abs(report["gap"]) for report in found.values()) > 0.005


@pytest.mark.parametrize("model", ["words", "letters", "frames", "captions", "columns"])
def test_models_of_pairs(translators, model):
    found = closed(translators, "--model", f"runs/{model}")
    check(found)
    forced = forced_alone(translators, "--model", f"runs/{model}")
    assert {split: report["forced"]["cross_entropy"] for split, report in found.items()} == pytest.approx(
        forced, rel=1e-4
    )


def test_a_file(trained):
    Path("other.txt").write_text("The sun is low.\nRoses lean.\n")
    found = closed(trained, "other.txt")
    check(found)
    assert list(found) == ["given"]
    assert found["given"]["tokens"] == 27


def test_it_is_drawn(trained):
    status, out, err = trained("evaluate", "--closed-loop", "--quiet")
    assert (status, err) == (0, "")
    found = closed(trained)
    head, *lines = out.splitlines()
    assert " ".join(head.split()) == "split inputs nats a token accuracy gap"
    report = found["validation"]
    forced, free = report["forced"], report["free_running"]
    assert lines[0].split() == ["validation", "true", f"{forced['cross_entropy']:.3f}", f"{forced['accuracy']:.3f}"]
    assert lines[1].split() == [
        *("validation", "its", "own", f"{free['cross_entropy']:.3f}", f"{free['accuracy']:.3f}"),
        f"{report['gap']:+.3f}",
    ]
    assert lines[4:7] == ["", "validation", lines[6]]
    assert lines[6].split() == ["position", "inputs", "nats", "accuracy"]
    assert [line.split()[0] for line in lines[7:27:2]] == [f"{n}-{n + 4}" for n in range(1, 50, 5)]
    status, alone, _ = trained("evaluate", "--closed-loop", "--quiet", "--split", "test")
    assert (status, "\ntest\n" in alone, len(alone.splitlines())) == (0, False, 3 + 1 + 21)


def test_bars_are_as_long_as_accuracies():
    tokens = np.array([10, 10])
    report = ClosedLoopReport(
        tokens, FedSums(np.array([5.0, 10.0]), np.array([10, 5])), FedSums(np.array([5.0, 30.0]), np.array([10, 0]))
    )
    lines = closed_loop_lines({"test": report}, Style(width=80))
    assert lines == [
        "split  inputs   nats a token  accuracy     gap",
        "test   true            0.750     0.750",
        "test   its own         1.750     0.500  +1.000",
        "",
        "position  inputs    nats  accuracy",
        f"       1  true     0.500     1.000  {'█' * 20}",
        f"          its own  0.500     1.000  {'█' * 20}",
        f"       2  true     1.000     0.500  {'█' * 10}{'░' * 10}",
        f"          its own  3.000     0.000  {'░' * 20}",
    ]
    plain = closed_loop_lines({"test": report}, Style(width=50, blocks=False))
    assert plain[5:8] == [
        f"       1  true     0.500     1.000  {'#' * 14}",
        f"          its own  0.500     1.000  {'#' * 14}",
        f"       2  true     1.000     0.500  {'#' * 7}{'.' * 7}",
    ]
    assert max(map(len, plain)) <= 50


@pytest.mark.parametrize("model", ["reviews", "values", "several"])
def test_what_reads_no_output_of_its_own_has_no_loop(classifiers, model):
    task = "regression" if model == "values" else "classification"
    refused = classifiers("evaluate", "--closed-loop", "--model", f"runs/{model}")
    assert (refused.status, refused.out, len(refused.lines)) == (2, "", 1)
    assert f"a model of task {task} reads no outputs of its own, and so has no loop to close" in refused.err


@pytest.mark.parametrize("option", ["--errors 3", "--beam-size 2", "--length-penalty 1.5"])
def test_it_is_not_for_whole_answers(translators, option):
    refused = translators("evaluate", "--closed-loop", *option.split())
    assert (refused.status, refused.out, len(refused.lines)) == (2, "", 1)
    assert (
        "--closed-loop goes token by token, greedily: leave --errors, --beam-size and --length-penalty" in refused.err
    )


def test_a_split_that_there_is_not(rnncli):
    Path("short.txt").write_text("ab" * 60)
    size = ["--hidden-size", "4", "--num-layers", "1", "--steps", "2", "-q"]
    rnncli("train", "short.txt", *size, "--set", "data.split={validation: 0.0, test: 0.0}")
    refused = rnncli("evaluate", "--closed-loop", "-q")
    assert (refused.status, refused.lines) == (
        3,
        ["the model's data has no validation or test split; name a file to evaluate on"],
    )
