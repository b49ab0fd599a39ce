"""Language models of texts with labels from the shell: `train`, `generate --condition`, `score`, `evaluate`."""

import math
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import SMALL, invoke, strict_json
from tests.tasks.conditioned_runs import CSV, WORDS

FAST = [*SMALL, "--learning-rate", "0.05", "--epochs", "6", "--set", "training.batch_size=4"]
AUTHORS = "cook, sailor, smith"


@pytest.fixture(scope="session")
def conditioned_runs(tmp_path_factory):
    """A folder with quotes.csv and runs/: a model of two conditions, one of a single condition, and one of none."""
    folder = tmp_path_factory.mktemp("conditioned")
    (folder / "quotes.csv").write_text(CSV)
    (folder / "poem.txt").write_text("salt and pot\n" * 30)
    kinds = {
        "both": ["quotes.csv", "--set", "data.condition=[author, mood]"],
        "none": ["poem.txt", "--steps", "5"],
        "quotes": ["quotes.csv", "--set", "data.condition=author", "--set", "model.condition=initial_state"],
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, arguments in kinds.items():
            assert invoke("train", *arguments, *FAST, "-o", f"runs/{name}", "-q") == (0, f"runs/{name}\n", "")
    return folder


@pytest.fixture
def conditioned(rnncli, conditioned_runs, tmp_path):
    """`rnncli` in a copy of that folder."""
    shutil.copytree(conditioned_runs, tmp_path, dirs_exist_ok=True)
    return rnncli


def words(text):
    return {word.strip("!.") for word in text.split()}


def test_each_author_has_words_of_their_own(conditioned):
    for author, own in WORDS.items():
        status, out, err = conditioned(
            "generate", "--condition", f"author={author}", "-n", 8, "--random-seed", 1, "-t", 0.3
        )
        assert (status, err, len(out.splitlines())) == (0, "", 8)
        others = {word for name, theirs in WORDS.items() if name != author for word in theirs}
        assert words(out) & set(own)
        assert not words(out) & others
        assert conditioned("generate", "--condition", author, "-n", 8, "--random-seed", 1, "-t", 0.3).out == out


def test_help_says_that_a_single_condition_needs_no_name(conditioned, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for command in ("generate", "score"):
        said = " ".join(conditioned(command, "--help").out.split())
        assert "--condition [NAME=]VALUE " in said
        assert "its name can be left out: --condition cook." in said


def test_several_conditions(conditioned):
    def total(text, mood):
        given = ["--condition", f"mood={mood}", "--condition", "author=smith"]
        out = conditioned("score", text, "-m", "runs/both", *given).out
        return float(out.splitlines()[-1].split("\t")[0])

    assert total("oar!", "glad") - total("oar.", "glad") > total("oar!", "calm") - total("oar.", "calm") + 1
    given = ["--condition", "mood=calm", "--condition", "author=smith"]
    status, out, err = conditioned("generate", "-m", "runs/both", *given, "-n", 3)
    assert (status, err, len(out.splitlines())) == (0, "", 3)


def test_json_names_the_condition(conditioned):
    found = strict_json(conditioned("generate", "--condition", "cook", "--json", "--random-seed", 3).out)
    assert found["condition"] == {"author": "cook"}
    (sample,) = found["samples"]
    score = ["score", "--json", "--condition", "author=cook", sample["text"]]
    (scored,) = strict_json(conditioned(*score).out)
    assert scored["log_probabilities"] == pytest.approx(sample["log_probabilities"], abs=1e-4)
    assert "condition" not in strict_json(conditioned("generate", "-m", "runs/none", "--json", "-l", 3).out)


def test_streams_beams_and_seeds(conditioned):
    given = ["--condition", "sailor", "--random-seed", 1]
    streamed = conditioned("generate", *given).out
    assert streamed == conditioned("generate", *given, "--no-stream").out
    assert conditioned("generate", *given, "--seed", "ma", "-t", 0).out.startswith("mast")
    assert conditioned("generate", "--condition", "sailor", "--beam-size", 3, "-n", 2).out.count("\n") == 2


def test_a_text_is_likelier_under_its_own_author(conditioned):
    totals = {}
    for author in WORDS:
        out = conditioned("score", "salt stew.", "--condition", f"author={author}").out
        totals[author] = float(out.splitlines()[-1].split("\t")[0])
    assert totals["cook"] > max(totals["sailor"], totals["smith"]) + 2


def test_evaluate_reads_the_conditions_with_the_texts(conditioned):
    split = strict_json(conditioned("evaluate", "--split", "validation", "--json").out)["scores"]["validation"]
    assert split["cross_entropy"] < split["baselines"]["unigram"]["cross_entropy"]
    Path("other.jsonl").write_text('{"text": "salt", "author": "cook"}\n{"text": "oar", "author": "pirate"}\n')
    status, out, err = conditioned("evaluate", "other.jsonl", "--json")
    given = strict_json(out)["scores"]["given"]
    assert (status, given["tokens"]) == (0, 5)
    assert err == "note: given texts whose author is not known from training, left out: 1, first other.jsonl:2\n"
    (scored,) = strict_json(conditioned("score", "--json", "salt", "--condition", "cook").out)
    assert given["cross_entropy"] == pytest.approx(-scored["log_probability"] / 5, rel=1e-4)
    assert given["perplexity"] == pytest.approx(math.exp(given["cross_entropy"]))


def test_what_is_trained_is_said(conditioned):
    status, _, err = conditioned("train", "quotes.csv", "--set", "data.condition=[author, mood]", *FAST, "--steps", "2")
    assert status == 0
    assert "to train on, conditioned on author (3), mood (2) → " in err


def test_quotes_that_are_changed_do_not_resume(conditioned):
    text = Path("quotes.csv").read_text()
    Path("quotes.csv").write_text(text.replace(",cook,", ",smith,", 1))
    status, _, err = conditioned("train", "--resume", "runs/quotes", "--steps", 500)
    assert (status, len(err.splitlines())) == (3, 1)
    assert "the training data has changed since this run was saved" in err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], f"no author is given, and the model needs one; --condition author=VALUE, one of {AUTHORS}"),
        (["--condition", "sialor"], f'there is no author "sialor"; did you mean "sailor"? known: {AUTHORS}'),
        (["--condition", "author=\x1b[31m"], f'there is no author "\\x1b[31m"; known: {AUTHORS}'),
        (
            ["--condition", "autor=cook"],
            'there is no condition "autor"; did you mean "author"? write NAME=VALUE, with one of author',
        ),
        (["--condition", "cook", "--condition", "cook"], "the condition author is given twice; leave one out"),
        (
            ["-m", "runs/both", "--condition", "author=cook"],
            "no mood is given, and the model needs one; --condition mood=VALUE, one of calm, glad",
        ),
        (
            ["-m", "runs/none", "--condition", "author=cook"],
            "the model has no conditions; leave --condition out, or train with data.condition",
        ),
    ],
)
@pytest.mark.parametrize("command", [["generate"], ["score", "pot"]], ids=["generate", "score"])
def test_conditions_that_do_not_fit_are_a_line_and_status_2(conditioned, command, arguments, line):
    assert conditioned(*command, *arguments) == (2, "", line + "\n")


