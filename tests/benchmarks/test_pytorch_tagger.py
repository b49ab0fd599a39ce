"""The tagger in PyTorch does what ours does: with nothing left to chance both end at the same weights."""

import json
import os
import random
import subprocess
from pathlib import Path

import pytest

from rnncli import experiments
from rnncli.benchmarks.sides import PACKAGE
from rnncli.spec import parse_spec

SCRIPT = Path(__file__).parent / "pytorch_tagger.py"
PUBLIC = Path(__file__).parent / "public"
SPECS = ["diseases.yaml", "parts_of_speech.yaml"]
SPEC = """
task: tagging
data:
  train: train.conll
  validation: validation.conll
  test: test.conll
  tokenizer: {level: word, lowercase: true, min_count: 2}
model:
  embedding: {kind: learned, size: 5}
  characters: {cell: lstm, embedding_size: 4, hidden_size: 3}
  cell: lstm
  hidden_size: 6
  num_layers: 2
  bidirectional: true
  crf: true
  input_dropout: 0.0
  dropout: 0.0
training:
  epochs: 9
  batch_size: 4
  optimizer: {name: adam, learning_rate: 0.02}
  max_norm: 0.7   # which most updates exceed
  patience: 2
  random_seed: 3
"""


def write(path, seed, sentences=100):
    """Write sentences in which a name mostly begins with a or b and is capitalized, and goes on with what follows."""
    drawn, lines = random.Random(seed), []
    for _ in range(sentences):
        before = "O"
        for _ in range(drawn.randint(1, 9)):
            word = "".join(drawn.choices("abcdef", k=drawn.randint(1, 2)))
            named = (word[0] in "ab") != (drawn.random() < 0.1)
            before = "O" if not named else "B-X" if before == "O" else "I-X"
            lines.append(f"{word.title() if named and drawn.random() < 0.9 else word} {before}")
        lines.append("")
    path.write_text("\n".join(lines) + "\n")


def task_of(text, changes=()):
    document = parse_spec(text.encode(), "spec")
    for section, name, value in changes:
        document.value[section][name] = value
    return experiments.task_from(document)


def in_pytorch(base, *changes):
    settings = (word for change in changes for word in ("--set", change))
    command = [os.environ["TORCH_PYTHON"], str(SCRIPT), str(base / "spec.yaml"), "--seed", "3", *settings]
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.skipif("TORCH_PYTHON" not in os.environ, reason="TORCH_PYTHON names no interpreter that has PyTorch")
@pytest.mark.parametrize(
    "changes",
    [(), (("model", "crf", False),), (("model", "characters", None), ("training", "epochs", 2))],
    ids=["characters and CRF", "no CRF", "no characters"],
)
def test_without_dropout_both_learn_the_same(tmp_path, changes):
    for number, name in enumerate(("train", "validation", "test")):
        write(tmp_path / f"{name}.conll", number)
    (tmp_path / "spec.yaml").write_text(SPEC)
    theirs = in_pytorch(tmp_path, *(f"{part}.{name}={json.dumps(value)}" for part, name, value in changes))

    run = experiments.start(task_of(SPEC, changes), tmp_path, tmp_path / "run")
    for _ in run.events():
        pass
    validation, test = experiments.score_run(run)
    assert theirs["validation_loss"] == pytest.approx(validation.loss.mean, rel=1e-4)
    assert theirs["accuracy"] == pytest.approx(test.report.steps.accuracy, abs=0.005)
    assert theirs["span_f1"] == pytest.approx(test.report.spans.f1, abs=0.01)
    assert theirs["unseen_accuracy"] == pytest.approx(test.report.unseen_accuracy, abs=0.01)
    assert theirs["unseen"] == test.report.unseen
    assert 0.3 < theirs["span_f1"] < 1


@pytest.mark.parametrize("name", SPECS)
def test_the_specs_of_the_public_sets_are_valid(name):
    task = task_of((PUBLIC / name).read_text(encoding="utf-8"))
    assert (task.task, task.model.characters is not None, task.model.crf) == ("tagging", True, name == "diseases.yaml")
