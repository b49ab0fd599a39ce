import json
import math
import os
import subprocess
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest

from rnncli.benchmarks import WORKLOADS, Workload, naive, ours, products, serving, sides
from rnncli.benchmarks.sides import Side, Timing, own_side, peers
from rnncli.data import Bucketed
from rnncli.errors import RnncliError, UsageError
from rnncli.training.events import StepDone

TINY = Workload("train", "lstm", 2, 4, batch_size=3, length=5, vocabulary_size=7, embedding_size=2)
RAGGED = Workload("classify", "lstm", 1, 4, batch_size=3, embedding_size=2, lengths=((1, 2, 2), (3, 5, 4)), labels=2)
TAGS = Workload("tag", "lstm", 1, 4, batch_size=3, embedding_size=2, lengths=((3, 5, 4),), labels=3, bidirectional=True)
ECHO = """
import sys
print('{"version": "1.0"}', flush=True)
for line in sys.stdin:
    print('{"seconds": %s, "cpu_seconds": 0.25}' % (int(line) * 0.01), flush=True)
"""
ALONE = """
import json, runpy, sys
import torch
script, work = runpy.run_path(sys.argv[1]), json.loads(sys.argv[2])
embedding, recurrent, _ = script["network"](work)
ids, steps, pack = script["labelled"](work, [3, 5, 4])[0]
alone = []
for sequence, length in enumerate(steps.tolist()):
    y = recurrent(embedding(ids[:length, sequence]))[0]
    ends = torch.cat((y[-1, :4], y[0, 4:]))
    alone.append(y.max(0).values if work["readout"] == "max" else ends)
ways = ["packed"] + ["padded"] * (not work["bidirectional"] and work["readout"] == "last")
vectors = [script[way](work, embedding, recurrent, ids, steps, pack) for way in ways]
print(json.dumps([float((vector - torch.stack(alone)).abs().max()) for vector in vectors]))
"""

ALONE_TAGGED = """
import json, runpy, sys
import torch
script, work = runpy.run_path(sys.argv[1]), json.loads(sys.argv[2])
_, recurrent, _ = script["network"](work)
embedding = torch.randn(work["vocabulary_size"], work["embedding_size"])
found = []
for padded in (False, True):
    torch.manual_seed(1)
    ids, how, labels = script["tagged"](work, [3, 5, 4], padded=padded)
    torch.manual_seed(1)
    (plain, steps, pack), _ = script["labelled"](work, [3, 5, 4])
    alone = [recurrent(embedding[plain[:length, s]])[0] for s, length in enumerate(steps.tolist())]
    if padded:
        y = script["Turning"](recurrent)(embedding[ids], how)
        real = torch.arange(len(ids))[:, None] < steps
        found.append((labels >= 0).equal(real))
        found.append(max(float((y[:len(each), s] - each).abs().max()) for s, each in enumerate(alone)))
    else:
        y = script["PackedSequence"](embedding[ids], how)
        y = script["pad_packed_sequence"](recurrent(y)[0])[0]
        found.append(len(labels) == 12 and bool((labels >= 0).all()))
        found.append(max(float((y[:len(each), s] - each).abs().max()) for s, each in enumerate(alone)))
print(json.dumps(found))
"""


def python(program, **changes):
    return Side("echo", "plain", replace(TINY, **changes), [sys.executable, "-c", program])


