"""`rnncli bench`: numbers on stdout, and one line where something is wrong."""

import json
import os
import sys

import pytest

from rnncli.benchmarks import WORKLOADS
from rnncli.benchmarks.comparison import Comparison, Result
from rnncli.benchmarks.sides import Timing
from rnncli.cli.bench import plain, speed_table
from tests.cli.conftest import strict_json

HEADER, WITH_PEERS = "work configuration tokens/s of GEMM peak MB", " against tokens/s ours/its peak MB ours/its"
QUICK = ["--repeats", "2", "--seconds", "0.01"]


def compared(name, *peers):
    """A comparison of 62,500 tokens/s and 40 MB with peers of these speeds and bytes."""
    own = Result("rnncli", "", None, 62_500.0, None, None, 40_000_000, (Timing(25, 1.0, 0.9),))
    theirs = tuple(Result(*peer[:3], peer[3], 62_500 / peer[3], None, peer[4], ()) for peer in peers)
    return Comparison(WORKLOADS[name], own, theirs, {"square": 2e11, "step": 1e11})


def test_it_measures(rnncli):
    status, out, err = rnncli("bench", "e", *QUICK, "--json")
    assert (status, err) == (0, "")
    report = strict_json(out)
    assert (report["blas_threads"], list(report["results"])) == ("1", ["e"])
    found = report["results"]["e"]
    assert [timing["steps"] > 0 for timing in found["timings"]] == [True, True]
    speeds = sorted(2500 * timing["steps"] / timing["seconds"] for timing in found["timings"])
    assert found["tokens_per_second"] == found["characters_per_second"] == pytest.approx(sum(speeds) / 2)
    assert found["flops"] == pytest.approx(found["tokens_per_second"] * 6 * (128 * 256 + 65 * 128))
    assert 0.01 < found["share"] == pytest.approx(found["flops"] / found["gemm_flops"]["square"])
    assert found["peers"] == []


def test_against_the_naive_loop(rnncli):
    status, out, _ = rnncli("bench", "--against", "naive", *QUICK)
    assert status == 0
    header, row = out.splitlines()
    assert " ".join(header.split()) == HEADER + WITH_PEERS
    assert row.startswith("j     train rnn 1x100 B32 T25 V65 one-hot  ")
    assert float(row.split("naive loop")[1].split()[2]) > 1


def test_a_table_has_a_row_for_each_peer():
    peers = ("PyTorch nn.LSTM", "eager", "2.13", 12_500.0, 160_000_000), ("LSTMCell", "traced", None, 25_000.0, None)
    assert [" ".join(line.split()) for line in speed_table({"g": compared("g", *peers)})] == [
        HEADER + WITH_PEERS,
        "g generate lstm 2x128 B1 V65 E128 62,500 40 PyTorch nn.LSTM 2.13 eager 12,500 5.00 160 0.25",
        "LSTMCell traced 25,000 2.50",
    ]
    assert [" ".join(line.split()) for line in speed_table({"a": compared("a")})] == [
        HEADER,
        "a train lstm 2x128 B50 T50 V65 E128 62,500 51% 40",
    ]
    ways = [
        ("PyTorch", f"{way}, with oneDNN", "2.13", speed, None) for way, speed in (("packed", 5e4), ("padded", 1e5))
    ]
    assert [" ".join(line.split()) for line in speed_table({"k": compared("k", *ways)})[1:]] == [
        "k classify lstm 1x128 last B32 T3-60 V5000 E64 62,500 18% 40 PyTorch 2.13 packed, with oneDNN 50,000 1.25",
        "PyTorch 2.13 padded, with oneDNN 100,000 0.62",
    ]


def test_all_but_the_naive_network_is_usual(rnncli, monkeypatch):
    works = []
    monkeypatch.setattr("rnncli.benchmarks.measure", lambda work, **_: works.append(work.title) or compared("a"))
    assert rnncli("bench")[0] == 0
    assert works == [work.title for name, work in WORKLOADS.items() if name != "j"]


def test_json_of_sequences_has_their_lengths():
    found = json.loads(json.dumps(plain(compared("k"))))
    assert (found["characters_per_second"], found["tokens_per_second"]) == (None, 62_500)
    assert found["configuration"]["lengths"] == [list(batch) for batch in WORKLOADS["k"].lengths]
    assert found["flops"] == pytest.approx(62_500 * 6 * (512 * 192 + 2 * 128 * 32 / WORKLOADS["k"].tokens))


def test_json_of_words_has_no_characters():
    found = plain(compared("d", ("PyTorch", "with oneDNN", "2.13", 31_250.0, 80_000_000)))
    assert found["characters_per_second"] is None
    assert found["tokens_per_second"] == 62_500
    assert found["timings"] == ({"steps": 25, "seconds": 1.0, "cpu_seconds": 0.9},)
    assert [(peer["name"], peer["ratio"]) for peer in found["peers"]] == [("PyTorch", 2.0)]


def test_workers_are_those_of_use(rnncli, monkeypatch):
    workers = []

    def measure(work, **_):
        workers.append(work.workers)
        return compared("j")

    monkeypatch.setattr("rnncli.benchmarks.measure", measure)
    status, _, err = rnncli("bench", "j", "a", "i", "k", "--workers", "9")
    assert (status, workers) == (0, [8, 9, 1, 8])
    fewer = "workers 9 → 8: each needs 4 of a batch's 32 sequences to be of use"
    assert err == f"note: j: {fewer}\nnote: k: {fewer}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("z", "WORK must be one of a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, not 'z'"),
        ("--against jax", "--against must be one of torch, naive, not 'jax'"),
        ("a --torch-python python", "--torch-python is for --against torch"),
        ("a --workers -1", "--workers must be at least 1, not -1"),
        (
            "a --workers 2 --threads 2",
            "each of several workers has one BLAS thread; leave out --threads or --workers",
        ),
        ("--seconds 0", "--seconds must be above 0 and below 1000, not 0"),
        (
            "a --against naive",
            "train lstm 2x128 B50 T50 V65 E128: the naive loop trains an rnn of one layer; such as e or j",
        ),
        ("a --against torch --torch-python nowhere", "nowhere: No such file or directory; name a Python interpreter"),
    ],
)
def test_mistakes(rnncli, arguments, message):
    assert rnncli("bench", *arguments.split()) == (2, "", message + "\n")


def test_without_pytorch(rnncli, tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text("raise ImportError")  # whether or not there is another one
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH")))))
    status, out, err = rnncli("bench", "a", "--against", "torch")
    assert (status, out) == (2, "")
    assert err == (
        f"PyTorch is not installed for {sys.executable}; "
        "pip install torch, or name an interpreter that has it: --torch-python PATH\n"
    )
