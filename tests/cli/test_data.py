"""`rnncli data`: sets with a known answer, and how much of what a language model writes is legal."""

from pathlib import Path

import pytest

from rnncli.data.synthetic import SETS
from tests.cli.conftest import strict_json

SIZES = ["--train", "20", "--validation", "8", "--test", "8"]


@pytest.mark.parametrize("name", SETS)
def test_writes_a_set(rnncli, name):
    status, out, err = rnncli("data", name, *SIZES)
    paths = out.splitlines()
    assert status == 0
    chosen = SETS[name](train=20, validation=8, test=8)
    assert {Path(path).name: Path(path).read_bytes() for path in paths} == dict(chosen.files(1))
    assert paths == [f"{name}/{file}" for file in chosen.file_names()]
    assert sorted(map(str, Path(name).iterdir())) == sorted(paths)
    chance, following, then = err.splitlines()
    assert chance == f"by chance: {SETS[name].chance}"
    assert following == f"next: rnncli train --spec {name}/{name}.yaml"
    assert then.startswith("then: rnncli ")
    assert (f"rnncli data {name} --check -" in then) == (SETS[name].task == "language_model")


@pytest.mark.parametrize("name", SETS)
def test_the_spec_is_one_that_trains(rnncli, name):
    rnncli("data", name, *SIZES, "-o", "a set")
    status, out, err = rnncli("train", "--spec", f"a set/{name}.yaml", "--steps", "1", "--batch-size", "4")
    assert (status, out) == (0, f"runs/{name}\n"), err
    assert rnncli("evaluate", "--split", "test", "--quiet").status == 0


def test_options(rnncli):
    rnncli("data", "parity", *SIZES, "--max-length", "3", "--random-seed", "7", "--output", "elsewhere")
    assert (
        Path("elsewhere/train.csv").read_bytes() == dict(SETS["parity"](20, 8, 8, max_length=3).files(7))["train.csv"]
    )
    assert "1 to 3 bits" in Path("elsewhere/parity.yaml").read_text("utf-8")
    rnncli("data", "agreement", *SIZES, "--distance", "9")
    assert Path("agreement/test.csv").read_text("utf-8").splitlines()[1].count(" ") == 9
    rnncli("data", "copy", *SIZES, "--length", "2", "--distance", "1")
    assert {len(line) for line in Path("copy/train.txt").read_text("utf-8").splitlines()} == {6}


def test_list(rnncli):
    status, out, err = rnncli("data")
    assert (status, err) == (0, "")
    assert rnncli("data", "--list") == (0, out, "")
    header, *rows = out.splitlines()
    assert header.split() == ["name", "what", "it", "is", "task"]
    assert [row.split()[0] for row in rows] == list(SETS)
    assert all(
        row.split()[-1] == each.task and each.title in row for row, each in zip(rows, SETS.values(), strict=True)
    )
    listed = strict_json(rnncli("data", "--list", "--json").out)
    assert [each["name"] for each in listed] == list(SETS)
    assert listed[0]["options"] == ["--train", "--validation", "--test", "--max-length"]


def test_json_and_quiet(rnncli):
    status, out, err = rnncli("data", "parity", *SIZES, "--json", "--quiet")
    assert (status, err) == (0, "")
    described = strict_json(out)
    assert described["files"] == ["parity/train.csv", "parity/validation.csv", "parity/test.csv", "parity/parity.yaml"]
    assert (described["name"], described["task"], described["chance"]) == ("parity", "classification", "accuracy 50 %")