class TestOurs:
    def test_a_step_of_training_is_an_update(self):
        run = ours.prepare(TINY)
        first, later = run(3), run(21)
        assert isinstance(later, StepDone)
        assert (first.step, later.step, later.loss.count) == (3, 24, 15)
        assert later.epoch == pytest.approx(24 / 20)
        assert later.learning_rate == 0.002
        assert math.isfinite(later.gradient_norm)

    def test_a_step_of_generation_is_a_character_of_each_text(self):
        run = ours.prepare(Workload("generate", "lstm", 1, 4, batch_size=3, vocabulary_size=7, embedding_size=2))
        number, _, text = run(11)
        assert (number, len(text.text), len(text.tokens), text.ended) == (2, 11, 11, "length")
        assert run(11)[2].text != text.text

    def test_a_step_of_classification_is_an_update_on_a_batch(self):
        last = ours.prepare(RAGGED)(5)
        assert isinstance(last, StepDone)
        assert (last.step, last.epoch, last.loss.count) == (5, 2.5, 3)
        assert 0 < last.loss.mean < 2 * math.log(2)

    def test_a_step_of_tagging_is_the_labels_of_a_batch(self):
        run = ours.prepare(replace(TAGS, lengths=(tuple(range(3, 67)), (70, 71))))
        shapes = [run(1).shape for _ in range(3)]
        assert shapes == [(71, 64), (4, 2), (71, 64)]
        assert {*run(1).ravel().tolist()} <= {0, 1, 2}

    def test_a_step_of_training_a_tagger_is_an_update_on_a_batch(self):
        last = ours.prepare(replace(TAGS, kind="train tagger"))(5)
        assert isinstance(last, StepDone)
        assert (last.step, last.epoch, last.loss.count) == (5, 5.0, 12)
        assert 0 < last.loss.mean < 2 * math.log(3)

    def test_the_tagger_answers_the_batches_of_the_workload(self):
        work = WORKLOADS["n"]
        found = ours.scored(ours.build_tagger(replace(work, hidden_size=4)), ours.examples(work))
        lengths = [tuple(sorted(answered.batch.mask.sum(axis=0))) for answered in found]
        assert sorted(lengths) == sorted(work.lengths)

    @pytest.mark.parametrize("name", ["k", "l", "m", "o"])
    def test_the_trainer_makes_the_batches_of_the_workload(self, name):
        work = WORKLOADS[name]
        batches = Bucketed(ours.examples(work), work.batch_size)
        for epoch in range(2):
            found = [
                tuple(sorted([len(batch.inputs)] * 32 if batch.mask is None else batch.mask.sum(axis=0)))
                for batch in batches.epoch(np.random.default_rng(epoch))
            ]
            assert sorted(found) == sorted(work.lengths)
        ids = batches.examples.values
        assert (ids.dtype, ids.min() < 10, 4990 < ids.max() < 5000) == (np.uint16, True, True)
        middle = (work.labels - 1) / 2
        assert 0.8 * middle < batches.examples.targets.mean() < 1.2 * middle
        assert len(batches.examples.targets) == (len(ids) if name == "o" else 640)

    def test_the_classifier_is_the_one_that_is_named(self):
        spec = ours.build_classifier(replace(RAGGED, cell="gru", bidirectional=True, readout="max", num_layers=2)).spec
        assert (spec.cell.name, spec.bidirectional, spec.readout) == ("gru", True, "max")
        assert (spec.embedding.size, spec.hidden_size, spec.num_layers) == (2, 4, 2)

    def test_the_tagger_is_the_one_that_is_named(self):
        model = ours.build_tagger(replace(TAGS, cell="gru", num_layers=2))
        spec = model.spec
        assert (spec.cell.name, spec.bidirectional, spec.crf, spec.characters) == ("gru", True, False, None)
        assert (spec.embedding.size, spec.hidden_size, spec.num_layers, spec.dropout) == (2, 4, 2, 0.0)
        assert (len(model.output.weight.value), model.activation) == (3, "softmax")

    def test_the_model_is_the_one_that_is_named(self):
        spec = ours.build(replace(TINY, cell="gru", embedding_size=None), 7).spec
        assert (spec.cell.name, spec.embedding.kind, spec.hidden_size, spec.num_layers) == ("gru", "one_hot", 4, 2)


def test_the_naive_loop_learns():
    run = naive.training(Workload("train", "rnn", 1, 24, batch_size=1, length=5, vocabulary_size=4))
    first = run(1)
    assert first == pytest.approx(math.log(4), rel=0.01)
    run(1999)
    assert np.mean([run(1) for _ in range(20)]) < 0.5 * first


