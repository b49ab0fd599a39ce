"""Input that cannot be used: one line that says what, where and what to do, and the status of its kind."""

import random
import shlex
from pathlib import Path

import numpy as np
import pytest

from rnncli.cli.main import run
from rnncli.storage import checkpoint_file, read_checkpoint_file, write_checkpoint_file
from tests.cli.conftest import SMALL

FIVE_MISTAKES = """\
task: language_model
data: {train: poem.txt}
model:
  hiden_size: 12
  cell: lstmm
  dropout: 1.5
training:
  epochs: "ten"
  optimizer: {name: adam, learning_rte: 1}
"""


@pytest.fixture
def bad(trained, monkeypatch):
    """`rnncli` beside files with something wrong."""
    Path("empty.txt").touch()
    Path("one.txt").write_text("a")
    Path("binary.txt").write_bytes(b"\x7fELF\2\0\0\0")
    Path("latin.txt").write_bytes("Wörter, Käse\n".encode("latin-1") * 9)
    for folder in ("nothing", "no_text", "locked"):
        Path(folder).mkdir()
    Path("no_text/binary.bin").write_bytes(b"\0")
    Path("spec.yaml").write_text("model: {hidden_size: 8}\nmodel: {}\n")
    Path("nan.yaml").write_text("training: {max_norm: .nan}\n")
    whole = Path("runs/poem/best.npz").read_bytes()
    Path("cut.npz").write_bytes(whole[:-100])
    Path("flipped.npz").write_bytes(whole[:-3000] + bytes([whole[-3000] ^ 1]) + whole[-2999:])
    arrays, content = read_checkpoint_file(Path("runs/poem/best.npz"))
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint_file, "VERSION", 2)
        write_checkpoint_file(Path("next.npz"), arrays, content)
    np.savez("foreign.npz", weights=np.zeros(3))
    return trained


def line_of(result, status):
    """Assert that a command failed with this status and one line of decent length, and return that."""
    assert (result.status, result.out) == (status, "")
    (line,) = result.lines
    assert len(line) <= 200
    assert line.isprintable()
    assert "Traceback" not in line
    assert "unexpected" not in line
    return line


