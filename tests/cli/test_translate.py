"""`rnncli translate`: texts a line each, n-best lists, samples, attention, JSON, pipes, models that cannot answer."""

import json
import os
import pty
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnncli.cli import translated_answers
from rnncli.cli.attention_drawing import alignment
from rnncli.cli.decoding_options import decoding_of
from rnncli.cli.drawings import Style
from rnncli.decoding import Sampling
from rnncli.errors import UsageError
from rnncli.tasks.pair_decoding import Decoding
from rnncli.tasks.pair_spec import DecodingSpec
from tests.cli.conftest import SMALL, strict_json
from tests.cli.pair_models import (
    FRAMES,
    PAIRS,
    SOURCES,
    TARGETS,
    as_line,
    best,
    changed,
    expected,
    reader_of,
    trained_translators,
)
from tests.cli.test_pipes import readable

ONE, OTHER = "the red dog sees a small bird.", "an old cat likes the boy."
UNKNOWN = "note: tokens that are not in the vocabulary, read as <unk>: {}, such as {}\n"


@pytest.fixture
def translators(rnncli, tmp_path_factory, tmp_path):
    """`rnncli` in a folder with pairs and models."""
    shutil.copytree(trained_translators(tmp_path_factory), tmp_path, dirs_exist_ok=True)
    return rnncli


def translated(command, *arguments, stdin=b""):
    """What `translate --quiet` prints, where all goes well."""
    status, out, err = command("translate", "--quiet", *arguments, stdin=stdin)
    assert (status, err) == (0, "")
    return out


def lines(texts):
    return "".join(f"{text}\n" for text in texts)


