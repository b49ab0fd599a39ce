"""`rnncli tag` of files in every format: they come back as they are, with labels; faults in their middle; arrays.

In the texts below {} stands where labels are put.
"""

import shutil
from pathlib import Path

import pytest

from rnncli.cli import tagged_files
from tests.cli.conftest import strict_json
from tests.cli.tagged_models import labels_of, saying, tagged, trained_taggers
from tests.tasks.tagged_runs import SENTENCES

WITH_OUTPUT = "--output FILE.npz goes with sequences from .npz files"
S = tuple(tuple(text.split()) for text in ("Ann Lee saw Acme", "the dog left", "unheard"))
CONLL = """\
-DOCSTART-\tX\tO

Ann\tNNP\tO{}
Lee\tNNP\tI-PER{}
saw\t_\tB-XYZ{}
Acme\t_\tO{}

# comment
the\t_\tO{}
dog\t_\tO{}
left\t_\tO{}


unheard\t_\tO{}"""
CONLLU = """\
# sent_id = 1
# text = Ann Lee saw Acme
1-2\tAnnLee\t_\t_\t_\t_\t_\t_\t_\t_
1\tAnn\tann\t{}\tNNP\t_\t3\tnsubj\t_\tx=y
2\tLee\t_\t{}\t_\t_\t_\t_\t_\t_
2.1\tempty\t_\tQ\t_\t_\t_\t_\t_\t_
3\tsaw\t_\t{}\t_\t_\t_\t_\t_\t_
4\tAcme\t_\t{}\t_\t_\t_\t_\t_\tSpaceAfter=No


# newdoc
1\tthe\t_\t{}\t_\t_\t_\t_\t_\t_
2\tdog\t_\t{}\t_\t_\t_\t_\t_\t_
3\tleft\t_\t{}\t_\t_\t_\t_\t_\t_

1\tunheard\t_\t{}\t_\t_\t_\t_\t_\t_
"""
JSONL = """\
{"id": 1, "tokens": ["Ann", "Lee", "saw", "Acme"],  "labels": [{}, {}, {}, {}], "x": 1.50}

{"tokens":["the","dog","left"],"labels":[{},{},{}]}
{"labels":[{}],"tokens":["unheard"]}
"""
TSV = """\
token\tnote\tlabel

Ann\t"a ""b"", c"\t{}
"Lee"\tx\t{}
saw\t"two
lines"\t{}
Acme\t\t{}
the\t\t{}

dog\t\t{}
left\t\t{}
unheard\t\t{}
"""
BARE = TSV.replace("note\tlabel", "note").replace("\t{}", "{}")
ONE = (sum(S, ()),)
FILES = {  # the text, its sentences, what stood there before, how a label is written
    "a.conll": (CONLL, S, "", "\t{}"),
    "spaces.conll": (CONLL.replace("\t", " "), S, "", " {}"),
    "a.conllu": (CONLLU, S, "_", "{}"),
    "labelled.conllu": (CONLLU, S, "X", "{}"),
    "a.tsv": (TSV, ONE, "O", "{}"),
    "a.csv": (TSV.replace("\t", ","), ONE, "", "{}"),
    "bare.csv": (BARE.replace("\t", ",").replace("note\n", "note,label\n"), ONE, None, ",{}"),
    "a.jsonl": (JSONL, S, '"O"', '"{}"'),
}


def filled(text, labels):
    """The text with these where {} stands."""
    parts = text.split("{}")
    return "".join(part + label for part, label in zip(parts, [*labels, ""], strict=True))


def file_and_answer(name):
    """What a file holds, and what `tag` returns."""
    text, sentences, before, form = FILES[name]
    labels = [label for each in labels_of(sentences, MODELS[name]) for label in each]
    given = filled(text, [before or ""] * len(labels))
    if before is None:
        given = given.replace("note,label\n", "note\n")
    return given, filled(text, [form.replace("{}", label) for label in labels])


MODELS = {name: "parts" if name.endswith("conllu") else "spans" for name in FILES}


