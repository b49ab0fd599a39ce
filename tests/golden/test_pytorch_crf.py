"""The conditional random field against pytorch-crf: likelihoods, every gradient and the decoding, full and ragged."""

from pathlib import Path

import numpy as np
import pytest

from rnncli.nn.layers import CRF
from tests.golden.pytorch_names import assert_close, feature_major

NAMES = {"transitions": "transitions", "start": "start_transitions", "end": "end_transitions"}


@pytest.fixture(params=["full", "ragged"])
def golden(request):
    """The arrays of the file, with those of one batch under their plain names, and its mask."""
    with np.load(Path(__file__).parent / "crf.npz") as file:
        arrays = {key.removeprefix(f"{request.param}/"): array for key, array in file.items()}
    return arrays | {"mask": np.arange(len(arrays["labels"]))[:, None] < arrays["lengths"]}


@pytest.fixture
def crf(golden):
    layer = CRF(golden["scores"].shape[2], rng=None, dtype=np.float64)
    for name, parameter in layer.parameters().items():
        parameter.value[:] = golden[NAMES[name]]
    return layer


def test_the_loss_and_its_gradients_equal_pytorch_crf(golden, crf):
    loss, gradient = crf.loss(feature_major(golden["scores"]), golden["labels"], golden["mask"])
    assert_close(loss.sum, -golden["log_likelihoods"].sum(), "loss")
    assert loss.count == golden["lengths"].sum()
    assert_close(crf.add(gradient), feature_major(golden["d_scores"]), "d_scores")
    for name, parameter in crf.parameters().items():
        assert_close(parameter.grad, golden[f"d_{NAMES[name]}"], name)


def test_the_loss_of_each_sequence_equals_pytorch_crf(golden, crf):
    scores, labels, mask = feature_major(golden["scores"]), golden["labels"], golden["mask"]
    for b, expected in enumerate(golden["log_likelihoods"]):
        column = slice(b, b + 1)
        loss, _ = crf.loss(scores[:, :, column], labels[:, column], mask[:, column], gradient=False)
        assert loss.sum == pytest.approx(-expected, rel=1e-9)


def test_the_decoding_equals_pytorch_crf(golden, crf):
    decoded = crf.decode(feature_major(golden["scores"]), golden["mask"])
    np.testing.assert_array_equal(decoded, golden["decoded"])
    assert len(np.unique(decoded)) > 2
