import stat
import sys

import pytest

from rnncli.benchmarks import Workload, measure
from rnncli.benchmarks.comparison import Comparison, Result, result
from rnncli.benchmarks.sides import Side, Timing

TINY = Workload("train", "rnn", 1, 4, batch_size=3, length=5, vocabulary_size=7, embedding_size=2)
FAKE = f"""#!{sys.executable}
import json, sys
script, work, setting = sys.argv[1:]
assert script.endswith("pytorch.py") and json.loads(work)["hidden_size"] == 4
print(json.dumps({{"version": "2.99"}}), flush=True)
for line in sys.stdin:
    each = 0.02 if setting == "with oneDNN" else 0.01
    print(json.dumps({{"seconds": int(line) * each, "cpu_seconds": int(line) * each}}), flush=True)
"""


def side(setting, *timings):
    made = Side("it", setting, TINY, [])
    made.timings += [Timing(steps, seconds, seconds / 2 if setting else seconds) for steps, seconds in timings]
    made._process = type("Process", (), {"pid": 0})
    return made


def test_the_ratio_is_the_median_over_rounds_that_were_done_in_turn():
    own, peer = side("", (1, 1), (1, 2), (1, 9)), side("peer", (2, 4), (2, 4), (2, 4))
    assert result(own, own).tokens_per_second == pytest.approx(15 / 2)
    assert result(own, own).ratio is None
    assert result(peer, own).ratio == pytest.approx(1.0)  # of 2, 1 and 2/9
    assert result(peer, own).cpu_ratio == pytest.approx(0.5)
    assert result(peer, own).tokens_per_second == pytest.approx(15 / 2)
    assert result(peer, own).peak_memory is None


def test_the_share_of_the_limit():
    ours = Result("rnncli", "", None, 150.0, None, None, None, ())
    assert Comparison(TINY, ours, (), {"square": 100 * TINY.flops}).share == pytest.approx(0.1)  # ten steps a second
    two = Comparison(Workload("train", "rnn", 1, 4, batch_size=3, length=5, workers=2), ours, (), {"square": 1e6})
    assert two.share == pytest.approx(10 * two.work.flops / 2e6)


def test_sides_take_turns_and_the_faster_setting_counts(tmp_path):
    python = tmp_path / "python"
    python.write_text(FAKE)
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    said = []
    compared = measure(TINY, against="torch", python=str(python), repeats=3, seconds=0.02, report=said.append)
    (peer,) = compared.peers
    assert (peer.name, peer.version, peer.setting) == ("PyTorch", "2.99", "without oneDNN")
    assert peer.tokens_per_second == pytest.approx(1500)
    assert peer.timings == (Timing(2, 0.02, 0.02),) * 3
    assert len(compared.ours.timings) == 3
    assert compared.ours.tokens_per_second > 1500
    assert peer.ratio == pytest.approx(compared.ours.tokens_per_second / 1500)
    assert compared.gemm["square"] > 1e8
    assert compared.gemm["step"] > 1e5
    assert said[-3:] == ["round 1 of 3", "round 2 of 3", "round 3 of 3"]