class TestFiles:
    @pytest.mark.parametrize("name", FILES)
    @pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
    @pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["", "mark"])
    def test_come_back_with_their_labels_and_else_unchanged(self, taggers, name, end, mark):
        given, expected = (mark + text.replace("\n", end) for text in file_and_answer(name))
        Path(name).write_bytes(given.encode())
        model = ["-m", f"runs/{MODELS[name]}"]
        assert tagged(taggers, "--file", name, *model) == expected
        suffix = name.rpartition(".")[2]
        assert tagged(taggers, "--format", suffix, *model, stdin=given.encode()) == expected
        assert len(set(labels_of(ONE)[0])) > 2

    def test_json_is_an_object_a_sequence(self, taggers):
        expected = tagged(taggers, "--json", *(" ".join(tokens) for tokens in S))
        for name in ("a.conll", "a.jsonl"):
            Path(name).write_text(file_and_answer(name)[0])
            found = tagged(taggers, "--json", "--file", name)
            for one, other in zip(
                map(strict_json, found.splitlines()), map(strict_json, expected.splitlines()), strict=True
            ):
                assert one.pop("probabilities") == pytest.approx(other.pop("probabilities"), abs=1e-6)
                assert one == other

    def test_many_sentences_are_answered_together_in_order(self, taggers, monkeypatch):
        text = Path("train.conll").read_text()
        lines = iter(
            [label for each in labels_of([tuple(t for t, _, _ in rows) for rows in SENTENCES]) for label in each]
        )
        expected = "".join(f"{line}\t{next(lines)}\n" if line else "\n" for line in text.split("\n")[:-1])
        assert tagged(taggers, "-f", "train.conll") == expected
        monkeypatch.setattr(tagged_files, "TOGETHER", 7)
        assert tagged(taggers, "-f", "train.conll") == expected

    def test_of_a_pattern_follow_each_other(self, taggers):
        Path("g1.conll").write_text("Ann O\nsaw O")  # neither a newline nor a blank line
        Path("g2.conll").write_bytes(b"\xef\xbb\xbfBo O\n\n# the end\n")
        Path("g3.conll").write_text("Sue O\n\n")
        Path("g4.conll").write_text("Tom O\n")
        labels = iter(label for each in labels_of([("Ann", "saw"), ("Bo",), ("Sue",), ("Tom",)]) for label in each)
        lines = [f"{line} {next(labels)}" for line in ("Ann O", "saw O")]
        lines += [
            "",
            f"Bo O {next(labels)}",
            "",
            "# the end",
            "",
            f"Sue O {next(labels)}",
            "",
            f"Tom O {next(labels)}",
            "",
        ]
        assert tagged(taggers, "-f", "g*.conll") == "\n".join(lines)
        Path("h1.jsonl").write_text('{"tokens":["Ann"]}')
        Path("h2.jsonl").write_text('{"tokens":["Bo"]}\n')
        assert [strict_json(line)["tokens"] for line in tagged(taggers, "-f", "h*.jsonl").splitlines()] == [
            ["Ann"],
            ["Bo"],
        ]
        assert tagged(taggers, "-f", "g*.conll", "--json").count("\n") == 4

    def test_columns_of_the_spec_are_not_those_of_other_formats(self, taggers):
        """The parts of speech are in column 2 of CoNLL, where CoNLL-U has the words."""
        tokens = ("Ann", "saw")
        first, second = labels_of([tokens], "parts")[0]
        Path("a.csv").write_text("id,token,label\n1,Ann,\n1,saw,\n")
        assert tagged(taggers, "-m", "runs/parts", "-f", "a.csv") == f"id,token,label\n1,Ann,{first}\n1,saw,{second}\n"
        Path("v.jsonl").write_text('{"vectors":[[3,3]]}\n')
        assert strict_json(tagged(taggers, "-m", "runs/several", "-f", "v.jsonl"))["labels"] == [["a", "b"]]

    def test_of_frames_in_rows(self, taggers):
        given = "id,t,v,u\n0,1,9,-3\n0,0,9,3\n1,0,9,3\n"
        Path("a.csv").write_text(given)
        rows = ["id,t,v,u,label", "0,1,9,-3,down", "0,0,9,3,up", "1,0,9,3,up"]
        assert tagged(taggers, "-m", "runs/frames", "-f", "a.csv").splitlines() == rows
        answers = [
            strict_json(line) for line in tagged(taggers, "-m", "runs/frames", "-f", "a.csv", "--json").splitlines()
        ]
        assert [answer["labels"] for answer in answers] == [["up", "down"], ["up"]]  # in the order of time

    def test_in_other_encodings(self, taggers):
        Path("a.conll").write_bytes("Käte O\n".encode("latin-1"))
        (label,) = labels_of([("Käte",)])[0]
        assert tagged(taggers, "-f", "a.conll", "--encoding", "latin-1") == f"Käte O {label}\n"
        assert tagged(taggers, "--format", "conll", "--encoding", "utf-16", stdin="Käte O\n".encode("utf-16")) == (
            f"Käte O {label}\n"
        )

    def test_of_nothing(self, taggers):
        for name in ("conll", "conllu", "jsonl", "text"):
            assert tagged(taggers, "--format", name) == ""
        assert tagged(taggers, "--format", "conll", stdin=b"\n# a comment\n\n") == "\n# a comment\n\n"


