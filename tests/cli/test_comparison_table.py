"""How a comparison of cells is shown."""

import json
import math
from pathlib import Path

import pytest

from rnncli.cli.comparison_table import plain, summary, tables
from rnncli.cli.drawings import Style
from rnncli.experiments.cell_comparison import Comparison, Outcome
from tests.cli.conftest import strict_json


def result(cell, seed, scores, *, cpu=1.5, diverged=""):
    folder = Path("runs") / f"x-{cell}-seed{seed}"
    return Outcome(cell, seed, folder, 12345, 90, 3.0, 2.0, 2 * cpu, cpu, scores, diverged)


def compared(*outcomes, seeds=(1,), cells=("rnn", "lstm")):
    baselines = {seed: {"majority": {"accuracy": 0.5, "macro_f1": 1 / 3}} for seed in seeds}
    return Comparison(list(seeds), list(cells), "test", list(outcomes), baselines)


def scores(accuracy, macro_f1, cross_entropy):
    return {"accuracy": accuracy, "macro_f1": macro_f1, "cross_entropy": cross_entropy}


ONE = compared(
    result("rnn", 1, scores(0.51249, 0.5, 1234.5)), result("lstm", 1, scores(1.0, 0.9996, 0.0), cpu=12345.67)
)
THREE = compared(
    *(result("rnn", seed, scores(0.1 * seed, 0.5, math.inf), cpu=seed) for seed in (1, 2, 3)),
    result("lstm", 1, scores(0.9, 0.8, 0.5)),
    result("lstm", 2, {}, diverged="training diverged: the loss is not finite"),
    seeds=(1, 2, 3),
)


def shown(found, width=80):
    return "".join(line + "\n" for line in tables(found, Style(width)))


