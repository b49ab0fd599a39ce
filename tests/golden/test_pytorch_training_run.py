"""A whole training run against PyTorch: ten windows with carried state, clipping and Adam."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rnncli.models.language_model import EmbeddingSpec, LanguageModel, LanguageModelSpec
from rnncli.training.events import StepDone
from rnncli.training.optimizers import Adam
from rnncli.training.trainer import Trainer, TrainingSpec

NAMES = {"embedding.weight": "embedding.weight", "output.weight": "linear.weight", "output.bias": "linear.bias"} | {
    f"recurrent.{layer}.{ours}": f"lstm.{theirs}_l{layer}"
    for layer in (0, 1)
    for ours, theirs in (("weight_ih", "weight_ih"), ("weight_hh", "weight_hh"), ("bias", "bias_ih"))
}


@pytest.fixture(scope="module")
def golden():
    with np.load(Path(__file__).parent / "training_run.npz") as file:
        return dict(file)


class Windows:
    """Consecutive windows over one stream, the state carried from each to the next."""

    def __init__(self, ids, count):
        self.ids, self.count = ids, count

    def __len__(self):
        return self.count

    def epoch(self, rng, start=0):
        length = len(self.ids) // self.count
        for index in range(start, self.count):
            window = self.ids[index * length : (index + 1) * length + 1]
            yield SimpleNamespace(inputs=window[:-1], targets=window[1:], mask=None, carry=index > 0)


def test_ten_updates_equal_pytorch(golden):
    vocabulary_size, embedding_size = golden["initial/embedding.weight"].shape
    spec = LanguageModelSpec(
        embedding=EmbeddingSpec(size=embedding_size), hidden_size=golden["initial/linear.weight"].shape[1]
    )
    model = LanguageModel(spec, vocabulary_size, rng=None, dtype=np.float64)
    parameters = model.parameters()
    assert parameters.keys() == NAMES.keys()
    for ours, theirs in NAMES.items():
        parameters[ours].value[:] = golden[f"initial/{theirs}"]
    steps = len(golden["losses"])
    settings = TrainingSpec(epochs=1, reduction="sum", optimizer=Adam(learning_rate=0.05), max_norm=5.0)

    run = Trainer(model, Windows(golden["ids"], steps), None, settings).run()
    done = [event for event in run if isinstance(event, StepDone)]

    assert golden["norms"].min() < settings.max_norm < golden["norms"].max()
    np.testing.assert_allclose([event.loss.sum for event in done], golden["losses"], rtol=1e-9)
    np.testing.assert_allclose([event.gradient_norm for event in done], golden["norms"], rtol=1e-9)
    for ours, theirs in NAMES.items():
        np.testing.assert_allclose(
            parameters[ours].value, golden[f"trained/{theirs}"], rtol=1e-9, atol=1e-9, err_msg=ours
        )