class TestRefused:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["parrity"], "NAME must be one of {}, not 'parrity'; did you mean parity?"),
            (
                ["temporal-order"],
                "NAME must be one of {}, not 'temporal-order'; did you mean temporal_order?",
            ),
            (
                ["parity", "--distance", "3"],
                "parity has no --distance; it has --train, --validation, --test, --max-length",
            ),
            (["parity", "--max-length", "0"], "--max-length must be from 1 to 100,000, not 0"),
            (["parity", "--train", "3"], "--train must be from 4 to 50,000,000, not 3"),
            (
                ["parity", "--train", "50000000"],
                "--train, validation and test may have 1,000,420,000 steps, more than 50,000,000",
            ),
            (["--train", "9"], "these options need the NAME of a set; rnncli data --list shows the names"),
            (["--check", "-"], "these options need the NAME of a set; rnncli data --list shows the names"),
            (["parity", "--check", "-"], "parity has no grammar to check; these have one: reber, anbn, copy"),
            (["anbn", "--check", "-", "--force"], "--check reads a file and makes none; rnncli data anbn --check FILE"),
            (
                ["anbn", "--check", "-", "--test", "9"],
                "--check reads a file and makes none; rnncli data anbn --check FILE",
            ),
        ],
    )
    def test_usage(self, rnncli, arguments, message):
        message = message.format(", ".join(SETS))
        assert rnncli("data", *arguments, stdin=b"ab\n") == (2, "", message + "\n")
        assert list(Path().iterdir()) == []

    @pytest.mark.parametrize("kept", ["train.csv", "test.csv", "parity.yaml"])
    def test_nothing_is_overwritten(self, rnncli, kept):
        Path("parity").mkdir()
        (Path("parity") / kept).write_text("mine")
        result = rnncli("data", "parity", *SIZES)
        assert result == (2, "", f"parity already holds {kept}; give another --output, or --force to replace it\n")
        assert [path.name for path in Path("parity").iterdir()] == [kept]
        assert (Path("parity") / kept).read_text() == "mine"

    def test_unless_asked(self, rnncli):
        Path("parity").mkdir()
        Path("parity/notes.txt").write_text("mine")
        Path("parity/train.csv").write_text("old")
        assert rnncli("data", "parity", *SIZES, "--force").status == 0
        assert Path("parity/notes.txt").read_text() == "mine"
        assert Path("parity/train.csv").read_text().startswith("text,label\n")

    def test_a_file_in_the_way(self, rnncli):
        Path("parity").write_text("mine")
        status, out, err = rnncli("data", "parity", *SIZES)
        assert (status, out) == (1, "")
        assert err.startswith("cannot write parity: ")


class TestCheck:
    def test_counts(self, rnncli):
        status, out, err = rnncli("data", "anbn", "--check", "-", stdin=b"ab\naabb\nba\n\n")
        assert (status, err) == (0, "")
        assert [line.split() for line in out.splitlines()] == [
            ["legal", "of", "share"],
            ["symbols", "8", "12", "66.67%"],
            ["lines", "2", "4", "50.00%"],
        ]

    @pytest.mark.parametrize(
        ("text", "symbols", "lines"), [(b"ab", 3, 1), (b"ab\r\n", 3, 1), (b"\n", 0, 0), (b"aab", 3, 0)]
    )
    def test_json(self, rnncli, text, symbols, lines):
        Path("lines.txt").write_bytes(text)
        counts = strict_json(rnncli("data", "anbn", "--check", "lines.txt", "--json").out)
        assert (counts["symbols"]["legal"], counts["lines"]["legal"], counts["lines"]["of"]) == (symbols, lines, 1)
        assert counts["symbols"]["share"] == symbols / counts["symbols"]["of"]

    @pytest.mark.parametrize("name", ["reber", "anbn", "copy"])
    def test_its_own_files_are_legal(self, rnncli, name):
        rnncli("data", name, *SIZES)
        for split in ("train", "test"):
            counts = strict_json(rnncli("data", name, "--check", f"{name}/{split}.txt", "--json").out)
            assert counts["symbols"]["share"] == counts["lines"]["share"] == 1

    def test_no_such_file(self, rnncli):
        status, out, err = rnncli("data", "reber", "--check", "nowhere.txt")
        assert (status, out, err) == (3, "", "nowhere.txt: no such file or folder\n")

    def test_nothing_to_read(self, rnncli):
        assert rnncli("data", "reber", "--check", "-") == (3, "", "standard input: the file is empty\n")
