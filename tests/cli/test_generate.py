"""`rnncli generate`: the text, the ways to draw it, and the model it comes from."""

import os
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import strict_json


def generated(command, *arguments):
    """Return the document that `generate --json` prints."""
    status, out, err = command("generate", "--json", *arguments)
    assert (status, err) == (0, "")
    return strict_json(out)


def one(command, *arguments):
    (sample,) = generated(command, *arguments)["samples"]
    return sample


class TestText:
    def test_seed_then_its_continuation(self, trained):
        status, out, err = trained("generate", "--seed", "Roses", "--length", "40", "--random-seed", "3")
        assert (status, err) == (0, "")
        sample = one(trained, "--seed", "Roses", "--length", "40", "--random-seed", "3")
        assert out.removesuffix("\n") == f"Roses{sample['text']}".removesuffix("\n")
        assert len(sample["tokens"]) == len(sample["log_probabilities"]) == len(sample["text"]) == 40
        assert sample["log_probability"] == pytest.approx(sum(sample["log_probabilities"]))
        assert (sample["seed"], sample["ended"]) == ("Roses", "length")

    def test_random_seed(self, trained):
        first, again, other = (trained("generate", "--random-seed", seed).out for seed in (1, 1, 2))
        assert first == again != other
        told = generated(trained)["random_seed"]
        assert generated(trained, "--random-seed", told) == generated(trained, "--random-seed", told)

    def test_streaming_changes_nothing(self, trained):
        for arguments in ("-s Roses -l 30", "-l 0", "-s Roses -l 0", "--stop a", "-m runs/raw", "-m runs/names -l 9"):
            texts = [trained("generate", "--random-seed", 4, *arguments.split(), *no) for no in ((), ("--no-stream",))]
            assert texts[0] == texts[1]
            assert texts[0].out.endswith("\n")

    def test_nothing_to_generate(self, trained):
        assert trained("generate", "--length", 0) == (0, "\n", "")
        assert trained("generate", "--length", 0, "--seed", "Roses\n") == (0, "Roses\n", "")

    def test_samples(self, trained):
        document = generated(trained, "--samples", 3, "--length", 25, "--random-seed", 5)
        texts = [sample["text"] for sample in document["samples"]]
        assert len(set(texts)) == 3
        assert texts[0] == one(trained, "--length", 25, "--random-seed", 5)["text"]
        shown = trained("generate", "--samples", 3, "--length", 25, "--random-seed", 5).out
        assert shown == "\n".join(text.removesuffix("\n") + "\n" for text in texts)

    def test_seed_from_a_file(self, trained):
        Path("seed.txt").write_text("The sun\n")
        assert trained("generate", "--seed", "@seed.txt", "-l", 0).out == "The sun\n"
        assert trained("generate", "--seed", "@-", "-l", 0, stdin=b"The sun\n").out == "The sun\n"
        missing = trained("generate", "--seed", "@sed.txt")
        assert missing == (3, "", 'sed.txt: no such file or folder; did you mean "seed.txt"?\n')

    def test_number_as_seed(self, trained):
        status, out, err = trained("generate", "--seed", "42", "-l", 5)
        assert (status, out[:2]) == (0, "42")
        assert "note: --seed is the text to continue ('42' here)" in err
        assert "--random-seed" in err
        assert trained("generate", "--seed", "42", "-l", 5, "--quiet").err == ""

    def test_unseen_character(self, trained):
        for extra in ((), ("--no-stream",), ("--beam-size", 2), ("--json",)):
            status, out, err = trained("generate", "--seed", "RosesΩ", *extra)
            assert (status, out) == (3, "")
            assert err.startswith("character 'Ω' (U+03A9) at position 6 was never seen in training; ")
        status, out, err = trained("generate", "--seed", "xylophones", "--model", "runs/words")
        assert (status, out, "word 'xylophones'" in err) == (3, "", True)

    def test_any_bytes_as_seed_of_a_byte_model(self, trained):
        assert trained("generate", "--seed", "Ω\udcff", "-m", "runs/raw", "-l", 0) == (0, "Ω\udcff\n", "")


