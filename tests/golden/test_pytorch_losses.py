"""Every loss against PyTorch: cross-entropy, BCE with logits and MSE, plain and weighted."""

from pathlib import Path

import numpy as np
import pytest

from rnncli.nn.losses import LOSSES
from tests.golden.pytorch_names import assert_close


@pytest.fixture(scope="module")
def golden():
    with np.load(Path(__file__).parent / "losses.npz") as file:
        return dict(file)


def targets_and_weight(name, golden):
    """As our losses take them: class ids (N,) or (K, N), and the weight of each position or answer."""
    if name == "softmax":
        return golden["classes"], golden["class_weights"][golden["classes"]]
    return golden["answers" if name == "sigmoid" else "values"].T, golden["answer_weights"].T


@pytest.mark.parametrize("name", LOSSES)
def test_the_sum_the_mean_and_the_gradient_equal_pytorch(name, golden):
    targets, _ = targets_and_weight(name, golden)
    loss, d_logits = LOSSES[name](golden["logits"].T.copy(), targets, None)
    assert_close(loss.sum, golden[f"{name}/sum"][()], "sum")
    assert_close(loss.mean, golden[f"{name}/mean"][()], "mean")
    assert_close(d_logits, golden[f"{name}/d_logits"].T, "gradient")


@pytest.mark.parametrize("name", LOSSES)
def test_the_weighted_sum_and_its_gradient_equal_pytorch(name, golden):
    """PyTorch divides the weighted mean of classes, and of squared errors, by the weights; ours counts predictions."""
    targets, weight = targets_and_weight(name, golden)
    loss, d_logits = LOSSES[name](golden["logits"].T.copy(), targets, weight)
    assert_close(loss.sum, golden[f"{name}_weighted/sum"][()], "sum")
    assert_close(d_logits, golden[f"{name}_weighted/d_logits"].T, "gradient")
    mean = loss.mean if name == "sigmoid" else loss.sum / weight.sum()
    assert_close(mean, golden[f"{name}_weighted/mean"][()], "mean")
