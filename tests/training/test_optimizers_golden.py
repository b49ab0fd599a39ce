"""Every optimizer, and clipping, against PyTorch: ten steps on one sequence of gradients under a changing rate."""

from pathlib import Path

import numpy as np
import pytest

from rnncli.training.clipping import clip
from rnncli.training.optimizers import OPTIMIZERS, SGD, Adagrad, Adam, AdamW, RMSprop

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = {
    "sgd": SGD(),
    "sgd_momentum": SGD(momentum=0.9),
    "sgd_nesterov": SGD(momentum=0.9, nesterov=True),
    "sgd_weight_decay": SGD(momentum=0.9, weight_decay=0.1),
    "rmsprop": RMSprop(),
    "rmsprop_momentum": RMSprop(alpha=0.9, momentum=0.8, weight_decay=0.1),
    "adagrad": Adagrad(),
    "adagrad_weight_decay": Adagrad(weight_decay=0.1),
    "adam": Adam(),
    "adam_weight_decay": Adam(beta1=0.8, beta2=0.95, weight_decay=0.1),
    "adamw": AdamW(weight_decay=0.1),
}


def load(name):
    with np.load(GOLDEN / f"{name}.npz") as file:
        return dict(file)


def test_every_optimizer_and_every_golden_trajectory_is_compared():
    assert {type(optimizer) for optimizer in CASES.values()} == set(OPTIMIZERS.values())
    assert CASES.keys() == load("optimizers").keys() - {"start", "gradients", "learning_rates"}


@pytest.mark.parametrize("name", CASES)
def test_ten_steps_equal_pytorch(name):
    golden, optimizer = load("optimizers"), CASES[name]
    values = golden["start"].copy()
    slots = {slot: np.zeros_like(values) for slot in optimizer.slots}
    for t, (rate, gradient) in enumerate(zip(golden["learning_rates"], golden["gradients"], strict=True), start=1):
        optimizer.step(values, gradient.copy(), slots, float(rate), t)
        np.testing.assert_allclose(values, golden[name][t - 1], rtol=1e-9, atol=1e-9, err_msg=f"step {t}")


@pytest.mark.parametrize(
    ("name", "max_norm", "max_value"),
    [
        ("norm", 5.0, None),
        ("norm_below_limit", 50.0, None),
        ("value", None, 1.5),
        ("value_then_norm", 2.0, 1.5),
    ],
)
def test_clipping_equals_pytorch(name, max_norm, max_value):
    golden = load("clipping")
    gradient = golden["gradient"].copy()
    norm = clip(gradient, max_norm, max_value)
    np.testing.assert_allclose(gradient, golden[f"clipped_by_{name}"], rtol=1e-9, atol=1e-9)
    assert norm == pytest.approx(np.sqrt((golden["gradient"] ** 2).sum()), rel=1e-12)