class TestDrawing:
    @pytest.mark.parametrize("how", ["--temperature 0", "--top-k 1", "--top-p 0.0001", "--min-p 1", "--beam-size 1"])
    def test_greedy(self, trained, how):
        greedy = one(trained, "--greedy", "--seed", "The ", "-l", 30)
        assert one(trained, *how.split(), "--seed", "The ", "-l", 30)["text"] == greedy["text"]
        assert one(trained, "--seed", "The ", "-l", 30, "--random-seed", 1)["text"] != greedy["text"]

    def test_top_k(self, trained):
        drawn = generated(trained, "--top-k", 3, "-n", 60, "-l", 1, "-t", 5, "--random-seed", 1)["samples"]
        best = generated(trained, "--beam-size", 3, "-n", 3, "-l", 1)["samples"]
        assert {sample["text"] for sample in drawn} == {sample["text"] for sample in best}

    def test_repetition_penalty(self, trained):
        plain, varied = (one(trained, "--greedy", "--repetition-penalty", x, "-l", 25)["text"] for x in (1, 100))
        assert len(set(varied)) > len(set(plain)) + 4

    def test_stop(self, trained):
        text = one(trained, "--random-seed", 6, "-l", 80)["text"]
        word = text[30:32]
        sample = one(trained, "--random-seed", 6, "-l", 80, "--stop", "№№", "--stop", word)
        assert (sample["text"], sample["ended"]) == (text[: text.index(word)], "stop")
        line = one(trained, "--random-seed", 6, "-l", 400, "--stop", r"\n", "--seed", "The")
        assert (line["ended"], "\n" in line["text"]) == ("stop", False)

    def test_beam_search(self, trained):
        found = generated(trained, "--beam-size", 4, "--samples", 4, "--length", 12, "--seed", "The ")["samples"]
        scores = [sample["log_probability"] for sample in found]
        assert scores == sorted(scores, reverse=True)
        assert len({sample["text"] for sample in found}) == 4
        greedy = one(trained, "--greedy", "--length", 12, "--seed", "The ")
        assert scores[0] >= greedy["log_probability"] - 1e-6

    def test_lines_are_names(self, trained):
        out = trained("generate", "-m", "runs/names", "--samples", 7, "-l", 15, "--random-seed", 2).out
        samples = generated(trained, "-m", "runs/names", "--samples", 7, "-l", 15, "--random-seed", 2)["samples"]
        assert out.splitlines() == [sample["text"] for sample in samples]
        assert all(sample["tokens"][-1] == "<eos>" for sample in samples if sample["ended"] == "eos")

    @pytest.mark.parametrize(
        ("option", "values"),
        {
            "--temperature": "-1 nan inf",
            "--top-k": "0",
            "--top-p": "0 1.5",
            "--min-p": "-1 1.5",
            "--repetition-penalty": "0 nan",
            "--samples": "0",
            "--length": "-1 x",
            "--beam-size": "0",
            "--random-seed": "-1 x",
            "--threads": "0",
        }.items(),
    )
    def test_values_out_of_range(self, trained, option, values):
        for value in values.split():
            status, out, err = trained("generate", option, value)
            assert (status, out, err.count("\n")) == (2, "", 1)
            assert option in err

    def test_more_samples_than_beams(self, trained):
        assert trained("generate", "--beam-size", 2, "--samples", 3).status == 2


class TestModel:
    def test_one_file_is_enough(self, trained, tmp_path):
        expected = trained("generate", "--random-seed", 1).out
        shutil.move("runs/poem/best.npz", "elsewhere.npz")
        shutil.rmtree("runs")
        Path("poem.txt").unlink()
        assert trained("generate", "--random-seed", 1, "--model", tmp_path / "elsewhere.npz") == (0, expected, "")

    def test_newest_flag_and_environment(self, trained, monkeypatch):
        by_name = {
            name: trained("generate", "-m", f"runs/{name}", "--random-seed", 1).out for name in ("poem", "words")
        }
        assert trained("generate", "--random-seed", 1).out == by_name["poem"]
        os.utime("runs/words/best.npz")
        assert trained("generate", "--random-seed", 1).out == by_name["words"]
        monkeypatch.setenv("RNNCLI_MODEL", "runs/poem/last.npz")
        last = trained("generate", "--random-seed", 1).out
        assert last == trained("generate", "--random-seed", 1, "-m", "runs/poem/last.npz").out
        assert trained("generate", "--random-seed", 1, "-m", "runs/words").out == by_name["words"]

    def test_none(self, rnncli):
        status, out, err = rnncli("generate")
        assert (status, out) == (2, "")
        assert err == "no model under runs/; train one: rnncli train corpus.txt; or name one: --model PATH\n"
        assert rnncli("generate", "--runs", "mine").err.startswith("no model under mine/; ")