class TestTexts:
    def test_as_arguments(self, translators):
        found = translated(translators, *SOURCES[:60]).splitlines()
        assert found == best(SOURCES[:60])
        assert np.mean([one == other for one, other in zip(found, TARGETS[:60], strict=True)]) > 0.8

    def test_as_lines_of_stdin_or_of_a_file(self, translators):
        answers, text = lines(best(SOURCES)), "\n".join(SOURCES)
        assert len(PAIRS) > 200
        for given in (text, f"{text}\n", text.replace("\n", "\r\n"), f"\ufeff{text}"):
            assert translated(translators, stdin=given.encode()) == answers
        assert translated(translators, "--file", "-", stdin=text.encode()) == answers
        assert translated(translators, "--encoding", "utf-16", stdin=text.encode("utf-16")) == answers
        Path("a.en").write_text(text, "latin-1")
        assert translated(translators, "-f", "a.en", "--encoding", "latin-1") == answers
        assert translated(translators, stdin=b"") == ""

    def test_answers_do_not_depend_on_what_is_answered_together(self, translators, monkeypatch):
        answers = translated(translators, *SOURCES, "--beam-size", "3")
        monkeypatch.setattr(translated_answers, "TOGETHER", 7)
        assert translated(translators, *SOURCES, "--beam-size", "3") == answers
        drawn = translated(translators, *SOURCES[:20], "--sample", "--random-seed", "4", "-t", "3")
        monkeypatch.setattr(translated_answers, "TOGETHER", 1)
        assert translated(translators, *SOURCES[:20], "--sample", "--random-seed", "4", "-t", "3") == drawn
        assert drawn != lines(best(SOURCES[:20]))

    def test_the_sources_of_files_of_pairs(self, translators):
        answers = lines(best(SOURCES[:9]))
        rows = PAIRS[:9]
        Path("a.tsv").write_text(lines(f"{source}\t{target}" for source, target in rows), "utf-8")
        Path("a.txt").write_text(Path("a.tsv").read_text("utf-8"), "utf-8")
        Path("b.csv").write_text("target,source\n" + lines(f'x,"{source}"' for source, _ in rows))
        Path("c.jsonl").write_text(lines(json.dumps({"source": source}) for source, _ in rows))
        for name in ("a.tsv", "a.txt", "b.csv", "c.jsonl"):
            assert translated(translators, "--file", name) == answers
        Path("tab.en").write_text("the\tdog\nthe dog\n")
        assert translators("translate", "-q", "-f", "tab.en").status == 3  # it looks like pairs, one of them cut off
        Path("d.csv").write_text("text\na\n")
        assert translators("translate", "-f", "d.csv") == (3, "", 'd.csv:1: no column "source"; the columns are text\n')
        Path("e.jsonl").write_text('{"source": "the dog"}\n{"source": " "}\n{"source": "the cat"}\n')
        Path("f.csv").write_text('source\nthe dog\n""\nthe cat\n')
        Path("g.tsv").write_text("the dog\tx\n\tx\nthe cat\tx\n")
        first, last = best(["the dog", "the cat"])
        for name, where in (("e.jsonl", 2), ("f.csv", 3), ("g.tsv", 2)):
            status, out, err = translators("translate", "-f", name)
            assert (status, out) == (3, f"{first}\n\n{last}\n")
            assert err.splitlines()[-1] == f"{name}:{where}: an empty source"

    def test_blank_lines_stay_blank(self, translators):
        (one,) = best([ONE])
        assert translated(translators, stdin=f"{ONE}\n\n \t\n{ONE}\n\n".encode()) == f"{one}\n\n\n{one}\n\n"
        assert translated(translators, "", ONE, "--attention").startswith(f"\n{one}\n ")
        assert translated(translators, "", ONE, "-n", "1").splitlines()[0] == "1\t\t"
        first, second = map(strict_json, translated(translators, "--json", "--attention", " ", ONE).splitlines())
        assert first == {
            "number": 1,
            "where": "argument 1",
            "source": "",
            "source_tokens": [],
            "translation": "",
            "tokens": [],
            "log_probabilities": [],
            "score": None,
            "ended": None,
            "attention": [],
        }
        assert first.keys() == second.keys()

    def test_what_cannot_be_decoded_is_an_empty_line_and_the_others_are_answered(self, translators):
        one, other = best([ONE, OTHER])
        raw = f"{ONE}\nA\xff\n{OTHER}\n".encode("latin-1")
        status, out, err = translators("translate", "-q", stdin=raw)
        assert (status, out) == (3, f"{one}\n\n{other}\n")
        assert err == "standard input:2: bytes that are not utf-8; try --encoding latin-1\n"
        status, out, _ = translators("translate", "-q", "--json", "-n", "2", stdin=raw)
        first, second, third = map(strict_json, out.splitlines())
        assert second == {"number": 2, "where": "standard input:2", "error": err.rstrip("\n")}
        assert [(each["number"], each["where"]) for each in (first, third)] == [
            (1, "standard input:1"),
            (3, "standard input:3"),
        ]
        status, out, _ = translators("translate", "-q", "-n", "2", stdin=raw)
        assert [line.split("\t")[0] for line in out.splitlines()] == ["1", "1", "2", "3", "3"]
        assert out.splitlines()[2] == "2\t\t"

    def test_white_space_around_is_no_word(self, translators):
        (one,) = best([ONE])
        assert translated(translators, f"  {ONE}\t") == f"{one}\n"
        assert strict_json(translated(translators, "--json", f" {ONE} "))["source"] == ONE

    def test_a_line_break_in_an_answer_is_spelled_out(self, translators):
        rows = lines(json.dumps({"source": "ab", "target": "x\ny\rz\\"}) for _ in range(20))
        Path("breaks.jsonl").write_text(rows)
        character = ["--set", "data.tokenizer.level=character", "--steps", "60", "-o", "runs/breaks", "-q"]
        trained = translators("train", "breaks.jsonl", "--task", "translation", *SMALL, *character)
        assert trained.status == 0
        assert translated(translators, "ab") == "x\\ny\\rz\\\n"
        assert strict_json(translated(translators, "ab", "--json"))["translation"] == "x\ny\rz\\"