CORPORA = [
    ("missing.txt", 3, ["missing.txt: no such file or folder"]),
    ("pome.txt", 3, ["pome.txt: no such file", 'did you mean "', "poem.txt"]),
    ("empty.txt", 3, ["empty.txt: the file is empty"]),
    ("one.txt", 3, ["one.txt: the training text has 1 token", "at least 2 are needed"]),
    ("binary.txt", 3, ["binary.txt: looks like a binary file (NUL byte at offset 5)", "data.tokenizer.level: byte"]),
    ("nothing", 3, ["no text files in folder", "nothing"]),
    ("no_text", 3, ["no text files in folder", "no_text/binary.bin"]),
    ("*.nothing", 3, ["*.nothing: no file matches"]),
    ("latin.txt", 3, ["latin.txt: byte 0xf6 at offset 1 is not utf-8", "try --encoding latin-1"]),
    ("latin.txt --encoding klingon", 3, ["unknown encoding 'klingon'", "try utf-8"]),
    ("poem.txt/below", 3, ["poem.txt/below", "Not a directory"]),
]
SETTINGS = [
    ("--spec missing.yaml", 2, ["missing.yaml: cannot read the spec: No such file", "check the path"]),
    ("--spec spec.yaml", 2, ['spec.yaml:2:1: the key "model" was already given on line 1']),
    ("--spec nan.yaml", 2, ["nan.yaml:1:22: ", '".nan" is not a finite number']),
    ("--spec raw.bin", 2, ["raw.bin:"]),
    ("--hidden-size -3", 2, ["--hidden-size: model.hidden_size must be greater than 0, not -3"]),
    ("--hidden-size many", 2, ["--hidden-size", "integer", "(see rnncli train --help)"]),
    ("--learning-rate nan", 2, ["--learning-rate: training.optimizer.learning_rate must be a finite number"]),
    ("--learning-rate 0", 2, ["--learning-rate: training.optimizer.learning_rate must be greater than 0, not 0"]),
    ("--cell lstmm", 2, ["--cell: model.cell.name must be one of rnn, lstm, gru", 'did you mean "lstm"?']),
    ("--set model.hidden_size=-3", 2, ["--set model.hidden_size: model.hidden_size must be greater than 0, not -3"]),
    ("--set model.hidden_size=ten", 2, ['model.hidden_size must be a whole number, not "ten"']),
    ("--set training.max_norm=.nan", 2, ['--set training.max_norm: ".nan" is not a finite number']),
    ("--set model.hiden_size=3", 2, ['unknown key "hiden_size" in model; did you mean "hidden_size"?']),
    ("--set model", 2, ["--set model: not of the form key=value", "write --set model.hidden_size=256"]),
    ("--max-time soon", 2, ["--max-time must be a time such as 90s, 10m or 2h, not 'soon'"]),
    ("--max-time -3s", 2, ["--max-time must be a time"]),
    ("--batch-size 0", 2, ["--batch-size: training.batch_size must be greater than 0"]),
    ("--hidden-siz 3", 2, ["No such option: --hidden-siz; did you mean --hidden-size? (see rnncli train --help)"]),
    ("--output poem.txt", 1, ["cannot write poem.txt: File exists", "choose a folder that you can write to"]),
    ("--output poem.txt/run", 1, ["cannot write poem.txt/run: Not a directory"]),
    ("--output /proc/run", 1, ["cannot write /proc/run: No such file or directory"]),
    ("--init-from cut.npz", 3, ["cut.npz: is cut short"]),
    ("--hidden-size 9999999", 2, ["at most 1000000, not 9999999"]),
]
COMMANDS = [
    ("trian poem.txt", 2, ["No such command 'trian'. Did you mean 'train'? (see rnncli --help)"]),
    ("frobnicate", 2, ["No such command 'frobnicate' (see rnncli --help)"]),
    ("train", 2, ["nothing to train on", "rnncli train corpus.txt"]),
    ("train poem.txt -", 2, ["CORPUS must be files, folders or globs, or - alone"]),
    ("generate poem.txt", 2, ["unexpected extra argument", "(see rnncli generate --help)"]),
    ("generate --seed", 2, ["--seed", "requires an argument"]),
    ("gradcheck missing.yaml", 2, ["missing.yaml: cannot read the spec"]),
    ("score --file empty.txt", 3, ["empty.txt: the file is empty"]),
    ("evaluate one.txt", 3, ["one.txt: too short to evaluate on"]),
]
CHECKPOINTS = [
    ("missing.npz", ["missing.npz: cannot be read: No such file"]),
    ("nothing", ["nothing/best.npz: cannot be read"]),
    ("poem.txt", ["poem.txt: is not an .npz file"]),
    ("foreign.npz", ["foreign.npz: is not an rnncli checkpoint"]),
    ("cut.npz", ["cut.npz: is cut short or damaged at its end; use another copy of it"]),
    ("flipped.npz", ["flipped.npz: is damaged in ", "(wrong checksum)"]),
    ("next.npz", ["next.npz: has format version 2, not 1; read it with the rnncli that wrote it"]),
]


@pytest.mark.parametrize(("arguments", "status", "words"), CORPORA)
def test_corpora(bad, arguments, status, words):
    line = line_of(bad("train", *arguments.split(), *SMALL, "--steps", "3"), status)
    assert all(word in line for word in words)
    assert sorted(path.name for path in Path("runs").glob("[!.]*")) == ["names", "poem", "raw", "words"]


@pytest.mark.parametrize(("arguments", "status", "words"), SETTINGS)
def test_settings(bad, arguments, status, words):
    line = line_of(bad("train", "poem.txt", "--steps", "3", *arguments.split()), status)
    assert all(word in line for word in words)
    assert not Path("runs/poem-2").exists()


@pytest.mark.parametrize(("arguments", "status", "words"), COMMANDS)
def test_commands(bad, arguments, status, words):
    result = bad(*arguments.split())
    line = result.err if "unexpected extra" in result.err else line_of(result, status)
    assert result.status == status
    assert all(word in line for word in words)


@pytest.mark.parametrize(("path", "words"), CHECKPOINTS)
def test_checkpoints(bad, path, words):
    for command in ("generate", "score The", "evaluate"):
        line = line_of(bad(*command.split(), "--model", path), 3)
        assert all(word in line for word in words)


def test_empty_argument_is_not_this_folder(bad):
    assert "CORPUS must be files" in line_of(bad("train", ""), 2)