def test_the_speed_of_products(monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(products, "perf_counter", lambda: next(clock))
    assert products.speed([(3, 4, 5, 2), (1, 4, 1, 1)]) == 2 * (2 * 3 * 4 * 5 + 4)  # in a second


def test_a_server_answers_with_seconds(monkeypatch, capsys):
    done = []
    monkeypatch.setattr(sys, "argv", ["", json.dumps(asdict(TINY)), "setting"])
    monkeypatch.setattr(sys, "stdin", iter(["4\n", "5\n"]))
    serving.serve(lambda work: lambda steps: done.append((work.batch_size, steps)))
    assert done == [(3, 4), (3, 5)]
    introduction, *answers = capsys.readouterr().out.splitlines()
    assert introduction == "{}"
    assert len(answers) == 2
    assert all(answer.startswith('{"seconds": ') and '"cpu_seconds"' in answer for answer in answers)


class TestSide:
    def test_portions_and_what_they_take(self):
        with python(ECHO) as side:
            assert side.about == {"version": "1.0"}
            assert side.run(7) == Timing(7, 0.07, 0.25)
            assert side.run(7).rate == pytest.approx(100)
            assert side.run(7).cpu_rate == 28
            side.calibrate(3.0)
            assert side.steps == 300

    def test_a_portion_of_ragged_batches_has_each_as_often(self):
        with python(ECHO, lengths=((1,), (2,), (3,))) as side:
            side.calibrate(1.0)
            assert side.steps == 99
            side.calibrate(0.01)
            assert side.steps == 3

    @pytest.mark.skipif(sys.platform != "linux", reason="no /proc")
    def test_peak_memory_is_that_of_the_process_at_its_largest(self):
        with python("block = b'x' * 200_000_000\ndel block" + ECHO) as large, python(ECHO) as small:
            assert 200e6 < large.peak_memory < 260e6
            assert small.peak_memory < 60e6

    @pytest.mark.parametrize("before", ["", "print('{}', flush=True); input(); "])
    def test_one_that_dies_is_named_with_its_reason(self, before):
        message = "echo: its process ended with status 1; ValueError: no good"
        with pytest.raises(RnncliError, match=message), python(before + "raise ValueError('no good')") as side:
            side.run(1)

    def test_one_that_lacks_something_says_how_to_get_it(self):
        with (
            pytest.raises(UsageError, match=r"PyTorch is not installed for .*--torch-python PATH"),
            python("""print('{"missing": "PyTorch"}')"""),
        ):
            pass

    def test_an_interpreter_that_is_none(self, tmp_path):
        with pytest.raises(UsageError, match="name a Python interpreter"), Side("x", "", TINY, [str(tmp_path)]):
            pass

    def test_no_process_is_left(self, monkeypatch):
        monkeypatch.setattr(sides, "PATIENCE", 0.1)
        with python(ECHO + "import time; time.sleep(60)") as side:
            side.run(1)
            pid = side._process.pid
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


class TestPeers:
    def test_pytorch_in_each_setting(self):
        (training,) = peers(TINY, "torch", "python")
        assert [side.setting for side in training] == ["with oneDNN", "without oneDNN"]
        layers, cells = peers(replace(TINY, kind="generate"), "torch", "python")
        assert {side.name for side in (*layers, *cells)} == {"PyTorch nn.LSTM", "PyTorch LSTMCell"}
        assert all(side.command[0] == "python" and side.work.tokens == 15 for side in (*layers, *cells))

    def test_pytorch_packs_sequences_and_pads_them_where_it_may(self):
        packed, padded = peers(RAGGED, "torch", "python")
        assert [side.setting for side in packed] == ["packed, with oneDNN", "packed, without oneDNN"]
        assert [side.setting for side in padded] == ["padded, with oneDNN", "padded, without oneDNN"]
        assert packed[0].work.lengths == RAGGED.lengths
        for change in ({"bidirectional": True}, {"readout": "max"}):
            (alone,) = peers(replace(RAGGED, **change), "torch", "python")
            assert alone[0].setting == "packed, with oneDNN"

    @pytest.mark.parametrize("kind", ["tag", "train tagger"])
    def test_pytorch_tags_packed_sequences_and_padded_ones(self, kind):
        settings = [side.setting for each in peers(replace(TAGS, kind=kind), "torch", "python") for side in each]
        assert settings == [
            "packed, with oneDNN",
            "packed, without oneDNN",
            "padded, with oneDNN",
            "padded, without oneDNN",
        ]

    def test_pytorch_has_a_thread_for_each_worker(self):
        ((side, _),) = peers(replace(TINY, workers=2), "torch", "python")
        assert side.environment["OMP_NUM_THREADS"] == "2"
        assert "OMP_NUM_THREADS" not in peers(TINY, "torch", "python")[0][0].environment

    def test_the_naive_loop_has_one_sequence_and_one_layer(self):
        ((side,),) = peers(replace(TINY, cell="rnn", num_layers=1), "naive", "")
        assert side.work.batch_size == 1
        generation, classification = Workload("generate", "rnn", 1, 4, batch_size=1), replace(RAGGED, cell="rnn")
        for work in (TINY, replace(TINY, cell="rnn"), generation, classification):
            with pytest.raises(UsageError, match="the naive loop trains an rnn of one layer"):
                peers(work, "naive", "")


@pytest.mark.slow
@pytest.mark.skipif("TORCH_PYTHON" not in os.environ, reason="TORCH_PYTHON names no interpreter that has PyTorch")
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize(("bidirectional", "readout"), [(False, "last"), (False, "max"), (True, "last"), (True, "max")])
def test_pytorch_reads_a_packed_batch_as_each_sequence_alone(cell, bidirectional, readout):
    work = replace(RAGGED, cell=cell, num_layers=2, bidirectional=bidirectional, readout=readout)
    command = [os.environ["TORCH_PYTHON"], "-c", ALONE, str(sides.PACKAGE / "pytorch.py"), json.dumps(asdict(work))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    differences = json.loads(done.stdout)
    assert len(differences) == len(peers(work, "torch", "python"))
    assert max(differences) < 1e-6


@pytest.mark.slow
@pytest.mark.skipif("TORCH_PYTHON" not in os.environ, reason="TORCH_PYTHON names no interpreter that has PyTorch")
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_pytorch_tags_packed_and_padded_batches_as_each_sequence_alone(cell):
    work = replace(TAGS, cell=cell, num_layers=2)
    command = [os.environ["TORCH_PYTHON"], "-c", ALONE_TAGGED, str(sides.PACKAGE / "pytorch.py")]
    done = subprocess.run([*command, json.dumps(asdict(work))], capture_output=True, text=True, check=True)
    real, packed, kept, padded = json.loads(done.stdout)
    assert real
    assert kept
    assert max(packed, padded) < 1e-6


def test_a_side_of_ours_runs_in_a_process_of_its_own():
    with own_side("ours", RAGGED) as side:
        assert side.run(3).seconds > 0
    with own_side("ours", TINY) as side, own_side("naive", replace(TINY, cell="rnn", num_layers=1), "naive") as other:
        assert min(side.run(2).seconds, other.run(2).seconds) > 0
