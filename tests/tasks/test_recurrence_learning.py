"""What each recurrence can learn: labels that agree with each other, and parity."""

import random
from math import log

import numpy as np
import pytest

from rnncli import experiments
from rnncli.nn.cells import RNNCell
from rnncli.training.optimizers import Adam
from tests.tasks.tagged_runs import tagged_task, trained

MENUS = {("meat", "red"): 4, ("fish", "white"): 3, ("fish", "beer"): 3}
"""What is ordered together, of ten."""
SETTINGS = {"epochs": 15, "hidden_size": 16, "optimizer": Adam(learning_rate=0.003)}


def conll(sequences):
    return "".join("".join(f"{token}\t{label}\n" for token, label in rows) + "\n" for rows in sequences)


def orders(count, seed):
    """Of a dish and a drink, whose names tell nothing of which: they agree with each other, given the same inputs."""
    menus = [menu for menu, share in MENUS.items() for _ in range(share * count // 10)]
    random.Random(seed).shuffle(menus)
    return [[*zip(("dish", "drink"), menu, strict=True)] for menu in menus]


def parities(count, seed, *, running):
    """Of up to 8 bits: at every one, or only behind the last, where the labels before tell nothing."""
    draws, found = random.Random(seed), []
    for _ in range(count):
        bits, odd = draws.choices("01", k=draws.randint(1, 8)), False
        rows = [(bit, "odd" if (odd := odd ^ (bit == "1")) else "even") for bit in bits]
        found.append(rows if running else [*((bit, "none") for bit in bits), ("=", rows[-1][1])])
    return found


def learnt(base, recurrence, train, test, *, seed=1, **settings):
    """The labels that a tagger of this recurrence gives, those that are right, and its mean loss."""
    model = {"recurrence": recurrence, "bidirectional": False, "cell": RNNCell()}
    model |= {name: settings.pop(name) for name in ("hidden_size", "crf") if name in settings}
    task = tagged_task(
        {"validation": "test.conll", "test": "test.conll"},
        model,
        **{"random_seed": seed, "batch_size": 32, "patience": None, "optimizer": Adam(learning_rate=0.003)} | settings,
    )
    run, _ = trained(task, base, f"run {recurrence} {seed}", **{"train.conll": conll(train), "test.conll": conll(test)})
    stored = experiments.load(run.folder / "last.npz")
    found = stored.tagger.tag([tuple(token for token, _ in rows) for rows in test])
    labels = [tuple(label for (label,) in each.labels) for each in found]
    part = run.dataset.splits.test
    return (
        labels,
        [tuple(label for _, label in rows) for rows in test],
        task.evaluate(run.model, stored.resources, part),
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_labels_agree_with_each_other_only_where_each_knows_the_one_before(tmp_path, seed):
    """With hidden states alone P(y | x) = Π P(y_t | x): fish is the best dish, and red the best drink, of no menu."""
    train, test = orders(1000, 1), orders(200, 2)
    labels, _, found = learnt(tmp_path, "hidden", train, test, seed=seed, **SETTINGS)
    assert set(labels) == {("fish", "red")}
    apart = -(0.4 * log(0.4) + 0.6 * log(0.6) + 0.4 * log(0.4) + 0.6 * log(0.3)) / 2
    assert apart <= found.loss.mean < 1.03 * apart  # less there cannot be: the orders are as often as they are
    together = -(0.4 * log(0.4) + 0.6 * log(0.3)) / 2
    for recurrence in ("output", "both"):
        labels, _, found = learnt(tmp_path, recurrence, train, test, seed=seed, **SETTINGS)
        assert set(labels) <= MENUS.keys()
        assert together <= found.loss.mean < 1.03 * together


@pytest.mark.parametrize("recurrence", ["output", "both"])
def test_a_running_parity_is_learnt_from_the_label_before(tmp_path, recurrence):
    train, test = (parities(count, seed, running=True) for count, seed in ((1500, 1), (200, 2)))
    labels, truth, _ = learnt(tmp_path, recurrence, train, test, epochs=10, hidden_size=32)
    assert labels == truth


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_parity_that_no_label_tells_needs_hidden_states(tmp_path, seed):
    train, test = (parities(count, seed, running=False) for count, seed in ((4000, 1), (1000, 2)))
    last = {}
    for recurrence in ("hidden", "output", "both"):
        labels, truth, _ = learnt(tmp_path, recurrence, train, test, seed=seed, epochs=60, hidden_size=64)
        last[recurrence] = np.mean([one[-1] == other[-1] for one, other in zip(labels, truth, strict=True)])
    assert min(last["hidden"], last["both"]) > 0.99
    assert abs(last["output"] - 0.5) < 0.05  # of 1,000 such guesses the deviation is 0.016
