"""`rnncli generate --free-run`: texts of the state alone, and what does not go with that."""

import math
from types import SimpleNamespace

import pytest

from rnncli.cli.generate import write_texts
from rnncli.tasks.text_generation import GeneratedText
from tests.cli.conftest import SMALL, strict_json


def generated(command, *arguments):
    status, out, err = command("generate", "--free-run", "--json", *arguments)
    assert (status, err) == (0, "")
    return strict_json(out)


@pytest.mark.parametrize("model", ["poem", "words", "raw", "names"])
def test_it_writes_what_json_tells(trained, model):
    arguments = ("--model", f"runs/{model}", "--random-seed", 2, "-l", 30)
    document = generated(trained, *arguments)
    (sample,) = document["samples"]
    assert sample["seed"] == ""
    assert len(document["state"]["norm"]) == len(document["state"]["change"]) == len(sample["tokens"]) > 0
    for no in ((), ("--no-stream",)):
        status, out, err = trained("generate", "--free-run", *arguments, *no)
        assert (status, err) == (0, "")
        assert out.removesuffix("\n") == sample["text"].removesuffix("\n")


def test_a_seed_gives_the_state_and_the_first_token(trained):
    free = generated(trained, "--seed", "Roses", "--greedy", "-l", 20)
    (sample,) = free["samples"]
    read = strict_json(trained("generate", "--json", "--seed", "Roses", "--greedy", "-l", 20).out)
    assert sample["seed"] == "Roses"
    assert sample["log_probabilities"][0] == pytest.approx(read["samples"][0]["log_probabilities"][0], abs=1e-6)
    assert sample["log_probabilities"][3] != pytest.approx(read["samples"][0]["log_probabilities"][3], abs=1e-3)
    other = generated(trained, "--seed", "The sun", "--greedy", "-l", 20)
    assert free["state"]["norm"][0] != pytest.approx(other["state"]["norm"][0], abs=1e-4)


def test_all_samples_have_one_state_and_draws_of_their_own(trained):
    many = generated(trained, "--samples", 3, "-l", 15, "-t", 2, "--random-seed", 1)
    assert len({sample["text"] for sample in many["samples"]}) == 3
    (alone,) = generated(trained, "-l", 15, "-t", 2, "--random-seed", 1)["samples"]
    assert alone["text"] == many["samples"][0]["text"]
    assert len(many["state"]["norm"]) == 15
    assert "state" not in strict_json(trained("generate", "--json", "-l", 5).out)


def test_what_is_not_finite_is_null(capfd):
    moved = [(1.0, 2.0), (3.0, math.inf), (math.inf, math.nan)]
    write_texts([GeneratedText("a")], SimpleNamespace(condition={}), as_json=True, moved=moved)
    assert strict_json(capfd.readouterr().out)["state"] == {"norm": [1, 3, None], "change": [2, None, None]}


def test_nothing_to_generate(trained):
    assert trained("generate", "--free-run", "-l", 0) == (0, "\n", "")
    assert generated(trained, "-l", 0)["state"] == {"norm": [], "change": []}


def test_a_learned_state_is_where_it_begins(trained):
    learned = ["--set", "model.initial_state=learned", "--set", "model.bias=false"]
    assert trained("train", "poem.txt", "--steps", 5, *SMALL, *learned, "-o", "runs/learned", "-q").status == 0
    assert generated(trained, "-m", "runs/learned", "-l", 5)["state"]["norm"][0] > 0


@pytest.mark.parametrize(
    ("settings", "arguments", "said"),
    [
        ([], ["--beam-size", 2], "--beam-size has nothing to search in a --free-run: "),
        (["--cell", "conv1d"], [], "--free-run goes on from the state alone, and this model has none"),
        (["--cell", "none"], ["--seed", "The"], "--free-run goes on from the state alone, and this model has none"),
        (["--set", "model.bias=false"], [], "--free-run needs a start: the state of this model begins at zeros"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(trained, settings, arguments, said):
    model = "runs/poem"
    if settings:
        model = "runs/other"
        assert trained("train", "poem.txt", "--steps", 3, *SMALL, *settings, "-o", model, "-q").status == 0
    for extra in ((), ("--json",), ("--no-stream",)):
        status, out, err = trained("generate", "--free-run", "-m", model, *arguments, *extra)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert err.startswith(said)


def test_an_unseen_character_in_the_seed(trained):
    status, out, err = trained("generate", "--free-run", "--seed", "Ω")
    assert (status, out) == (3, "")
    assert err.startswith("character 'Ω' (U+03A9) at position 1 was never seen in training; ")