def test_every_mistake_of_a_spec_at_its_place(bad):
    Path("spec.yaml").write_text(FIVE_MISTAKES)
    for command in ("train --spec spec.yaml", "gradcheck spec.yaml"):
        status, out, err = bad(*command.split())
        assert (status, out) == (2, "")
        assert err.splitlines() == [
            'spec.yaml:4:3: unknown key "hiden_size" in model; did you mean "hidden_size"?',
            (
                "spec.yaml:5:9: model.cell must be one of rnn, lstm, gru, conv1d, none, mlp, "
                'not "lstmm"; did you mean "lstm"?'
            ),
            "spec.yaml:6:12: model.dropout must be less than 1, not 1.5",
            'spec.yaml:8:11: training.epochs must be a whole number, not "ten"',
            'spec.yaml:9:27: unknown key "learning_rte" in training.optimizer (adam); did you mean "learning_rate"?',
        ]


def test_mistakes_of_flags_and_assignments_together(bad):
    err = bad(
        "train", "poem.txt", "--hidden-size", "-3", "--set", "model.dropout=2", "--set", "training.max_norm=no"
    ).err
    assert [line.split(": ")[0] for line in err.splitlines()] == ["--set training.max_norm"]
    err = bad("train", "poem.txt", "--hidden-size", "-3", "--set", "model.dropout=2").err
    assert [line.split(": ")[0] for line in err.splitlines()] == ["--set model.dropout", "--hidden-size"]


def test_advice_on_the_encoding_works(bad):
    assert bad("train", "latin.txt", *SMALL, "--steps", "3", "-q", "--encoding", "latin-1").status == 0
    assert bad("score", "--file", "latin.txt", "--encoding", "latin-1").status == 0
    assert bad("evaluate", "latin.txt").status == 0  # the model's own encoding is what its texts are read in
    Path("latin.txt").write_bytes(b"\xef\xbb\xbfplain\xe9")
    assert "try --encoding latin-1" in line_of(bad("train", "latin.txt"), 3)


@pytest.mark.parametrize("count", [40, pytest.param(1000, marks=pytest.mark.slow)])
def test_random_command_lines(bad, count):
    """Whatever is asked: a documented status, never an unforeseen error."""
    choose = random.Random(count)
    starts = {
        "train": ["--max-time", "0.01", *SMALL],
        "generate": ["-l", "3"],
        "evaluate": [],
        "score": [],
        "gradcheck": ["tiny.yaml"],
    }
    Path("tiny.yaml").write_text("model: {hidden_size: 2, num_layers: 1}\n")
    options = shlex.split(
        "--seed --stop --top-k --temperature --model --spec --set --resume --init-from --output --file --split "
    )
    flags = shlex.split("--json --quiet --greedy --highlight --dry-run --verbose --no-color --help -n -1")
    values = shlex.split(
        "'' 0 1.5 -1 nan poem.txt latin.txt no_text runs/poem cut.npz - @poem.txt @ spec.yaml 日本 -- ="
    )
    values += ["model.cell=gru", "model=3", "data.format=lines", "\x1b[31m", "a\nb", "\udcff"]
    for _ in range(count):
        command = choose.choice(list(starts))
        words = [command, *starts[command]]
        for _ in range(choose.randrange(5)):
            words += choose.choice([[choose.choice(options), choose.choice(values)], [choose.choice(flags)]])
            words += choose.choices(values, k=choose.choice([0, 0, 1]))
        result = bad(*words, stdin=b"The sun\n")
        said = result.err.replace("unexpected extra argument", "")
        assert result.status in range(4), words
        assert not result.status or said, words
        assert "unexpected" not in said.replace('unexpected ":"', ""), (words, said)
        assert "Traceback" not in said


def test_what_nobody_foresaw(rnncli, monkeypatch):
    def fail(model, runs, *tasks):
        raise KeyError(runs)

    monkeypatch.setattr("rnncli.experiments.find", fail)
    result = rnncli("generate")
    assert (result.status, result.out) == (1, "")
    assert result.err == "unexpected KeyError: PosixPath('runs'); RNNCLI_DEBUG=1 shows where\n"
    monkeypatch.setenv("RNNCLI_DEBUG", "1")
    with pytest.raises(KeyError):
        run(["generate"])