class TestNotes:
    def test_a_source_longer_than_any_in_training_once(self, translators):
        long = f"{ONE} {ONE}"
        status, out, err = translators("translate", ONE, long, long)
        assert (status, len(out.splitlines())) == (0, 3)
        message = "a source of 16 tokens, where the longest of training has 8: its translation may well be worse"
        assert err == f"note: argument 2: {message}\n"
        assert translated(translators, ONE, long, long) == out

    def test_words_that_are_not_known(self, translators):
        seen = translators("translate", stdin=b"the Dog\na Dog dog sees 2 Dogs\n").err
        assert seen == UNKNOWN.format(4, '"Dog", "2", "Dogs"')
        assert translators("translate", ONE).err == ""
        many = translators("translate", "A B C D the E", "F").err
        assert many == UNKNOWN.format(6, '"A", "B", "C", "D", "E"')
        long = translators("translate", "x" * 100).err
        assert long == UNKNOWN.format(1, f'"{"x" * 40}"')

    def test_unknown_words_that_can_never_be_written(self, translators):
        status, out, err = translators("translate", ONE, "--replace-unknown")
        assert (status, out) == (0, lines(best([ONE])))
        why = "no target of training had an unknown word, so none is ever written"
        assert err == f"note: --replace-unknown has no effect: {why}\n"
        Path("some.tsv").write_text(
            lines(f"{one}\t{other}{' rareza' * (i == 5)}" for i, (one, other) in enumerate(PAIRS))
        )
        arguments = ["some.tsv", "--task", "translation", *SMALL, "--steps", "3", "-o", "runs/some", "-q"]
        split = ["--set", "data.split={validation: 0, test: 0}"]
        assert translators("train", *arguments, *split).status == 0
        assert translators("translate", ONE, "--replace-unknown").err == ""

    def test_unknown_words_of_a_vocabulary_that_sources_share(self, translators):
        arguments = ["--task", "translation", *SMALL, "--steps", "3", "--set", "data.shared_vocabulary=true", "-q"]
        assert translators("train", "pairs.tsv", *arguments, "-o", "runs/shared").status == 0
        why = "no text of training had an unknown word, so none is ever written"
        assert translators("translate", ONE, "--replace-unknown").err == (
            f"note: --replace-unknown has no effect: {why}\n"
        )
        # Of a vocabulary that counts both sides, nobody can tell which of them an unknown word was in
        Path("some.tsv").write_text(lines(f"{one}{' odd' * (i == 5)}\t{other}" for i, (one, other) in enumerate(PAIRS)))
        arguments += ["--set", "data.split={validation: 0, test: 0}"]
        assert translators("train", "some.tsv", *arguments, "-o", "runs/some").status == 0
        assert translators("translate", ONE, "--replace-unknown").err == ""


