"""`rnncli caption`: vectors as arguments, lines and files of every kind, and what is none."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import SMALL, strict_json
from tests.cli.pair_models import CAPTIONS, FEATURES, best, expected, trained_translators

FEW = [",".join(map(str, row)) for row in FEATURES[:9].tolist()]


@pytest.fixture
def captioners(rnncli, tmp_path_factory, tmp_path):
    """`rnncli` in a folder with vectors, captions and models."""
    shutil.copytree(trained_translators(tmp_path_factory), tmp_path, dirs_exist_ok=True)
    return rnncli


def captioned(command, *arguments, stdin=b""):
    """What `caption --quiet` prints, where all goes well."""
    status, out, err = command("caption", "--quiet", *arguments, stdin=stdin)
    assert (status, err) == (0, "")
    return out


def lines(texts):
    return "".join(f"{text}\n" for text in texts)


class TestVectors:
    def test_as_arguments_and_as_lines(self, captioners):
        answers = lines(CAPTIONS[:9])
        assert best(FEW, "captions") == CAPTIONS[:9]
        assert captioned(captioners, "--", *FEW) == answers
        assert captioned(captioners, *(json.dumps([float(each) for each in row.split(",")]) for row in FEW)) == answers
        assert captioned(captioners, stdin=lines(FEW).encode()) == answers
        Path("rows.csv").write_text(lines(FEW))
        Path("rows.txt").write_text(lines(["", *FEW]))
        assert captioned(captioners, "-f", "rows.csv") == answers
        assert captioned(captioners, "-f", "rows.txt") == f"\n{answers}"

    def test_in_files(self, captioners):
        np.save("x.npy", FEATURES[:9])
        np.savez("x.npz", x=FEATURES[:9], names=[f"picture {i}" for i in range(9)])
        np.savez("steps.npz", x=FEATURES[:9], lengths=[1] * 9)
        Path("x.jsonl").write_text(lines(json.dumps({"source": row}) for row in FEATURES[:9].tolist()))
        for name in ("x.npy", "x.npz", "steps.npz", "x.jsonl"):
            assert captioned(captioners, "--file", name) == lines(CAPTIONS[:9])
        assert captioned(captioners, "--file", "features.npz") == lines(CAPTIONS)

    def test_in_columns_of_training(self, captioners):
        assert captioned(captioners, "-m", "runs/columns", "-f", "captions.csv") == lines(CAPTIONS)
        Path("rows.csv").write_text("s,b,x,g,r\n" + lines(f"{s},{b},y,{g},{r}" for r, g, b, s in FEATURES[:9].tolist()))
        assert captioned(captioners, "-m", "runs/columns", "-f", "rows.csv") == lines(CAPTIONS[:9])
        assert captioned(captioners, "-m", "runs/columns", "--", *FEW) == lines(CAPTIONS[:9])
        Path("rows.csv").write_text("s,b,g\n1,2,3\n")
        status, out, err = captioners("caption", "-m", "runs/columns", "-f", "rows.csv")
        assert (status, out, err) == (3, "", 'rows.csv:1: no column "r"; the columns are s, b, g\n')

    def test_json_and_several(self, captioners):
        ((one, other),) = expected(FEW[:1], "captions", beam_size=3, n_best=2)
        found = strict_json(captioned(captioners, "--json", "-b", "3", "-n", "2", "--", FEW[0]))
        assert list(found) == ["number", "where", "caption", "tokens", "log_probabilities", "score", "ended", "n_best"]
        assert (found["caption"], found["tokens"]) == (CAPTIONS[0], CAPTIONS[0].split())
        assert [each["caption"] for each in found["n_best"]] == [one.text, other.text]
        rows = captioned(captioners, "-b", "3", "-n", "2", "--", FEW[0]).splitlines()
        assert rows == [f"1\t{each.score:.4f}\t{each.text}" for each in (one, other)]

    def test_json_says_which_vector_an_answer_is_for(self, captioners):
        np.savez("x.npz", x=FEATURES[:3])
        Path("x.jsonl").write_text(lines(json.dumps({"source": row}) for row in FEATURES[:2].tolist()))
        for file, places in (("x.npz", [f"x.npz: row {i}" for i in range(3)]), ("x.jsonl", ["x.jsonl:1", "x.jsonl:2"])):
            found = [*map(strict_json, captioned(captioners, "--json", "-f", file).splitlines())]
            assert [each["where"] for each in found] == places
            assert [each["number"] for each in found] == [*range(1, len(places) + 1)]
            assert [each["caption"] for each in found] == CAPTIONS[: len(places)]
        np.savez("named.npz", x=FEATURES[:2], names=["sea", "hill"])
        found = [*map(strict_json, captioned(captioners, "--json", "-f", "named.npz").splitlines())]
        assert [each["where"] for each in found] == ['named.npz: row 0 ("sea")', 'named.npz: row 1 ("hill")']

    def test_nothing_has_no_caption(self, captioners):
        blank, other = map(strict_json, captioned(captioners, "--json", stdin=f"\n{FEW[0]}\n".encode()).splitlines())
        nothing = {"caption": None, "tokens": [], "log_probabilities": [], "score": None, "ended": None}
        assert blank == {"number": 1, "where": "standard input:1"} | nothing
        assert (other["number"], other["caption"]) == (2, CAPTIONS[0])
        assert blank.keys() == other.keys()
        (blank,) = map(strict_json, captioned(captioners, "--json", "-n", "2", "").splitlines())
        assert (blank["caption"], blank["n_best"]) == (None, [])
        assert captioned(captioners, "") == "\n"

    def test_samples(self, captioners):
        drawn = ["--sample", "--random-seed", "3", "-t", "4", "--", *FEW]
        assert captioned(captioners, *drawn) == captioned(captioners, *drawn)
        assert captioned(captioners, *drawn) != lines(CAPTIONS[:9])
        assert captioned(captioners, "--sample", "--top-k", "1", "--", *FEW) == lines(CAPTIONS[:9])

    def test_lines_that_are_none_are_errors_in_their_place(self, captioners):
        given = f"{FEW[0]}\n\nx\n1,2\n{FEW[1]}\n"
        status, out, err = captioners("caption", stdin=given.encode())
        assert (status, out) == (3, f"{CAPTIONS[0]}\n\n\n\n{CAPTIONS[1]}\n")
        first, second = err.splitlines()
        assert first.startswith("standard input:3: not a vector of finite numbers; write them")
        assert second == "standard input:4: vectors of 2 numbers, where the model reads vectors of 4"


class TestModels:
    def test_of_other_tasks_and_none(self, captioners):
        assert captioners("train", "pairs.tsv", "-o", "runs/language", *SMALL, "--steps", "1", "-q").status == 0
        assert captioned(captioners, "--", FEW[0]) == lines(CAPTIONS[:1])  # the newest captioner
        for name, task, verb in (("language", "language_model", "generate"), ("words", "translation", "translate")):
            status, out, err = captioners("caption", "1", "-m", f"runs/{name}")
            assert (status, out) == (2, "")
            message = f"holds a model of task {task}, where one of captioning is needed; use rnncli {verb}\n"
            assert err == f"runs/{name}/best.npz {message}"
        status, out, err = captioners("translate", "x", "-m", "runs/captions")
        assert (status, out) == (2, "")
        assert err.endswith("where one of translation is needed; use rnncli caption\n")
        for name in ("captions", "columns"):
            shutil.rmtree(Path("runs", name))
        status, out, err = captioners("caption", "1")
        assert (status, out) == (2, "")
        assert err == (
            "no model of task captioning under runs/; train one: rnncli train --task captioning features.npz "
            "captions.tsv; or name one: --model PATH\n"
        )

    @pytest.mark.parametrize(
        ("arguments", "status", "message"),
        [
            ("1 --file features.npz", 2, "TEXT and --file exclude each other"),
            ("1 --beam-size 0", 2, "'--beam-size'"),
            ("1 --n-best 3 --beam-size 2", 2, "--n-best 3 needs a beam as large, and --beam-size is 2"),
            ("1 --temperature 2", 2, "--temperature is for sampling; add --sample, or leave it out"),
            ("1 --attention", 2, "--attention"),
            ("1 --replace-unknown", 2, "--replace-unknown"),
            ("1,2,3", 3, "argument 1: vectors of 3 numbers, where the model reads vectors of 4"),
            ("[[1,2,3,4],[1,2,3,4]]", 3, "argument 1: a sequence of 2 vectors, where the model reads one"),
            ("-f frames.npz", 3, "frames.npz: row 0: vectors of 2 numbers, where the model reads vectors of 4"),
            ("-f captions.csv", 3, "captions.csv:1: not a vector of finite numbers"),
            ("-f short.csv", 3, "short.csv:2: vectors of 2 numbers, where the model reads vectors of 4"),
            ("-f pairs.tsv", 3, "pairs.tsv:1: not a vector of finite numbers"),
            ("-f text.jsonl", 3, "text.jsonl:1: a text, where the model reads vectors of 4 numbers"),
            ("-f none.npz", 3, "none.npz: no such file or folder"),
            ("-f none", 3, "none: no such file or folder"),
        ],
    )
    def test_what_cannot_be_answered_is_one_line(self, captioners, arguments, status, message):
        Path("short.csv").write_text("\n1,2\n3,4\n")
        Path("text.jsonl").write_text('{"source": "a"}\n')
        result = captioners("caption", *arguments.split())
        assert (result.status, result.out.strip(), len(result.lines)) == (status, "", 1), result
        assert message in result.err
