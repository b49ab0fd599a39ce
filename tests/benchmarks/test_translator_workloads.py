"""The training of translators as it is measured: what is counted, that both sides do it, and on the same batches."""

import json
import math
import os
import subprocess
from dataclasses import asdict, replace

import numpy as np
import pytest

from rnncli.benchmarks import WORKLOADS, Workload, ours, sides
from rnncli.benchmarks.sides import peers
from rnncli.data import BucketedPairs
from rnncli.training.events import StepDone

PAIRS = Workload(
    "train translator",
    "lstm",
    1,
    4,
    batch_size=3,
    vocabulary_size=7,
    embedding_size=2,
    lengths=((3, 5, 4), (1, 2, 2)),
    bidirectional=True,
    targets=((4, 2, 2), (1, 3, 1)),
)
COUNTED = {"encoder": "source", "attention.key": "source", "bridge": "sequences"}
"""What each weight is multiplied with, but for the words of targets and their ends."""
ALONE = """
import json, runpy, sys
import torch
script, work = runpy.run_path(sys.argv[1]), json.loads(sys.argv[2])
network, batch = script["Translator"](work), script["batch_of"](work, work["lengths"][0], work["targets"][0])
padded, lengths = script["pad_packed_sequence"](batch.source)
found = []
for packed in (True, False):
    scores = network(batch, packed=packed)
    alone = []
    for b, (length, steps) in enumerate(zip(lengths.tolist(), batch.steps.tolist())):
        source = script["pack_padded_sequence"](padded[:length, b : b + 1], torch.tensor([length]))
        one = batch._replace(
            source=source,
            barred=torch.zeros(1, 1, length),
            inputs=batch.inputs[:steps, b : b + 1],
            steps=torch.tensor([steps]),
            real=torch.arange(steps),
        )
        alone.append(network(one, packed=packed))
    found.append(float((scores - torch.cat(alone)).abs().max()))
print(json.dumps([found, sorted(zip(lengths.tolist(), batch.steps.tolist())), len(batch.targets)]))
"""


@pytest.mark.parametrize("name", ["p", "q"])
def test_operations_are_two_a_weight_that_is_no_bias_and_two_a_number_attended_to(name):
    work = WORKLOADS[name]
    pairs = [(s, t + 1) for batch in zip(work.lengths, work.targets, strict=True) for s, t in zip(*batch, strict=True)]
    times = {"source": sum(s for s, _ in pairs), "sequences": len(pairs), "target": sum(t for _, t in pairs)}
    operations = sum(2 * s * t * 3 * 256 for s, t in pairs)  # scores of 256 numbers, and means of 512
    for key, parameter in ours.build_translator(work).parameters().items():
        if "weight" in key and not key.endswith("embedding.weight"):
            kind = next((kind for prefix, kind in COUNTED.items() if key.startswith(prefix)), "target")
            operations += 2 * parameter.value.size * times[kind]
    assert work.flops == pytest.approx(3 * operations / work.cycle, rel=1e-3)  # words of a mean batch are rounded


def test_operations_and_words_of_a_small_translator_by_hand():
    sources, targets = 12 + 5, 11 + 8
    recurrent = 2 * 16 * (2 + 4) * sources + 16 * (2 + 4) * targets
    bridge, keys, combined = 2 * 4 * 8 * 3 * 2, 4 * 8 * sources, 4 * 12 * targets
    attended = sum(s * t for s, t in ((3, 5), (5, 3), (4, 3), (1, 2), (2, 4), (2, 2))) * (4 + 8)
    outputs = 2 * 7 * 4 * round(targets / 2)
    assert PAIRS.flops == 3 * 2 * (recurrent + bridge + keys + attended + combined + outputs) / 2
    fed = replace(PAIRS, input_feeding=True)
    assert fed.flops == PAIRS.flops + 3 * 2 * 16 * 4 * targets / 2
    assert PAIRS.tokens == fed.tokens == targets / 2


def test_titles():
    assert WORKLOADS["p"].title == "train translator bidirectional lstm 1x256 B64 T3-30 V5000 E128"
    assert WORKLOADS["q"].title == "train translator bidirectional lstm 1x256 fed B64 T3-30 V5000 E128"


@pytest.mark.parametrize("feeding", [False, True])
def test_a_step_is_an_update_on_a_batch(feeding):
    last = ours.prepare(replace(PAIRS, input_feeding=feeding))(5)
    assert isinstance(last, StepDone)
    assert (last.step, last.epoch, last.loss.count in (8, 11)) == (5, 2.5, True)
    assert 0 < last.loss.mean < 2 * math.log(7)


def lengths(values, mask):
    """The real steps of each sequence (B,), the end symbol of a target among them."""
    return np.full(values.shape[-1], len(values)) if mask is None else mask.sum(axis=0)


def test_the_trainer_makes_the_batches_of_the_workload():
    work = WORKLOADS["p"]
    pairs = ours.pairs(work)
    for epoch in range(2):
        found = [
            sorted(zip(lengths(batch.source, batch.source_mask), lengths(batch.targets, batch.mask) - 1, strict=True))
            for batch in BucketedPairs(pairs, work.batch_size).epoch(np.random.default_rng(epoch))
        ]
        wanted = [sorted(zip(*batch, strict=True)) for batch in zip(work.lengths, work.targets, strict=True)]
        assert sorted(found) == sorted(wanted)
    words = [length for side in (work.lengths, work.targets) for batch in side for length in batch]
    assert (len(words), min(words), max(words)) == (2 * 640, 3, 30)
    for side in (pairs.source, pairs.target):
        assert (side.values.min() < 10, 4990 < side.values.max() < 5000) == (True, True)


def test_the_translator_is_the_one_that_is_named():
    spec = ours.build_translator(replace(PAIRS, cell="gru", input_feeding=True)).spec
    assert (spec.cell.name, spec.bidirectional, spec.attention, spec.input_feeding) == ("gru", True, "general", True)
    assert (spec.embedding.size, spec.hidden_size, spec.num_layers, spec.dropout) == (2, 4, 1, 0.0)


def test_pytorch_goes_step_by_step_in_one_way_alone():
    assert len(peers(PAIRS, "torch", "python")) == 2
    ((first, second),) = peers(replace(PAIRS, input_feeding=True), "torch", "python")
    assert (first.setting, second.setting) == ("packed, with oneDNN", "packed, without oneDNN")


@pytest.mark.slow
@pytest.mark.skipif("TORCH_PYTHON" not in os.environ, reason="TORCH_PYTHON names no interpreter that has PyTorch")
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("feeding", [False, True])
def test_pytorch_translates_a_batch_as_each_pair_alone(cell, feeding):
    work = replace(PAIRS, cell=cell, input_feeding=feeding)
    script = str(sides.PACKAGE / "pytorch_translator.py")
    command = [os.environ["TORCH_PYTHON"], "-c", ALONE, script, json.dumps(asdict(work))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    differences, pairs, words = json.loads(done.stdout)
    assert max(differences) < 1e-6
    assert (pairs, words) == ([[3, 5], [4, 3], [5, 3]], 11)