class TestTables:
    def test_of_one_random_seed(self):
        assert (
            shown(ONE)
            == """\
test split, random seed 1
model     parameters  CPU seconds  accuracy  macro F1  cross entropy
rnn           12,345          1.5     0.512     0.500          1,234
lstm          12,345     12,345.7     1.000     1.000          0.000
majority                              0.500     0.333
"""
        )

    def test_of_several_with_what_they_spread_over(self):
        assert (
            shown(THREE)
            == """\
test split, medians of random seeds 1, 2, 3
model     seeds  parameters  CPU seconds  accuracy  macro F1  cross entropy
rnn           3      12,345          2.0     0.200     0.500            inf
lstm          1      12,345          1.5     0.900     0.800          0.500
majority      3                              0.500     0.333

from the lowest to the highest score
model           accuracy  macro F1  cross entropy
rnn       0.100 to 0.300     0.500            inf
lstm               0.900     0.800          0.500
majority           0.500     0.333
"""
        )

    def test_all_cells_with_all_random_seeds_need_not_say_so(self):
        found = compared(
            *(result(cell, seed, {"mse": seed}) for cell in ("rnn", "lstm") for seed in (1, 2)), seeds=(1, 2)
        )
        found.baselines = {}
        assert (
            shown(found)
            == """\
test split, medians of random seeds 1, 2
model  parameters  CPU seconds  mse
rnn        12,345          1.5  1.5
lstm       12,345          1.5  1.5

from the lowest to the highest score
model     mse
rnn    1 to 2
lstm   1 to 2
"""
        )

    def test_it_may_be_as_wide_as_there_is_room(self):
        assert max(map(len, shown(ONE).splitlines())) == 68
        assert shown(ONE, 68) == shown(ONE) != shown(ONE, 67)

    def test_a_narrow_one_has_headings_of_two_lines(self):
        assert (
            shown(ONE, 60)
            == """\
test split, random seed 1
                           CPU            macro    cross
model     parameters   seconds  accuracy     F1  entropy
rnn           12,345       1.5     0.512  0.500    1,234
lstm          12,345  12,345.7     1.000  1.000    0.000
majority                           0.500  0.333
"""
        )

    def test_a_narrower_one_is_without_the_last_scores(self):
        assert (
            shown(ONE, 42)
            == """\
test split, random seed 1
                           CPU
model     parameters   seconds  accuracy
rnn           12,345       1.5     0.512
lstm          12,345  12,345.7     1.000
majority                           0.500
--json has more: macro F1, cross entropy
"""
        )

    def test_the_spreads_are_cut_as_well(self):
        *_, heads, _, _, _, more = tables(THREE, Style(38))
        assert heads.split("  ")[-1] == "macro F1"
        assert more == "--json has more: cross entropy"

    def test_the_narrowest_has_a_line_for_each_number(self):
        assert (
            shown(ONE, 39)
            == """\
test split, random seed 1
rnn
  parameters     12,345
  CPU seconds    1.5
  accuracy       0.512
  macro F1       0.500
  cross entropy  1,234
lstm
  parameters     12,345
  CPU seconds    12,345.7
  accuracy       1.000
  macro F1       1.000
  cross entropy  0.000
majority
  accuracy       0.500
  macro F1       0.333
"""
        )

    def test_a_title_fits_as_well(self):
        lines = tables(compared(*ONE.outcomes, seeds=range(100)), Style(60))
        assert lines[0] == "test split, medians of random seeds 0, 1, 2, 3, 4, 5, 6, 7,…"
        assert max(map(len, lines)) <= 60

    def test_a_row_says_that_it_diverged(self):
        found = compared(result("rnn", 1, {}, diverged="training diverged"), result("lstm", 1, scores(1.0, 1.0, 0.25)))
        assert (
            shown(found)
            == """\
test split, random seed 1
model     parameters  CPU seconds  accuracy  macro F1  cross entropy
rnn           12,345          1.5  diverged
lstm          12,345          1.5     1.000     1.000          0.250
majority                              0.500     0.333
"""
        )

    def test_all_rows_do(self):
        found = Comparison([1], ["rnn"], "test", [result("rnn", 1, {}, diverged="training diverged")])
        assert (
            shown(found)
            == """\
test split, random seed 1
model  parameters  CPU seconds    scores
rnn        12,345          1.5  diverged
"""
        )


def test_what_came_of_one_training():
    assert summary(ONE.outcomes[0]) == "rnn: accuracy 0.512, 1.5 CPU seconds, the best model after epoch 2 of 3"
    assert summary(THREE.outcomes[-1]) == "lstm: training diverged: the loss is not finite"


def test_json():
    document = strict_json(json.dumps(plain(THREE), allow_nan=False))
    assert (document["split"], document["random_seeds"], document["complete"]) == ("test", [1, 2, 3], False)
    lstm, rnn = document["cells"]["lstm"], document["cells"]["rnn"]
    assert (rnn["parameters"], rnn["cpu_seconds"]) == (12345, {"median": 2, "lowest": 1, "highest": 3})
    assert rnn["scores"]["accuracy"] == {"median": 0.2, "lowest": 0.1, "highest": pytest.approx(0.3)}
    assert rnn["scores"]["cross_entropy"] == {"median": None, "lowest": None, "highest": None}
    assert [each["scores"]["cross_entropy"] for each in rnn["runs"]] == [None] * 3
    assert lstm["runs"][1] == {
        "run": "runs/x-lstm-seed2",
        "random_seed": 2,
        "parameters": 12345,
        "step": 90,
        "epochs": 3.0,
        "best_epoch": 2.0,
        "seconds": 3.0,
        "cpu_seconds": 1.5,
        "scores": {},
        "diverged": "training diverged: the loss is not finite",
    }
    assert lstm["runs"][0]["diverged"] is None
    assert list(document["baselines"]) == ["majority"]
    assert document["baselines"]["majority"]["scores"]["accuracy"]["median"] == 0.5
    assert plain(ONE)["complete"]