@pytest.mark.parametrize(
    ("settings", "status", "line"),
    [
        (["data.condition=autor"], 3, 'quotes.csv:1: no column "autor"; did you mean "author"? the columns are text, '),
        (["data.condition=author", "data.format=lines"], 2, "condition needs texts with labels: format csv, tsv, "),
        (["data.condition=author", "model.cell=none"], 2, "data.condition needs a recurrent model.cell, not none"),
        (["data.condition=author", "training.state=reset"], 2, "each text begins with a fresh state anyway"),
        (["model.condition=input"], 2, "model.condition: input needs data.condition"),
        (["data.condition=author", "model.condition=inputs"], 2, "did you mean"),
        (
            ["data.condition=author", "model.condition=initial_state", "model.initial_state=learned"],
            2,
            "condition: initial_state makes all initial states",
        ),
    ],
)
def test_settings_that_do_not_fit_are_a_line(conditioned, settings, status, line):
    options = [word for setting in settings for word in ("--set", setting)]
    found, out, err = conditioned("train", "quotes.csv", *SMALL, *options)
    assert (found, out, len(err.splitlines())) == (status, "", 1), err
    assert line in err


def test_a_pipe_is_kept_and_read_in_the_format_that_it_is_in(conditioned):
    lines = "".join(f"__label__{label} {text}\n" for text, label in (("ab", "x"), ("cd", "y")) * 20)
    arguments = ["train", "-", "--set", "data.condition=kind", *FAST, "--steps", "3", "-o", "runs/piped", "-q"]
    assert conditioned(*arguments, stdin=lines.encode()) == (0, "runs/piped\n", "")
    assert conditioned("generate", "--condition", "kind=x", "-l", 3).status == 0


def test_each_author_has_a_free_run_of_their_own(conditioned):
    norms = set()
    for author in WORDS:
        run = ("generate", "--free-run", "--greedy", "-l", 10, "--condition", f"author={author}", "--json")
        document = strict_json(conditioned(*run).out)
        assert document["condition"] == {"author": author}
        norms.add(tuple(document["state"]["norm"]))
    assert len(norms) == len(WORDS)
    status, out, err = conditioned("generate", "--free-run")
    assert (status, out, "author" in err) == (2, "", True)
