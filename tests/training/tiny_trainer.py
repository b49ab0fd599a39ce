"""A trainer of a small language model on a short text of ids, without files."""

import numpy as np

from rnncli.data import Streams
from rnncli.models.language_model import EmbeddingSpec, LanguageModel, LanguageModelSpec
from rnncli.nn.cells import RNNCell
from rnncli.training.optimizers import SGD
from rnncli.training.trainer import Trainer, TrainingSpec

V = 5
IDS = np.random.default_rng(3).integers(V, size=121)


def tiny_model(dtype=np.float32, **options):
    options = {"cell": RNNCell(), "embedding": EmbeddingSpec(size=3), "hidden_size": 4, "num_layers": 1} | options
    return LanguageModel(LanguageModelSpec(**options), V, rng=np.random.default_rng(1), dtype=dtype)


def tiny_trainer(model=None, batches=None, validate=None, **settings):
    """Three streams of 40 targets in windows of 10, so that an epoch has 4 steps."""
    batches = Streams(IDS, 3, 10) if batches is None else batches
    settings = {"optimizer": SGD(), "epochs": 3} | settings
    return Trainer(model or tiny_model(), batches, validate, TrainingSpec(**settings))