class TestAnswers:
    def test_json(self, translators):
        ((answer,),) = expected([ONE])
        found = strict_json(translated(translators, "--json", ONE))
        assert found == {
            "number": 1,
            "where": "argument 1",
            "source": ONE,
            "translation": "el perro rojo ve un pájaro pequeño.",
            "tokens": ["el", "perro", "rojo", "ve", "un", "pájaro", "pequeño", "."],
            "log_probabilities": pytest.approx(answer.log_probabilities, abs=1e-5),
            "score": pytest.approx(sum(answer.log_probabilities) / ((5 + 9) / 6), abs=1e-5),
            "ended": True,
        }
        assert len(found["log_probabilities"]) == 9
        assert "pájaro" in translated(translators, "--json", ONE)

    def test_several_are_lines_of_number_score_and_text(self, translators):
        texts, settings = [ONE, OTHER], ["--beam-size", "4", "--n-best", "3", "--length-penalty", "0.5"]
        answers = expected(texts, beam_size=4, n_best=3, length_penalty=0.5)
        found = [line.split("\t") for line in translated(translators, *texts, *settings).splitlines()]
        assert found == [
            [str(number), f"{each.score:.4f}", each.text] for number, one in enumerate(answers, 1) for each in one
        ]
        plain = [*map(strict_json, translated(translators, *texts, *settings, "--json").splitlines())]
        for one, own in zip(plain, answers, strict=True):
            assert [each["translation"] for each in one["n_best"]] == [each.text for each in own]
            assert [each["score"] for each in one["n_best"]] == pytest.approx([each.score for each in own], abs=1e-5)
            assert {name: one[name] for name in one["n_best"][0]} == one["n_best"][0]
        assert translated(translators, ONE, "-n", "3") == translated(translators, ONE, "-n", "3", "-b", "3")

    def test_a_beam_may_find_better_ones(self, translators):
        model = changed("unsure", lambda weights: [array.__imul__(0.6) for array in weights.values()])
        scores = []
        for size in ("1", "2", "8"):
            found = translated(translators, "-m", model, "--json", "--beam-size", size, *SOURCES[:50])
            scores.append(np.mean([strict_json(line)["score"] for line in found.splitlines()]))
        assert scores[0] < scores[1] <= scores[2]

    def test_length(self, translators):
        ((cut,),) = expected([ONE], max_length=3)
        found = strict_json(translated(translators, "--json", "--max-length", "3", ONE))
        assert (found["translation"], found["ended"], len(found["log_probabilities"])) == ("el perro rojo", False, 3)
        assert cut.text == "el perro rojo"

    def test_samples(self, translators):
        drawn = ["--sample", "--random-seed", "5", "-t", "1.5", "--top-k", "4", "--top-p", "0.9", "-n", "3"]
        sampling = Sampling(1.5, top_k=4, top_p=0.9)
        answers = expected([ONE, OTHER], sampling=sampling, random_seed=5, n_best=3)
        found = [line.split("\t") for line in translated(translators, ONE, OTHER, *drawn).splitlines()]
        assert found == [
            [str(number), f"{each.score:.4f}", each.text] for number, one in enumerate(answers, 1) for each in one
        ]
        plain = strict_json(translated(translators, ONE, *drawn, "--json"))
        assert (plain["random_seed"], len(plain["n_best"])) == (5, 3)
        seeds = {strict_json(translated(translators, ONE, "--sample", "--json"))["random_seed"] for _ in range(3)}
        assert len(seeds) > 1

    def test_samples_stand_in_the_order_drawn_each_for_itself(self, translators):
        drawn = [ONE, "--sample", "--random-seed", "5", "-t", "4"]
        many, few = (translated(translators, *drawn, "-n", count).splitlines() for count in ("12", "3"))
        assert few == many[:3]
        scores = [float(line.split("\t")[1]) for line in many]
        assert len({*scores}) > 3
        assert scores != sorted(scores, reverse=True)

    def test_help_says_what_the_order_of_samples_is(self, translators, monkeypatch):
        monkeypatch.setenv("COLUMNS", "80")
        for command in ("translate", "caption"):
            said = " ".join(translators(command, "--help").out.split())
            assert (
                "Of a search the best N, best first; of --sample N draws, one independent of the other, in the" in said
            )

    def test_a_length_penalty_without_effect_is_refused(self, translators):
        greedy = "is for a search of more than one beam; set --beam-size to 2 or more, or leave it out"
        refused = (2, "", f"--length-penalty {greedy}\n")
        for options in ([], ["--beam-size", "1"], ["--attention"]):
            assert translators("translate", ONE, "--length-penalty", "2", *options) == refused, options
        drawn = "changes only the scores of samples; add --n-best or --json, which show them, or leave it out"
        for options in (["--sample"], ["--sample", "--attention"]):
            found = translators("translate", ONE, "--length-penalty", "2", *options)
            assert found == (2, "", f"--length-penalty {drawn}\n"), options
        for options in (["--json"], ["-n", "1"], ["--beam-size", "2"], ["--sample", "-n", "2"], ["--sample", "--json"]):
            assert translators("translate", ONE, "--length-penalty", "2", *options).status == 0, options
        assert translators("evaluate", "-m", "runs/words", "--length-penalty", "2") == refused
        assert translators("evaluate", "-m", "runs/words", "--length-penalty", "2", "-b", "2", "-q").status == 0
        scores = [
            strict_json(translated(translators, ONE, "--json", "--length-penalty", penalty))["score"]
            for penalty in "01"
        ]
        assert scores[0] == pytest.approx(scores[1] * (5 + 9) / 6)

    def test_a_length_penalty_has_an_effect_on_the_search_of_the_spec(self):
        names = ("beam_size", "n_best", "max_length", "temperature", "top_k", "top_p", "random_seed")
        asked: dict[str, Any] = dict.fromkeys(names) | {"sample": False, "length_penalty": 2.0}
        assert decoding_of(DecodingSpec(beam_size=3), scored=False, **asked).length_penalty == 2
        with pytest.raises(UsageError, match="scores of samples"):
            decoding_of(DecodingSpec(beam_size=3), scored=False, **asked | {"sample": True})

    def test_unknown_words_are_copied_on_request(self, translators):
        def certain(weights):
            unknown = reader_of().vocabulary.unknown_id
            weights["output.bias"][unknown] = 50
            weights["output.bias"][reader_of().vocabulary.end_id] = -50

        model = changed("copying", certain)
        cut = ["-m", model, "--max-length", "3", "the Dog sees Bo"]
        ((answer,),) = expected(["the Dog sees Bo"], "copying", replace_unknown=True, max_length=3, attention=True)
        tokens = ["the", "Dog", "sees", "Bo"]
        assert answer.text == " ".join(tokens[place] for place in answer.attention.argmax(axis=1))
        assert translated(translators, *cut, "--replace-unknown") == f"{answer.text}\n"
        assert not {*translated(translators, *cut).split()} & {*tokens, "<unk>"}

    def test_attention_is_drawn(self, translators, monkeypatch):
        ((answer,),) = expected([ONE], attention=True)
        tokens, targets = ["the", "red", "dog", "sees", "a", "small", "bird", "."], [*answer.tokens, "<eos>"]
        drawing = lines(alignment(answer.attention, targets, tokens, Style()))
        found = translated(translators, "--attention", ONE, ONE)
        assert found == f"{answer.text}\n{drawing}\n" * 2
        assert "\nperro    ·   ·  ███  ·" in found
        monkeypatch.setenv("COLUMNS", "30")
        narrow = translated(translators, "--attention", ONE).splitlines()[1:]
        assert narrow == [*alignment(answer.attention, targets, tokens, Style(30)), ""]
        several = translated(translators, "--attention", ONE, "-n", "2").splitlines()
        assert [line.split("\t")[0] for line in several if "\t" in line] == ["1", "1"]
        assert sum(line.startswith("<eos>") for line in several) == 2

    def test_attention_is_drawn_in_ascii_where_there_is_no_more(self, translators, rnncli_process):
        ((answer,),) = expected([ONE], attention=True)
        drawn = rnncli_process("translate", ONE, "--attention", env={"PYTHONIOENCODING": "ascii"})
        assert (drawn.status, drawn.out.splitlines()[0]) == (0, answer.text)
        assert "\nperro    .   .   9   .  " in drawn.out
        assert not {*"░▒▓█·"} & {*drawn.out}

    def test_attention_as_json(self, translators):
        ((answer,),) = expected([ONE], attention=True)
        found = strict_json(translated(translators, "--attention", "--json", ONE))
        assert found["source_tokens"] == ["the", "red", "dog", "sees", "a", "small", "bird", "."]
        np.testing.assert_allclose(found["attention"], answer.attention, atol=1e-5)
        assert np.shape(found["attention"]) == (9, 8)
        np.testing.assert_allclose(np.sum(found["attention"], axis=1), 1, atol=1e-4)

    def test_an_answer_that_is_not_finite_is_an_error(self, translators):
        def overflow(weights):
            for array in weights.values():
                array[:] = 0
            reader = reader_of()
            weights["encoder.embedding.weight"][reader.source_vocabulary.ids[" bird"]] = 1
            _, update, new = np.split(weights["encoder.recurrent.0.forward.weight_ih"], 3)  # gates r, z, n
            update[:], new[:] = -50, 50  # h = 1 there, and elsewhere 0
            weights["attention.combine.weight"][:] = 1
            weights["output.weight"][:] = 3e38
            weights["output.bias"][reader.vocabulary.ids[" perro"]] = 20

        model = changed("overflow", overflow)
        message = "argument 2: the model's answer is not finite; give a shorter source\n"
        cut = ["-m", model, "--max-length", "2"]
        for options in ([], ["--beam-size", "3"], ["--sample", "--top-k", "1"]):
            status, out, err = translators("translate", "the dog", "a bird sees", "a cat", *cut, *options)
            assert (status, out, err) == (3, "perro perro\n\nperro perro\n", message), options
        status, out, err = translators("translate", "-m", model, "a bird sees", "--json")
        assert (status, strict_json(out)) == (3, {"number": 1, "where": "argument 1", "error": err.rstrip("\n")})