FAULTS = {
    "ragged.conll": (b"Ann O\n\nBo\n", "Ann O {}\n\n", "ragged.conll:3: 1 columns where line 1 has 2"),
    "bytes.conll": (b"Ann O\n\nB\xffo O\n", "Ann O {}\n\n", "bytes.conll:3: byte 0xff at offset 8 is not utf-8"),
    "nul.conll": (b"Ann O\n\nB\0o O\n", "Ann O {}\n\n", "nul.conll:3: looks like a binary file"),
    "empty.conll": (b"Ann\tO\n\n\tO\n", "Ann\tO\t{}\n\n", "empty.conll:3: column 1, of the tokens, is empty"),
    "a.jsonl": (b'{"tokens":["Ann"]}\n{"tokens":[]}\n', '{{"tokens":["Ann"],"labels":["{}"]}}\n', "a.jsonl:2: "),
    "vectors.jsonl": (
        b'{"tokens":["Ann"]}\n{"vectors":[[1, 2]]}\n',
        '{{"tokens":["Ann"],"labels":["{}"]}}\n',
        "vectors.jsonl:2: vectors, where the model reads texts",
    ),
    "words.conllu": (
        b"1\tAnn\t_\t_\t_\t_\t_\t_\t_\t_\n\n# no words\n\n",
        "1\tAnn\t_\t{}\t_\t_\t_\t_\t_\t_\n\n",
        "words.conllu:3: a sentence without words",
    ),
    "cells.csv": (b"token,label\nAnn,\nBo\n", "", "cells.csv:3: 1 cells"),  # all rows are one sequence
}


class TestFaults:
    @pytest.mark.parametrize("name", FAULTS)
    def test_what_stands_before_is_answered(self, taggers, name):
        content, before, message = FAULTS[name]
        expected = before.format(*labels_of([("Ann",)])[0])
        Path(name).write_bytes(content)
        for _ in range(2):
            status, out, err = taggers("tag", "-f", name)
            assert (status, out, len(err.splitlines())) == (3, expected, 1)
            assert err.startswith(message)
        suffix = name.rpartition(".")[2]
        status, out, err = taggers("tag", "--format", suffix, stdin=content)
        assert (status, out) == (3, expected)
        assert err.startswith(message.replace(name, "standard input"))
        status, out, err = taggers("tag", "-f", name, "--json")
        assert (status, [strict_json(line)["tokens"] for line in out.splitlines()]) == (3, [["Ann"]] * bool(before))

    def test_a_label_that_a_format_cannot_hold(self, taggers):
        model = saying("wide", "two words", outputs=["B-ORG", "B-PER", "O", "two words"], scheme=None)
        Path("a.conll").write_text("Ann O\n\nBo O\n")
        status, out, err = taggers("tag", "-m", model, "-f", "a.conll")
        assert (status, out) == (3, "")
        assert err.startswith('a.conll:1: the label "two words" cannot be written in a column, where a space separates')
        Path("a.conll").write_text("Ann\tO\n\nBo\tO\n")
        assert tagged(taggers, "-m", model, "-f", "a.conll") == "Ann\tO\ttwo words\n\nBo\tO\ttwo words\n"


@pytest.fixture
def taggers(rnncli, tmp_path_factory, tmp_path):
    """`rnncli` in a folder with tagged data and models."""
    shutil.copytree(trained_taggers(tmp_path_factory), tmp_path, dirs_exist_ok=True)
    return rnncli
