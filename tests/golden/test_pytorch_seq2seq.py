"""Training of encoder–decoders against PyTorch: losses, all gradients of the first batch, and weights after Adam."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.encoder_decoder import EncoderDecoder
from rnncli.models.encoder_decoder_spec import EncoderDecoderSpec
from rnncli.models.input_layer import InputSizes
from rnncli.nn.cells import GRUCell, LSTMCell, RNNCell
from rnncli.training.events import StepDone
from rnncli.training.optimizers import Adam
from rnncli.training.trainer import Trainer, TrainingSpec
from tests.golden.pytorch_names import assert_close

SPECS = {
    "lstm": {"cell": LSTMCell(), "attention": "general", "num_layers": 2},
    "lstm_feeding": {"cell": LSTMCell(), "attention": "general", "num_layers": 2, "input_feeding": True},
    "gru": {"cell": GRUCell(), "attention": "additive"},
    "gru_feeding": {"cell": GRUCell(), "attention": "additive", "input_feeding": True},
    "rnn": {"cell": RNNCell(), "attention": "dot", "num_layers": 2, "bidirectional": False},
    "rnn_feeding": {"cell": RNNCell(), "attention": "dot", "bidirectional": False, "input_feeding": True},
    "lstm_without_attention": {"cell": LSTMCell(), "attention": "none"},
}
BATCHES = 3
MAX_NORM = 0.8


@pytest.fixture(params=SPECS)
def name(request):
    return request.param


@pytest.fixture
def golden(name):
    with np.load(Path(__file__).parent / f"seq2seq_{name}.npz") as file:
        return dict(file)


@pytest.fixture
def model(name, golden):
    """A model that begins as PyTorch's did."""
    (sources, E), (targets, H) = golden["initial/encoder.embedding.weight"].shape, golden["initial/output.weight"].shape
    spec = EncoderDecoderSpec(**SPECS[name], embedding=EmbeddingSpec(size=E), hidden_size=H)
    begun = EncoderDecoder(spec, targets, InputSizes(sources), rng=None, dtype=np.float64)
    parameters = begun.parameters()
    assert parameters.keys() == {key.removeprefix("initial/") for key in golden if key.startswith("initial/")}
    for key, parameter in parameters.items():
        parameter.value[:] = golden[f"initial/{key}"]
    return begun


class Batches:
    """The batches of a file, in their order."""

    def __init__(self, golden):
        self.golden = golden

    def __len__(self):
        return BATCHES

    def epoch(self, rng, start=0):
        for number in range(start, BATCHES):
            source, inputs, targets = (self.golden[f"{number}/{key}"] for key in ("source", "inputs", "targets"))
            lengths, ends = (self.golden[f"{number}/{side}_lengths"] for side in ("source", "target"))
            yield SimpleNamespace(
                source=source,
                source_mask=np.arange(len(source))[:, None] < lengths,
                inputs=inputs,
                targets=targets,
                mask=np.arange(len(targets))[:, None] < ends,
                carry=False,
            )


def test_the_loss_and_every_gradient_equal_pytorch(model, golden):
    batch = next(Batches(golden).epoch(None))
    loss, _, cache = model.loss(batch)
    model.backward(cache)
    assert_close(np.float64(loss.sum), golden["losses"][0], "loss")
    assert loss.count == golden["0/target_lengths"].sum()
    for key, parameter in model.parameters().items():
        assert_close(parameter.grad, golden[f"d_{key}"], f"∂{key}")


def test_updates_equal_pytorch(model, golden):
    settings = TrainingSpec(epochs=1, optimizer=Adam(learning_rate=0.05), max_norm=MAX_NORM)
    done = [event for event in Trainer(model, Batches(golden), None, settings).run() if isinstance(event, StepDone)]
    assert golden["norms"].max() > MAX_NORM
    np.testing.assert_allclose([event.loss.sum for event in done], golden["losses"], rtol=1e-9)
    np.testing.assert_allclose([event.gradient_norm for event in done], golden["norms"], rtol=1e-9)
    for key, parameter in model.parameters().items():
        assert_close(parameter.value, golden[f"trained/{key}"], key)