class TestVectors:
    def test_a_sequence_of_them_has_a_text(self, translators):
        reader = reader_of("frames")
        sources = [reader.read(np.array(frames, np.float32), "") for frames in FRAMES]
        answers = [answer.text for (answer,) in reader.translate(sources, Decoding())]
        assert len({*answers}) > 1
        assert translated(translators, "-m", "runs/frames", "--file", "frames.npz") == lines(answers)
        few = translated(translators, "-m", "runs/frames", *map(as_line, FRAMES[:8]))
        assert few == lines(answers[:8])
        found = strict_json(translated(translators, "-m", "runs/frames", "--json", "--attention", as_line(FRAMES[3])))
        assert "source" not in found
        assert np.shape(found["attention"])[1] == len(FRAMES[3])
        drawn = translated(translators, "-m", "runs/frames", "--attention", as_line(FRAMES[3])).splitlines()
        assert drawn[1].split() == ["1", "2", "3", "4"]


class TestPipes:
    def test_a_slow_one_is_answered_line_by_line(self, translators, start_process):
        process = start_process("translate", "-q", stdin=-1)
        for text, answer in zip((ONE, OTHER), best([ONE, OTHER]), strict=True):
            process.stdin.write(text[:6].encode())
            process.stdin.flush()
            assert not readable(process.stdout, 0.1)
            process.stdin.write(f"{text[6:]}\n".encode())
            process.stdin.flush()
            assert readable(process.stdout, 30)
            assert os.read(process.stdout.fileno(), 1000).decode() == f"{answer}\n"
        process.stdin.close()
        assert (process.stdout.read(), process.stderr.read(), process.wait(30)) == (b"", b"", 0)

    def test_at_a_terminal_it_says_what_it_waits_for(self, translators, start_process):
        master, slave = pty.openpty()
        process = start_process("translate", stdin=slave)
        os.close(slave)
        assert readable(process.stderr, 30)
        assert process.stderr.readline() == b"reading what is typed here, a line for each; Ctrl-D ends it\n"
        os.write(master, f"{ONE}\n\x04".encode())
        assert process.communicate(timeout=30) == (lines(best([ONE])).encode(), b"")
        os.close(master)

    def test_a_reader_that_has_seen_enough(self, translators, start_process):
        Path("long").write_text(f"{ONE}\n" * 4000)
        process = start_process("translate", "--file", "long")
        assert process.stdout.readline()
        process.stdout.close()
        assert (process.wait(30), process.stderr.read()) == (141, b"")


