"""`rnncli tag`: texts a line each, answers as text and JSON, pipes, models that cannot answer."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import SMALL, strict_json
from tests.cli.tagged_models import overflowing, reader_of, saying, slashed, tagged, trained_taggers
from tests.tasks.tagged_runs import SENTENCES

TEXTS = [" ".join(token for token, _, _ in rows) for rows in SENTENCES[:40]]


@pytest.fixture
def taggers(rnncli, tmp_path_factory, tmp_path):
    """`rnncli` in a folder with tagged data and models."""
    shutil.copytree(trained_taggers(tmp_path_factory), tmp_path, dirs_exist_ok=True)
    return rnncli


class TestTexts:
    def test_as_arguments(self, taggers):
        sentences = [tuple(text.split()) for text in TEXTS]
        found = tagged(taggers, *TEXTS).splitlines()
        assert found == [slashed(sentence) for sentence in sentences]
        truth = [" ".join(f"{token}/{span}" for token, _, span in rows) for rows in SENTENCES[:40]]
        assert np.mean([one == other for one, other in zip(found, truth, strict=True)]) > 0.7

    def test_as_lines_of_stdin_a_file_or_a_pattern(self, taggers):
        expected = tagged(taggers, *TEXTS)
        text = "\n".join(TEXTS)
        for lines in (text, f"{text}\n", text.replace("\n", "\r\n"), f"\ufeff{text}"):
            assert tagged(taggers, stdin=lines.encode()) == expected
        assert tagged(taggers, "--file", "-", stdin=text.encode()) == expected
        assert tagged(taggers, "--format", "text", stdin=text.encode()) == expected
        assert tagged(taggers, "--encoding", "utf-16", stdin=text.encode("utf-16")) == expected
        Path("a1.txt").write_text("\n".join(TEXTS[:7]))
        Path("a2.csv").write_text("\n".join(TEXTS[7:]))
        assert tagged(taggers, "--file", "a1.txt") == "".join(expected.splitlines(keepends=True)[:7])
        assert tagged(taggers, "--file", "a*", "--format", "text") == expected
        assert tagged(taggers, stdin=b"") == ""

    def test_blank_lines_stay_blank(self, taggers):
        one = slashed(("Ann", "saw"))
        assert tagged(taggers, stdin=b"Ann saw\n\n \t\nAnn saw\n\n") == f"{one}\n\n\n{one}\n\n"
        assert tagged(taggers, "", "Ann saw") == f"\n{one}\n"
        answers = [strict_json(line) for line in tagged(taggers, "--json", stdin=b"\nAnn\n").splitlines()]
        assert answers[0] == {"tokens": [], "labels": [], "probabilities": [], "spans": []}
        assert answers[1]["tokens"] == ["Ann"]

    def test_what_cannot_be_decoded_is_an_empty_line_and_the_others_are_answered(self, taggers):
        status, out, err = taggers("tag", stdin=b"Ann saw\nA\xffnn\nBo\n")
        assert (status, out) == (3, f"{slashed(('Ann', 'saw'))}\n\n{slashed(('Bo',))}\n")
        assert err == "standard input:2: bytes that are not utf-8; try --encoding latin-1\n"
        status, out, err = taggers("tag", "--json", "-q", stdin=b"A\xffnn\nBo\n")
        first, second = map(strict_json, out.splitlines())
        assert (status, first) == (3, {"error": err.rstrip("\n")})
        assert second["tokens"] == ["Bo"]
        assert tagged(taggers, "--encoding", "latin-1", stdin=b"A\xffnn\n") == f"{slashed(('Aÿnn',))}\n"

    def test_tokens_are_cut_as_in_training_or_come_cut(self, taggers):
        line = "Ann saw 10\u00a0boats."
        cut = ("Ann", "saw", "10", "boats", ".")
        assert tagged(taggers, line) == f"{slashed(cut)}\n"
        whole = ("Ann", "saw", "10\u00a0boats.")
        assert tagged(taggers, "--tokenized", line) == f"{slashed(whole)}\n"
        assert tagged(taggers, "--tokenized", stdin=f"  {line}  \n".encode()) == f"{slashed(whole)}\n"

    def test_of_one_token_never_seen_and_of_thousands(self, taggers):
        long = " ".join(["Ann", "saw", "unheard", "日本"] * 1250)
        found = tagged(taggers, "unheard", long).splitlines()
        assert found[0] == slashed(("unheard",))
        assert [each.rpartition("/")[0] for each in found[1].split(" ")] == long.split(" ")

    def test_of_vectors(self, taggers):
        steps = [[3.0, 3.0], [-3.0, 3.0], [-3.0, -3.0]]
        assert tagged(taggers, "-m", "runs/several", json.dumps(steps)) == "a|b\tb\t-\n"
        assert tagged(taggers, "-m", "runs/frames", "--", "3,0", "-3,0") == "up\ndown\n"
        status, out, err = taggers("tag", "-m", "runs/frames", stdin=b"3,0\n\nx\n1,2,3\n-3,0\n")
        assert (status, out, len(err.splitlines())) == (3, "up\n\n\n\ndown\n", 3)
        assert err.splitlines()[2] == ("standard input:4: vectors of 3 numbers, where the model reads vectors of 2")

    def test_an_answer_that_is_not_finite_is_an_error(self, taggers):
        model, label = overflowing("overflow", "Bo"), reader_of().names[0]
        message = "the model's answer is not finite; give a shorter sequence"
        status, out, err = taggers("tag", "-m", model, "Ann", "Bo", "Sue saw")
        assert (status, out, err) == (3, f"Ann/{label}\n\nSue/{label} saw/{label}\n", f"argument 2: {message}\n")
        status, out, err = taggers("tag", "-m", model, "--json", "Bo")
        assert (status, strict_json(out)) == (3, {"error": err.rstrip()})
        Path("a.conll").write_text("Ann O\n\nBo O\n\nSue O\n\n")
        status, out, err = taggers("tag", "-m", model, "-f", "a.conll")  # what stands before is answered
        assert (status, out, err) == (3, f"Ann O {label}\n\n", f"a.conll:3: {message}\n")


class TestAnswers:
    def test_json(self, taggers):
        sentence = ("Ann", "Lee", "saw", "Acme")
        (expected,) = reader_of().tag([sentence], sure=True)
        answer = strict_json(tagged(taggers, "--json", " ".join(sentence)))
        assert answer == {
            "tokens": [*sentence],
            "labels": [label for (label,) in expected.labels],
            "probabilities": [pytest.approx(p, abs=1e-6) for each in expected.probabilities for p in each.values()],
            "spans": [
                {"label": "PER", "start": 0, "end": 2, "text": "Ann Lee"},
                {"label": "ORG", "start": 3, "end": 4, "text": "Acme"},
            ],
        }
        parts = strict_json(tagged(taggers, "--json", "-m", "runs/parts", "Ann saw"))
        assert list(parts) == ["tokens", "labels", "probabilities"]
        frames = strict_json(tagged(taggers, "--json", "-m", "runs/several", "[[3, 3], [-3, 3], [-3, -3]]"))
        assert frames["labels"] == [["a", "b"], ["b"], []]
        assert [[*each] for each in frames["probabilities"]] == frames["labels"]
        assert "日本" in tagged(taggers, "--json", "日本")

    def test_probabilities(self, taggers):
        (expected,) = reader_of().tag([("Ann", "saw")], sure=True)
        words = [
            f"{token}/{label}/{chances[label]:.4f}"
            for token, (label,), chances in zip(("Ann", "saw"), expected.labels, expected.probabilities, strict=True)
        ]
        assert tagged(taggers, "--proba", "Ann saw") == " ".join(words) + "\n"
        (frames,) = reader_of("several").tag([np.array([[3, 3], [-3, -3]], np.float32)], sure=True)
        a, b = frames.probabilities[0].values()
        assert tagged(taggers, "-m", "runs/several", "--proba", "[[3, 3], [-3, -3]]") == f"a|b/{a:.4f}|{b:.4f}\t-/-\n"

    def test_threshold_is_for_several_labels(self, taggers):
        several = ["-m", "runs/several", "[[3, 3], [-3, -3]]", "--threshold"]
        assert tagged(taggers, *several, "0") == "a|b\ta|b\n"
        assert tagged(taggers, *several, "1") == "-\t-\n"
        for model in ("runs/spans", "runs/frames"):
            status, out, err = taggers("tag", "x", "-m", model, "--threshold", "0.5")
            assert (status, out) == (2, "")
            assert err == "--threshold is for several labels a step, and this model gives one\n"

    def test_labels_are_mended_on_request(self, taggers):
        model = saying("broken", "I-PER")
        assert tagged(taggers, "-m", model, "a b") == "a/I-PER b/I-PER\n"
        assert tagged(taggers, "-m", model, "a b", "--repair") == "a/B-PER b/I-PER\n"
        answer = strict_json(tagged(taggers, "-m", model, "a b", "--repair", "--json"))
        assert answer["labels"] == ["B-PER", "I-PER"]
        assert answer["spans"] == [{"label": "PER", "start": 0, "end": 2, "text": "a b"}]
        Path("a.conll").write_text("a\tO\nb\tO\n\nc\tO\n")
        assert tagged(taggers, "-m", model, "-f", "a.conll", "--repair") == (
            "a\tO\tB-PER\nb\tO\tI-PER\n\nc\tO\tB-PER\n"
        )


class TestModels:
    def test_of_other_tasks_and_none(self, taggers):
        Path("reviews.csv").write_text("text,label\n" + "good,pos\nbad,neg\n" * 10)
        classify = ["--task", "classification", "-o", "runs/reviews"]
        for arguments in (["reviews.csv", *classify], ["train.conll", "-o", "runs/language"]):
            assert taggers("train", *arguments, *SMALL, "--steps", "1", "-q").status == 0
        assert tagged(taggers, "Ann saw") == tagged(taggers, "-m", "runs/spans", "Ann saw")  # the newest tagger
        for name, task, verb in (("reviews", "classification", "classify"), ("language", "language_model", "generate")):
            status, out, err = taggers("tag", "x", "-m", f"runs/{name}")
            assert (status, out) == (2, "")
            message = f"holds a model of task {task}, where one of tagging is needed; use rnncli {verb}\n"
            assert err == f"runs/{name}/best.npz {message}"
        for command, wanted in (
            ("classify", "classification or regression"),
            ("encode", "classification or regression"),
            ("score", "language_model"),
            ("generate", "language_model"),
        ):
            text = ["--seed", "x"] if command == "generate" else ["x"]
            status, out, err = taggers(command, *text, "-m", "runs/spans")
            assert (status, out) == (2, "")
            message = f"holds a model of task tagging, where one of {wanted} is needed; use rnncli tag\n"
            assert err == f"runs/spans/best.npz {message}"
        for name in ("several", "frames", "parts", "spans"):
            shutil.rmtree(Path("runs", name))
        status, out, err = taggers("tag", "x")
        assert (status, out) == (2, "")
        assert err == (
            "no model of task tagging under runs/; train one: rnncli train --task tagging sentences.conll; "
            "or name one: --model PATH\n"
        )

    @pytest.mark.parametrize(
        ("arguments", "status", "message"),
        [
            ("Ann --file train.conll", 2, "TEXT excludes --file and --format"),
            ("Ann --format conll", 2, "TEXT excludes --file and --format"),
            ("--format klingon", 2, "--format must be one of text, conll, conllu, csv, tsv, jsonl, npz, not 'klingon'"),
            ("Ann --threshold 1.5", 2, "'--threshold'"),
            ("Ann --threshold nan", 2, "'--threshold'"),
            ("-f none.conll", 3, "none.conll: no such file or folder"),
            ("-f none.txt", 3, "none.txt: no such file or folder"),
            ("-f train.conll --encoding klingon", 3, "unknown encoding 'klingon'; try utf-8"),
            ("--encoding klingon", 3, "unknown encoding 'klingon'; try utf-8"),
            ("-m runs/frames Ann", 3, "argument 1: not a vector of finite numbers"),
            ("-m runs/frames -f train.conll", 3, "train.conll:1: a text, where the model reads vectors of 2 numbers"),
            ("-f frames.csv", 3, 'frames.csv:1: no column "token"'),
            ("-m none", 3, "none: cannot be read"),
        ],
    )
    def test_what_cannot_be_answered_is_one_line(self, taggers, arguments, status, message):
        result = taggers("tag", *arguments.split())
        assert (result.status, result.out.strip(), len(result.lines)) == (status, "", 1), result
        assert message in result.err
