"""The memory that a corpus takes does not grow with it."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux for the peak of a process")

WORDS = {"tokenizer": {"level": "word", "lowercase": True, "max_size": 1000}}
PEAK = """
def peak():  # of this program alone: getrusage() begins with the peak of the process that started it
    import re
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024
"""
READ = (
    PEAK
    + """
import sys, json, pathlib
import numpy as np
from rnncli.data import TokenizerSpec, numbering
from rnncli.tasks.corpus_cache import CorpusCache
from rnncli.tasks.text_data import make_batches, read_dataset
from rnncli.tasks.text_spec import TextDataSpec, TextTrainingSpec

numbering.LIMIT = 10_000  # a bound that small texts reach too
folder, data, training = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2]), TextTrainingSpec(**json.loads(sys.argv[3]))
spec = TextDataSpec(train="corpus.txt", **data | {"tokenizer": TokenizerSpec(**data.get("tokenizer", {}))})
dataset = read_dataset(spec, 1, folder, cache=CorpusCache.beside(folder / "run", keep=True))
batches = make_batches(spec, training, dataset.splits.train, 50, 50)
for number, batch in enumerate(batches.epoch(np.random.default_rng(0))):
    if number == 2000:
        break
print(dataset.tokens("train"), peak())
"""
)
TRAIN = (
    PEAK
    + """
import sys
from rnncli.cli.main import run
assert run(sys.argv[1:]) == 0
print(peak(), file=sys.stderr)
"""
)


def write_text(path, size):
    """Sentences of words, of which ever more are new; some lines are long."""
    draw = random.Random(1)
    words = (ROOT / "sample_data" / "poems.txt").read_text("utf-8").split()
    with path.open("w", encoding="utf-8") as file:
        while file.tell() < size:
            lines = [draw.choices(words, k=draw.randint(1, 12)) for _ in range(2000)]
            file.write("".join(f"{' '.join(line)} {draw.randrange(10**6)} é\n" for line in lines))


def peak_of(program, folder, *arguments):
    command = [sys.executable, "-c", program, *map(str, arguments)]
    environment = {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)


@pytest.mark.parametrize(
    ("data", "training", "limit"),  # in MB; with the text in memory it is 19 for a stream, 95 for lines, 44 for words
    [
        ({}, {}, 12),
        ({"format": "lines"}, {}, 12),
        pytest.param({}, {"state": "reset"}, 12, marks=pytest.mark.slow),
        pytest.param(WORDS, {}, 20, marks=pytest.mark.slow),
    ],
    ids=["characters", "lines", "windows", "words"],
)
def test_reading_twelve_times_as_much_takes_little_more(tmp_path, data, training, limit):
    peaks = []
    for name, size in (("small", 500_000), ("large", 6_000_000)):
        (tmp_path / name).mkdir()
        write_text(tmp_path / name / "corpus.txt", size)
        found = peak_of(READ, tmp_path, tmp_path / name, json.dumps(data), json.dumps(training))
        tokens, peak = map(int, found.stdout.split())
        assert tokens > size * (0.1 if "tokenizer" in data else 0.8)
        peaks.append(peak)
    assert peaks[1] - peaks[0] < limit


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [[], ["--set", "data.tokenizer={level: word, max_size: 2000}"]], ids=["character", "word"]
)
def test_training_on_a_hundred_times_as_much(tmp_path, options):
    peaks = []
    write_text(tmp_path / "held_out.txt", 100_000)
    for name, size in (("small", 2_000_000), ("large", 200_000_000)):
        write_text(tmp_path / f"{name}.txt", size)
        settings = ["--steps", "20", "--set", "data.validation=held_out.txt", "--set", "data.split.test=0", *options]
        for _ in range(2):  # the second time from the cache
            found = peak_of(TRAIN, tmp_path, "train", f"{name}.txt", *settings)
            peaks.append(int(found.stderr.splitlines()[-1]))
    small, small_again, large, large_again = peaks
    assert large - small < 200
    assert large_again - small_again < 200