class TestModels:
    def test_of_other_tasks_and_none(self, translators):
        assert translators("train", "pairs.tsv", "-o", "runs/language", *SMALL, "--steps", "1", "-q").status == 0
        assert translated(translators, ONE) == lines(best([ONE]))  # the newest translator
        for name, task, verb in (("language", "language_model", "generate"), ("captions", "captioning", "caption")):
            status, out, err = translators("translate", "x", "-m", f"runs/{name}")
            assert (status, out) == (2, "")
            message = f"holds a model of task {task}, where one of translation is needed; use rnncli {verb}\n"
            assert err == f"runs/{name}/best.npz {message}"
        for command, wanted in (("tag", "tagging"), ("score", "language_model")):
            status, out, err = translators(command, "x", "-m", "runs/words")
            assert (status, out) == (2, "")
            message = f"holds a model of task translation, where one of {wanted} is needed; use rnncli translate\n"
            assert err == f"runs/words/best.npz {message}"
        for name in ("words", "letters", "frames"):
            shutil.rmtree(Path("runs", name))
        status, out, err = translators("translate", "x")
        assert (status, out) == (2, "")
        assert err == (
            "no model of task translation under runs/; train one: rnncli train --task translation pairs.tsv; "
            "or name one: --model PATH\n"
        )

    @pytest.mark.parametrize(
        ("arguments", "status", "message"),
        [
            ("x --file pairs.tsv", 2, "TEXT and --file exclude each other"),
            ("x --beam-size 0", 2, "'--beam-size'"),
            ("x --n-best 0", 2, "'--n-best'"),
            ("x --n-best 3 --beam-size 2", 2, "--n-best 3 needs a beam as large, and --beam-size is 2"),
            ("x --max-length 0", 2, "'--max-length'"),
            ("x --length-penalty -1", 2, "'--length-penalty'"),
            ("x --length-penalty nan", 2, "'--length-penalty'"),
            ("x --sample --beam-size 2", 2, "--sample and --beam-size exclude each other"),
            ("x --top-k 2", 2, "--top-k is for sampling; add --sample, or leave it out"),
            ("x --top-p 0.5", 2, "--top-p is for sampling; add --sample, or leave it out"),
            ("x -t 0.5", 2, "--temperature is for sampling; add --sample, or leave it out"),
            ("x --random-seed 0", 2, "--random-seed is for sampling; add --sample, or leave it out"),
            ("x --sample -t -1", 2, "--temperature must be 0 (greedy) or a number above, not -1.0"),
            ("x --sample --top-k 0", 2, "--top-k must be at least 1, not 0"),
            ("x --sample --top-p 2", 2, "--top-p must be in (0, 1], not 2.0"),
            ("x --attention -m runs/letters", 2, "--attention is for models with attention, and this one has none"),
            ("x --replace-unknown -m runs/letters", 2, "--replace-unknown is for models with attention, and this one"),
            ("1,2 --replace-unknown -m runs/frames", 2, "--replace-unknown is for texts, and this model reads vectors"),
            ("-f none.en", 3, "none.en: no such file or folder"),
            ("-f none.tsv", 3, "none.tsv: no such file or folder"),
            ("--encoding klingon", 3, "unknown encoding 'klingon'; try utf-8"),
            ("-f pairs.tsv --encoding klingon", 3, "unknown encoding 'klingon'; try utf-8"),
            ("-f features.npz", 3, "features.npz: row 0: vectors, where the model reads texts"),
            ("-m runs/frames x", 3, "argument 1: not a vector of finite numbers"),
            ("-m runs/frames 1,2,3", 3, "argument 1: vectors of 3 numbers, where the model reads vectors of 2"),
            ("-m runs/frames -f features.npz", 3, "features.npz: row 0: vectors of 4 numbers, where the model reads"),
            ("-m none x", 3, "none: cannot be read"),
        ],
    )
    def test_what_cannot_be_answered_is_one_line(self, translators, arguments, status, message):
        result = translators("translate", *arguments.split())
        assert (result.status, result.out.strip(), len(result.lines)) == (status, "", 1), result
        assert message in result.err


