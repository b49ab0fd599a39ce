"""The translator in PyTorch does what ours does: with nothing left to chance both end at the same weights."""

import json
import os
import random
import subprocess
from pathlib import Path

import pytest

from rnncli import experiments
from rnncli.benchmarks.sides import PACKAGE
from rnncli.spec import parse_spec
from rnncli.tasks.pair_decoding import Decoding
from rnncli.tasks.pair_model import PairModel
from rnncli.tasks.pair_scores import score

SCRIPT = Path(__file__).parent / "pytorch_translator.py"
PUBLIC = Path(__file__).parent / "public" / "translation.yaml"
SPEC = """
task: translation
data:
  train: [train.a, train.b]
  validation: [validation.a, validation.b]
  test: [test.a, test.b]
  tokenizer: {level: word, lowercase: false, min_count: 2}
model:
  embedding: {kind: learned, size: 6}
  cell: lstm
  hidden_size: 12
  num_layers: 1
  bidirectional: true
  attention: general
  dropout: 0.0
training:
  epochs: 5
  batch_size: 8
  optimizer: {name: adam, learning_rate: 0.005}
  max_norm: 0.7   # which most updates exceed
  patience: null
  random_seed: 3
"""


def write(base, name, seed, sentences):
    """Write sentences, and their words spelled backwards, but for one that no other has."""
    drawn, sides = random.Random(seed), {"a": [], "b": []}
    for number in range(sentences):
        words = ["".join(drawn.choices("xy", k=2)) for _ in range(drawn.randint(2, 6))]
        sides["a"].append(" ".join([*words, f"once{number}"]))
        sides["b"].append(" ".join(word[::-1] for word in words))
    for side, lines in sides.items():
        (base / f"{name}.{side}").write_text("\n".join(lines) + "\n")


def task_of(text, changes=()):
    document = parse_spec(text.encode(), "spec")
    for section, name, value in changes:
        document.value[section][name] = value
    return experiments.task_from(document)


def in_pytorch(base, *changes):
    settings = (word for part, name, value in changes for word in ("--set", f"{part}.{name}={value}"))
    command = [os.environ["TORCH_PYTHON"], str(SCRIPT), str(base / "spec.yaml"), "--seed", "3", *settings]
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.skipif("TORCH_PYTHON" not in os.environ, reason="TORCH_PYTHON names no interpreter that has PyTorch")
@pytest.mark.parametrize("changes", [(), (("model", "attention", "additive"), ("model", "num_layers", 2))])
def test_without_dropout_both_learn_and_write_the_same(tmp_path, changes):
    for number, (name, sentences) in enumerate({"train": 400, "validation": 60, "test": 60}.items()):
        write(tmp_path, name, number, sentences)
    (tmp_path / "spec.yaml").write_text(SPEC)
    theirs = in_pytorch(tmp_path, *changes)

    run = experiments.start(task_of(SPEC, changes), tmp_path, tmp_path / "run")
    for _ in run.events():
        pass
    validation, test = experiments.score_run(run)
    assert theirs["validation_loss"] == pytest.approx(validation.loss.mean, rel=5e-3)
    assert theirs["test_loss"] == pytest.approx(test.loss.mean, rel=5e-3)
    translator = PairModel(run.model, run.task, run.dataset.resources)
    (searched,) = score(translator, None, {"test": run.dataset.splits.test}, Decoding(beam_size=5))
    for name, report in (("greedy", test.report), ("beam", searched.report)):
        assert theirs[name]["exact_match"] == pytest.approx(report.exact_match, abs=0.02)
        assert theirs[name]["bleu"] == pytest.approx(report.bleu, abs=1)
    assert 0.1 < theirs["greedy"]["exact_match"] < 0.9


def test_the_spec_of_the_public_set_is_valid():
    task = task_of(PUBLIC.read_text(encoding="utf-8"))
    assert (task.task, task.model.attention, task.model.bidirectional) == ("translation", "additive", True)