class TestHints:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ("translate -f zero.tsv", "zero.tsv: looks like a binary file (NUL byte at offset 3); give a text"),
            ("translate -f features.npz", "features.npz: row 0: vectors, where the model reads texts"),
            ("translate -f frames.npz", "frames.npz: row 0: vectors, where the model reads texts"),
            ("caption -f zero.tsv", "zero.tsv:1: not a vector of finite numbers; write them with commas"),
            ("caption -f plain.dat", "plain.dat:1: not a vector of finite numbers; write them with commas"),
            ("caption -f frames.npz", "frames.npz: row 0: vectors of 2 numbers, where the model reads vectors of 4"),
            ("evaluate zero.tsv", "zero.tsv: looks like a binary file (NUL byte at offset 3); give a text"),
            ("evaluate zero.en", "zero.en: it is in no format of pairs; put a tab between source and target"),
            ("evaluate plain.dat", "plain.dat: it is in no format of pairs; put a tab between source and target"),
            ("evaluate empty", "empty: the file is empty"),
            (
                "evaluate features.npz",
                "features.npz: vectors, where the model reads texts; give texts, or name a model of vectors",
            ),
            ("evaluate -m runs/captions zero.tsv", "zero.tsv: a text, where the model reads vectors of 4 numbers"),
            ("evaluate -m runs/captions plain.dat", "plain.dat: it is in no format of pairs; put a tab between"),
            ("evaluate -m runs/captions empty", "empty: the file is empty"),
            ("evaluate -m runs/captions features.npz", "no file of sentences to go with features.npz; name the files"),
            ("evaluate -m runs/captions frames.npz", "no file of sentences to go with frames.npz; name the files"),
        ],
    )
    def test_name_no_option_that_a_command_does_not_have(self, translators, arguments, message):
        Path("zero.tsv").write_bytes(b"a\tb\0\n")
        Path("zero.en").write_bytes(b"a\0\n")
        Path("plain.dat").write_text("a\n")
        Path("empty").touch()
        result = translators(*arguments.split())
        assert (result.status, result.out, len(result.lines)) == (3, "", 1), result
        assert result.err.startswith(message)
        assert "--set" not in result.err
